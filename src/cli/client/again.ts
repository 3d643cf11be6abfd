import { CallError, ClientError } from './failures.ts';
import { pause } from './stay.ts';

/** What goes on for long, and is begun anew when it was cut off: a restart of the server ends no command that watches it. */

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 10_000;

export interface AgainOptions {
  /** What is done is told of what is lost, and found again. */
  readonly note: (text: string) => void;
  readonly signal: AbortSignal;
  /** From 0 to 1: thousands that were cut off at once do not come back at once. */
  readonly random: () => number;
  /** It is waited for from the beginning. */
  readonly isPatient?: boolean;
  readonly pause?: (ms: number, signal: AbortSignal) => Promise<void>;
}

/** Said first of each time, once it has been begun. */
export const BEGUN = Symbol('begun');

/**
 * All that each time yields, but for `BEGUN`. What could not be begun the first time, or would never succeed, throws; what ends or fails
 * later is begun again, after a pause that grows.
 */
export async function* again<T>(
  begin: () => AsyncGenerator<T | typeof BEGUN, void>,
  { note, signal, random, isPatient = false, pause: wait = pause }: AgainOptions,
): AsyncGenerator<T, void> {
  let hasBegun = isPatient;
  let isLost = false;
  let failures = 0;
  while (!signal.aborted) {
    let reason = 'it has ended the connection';
    try {
      for await (const one of begin()) {
        if (one !== BEGUN) {
          yield one;
          continue;
        }
        if (isLost) note('it is there again');
        [hasBegun, isLost, failures] = [true, false, 0];
      }
    } catch (error) {
      if (!hasBegun || !(error instanceof ClientError) || (error instanceof CallError && error.isLasting)) throw error;
      reason = error.message;
    }
    if (signal.aborted) return;
    // The first failure says that it was lost, and those after it only that it is so still.
    if (!isLost) note(`${reason}; trying again`);
    isLost = true;
    await wait(Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** failures) * (0.5 + random() / 2), signal);
    failures++;
  }
}
