import type { Derive } from './passwords.ts';

/**
 * The only way to `Derive`: two at a time, since they share four threads with files and names, and so many waiting. Turns go round by
 * origin, and whoever waits for fewer than others pushes the last of the most out: however many come from one place, or from a few, who
 * comes from another with one is served after as many turns as there are places, at the latest.
 */
export class Kdf {
  readonly #derive: Derive;
  /** By origin, the one whose turn is next first. None is empty. */
  readonly #lines = new Map<Origin, Waiting[]>();
  #waiting = 0;
  #open = 0;
  /** How many have been started, ever. */
  #count = 0;

  constructor(derive: Derive) {
    this.#derive = derive;
  }

  get count(): number {
    return this.#count;
  }

  /** How many callers wait. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Whether whoever comes from there now may wait for its turn, be it in the place of another. */
  hasRoomFor(origin: Origin): boolean {
    if (this.#open < MOST_AT_ONCE || origin === OWN) return true;
    const own = this.#lines.get(origin)?.length ?? 0;
    if (own >= MOST_WAITING_OF_ONE) return false;
    // With this one it must still be fewer: else two would push each other out for ever.
    return this.#waiting < MOST_WAITING || this.#longest().length > own + 1;
  }

  /**
   * What runs `work` with the right to derive, once it is its turn. `origin`: whose turn it is. Undefined when there is no room, or when
   * somebody else has been given the place meanwhile: then `work` is not run at all.
   */
  async run<T>(origin: Origin, work: (derive: Derive) => Promise<T>): Promise<T | undefined> {
    if (!this.hasRoomFor(origin)) return undefined;
    if (this.#open < MOST_AT_ONCE) this.#open++;
    else if (!(await this.#turnOf(origin))) return undefined;
    try {
      return await work((...said) => {
        this.#count++;
        return this.#derive(...said);
      });
    } finally {
      // The turn is handed on: `#open` counts it all the while.
      const next = this.#next();
      if (next === undefined) this.#open--;
      else next(true);
    }
  }

  #turnOf(origin: Origin): Promise<boolean> {
    if (origin !== OWN && this.#waiting >= MOST_WAITING) this.#pushOut();
    return new Promise((go) => {
      const line = this.#lines.get(origin);
      if (line === undefined) this.#lines.set(origin, [go]);
      else line.push(go);
      if (origin !== OWN) this.#waiting++;
    });
  }

  /** One of the first line, whose others come after everybody else's. */
  #next(): Waiting | undefined {
    for (const [origin, line] of this.#lines) {
      const next = line.shift();
      this.#lines.delete(origin);
      if (line.length > 0) this.#lines.set(origin, line);
      if (origin !== OWN) this.#waiting--;
      return next;
    }
    return undefined;
  }

  /** Whoever has come last of those who are most. */
  #pushOut(): void {
    const last = this.#longest().pop();
    this.#waiting--;
    last?.(false);
  }

  #longest(): Waiting[] {
    let longest: Waiting[] = [];
    for (const [origin, line] of this.#lines) if (origin !== OWN && line.length > longest.length) longest = line;
    return longest;
  }
}

/** Whose turn it is: an address, or another name for who asks. */
export type Origin = string | typeof OWN;

/** The process itself, which asks for few and is never sent away. */
export const OWN = Symbol('own');

/** Hears whether it is its turn, or none will come. */
type Waiting = (isTurn: boolean) => void;

export const MOST_AT_ONCE = 2;
/** Callers, in all. */
export const MOST_WAITING = 64;
/** Of these, for one origin. */
export const MOST_WAITING_OF_ONE = 16;
