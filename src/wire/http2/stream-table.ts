import type { Request } from './request.ts';
import type { Stream } from './stream.ts';

/** Streams that we reset, whose frames may still be under way: so many are known. */
const KEPT_RESETS = 1_024;
/** Of those that have just ended, one of each so many. A power of two. */
const KEPT_ENDS = 32;

const NONE: ReadonlyMap<number, Stream> = new Map();

/**
 * Which streams of a connection are open, and a trace of the last that were (RFC 9113 section 5.1): an idle one has a higher number
 * than any before, and whatever is not here is closed. What a connection does not need is not made.
 */
export class StreamTable {
  /** The last request that is not whole. Most are with the next frame, and never get into a map. */
  latest: Request | undefined;
  /** Answers that stay open: WINDOW_UPDATEs less what was sent. */
  opened: Map<number, number> | undefined;
  handled: ReadonlyMap<number, Stream> = NONE;
  #handled: Map<number, Stream> | undefined;
  #requests: Map<number, Request> | undefined;
  #reset: Set<number> | undefined;
  /** By the lower bits of their number: those that ended, and the negative of those that the peer has reset. */
  #ended: number[] | undefined;

  get size(): number {
    return (this.latest ? 1 : 0) + (this.#requests?.size ?? 0) + this.handled.size + (this.opened?.size ?? 0);
  }

  /** A request that is not whole, of those that are answered from prepared bytes. */
  request(id: number): Request | undefined {
    return this.latest?.id === id ? this.latest : this.#requests?.get(id);
  }

  add(stream: Stream): void {
    this.#handled ??= new Map();
    this.handled = this.#handled;
    this.#handled.set(stream.id, stream);
  }

  remove(id: number): void {
    this.#handled?.delete(id);
  }

  hold(request: Request): void {
    const { latest } = this;
    this.latest = request;
    if (!latest) return;
    this.#requests ??= new Map();
    this.#requests.set(latest.id, latest);
  }

  release(request: Request): void {
    if (this.latest === request) this.latest = undefined;
    else this.#requests?.delete(request.id);
  }

  *requests(): Generator<Request, void, undefined> {
    if (this.latest) yield this.latest;
    if (this.#requests) yield* this.#requests.values();
  }

  /** We have reset it. What the peer still sends is no mistake until it `ends` there too. */
  reset(id: number, ends: boolean): void {
    if (ends) return;
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
    // No typed array: those are slow to make, and many connections ask once.
    this.#ended ??= new Array<number>(KEPT_ENDS).fill(0);
    this.#ended[(id >> 1) & (KEPT_ENDS - 1)] = isByReset ? -id : id;
  }

  /** How it ended, if that is not too long ago. */
  howEnded(id: number): 'reset' | 'whole' | undefined {
    const ended = this.#ended?.[(id >> 1) & (KEPT_ENDS - 1)];
    return ended === id ? 'whole' : ended === -id ? 'reset' : undefined;
  }
}
