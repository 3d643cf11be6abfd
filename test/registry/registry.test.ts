import { describe, expect, it } from 'vitest';
import type { RegistryEvent } from '../../src/registry/changes.ts';
import { DEFAULT_SILENCE } from '../../src/registry/instance.ts';
import type { RegistryOptions } from '../../src/registry/options.ts';
import { Registry } from '../../src/registry/registry.ts';
import { groupedName, type ServiceName } from '../../src/registry/service-name.ts';
import { DEFAULT_SETTINGS } from '../../src/registry/settings.ts';
import { orders, registration } from '../support/instances.ts';

const payments: ServiceName = { ...orders, name: 'payments' };

function setUp(options: RegistryOptions = {}) {
  const clock = { ms: 1_000_000 };
  const registry = new Registry(() => clock.ms, options);
  const changes: string[] = [];
  registry.onChange((service) => changes.push(groupedName(service)));
  const events: RegistryEvent[] = [];
  registry.onEvent((event) => events.push(event));
  return {
    registry,
    changes,
    events,
    /** Answers with what silence has done. */
    wait(ms: number) {
      clock.ms += ms;
      const from = events.length;
      while (registry.sweep() === 'more');
      return events.slice(from).filter(({ cause }) => cause === 'silent' || cause === 'removed');
    },
    pass(ms: number) {
      clock.ms += ms;
    },
    health() {
      return registry.instances(orders)?.map(({ ip, healthy }) => `${ip} ${healthy ? 'healthy' : 'unhealthy'}`);
    },
  };
}

it('silence of very many is worked off in parts, each by the time that it takes, and nobody is left out', () => {
  const { registry, events, pass } = setUp();
  const COUNT = 7_000;
  for (let port = 0; port < COUNT; port++) registry.register(orders, registration({ port }));
  pass(15_000);
  const parts: number[] = [];
  for (let answer = ''; answer !== 'done'; ) {
    const from = events.length;
    answer = registry.sweep();
    parts.push(events.slice(from).filter(({ cause }) => cause === 'silent').length);
    // Whoever beats between two parts has been heard.
    if (parts.length === 1) registry.beat(orders, registration({ port: COUNT - 1 }));
  }
  expect(parts.length).toBeGreaterThan(2);
  expect(parts.reduce((sum, count) => sum + count)).toBe(COUNT - 1);
  expect(Math.max(...parts)).toBeLessThanOrEqual(2_000);
  // Of the one that has beaten, before all others are due.
  expect(registry.nextDue).toBe(1_030_000);
  pass(14_999);
  expect(registry.sweep()).toBe('done');
  expect(registry.tally(orders)).toMatchObject({ total: COUNT, healthy: 1 });
});

describe('silence', () => {
  it('makes an instance unhealthy after 15 s and removes it after 30 s', () => {
    const { registry, wait, health } = setUp();
    registry.register(orders, registration());
    expect(wait(14_999)).toEqual([]);
    expect(health()).toEqual(['10.0.0.1 healthy']);
    expect(wait(1)).toMatchObject([
      { cause: 'silent', to: 'unhealthy', silentMs: 15_000, instance: { ip: '10.0.0.1', port: 8080 }, service: orders },
    ]);
    expect(health()).toEqual(['10.0.0.1 unhealthy']);
    expect(wait(14_999)).toEqual([]);
    expect(wait(1)).toMatchObject([{ to: 'removed', silentMs: 30_000 }]);
    expect(health()).toEqual([]);
  });

  it('ends with a beat, which heals an unhealthy instance', () => {
    const { registry, wait, health } = setUp();
    registry.register(orders, registration());
    wait(20_000);
    expect(registry.beat(orders, registration())).toBe(DEFAULT_SILENCE);
    expect(health()).toEqual(['10.0.0.1 healthy']);
    wait(14_999);
    expect(health()).toEqual(['10.0.0.1 healthy']);
    wait(1);
    expect(health()).toEqual(['10.0.0.1 unhealthy']);
  });

  it('is measured against the figures of the instance itself', () => {
    const silenceOf = (metadata: Readonly<Record<string, string>>) =>
      metadata.quick ? { beatIntervalMs: 100, unhealthyAfterMs: 300, removedAfterMs: 600 } : DEFAULT_SILENCE;
    const { registry, wait, health } = setUp({ silenceOf });
    registry.register(orders, registration());
    registry.register(orders, registration({ ip: '10.0.0.2', metadata: { quick: 'yes' } }));
    expect(registry.beat(orders, registration({ ip: '10.0.0.2' }))).toMatchObject({ beatIntervalMs: 100 });
    wait(300);
    expect(health()).toEqual(['10.0.0.1 healthy', '10.0.0.2 unhealthy']);
    wait(300);
    expect(health()).toEqual(['10.0.0.1 healthy']);
  });

  it('removes at once when the removal is due before the instance would turn unhealthy', () => {
    const silenceOf = () => ({ beatIntervalMs: 5_000, unhealthyAfterMs: 15_000, removedAfterMs: 4_000 });
    const { registry, wait, health } = setUp({ silenceOf });
    registry.register(orders, registration());
    expect(wait(4_000)).toMatchObject([{ to: 'removed' }]);
    expect(health()).toEqual([]);
  });

  it('means nothing to a persistent instance', () => {
    const { registry, wait, health } = setUp();
    registry.register(orders, registration({ ephemeral: false }));
    wait(86_400_000);
    expect(health()).toEqual(['10.0.0.1 healthy']);
    expect(registry.nextDue).toBeUndefined();
  });

  it('has no effect while expiry is suspended, and its full effect afterwards', () => {
    const { registry, wait, health } = setUp();
    registry.register(orders, registration());
    registry.suspendExpiry(true);
    expect(registry.nextDue).toBeUndefined();
    expect(wait(20_000)).toEqual([]);
    expect(health()).toEqual(['10.0.0.1 healthy']);
    registry.suspendExpiry(false);
    expect(wait(0)).toMatchObject([{ to: 'unhealthy', silentMs: 20_000 }]);
  });

  it('of a server that was deaf is forgiven, and no instance is taken for heard in the future', () => {
    const { registry, wait, pass, health } = setUp();
    registry.register(orders, registration());
    pass(14_000);
    registry.register(orders, registration({ ip: '10.0.0.2' }));
    pass(20_000);
    registry.postpone(20_000);
    expect(wait(0)).toEqual([]);
    expect(health()).toEqual(['10.0.0.1 healthy', '10.0.0.2 healthy']);
    wait(1_000);
    expect(health()).toEqual(['10.0.0.1 unhealthy', '10.0.0.2 healthy']);
    registry.beat(orders, registration());
    registry.postpone(5_000);
    wait(15_000);
    expect(health()).toEqual(['10.0.0.1 unhealthy', '10.0.0.2 unhealthy']);
  });
});

describe('a sweep', () => {
  it('knows when there is next something to do', () => {
    const { registry, wait } = setUp();
    expect(registry.nextDue).toBeUndefined();
    registry.register(orders, registration());
    expect(registry.nextDue).toBe(1_015_000);
    wait(15_000);
    expect(registry.nextDue).toBe(1_030_000);
    wait(15_000);
    expect(registry.nextDue).toBe(1_090_000);
    wait(60_000);
    expect(registry.nextDue).toBeUndefined();
  });

  it('tells the listeners of a service once, after every instance is in its new state', () => {
    const { registry, pass } = setUp();
    for (let i = 0; i < 5; i++) registry.register(orders, registration({ ip: `10.0.0.${i}` }));
    const seen: unknown[] = [];
    registry.onChange((service) => seen.push({ ...registry.tally(service) }));
    pass(15_000);
    registry.sweep();
    expect(seen).toMatchObject([{ total: 5, healthy: 0, available: 0 }]);
  });
});

describe('registering', () => {
  it('again replaces what the client said, counts as a beat and heals', () => {
    const { registry, wait } = setUp();
    registry.register(orders, registration({ metadata: { a: '1' } }));
    wait(20_000);
    registry.register(orders, registration({ weight: 3, metadata: { b: '2' } }));
    expect(registry.instances(orders)).toMatchObject([{ healthy: true, weight: 3, metadata: { b: '2' }, silentMs: 0 }]);
    wait(15_000);
    wait(14_999);
    expect(registry.instanceCount).toBe(1);
    wait(1);
    expect(registry.instanceCount).toBe(0);
  });

  it('takes the health of a new instance from the client', () => {
    const { registry } = setUp();
    registry.register(orders, registration({ healthy: false }));
    expect(registry.tally(orders)).toMatchObject({ total: 1, healthy: 0, available: 0 });
  });

  it.each([
    ['port', { port: 8081 }],
    ['ip', { ip: '10.0.0.2' }],
  ])('with another %s adds another instance', (_, other) => {
    const { registry } = setUp();
    registry.register(orders, registration());
    registry.register(orders, registration(other));
    expect(registry.tally(orders)?.total).toBe(2);
    expect(registry.deregister(orders, registration(other))).toBe('removed');
    expect(registry.instances(orders)).toMatchObject([{ ip: '10.0.0.1', port: 8080, cluster: 'DEFAULT', ephemeral: true }]);
  });

  it('keeps services of the same name in other namespaces and groups apart', () => {
    const { registry } = setUp();
    registry.register(orders, registration());
    expect(registry.instances({ ...orders, namespace: 'dev' })).toBeUndefined();
    expect(registry.instances({ ...orders, group: 'G1' })).toBeUndefined();
    expect([...registry.services('public')]).toEqual([orders]);
    expect([...registry.services('dev')]).toEqual([]);
  });
});

describe('an instance that is not known', () => {
  it('is told so, and nothing is remembered of it', () => {
    const { registry, changes } = setUp();
    expect(registry.beat(orders, registration())).toBeUndefined();
    expect(registry.deregister(orders, registration())).toBe('unknown');
    expect(registry.edit(orders, registration(), { enabled: false })).toBe(false);
    expect(registry.report(orders, registration(), false)).toBe(false);
    expect(registry.instance(orders, registration())).toBeUndefined();
    expect(changes).toEqual([]);
    expect(registry.serviceCount).toBe(0);
  });
});

describe('availability', () => {
  it.each([
    ['healthy, enabled and of weight 1', {}, 1],
    ['disabled', { enabled: false }, 0],
    ['of weight 0', { weight: 0 }, 0],
    ['unhealthy', { healthy: false }, 0],
  ])('of an instance that is %s counts %#', (_, overrides, available) => {
    const { registry } = setUp();
    registry.register(orders, registration(overrides));
    expect(registry.tally(orders)?.available).toBe(available);
  });

  it('that a check reports for a silent instance is a sign of life', () => {
    const { registry, wait, health } = setUp();
    registry.register(orders, registration());
    wait(20_000);
    registry.report(orders, registration(), true);
    expect(wait(0)).toEqual([]);
    wait(14_999);
    expect(health()).toEqual(['10.0.0.1 healthy']);
  });

  it('follows what an active check reports', () => {
    const { registry, changes } = setUp();
    registry.register(orders, registration({ ephemeral: false }));
    registry.report(orders, registration({ ephemeral: false }), false);
    expect(registry.tally(orders)).toMatchObject({ total: 1, healthy: 0, available: 0 });
    registry.report(orders, registration({ ephemeral: false }), false);
    registry.report(orders, registration({ ephemeral: false }), true);
    expect(registry.tally(orders)).toMatchObject({ total: 1, healthy: 1, available: 1 });
    expect(changes).toHaveLength(3);
  });
});

describe("an operator's edit", () => {
  it('outlives registering again, expiry and return', () => {
    const { registry, wait } = setUp();
    registry.register(orders, registration());
    expect(registry.edit(orders, registration(), { enabled: false, metadata: { zone: 'a' } })).toBe(true);
    registry.register(orders, registration());
    expect(registry.instance(orders, registration())).toMatchObject({ enabled: false, metadata: { zone: 'a' }, weight: 1 });
    wait(30_000);
    wait(60_000);
    expect(registry.tally(orders)).toBeUndefined();
    registry.register(orders, registration());
    expect(registry.instance(orders, registration())).toMatchObject({ enabled: false, metadata: { zone: 'a' } });
    expect(registry.tally(orders)).toMatchObject({ healthy: 1, available: 0 });
  });

  it('of an instance that is gone is forgotten when its service is dropped, or when 10,000 others have gone since', () => {
    const { registry, pass } = setUp({ keepEditsMs: 86_400_000 });
    const connection = {};
    const isEdited = (port: number) => {
      registry.register(orders, registration({ port }));
      return registry.instance(orders, registration({ port }))?.weight === 5;
    };
    registry.register(payments, registration());
    registry.edit(payments, registration(), { weight: 5 });
    registry.drop(payments);
    registry.register(payments, registration());
    expect(registry.instance(payments, registration())?.weight).toBe(1);
    for (let port = 1; port <= 10_001; port++) {
      registry.hold(orders, registration({ port }), connection);
      registry.edit(orders, registration({ port }), { weight: 5 });
      registry.release(orders, registration({ port }), connection, 'connection-ended');
      // One after the other: many at once would be kept for now.
      pass(1_000);
    }
    expect([isEdited(1), isEdited(2), isEdited(10_001)]).toEqual([false, true, true]);
  });

  it('ends when it is edited back to what the client says', () => {
    const { registry } = setUp();
    registry.register(orders, registration({ metadata: { zone: 'a' } }));
    registry.edit(orders, registration(), { enabled: false, weight: 7 });
    registry.edit(orders, registration(), { enabled: true, weight: 1, metadata: { zone: 'a' } });
    registry.register(orders, registration({ enabled: false, weight: 2, metadata: { zone: 'b' } }));
    expect(registry.instance(orders, registration())).toMatchObject({ enabled: false, weight: 2, metadata: { zone: 'b' } });
  });

  it('is no sign of life', () => {
    const { registry, wait, pass, health } = setUp();
    registry.register(orders, registration());
    pass(14_000);
    registry.edit(orders, registration(), { weight: 2 });
    wait(1_000);
    expect(health()).toEqual(['10.0.0.1 unhealthy']);
  });

  it('of the metadata changes how long the instance may be silent', () => {
    const silenceOf = (metadata: Readonly<Record<string, string>>) =>
      metadata.quick ? { beatIntervalMs: 100, unhealthyAfterMs: 300, removedAfterMs: 600 } : DEFAULT_SILENCE;
    const { registry, wait, health } = setUp({ silenceOf });
    registry.register(orders, registration());
    registry.edit(orders, registration(), { metadata: { quick: 'yes' } });
    wait(300);
    expect(health()).toEqual(['10.0.0.1 unhealthy']);
  });
});

describe('a service', () => {
  it('stays known for a minute after its last instance has gone, and is then forgotten', () => {
    const { registry, wait, changes } = setUp();
    registry.register(orders, registration());
    registry.deregister(orders, registration());
    wait(59_999);
    expect(registry.instances(orders)).toEqual([]);
    wait(1);
    expect(registry.instances(orders)).toBeUndefined();
    expect(registry.serviceCount).toBe(0);
    expect(changes).toHaveLength(3);
  });

  it('is remembered for longer by as much as the process was deaf', () => {
    const { registry, wait, pass } = setUp();
    registry.register(orders, registration());
    registry.deregister(orders, registration());
    pass(60_000);
    registry.postpone(20_000);
    wait(19_999);
    expect(registry.instances(orders)).toEqual([]);
    wait(1);
    expect(registry.instances(orders)).toBeUndefined();
  });

  it('that gets an instance again in time is not forgotten', () => {
    const { registry, wait } = setUp();
    registry.register(orders, registration());
    registry.deregister(orders, registration());
    wait(30_000);
    registry.register(orders, registration({ ephemeral: false }));
    wait(120_000);
    expect(registry.tally(orders)?.total).toBe(1);
  });

  it('is forgotten in its own time, whatever became of others', () => {
    const { registry, wait } = setUp();
    registry.register(orders, registration());
    registry.register(payments, registration());
    registry.deregister(orders, registration());
    wait(10_000);
    registry.deregister(payments, registration());
    wait(50_000);
    expect([...registry.services('public')]).toEqual([payments]);
    wait(10_000);
    expect([...registry.services('public')]).toEqual([]);
  });

  it('that was created explicitly is known until it is dropped', () => {
    const { registry, wait } = setUp();
    expect(registry.create(orders)).toBe(true);
    expect(registry.create(orders)).toBe(false);
    registry.register(orders, registration());
    wait(86_400_000);
    expect(registry.instances(orders)).toEqual([]);
    expect(registry.drop(orders)).toBe(true);
    expect(registry.drop(orders)).toBe(false);
    expect(registry.instances(orders)).toBeUndefined();
  });

  it('has default settings until it is configured, which makes it known for good', () => {
    const { registry, wait, changes } = setUp();
    expect(registry.settings(orders)).toBeUndefined();
    registry.register(orders, registration());
    expect(registry.settings(orders)).toBe(DEFAULT_SETTINGS);
    registry.configure(orders, { ...DEFAULT_SETTINGS, minAvailable: { count: 2 } });
    expect(changes).toHaveLength(2);
    wait(86_400_000);
    expect(registry.settings(orders)).toMatchObject({ minAvailable: { count: 2 } });
    expect(registry.create(orders)).toBe(false);
  });

  it('that is dropped takes its instances with it', () => {
    const { registry, wait } = setUp();
    registry.register(orders, registration());
    registry.register(orders, registration({ port: 8081 }));
    registry.drop(orders);
    expect(registry.instanceCount).toBe(0);
    registry.register(orders, registration());
    expect(wait(15_000)).toHaveLength(1);
  });
});

describe('listeners', () => {
  it('hear of each change by the name of the service, and of no beat that changes nothing', () => {
    const { registry, changes, wait } = setUp();
    registry.register(orders, registration());
    registry.beat(orders, registration());
    wait(10_000);
    registry.beat(orders, registration());
    expect(changes).toEqual(['DEFAULT_GROUP@@orders']);
    wait(15_000);
    registry.beat(orders, registration());
    registry.deregister(orders, registration());
    expect(changes).toHaveLength(4);
  });

  it('hear nothing any more once they have left', () => {
    const { registry } = setUp();
    let heard = 0;
    const leave = registry.onChange(() => heard++);
    registry.register(orders, registration());
    leave();
    registry.deregister(orders, registration());
    expect(heard).toBe(1);
  });
});

it('many instances come and go without a trace', () => {
  const { registry, wait } = setUp();
  for (let round = 0; round < 3; round++) {
    for (let i = 0; i < 5_000; i++) registry.register(orders, registration({ port: i }));
    expect(registry.tally(orders)).toMatchObject({ total: 5_000, healthy: 5_000, available: 5_000 });
    for (let i = 0; i < 5_000; i += 2) registry.deregister(orders, registration({ port: i }));
    expect(registry.instances(orders)?.map(({ port }) => port)).toEqual(Array.from({ length: 2_500 }, (_, i) => 2 * i + 1));
    expect(wait(15_000)).toHaveLength(2_500);
    // So many at once are removed at one in a hundred a second.
    let removed = wait(15_000).length;
    for (let second = 0; second < 100; second++) removed += wait(1_000).length;
    expect(removed).toBe(2_500);
    expect(registry.instanceCount).toBe(0);
  }
});

describe('a held instance', () => {
  const [first, second] = [{ name: 'first' }, { name: 'second' }];

  it('needs no beats, and is gone as soon as its last holder lets go', () => {
    const { registry, wait, health, changes } = setUp();
    registry.hold(orders, registration(), first);
    registry.hold(orders, registration(), second);
    expect(wait(3_600_000)).toEqual([]);
    expect(health()).toEqual(['10.0.0.1 healthy']);
    registry.release(orders, registration(), first, 'connection-ended');
    expect(health()).toEqual(['10.0.0.1 healthy']);
    changes.length = 0;
    registry.release(orders, registration(), second, 'connection-ended');
    expect(health()).toEqual([]);
    expect(changes).toEqual(['DEFAULT_GROUP@@orders']);
  });

  it('is again what its other holder said when the one that spoke last lets go', () => {
    const { registry } = setUp();
    const third = { name: 'third' };
    registry.hold(orders, registration({ weight: 1 }), first);
    registry.hold(orders, registration({ weight: 2, healthy: false }), second);
    registry.hold(orders, registration({ weight: 3 }), third);
    registry.hold(orders, registration({ weight: 4, metadata: { by: 'first' } }), first);
    const now = () => registry.instance(orders, registration());
    registry.release(orders, registration(), third, 'connection-ended');
    expect(now()).toMatchObject({ weight: 4, healthy: true, metadata: { by: 'first' } });
    registry.release(orders, registration(), first, 'connection-ended');
    expect(now()).toMatchObject({ weight: 2, healthy: false, metadata: {} });
    expect(registry.tally(orders)).toMatchObject({ total: 1, healthy: 0 });
    registry.release(orders, registration(), second, 'connection-ended');
    expect(now()).toBeUndefined();
  });

  it('stays when somebody lets go who never held it', () => {
    const { registry, health } = setUp();
    registry.register(orders, registration());
    registry.release(orders, registration(), first, 'connection-ended');
    registry.hold(orders, registration({ port: 2 }), first);
    registry.release(orders, registration({ port: 2 }), second, 'connection-ended');
    expect(health()).toHaveLength(2);
  });

  it('that beats too lives by its beats when it is held no more', () => {
    const { registry, wait, health } = setUp();
    registry.register(orders, registration());
    registry.hold(orders, registration(), first);
    wait(20_000);
    expect(registry.beat(orders, registration())).toBe(DEFAULT_SILENCE);
    expect(wait(10_000)).toEqual([]);
    registry.release(orders, registration(), first, 'connection-ended');
    expect(health()).toEqual(['10.0.0.1 healthy']);
    expect(wait(4_999)).toEqual([]);
    expect(wait(1)).toMatchObject([{ to: 'unhealthy', silentMs: 15_000 }]);
  });

  it('is unknown to beats until its client registers it for them', () => {
    const { registry } = setUp();
    registry.hold(orders, registration(), first);
    expect(registry.beat(orders, registration())).toBeUndefined();
    registry.register(orders, registration());
    expect(registry.beat(orders, registration())).toBe(DEFAULT_SILENCE);
  });

  it('is not deregistered by others than its holders', () => {
    const { registry, health } = setUp();
    registry.hold(orders, registration(), first);
    expect(registry.deregister(orders, registration())).toBe('held');
    expect(health()).toEqual(['10.0.0.1 healthy']);
  });

  it('is as healthy as its holders say, and heals what was silent', () => {
    const { registry, wait, health } = setUp();
    registry.register(orders, registration());
    wait(15_000);
    registry.hold(orders, registration(), first);
    expect(health()).toEqual(['10.0.0.1 healthy']);
    expect(registry.tally(orders)).toMatchObject({ total: 1, healthy: 1, available: 1 });
    registry.hold(orders, registration({ healthy: false, weight: 2 }), first);
    expect(health()).toEqual(['10.0.0.1 unhealthy']);
    expect(registry.instance(orders, registration())).toMatchObject({ weight: 2, silentMs: 0 });
  });

  it('keeps what an operator has laid over it', () => {
    const { registry } = setUp();
    registry.hold(orders, registration(), first);
    registry.edit(orders, registration(), { enabled: false });
    registry.release(orders, registration(), first, 'connection-ended');
    registry.hold(orders, registration(), second);
    expect(registry.tally(orders)).toMatchObject({ healthy: 1, available: 0 });
  });
});
