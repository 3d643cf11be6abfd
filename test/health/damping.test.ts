import { describe, expect, it } from 'vitest';
import { endpointOf } from '../../src/health/endpoints.ts';
import { type HealthName, parseHealthName } from '../../src/health/names.ts';
import type { Patience } from '../../src/health/steady.ts';
import { Watches } from '../../src/health/watch.ts';
import type { TroubleReason } from '../../src/registry/checks.ts';
import { Registry } from '../../src/registry/registry.ts';
import { DEFAULT_SETTINGS } from '../../src/registry/settings.ts';
import { healthOf } from '../support/health.ts';
import { HOME, orders, registration } from '../support/instances.ts';
import { failOnLeaks } from '../support/leaks.ts';
import { LIMITS } from '../support/limits.ts';
import { ManualScheduler } from '../support/scheduler.ts';

failOnLeaks();

const PATIENCE = { fallAfterMs: 5_000, riseAfterMs: 2_000 };

function named(text: string): HealthName {
  const name = parseHealthName(text, HOME);
  if (name === undefined) throw new Error(`${text} is no health name`);
  return name;
}

function setUp(patience: Patience = { fallAfterMs: 0, riseAfterMs: 0 }) {
  const scheduler = new ManualScheduler();
  const registry = new Registry(scheduler.now);
  const health = healthOf(registry, { patience, scheduler, now: scheduler.now });
  const watches = new Watches(health, LIMITS);
  const status = (text: string) => health.statusOf(named(text));
  const follow = (text: string) => {
    const seen: [ms: number, status: string][] = [];
    const take = () => {
      const status = watch?.take();
      if (status !== undefined) seen.push([scheduler.now(), status]);
    };
    const watch = watches.open(named(text), { connection: {}, ip: '10.0.0.1' }, { wake: take, giveWay() {} });
    take();
    return seen;
  };
  const up = (port = 8080) => registry.report(orders, { ip: '10.0.0.1', port }, true);
  const down = (port = 8080) => registry.report(orders, { ip: '10.0.0.1', port }, false);
  const damp = (changes: Partial<Patience>) => registry.configure(orders, { ...DEFAULT_SETTINGS, ...changes });
  return { scheduler, registry, health, status, follow, up, down, damp };
}

it('a fall and a rise are told, wherever somebody asks, at the moment when they have lasted', () => {
  const { scheduler, registry, health, status, follow, up, down, damp } = setUp();
  registry.register(orders, registration());
  damp(PATIENCE);
  const seen = follow('orders');
  const everywhere = () => [
    status('orders'),
    Object.fromEntries(health.list()).orders,
    endpointOf(health, 'orders', LIMITS).http,
  ];
  down();
  scheduler.advance(4_999);
  expect(everywhere()).toEqual(['serving', 'serving', 200]);
  scheduler.advance(1);
  expect(everywhere()).toEqual(['not-serving', 'not-serving', 503]);
  up();
  scheduler.advance(1_999);
  expect(everywhere()).toEqual(['not-serving', 'not-serving', 503]);
  scheduler.advance(1);
  expect(everywhere()).toEqual(['serving', 'serving', 200]);
  expect(seen).toEqual([
    [0, 'serving'],
    [5_000, 'not-serving'],
    [7_000, 'serving'],
  ]);
  expect(scheduler.open).toBe(0);
});

it('a blip is never told, neither to who watches nor to who comes during it', () => {
  const { scheduler, registry, follow, up, down } = setUp(PATIENCE);
  registry.register(orders, registration());
  const before = follow('orders');
  down();
  scheduler.advance(4_000);
  const during = follow('orders');
  up();
  scheduler.advance(60_000);
  for (const seen of [before, during]) expect(seen.map(([, status]) => status)).toEqual(['serving']);
});

it('an instance that goes and comes back is a blip of its service, but of no name that means it alone', () => {
  const { scheduler, registry, follow } = setUp(PATIENCE);
  registry.register(orders, registration());
  const whole = follow('orders');
  const part = follow('orders?instance=10.0.0.1:8080');
  registry.deregister(orders, registration());
  scheduler.advance(1_000);
  registry.register(orders, registration());
  scheduler.advance(60_000);
  expect(whole.map(([, status]) => status)).toEqual(['serving']);
  expect(part.map(([, status]) => status)).toEqual(['serving', 'unknown', 'serving']);
});

it('what becomes known, forgotten or dropped is told at once', () => {
  const { registry, follow, scheduler } = setUp(PATIENCE);
  const seen = follow('orders');
  registry.register(orders, registration({ healthy: false }));
  registry.drop(orders);
  registry.register(orders, registration());
  registry.deregister(orders, registration());
  scheduler.advance(60_000);
  registry.sweep();
  expect(seen).toEqual([
    [0, 'unknown'],
    [0, 'not-serving'],
    [0, 'unknown'],
    [0, 'serving'],
    [5_000, 'not-serving'],
    [60_000, 'unknown'],
  ]);
  expect(scheduler.open).toBe(0);
});

it('settings act at once on what waits, and never on what has been told', () => {
  const { scheduler, registry, status, follow, down, damp } = setUp();
  registry.register(orders, registration());
  damp({ fallAfterMs: 5_000 });
  const seen = follow('orders');
  down();
  scheduler.advance(3_000);
  damp({ fallAfterMs: 10_000 });
  scheduler.advance(6_999);
  expect(status('orders')).toBe('serving');
  damp({ fallAfterMs: 2_000 });
  expect(status('orders')).toBe('not-serving');
  damp({ fallAfterMs: 60_000 });
  expect(seen.at(-1)).toEqual([9_999, 'not-serving']);
  expect(scheduler.open).toBe(0);
});

it('without a duration nothing waits any more', () => {
  const { scheduler, registry, follow, down, damp } = setUp();
  registry.register(orders, registration());
  damp({ fallAfterMs: 5_000 });
  const seen = follow('orders');
  down();
  expect(scheduler.open).toBe(1);
  damp({});
  expect(seen).toEqual([
    [0, 'serving'],
    [0, 'not-serving'],
  ]);
  expect(scheduler.open).toBe(0);
});

it('a service can be told at once where others are not', () => {
  const { registry, status, down, damp, scheduler } = setUp(PATIENCE);
  registry.register(orders, registration());
  damp({ fallAfterMs: 0, riseAfterMs: 0 });
  down();
  expect([status('orders'), scheduler.open]).toEqual(['not-serving', 0]);
});

it('clusters and instances are protected each by themselves, however an address is written', () => {
  const { scheduler, registry, follow } = setUp({ fallAfterMs: 5_000, riseAfterMs: 0 });
  registry.register(orders, registration({ ip: 'FE80::1', cluster: 'A' }));
  registry.register(orders, registration({ ip: '10.0.0.2', cluster: 'B' }));
  const names = ['orders', 'orders?cluster=A', 'orders?instance=[fe80:0::1]:8080', 'orders?cluster=A&instance=fe80::1:8080'];
  const [whole, ...parts] = names.map(follow);
  registry.report(orders, { ip: 'FE80::1', port: 8080 }, false);
  scheduler.advance(9_000);
  expect(whole).toEqual([[0, 'serving']]);
  for (const seen of parts)
    expect(seen).toEqual([
      [0, 'serving'],
      [5_000, 'not-serving'],
    ]);
});

it('a name of Dubbo follows what is told of the services that it means', () => {
  const { scheduler, registry, health, follow } = setUp({ fallAfterMs: 5_000, riseAfterMs: 0 });
  const provider = { ...orders, name: 'providers:com.shop.Orders:1.0.0:' };
  registry.register(provider, registration());
  registry.register({ ...orders, name: 'shop' }, registration());
  health.noteApplications('public', 'com.shop.Refunds', 'shop');
  const all = ['com.shop.Orders', 'com.shop.Orders:1.0.0', 'com.shop.Refunds'].map(follow);
  registry.report(provider, registration(), false);
  registry.report({ ...orders, name: 'shop' }, registration(), false);
  scheduler.advance(9_000);
  for (const seen of all)
    expect(seen).toEqual([
      [0, 'serving'],
      [5_000, 'not-serving'],
    ]);
});

it('no status has lasted by time in which nobody could be heard', () => {
  const { scheduler, registry, follow, up, down } = setUp(PATIENCE);
  registry.register(orders, registration());
  const seen = follow('orders');
  down();
  scheduler.advance(2_000);
  scheduler.stall(60_000);
  registry.postpone(60_000);
  scheduler.advance(2_999);
  up();
  scheduler.advance(60_000);
  down();
  scheduler.advance(60_000);
  expect(seen.map(([, status]) => status)).toEqual(['serving', 'not-serving']);
  expect(seen[1]?.[0]).toBe(129_999);
});

it('what was there before health itself is protected as well', () => {
  const scheduler = new ManualScheduler();
  const registry = new Registry(scheduler.now);
  registry.register(orders, registration());
  const health = healthOf(registry, { patience: PATIENCE, scheduler, now: scheduler.now });
  registry.report(orders, registration(), false);
  expect(health.statusOf(named('orders'))).toBe('serving');
  health.close();
  registry.report(orders, registration(), true);
  scheduler.advance(60_000);
  expect(scheduler.open).toBe(0);
});

it('the bridge itself is told at once', () => {
  const { health, status } = setUp(PATIENCE);
  health.drain();
  expect(status('')).toBe('not-serving');
});

describe('/health/NAME', () => {
  it('names what waits to be told, beside the counts as they are', () => {
    const { scheduler, registry, health, down, up } = setUp(PATIENCE);
    registry.register(orders, registration());
    down();
    scheduler.advance(1_800);
    const { http, message, json } = endpointOf(health, 'orders', LIMITS);
    expect([http, message]).toEqual([
      200,
      'orders: 0 of 1 instances available, 1 needed; NOT_SERVING is told in 3200 ms, if it lasts',
    ]);
    expect(JSON.parse(json)).toMatchObject({
      status: 'SERVING',
      services: [{ status: 'SERVING', pending: { status: 'NOT_SERVING', inMs: 3_200 }, instances: { available: 0, needed: 1 } }],
    });
    up();
    expect(endpointOf(health, 'orders?instance=10.0.0.1:8080', LIMITS).json).not.toContain('pending');
  });

  const failing = (reason: TroubleReason, type: 'tcp' | 'http' = 'http') => ({ verdict: 'failing', type, reason }) as const;
  const unchecked = (reason: TroubleReason) => ({ verdict: 'unchecked', type: 'tcp', reason }) as const;

  it.each([
    [[failing('timed out'), failing('timed out')], '0 of 2 instances available, 1 needed; 2 fail their check (http: timed out)'],
    [
      [failing('timed out'), failing('refused', 'tcp'), failing('timed out')],
      '0 of 3 instances available, 1 needed; 3 fail their check (2 http: timed out; 1 tcp: refused)',
    ],
    [
      [failing('redirected'), unchecked('address not allowed')],
      '1 of 2 instances available, 1 needed; 1 fails its check (http: redirected); 1 not checked (tcp: address not allowed, see --probe-allow)',
    ],
    [
      [unchecked('host names are not resolved')],
      '1 of 1 instances available, 1 needed; 1 not checked (tcp: host names are not resolved, see --probe-names)',
    ],
    [
      [failing('redirected'), failing('refused'), failing('not HTTP'), failing('timed out'), failing('timed out')],
      '0 of 5 instances available, 1 needed; 5 fail their check (2 http: timed out; 1 http: redirected; 1 http: refused; and others)',
    ],
  ])('says why a check fails, or is not made: %#', (troubles, reason) => {
    const { registry, health } = setUp();
    for (const [i, trouble] of troubles.entries()) {
      registry.register(orders, registration({ port: i + 1 }));
      registry.checked(orders, { ip: '10.0.0.1', port: i + 1 }, trouble);
    }
    const { message, json } = endpointOf(health, 'orders', LIMITS);
    expect(message).toBe(`orders: ${reason}`);
    const checks = troubles.map(({ type, verdict, reason }, i) => ({
      ip: '10.0.0.1',
      port: i + 1,
      check: type,
      verdict,
      reason,
    }));
    expect(JSON.parse(json)).toMatchObject({ reason: message, services: [{ checks }] });
  });

  it('lists no more checks than it may', () => {
    const { registry, health } = setUp();
    for (let port = 1; port <= 9; port++) {
      registry.register(orders, registration({ port }));
      registry.checked(orders, { ip: '10.0.0.1', port }, failing('refused'));
    }
    const { message, json } = endpointOf(health, 'orders', { maxExplained: 2 });
    expect(message).toContain('9 fail their check (http: refused)');
    expect(JSON.parse(json)).toMatchObject({ services: [{ checks: [{ port: 1 }, { port: 2 }] }] });
    expect(json.match(/"check":/g)).toHaveLength(2);
  });
});
