import type { Scheduler } from './scheduler.ts';

/**
 * What is done for many readers, a part at a time: together they have a little of each turn of the event loop and no more, one after the
 * other, however many there are and however much there is to be told.
 */
export class SharedTurns {
  readonly #options: SharedTurnsOptions;
  #waiting: (() => void)[] = [];
  #isDue = false;

  constructor(options: SharedTurnsOptions) {
    this.#options = options;
  }

  /** Does the part when its turn comes. A part has to be short: it is done in one go. */
  next<T>(part: () => T | Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#waiting.push(() => {
        try {
          resolve(part());
        } catch (error) {
          reject(error);
        }
      });
      this.#roundSoon();
    });
  }

  #roundSoon(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    this.#options.scheduler.soon(() => this.#round());
  }

  #round(): void {
    this.#isDue = false;
    const { now } = this.#options;
    const began = now();
    let done = 0;
    for (const part of this.#waiting) {
      part();
      done++;
      if (now() - began >= TURN_MS) break;
    }
    this.#waiting = this.#waiting.slice(done);
    if (this.#waiting.length > 0) this.#roundSoon();
  }
}

export interface SharedTurnsOptions {
  readonly scheduler: Pick<Scheduler, 'soon'>;
  /** Monotonic milliseconds. */
  readonly now: () => number;
}

/** As much of each turn as nobody notices who is answered in it. */
const TURN_MS = 2;
