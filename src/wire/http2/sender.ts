import type { Duplex } from 'node:stream';
import { Budget } from './budget.ts';
import * as h2 from './codes.ts';
import { Output } from './output.ts';
import type { Shared } from './shared.ts';
import type { Stream } from './stream.ts';

/** With more than this waiting in the socket, bodies wait too: short answers and control frames get by. */
const CONGESTED_BYTES = 131_072;
/** A stream that has sent less in the time for stalls has not moved: windows of a byte now and then are no progress. */
const PROGRESS_BYTES = 1_024;
/** What a stream that waits takes beside what it has to say. */
const WAITING_STREAM_BYTES = 1_024;

const TABLE_UPDATE = new Uint8Array([0x20]);

/** What a connection says on its streams, as far as its peer lets it (RFC 9113 section 5.2): the first of the layers of a Connection. */
export abstract class Sender {
  readonly duplex: Duplex;
  /** What all streams have to say, and what it takes to wait. */
  waitingBytes = 0;
  protected readonly shared: Shared;
  protected readonly output: Output;
  protected readonly budget: Budget;
  /** What the peer lets us send. */
  protected window = h2.FIRST_WINDOW;
  /** The first window of each stream, as the peer's SETTINGS have it now. May make what a stream may send negative (section 6.9.2). */
  protected initialWindow = h2.FIRST_WINDOW;
  /** The peer's decoder must be told that we do not use its table (RFC 7541 section 4.2). */
  protected isTableUpdateDue = false;
  /** Windows have grown, or the socket has room again. */
  protected isWritable = false;
  /** Windows of many streams have grown. What waits is looked at once for all frames of a turn: it may be much. */
  protected isServeDue = false;
  #waiting: Set<Stream> | undefined;

  constructor(shared: Shared, duplex: Duplex) {
    this.shared = shared;
    this.duplex = duplex;
    this.output = new Output(duplex, shared.buffers, () => this.dirty());
    this.budget = new Budget(shared.allowances);
  }

  /** There is something to be written, or counted, and nobody is about to. */
  protected abstract dirty(): void;
  /** There is something to be told to the handler of the stream. */
  protected abstract wake(stream: Stream): void;
  abstract answered(stream: Stream): void;

  writeHeader(id: number, block: Uint8Array, ends: boolean): void {
    this.output.header(id, this.isTableUpdateDue ? Buffer.concat([TABLE_UPDATE, block]) : block, ends);
    this.isTableUpdateDue = false;
    this.budget.traffic++;
  }

  /** Whether a stream with this credit may send so much at once. */
  protected fits(bytes: number, credit: number): boolean {
    return bytes <= this.window && bytes <= this.initialWindow + credit && this.output.unsent <= CONGESTED_BYTES;
  }

  pump(stream: Stream): void {
    for (let moved = true; moved; ) moved = this.#step(stream);
  }

  /** There may be room for what has waited: a frame for each that waits, in turn. */
  protected serve(): void {
    this.isServeDue = false;
    this.isWritable = true;
    for (let moved = true; moved; ) {
      moved = false;
      for (const stream of this.#waiting ?? []) if (this.#step(stream)) moved = true;
    }
  }

  /** One frame; false when there is nothing more to send now. */
  #step(stream: Stream): boolean {
    const chunk = stream.unsent[0];
    if (chunk === undefined) {
      this.rest(stream);
      // Neither trailers nor a frame without bytes need a window.
      if (!stream.isEnding) return false;
      if (stream.trailerBlock) this.writeHeader(stream.id, stream.trailerBlock, true);
      else this.output.frame(0, h2.DATA, h2.END_STREAM, stream.id);
      this.answered(stream);
      return false;
    }
    const left = chunk.length - stream.offset;
    const length = Math.min(left, this.window, this.initialWindow + stream.credit, h2.MAX_FRAME_BYTES);
    if (length <= 0 || this.output.unsent > CONGESTED_BYTES) {
      this.#wait(stream);
      return false;
    }
    const ends = length === stream.unsentBytes && stream.isEnding && stream.trailerBlock === undefined;
    const at = this.output.frame(length, h2.DATA, ends ? h2.END_STREAM : 0, stream.id);
    this.output.bytes.set(chunk.subarray(stream.offset, stream.offset + length), at);
    this.#sent(stream, length, length === left);
    if (ends) this.answered(stream);
    return !ends;
  }

  #sent(stream: Stream, length: number, isWhole: boolean): void {
    this.budget.traffic++;
    this.window -= length;
    this.waitingBytes -= length;
    stream.credit -= length;
    stream.unsentBytes -= length;
    stream.sentSince += length;
    stream.offset += length;
    if (!isWhole) return;
    stream.unsent.shift();
    stream.offset = 0;
    if (stream.unsentBytes === 0 && stream.isDrainWanted) this.wake(stream);
  }

  #wait(stream: Stream): void {
    this.dirty();
    this.#waiting ??= new Set();
    if (this.#waiting.has(stream)) return;
    this.#waiting.add(stream);
    this.waitingBytes += WAITING_STREAM_BYTES;
    stream.waitsSince = this.shared.now;
    stream.sentSince = 0;
  }

  /** It waits no more. */
  protected rest(stream: Stream): void {
    if (this.#waiting?.delete(stream)) this.waitingBytes -= WAITING_STREAM_BYTES;
  }

  /** Answers that the peer does not take end. */
  protected checkWaiting(): void {
    for (const stream of this.#waiting ?? []) {
      if (this.shared.now - stream.waitsSince <= this.shared.limits.stallTimeoutMs) continue;
      const hasMoved = stream.sentSince >= PROGRESS_BYTES;
      stream.waitsSince = this.shared.now;
      stream.sentSince = 0;
      if (hasMoved || !stream.isHurried) continue;
      this.shared.totals.count('an answer that is not taken');
      stream.reset(h2.CANCEL);
    }
  }
}
