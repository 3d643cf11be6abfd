import type { Scheduler } from './scheduler.ts';

/** The time that a server goes by, and its timers. Left out, it is the machine's. */
export interface Clock extends Scheduler {
  /** Milliseconds, never going back, from any start. */
  readonly now: () => number;
  /** Milliseconds since 1970. */
  readonly wallClock: () => number;
  /** Time is not to go on as long as this is so: something is under way in the world outside, which has a time of its own. */
  readonly waitFor?: (isUnderWay: () => boolean) => void;
}
