/** How often checks are made: figures made of figures, and chance where it is handed in (`random` is 0 to below 1). All in milliseconds. */

/** The pace of a kind. `factor` is how much of it stays at each check. */
export interface Pace {
  readonly min: number;
  readonly max: number;
  readonly factor: number;
}

/** When what is known already, or has been registered, is checked first: as in Nacos from 2 s on, most of them early and none together. */
export function initialMs(max: number, random: () => number): number {
  return 2_000 + Math.floor(random() * random() * max);
}

/** When that is whose check somebody has just asked for, and waits for: long enough that those of one rollout are not checked together. */
export function soonMs(random: () => number): number {
  return Math.floor(random() * 1_000);
}

/** What the time that a check took makes of the pace of its target. */
export function normalizedMs(normMs: number, tookMs: number, { min, max, factor }: Pace): number {
  return Math.min(max, Math.max(min, factor * normMs + (1 - factor) * tookMs));
}

/** A tenth more or less, so that targets that came together part. */
export function jitteredMs(ms: number, random: () => number): number {
  return Math.round(ms * (0.9 + 0.2 * random()));
}

/** So many may begin at once, and none for so long after that. */
export interface Portions {
  readonly size: number;
  readonly everyMs: number;
}

/**
 * How `perSecond` are spread: in portions that are small, so that nothing waits behind a burst, and 10 to 20 ms apart where there are
 * that many. No second that one cares to look at has more.
 */
export function portionsOf(perSecond: number): Portions {
  const size = Math.ceil(perSecond / 100);
  return { size, everyMs: Math.ceil(1_000 / Math.floor(perSecond / size)) };
}

/**
 * For how much longer the next portion waits while the event loop is busy for so much of its time, 0 to 1. Whoever is that busy has
 * others to serve, and they come first; but an eighth of the checks is made however much there is to do.
 */
export function yieldMs(busy: number, everyMs: number): number {
  const share = Math.min(1, Math.max(0, (busy - AT_EASE) / (BUSY - AT_EASE)));
  return Math.round(7 * everyMs * share);
}

/** Checks as many as may be begun need less, also on a slow machine. */
const AT_EASE = 0.5;
/** From there on whatever is done for checks is not done for callers. */
const BUSY = 0.9;
