import { FRAME_HEADER_BYTES, FRAME_SIZE_ERROR, fail, MAX_FRAME_BYTES, PROTOCOL_ERROR } from './codes.ts';

/** RFC 9113 section 3.4. */
const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');

/** Takes frames; the payload lies in `bytes` from `start` to `end`, and only for as long as the call takes. */
export interface FrameSink {
  frame(type: number, flags: number, id: number, bytes: Buffer, start: number, end: number): void;
}

/** Makes frames of the bytes of a connection, however they are cut. Only a frame that is not whole yet is ever copied. */
export class FrameReader {
  readonly #sink: FrameSink;
  #preface = 0;
  /** A frame of which some has come: first nine bytes of it, then, when its length is known, all. */
  #partial: Buffer | undefined;
  #have = 0;
  #isStopped = false;

  constructor(sink: FrameSink) {
    this.#sink = sink;
  }

  /** The peer speaks HTTP/2. */
  get hasPreface(): boolean {
    return this.#preface === PREFACE.length;
  }

  /** In the middle of a frame. */
  get isWaiting(): boolean {
    return this.#partial !== undefined;
  }

  /** Hands on no more frames, not even those of a chunk that it is at. */
  stop(): void {
    this.#isStopped = true;
  }

  read(chunk: Buffer): void {
    let at = this.hasPreface ? 0 : this.#readPreface(chunk);
    if (this.#partial) at = this.#complete(this.#partial, chunk, at);
    while (!this.#isStopped) {
      const rest = chunk.length - at;
      const needed = rest < FRAME_HEADER_BYTES ? FRAME_HEADER_BYTES : frameLength(chunk, at);
      if (rest < needed) {
        if (rest > 0) this.#keep(chunk, at, needed);
        return;
      }
      this.#hand(chunk, at, at + needed);
      at += needed;
    }
  }

  #readPreface(chunk: Buffer): number {
    let at = 0;
    for (; at < chunk.length && !this.hasPreface; at++) {
      if (chunk[at] !== PREFACE[this.#preface++]) fail(PROTOCOL_ERROR, 'not HTTP/2');
    }
    return at;
  }

  #keep(chunk: Buffer, at: number, needed: number): void {
    this.#partial = Buffer.allocUnsafeSlow(needed);
    this.#have = chunk.copy(this.#partial, 0, at);
  }

  /** Where the next frame begins in the chunk. */
  #complete(partial: Buffer, chunk: Buffer, from: number): number {
    const copied = chunk.copy(partial, this.#have, from);
    const at = from + copied;
    this.#have += copied;
    if (this.#have < partial.length) return at;
    const needed = frameLength(partial, 0);
    this.#partial = undefined;
    if (needed > partial.length) {
      this.#keep(partial, 0, needed);
      return this.#complete(this.#partial ?? partial, chunk, at);
    }
    this.#hand(partial, 0, needed);
    return at;
  }

  #hand(bytes: Buffer, at: number, end: number): void {
    const id =
      (((bytes[at + 5] ?? 0) & 0x7f) << 24) | ((bytes[at + 6] ?? 0) << 16) | ((bytes[at + 7] ?? 0) << 8) | (bytes[at + 8] ?? 0);
    this.#sink.frame(bytes[at + 3] ?? 0, bytes[at + 4] ?? 0, id, bytes, at + FRAME_HEADER_BYTES, end);
  }
}

/** Of the whole frame whose nine bytes are there (section 4.1). */
function frameLength(bytes: Buffer, at: number): number {
  const length = ((bytes[at] ?? 0) << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0);
  if (length > MAX_FRAME_BYTES) fail(FRAME_SIZE_ERROR, 'frame too large');
  return FRAME_HEADER_BYTES + length;
}
