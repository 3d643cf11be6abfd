import type { Source } from '../registry/changes.ts';
import { type Difference, differencesBetween } from '../registry/differences.ts';

/** What an operator has changed that is of no service: on whose word, and what is another now. */
export interface Operated {
  readonly by: Source;
  readonly differences: readonly Difference[];
}

/** Hears of it. */
export type OnOperated = (operated: Operated) => void;

/** Tells what is another now; what was said without a name, as in a restart, is nobody's word. */
export function tellOperated(on: OnOperated, by: Source | undefined, before: object, after: object): void {
  if (by === undefined) return;
  const differences = differencesBetween(before, after);
  if (differences.length > 0) on({ by, differences });
}
