import { describe, expect, it } from 'vitest';
import type { RegistryEvent } from '../../src/registry/changes.ts';
import { Registry } from '../../src/registry/registry.ts';
import { orders, registration } from '../support/instances.ts';
import { passSweeping } from '../support/sweeping.ts';

function setUp(count: number) {
  const clock = { ms: 0 };
  const registry = new Registry(() => clock.ms);
  const connections = Array.from({ length: count }, (_, port) => ({ port }));
  const hold = (port: number) => registry.hold(orders, registration({ port }), connections[port] ?? {});
  for (let port = 0; port < count; port++) hold(port);
  const events: RegistryEvent[] = [];
  registry.onEvent((event) => events.push(event));
  return {
    registry,
    events,
    hold,
    end(from: number, to: number) {
      for (let port = from; port < to; port++)
        registry.release(orders, registration({ port }), connections[port] ?? {}, 'connection-ended', { connection: `c${port}` });
    },
    wait: (ms: number) => passSweeping(registry, clock, ms),
    tally: () => registry.tally(orders),
  };
}

describe('connections that end at once', () => {
  it('leave their instances as they were for ten seconds, or until they are registered again', () => {
    const { events, hold, end, wait, tally, registry } = setUp(500);
    end(0, 400);
    expect(tally()).toEqual({ total: 500, healthy: 500, available: 500 });
    expect(events).toMatchObject([{ cause: 'mass-loss', count: 101 }]);
    wait(5_000);
    for (let port = 0; port < 300; port++) hold(port);
    wait(4_999);
    expect(tally()).toMatchObject({ total: 500, healthy: 500 });
    wait(1);
    expect(tally()).toEqual({ total: 400, healthy: 400, available: 400 });
    expect(events.filter(({ cause }) => cause === 'connection-ended')).toHaveLength(100);
    expect(events.at(-1)).toMatchObject({ cause: 'connection-ended', to: 'removed', by: { connection: 'c399' } });
    wait(3_600_000);
    expect(registry.instanceCount).toBe(400);
  });

  it('are seen to be many also when the first of them have waited for that', () => {
    const { end, wait, tally } = setUp(200);
    end(0, 40);
    wait(200);
    end(40, 80);
    wait(9_799);
    expect(tally()?.total).toBe(200);
    wait(1);
    expect(tally()?.total).toBe(160);
    wait(200);
    expect(tally()?.total).toBe(120);
  });

  it('are given more time by as much as the process was deaf', () => {
    const { end, wait, tally, registry } = setUp(200);
    end(0, 100);
    registry.postpone(5_000);
    wait(14_999);
    expect(tally()?.total).toBe(200);
    wait(1);
    expect(tally()?.total).toBe(100);
  });
});

describe('a connection that ends by itself', () => {
  it('takes its instances at once where there are few, and a moment later where many might follow', () => {
    const few = setUp(50);
    few.end(0, 1);
    expect(few.tally()?.total).toBe(49);
    const many = setUp(51);
    many.end(0, 1);
    expect(many.tally()?.total).toBe(51);
    many.wait(250);
    expect(many.tally()?.total).toBe(50);
    expect(many.events).toMatchObject([{ cause: 'connection-ended', by: { connection: 'c0' } }]);
  });

  it('leaves an instance that beats do not keep, and that can be deregistered and registered meanwhile', () => {
    const { end, wait, registry } = setUp(100);
    end(0, 3);
    expect(registry.beat(orders, registration({ port: 0 }))).toBeUndefined();
    expect(registry.deregister(orders, registration({ port: 1 }))).toBe('removed');
    registry.register(orders, registration({ port: 2 }));
    wait(1_000);
    expect(registry.instance(orders, registration({ port: 0 }))).toBeUndefined();
    expect(registry.instance(orders, registration({ port: 2 }))).toMatchObject({ healthy: true });
    wait(14_000);
    expect(registry.instance(orders, registration({ port: 2 }))).toMatchObject({ healthy: false });
  });

  it('takes its instances also while silence has no effect', () => {
    const { end, wait, tally, registry } = setUp(100);
    registry.suspendExpiry(true);
    end(0, 1);
    registry.register(orders, registration({ port: 1_000 }));
    wait(249);
    expect(tally()?.total).toBe(101);
    wait(1);
    expect(tally()?.total).toBe(100);
    wait(60_000);
    expect(tally()).toMatchObject({ total: 100, healthy: 100 });
    registry.suspendExpiry(false);
    wait(1);
    expect(tally()?.total).toBe(99);
  });
});
