import type { Cancel, Scheduler } from '../wire/scheduler.ts';

/**
 * What pushing by datagrams and pushing over connections have in common: changes that follow each other closely go out as one, however
 * many are told of them nobody else waits for that, and no two pushes carry the same time. Whom to push to, and how it is acknowledged,
 * each does in its own way.
 */

/** Gathers what has changed, each thing once, and hands over all of it when `delayMs` have passed since the first. */
export class Gathered<T> {
  readonly #scheduler: Scheduler;
  readonly #delayMs: number;
  readonly #flush: (changed: ReadonlySet<T>) => void;
  #changed = new Set<T>();
  #cancelFlush: Cancel | undefined;
  #closed = false;

  constructor({ scheduler, delayMs }: PushTiming, flush: (changed: ReadonlySet<T>) => void) {
    this.#scheduler = scheduler;
    this.#delayMs = delayMs;
    this.#flush = flush;
  }

  /** Has changed, and is handed over soon. */
  add(thing: T): void {
    if (this.#closed) return;
    this.#changed.add(thing);
    this.#cancelFlush ??= this.#scheduler.after(this.#delayMs, () => {
      this.#cancelFlush = undefined;
      const changed = this.#changed;
      // What changes while these are handed over is handed over the next time.
      this.#changed = new Set();
      this.#flush(changed);
    });
  }

  /** Nobody is interested in it any more. */
  delete(thing: T): void {
    this.#changed.delete(thing);
  }

  /** Hands over nothing more. */
  close(): void {
    this.#closed = true;
    this.#cancelFlush?.();
    this.#changed.clear();
  }
}

/** Does much a share at a time, each in a round of the event loop of its own: what has come meanwhile is served between two shares. */
export class Rounds<T> {
  readonly #scheduler: Scheduler;
  readonly #share: number;
  readonly #run: (thing: T) => void;
  readonly #waiting = new Set<T>();
  #isDue = false;
  #closed = false;

  /** `share`: how many are run in one round. */
  constructor(scheduler: Scheduler, share: number, run: (thing: T) => void) {
    this.#scheduler = scheduler;
    this.#share = share;
    this.#run = run;
  }

  /** Is run soon, in its turn, and once however often it is added before that. */
  add(thing: T): void {
    if (this.#closed) return;
    this.#waiting.add(thing);
    if (this.#isDue) return;
    this.#isDue = true;
    this.#scheduler.soon(() => this.#round());
  }

  /** Runs nothing more. */
  close(): void {
    this.#closed = true;
    this.#waiting.clear();
  }

  #round(): void {
    let left = this.#share;
    for (const thing of this.#waiting) {
      if (left-- === 0) break;
      this.#waiting.delete(thing);
      this.#run(thing);
    }
    this.#isDue = this.#waiting.size > 0;
    if (this.#isDue) this.#scheduler.soon(() => this.#round());
  }
}

/** When to push. */
export interface PushTiming {
  readonly scheduler: Scheduler;
  /** How long to wait for more changes before a push, in milliseconds. */
  readonly delayMs: number;
}

/** The clock's times, but never one twice: where the clock stands still, they run ahead of it by one each. */
export function strictlyRising(clock: () => number): () => number {
  let last = Number.NEGATIVE_INFINITY;
  return () => {
    last = Math.max(last + 1, clock());
    return last;
  };
}
