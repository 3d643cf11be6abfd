import type { Cancel, Scheduler } from '../../src/wire/scheduler.ts';

interface Timer {
  at: number;
  readonly every: number | undefined;
  readonly run: () => void;
}

/** Every one that the test file has made, for `failOnLeaks`. */
export const manualSchedulers: ManualScheduler[] = [];

/** A scheduler, and the clock that goes with it, whose time the test moves. */
export class ManualScheduler implements Scheduler {
  #ms: number;
  readonly #timers = new Set<Timer>();

  /** The time at the start, in milliseconds. */
  constructor(ms = 0) {
    this.#ms = ms;
    manualSchedulers.push(this);
  }

  readonly now = (): number => this.#ms;

  after(ms: number, run: () => void): Cancel {
    return this.#add({ at: this.#ms + ms, every: undefined, run });
  }

  every(ms: number, run: () => void): Cancel {
    return this.#add({ at: this.#ms + ms, every: ms, run });
  }

  soon(run: () => void): void {
    this.#add({ at: this.#ms, every: undefined, run });
  }

  /** How many timers are open: what has been closed leaves none. */
  get open(): number {
    return this.#timers.size;
  }

  /** Lets time pass, and runs what becomes due, each at its own time. */
  advance(ms: number): void {
    const end = this.#ms + ms;
    for (let timer = this.#next(end); timer !== undefined; timer = this.#next(end)) {
      this.#ms = Math.max(this.#ms, timer.at);
      if (timer.every === undefined) this.#timers.delete(timer);
      else timer.at = this.#ms + timer.every;
      timer.run();
    }
    this.#ms = end;
  }

  /** Time passes and nothing runs, as in a process that is stopped. What became due runs with the next `advance`. */
  stall(ms: number): void {
    this.#ms += ms;
  }

  #add(timer: Timer): Cancel {
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  }

  #next(end: number): Timer | undefined {
    let next: Timer | undefined;
    for (const timer of this.#timers) if (timer.at <= end && (next === undefined || timer.at < next.at)) next = timer;
    return next;
  }
}
