import type { Cancel, Scheduler } from '../wire/scheduler.ts';

/** What waits, or may wait, for its time. */
export interface Pending {
  /** When it is due; undefined: it does not wait. */
  dueAt: number | undefined;
  /** Where it stands in the queue; for the queue alone. */
  place: number;
}

/** Those that wait, the next first, and one timer for the next; none when nobody waits. */
export class Flips<T extends Pending> {
  /** A heap: nobody is due before the one at half its place. */
  readonly #heap: T[] = [];
  readonly #scheduler: Scheduler;
  readonly #now: () => number;
  readonly #onDue: (due: readonly T[]) => void;
  #cancel: Cancel = () => {};
  #wakesAt = Number.POSITIVE_INFINITY;
  #isOpen = true;

  /** `onDue` is given those whose time has come; they do not wait any more. */
  constructor(scheduler: Scheduler, now: () => number, onDue: (due: readonly T[]) => void) {
    this.#scheduler = scheduler;
    this.#now = now;
    this.#onDue = onDue;
  }

  /** It waits until then, and no longer until what was said before; undefined: it does not wait. */
  put(item: T, dueAt: number | undefined): void {
    if (item.dueAt === dueAt) return;
    if (item.dueAt !== undefined) this.#take(item);
    item.dueAt = dueAt;
    if (dueAt !== undefined) this.#settle(item, this.#heap.length);
    this.#arm();
  }

  /** All that wait. */
  all(): readonly T[] {
    return [...this.#heap];
  }

  close(): void {
    this.#isOpen = false;
    this.#cancel();
  }

  /** A timer that is too early looks again; moving it each time that the next one gives up waiting would cost more. */
  #arm(): void {
    const next = this.#heap[0]?.dueAt;
    if (next === undefined) {
      this.#cancel();
      this.#wakesAt = Number.POSITIVE_INFINITY;
    } else if (next < this.#wakesAt && this.#isOpen) {
      this.#cancel();
      this.#wakesAt = next;
      this.#cancel = this.#scheduler.after(Math.max(0, next - this.#now()), () => this.#wake());
    }
  }

  /** What ends a blip may wait at the sockets: one round accepts its connection, the next reads it. */
  #wake(): void {
    this.#scheduler.soon(() => this.#scheduler.soon(() => this.#run()));
  }

  #run(): void {
    if (!this.#isOpen) return;
    const now = this.#now();
    const due: T[] = [];
    for (let next = this.#heap[0]; next?.dueAt !== undefined && next.dueAt <= now; next = this.#heap[0]) {
      this.#take(next);
      next.dueAt = undefined;
      due.push(next);
    }
    this.#cancel();
    this.#wakesAt = Number.POSITIVE_INFINITY;
    this.#arm();
    if (due.length > 0) this.#onDue(due);
  }

  #take(item: T): void {
    const last = this.#heap.pop();
    if (last !== undefined && last !== item) this.#settle(last, item.place);
  }

  /** Puts it at the place, which is free, or wherever it belongs above or below. */
  #settle(item: T, place: number): void {
    const dueAt = dueAtOf(item);
    let at = place;
    for (let above = this.#heap[(at - 1) >> 1]; at > 0 && above !== undefined; above = this.#heap[(at - 1) >> 1]) {
      if (dueAtOf(above) <= dueAt) break;
      this.#set(above, at);
      at = (at - 1) >> 1;
    }
    for (let below = this.#earlierOf(2 * at + 1); below !== undefined && below !== item; below = this.#earlierOf(2 * at + 1)) {
      if (dueAtOf(below) >= dueAt) break;
      const from = below.place;
      this.#set(below, at);
      at = from;
    }
    this.#set(item, at);
  }

  #set(item: T, place: number): void {
    this.#heap[place] = item;
    item.place = place;
  }

  #earlierOf(left: number): T | undefined {
    const [a, b] = [this.#heap[left], this.#heap[left + 1]];
    return a !== undefined && b !== undefined && dueAtOf(b) < dueAtOf(a) ? b : a;
  }
}

function dueAtOf({ dueAt }: Pending): number {
  return dueAt ?? Number.POSITIVE_INFINITY;
}
