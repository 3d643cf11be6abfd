/**
 * For how long something has not moved, in ticks of whoever looks: time in which nobody could look, as the whole process was stopped,
 * counts as one tick and proves nothing.
 */
export class Stillness {
  #position: number | undefined;
  #ticks = 0;

  /** For how many ticks in a row it has been where it is now. */
  look(position: number): number {
    this.#ticks = position === this.#position ? this.#ticks + 1 : 0;
    this.#position = position;
    return this.#ticks;
  }
}
