import type { Metadata } from '../registry/instance.ts';
import type { Tally } from '../registry/registry.ts';

/** `unknown`: nobody has heard of the service, or not for a while. */
export type Status = 'serving' | 'not-serving' | 'unknown';

/** How many instances must be available for a service to be SERVING: a count, or a share of all in percent. At least one, always. */
export type MinAvailable = { readonly count: number } | { readonly percent: number };

export const ONE_AVAILABLE: MinAvailable = { count: 1 };

/** Where an operator says it for a service. */
const MIN_AVAILABLE_KEY = 'health.min-available';

/** What the counts of a service amount to. Raw health decides: whatever Nacos shows its consumers to protect them plays no part. */
export function statusOf(tally: Pick<Tally, 'total' | 'available'> | undefined, min: MinAvailable): Status {
  if (tally === undefined) return 'unknown';
  return tally.available >= neededOf(tally.total, min) ? 'serving' : 'not-serving';
}

/** How many of `total` have to be available. */
export function neededOf(total: number, min: MinAvailable): number {
  return Math.max(1, 'count' in min ? min.count : Math.ceil((total * min.percent) / 100));
}

/** `2` or `50%`; undefined for anything else. */
export function parseMinAvailable(text: string): MinAvailable | undefined {
  const [, number = '', percent] = /^\s*(\d{1,7})\s*(%?)\s*$/.exec(text) ?? [];
  if (number === '' || Number(number) === 0) return undefined;
  if (percent === '') return { count: Number(number) };
  return Number(number) <= 100 ? { percent: Number(number) } : undefined;
}

/** What the service itself asks for, or else the default. */
export function minAvailableOf(metadata: Metadata | undefined, fallback: MinAvailable): MinAvailable {
  const text = metadata?.[MIN_AVAILABLE_KEY];
  return (text === undefined ? undefined : parseMinAvailable(text)) ?? fallback;
}
