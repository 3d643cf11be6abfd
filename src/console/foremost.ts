/**
 * Of very many the first few in an order, as far as the page goes that is looked at: to put all of them in order would take ten times as
 * long, and all at once.
 */
export class Foremost<T> {
  readonly #order: (a: T, b: T) => number;
  readonly #most: number;
  readonly #kept: T[] = [];

  constructor(order: (a: T, b: T) => number, most: number) {
    this.#order = order;
    this.#most = most;
  }

  add(one: T): void {
    const kept = this.#kept;
    const last = kept[this.#most - 1];
    // Nearly always.
    if (last !== undefined && this.#order(one, last) >= 0) return;
    let [low, high] = [0, kept.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      const other = kept[middle];
      if (other !== undefined && this.#order(one, other) < 0) high = middle;
      else low = middle + 1;
    }
    kept.splice(low, 0, one);
    if (kept.length > this.#most) kept.pop();
  }

  /** In their order. */
  get all(): readonly T[] {
    return this.#kept;
  }
}
