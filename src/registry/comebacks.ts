/**
 * Counts the beats in a row of instances that are not alive, where it takes several to believe them. Only of these is anything kept,
 * by id, until they are alive again or gone.
 */
export class Comebacks {
  readonly #beats = new Map<number, number>();

  /** A beat, `silentMs` after the last sign of life; a gap of `allowedMs` or more begins anew. Answers whether it is the `needed`th. */
  beat(id: number, silentMs: number, allowedMs: number, needed: number): boolean {
    if (needed <= 1) return true;
    const count = silentMs < allowedMs ? (this.#beats.get(id) ?? 0) + 1 : 1;
    this.#beats.set(id, count);
    return count >= needed;
  }

  forget(id: number): void {
    if (this.#beats.size > 0) this.#beats.delete(id);
  }
}
