import type { Tally } from '../registry/registry.ts';

/** `unknown`: nobody has heard of the service, or not for a while. */
export type Status = 'serving' | 'not-serving' | 'unknown';

/** What the counts of a service amount to. Raw health decides: whatever Nacos shows its consumers to protect them plays no part. */
export function statusOf(tally: Tally | undefined): Status {
  if (tally === undefined) return 'unknown';
  return tally.available > 0 ? 'serving' : 'not-serving';
}
