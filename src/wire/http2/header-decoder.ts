import { COMPRESSION_ERROR, fail } from './codes.ts';
import { Field, type Mark, STATIC_ENTRIES } from './fields.ts';
import { decodeHuffman } from './huffman.ts';
import type { Request } from './request.ts';

/** What we announce nothing else for, and so the most that a peer may use (RFC 7541 section 4.2). */
const MAX_TABLE_BYTES = 4_096;
/** For integers that no sound peer sends, and where the shifts below would wrap (section 5.1). */
const MAX_SHIFT = 21;

/** What stands behind `toString('latin1', …)`, and is not declared: half of the time, and here it is most of it. */
type Latin1 = Buffer & { latin1Slice(start: number, end: number): string };

/** What the decoders of all connections share. */
export interface DecoderParts {
  readonly staticTable: readonly Field[];
  readonly mark: Mark;
  /** Nothing stays in it. Twice as long as a block: by Huffman's code, a byte is less than two. */
  readonly scratch: Buffer;
}

/**
 * Decodes header blocks (RFC 7541), each to its end, as the table that both sides keep is one for all blocks: a block that is refused
 * for what it says has changed it too. Whatever is not an encoding at all ends the connection.
 */
export class HeaderDecoder {
  readonly #parts: DecoderParts;
  /** The newest is the last; those before the oldest have gone, and are taken out now and then. */
  #entries: Field[] = [];
  #oldest = 0;
  #size = 0;
  #limit = MAX_TABLE_BYTES;
  /** Where decoding stands, and where the block ends. */
  #at = 0;
  #end = 0;

  constructor(parts: DecoderParts) {
    this.#parts = parts;
  }

  /** Adds the fields of the block to `target`. */
  decode(bytes: Buffer, start: number, end: number, target: Request): void {
    this.#at = start;
    this.#end = end;
    let mayResize = true;
    while (this.#at < end) {
      const byte = bytes[this.#at] ?? 0;
      if (byte >= 0x80) {
        target.add(this.#fieldAt(this.#integer(bytes, 0x7f)));
      } else if (byte >= 0x40) {
        const field = this.#literal(bytes, 0x3f);
        this.#insert(field);
        target.add(field);
      } else if (byte < 0x20) {
        target.add(this.#literal(bytes, 0x0f));
      } else {
        // Only at the beginning of a block (section 4.2).
        if (!mayResize) fail(COMPRESSION_ERROR, 'table size update inside a header block');
        this.#limit = this.#integer(bytes, 0x1f);
        if (this.#limit > MAX_TABLE_BYTES) fail(COMPRESSION_ERROR, 'table size update beyond what was allowed');
        this.#evict(this.#limit);
        continue;
      }
      mayResize = false;
    }
  }

  /** What the entries of the table take: never more than its limit. */
  get tableSize(): number {
    return this.#size;
  }

  #fieldAt(index: number): Field {
    const at = this.#entries.length + STATIC_ENTRIES - index;
    const field = index <= STATIC_ENTRIES ? this.#parts.staticTable[index] : at < this.#oldest ? undefined : this.#entries[at];
    if (field === undefined || index === 0) fail(COMPRESSION_ERROR, 'header index out of range');
    return field;
  }

  #literal(bytes: Buffer, mask: number): Field {
    const index = this.#integer(bytes, mask);
    // The entry with the name may be on its way out of the table: it is looked up before anything is put in (section 4.4).
    const name = index === 0 ? this.#string(bytes) : this.#fieldAt(index).name;
    return new Field(name, this.#string(bytes), this.#parts.mark);
  }

  #insert(field: Field): void {
    // An entry that is larger than the table empties it, and is no error (section 4.4).
    this.#evict(this.#limit - field.size);
    if (field.size > this.#limit) return;
    this.#entries.push(field);
    this.#size += field.size;
  }

  #evict(limit: number): void {
    while (this.#size > limit && this.#size > 0) this.#size -= this.#entries[this.#oldest++]?.size ?? 0;
    if (2 * this.#oldest < this.#entries.length || this.#oldest === 0) return;
    this.#entries.splice(0, this.#oldest);
    this.#oldest = 0;
  }

  /** With a prefix of as many bits as the mask has (section 5.1). */
  #integer(bytes: Buffer, mask: number): number {
    let value = this.#next(bytes) & mask;
    if (value < mask) return value;
    for (let shift = 0; shift <= MAX_SHIFT; shift += 7) {
      const byte = this.#next(bytes);
      value += (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    fail(COMPRESSION_ERROR, 'integer too long');
  }

  #next(bytes: Buffer): number {
    if (this.#at >= this.#end) fail(COMPRESSION_ERROR, 'header block cut short');
    return bytes[this.#at++] ?? 0;
  }

  /** Section 5.2. */
  #string(bytes: Buffer): string {
    const isHuffman = (bytes[this.#at] ?? 0) >= 0x80;
    const length = this.#integer(bytes, 0x7f);
    const start = this.#at;
    this.#at += length;
    if (this.#at > this.#end) fail(COMPRESSION_ERROR, 'header block cut short');
    if (!isHuffman) return (bytes as Latin1).latin1Slice(start, this.#at);
    const { scratch } = this.#parts;
    const decoded = decodeHuffman(bytes, start, this.#at, scratch);
    if (decoded < 0) fail(COMPRESSION_ERROR, 'not a huffman code');
    return (scratch as Latin1).latin1Slice(0, decoded);
  }
}
