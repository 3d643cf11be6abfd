import type { ServiceName } from '../registry/service-name.ts';
import { becauseOf } from './endpoints.ts';
import { type Failing, failingOf, goneOf } from './failing.ts';
import type { Checker, Explanation } from './health.ts';
import { selectAll } from './names.ts';
import type { Past } from './past.ts';

/** Why a service is what it is, for who shows it: what `/health/NAME` says of it, and not as a text. */
export interface Explained {
  /** Undefined of one that serves. */
  readonly because: string | undefined;
  readonly pending: Explanation['pending'];
  readonly failing: readonly Failing[];
  /** Of how many the first are named. */
  readonly failingCount: number;
}

export function explainedOf(checker: Pick<Checker, 'explain'>, service: ServiceName, most: number, past: Past): Explained {
  const [explanation] = checker.explain(selectAll(service));
  if (explanation === undefined) return { because: undefined, pending: undefined, failing: [], failingCount: 0 };
  const { status, total, available, needed, failing, pending } = explanation;
  const gone = goneOf(service, status === 'serving', past);
  return {
    because: status === 'serving' ? undefined : becauseOf(total, available, needed),
    pending,
    failing: [...failingOf(explanation, most, past), ...gone.slice(0, Math.max(0, most - failing.length))],
    failingCount: failing.length + gone.length,
  };
}
