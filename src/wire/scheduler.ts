/**
 * Every delay in the program comes from one scheduler, which the composition root hands out: tests hand out one whose time they move.
 * None of its timers keeps the process alive.
 */
export interface Scheduler {
  /** Runs once, `ms` milliseconds from now, unless it is cancelled before. */
  after(ms: number, run: () => void): Cancel;
  /** Runs again and again, each `ms` milliseconds, until it is cancelled. */
  every(ms: number, run: () => void): Cancel;
  /** Runs once the event loop has come round: what waits to be read is read first. */
  soon(run: () => void): void;
}

/** Once more does nothing. */
export type Cancel = () => void;

/** Node's own timers. */
export const systemScheduler: Scheduler = {
  after(ms, run) {
    const timer = setTimeout(run, ms).unref();
    return () => clearTimeout(timer);
  },
  every(ms, run) {
    const timer = setInterval(run, ms).unref();
    return () => clearInterval(timer);
  },
  soon(run) {
    setImmediate(run);
  },
};
