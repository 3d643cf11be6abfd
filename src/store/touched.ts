/**
 * What has been touched, by key, in the order in which it was touched first. It is taken from the front: one iterator goes on where it
 * was, for one that begins anew walks over all that was taken before.
 */
export class Touched<V> {
  readonly #values = new Map<string, V>();
  #front = this.#values.entries();

  get size(): number {
    return this.#values.size;
  }

  has(key: string): boolean {
    return this.#values.has(key);
  }

  set(key: string, value: V): void {
    this.#values.set(key, value);
  }

  delete(key: string): void {
    this.#values.delete(key);
  }

  /** Undefined when there is nothing. */
  take(): readonly [key: string, value: V] | undefined {
    let next = this.#front.next();
    if (next.done === true) {
      // It had come to the end, and stays there.
      this.#front = this.#values.entries();
      next = this.#front.next();
    }
    if (next.done === true) return undefined;
    this.#values.delete(next.value[0]);
    return next.value;
  }
}
