import { describe, expect, it } from 'vitest';
import { endpointOf } from '../../src/health/endpoints.ts';
import { healthKeys } from '../../src/health/health.ts';
import { type MinAvailable, ONE_AVAILABLE } from '../../src/registry/available.ts';
import { Registry } from '../../src/registry/registry.ts';
import { DEFAULT_SETTINGS } from '../../src/registry/settings.ts';
import { healthOf } from '../support/health.ts';
import { orders, registration } from '../support/instances.ts';
import { LIMITS } from '../support/limits.ts';

function setUp(minAvailable: MinAvailable = ONE_AVAILABLE) {
  const registry = new Registry(() => 0);
  const health = healthOf(registry, { minAvailable });
  const provide = (name: string, enabled = true) => registry.register({ ...orders, name }, registration({ enabled }));
  const status = (text: string) => {
    const name = health.nameFrom(text);
    return name && health.statusOf(name);
  };
  return { registry, health, provide, status };
}

describe('a name', () => {
  it.each([
    ['providers:com.shop.Orders:1.0.0:blue', 'blue/com.shop.Orders:1.0.0'],
    ['providers:com.shop.Orders:1.0.0:', 'com.shop.Orders:1.0.0'],
    ['providers:com.shop.Orders:1.0.0', 'com.shop.Orders:1.0.0'],
    ['providers:com.shop.Orders::blue', 'blue/com.shop.Orders'],
    ['providers:com.shop.Orders:0.0.0:blue', 'blue/com.shop.Orders'],
    ['providers:com.shop.Orders::', 'com.shop.Orders:0.0.0'],
    ['providers:com.shop.Orders', 'com.shop.Orders:0.0.0'],
  ])('of a provider registered as %s is %s, or the bare interface', (registered, key) => {
    const { provide, status } = setUp();
    provide(registered);
    expect([status(key), status('com.shop.Orders'), status(registered)]).toEqual(['serving', 'serving', 'serving']);
    expect([status('com.shop.Orders:9.9.9'), status('red/com.shop.Orders:1.0.0'), status('com.shop.Order')]).toEqual([
      'unknown',
      'unknown',
      'unknown',
    ]);
  });

  it('that is a bare interface is SERVING if one of its versions and groups is', () => {
    const { provide, status } = setUp();
    provide('providers:com.shop.Orders:1.0.0:', false);
    expect(status('com.shop.Orders')).toBe('not-serving');
    provide('providers:com.shop.Orders:2.0.0:');
    expect(status('com.shop.Orders')).toBe('serving');
    expect(status('com.shop.Orders:1.0.0')).toBe('not-serving');
  });

  it.each(['consumers:com.shop.Orders:1.0.0:', 'providers:', 'providers:com.shop.Orders:1:2:3'])(
    'of an interface does not mean %s',
    (registered) => {
      const { provide, status } = setUp();
      provide(registered);
      expect(status('com.shop.Orders')).toBe('unknown');
    },
  );

  it('of an interface that only applications offer is SERVING if one of these is, whatever version is asked for', () => {
    const { health, provide, status } = setUp();
    health.noteApplications('public', 'com.shop.Orders', ' shop, ,other-shop,shop');
    expect(status('com.shop.Orders')).toBe('unknown');
    provide('shop', false);
    expect(status('com.shop.Orders')).toBe('not-serving');
    provide('other-shop');
    expect([status('com.shop.Orders'), status('blue/com.shop.Orders:1.0.0')]).toEqual(['serving', 'serving']);
    expect(status('com.shop.Orders?namespace=dev')).toBe('unknown');
    expect(status('com.shop.Orders?group=G1')).toBe('unknown');
    health.noteApplications('public', 'com.shop.Orders', 'shop');
    expect(status('com.shop.Orders')).toBe('not-serving');
    health.noteApplications('public', 'com.shop.Orders', '');
    expect(status('com.shop.Orders')).toBe('unknown');
  });

  it('of an interface that a note without end speaks of means its first thousand applications', () => {
    const { health, provide, status } = setUp();
    const names = Array.from({ length: 200_000 }, (_, i) => `app${i}`);
    health.noteApplications('public', 'com.shop.Orders', names.join());
    provide('app1000');
    expect(status('com.shop.Orders')).toBe('unknown');
    provide('app999');
    expect(status('com.shop.Orders')).toBe('serving');
  });

  it('of an interface means its own providers, as long as there are some, and not the applications that offer it', () => {
    const { health, provide, status } = setUp();
    health.noteApplications('public', 'com.shop.Orders', 'shop');
    provide('shop');
    provide('providers:com.shop.Orders:1.0.0:', false);
    expect(status('com.shop.Orders')).toBe('not-serving');
    expect(status('com.shop.Orders:2.0.0')).toBe('serving');
  });

  it('of an inner class of Java means it as Dubbo writes it', () => {
    const { health, provide, status } = setUp();
    provide('providers:com.shop.Shop___Orders::');
    expect(status('com.shop.Shop$Orders')).toBe('serving');
    health.noteApplications('public', 'com.shop.Shop$Payments', 'shop');
    provide('shop');
    expect([status('com.shop.Shop$Payments'), status('com.shop.Shop___Payments')]).toEqual(['serving', 'serving']);
  });

  it('is told of when an application that offers it comes, goes or is noted', () => {
    const { health, registry, provide } = setUp();
    const told: string[] = [];
    health.onChange((key) => told.push(key));
    const keys = healthKeys(health.nameFrom('com.shop.Orders') ?? 'bridge');
    const wasTold = () => told.splice(0).some((key) => keys.includes(key));
    provide('shop');
    expect(wasTold()).toBe(false);
    health.noteApplications('public', 'com.shop.Orders', 'shop');
    expect(wasTold()).toBe(true);
    registry.deregister({ ...orders, name: 'shop' }, registration());
    expect(wasTold()).toBe(true);
    health.noteApplications('public', 'com.shop.Orders', 'other-shop');
    expect(wasTold()).toBe(true);
    provide('shop');
    expect(wasTold()).toBe(false);
  });

  it.each(['[fe80:0:0:0:1:2:3:4]', 'fe80:0:0:0:1:2:3:4', 'FE80::1:2:3:4'])(
    'finds an instance of IPv6 that registered as %s, however it is asked for',
    (ip) => {
      const { registry, status } = setUp();
      registry.register(orders, registration({ ip }));
      for (const asked of ['[fe80::1:2:3:4]', 'fe80::1:2:3:4', '[fe80:0:0:0:1:2:3:4]'])
        expect(status(`orders?instance=${asked}:8080`)).toBe('serving');
      expect(status('orders?instance=fe80::1:2:3:5:8080')).toBe('unknown');
    },
  );

  it('with a cluster or an instance means only that part', () => {
    const { registry, status } = setUp();
    registry.register(orders, registration({ cluster: 'C1' }));
    registry.register(orders, registration({ cluster: 'C2', port: 81, enabled: false }));
    expect(status('orders?cluster=C1')).toBe('serving');
    expect(status('orders?cluster=C2')).toBe('not-serving');
    expect(status('orders?cluster=C3')).toBe('unknown');
    expect(status('orders?instance=10.0.0.1:8080')).toBe('serving');
    expect(status('orders?instance=10.0.0.1:81')).toBe('not-serving');
    expect(status('orders?instance=10.0.0.1:82')).toBe('unknown');
    expect(status('orders?instance=10.0.0.1:8080&cluster=C2')).toBe('unknown');
  });
});

describe('the minimum availability', () => {
  it('of a service goes before the default, and a single instance needs only itself', () => {
    const { registry, status } = setUp({ count: 2 });
    registry.register(orders, registration());
    expect(status('orders')).toBe('not-serving');
    expect(status('orders?instance=10.0.0.1:8080')).toBe('serving');
    registry.configure(orders, { ...DEFAULT_SETTINGS, minAvailable: { percent: 50 } });
    expect(status('orders')).toBe('serving');
    registry.register(orders, registration({ port: 81, healthy: false }));
    registry.register(orders, registration({ port: 82, healthy: false }));
    expect(status('orders')).toBe('not-serving');
  });
});

it('an explanation counts what a status is made of', () => {
  const { registry, health } = setUp({ count: 2 });
  registry.register(orders, registration());
  registry.register(orders, registration({ port: 81, enabled: false }));
  registry.register(orders, registration({ port: 82, healthy: false }));
  const name = health.nameFrom('orders');
  expect(name === undefined || name === 'bridge' ? [] : health.explain(name)).toEqual([
    {
      service: orders,
      status: 'not-serving',
      pending: undefined,
      remembered: 0,
      total: 3,
      healthy: 2,
      enabled: 2,
      available: 1,
      needed: 2,
      silentMs: [0, 0, 0],
      edited: [],
      drained: [],
      troubled: [],
      failing: [expect.objectContaining({ port: 81 }), expect.objectContaining({ port: 82 })],
      heardOf: expect.any(Function),
      isMeant: undefined,
    },
  ]);
});

it('an endpoint tells of the beats of more instances than a call can have arguments', () => {
  const clock = { ms: 0 };
  const registry = new Registry(() => clock.ms);
  const health = healthOf(registry);
  for (let i = 0; i < 200_000; i++)
    registry.register(orders, registration({ ip: `10.0.${i >> 16}.${i & 255}`, port: i & 65_535 }));
  clock.ms = 5_000;
  registry.beat(orders, { ip: '10.0.0.1', port: 1 });
  expect(JSON.parse(endpointOf(health, 'orders', LIMITS).json)).toMatchObject({
    services: [{ lastBeatAgeMs: { newest: 0, oldest: 5_000 } }],
  });
});

it.each([
  '',
  'orders',
  'off',
  'nobody',
  '@@',
  'G1@@orders',
  'DEFAULT_GROUP@@orders',
  'DEFAULT_GROUP@@G1@@orders',
  'orders?cluster=C1',
  'orders?color=red',
  'com.shop.Orders',
  'com.shop.Orders:1.0.0',
  'com.shop.Gone',
  'x'.repeat(341),
  'ü'.repeat(512),
  'ü'.repeat(513),
])('the status by the text %j is the one by the name', (text) => {
  const registry = new Registry(() => 0);
  const health = healthOf(registry);
  const service = (name: string, group = 'DEFAULT_GROUP') => ({ namespace: 'public', group, name });
  registry.register(orders, registration());
  registry.register(service('orders', 'G1'), registration({ enabled: false }));
  registry.register(service('G1@@orders'), registration());
  registry.register(service('off'), registration({ enabled: false }));
  registry.register(service('providers:com.shop.Orders:1.0.0:'), registration());
  // A service of that very name goes before, also while it is down.
  registry.register(service('com.shop.Gone'), registration({ enabled: false }));
  registry.register(service('providers:com.shop.Gone::'), registration());
  registry.register(service('x'.repeat(341)), registration());
  registry.register(service('ü'.repeat(512)), registration());
  const name = health.nameFrom(text);
  expect(health.statusOfText(text)).toBe(name && health.statusOf(name));
});

describe('shortly after the start', () => {
  const setUpLate = () => {
    const clock = { ms: 0 };
    const registry = new Registry(() => clock.ms, { graceMs: 30_000, forgetAfterMs: 1_000 });
    const health = healthOf(registry);
    const answer = (text: string) => {
      const { http, grpc, message, json } = endpointOf(health, text, LIMITS);
      expect(JSON.parse(json)).toMatchObject({ status: 'SERVICE_UNKNOWN', reason: message });
      return [http, grpc, message];
    };
    return { clock, registry, answer };
  };
  const UNKNOWN = [404, 5, 'unknown service'];
  const NOT_BACK = [404, 5, 'unknown service: the bridge has started only lately, its instances may not be back yet'];

  it.each(['orders', 'com.shop.Orders', 'blue/com.shop.Orders:1.0.0', 'orders?cluster=C1'])(
    '%s is as unknown as ever, but the reason says that its instances may not be back yet',
    (text) => {
      const { clock, answer } = setUpLate();
      expect(answer(text)).toEqual(NOT_BACK);
      clock.ms = 29_999;
      expect(answer(text)).toEqual(NOT_BACK);
      clock.ms = 30_000;
      expect(answer(text)).toEqual(UNKNOWN);
    },
  );

  it('what somebody has spoken of is plainly unknown', () => {
    const { registry, answer } = setUpLate();
    registry.register(orders, registration());
    registry.register({ ...orders, name: 'providers:com.shop.Orders:1.0.0:' }, registration());
    expect(answer('orders?cluster=C1')).toEqual(UNKNOWN);
    expect(answer('com.shop.Orders?cluster=C1')).toEqual(UNKNOWN);
  });
});
