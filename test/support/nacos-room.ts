import { pino } from 'pino';
import { createNacos, type Nacos, type NacosOptions } from '../../src/nacos/nacos.ts';
import { silenceOf } from '../../src/nacos/rules.ts';
import { Registry } from '../../src/registry/registry.ts';
import { HeldBodies } from '../../src/wire/held-bodies.ts';
import { LIMITS } from './limits.ts';
import { ManualScheduler } from './scheduler.ts';

/** The Nacos surface with nothing in it, on no socket, and the time that the test moves. Pushes go at once. */
export function emptyNacos({
  graceMs = 0,
  ...options
}: Partial<NacosOptions> & { readonly graceMs?: number } = {}): Nacos & { readonly scheduler: ManualScheduler } {
  const scheduler = new ManualScheduler();
  const { now } = scheduler;
  const nacos = createNacos({
    registry: new Registry(now, { silenceOf, graceMs }),
    scheduler,
    now,
    wallClock: () => 1_000 + now(),
    log: pino({ enabled: false }),
    limits: LIMITS,
    bodies: new HeldBodies(LIMITS),
    pushDelayMs: 0,
    pushToClientIp: false,
    ...options,
  });
  return { ...nacos, scheduler };
}
