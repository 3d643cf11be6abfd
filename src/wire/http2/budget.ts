import { ENHANCE_YOUR_CALM, fail } from './codes.ts';
import type { Http2Limits } from './limits.ts';

/**
 * What is counted, in the order of the table below. Streams are reset by the peer before their answer, or by us for what it does: the
 * work is ours either way (CVE-2023-44487, CVE-2025-8671).
 */
export const [STREAMS, HEADER_BYTES, SETTINGS_FRAMES, PINGS, CONTROL_FRAMES] = [0, 1, 2, 3, 4];
export const [SMALL_FRAMES, EMPTY_FRAMES, UNKNOWN_FRAMES, RESETS, ERRORS] = [5, 6, 7, 8, 9];

/** `perSecond` is forgiven each second; so much more is allowed for each stream opened of late, and each answer and DATA sent. */
type Allowance = readonly [reason: string, atOnce: number, perSecond: number, perTraffic?: number];

export function allowancesOf(limits: Http2Limits): readonly Allowance[] {
  return [
    ['too many streams', limits.maxStreamsPerSecond, Infinity],
    ['too many header bytes', limits.maxHeaderBytesPerSecond, Infinity],
    ['too many settings', limits.maxSettingsPerSecond, Infinity],
    ['too many pings', limits.maxPingsPerSecond, Infinity, 1],
    ['too many control frames', limits.maxControlFramesPerSecond, Infinity, 8],
    ['too many small frames', limits.maxSmallFramesPerSecond, Infinity, 1],
    ['too many empty frames', limits.maxEmptyFramesPerSecond, Infinity, 1],
    ['too many unknown frames', limits.maxUnknownFramesPerSecond, Infinity],
    ['too many resets', 4 * limits.maxResetsPerSecond, limits.maxResetsPerSecond],
    ['too many errors', limits.maxErrorsPerMinute, limits.maxErrorsPerMinute / 60],
  ];
}

/** What one peer has used of what it may. */
export class Budget {
  /** Streams opened by the peer, and answers and DATA sent to it, in this second and in the one before. */
  traffic = 0;
  #trafficBefore = 0;
  readonly #allowances: readonly Allowance[];
  readonly #spent: number[];

  constructor(allowances: readonly Allowance[]) {
    this.#allowances = allowances;
    this.#spent = allowances.map(() => 0);
  }

  /** A second has passed. */
  tick(): void {
    this.#trafficBefore = this.traffic;
    this.traffic = 0;
    for (const [i, [, , perSecond]] of this.#allowances.entries())
      this.#spent[i] = Math.max(0, (this.#spent[i] ?? 0) - perSecond);
  }

  /** Throws the error that ends the connection when it is too much. */
  spend(what: number, amount = 1): void {
    const spent = (this.#spent[what] ?? 0) + amount;
    this.#spent[what] = spent;
    const allowance = this.#allowances[what];
    if (!allowance || spent <= allowance[1]) return;
    const [reason, atOnce, , perTraffic = 0] = allowance;
    if (spent > atOnce + perTraffic * (this.traffic + this.#trafficBefore)) fail(ENHANCE_YOUR_CALM, reason);
  }
}
