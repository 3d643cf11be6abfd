import type { Scheduler } from '../wire/scheduler.ts';
import { Shares } from '../wire/shares.ts';
import { TooMany } from './errors.ts';
import type { Paused } from './turns.ts';

/**
 * All work that goes on over several turns of the event loop, whoever has asked for it: together it has a little of each turn and no
 * more, so that what is asked at once is answered at once. Whoever asks for little comes before what has begun and goes on; of what
 * goes on the addresses have their turn one after the other, and within one address each waits for the one before, so that whatever is
 * gathered on the way is there once for each. How much may wait is bounded for each address, and in all.
 */
export class Walks {
  readonly #options: WalksOptions;
  readonly #shares: Shares;
  /** Not begun. */
  readonly #fresh = new Set<Walk>();
  /** Begun, by address; what is nobody's own is by itself. */
  readonly #begun = new Map<unknown, Set<Walk>>();
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
    if (this.#fresh.size === 0 && this.#spentMs < TURN_MS) return this.begin(work, caller);
    this.#admit(caller);
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
        step() {
          try {
            const next = work.next();
            if (next.done === true) resolve(next.value);
            return next.done !== true;
          } catch (error) {
            reject(error);
            return false;
          }
        },
      };
      if (isBegun) this.#goOn(walk);
      else this.#fresh.add(walk);
      this.#roundSoon();
    });
  }

  #admit(caller: Walker | undefined): void {
    if (caller === undefined) return;
    const limit = this.#shares.limitFor(caller.ip);
    if (limit === 'in all') throw new TooMany('long reads', `more than ${this.#options.limits.maxLongReads} ${UNDER_WAY}`);
    if (limit !== undefined)
      throw new TooMany(
        'long reads of one address',
        `more than ${this.#options.limits.maxLongReadsPerPeer} from one address ${UNDER_WAY}`,
      );
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
    for (let left = this.#size(); left > 0 && this.#spentMs < TURN_MS; left--) {
      const walk = this.#next();
      if (walk === undefined) break;
      if (this.#timed(() => walk.caller?.hasLeft() !== true && walk.step())) this.#goOn(walk);
      else this.#end(walk);
    }
    if (this.#size() > 0) this.#roundSoon();
  }

  #next(): Walk | undefined {
    const isFresh = this.#fresh.size > 0 && (this.#isFreshNext || this.#begun.size === 0);
    this.#isFreshNext = !isFresh;
    for (const walk of isFresh ? this.#fresh : []) {
      this.#fresh.delete(walk);
      return walk;
    }
    for (const [key, walks] of this.#begun) {
      // The next time it is another's turn.
      this.#begun.delete(key);
      this.#begun.set(key, walks);
      for (const walk of walks) return walk;
    }
    return undefined;
  }

  /** In its place, where it has one. */
  #goOn(walk: Walk): void {
    const key = keyOf(walk);
    const walks = this.#begun.get(key);
    if (walks === undefined) this.#begun.set(key, new Set([walk]));
    else walks.add(walk);
  }

  #end(walk: Walk): void {
    if (walk.caller !== undefined) this.#shares.remove(walk.caller.ip);
    const walks = this.#begun.get(keyOf(walk));
    walks?.delete(walk);
    if (walks?.size === 0) this.#begun.delete(keyOf(walk));
  }

  #size(): number {
    return this.#fresh.size + this.#begun.size;
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
  /** Does a part of it. Whether there is more. */
  readonly step: () => boolean;
}

function keyOf(walk: Walk): unknown {
  return walk.caller?.ip ?? walk;
}

/** As much of each turn as nobody notices who is answered in it. What is begun goes on for a part of its own. */
const TURN_MS = 2;

const UNDER_WAY = 'reads of very much are under way: ask again later';
