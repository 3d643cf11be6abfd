import type { CheckTrouble, CheckVerdict, TroubleReason } from '../registry/checks.ts';
import type { Instance } from '../registry/instance.ts';
import type { CheckWeight } from './check.ts';

/** What one check after the other comes to. */

/** How one check has ended. `unheard`: nothing is known, as this process was deaf meanwhile, or not able to. */
export type Outcome = 'passes' | 'unheard' | Failure;

export interface Failure {
  readonly weight: Exclude<CheckWeight, 'unheard'>;
  readonly reason: TroubleReason;
}

/** How many checks in a row have passed, or below zero how many have failed. */
export function streakAfter(streak: number, outcome: Outcome): number {
  if (outcome === 'unheard') return streak;
  if (outcome === 'passes') return Math.max(streak, 0) + 1;
  return outcome.weight === 'impossible' ? 0 : Math.min(streak, 0) - 1;
}

/** What is to be said of the instance now; undefined as long as the streak does not decide. `streak`: with this outcome. */
export function verdictAfter(
  streak: number,
  outcome: Outcome,
  { times, type }: { readonly times: number; readonly type: CheckTrouble['type'] },
): 'passing' | CheckTrouble | undefined {
  if (outcome === 'unheard') return undefined;
  if (outcome === 'passes') return streak >= times ? 'passing' : undefined;
  const { weight, reason } = outcome;
  if (weight === 'impossible') return { verdict: 'unchecked', type, reason };
  return weight === 'at-once' || -streak >= times ? { verdict: 'failing', type, reason } : undefined;
}

/** Whether the verdict says anything that the registry does not say already. */
export function isNews(verdict: Exclude<CheckVerdict, 'unchecked'>, { ephemeral, healthy, trouble }: Instance): boolean {
  if (verdict === 'passing') return trouble !== undefined || !(ephemeral || healthy);
  const isKnown = trouble?.verdict === verdict.verdict && trouble.type === verdict.type && trouble.reason === verdict.reason;
  return !isKnown || (verdict.verdict === 'failing' && healthy);
}
