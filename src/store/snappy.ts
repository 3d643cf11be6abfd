import { ByteReader } from './byte-reader.ts';

/** Undoes the compression called Snappy. Throws `RangeError` for what is none. */
export function unsnapped(compressed: Buffer): Buffer {
  const reader = new ByteReader(compressed);
  const length = reader.varint();
  if (length > MOST) throw new RangeError('a block is too long');
  const result = Buffer.alloc(length);
  let at = 0;
  while (!reader.isAtEnd) {
    const tag = reader.byte();
    const high = tag >> 2;
    if ((tag & 3) === 0) {
      // A literal: its length less one, or in how many bytes that follows.
      const count = 1 + (high < 60 ? high : reader.fixed(high - 59));
      if (at + count > length) throw new RangeError('a block is longer than it says');
      reader.bytes(count).copy(result, at);
      at += count;
      continue;
    }
    const isShort = (tag & 3) === 1;
    const count = isShort ? (high & 7) + 4 : high + 1;
    const back = isShort ? (tag >> 5) * 256 + reader.byte() : reader.fixed((tag & 3) === 2 ? 2 : 4);
    if (back === 0 || back > at || at + count > length) throw new RangeError('a block repeats what it has not');
    // Byte by byte: what is repeated may overlap what comes of it.
    for (const end = at + count; at < end; at++) result[at] = result[at - back] ?? 0;
  }
  if (at !== length) throw new RangeError('a block is shorter than it says');
  return result;
}

/** A block has some kilobytes; that of a table's index may have some megabytes. */
const MOST = 1 << 28;
