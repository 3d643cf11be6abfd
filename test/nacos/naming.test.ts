import { describe, expect, it } from 'vitest';
import { RequestError } from '../../src/nacos/errors.ts';
import type { RegistryEvent } from '../../src/registry/changes.ts';
import { orders, registration } from '../support/instances.ts';
import { emptyNacos } from '../support/nacos-room.ts';
import { atOnce } from '../support/turns.ts';

const at = { ip: '10.0.0.1', port: 8080 };
const place = { ...at, cluster: 'DEFAULT' };
const by = { peer: '10.9.9.9', agent: 'curl/8' };

function setUp() {
  const { rooms, scheduler } = emptyNacos();
  const { naming, registry, switches } = rooms;
  const events: RegistryEvent[] = [];
  registry.onEvent((event) => events.push(event));
  return { naming, registry, switches, events, scheduler, seen: () => registry.instance(orders, at) };
}

describe('a full beat of an instance that is not here', () => {
  it('registers it, with the defaults of a registration for what it does not name', () => {
    const { naming, seen } = setUp();
    expect(naming.beat(orders, at, at, by)).toBe(5_000);
    expect(seen()).toMatchObject({ cluster: 'DEFAULT', ephemeral: true, weight: 1, enabled: true, healthy: true, metadata: {} });
  });

  it('registers it as it said itself before it fell silent, where the beat does not name it', () => {
    const { naming, registry, scheduler, seen } = setUp();
    const said = { cluster: 'C1', weight: 7, enabled: false, healthy: false, metadata: { k: 'v' } };
    naming.register(orders, registration(said), by);
    scheduler.advance(30_000);
    registry.sweep();
    expect(seen()).toBeUndefined();
    expect(naming.beat(orders, at, { ...at, weight: 2 }, by)).toBe(5_000);
    expect(seen()).toMatchObject({ ...said, weight: 2, healthy: true });
  });

  it('registers it anew once its service has been forgotten', () => {
    const { naming, registry, scheduler, seen } = setUp();
    naming.register(orders, registration({ weight: 7 }), by);
    for (let i = 0; i < 2; i++) {
      scheduler.advance(60_000);
      registry.sweep();
    }
    naming.beat(orders, at, at, by);
    expect(seen()).toMatchObject({ weight: 1 });
  });

  it('that is light changes nothing', () => {
    const { naming, registry } = setUp();
    expect(naming.beat(orders, at, undefined, by)).toBeUndefined();
    expect(registry.instances(orders)).toBeUndefined();
  });
});

describe('a beat', () => {
  it('says the interval of the instance, or else that of the switches', () => {
    const { naming, switches } = setUp();
    naming.register(orders, registration({ metadata: { 'preserved.heart.beat.interval': '1000' } }), by);
    naming.register(orders, registration({ port: 81 }), by);
    switches.set('clientBeatInterval', '7000');
    expect(naming.beat(orders, at, undefined, by)).toBe(1_000);
    expect(naming.beat(orders, { ...at, port: 81 }, undefined, by)).toBe(7_000);
  });

  it('changes nothing of an instance that is here but its health', () => {
    const { naming, seen } = setUp();
    naming.register(orders, registration({ weight: 3, healthy: false }), by);
    naming.beat(orders, at, { ...at, weight: 9, metadata: { a: 'b' } }, by);
    expect(seen()).toMatchObject({ weight: 3, metadata: {}, healthy: true });
  });
});

describe('an edit', () => {
  it('of a whole map of metadata takes away what is seen and not in it, key by key', () => {
    const { naming, registry, seen } = setUp();
    naming.register(orders, registration({ metadata: { a: '1', b: '2' } }), by);
    naming.update(orders, { ...at, metadata: { b: '2', c: '3' } }, false, by);
    expect(seen()?.metadata).toEqual({ b: '2', c: '3' });
    expect(seen()?.edit).toEqual({ metadata: { a: null, c: '3' } });
    registry.register(orders, registration({ metadata: { b: '4', d: '5' } }));
    expect(seen()?.metadata).toEqual({ b: '4', c: '3', d: '5' });
  });

  it('of a key called __proto__ is one like any other', () => {
    const { naming, seen } = setUp();
    naming.register(orders, registration(), by);
    const metadata = Object.fromEntries([['__proto__', 'x']]);
    naming.mergeMetadata(orders, { ephemeral: true }, metadata, by);
    expect(Object.entries(seen()?.metadata ?? {})).toEqual([['__proto__', 'x']]);
    naming.removeMetadata(orders, { addresses: [at] }, metadata, by);
    expect(Object.entries(seen()?.metadata ?? {})).toEqual([]);
  });

  it('that names nothing is no edit', () => {
    const { naming, events } = setUp();
    naming.register(orders, registration(), by);
    events.length = 0;
    naming.update(orders, { ...at, cluster: 'C9', ephemeral: false }, false, by);
    naming.patch(orders, place, {}, by);
    expect(events).toEqual([]);
  });

  it('may not make more metadata than the limit, however it comes together', () => {
    const { naming, seen } = setUp();
    naming.register(orders, registration({ metadata: { a: 'x'.repeat(10_000) } }), by);
    const more = { b: 'x'.repeat(10_000) };
    expect(() => naming.mergeMetadata(orders, { ephemeral: true }, more, by)).toThrow('should not exceed 16384');
    expect(() => naming.update(orders, { ...at, metadata: { ...more, c: more.b } }, false, by)).toThrow(RequestError);
    expect(seen()?.edit).toBeUndefined();
  });

  it('ends with a goodbye, and waits for an instance that only fell silent', () => {
    const { naming, registry, scheduler, seen } = setUp();
    naming.register(orders, registration(), by);
    naming.patch(orders, place, { weight: 5 }, by);
    scheduler.advance(30_000);
    registry.sweep();
    naming.register(orders, registration(), by);
    expect(seen()?.weight).toBe(5);
    naming.deregister(orders, at, by);
    naming.register(orders, registration(), by);
    expect(seen()?.weight).toBe(1);
  });
});

describe('an edit of 3.x', () => {
  it('lays metadata over what the client says, in place of those that were edited before', () => {
    const { naming, registry, seen } = setUp();
    naming.register(orders, registration({ metadata: { a: '1', b: '1' } }), by);
    naming.overlay(orders, { ...at, metadata: { b: '2', c: '2' } }, by);
    expect(seen()?.metadata).toEqual({ a: '1', b: '2', c: '2' });
    naming.overlay(orders, { ...at, weight: 4 }, by);
    naming.overlay(orders, { ...at, metadata: { d: '3' } }, by);
    expect(seen()?.edit).toEqual({ weight: 4, metadata: { d: '3' } });
    registry.register(orders, registration({ metadata: { a: '5' } }));
    expect(seen()?.metadata).toEqual({ a: '5', d: '3' });
    const metadata = Object.fromEntries([['__proto__', 'x']]);
    naming.overlay(orders, { ...at, metadata }, by);
    naming.overlay(orders, { ...at, metadata: {} }, by);
    expect(seen()?.edit).toEqual({ weight: 4 });
  });

  it('makes no instance, and no more metadata than the limit', () => {
    const { naming, seen } = setUp();
    naming.overlay(orders, { ...at, enabled: false }, by);
    expect(seen()).toBeUndefined();
    naming.register(orders, registration({ metadata: { a: 'x'.repeat(10_000) } }), by);
    expect(() => naming.overlay(orders, { ...at, metadata: { b: 'x'.repeat(10_000) } }, by)).toThrow('should not exceed 16384');
    expect(seen()).toMatchObject({ enabled: true, edit: undefined });
  });

  it('reaches one that waits for its instance; both are listed and ended alike', () => {
    const { naming, registry, scheduler, seen } = setUp();
    naming.register(orders, registration(), by);
    naming.overlay(orders, { ...at, weight: 5 }, by);
    scheduler.advance(30_000);
    registry.sweep();
    naming.overlay(orders, { ...at, enabled: false }, by);
    scheduler.advance(1_000);
    const page = { pageNo: 1, pageSize: 10 };
    const waiting = { ...at, kind: 'edit', service: orders, edit: { weight: 5, enabled: false }, awayMs: 1_000 };
    expect(atOnce(naming.edits({ name: orders.name }, page))).toEqual({ edits: [waiting], count: 1 });
    expect(atOnce(naming.edits({ name: 'payments' }, page))).toEqual({ edits: [], count: 0 });
    naming.unedit(orders, at, by);
    expect(atOnce(naming.edits({}, page)).count).toBe(0);
    naming.register(orders, registration(), by);
    expect(seen()).toMatchObject({ enabled: true, weight: 1 });
    expect(() => naming.unedit(orders, at, by)).toThrow(/^there is no edit of 10.0.0.1:8080 in service /);
  });
});

describe('an update of an instance that is not here', () => {
  it('registers it if it may, and else is refused', () => {
    const { naming, switches, seen } = setUp();
    expect(() => naming.update(orders, at, false, by)).toThrow('instance not exist: 10.0.0.1:8080');
    switches.set('defaultInstanceEphemeral', 'false');
    naming.update(orders, { ...at, weight: 2 }, true, by);
    expect(seen()).toMatchObject({ weight: 2, ephemeral: false });
  });
});

describe('what is on whose word', () => {
  it('stands with each event', () => {
    const { naming, events } = setUp();
    naming.register(orders, registration({ healthy: false }), by);
    naming.beat(orders, at, undefined, by);
    naming.patch(orders, place, { weight: 2, healthy: false }, by);
    naming.mergeMetadata(orders, { ephemeral: true }, { a: 'b' }, by);
    naming.deregister(orders, at, by);
    expect(events.map((event) => [event.cause, event.by])).toEqual([
      ['registered', by],
      ['beat', by],
      ['edited', by],
      ['probe', by],
      ['edited', by],
      ['deregistered', by],
    ]);
  });
});

describe('a deregistration', () => {
  it('of what a connection holds leaves it there, and is refused: an ok would be taken for its end', () => {
    const { naming, registry, seen } = setUp();
    registry.hold(orders, registration(), {});
    expect(() => naming.deregister(orders, at, by)).toThrow('10.0.0.1:8080 is held by the connection of a client');
    expect(seen()).toBeDefined();
  });
});

describe('a list', () => {
  it('of a service that may only not be back yet is never newer than one that its reader has', () => {
    const { rooms, scheduler } = emptyNacos({ graceMs: 30_000 });
    const { naming } = rooms;
    expect(naming.listTime(orders)).toBe(0);
    naming.register(orders, registration(), by);
    expect(naming.listTime(orders)).toBe(1_000);
    scheduler.advance(30_000);
    expect(naming.listTime({ ...orders, name: 'payments' })).toBe(31_000);
  });
});

describe("an operator's word over health", () => {
  it.each([
    [true, 'health check is still working'],
    [false, undefined],
  ])('where instances are checked (%s) is refused with %s', (isChecking, refused) => {
    const { rooms } = emptyNacos({ isChecking });
    rooms.naming.register(orders, registration({ ephemeral: false }), by);
    const say = () => rooms.naming.setHealth(orders, place, false, by);
    if (refused === undefined) say();
    else expect(say).toThrow(refused);
    expect(rooms.registry.instance(orders, at)?.healthy).toBe(refused !== undefined);
  });
});
