import type { Address } from '../registry/instance.ts';
import type { ServiceName } from '../registry/service-name.ts';
import { RequestError } from './errors.ts';

/** Who keeps what must survive a restart: the composition root hands it in. */
export interface Durability {
  /** Another number after an act says that the act must survive. */
  readonly owed: number;
  /** Resolves when all that is owed is on disk; rejects, with a line for an operator, when that cannot be now. */
  settled(): Promise<void>;
  /** What was said of the address is said again, and changes nothing: it is owed anew, if it is not on disk yet. */
  again(service: ServiceName, address: Address): void;
}

/** Nobody keeps anything, and nobody waits. */
export const NOTHING_IS_KEPT: Durability = { owed: 0, settled: () => Promise.resolve(), again: () => {} };

/**
 * Does what a caller asks, and answers once it would survive if it must: later then, at once else. What cannot be kept now is in force
 * all the same, and the caller is told that it is not on disk.
 */
export function kept<T>(durability: Durability, act: () => T): T | Promise<T> {
  const before = durability.owed;
  const result = act();
  if (durability.owed === before) return result;
  return durability.settled().then(
    () => result,
    (error: unknown) => {
      const reason = error instanceof Error ? error.message : String(error);
      throw new RequestError('not-kept', `it is in force, but would not survive a restart: ${reason}`);
    },
  );
}

/** A part of this surface's state that is to survive: values of plain JSON by key. */
export interface DurablePart {
  readonly name: string;
  /** Calls `listener` with the key of what may be another now. */
  readonly onChange: (listener: (key: string) => void) => void;
  /** What there is now; undefined: nothing. */
  readonly read: (key: string) => unknown;
  /** Gives back what was read once, before anybody is served. */
  readonly restore: (entries: Iterable<readonly [key: string, value: unknown]>) => void;
}
