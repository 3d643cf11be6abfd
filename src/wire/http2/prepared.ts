import * as h2 from './codes.ts';
import { isName, isValue, STATIC_INDEX } from './fields.ts';
import { type Output, putUint32 } from './output.ts';

/** Names in lower case, texts in latin1, as they go out. */
export type Fields = readonly (readonly [name: string, value: string])[];

/** What an answer, or a piece of one, is made of. Fields may have been encoded already. */
export interface AnswerParts {
  readonly head?: Fields | Uint8Array;
  readonly data?: Uint8Array;
  readonly trailers?: Fields | Uint8Array;
  /** Whether more is to follow; without it, the last frame ends the stream. */
  readonly isOpen?: boolean;
}

/** An answer, or a piece of one, as frames that lack nothing but the number of their stream: made once, written many times. */
export class Prepared {
  readonly data: Uint8Array;
  readonly ends: boolean;
  /** Blocks, for when the frames cannot be written as they are. */
  readonly head: Uint8Array | undefined;
  readonly trailers: Uint8Array | undefined;
  readonly #bytes: Uint8Array;
  /** Where the number of the stream goes, in each frame. */
  readonly #ids: number[] = [];

  /** Throws a RangeError when a part does not fit into one frame, or is no header. */
  constructor({ head, data, trailers, isOpen = false }: AnswerParts) {
    this.data = data ?? new Uint8Array(0);
    this.ends = !isOpen;
    this.head = head && blockOf(head);
    this.trailers = trailers && blockOf(trailers);
    const frames: Uint8Array[] = [];
    if (this.head) frames.push(frame(h2.HEADERS, h2.END_HEADERS, this.head));
    if (data) frames.push(frame(h2.DATA, 0, data));
    if (this.trailers) frames.push(frame(h2.HEADERS, h2.END_HEADERS, this.trailers));
    const last = frames.at(-1);
    if (last === undefined) throw new RangeError('an answer without any part');
    if (this.ends) last[4] = (last[4] ?? 0) | h2.END_STREAM;
    this.#bytes = new Uint8Array(Buffer.concat(frames));
    for (let at = 5; at < this.#bytes.length; at += frames[this.#ids.length - 1]?.length ?? 0) this.#ids.push(at);
  }

  write(output: Output, id: number): void {
    const at = output.room(this.#bytes.length);
    output.bytes.set(this.#bytes, at);
    for (const idAt of this.#ids) putUint32(output.bytes, at + idAt, id);
  }
}

function blockOf(fields: Fields | Uint8Array): Uint8Array {
  return fields instanceof Uint8Array ? fields : encodeFields(fields);
}

function frame(type: number, flags: number, payload: Uint8Array): Uint8Array {
  if (payload.length > h2.MAX_FRAME_BYTES)
    throw new RangeError(`a prepared frame has at most ${h2.MAX_FRAME_BYTES} bytes, got ${payload.length}`);
  const bytes = new Uint8Array(h2.FRAME_HEADER_BYTES + payload.length);
  putUint32(bytes, 0, payload.length << 8);
  bytes[3] = type;
  bytes[4] = flags;
  bytes.set(payload, h2.FRAME_HEADER_BYTES);
  return bytes;
}

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
    if (!isValue(value) || /[^\0-\xff]/.test(value)) throw new RangeError(`not a value of a header: ${JSON.stringify(value)}`);
    const index = STATIC_INDEX.get(`${name} ${value}`);
    if (index !== undefined) {
      at = writeInteger(block, at, 0x80, 0x7f, index);
      continue;
    }
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
