import { type MinAvailable, neededOf } from '../registry/available.ts';
import type { Tally } from '../registry/services.ts';

/** `unknown`: nobody has heard of the service, or not for a while. */
export type Status = 'serving' | 'not-serving' | 'unknown';

/** What the counts of a service amount to. Raw health decides: whatever Nacos shows its consumers to protect them plays no part. */
export function statusOf(tally: Counted | undefined, min: MinAvailable): Status {
  if (tally === undefined) return 'unknown';
  return tally.available >= neededOf(tally.total, min) ? 'serving' : 'not-serving';
}

/** What the counts would amount to with so many fewer. */
export function without(tally: Counted | undefined, fewer: Counted, min: MinAvailable) {
  const left = tally && { total: tally.total - fewer.total, available: tally.available - fewer.available };
  return { available: left?.available ?? 0, needed: neededOf(left?.total ?? 0, min), status: statusOf(left, min) };
}

type Counted = Pick<Tally, 'total' | 'available'>;
