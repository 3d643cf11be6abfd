import type { Paused } from '../../src/nacos/turns.ts';

/** Does the work without a pause, for whoever cannot wait. */
export function atOnce<T>(work: Paused<T>): T {
  for (;;) {
    const next = work.next();
    if (next.done === true) return next.value;
  }
}
