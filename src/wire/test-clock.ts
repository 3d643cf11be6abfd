import type { Clock } from './clock.ts';
import { type Cancel, systemScheduler } from './scheduler.ts';

export interface TestClockOptions {
  /** The time of day that it begins at; 2026-01-01T00:00:00Z when left out. */
  readonly at?: Date | string | number;
}

/** A clock that stands still until it is told to go on, for tests that want to see what fifteen seconds of silence do, and not wait for them. */
export interface TestClock extends Clock {
  /**
   * Lets so many milliseconds pass: everything that is due meanwhile happens, each at its own time and in its order, and what follows from
   * it. Resolves when that is so. Calls take effect one after another.
   */
  readonly advance: (ms: number) => Promise<void>;
}

export function createTestClock({ at = DEFAULT_START }: TestClockOptions = {}): TestClock {
  const startedAt = new Date(at).getTime();
  if (Number.isNaN(startedAt)) throw new RangeError(`at must be a time, got ${JSON.stringify(String(at).slice(0, 100))}`);
  const timers = new Timers(startedAt);
  const { now, wallClock, waitFor, after, every, soon, advance } = timers;
  return { now, wallClock, waitFor, after, every, soon, advance };
}

const DEFAULT_START = '2026-01-01T00:00:00Z';

interface Timer {
  at: number;
  readonly everyMs: number | undefined;
  readonly run: () => void;
}

class Timers {
  readonly #startedAt: number;
  readonly #timers = new Set<Timer>();
  readonly #underWay: (() => boolean)[] = [];
  #ms = 0;
  /** How much is to be done in a turn of the event loop that is still to come. */
  #soon = 0;
  #isPatient = true;
  #last: Promise<void> = Promise.resolve();

  constructor(startedAt: number) {
    this.#startedAt = startedAt;
  }

  readonly now = (): number => this.#ms;
  readonly wallClock = (): number => this.#startedAt + this.#ms;
  readonly waitFor = (isUnderWay: () => boolean): void => void this.#underWay.push(isUnderWay);
  readonly after = (ms: number, run: () => void): Cancel =>
    this.#add({ at: this.#ms + Math.max(0, ms), everyMs: undefined, run });
  readonly every = (ms: number, run: () => void): Cancel =>
    this.#add({ at: this.#ms + Math.max(1, ms), everyMs: Math.max(1, ms), run });

  /** What waits at sockets waits there by the time of the world. */
  readonly soon = (run: () => void): void => {
    this.#soon++;
    systemScheduler.soon(() => {
      this.#soon--;
      run();
    });
  };

  readonly advance = (ms: number): Promise<void> => {
    if (!Number.isFinite(ms) || ms < 0) return Promise.reject(new RangeError(`ms must be 0 or more, got ${ms}`));
    const moved = this.#last.then(() => this.#advance(ms));
    // Whoever called hears of what went wrong; who calls next does not.
    this.#last = moved.catch(() => {});
    return moved;
  };

  async #advance(ms: number): Promise<void> {
    const end = this.#ms + ms;
    await this.#settled();
    for (let timer = this.#next(end); timer !== undefined; timer = this.#next(end)) {
      const hasPassed = timer.at > this.#ms;
      this.#ms = Math.max(this.#ms, timer.at);
      if (timer.everyMs === undefined) this.#timers.delete(timer);
      else timer.at += timer.everyMs;
      timer.run();
      if (hasPassed || this.#soon > 0) await this.#settled();
    }
    this.#ms = end;
    await this.#settled();
  }

  /** All that follows from what has happened by now: each turn of the event loop may bring more. */
  async #settled(): Promise<void> {
    do await turn();
    while (this.#soon > 0);
    if (!this.#isUnderWay()) {
      this.#isPatient = true;
      return;
    }
    // What does not end in reasonable time is waited for by the test's time alone from then on, as it is that which ends it.
    for (let i = 0; this.#isPatient && i < MOST_WAITED_FOR_MS; i++) {
      await new Promise<void>((resolve) => void systemScheduler.after(1, resolve));
      if (!this.#isUnderWay()) return this.#settled();
    }
    this.#isPatient = false;
  }

  #isUnderWay(): boolean {
    return this.#underWay.some((isUnderWay) => isUnderWay());
  }

  #add(timer: Timer): Cancel {
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  }

  /** Of several that are due at once the one that was set first. */
  #next(end: number): Timer | undefined {
    let next: Timer | undefined;
    for (const timer of this.#timers) if (timer.at <= end && (next === undefined || timer.at < next.at)) next = timer;
    return next;
  }
}

const MOST_WAITED_FOR_MS = 500;

function turn(): Promise<void> {
  return new Promise((resolve) => systemScheduler.soon(resolve));
}
