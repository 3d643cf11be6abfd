/** When an instance can be called, and when a service has enough instances that can. */

/** Fit to be called, provided that it lives: enabled, and given any share of the load. */
export function isCallable(enabled: boolean, weight: number): boolean {
  return enabled && weight > 0;
}

/** Healthy, enabled, weight above 0. */
export function isAvailable({ healthy, enabled, weight }: Availability): boolean {
  return healthy && isCallable(enabled, weight);
}

export interface Availability {
  readonly healthy: boolean;
  readonly enabled: boolean;
  readonly weight: number;
}

/** How many instances must be available for a service to be served: a count, or a share of all in percent. At least one, always. */
export type MinAvailable = { readonly count: number } | { readonly percent: number };

export const ONE_AVAILABLE: MinAvailable = { count: 1 };

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
