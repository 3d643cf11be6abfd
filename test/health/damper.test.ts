import { expect, it } from 'vitest';
import { Damper } from '../../src/health/damper.ts';
import { ONE_AVAILABLE } from '../../src/registry/available.ts';
import { Registry } from '../../src/registry/registry.ts';
import { DEFAULT_SETTINGS } from '../../src/registry/settings.ts';
import { orders, registration } from '../support/instances.ts';
import { ManualScheduler } from '../support/scheduler.ts';

function setUp() {
  const scheduler = new ManualScheduler();
  const registry = new Registry(scheduler.now);
  const patience = { fallAfterMs: 0, riseAfterMs: 0 };
  const damper = new Damper(registry, {
    patience,
    minAvailable: ONE_AVAILABLE,
    scheduler,
    now: scheduler.now,
    onTold: () => {},
  });
  registry.onChange((service) => damper.changed(service));
  return { registry, damper };
}

it('nothing is kept for a service that asks for nothing, nor for one that asks no more or is gone', () => {
  const { registry, damper } = setUp();
  registry.register(orders, registration());
  expect(damper.of(orders)).toBeUndefined();
  registry.configure(orders, { ...DEFAULT_SETTINGS, riseAfterMs: 1 });
  expect(damper.of(orders)?.name).toEqual(orders);
  expect(damper.of({ ...orders, namespace: 'dev' })).toBeUndefined();
  registry.configure(orders, DEFAULT_SETTINGS);
  expect(damper.of(orders)).toBeUndefined();
  registry.configure(orders, { ...DEFAULT_SETTINGS, fallAfterMs: 1 });
  registry.drop(orders);
  expect(damper.of(orders)).toBeUndefined();
});

it('as many parts are kept as the instances have clusters and addresses, in their one spelling', () => {
  const { registry, damper } = setUp();
  registry.configure(orders, { ...DEFAULT_SETTINGS, fallAfterMs: 1 });
  const parts = () => damper.of(orders)?.partCount;
  registry.register(orders, registration({ ip: 'fe80::1' }));
  registry.register(orders, registration({ ip: '[FE80::1]' }));
  expect(parts()).toBe(2);
  registry.register(orders, registration({ ip: 'fe80::1', cluster: 'B' }));
  expect(parts()).toBe(3);
  registry.deregister(orders, { ip: '[FE80::1]', port: 8080 });
  expect(parts()).toBe(2);
  registry.deregister(orders, { ip: 'fe80::1', port: 8080 });
  expect(parts()).toBe(0);
});
