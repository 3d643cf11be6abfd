/**
 * The time of day as others are told it: never going back within a process, and, once it knows what was told before its start, not over a
 * restart either, though the machine's own clock may have been put back meanwhile.
 */
export class RisingClock {
  readonly #base: () => number;
  #aheadMs = 0;

  /** `base`: milliseconds since 1970, never going back within this process. */
  constructor(base: () => number) {
    this.#base = base;
  }

  /** Milliseconds since 1970. */
  readonly now = (): number => Math.floor(this.#base() + this.#aheadMs);

  /** From now on it says no less than this. */
  raise(least: number): void {
    this.#aheadMs = Math.max(this.#aheadMs, least - this.#base());
  }
}
