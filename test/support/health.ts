import { Health, type HealthOptions } from '../../src/health/health.ts';
import { ONE_AVAILABLE } from '../../src/registry/available.ts';
import type { Registry } from '../../src/registry/registry.ts';
import { HOME } from './instances.ts';
import { LIMITS } from './limits.ts';
import { ManualScheduler } from './scheduler.ts';

/** Health as it is unless an operator says otherwise, on a clock that stands still unless the test gives one. */
export function healthOf(registry: Registry, overrides: Partial<HealthOptions> = {}): Health {
  const scheduler = new ManualScheduler();
  const patience = { fallAfterMs: 0, riseAfterMs: 0 };
  const options = { home: HOME, minAvailable: ONE_AVAILABLE, patience, limits: LIMITS, scheduler, now: scheduler.now };
  return new Health(registry, { ...options, ...overrides });
}
