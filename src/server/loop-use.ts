/** For how much of its time the event loop worked, 0 to 1, since it was asked the last time or the one before. */
export function loopUse(now: () => number): () => number {
  let from = performance.eventLoopUtilization();
  let fromAt = now();
  let busy = 0;
  return () => {
    if (now() - fromAt < LOOP_USE_OVER_MS) return busy;
    const to = performance.eventLoopUtilization();
    busy = performance.eventLoopUtilization(to, from).utilization;
    from = to;
    fromAt = now();
    return busy;
  };
}

/** Over less, each turn of the loop would be a load. */
const LOOP_USE_OVER_MS = 100;
