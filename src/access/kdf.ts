import type { Derive } from './passwords.ts';

/**
 * The only way to `Derive`: two at a time, since they share four threads with files and names, and so many waiting. A fleet with a wrong
 * password comes back every five seconds, for ever; it may make each other wait, and nobody else.
 */
export class Kdf {
  readonly #derive: Derive;
  readonly #waiting: Waiting[] = [];
  #open = 0;
  /** How many have been started, ever. */
  #count = 0;

  constructor(derive: Derive) {
    this.#derive = derive;
  }

  get count(): number {
    return this.#count;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** Whether whoever comes from there now may wait for its turn. */
  hasRoomFor(origin: string): boolean {
    if (this.#open < MOST_AT_ONCE) return true;
    if (this.#waiting.length >= MOST_WAITING) return false;
    return this.#waiting.filter((other) => other.origin === origin).length < MOST_WAITING_OF_ONE;
  }

  /** What runs `work` with the right to derive, once it is its turn. `origin`: whose turn it is. Ask `hasRoomFor` first. */
  async run<T>(origin: string, work: (derive: Derive) => Promise<T>): Promise<T> {
    if (this.#open >= MOST_AT_ONCE) await new Promise<void>((go) => void this.#waiting.push({ origin, go }));
    else this.#open++;
    try {
      return await work((...said) => {
        this.#count++;
        return this.#derive(...said);
      });
    } finally {
      // The turn is handed on: `#open` counts it all the while.
      const next = this.#waiting.shift();
      if (next === undefined) this.#open--;
      else next.go();
    }
  }
}

interface Waiting {
  readonly origin: string;
  readonly go: () => void;
}

export const MOST_AT_ONCE = 2;
export const MOST_WAITING = 64;
/** Of these, for one address. */
export const MOST_WAITING_OF_ONE = 16;
