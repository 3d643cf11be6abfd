import { Request } from './request.ts';
import type { Stream } from './stream.ts';

/** Streams that we reset, whose frames may still be under way: so many are known. */
const KEPT_RESETS = 1_024;
/** Of those that have just ended, one of each so many. A power of two. */
const KEPT_ENDS = 32;

/** An answer that stays open, begun by `Request.open`. */
export class Opened {
  /** WINDOW_UPDATEs less what was sent. */
  credit: number;
  readonly isReceived = true;

  constructor(credit: number) {
    this.credit = credit;
  }
}

/** A request that is not whole, one that has a handler, or one whose answer stays open. */
export type Open = Request | Stream | Opened;

const NONE: ReadonlyMap<number, Open> = new Map();

/**
 * Which streams of a connection are open, and a trace of the last that were (RFC 9113 section 5.1): an idle one has a higher number
 * than any before, and whatever is not here is closed. What a connection does not need is not made.
 */
export class StreamTable {
  /** The last request that is not whole. Most are with the next frame, and never get into the map. */
  latest: Request | undefined;
  #open: Map<number, Open> | undefined;
  #reset: Set<number> | undefined;
  /** By the lower bits of their number: those that ended, and the negative of those that the peer has reset. */
  #ended: number[] | undefined;

  get size(): number {
    return (this.latest ? 1 : 0) + (this.#open?.size ?? 0);
  }

  get(id: number): Open | undefined {
    return this.latest?.id === id ? this.latest : this.#open?.get(id);
  }

  /** All of them, by their numbers. */
  all(): ReadonlyMap<number, Open> {
    if (this.latest) this.#put(this.latest.id, this.latest);
    this.latest = undefined;
    return this.#open ?? NONE;
  }

  add(id: number, open: Open): void {
    if (!(open instanceof Request)) {
      this.#put(id, open);
      return;
    }
    if (this.latest) this.#put(this.latest.id, this.latest);
    this.latest = open;
  }

  #put(id: number, open: Open): void {
    this.#open ??= new Map();
    this.#open.set(id, open);
  }

  remove(id: number): void {
    if (this.latest?.id === id) this.latest = undefined;
    else this.#open?.delete(id);
  }

  /** We have reset it. What the peer still sends is no mistake until it ends it too. */
  reset(id: number): void {
    this.#reset ??= new Set();
    const [oldest = id] = this.#reset;
    if (this.#reset.size >= KEPT_RESETS) this.#reset.delete(oldest);
    this.#reset.add(id);
  }

  /** Whether we have reset it while the peer was at it; no longer once the peer `ends` it. */
  isReset(id: number, ends: boolean): boolean {
    return ends ? this.#reset?.delete(id) === true : this.#reset?.has(id) === true;
  }

  end(id: number, isByReset: boolean): void {
    this.#ended ??= [];
    this.#ended[(id >> 1) & (KEPT_ENDS - 1)] = isByReset ? -id : id;
  }

  /** How it ended, if that is not too long ago. */
  howEnded(id: number): 'reset' | 'whole' | undefined {
    const ended = this.#ended?.[(id >> 1) & (KEPT_ENDS - 1)];
    return ended === id ? 'whole' : ended === -id ? 'reset' : undefined;
  }
}
