import * as h2 from './codes.ts';
import { encodeFields, type Fields } from './header-encoder.ts';
import { type Output, putUint32 } from './output.ts';

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
  /** Where the second and the third frame begin; 0 where there is none. */
  readonly #second: number;
  readonly #third: number;

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
    const [first, second, third] = frames;
    this.#second = second && first ? first.length : 0;
    this.#third = third && second ? this.#second + second.length : 0;
  }

  write(output: Output, id: number): void {
    const at = output.room(this.#bytes.length);
    output.bytes.set(this.#bytes, at);
    putUint32(output.bytes, at + ID_AT, id);
    if (this.#second !== 0) putUint32(output.bytes, at + this.#second + ID_AT, id);
    if (this.#third !== 0) putUint32(output.bytes, at + this.#third + ID_AT, id);
  }
}

const ID_AT = 5;

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
