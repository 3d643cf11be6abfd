import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';
import * as h2 from './codes.ts';

/** From the few frames of one answer to all those of a burst, each large enough for what the one before is too small for. */
const LARGEST = 65_536;
const SIZES: readonly number[] = [1_024, 8_192, LARGEST];
const KEPT = 64;

/** Buffers between two uses. */
export class BufferPool {
  readonly #free: readonly Buffer[][] = SIZES.map(() => []);

  /** Of at least `bytes` bytes, and no more than the largest. */
  take(bytes: number): Buffer {
    const i = SIZES.findIndex((size) => bytes <= size);
    return this.#free[i]?.pop() ?? Buffer.allocUnsafeSlow(SIZES[i] ?? LARGEST);
  }

  give(buffer: Buffer): void {
    const free = this.#free[SIZES.indexOf(buffer.length)];
    if (free !== undefined && free.length < KEPT) free.push(buffer);
  }
}

const NOTHING = Buffer.alloc(0);

/** What waits to be written to one connection: all of a burst, or of a turn, in one write. */
export class Output {
  bytes: Buffer = NOTHING;
  /** A whole burst is to be answered, and then written. */
  isBurst = false;
  /** How many bytes there have been. */
  said = 0;
  readonly #duplex: Duplex;
  readonly #pool: BufferPool;
  readonly #onDirty: () => void;
  /** Plain sockets try to write at once: when nothing is left waiting then, the bytes have been copied by the system. */
  readonly #isPlain: boolean;
  #length = 0;

  /** `onDirty` is told of the first bytes outside of a burst: somebody must write them. */
  constructor(duplex: Duplex, pool: BufferPool, onDirty: () => void) {
    this.#duplex = duplex;
    this.#pool = pool;
    this.#onDirty = onDirty;
    this.#isPlain = duplex instanceof Socket && !(duplex instanceof TLSSocket);
  }

  /** Where in `bytes` the next `bytes` bytes, a prepared answer at most, are to be put. */
  room(bytes: number): number {
    if (this.#length + bytes > this.bytes.length) this.#grow(bytes);
    const at = this.#length;
    this.#length += bytes;
    this.said += bytes;
    return at;
  }

  #grow(bytes: number): void {
    if (this.#length === 0 && !this.isBurst) this.#onDirty();
    if (this.#length + bytes > LARGEST) this.write();
    const larger = this.#pool.take(this.isBurst ? LARGEST : this.#length + bytes);
    larger.set(this.bytes.subarray(0, this.#length));
    if (this.bytes !== NOTHING) this.#pool.give(this.bytes);
    this.bytes = larger;
  }

  write(): void {
    if (this.#length === 0) return;
    const { bytes } = this;
    const said = bytes.subarray(0, this.#length);
    this.bytes = NOTHING;
    this.#length = 0;
    const duplex = this.#duplex;
    let isFree = true;
    if (!duplex.destroyed && !duplex.writableEnded) {
      const isDirect = this.#isPlain && duplex.writableLength === 0;
      duplex.write(isDirect ? said : Buffer.from(said));
      isFree = !isDirect || duplex.writableLength === 0;
    }
    if (isFree) this.#pool.give(bytes);
  }

  /** What the peer, or the system, has not taken. */
  get unsent(): number {
    return this.#duplex.writableLength + this.#length;
  }

  /** The nine bytes before a payload (RFC 9113 section 4.1), and room for it; answers where the payload goes. */
  frame(length: number, type: number, flags: number, id: number): number {
    const at = this.room(h2.FRAME_HEADER_BYTES + length);
    putUint32(this.bytes, at, (length << 8) | type);
    this.bytes[at + 4] = flags;
    putUint32(this.bytes, at + 5, id);
    return at + h2.FRAME_HEADER_BYTES;
  }

  /** Frames with a payload of their own. */
  whole(type: number, flags: number, id: number, payload: Uint8Array): void {
    const at = this.frame(payload.length, type, flags, id);
    this.bytes.set(payload, at);
  }

  /** Frames of numbers: WINDOW_UPDATE, RST_STREAM, and GOAWAY, which may say why. */
  numbers(type: number, id: number, numbers: readonly number[], reason = ''): void {
    let at = this.frame(4 * numbers.length + reason.length, type, 0, id);
    for (const number of numbers) at = putUint32(this.bytes, at, number);
    if (reason !== '') this.bytes.write(reason, at, 'latin1');
  }

  /** A header block, in as many frames as it takes (section 4.3). */
  header(id: number, block: Uint8Array, ends: boolean): void {
    let at = 0;
    do {
      const end = Math.min(at + h2.MAX_FRAME_BYTES, block.length);
      const flags = (at === 0 && ends ? h2.END_STREAM : 0) | (end === block.length ? h2.END_HEADERS : 0);
      this.whole(at === 0 ? h2.HEADERS : h2.CONTINUATION, flags, id, block.subarray(at, end));
      at = end;
    } while (at < block.length);
  }
}

/** Answers where it ends. */
export function putUint32(bytes: Uint8Array, at: number, value: number): number {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
  return at + 4;
}
