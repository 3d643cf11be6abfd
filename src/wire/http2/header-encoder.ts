import { isName, isValue, STATIC_INDEX } from './fields.ts';

/** Names in lower case, texts in latin1, as they go out. */
export type Fields = readonly (readonly [name: string, value: string])[];

/** Intermediaries are to keep these out of their tables too (RFC 7541 section 7.1.3). */
const SECRETS: ReadonlySet<string> = new Set(['authorization', 'set-cookie', 'proxy-authorization']);
const NEVER_INDEXED = 0x10;

/**
 * Encodes a header without the table of the peer, so that a block is the same for all: fields of the static table by their index,
 * others as literals that nobody keeps, and none by Huffman's code. Throws a RangeError for what no header may contain.
 */
export function encodeFields(fields: Fields): Buffer {
  let room = 0;
  for (const [name, value] of fields) room += name.length + value.length + 12;
  const block = Buffer.allocUnsafe(room);
  let at = 0;
  for (const [name, value] of fields) {
    if (!isName(name) && name !== ':status') throw new RangeError(`not a name of a header: ${JSON.stringify(name)}`);
    const index = STATIC_INDEX.get(`${name} ${value}`);
    if (index !== undefined) {
      at = writeInteger(block, at, 0x80, 0x7f, index);
      continue;
    }
    if (!isValue(value) || /[^\0-\xff]/.test(value)) throw new RangeError(`not a value of a header: ${JSON.stringify(value)}`);
    const nameIndex = STATIC_INDEX.get(name) ?? 0;
    at = writeInteger(block, at, SECRETS.has(name) ? NEVER_INDEXED : 0, 0x0f, nameIndex);
    if (nameIndex === 0) at = writeString(block, at, name);
    at = writeString(block, at, value);
  }
  return block.subarray(0, at);
}

function writeString(block: Buffer, at: number, text: string): number {
  const start = writeInteger(block, at, 0, 0x7f, text.length);
  return start + block.write(text, start, 'latin1');
}

/** RFC 7541 section 5.1; `first` has the bits above the prefix. */
function writeInteger(block: Buffer, at: number, first: number, mask: number, value: number): number {
  if (value < mask) {
    block[at] = first | value;
    return at + 1;
  }
  block[at++] = first | mask;
  let rest = value - mask;
  for (; rest >= 0x80; rest >>>= 7) block[at++] = 0x80 | (rest & 0x7f);
  block[at++] = rest;
  return at;
}
