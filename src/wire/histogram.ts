/** How often something took how long: plain numbers, so that to count costs no more than to add. Bounds and sums are in seconds. */
export class Histogram {
  /** Rising. */
  readonly bounds: readonly number[];
  /** How many were at most as long as the bound of the same place and longer than the one before; the last, those longer than all. */
  readonly counts: Float64Array;
  sum = 0;

  constructor(bounds: readonly number[]) {
    this.bounds = bounds;
    this.counts = new Float64Array(bounds.length + 1);
  }

  observe(seconds: number): void {
    const { bounds, counts } = this;
    let place = 0;
    while (place < bounds.length && seconds > (bounds[place] ?? 0)) place++;
    counts[place] = (counts[place] ?? 0) + 1;
    this.sum += seconds;
  }
}
