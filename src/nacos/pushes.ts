import type { Cancel, Scheduler } from '../wire/scheduler.ts';

/**
 * What pushing by datagrams and pushing over connections have in common: changes that follow each other closely go out as one, and no
 * two pushes carry the same time. Whom to push to, and how it is acknowledged, each does in its own way.
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
