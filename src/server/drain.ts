import type { Scheduler } from '../wire/scheduler.ts';

/** What has to end, in the order in which it ends. */
export interface Drainable {
  /** Says that the end is near: whoever asks the bridge about itself is told so. All else goes on. */
  readonly announce: () => void;
  /** Tells clients that live on here to go elsewhere. Resolves when all who watch the bridge itself have been told as well. */
  readonly sendAway: () => Promise<void>;
  /** Ends the calls that would go on for ever. Resolves when all have ended. */
  readonly endCalls: () => Promise<void>;
  /** Closes the ports. Resolves when the last connection has gone; cuts those that are left when the deadline aborts. */
  readonly closePorts: (deadline: AbortSignal) => Promise<void>;
  /** Ends the transports of clients that notice nothing less. They have been told all that there was to say. */
  readonly cut: () => void;
}

/** Of the whole time, what one step may take that waits for peers: one that does not read must not take it from all others. */
const SHARE_OF_A_STEP = 1 / 4;

export interface DrainTimes {
  /** Between the announcement and all the rest: for balancers to look, and to send nobody here any more. */
  readonly delayMs: number;
  /** For all the rest. */
  readonly withinMs: number;
}

/**
 * Ends all, each step when what it waits for has happened. Resolves when nothing is open any more, and `withinMs` after the delay at
 * the latest.
 */
export async function drain(parts: Drainable, { delayMs, withinMs }: DrainTimes, scheduler: Scheduler): Promise<void> {
  parts.announce();
  if (delayMs > 0) await new Promise<void>((resolve) => void scheduler.after(delayMs, resolve));
  const deadline = new AbortController();
  const cancel = scheduler.after(withinMs, () => deadline.abort());
  const stepMs = withinMs * SHARE_OF_A_STEP;
  // What has come already is read first: one round of the event loop accepts a connection that waits, the next reads what came over it.
  await new Promise<void>((resolve) => scheduler.soon(() => scheduler.soon(resolve)));
  await atMost(stepMs, parts.sendAway(), scheduler);
  await atMost(stepMs, parts.endCalls(), scheduler);
  const closed = parts.closePorts(deadline.signal);
  parts.cut();
  await closed;
  cancel();
}

function atMost(ms: number, step: Promise<void>, scheduler: Scheduler): Promise<void> {
  return new Promise((resolve, reject) => {
    const cancel = scheduler.after(ms, resolve);
    step.then(resolve, reject).finally(cancel);
  });
}
