/**
 * Many instances that fall silent at once are more likely the fault of whoever listens (a network that has split, a proxy that has
 * gone) than the death of them all. Health says at once what is seen; removals wait, so that a mistake does not empty the list of every
 * consumer: they are let through at one in a hundred of all a second.
 */
export class Brake {
  /** When how many fell silent, for as long as it counts; the latest last. */
  readonly #falls: { readonly at: number; count: number }[] = [];
  #fallen = 0;
  #onUntil = Number.NEGATIVE_INFINITY;
  #msARemoval = 0;
  #nextSlot = 0;

  /**
   * One of `all` instances that live by beats has fallen silent. Answers how many have within the window when that is too many, and
   * was not yet known to be; else undefined.
   */
  fell(now: number, all: number): number | undefined {
    this.#count(now);
    if (this.#fallen <= Math.max(LEAST_FALLEN, all * SHARE_FALLEN)) return undefined;
    const wasOn = this.isOn(now);
    this.#onUntil = now + HOLDS_FOR_MS;
    if (wasOn) return undefined;
    this.#msARemoval = 1_000 / Math.max(1, all * SHARE_A_SECOND);
    this.#nextSlot = now;
    return this.#fallen;
  }

  isOn(now: number): boolean {
    return now < this.#onUntil;
  }

  /** Until when it is on, if nobody else falls silent. */
  get until(): number {
    return this.#onUntil;
  }

  /** When the next removal may be; each answer is good for one. Only while the brake is on. */
  slot(now: number): number {
    const slot = Math.max(now, this.#nextSlot);
    this.#nextSlot = slot + this.#msARemoval;
    return Math.floor(slot);
  }

  /** A slot that was given is not needed. */
  giveBack(): void {
    this.#nextSlot -= this.#msARemoval;
  }

  /** Nobody could be heard for so long: whoever waits for a turn has it as much later. */
  postpone(ms: number): void {
    this.#onUntil += ms;
    this.#nextSlot += ms;
  }

  #count(now: number): void {
    const last = this.#falls.at(-1);
    if (last?.at === now) last.count++;
    else this.#falls.push({ at: now, count: 1 });
    this.#fallen++;
    for (let first = this.#falls[0]; first !== undefined && now - first.at >= WINDOW_MS; first = this.#falls[0]) {
      this.#fallen -= first.count;
      this.#falls.shift();
    }
  }
}

const WINDOW_MS = 10_000;
const LEAST_FALLEN = 50;
const SHARE_FALLEN = 0.2;
const SHARE_A_SECOND = 0.01;
/** Removal follows silence by seconds for most, and by minutes for those that ask for it. Without a crowd the brake delays nobody. */
const HOLDS_FOR_MS = 600_000;
