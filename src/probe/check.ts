import type { CheckKind, TroubleReason } from '../registry/checks.ts';

/** What is to be checked: one instance, by one kind of check. */
export interface Target {
  /** As registered: an address in any spelling, or a host name. */
  readonly ip: string;
  /** Where the check is made: that of the instance, unless something else was said. */
  readonly port: number;
  readonly check: CheckKind;
}

/** Makes one check. Resolves when it passes, and rejects with `CheckError` when it does not, also when `signal` aborts. */
export type MakeCheck = (target: Target, signal: AbortSignal) => Promise<void>;

/** A check has not passed. */
export class CheckError extends Error {
  readonly reason: TroubleReason;
  readonly weight: CheckWeight;

  constructor(reason: TroubleReason, weight: CheckWeight, options?: ErrorOptions) {
    super(reason, options);
    this.name = 'CheckError';
    this.reason = reason;
    this.weight = weight;
  }
}

/**
 * What it means: `at-once`: the instance falls now; `counted`: it falls when that happens several times in a row; `slow`: as `counted`,
 * and the next check is to wait for longer; `impossible`: nothing was dialled, and nothing is known of the instance; `unheard`: this
 * process was not able to, and what was known of the instance stands.
 */
export type CheckWeight = 'at-once' | 'counted' | 'slow' | 'impossible' | 'unheard';

export function timedOut(): CheckError {
  return new CheckError('timed out', 'slow');
}
