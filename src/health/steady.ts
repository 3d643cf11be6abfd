import type { Status } from './status.ts';

/** No flip for a blip: when a status is told. */

/** A status, since when it is so, and what is told until it has lasted. */
export interface Seen {
  readonly raw: Status;
  readonly since: number;
  /** What was told when `raw` came. */
  readonly told: Status;
}

/** How long a status must last before it is told. */
export interface Patience {
  /** NOT_SERVING. */
  readonly fallAfterMs: number;
  /** SERVING. */
  readonly riseAfterMs: number;
}

export interface Telling {
  readonly told: Status;
  /** When `raw` is told, if it lasts; undefined when there is nothing to wait for. */
  readonly dueAt: number | undefined;
}

/**
 * What is told now. A blip is never told, as it ends with what was told before it. Whatever becomes known, or unknown, is told at
 * once: there is nothing yet, or no longer, that could be protected.
 */
export function tell({ raw, since, told }: Seen, { fallAfterMs, riseAfterMs }: Patience, now: number): Telling {
  if (raw === told || raw === 'unknown' || told === 'unknown') return { told: raw, dueAt: undefined };
  const dueAt = since + (raw === 'serving' ? riseAfterMs : fallAfterMs);
  return now >= dueAt ? { told: raw, dueAt: undefined } : { told, dueAt };
}
