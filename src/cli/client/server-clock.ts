import type { Target } from './target.ts';

/** How far a server's clock is ahead of ours, so that ages of what it tells are right wherever the two differ. */
interface Clock {
  readonly wallClock: () => number;
  aheadMs: number;
}

const clocks = new WeakMap<Target, Clock>();

/** Milliseconds since 1970, as the server has it once it has answered. */
export function clockOf(target: Target, wallClock: () => number): () => number {
  const clock: Clock = { wallClock, aheadMs: 0 };
  clocks.set(target, clock);
  return () => wallClock() + clock.aheadMs;
}

/** Begins with a call; told of the header `Date` of its answer, which says whole seconds, and was written in between. */
export function hearingDate(target: Target): (date: string | undefined) => void {
  const clock = clocks.get(target);
  const before = clock?.wallClock() ?? 0;
  return (date) => {
    const at = Date.parse(date ?? '');
    if (clock === undefined || Number.isNaN(at)) return;
    clock.aheadMs = before > at + 1_000 ? at + 1_000 - before : Math.max(0, at - clock.wallClock());
  };
}
