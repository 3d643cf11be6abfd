import { describe, expect, it } from 'vitest';
import type { RegistryEvent } from '../../src/registry/changes.ts';
import type { Registration } from '../../src/registry/instance.ts';
import type { RegistryOptions } from '../../src/registry/options.ts';
import { Registry } from '../../src/registry/registry.ts';
import { orders, registration } from '../support/instances.ts';

const BY = { peer: '10.9.9.9', user: 'ann' };
const holder = { name: 'connection' };
const shop = { ...orders, name: 'shop' };
/** Of the day, which has nothing to do with the registry's clock. */
const DAY = 1_700_000_000_000;

function setUp(options: RegistryOptions = {}) {
  const clock = { ms: 5_000 };
  const registry = new Registry(() => clock.ms, options);
  const told: RegistryEvent[] = [];
  registry.onEvent((event) => told.push(event));
  const drainOf = (forMs: number, reason = 'a release') => ({ reason, since: DAY, until: DAY + forMs, by: BY });
  return {
    registry,
    told,
    register: (said: Partial<Registration> = {}, service = orders) => registry.register(service, registration(said)),
    drain: (forMs = 600_000, reason?: string) => registry.drains.drain(orders, registration(), drainOf(forMs, reason)),
    resume: () => registry.drains.resume(orders, registration(), BY),
    wait(ms: number) {
      clock.ms += ms;
      registry.sweep();
    },
    now: () => registry.instance(orders, registration()),
    available: () => registry.tally(orders)?.available,
    drained: () => [...registry.drains.all()].map(({ port, isAway, drain: { reason } }) => [port, isAway, reason]),
    causes: () => told.splice(0).map(({ cause, drain }) => (drain?.why === undefined ? cause : `${cause} ${drain.why}`)),
  };
}

type Room = ReturnType<typeof setUp>;

describe('an instance that is drained', () => {
  it('is there, healthy and not available, until it is resumed', () => {
    const room = setUp();
    room.register();
    expect(room.drain()).toBe(true);
    expect(room.now()).toMatchObject({ enabled: false, healthy: true, edit: undefined, drain: { reason: 'a release', by: BY } });
    expect([room.available(), room.drained()]).toEqual([0, [[8080, false, 'a release']]]);
    expect(room.resume()).toBe(true);
    expect([room.now()?.enabled, room.now()?.drain, room.available(), room.drained()]).toEqual([true, undefined, 1, []]);
    expect(room.resume()).toBe(false);
  });

  it('is told so, by whom, why and for how long, before the service is named', () => {
    const room = setUp();
    room.register();
    room.told.splice(0);
    const seen: unknown[] = [];
    room.registry.onEvent(({ cause }) => seen.push(cause, room.available()));
    room.registry.onChange(({ name }) => seen.push(name));
    room.drain();
    room.resume();
    const instance = { ip: '10.0.0.1', port: 8080, cluster: 'DEFAULT', ephemeral: true };
    const common = { at: 5_000, service: orders, instance, from: 'healthy', to: 'healthy', by: BY };
    const drain = { reason: 'a release', until: DAY + 600_000, forMs: 600_000 };
    expect(room.told).toEqual([
      { ...common, cause: 'drained', drain },
      { ...common, cause: 'resumed', drain: { ...drain, why: 'asked' } },
    ]);
    expect(seen).toEqual(['drained', 0, 'orders', 'resumed', 1, 'orders']);
  });

  it.each<[how: string, act: (room: Room) => void]>([
    ['beats', ({ registry }) => void registry.beat(orders, registration())],
    ['registers again', ({ register }) => register({ enabled: true, metadata: { release: '2' } })],
    ['is registered by a connection', ({ registry }) => registry.hold(orders, registration(), holder)],
    ['is found healthy', ({ registry }) => void registry.report(orders, registration(), true)],
    ['is enabled by an edit', ({ registry }) => void registry.edit(orders, registration(), { enabled: true })],
    ['loses all its edits', ({ registry }) => void registry.unedit(orders, registration())],
    [
      'falls silent, goes and returns',
      ({ wait, register }) => {
        wait(15_000);
        wait(15_000);
        register();
      },
    ],
  ])('stays so when it %s', (_, act) => {
    const room = setUp();
    room.register({ metadata: { release: '1' } });
    room.registry.edit(orders, registration(), { weight: 3 });
    room.drain();
    act(room);
    expect([room.now()?.enabled, room.available(), room.drained()]).toEqual([false, 0, [[8080, false, 'a release']]]);
  });

  it('is what it was said to be before, once it is resumed', () => {
    const room = setUp();
    room.register();
    room.registry.edit(orders, registration(), { enabled: false });
    room.drain();
    room.resume();
    expect(room.now()).toMatchObject({ enabled: false, edit: { enabled: false } });
  });

  it('is drained anew by a second drain, and then that counts', () => {
    const room = setUp();
    room.register();
    room.drain(10_000);
    room.wait(4_000);
    room.drain(8_000, 'longer');
    room.wait(7_999);
    expect(room.drained()).toEqual([[8080, false, 'longer']]);
    room.wait(1);
    expect(room.drained()).toEqual([]);
  });
});

describe('a drain', () => {
  it('is over by the clock, to the millisecond, whether silence counts or not', () => {
    for (const isSuspended of [false, true]) {
      const room = setUp();
      room.registry.suspendExpiry(isSuspended);
      room.register({ ephemeral: false });
      room.drain(10_000);
      expect(room.registry.nextDue).toBe(15_000);
      room.wait(9_999);
      expect(room.available()).toBe(0);
      const named: string[] = [];
      room.registry.onChange(({ name }) => named.push(name));
      room.wait(1);
      expect([room.available(), named, room.registry.nextDue]).toEqual([1, ['orders'], undefined]);
      expect(room.causes()).toEqual(['registered', 'drained', 'resumed over']);
    }
  });

  it('that is the last of several is due once the ones before it are over', () => {
    const room = setUp();
    for (const port of [1, 2, 3]) room.register({ port, ephemeral: false });
    for (const port of [1, 2, 3])
      room.registry.drains.drain(orders, registration({ port }), { reason: '', since: DAY, until: DAY + port * 1_000 });
    room.wait(1_000);
    expect([room.drained().length, room.registry.nextDue]).toEqual([2, 7_000]);
    room.wait(2_000);
    expect([room.drained().length, room.registry.nextDue]).toEqual([0, undefined]);
  });

  it('ends with a goodbye, which is what is told last', () => {
    const room = setUp();
    room.register();
    room.drain();
    room.registry.deregister(orders, registration(), BY);
    room.register();
    expect(room.available()).toBe(1);
    expect(room.causes()).toEqual(['registered', 'drained', 'resumed deregistered', 'deregistered', 'registered']);
  });

  it('ends with a goodbye over a connection too', () => {
    const room = setUp();
    room.registry.hold(orders, registration(), holder);
    room.drain();
    room.registry.release(orders, registration(), holder, 'deregistered');
    expect([room.drained(), room.causes().at(-1)]).toEqual([[], 'deregistered']);
  });

  it('ends with the service', () => {
    const room = setUp();
    room.register();
    room.register({ port: 2 });
    room.drain();
    room.registry.drains.drain(orders, registration({ port: 2 }), { reason: '', since: DAY, until: DAY + 600_000 });
    room.registry.beat(orders, registration({ port: 2 }));
    room.wait(20_000);
    room.registry.beat(orders, registration({ port: 2 }));
    room.wait(10_000);
    expect(room.drained()).toEqual([
      [2, false, ''],
      [8080, true, 'a release'],
    ]);
    room.causes();
    room.registry.drop(orders, BY);
    expect(room.drained()).toEqual([]);
    expect(room.causes()).toEqual(['resumed dropped', 'resumed dropped', 'dropped', 'dropped']);
  });

  it('waits for an instance that went without a word, can be ended meanwhile, and is over in time', () => {
    for (const end of ['asked', 'deregistered', 'over'] as const) {
      const room = setUp();
      room.register();
      room.drain(40_000);
      room.wait(30_000);
      expect(room.drained()).toEqual([[8080, true, 'a release']]);
      room.causes();
      if (end === 'asked') expect(room.resume()).toBe(true);
      if (end === 'deregistered') room.registry.deregister(orders, registration());
      if (end === 'over') room.wait(10_000);
      expect([room.drained(), room.causes()]).toEqual([[], [`resumed ${end}`]]);
      room.register();
      expect(room.available()).toBe(1);
    }
  });

  it('can be laid anew over one that is away, and not over one that never was', () => {
    const room = setUp();
    expect([room.drain(), room.drained(), room.causes()]).toEqual([false, [], []]);
    room.register();
    room.drain(40_000);
    room.wait(30_000);
    expect(room.drain(60_000, 'longer')).toBe(true);
    room.wait(59_999);
    room.register();
    expect(room.drained()).toEqual([[8080, false, 'longer']]);
  });

  it('waits no longer than an edit, and of too many the latest wait', () => {
    const room = setUp({ keepEditsMs: 60_000, maxRemembered: 2 });
    for (const port of [1, 2, 3]) {
      room.register({ port });
      room.registry.drains.drain(orders, registration({ port }), { reason: '', since: DAY, until: DAY + 600_000 });
    }
    room.wait(30_000);
    expect(room.drained().map(([port]) => port)).toEqual([2, 3]);
    room.wait(59_999);
    expect(room.drained()).toHaveLength(2);
    room.wait(1);
    expect(room.drained()).toEqual([]);
    room.register({ port: 3 });
    expect(room.available()).toBe(1);
  });

  it('leaves alone who is at the same address in another service', () => {
    const room = setUp();
    room.register();
    room.register({}, shop);
    room.drain();
    expect([room.available(), room.registry.tally(shop)?.available]).toEqual([0, 1]);
  });
});

describe('whoever is at an address', () => {
  it('is found in all services, whatever else there is, and those too whose drain waits', () => {
    const room = setUp();
    for (let i = 0; i < 20_000; i++) room.register({ ip: `10.1.${i >> 8}.${i & 255}`, ephemeral: false });
    room.register();
    room.register({}, shop);
    room.register({ port: 81 }, shop);
    const found = () => [...room.registry.drains.at(8080, (ip) => ip === '10.0.0.1')];
    expect(found().filter((one) => one === undefined)).toHaveLength(2);
    expect(found().flatMap((one) => one?.service.name ?? [])).toEqual(['orders', 'shop']);
    room.drain();
    room.wait(30_000);
    expect(found().flatMap((one) => one?.service.name ?? [])).toEqual(['orders']);
  });
});

describe('drains that are given back', () => {
  const EXACT = { afresh: false, heldMs: 45_000 };

  function restored(room: Room, leftMs?: number) {
    const clock = { ms: 1_000_000 };
    const other = new Registry(() => clock.ms);
    const causes: string[] = [];
    other.onEvent(({ cause, drain }) => causes.push(drain?.why === undefined ? cause : `${cause} ${drain.why}`));
    const records = [...room.registry.records.all()];
    other.restore(
      records.map((record) => (record.kind === 'drain' && leftMs !== undefined ? { ...record, leftMs } : record)),
      EXACT,
    );
    return { other, causes, clock };
  }

  it('go on for what is left of them', () => {
    const room = setUp();
    room.register({ ephemeral: false });
    room.drain(10_000);
    room.wait(4_000);
    const { other, clock } = restored(room);
    expect(other.instance(orders, registration())).toMatchObject({ enabled: false, drain: { reason: 'a release', by: BY } });
    expect([other.tally(orders)?.available, other.nextDue]).toEqual([0, 1_006_000]);
    clock.ms += 6_000;
    other.sweep();
    expect(other.tally(orders)?.available).toBe(1);
  });

  it('are over at once where nothing is left of them, which is told once somebody listens', () => {
    const room = setUp();
    room.register({ ephemeral: false });
    room.drain(10_000);
    const { other, causes } = restored(room, 0);
    expect([other.tally(orders)?.available, [...other.drains.all()]]).toEqual([1, []]);
    expect(causes).toEqual(['restored']);
    for (let i = 0; i < 2; i++) other.drains.tellOver();
    expect(causes).toEqual(['restored', 'resumed over']);
  });

  it('wait for who is still away', () => {
    const room = setUp();
    room.register();
    room.drain();
    room.wait(30_000);
    const { other } = restored(room);
    other.register(orders, registration());
    expect(other.instance(orders, registration())?.enabled).toBe(false);
  });
});
