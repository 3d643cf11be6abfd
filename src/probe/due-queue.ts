/** What can wait in a `DueQueue`, in one at a time. `place` and `queue` are the queue's own. */
export interface Queued {
  /** Not to be changed while it waits. */
  due: number;
  place: number;
  queue: unknown;
}

/**
 * Who is due next: a binary heap whose entries know their place, so that one that goes leaves nothing behind. Each step costs no more
 * than the logarithm of how many wait, and no wheel or bucket turns while nobody is due.
 */
export class DueQueue<T extends Queued> {
  readonly #heap: T[] = [];

  get first(): T | undefined {
    return this.#heap[0];
  }

  get size(): number {
    return this.#heap.length;
  }

  add(item: T): void {
    item.queue = this;
    this.#heap.push(item);
    this.#rise(item, this.#heap.length - 1);
  }

  /** False when it does not wait here. */
  remove(item: T): boolean {
    if (item.queue !== this) return false;
    const { place } = item;
    item.queue = undefined;
    const last = this.#heap.pop();
    if (last === undefined || last === item) return true;
    // One of the two moves it, or it is in its place.
    this.#rise(last, place);
    this.#sink(last, last.place);
    return true;
  }

  #rise(item: T, from: number): void {
    let place = from;
    while (place > 0) {
      const above = this.#heap[(place - 1) >> 1];
      if (above === undefined || above.due <= item.due) break;
      this.#put(above, place);
      place = (place - 1) >> 1;
    }
    this.#put(item, place);
  }

  #sink(item: T, from: number): void {
    let place = from;
    for (let below = this.#earlierBelow(place); below !== undefined && below.due < item.due; below = this.#earlierBelow(place)) {
      const next = below.place;
      this.#put(below, place);
      place = next;
    }
    this.#put(item, place);
  }

  #earlierBelow(place: number): T | undefined {
    const left = this.#heap[2 * place + 1];
    const right = this.#heap[2 * place + 2];
    return left === undefined || right === undefined || left.due <= right.due ? left : right;
  }

  #put(item: T, place: number): void {
    this.#heap[place] = item;
    item.place = place;
  }
}
