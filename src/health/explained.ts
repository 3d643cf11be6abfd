import type { ServiceName } from '../registry/service-name.ts';
import { becauseOf } from './endpoints.ts';
import { type Failing, failingOf, goneOf } from './failing.ts';
import type { Checker, Explanation, Health } from './health.ts';
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
    failing: [...failingOf({ ...explanation, isShown: true }, most, past), ...gone.slice(0, Math.max(0, most - failing.length))],
    failingCount: failing.length + gone.length,
  };
}

/** The same without those who fail, and so without a look at one instance: there may be very many. */
export function whyOf(
  health: Pick<Health, 'statusOf' | 'countsOf' | 'pendingOf'>,
  service: ServiceName,
): Pick<Explained, 'because' | 'pending'> {
  const counts = health.countsOf(service);
  const isServing = health.statusOf(selectAll(service)) === 'serving';
  return {
    because: isServing || counts === undefined ? undefined : becauseOf(counts.total, counts.available, counts.needed),
    pending: health.pendingOf(service),
  };
}
