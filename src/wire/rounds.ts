import type { Scheduler } from './scheduler.ts';

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
