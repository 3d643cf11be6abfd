import type { Scheduler } from '../wire/scheduler.ts';

/** Work that pauses where it could go on for too long, so that others have their turn in between. Its result comes last. */
export type Paused<T> = Generator<void, T, void>;

/** Does the work: at once when it does not pause, else each part of it in a turn of its own. */
export function inTurns<T>(work: Paused<T>, scheduler: Pick<Scheduler, 'soon'>): T | Promise<T> {
  const first = work.next();
  if (first.done === true) return first.value;
  return new Promise((resolve, reject) => {
    const goOn = () => {
      try {
        const next = work.next();
        if (next.done === true) resolve(next.value);
        else scheduler.soon(goOn);
      } catch (error) {
        reject(error);
      }
    };
    scheduler.soon(goOn);
  });
}

/** Looks at each of them, and pauses now and then. */
export function* each<T>(items: Iterable<T>, look: (item: T) => void): Paused<void> {
  let count = 0;
  for (const item of items) {
    // Not behind the last one: whoever looks at few is never kept waiting.
    if (count === AT_A_TIME) {
      yield;
      count = 0;
    }
    count++;
    look(item);
  }
}

/** To write so many takes a millisecond or two. */
export const AT_A_TIME = 500;
