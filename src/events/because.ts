import type { Registry } from '../registry/registry.ts';
import type { ServiceName } from '../registry/service-name.ts';
import type { Counts } from './record.ts';

/**
 * Why a service is not serving where its last event does not say it: it has no instance, or some that can be called and needs more, or
 * healthy ones that take no calls. Undefined: all there are are unhealthy.
 */
export type Because = 'no-instances' | 'min-available' | 'drained' | 'disabled' | 'weight-0';

export function becauseOf(registry: Registry, service: ServiceName, { total, available, needed }: Counts): Because | undefined {
  if (total === 0) return 'no-instances';
  if (available > 0) return available < needed ? 'min-available' : undefined;
  if ((registry.tally(service)?.healthy ?? 0) === 0) return undefined;
  let looked = 0;
  for (const { healthy, enabled, drain } of registry.walk(service) ?? []) {
    if (healthy) return drain !== undefined ? 'drained' : enabled ? 'weight-0' : 'disabled';
    if (++looked >= MOST_LOOKED_AT) break;
  }
  return undefined;
}

/** In a sentence, behind what happened last. */
export function becauseWords(because: unknown, counts: Counts | undefined): string {
  switch (because) {
    case 'no-instances':
      return ' (no instances)';
    case 'min-available':
      return counts === undefined ? '' : ` (${counts.available} available, ${counts.needed} needed)`;
    case 'disabled':
      return ' (healthy, but disabled)';
    case 'weight-0':
      return ' (healthy, but of weight 0)';
    default:
      return '';
  }
}

/** One of them says it, and a flip of a service of very many is not to take long. */
const MOST_LOOKED_AT = 1_000;
