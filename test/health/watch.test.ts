import { expect, it } from 'vitest';
import { Health } from '../../src/health/health.ts';
import { type Watch, Watches } from '../../src/health/watch.ts';
import { Registry } from '../../src/registry/registry.ts';
import { orders, registration } from '../support/instances.ts';

function setUp() {
  const clock = { ms: 0 };
  const registry = new Registry(() => clock.ms);
  const health = new Health(registry);
  const watches = new Watches(health);
  return { clock, registry, health, watches };
}

/** A reader that takes whenever it is woken. */
function follow(watches: Watches, name: Parameters<Watches['open']>[0]): { readonly seen: string[]; readonly watch: Watch } {
  const seen: string[] = [];
  const take = () => {
    const status = watch.take();
    if (status !== undefined) seen.push(status);
  };
  const watch = watches.open(name, take);
  take();
  return { seen, watch };
}

it('a watch sees the present status first and then only changes', () => {
  const { clock, registry, watches } = setUp();
  const { seen } = follow(watches, orders);
  registry.register(orders, registration());
  registry.register(orders, registration({ port: 8081 }));
  registry.deregister(orders, registration({ port: 8081 }));
  clock.ms += 15_000;
  registry.sweep();
  registry.beat(orders, registration());
  clock.ms += 30_000;
  registry.sweep();
  clock.ms += 60_000;
  registry.sweep();
  expect(seen).toEqual(['unknown', 'serving', 'not-serving', 'serving', 'not-serving', 'unknown']);
});

it('a reader that comes late takes the latest status only', () => {
  const { registry, watches } = setUp();
  registry.register(orders, registration());
  let wakes = 0;
  const watch = watches.open(orders, () => wakes++);
  expect(watch.take()).toBe('serving');
  registry.deregister(orders, registration());
  registry.register(orders, registration());
  registry.deregister(orders, registration());
  expect(wakes).toBe(3);
  expect(watch.take()).toBe('not-serving');
  expect(watch.take()).toBeUndefined();
});

it('a status that came and went while the reader slept is not told', () => {
  const { registry, watches } = setUp();
  registry.register(orders, registration());
  const watch = watches.open(orders, () => {});
  watch.take();
  registry.deregister(orders, registration());
  registry.register(orders, registration());
  expect(watch.take()).toBeUndefined();
});

it('a watch that ends leaves nothing behind', () => {
  const { registry, watches } = setUp();
  const first = follow(watches, orders);
  const second = follow(watches, orders);
  follow(watches, { ...orders, name: 'payments' });
  expect(watches.nameCount).toBe(2);
  first.watch.close();
  first.watch.close();
  registry.register(orders, registration());
  expect(first.seen).toEqual(['unknown']);
  expect(second.seen).toEqual(['unknown', 'serving']);
  second.watch.close();
  expect(watches.nameCount).toBe(1);
});

it('services of the same name in other groups and namespaces do not wake each other', () => {
  const { registry, watches } = setUp();
  let wakes = 0;
  watches.open(orders, () => wakes++);
  registry.register({ ...orders, group: 'G1' }, registration());
  registry.register({ ...orders, namespace: 'dev' }, registration());
  expect(wakes).toBe(0);
});

it('when the bridge drains only the bridge itself stops serving', () => {
  const { registry, health, watches } = setUp();
  registry.register(orders, registration());
  const bridge = follow(watches, 'bridge');
  const service = follow(watches, orders);
  health.drain();
  expect(bridge.seen).toEqual(['serving', 'not-serving']);
  expect(service.seen).toEqual(['serving']);
});
