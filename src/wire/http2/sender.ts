import type { Budget } from './budget.ts';
import * as h2 from './codes.ts';
import type { Output } from './output.ts';
import type { Stream } from './stream.ts';

/** With more than this waiting in the socket, bodies wait too: short answers and control frames get by. */
const CONGESTED_BYTES = 131_072;
/** A stream that has sent less in the time for stalls has not moved: windows of a byte now and then are no progress. */
const PROGRESS_BYTES = 1_024;

interface SenderListener {
  /** All that it had to say is out. */
  answered(stream: Stream): void;
  /** There is something to be told to its handler. */
  wake(stream: Stream): void;
}

/** What the peer lets us send, and who waits for more (RFC 9113 section 5.2). */
export class Sender {
  window = h2.FIRST_WINDOW;
  /** The first window of each stream, as the peer's SETTINGS have it now. May make what a stream may send negative (section 6.9.2). */
  initial = h2.FIRST_WINDOW;
  readonly #output: Output;
  readonly #budget: Budget;
  readonly #listener: SenderListener;
  #waiting: Set<Stream> | undefined;
  #second = 0;

  constructor(output: Output, budget: Budget, listener: SenderListener) {
    this.#output = output;
    this.#budget = budget;
    this.#listener = listener;
  }

  /** Whether a stream with this credit may send so much at once. */
  fits(bytes: number, credit: number): boolean {
    return bytes <= this.window && bytes <= this.initial + credit && !this.#isCongested;
  }

  /** Sends all that it may. */
  pump(stream: Stream): void {
    while (this.#step(stream)) {
      // As long as there is something.
    }
  }

  /** Windows have grown, or the socket has room again: a frame for each that waits, in turn. */
  serve(): void {
    let moved = this.#waiting !== undefined && this.#waiting.size > 0;
    while (moved) {
      moved = false;
      for (const stream of this.#waiting ?? []) if (this.#step(stream)) moved = true;
    }
  }

  forget(stream: Stream): void {
    this.#waiting?.delete(stream);
  }

  /** Those that have waited for too long. */
  stalled(second: number, seconds: number): readonly Stream[] {
    this.#second = second;
    const all: Stream[] = [];
    for (const stream of this.#waiting ?? []) {
      if (second - stream.waitsSince < seconds) continue;
      if (stream.sentSince < PROGRESS_BYTES) all.push(stream);
      stream.waitsSince = second;
      stream.sentSince = 0;
    }
    return all;
  }

  get #isCongested(): boolean {
    return this.#output.unsent > CONGESTED_BYTES;
  }

  /** One frame; false when there is nothing more to send now. */
  #step(stream: Stream): boolean {
    const chunk = stream.unsent[0];
    if (chunk === undefined) {
      if (stream.isEnding) this.#end(stream);
      this.#waiting?.delete(stream);
      return false;
    }
    const left = chunk.length - stream.offset;
    const length = Math.min(left, this.window, this.initial + stream.credit, h2.MAX_FRAME_BYTES);
    if (length <= 0 || this.#isCongested) {
      this.#wait(stream);
      return false;
    }
    const ends = length === stream.unsentBytes && stream.isEnding && stream.trailerBlock === undefined;
    const at = this.#output.frame(length, h2.DATA, ends ? h2.END_STREAM : 0, stream.id);
    this.#output.bytes.set(chunk.subarray(stream.offset, stream.offset + length), at);
    this.#sent(stream, length, length === left);
    if (!ends) return true;
    this.#waiting?.delete(stream);
    this.#listener.answered(stream);
    return false;
  }

  #sent(stream: Stream, length: number, isWhole: boolean): void {
    this.#budget.traffic++;
    this.window -= length;
    stream.credit -= length;
    stream.unsentBytes -= length;
    stream.sentSince += length;
    stream.offset += length;
    if (!isWhole) return;
    stream.unsent.shift();
    stream.offset = 0;
    if (stream.unsentBytes > 0 || !stream.isDrainWanted) return;
    stream.isDrainWanted = false;
    stream.isDrained = true;
    this.#listener.wake(stream);
  }

  /** Neither trailers nor a frame without bytes need a window. */
  #end(stream: Stream): void {
    if (stream.trailerBlock) this.#output.header(stream.id, stream.trailerBlock, true);
    else if (!stream.isHeaderOnly) this.#output.frame(0, h2.DATA, h2.END_STREAM, stream.id);
    this.#budget.traffic++;
    this.#listener.answered(stream);
  }

  #wait(stream: Stream): void {
    this.#waiting ??= new Set();
    if (this.#waiting.has(stream)) return;
    this.#waiting.add(stream);
    stream.waitsSince = this.#second;
    stream.sentSince = 0;
  }
}
