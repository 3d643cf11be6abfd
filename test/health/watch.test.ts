import { describe, expect, it } from 'vitest';
import type { Checker } from '../../src/health/health.ts';
import { type HealthName, parseHealthName } from '../../src/health/names.ts';
import { type Watch, type Watcher, Watches } from '../../src/health/watch.ts';
import { Registry } from '../../src/registry/registry.ts';
import { Refused } from '../../src/wire/refused.ts';
import { healthOf } from '../support/health.ts';
import { HOME, orders, registration } from '../support/instances.ts';
import { LIMITS } from '../support/limits.ts';

function setUp() {
  const clock = { ms: 0 };
  const registry = new Registry(() => clock.ms);
  const health = healthOf(registry);
  const watches = new Watches(health, LIMITS);
  return { clock, registry, health, watches };
}

function named(text: string): HealthName {
  const name = parseHealthName(text, HOME);
  if (name === undefined) throw new Error(`${text} is no health name`);
  return name;
}

function open(watches: Watches, name: string, wake: () => void, watcher: Watcher = { connection: {}, ip: '10.0.0.1' }): Watch {
  const watch = watches.open(named(name), watcher, { wake, giveWay() {} });
  if (watch === undefined) throw new Error('too many watches');
  return watch;
}

/** A reader that takes whenever it is woken. */
function follow(watches: Watches, name: string): { readonly seen: string[]; readonly watch: Watch } {
  const seen: string[] = [];
  const take = () => {
    const status = watch.take();
    if (status !== undefined) seen.push(status);
  };
  const watch = open(watches, name, take);
  take();
  return { seen, watch };
}

it('a watch sees the present status first and then only changes', () => {
  const { clock, registry, watches } = setUp();
  const { seen } = follow(watches, 'orders');
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
  const watch = open(watches, 'orders', () => wakes++);
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
  const watch = open(watches, 'orders', () => {});
  watch.take();
  registry.deregister(orders, registration());
  registry.register(orders, registration());
  expect(watch.take()).toBeUndefined();
});

it('a change that leaves the status as it is wakes nobody, and is read once for all who watch the same', () => {
  const { registry, health } = setUp();
  let reads = 0;
  const counting: Checker = {
    nameFrom: (text) => health.nameFrom(text),
    statusOf: (name) => {
      reads++;
      return health.statusOf(name);
    },
    statusOfText: (text) => health.statusOfText(text),
    list: () => health.list(),
    explain: (name) => health.explain(name),
    isIgnorantOf: (name) => health.isIgnorantOf(name),
    onChange: (listener) => health.onChange(listener),
  };
  const watches = new Watches(counting, LIMITS);
  let wakes = 0;
  for (let i = 0; i < 100; i++) open(watches, i % 2 === 0 ? 'orders' : 'DEFAULT_GROUP@@orders', () => wakes++).take();
  // The grouped name can be no key of Dubbo, and the bare one can.
  expect(reads).toBe(2);
  registry.register(orders, registration());
  expect([reads, wakes]).toEqual([4, 100]);
  registry.register(orders, registration({ port: 81 }));
  registry.deregister(orders, registration({ port: 81 }));
  expect([reads, wakes]).toEqual([8, 100]);
});

it('a status that cannot be read is the affair of who reads it, and leaves nothing behind', () => {
  const { registry, health } = setUp();
  let isBroken = false;
  const failing: Checker = Object.assign(Object.create(health), {
    statusOf: (name: HealthName) => {
      if (isBroken) throw new Error('the secret of the house');
      return health.statusOf(name);
    },
    onChange: (listener: (key: string) => void) => health.onChange(listener),
  });
  const watches = new Watches(failing, LIMITS);
  let wakes = 0;
  const watch = open(watches, 'orders', () => wakes++);
  watch.take();
  isBroken = true;
  registry.register(orders, registration());
  expect(wakes).toBe(1);
  expect(() => watch.take()).toThrow('the secret of the house');
  expect(() => open(watches, 'payments', () => {})).toThrow('the secret of the house');
  expect(watches.count).toBe(1);
  isBroken = false;
  expect(watch.take()).toBe('serving');
  watch.close();
  expect([watches.count, watches.keyCount]).toEqual([0, 0]);
});

it('a watch that ends leaves nothing behind', () => {
  const { registry, watches } = setUp();
  const first = follow(watches, 'orders');
  const second = follow(watches, 'orders');
  follow(watches, 'payments');
  expect(watches.keyCount).toBe(6);
  first.watch.close();
  first.watch.close();
  registry.register(orders, registration());
  expect(first.seen).toEqual(['unknown']);
  expect(second.seen).toEqual(['unknown', 'serving']);
  second.watch.close();
  expect(watches.keyCount).toBe(3);
});

it('services of the same name in other groups and namespaces do not wake each other', () => {
  const { registry, watches } = setUp();
  let wakes = 0;
  open(watches, 'orders', () => wakes++);
  registry.register({ ...orders, group: 'G1' }, registration());
  registry.register({ ...orders, namespace: 'dev' }, registration());
  expect(wakes).toBe(0);
});

it('when the bridge drains only the bridge itself stops serving', () => {
  const { registry, health, watches } = setUp();
  registry.register(orders, registration());
  const bridge = follow(watches, '');
  const service = follow(watches, 'orders');
  health.drain();
  expect(bridge.seen).toEqual(['serving', 'not-serving']);
  expect(service.seen).toEqual(['serving']);
});

it('a watch on a Dubbo interface follows providers that come, change and go later, in its own namespace', () => {
  const { registry, watches } = setUp();
  const provider = (name: string, namespace = 'public') => ({ namespace, group: 'DEFAULT_GROUP', name });
  const any = follow(watches, 'com.shop.Orders');
  const exact = follow(watches, 'blue/com.shop.Orders:1.0.0');
  const elsewhere = follow(watches, 'com.shop.Orders?namespace=dev');
  registry.register(provider('providers:com.shop.Orders:2.0.0:'), registration());
  expect([any.seen, exact.seen]).toEqual([['unknown', 'serving'], ['unknown']]);
  registry.register(provider('providers:com.shop.Orders:1.0.0:blue'), registration());
  registry.deregister(provider('providers:com.shop.Orders:2.0.0:'), registration());
  expect([any.seen, exact.seen]).toEqual([
    ['unknown', 'serving'],
    ['unknown', 'serving'],
  ]);
  registry.drop(provider('providers:com.shop.Orders:1.0.0:blue'));
  registry.drop(provider('providers:com.shop.Orders:2.0.0:'));
  expect([any.seen, exact.seen]).toEqual([
    ['unknown', 'serving', 'not-serving', 'unknown'],
    ['unknown', 'serving', 'unknown'],
  ]);
  // A service of Nacos by that very name goes before.
  registry.register(provider('com.shop.Orders'), registration({ enabled: false }));
  registry.register(provider('providers:com.shop.Orders::'), registration());
  expect(any.seen.at(-1)).toBe('not-serving');
  expect(elsewhere.seen).toEqual(['unknown']);
  for (const { watch } of [any, exact, elsewhere]) watch.close();
  expect(watches.keyCount).toBe(0);
});

it.each([
  ['a connection', { maxWatchesPerConnection: 2, maxWatchesPerPeer: 9, maxWatches: 9 }, true, false],
  ['a peer', { maxWatchesPerConnection: 9, maxWatchesPerPeer: 2, maxWatches: 9 }, false, false],
  ['all together', { maxWatchesPerConnection: 9, maxWatchesPerPeer: 9, maxWatches: 2 }, false, true],
])('%s may have only so many watches, and others again once some have ended', (_, limits, sameConnection, otherPeer) => {
  const { health } = setUp();
  const watches = new Watches(health, limits);
  const connection = {};
  const watcher = (i: number): Watcher => ({
    connection: sameConnection ? connection : {},
    ip: otherPeer ? `10.0.0.${i}` : '10.0.0.1',
  });
  const first = open(watches, 'a', () => {}, watcher(1));
  open(watches, 'b', () => {}, watcher(2));
  expect(watches.open(named('c'), watcher(3), { wake() {}, giveWay() {} })).toBeUndefined();
  first.close();
  first.close();
  expect(watches.count).toBe(1);
  open(watches, 'c', () => {}, watcher(3));
  expect(watches.open(named('d'), watcher(4), { wake() {}, giveWay() {} })).toBeUndefined();
});

it('where all together have as many as they may, one of the address that has most ends for who has less, the bridge itself included', () => {
  const { health } = setUp();
  const refused = new Refused();
  const watches = new Watches(health, { maxWatchesPerConnection: 9, maxWatchesPerPeer: 4, maxWatches: 6 }, { refused });
  const gone: string[] = [];
  const watch = (name: string, ip: string) =>
    watches.open(named(name), { connection: {}, ip }, { wake() {}, giveWay: () => gone.push(`${ip} ${name}`) });
  for (const name of ['a', 'b', 'c', 'd']) expect(watch(name, '10.0.0.1')).toBeDefined();
  for (const name of ['a', 'b']) expect(watch(name, '10.0.0.2')).toBeDefined();
  expect(watch('', '10.0.0.3')?.take()).toBe('serving');
  expect(watch('x', '10.0.0.4')?.take()).toBe('unknown');
  expect(gone).toEqual(['10.0.0.1 d', '10.0.0.1 c']);
  // Nobody has two more than it would.
  expect(watch('x', '10.0.0.4')).toBeUndefined();
  expect([watches.count, watches.keyCount]).toEqual([6, 10]);
  expect([...refused.counts]).toEqual([
    ['watches that gave way', 2],
    ['watches', 1],
  ]);
});

it('of IPv6 a network of 64 bits has as many watches as an address of IPv4', () => {
  const { health } = setUp();
  const watches = new Watches(health, { maxWatchesPerConnection: 9, maxWatchesPerPeer: 2, maxWatches: 9 });
  const watch = (ip: string) => watches.open(named('a'), { connection: {}, ip }, { wake() {}, giveWay() {} });
  expect([watch('2001:db8::1'), watch('2001:db8::2')]).not.toContain(undefined);
  expect(watch('2001:db8::3')).toBeUndefined();
  expect(watch('2001:db8:0:1::3')).toBeDefined();
});

describe('whoever waits until a name has been told', () => {
  /** Whether it has come to pass by now. */
  const isDone = (promise: Promise<void>) =>
    Promise.race([
      promise.then(() => true),
      Promise.resolve()
        .then(() => Promise.resolve())
        .then(() => false),
    ]);
  const soon = () => new Promise((resolve) => setImmediate(resolve));
  async function done(promise: Promise<void>): Promise<boolean> {
    await soon();
    return isDone(promise);
  }

  it('waits for each of its watches to take the status and to come back for more', async () => {
    const { health, watches } = setUp();
    const first = open(watches, '', () => {});
    const second = open(watches, '', () => {});
    for (const watch of [first, first, second, second]) watch.take();
    open(watches, 'orders', () => {});
    expect(await done(watches.told('bridge'))).toBe(true);
    health.drain();
    const told = watches.told('bridge');
    expect(first.take()).toBe('not-serving');
    expect(first.take()).toBeUndefined();
    expect(second.take()).toBe('not-serving');
    expect(await done(told)).toBe(false);
    expect(second.take()).toBeUndefined();
    expect(await done(told)).toBe(true);
  });

  it('does not wait for one that has ended', async () => {
    const { health, watches } = setUp();
    const watch = open(watches, '', () => {});
    health.drain();
    const told = watches.told('bridge');
    expect(await done(told)).toBe(false);
    watch.close();
    expect(await done(told)).toBe(true);
  });
});
