import { type MinAvailable, neededOf } from '../registry/available.ts';
import type { Tally } from '../registry/services.ts';

/** `unknown`: nobody has heard of the service, or not for a while. */
export type Status = 'serving' | 'not-serving' | 'unknown';

/** What the counts of a service amount to. Raw health decides: whatever Nacos shows its consumers to protect them plays no part. */
export function statusOf(tally: Pick<Tally, 'total' | 'available'> | undefined, min: MinAvailable): Status {
  if (tally === undefined) return 'unknown';
  return tally.available >= neededOf(tally.total, min) ? 'serving' : 'not-serving';
}
