import type { Scheduler } from '../wire/scheduler.ts';
import { Shares } from '../wire/shares.ts';
import { TooMany } from './errors.ts';
import type { Paused } from './turns.ts';

/**
 * All work that goes on over several turns of the event loop, whoever has asked for it: together it has a little of each turn and no
 * more, so that what is asked at once is answered at once. Whoever asks for little comes before what has begun and goes on; the addresses
 * have their turn one after the other, and within one address each waits for the one before, so that whatever is gathered on the way is
 * there once for each. How many may go on is bounded for each address, and in all; most of what is asked ends with its first part, and
 * counts for nothing.
 */
export class Walks {
  readonly #options: WalksOptions;
  readonly #shares: Shares;
  /** Not begun. */
  readonly #fresh = new Line();
  readonly #begun = new Line();
  #isFreshNext = true;
  #isDue = false;
  /** Of this turn. */
  #spentMs = 0;

  constructor(options: WalksOptions) {
    this.#options = options;
    const { maxLongReads: inAll, maxLongReadsPerPeer: ofOne } = options.limits;
    this.#shares = new Shares({ inAll, ofOne });
  }

  /** How many callers' are under way. */
  get count(): number {
    return this.#shares.count;
  }

  /**
   * Does the work: at once when it does not pause and others leave it the time, else each part of it when its turn comes. Without a
   * caller, as it is for many, it is never refused. Of a caller who has left meanwhile nothing is ever heard.
   */
  run<T>(work: Paused<T>, caller?: Walker): T | Promise<T> {
    if (this.#fresh.count === 0 && this.#spentMs < TURN_MS) return this.begin(work, caller);
    if (this.#fresh.count >= MOST_FRESH) throw tooMany(MOST_FRESH);
    if (caller !== undefined && this.#fresh.countOf(caller.ip) >= MOST_FRESH_OF_ONE) throw tooManyOfOne(MOST_FRESH_OF_ONE);
    return this.#wait(work, caller, false);
  }

  /** The same, with the first part of it done already when this returns. */
  begin<T>(work: Paused<T>, caller?: Walker): T | Promise<T> {
    const first = this.#timed(() => work.next());
    if (first.done === true) return first.value;
    this.#admit(caller);
    return this.#wait(work, caller, true);
  }

  #wait<T>(work: Paused<T>, caller: Walker | undefined, isBegun: boolean): Promise<T> {
    return new Promise((resolve, reject) => {
      const walk: Walk = {
        caller,
        isAdmitted: isBegun,
        step: () => {
          try {
            const next = work.next();
            if (next.done === true) resolve(next.value);
            // Only now is it known that it is not done in one go.
            else if (!walk.isAdmitted) {
              this.#admit(caller);
              walk.isAdmitted = true;
            }
            return next.done !== true;
          } catch (error) {
            reject(error);
            return false;
          }
        },
      };
      (isBegun ? this.#begun : this.#fresh).add(walk);
      this.#roundSoon();
    });
  }

  #admit(caller: Walker | undefined): void {
    if (caller === undefined) return;
    const limit = this.#shares.limitFor(caller.ip);
    if (limit === 'in all') throw tooMany(this.#options.limits.maxLongReads);
    if (limit !== undefined) throw tooManyOfOne(this.#options.limits.maxLongReadsPerPeer);
    this.#shares.add(caller.ip);
  }

  #roundSoon(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    this.#options.scheduler.soon(() => this.#round());
  }

  #round(): void {
    this.#isDue = false;
    this.#spentMs = 0;
    // Each once at most: what takes no time would go on for ever else.
    for (let left = this.#parts; left > 0 && this.#spentMs < TURN_MS; left--) {
      const walk = this.#next();
      if (walk === undefined) break;
      if (this.#timed(() => walk.caller?.hasLeft() !== true && walk.step())) this.#begun.add(walk);
      else this.#end(walk);
    }
    if (this.#parts > 0) this.#roundSoon();
  }

  #next(): Walk | undefined {
    const isFresh = this.#fresh.count > 0 && (this.#isFreshNext || this.#begun.count === 0);
    this.#isFreshNext = !isFresh;
    if (!isFresh) return this.#begun.next();
    const walk = this.#fresh.next();
    if (walk !== undefined) this.#fresh.delete(walk);
    return walk;
  }

  #end(walk: Walk): void {
    if (walk.caller !== undefined && walk.isAdmitted) this.#shares.remove(walk.caller.ip);
    this.#begun.delete(walk);
  }

  /** How many could go on for a part each. */
  get #parts(): number {
    return this.#fresh.count + this.#begun.callers;
  }

  /** What a turn has been spent on, whoever's it was. */
  #timed<T>(act: () => T): T {
    const { now } = this.#options;
    const began = now();
    try {
      return act();
    } finally {
      this.#spentMs += now() - began;
      // The next turn has all of it again.
      if (this.#spentMs >= TURN_MS) this.#roundSoon();
    }
  }
}

export interface WalksOptions {
  readonly scheduler: Pick<Scheduler, 'soon'>;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  readonly limits: WalksLimits;
}

export interface WalksLimits {
  readonly maxLongReads: number;
  readonly maxLongReadsPerPeer: number;
}

/** On whose behalf work is done. */
export interface Walker {
  readonly ip: string;
  /** Nobody is there any more to be answered. */
  readonly hasLeft: () => boolean;
}

interface Walk {
  readonly caller: Walker | undefined;
  /** Whether it counts as one that goes on. */
  isAdmitted: boolean;
  /** Does a part of it. Whether there is more. */
  readonly step: () => boolean;
}

/** Who waits, by address; what is nobody's own is by itself. */
class Line {
  readonly #walks = new Map<unknown, Set<Walk>>();
  #count = 0;

  get count(): number {
    return this.#count;
  }

  get callers(): number {
    return this.#walks.size;
  }

  countOf(ip: string): number {
    return this.#walks.get(ip)?.size ?? 0;
  }

  /** In its place, where it has one. */
  add(walk: Walk): void {
    const key = walk.caller?.ip ?? walk;
    const walks = this.#walks.get(key) ?? new Set();
    if (walks.has(walk)) return;
    this.#walks.set(key, walks.add(walk));
    this.#count++;
  }

  delete(walk: Walk): void {
    const key = walk.caller?.ip ?? walk;
    const walks = this.#walks.get(key);
    if (walks?.delete(walk) !== true) return;
    this.#count--;
    if (walks.size === 0) this.#walks.delete(key);
  }

  /** The first of the address whose turn it is; the next time it is another's. */
  next(): Walk | undefined {
    for (const [key, walks] of this.#walks) {
      this.#walks.delete(key);
      this.#walks.set(key, walks);
      for (const walk of walks) return walk;
    }
    return undefined;
  }
}

/** As much of each turn as nobody notices who is answered in it. What is begun goes on for a part of its own. */
const TURN_MS = 2;

/** That have not begun: as many as many honest callers may ask for within a moment. */
const MOST_FRESH = 20_000;
const MOST_FRESH_OF_ONE = 4_000;

function tooMany(most: number): TooMany {
  return new TooMany('long reads', `more than ${most} ${UNDER_WAY}`);
}

function tooManyOfOne(most: number): TooMany {
  return new TooMany('long reads of one address', `more than ${most} from one address ${UNDER_WAY}`);
}

const UNDER_WAY = 'reads of very much are under way: ask again later';
