import type { Scheduler } from '../wire/scheduler.ts';

/** Does the work, which pauses where it could go on for too long: a little of it in each turn of the event loop, and others in between. */
export async function inTurns<T>(work: Generator<void, T, void>, { scheduler, now }: Pace): Promise<T> {
  for (;;) {
    const began = now();
    do {
      const next = work.next();
      if (next.done === true) return next.value;
    } while (now() - began < TURN_MS);
    await new Promise<void>((resolve) => scheduler.soon(resolve));
  }
}

export interface Pace {
  readonly scheduler: Pick<Scheduler, 'soon'>;
  /** Monotonic milliseconds. */
  readonly now: () => number;
}

/** As much of each turn as nobody notices who is answered in it. */
const TURN_MS = 2;
