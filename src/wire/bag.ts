/**
 * What comes and goes in great numbers. V8 rewrites a `Set` whenever its members have changed often enough, and what the old writing held,
 * once that is old itself, stays until the next great collection with all that it refers to: sets of answers and sockets alone made
 * a process twice as large as it had to be (registering a million instances: 942 MB at most, and 461 without).
 */
export class Bag<T> {
  readonly #entries: Entry<T>[] = [];

  /** Answers how to take the member out again; once more does nothing. */
  add(member: T): () => void {
    const entry = { member, at: this.#entries.length };
    this.#entries.push(entry);
    return () => this.#remove(entry);
  }

  get size(): number {
    return this.#entries.length;
  }

  /** Those of now, in no order: whoever is told may leave. */
  members(): T[] {
    return this.#entries.map(({ member }) => member);
  }

  #remove(entry: Entry<T>): void {
    const { at } = entry;
    const last = this.#entries.at(-1);
    if (last === undefined || this.#entries[at] !== entry) return;
    this.#entries[at] = last;
    last.at = at;
    this.#entries.pop();
  }
}

interface Entry<T> {
  readonly member: T;
  at: number;
}
