import { describe, expect, it } from 'vitest';
import { CheckError } from '../../src/probe/check.ts';
import type { Registration } from '../../src/registry/instance.ts';
import { DEFAULT_SETTINGS } from '../../src/registry/settings.ts';
import { orders, registration } from '../support/instances.ts';
import { failOnLeaks } from '../support/leaks.ts';
import { type Begun, heard, ProberRoom } from './prober-room.ts';

failOnLeaks();

const REFUSED = new CheckError('refused', 'at-once');
const FAILED = new CheckError('connection failed', 'counted');
const NOT_ALLOWED = new CheckError('address not allowed', 'impossible');

const passing = (begun: Begun) => begun.pass();
const failing = (error: unknown) => (begun: Begun) => begun.fail(error);
const persistent = (more: Partial<Registration> = {}) => registration({ ephemeral: false, ...more });
const asking = (more: Record<string, string> = {}) => registration({ metadata: { 'health.check': 'tcp', ...more } });

function isHealthy({ registry }: ProberRoom): boolean | undefined {
  return registry.instance(orders, registration())?.healthy;
}

function troubleOf({ registry }: ProberRoom) {
  return registry.instance(orders, registration())?.trouble;
}

describe('which instances are checked', () => {
  it.each([
    ['a persistent one, at its own port', persistent(), {}, { port: 8080, check: { type: 'tcp' } }],
    ['one of a cluster with another check', persistent(), { DEFAULT: { type: 'tcp', port: 99 } }, { port: 99 }],
    ['one of a cluster beside that', persistent({ cluster: 'B' }), { DEFAULT: { type: 'none', port: 1 } }, { port: 8080 }],
    ['one of a cluster called like what every object has', persistent({ cluster: 'constructor' }), {}, { port: 8080 }],
    ['one that asks for it itself, and beats', asking({ 'health.check.port': '7' }), {}, { port: 7 }],
    [
      'one that asks for another check than its cluster has',
      { ...asking(), ephemeral: false },
      { DEFAULT: { type: 'none', port: 1 } },
      { port: 8080 },
    ],
    [
      'MySQL, which has no port but that of the instance',
      persistent(),
      { DEFAULT: { type: 'mysql', user: '', password: '', command: 'x', port: 5 } },
      { port: 8080, check: { type: 'mysql' } },
    ],
  ] as const)('%s', async (_, said, checks, expected) => {
    using room = new ProberRoom().start();
    room.registry.configure(orders, { ...DEFAULT_SETTINGS, checks });
    room.registry.register(orders, said);
    await room.pass(7_000);
    expect(room.prober.targetCount).toBe(1);
    expect(room.begun[0]).toMatchObject({ ip: '10.0.0.1', ...expected });
  });

  it.each([
    ['one that beats and asks for nothing', registration(), {}],
    ['one of a cluster that is not to be checked', persistent(), { DEFAULT: { type: 'none', port: undefined } }],
    ['one whose wish makes no sense', asking({ 'health.check.port': 'x' }), {}],
  ] as const)('not %s', async (_, said, checks) => {
    using room = new ProberRoom().start();
    room.registry.configure(orders, { ...DEFAULT_SETTINGS, checks });
    room.registry.register(orders, said);
    await room.pass(60_000, 1_000);
    expect([room.prober.targetCount, room.begun.length, room.scheduler.open]).toEqual([0, 0, 0]);
  });

  it('those that were known before the start are checked too', async () => {
    using room = new ProberRoom();
    room.registry.register(orders, persistent());
    room.start();
    await room.pass(7_000);
    expect(room.begun.length).toBeGreaterThan(0);
  });

  it('one that goes is not checked any more, and a check of it that is under way is aborted', async () => {
    using room = new ProberRoom().start();
    room.registry.register(orders, persistent());
    await room.pass(3_250);
    expect(room.prober.underWay).toBe(1);
    room.registry.deregister(orders, persistent());
    expect([room.prober.underWay, room.prober.targetCount, room.begun[0]?.signal.aborted]).toEqual([0, 0, true]);
    room.begun[0]?.fail(REFUSED);
    await heard();
    expect(room.scheduler.open).toBe(0);
  });

  it('one that an operator makes ask for it, and none that is dropped with its service', async () => {
    using room = new ProberRoom().start();
    room.registry.register(orders, registration());
    room.registry.edit(orders, registration(), { metadata: { 'health.check': 'http:/up' } });
    await room.pass(1_000);
    expect(room.begun).toMatchObject([{ check: { type: 'http', path: '/up' } }]);
    room.registry.drop(orders);
    expect([room.prober.targetCount, room.prober.underWay]).toEqual([0, 0]);
  });
});

describe('when they are checked', () => {
  it.each([
    ['a persistent one after 2 to 7 s, as by Nacos', persistent(), 3_250],
    ['one that asks for it within a second', asking(), 500],
  ])('%s', async (_, said, first) => {
    using room = new ProberRoom().start();
    room.registry.register(orders, said);
    await room.pass(first - 10);
    expect(room.begun.length).toBe(0);
    await room.pass(10);
    expect(room.begun.length).toBe(1);
  });

  it('whoever is due earlier than all who wait is not late', async () => {
    using room = new ProberRoom().start();
    room.registry.register(orders, persistent({ port: 1 }));
    room.registry.register(orders, asking());
    await room.pass(500);
    expect(room.begun.map(({ port }) => port)).toEqual([8080]);
  });

  it('a check that is set anew is made within a second, and the one before ends', async () => {
    using room = new ProberRoom().start();
    room.registry.register(orders, persistent());
    await room.pass(3_250);
    const http = { type: 'http', path: '/', headers: '', expectedResponseCode: 200, tls: false, verify: true } as const;
    room.registry.configure(orders, { ...DEFAULT_SETTINGS, checks: { DEFAULT: { ...http, port: undefined } } });
    expect(room.begun[0]?.signal.aborted).toBe(true);
    await room.pass(500);
    expect(room.begun).toMatchObject([{ check: { type: 'tcp' } }, { check: { type: 'http' } }]);
  });

  it('settings that say the same again change nothing', async () => {
    using room = new ProberRoom().start();
    room.registry.register(orders, persistent());
    await room.pass(3_250);
    room.registry.configure(orders, { ...DEFAULT_SETTINGS, checks: { DEFAULT: { type: 'tcp', port: undefined } } });
    expect(room.begun[0]?.signal.aborted).toBe(false);
  });

  it('fast ones come as often as the kind allows in the end, and one that is down as seldom', async () => {
    using room = new ProberRoom().start();
    room.answer = passing;
    room.registry.register(orders, persistent());
    await room.pass(60_000);
    const gaps = (list: readonly Begun[]) => list.map(({ at }, i) => at - (list[i - 1]?.at ?? at));
    expect(gaps(room.begun).slice(1, 4)).toEqual([2_438, 1_831, 1_373]);
    expect(gaps(room.begun).at(-1)).toBe(1_000);
    room.answer = failing(REFUSED);
    await room.pass(120_000);
    expect(gaps(room.begun).at(-1)).toBeGreaterThan(4_990);
    expect(room.prober.times.of(orders, 'DEFAULT')).toEqual({ best: 1, worst: 5_000, normalized: 4_998 });
    expect(room.prober.times.of(orders, 'B')).toEqual({ best: 0, worst: 0, normalized: 0 });
  });

  it('as often, and for as long, as the instance asks for', async () => {
    using room = new ProberRoom().start();
    room.registry.register(orders, asking({ 'health.check.interval': '10s', 'health.check.timeout': '2s' }));
    await room.pass(30_000);
    expect(room.begun.map(({ at }) => at)).toEqual([500, 12_500, 24_500]);
  });

  it('one that cannot be checked is tried as seldom as the kind allows', async () => {
    using room = new ProberRoom().start();
    room.answer = failing(NOT_ALLOWED);
    room.registry.register(orders, asking());
    await room.pass(11_000);
    expect(room.begun.map(({ at }) => at)).toEqual([500, 5_500, 10_500]);
  });
});

describe('what checks come to', () => {
  it('a persistent instance falls and heals after three in a row, and is written to only when something changes', async () => {
    using room = new ProberRoom().start();
    const told: unknown[] = [];
    room.registry.onChange(() => told.push([room.begun.length, isHealthy(room), troubleOf(room)?.reason]));
    room.answer = passing;
    room.registry.register(orders, persistent());
    await room.pass(20_000);
    const before = room.begun.length;
    room.answer = failing(FAILED);
    await room.pass(30_000);
    const then = room.begun.length;
    room.answer = passing;
    await room.pass(30_000);
    expect(told).toEqual([
      [0, true, undefined],
      [before + 3, false, 'connection failed'],
      [then + 3, true, undefined],
    ]);
  });

  it('a refusal fells at once', async () => {
    using room = new ProberRoom().start();
    room.answer = failing(REFUSED);
    room.registry.register(orders, asking());
    await room.pass(500);
    expect([isHealthy(room), troubleOf(room)]).toEqual([false, { verdict: 'failing', type: 'tcp', reason: 'refused' }]);
  });

  it('a beat or a registration does not heal what a check has failed, and its streak goes on', async () => {
    using room = new ProberRoom().start();
    room.answer = failing(REFUSED);
    room.registry.register(orders, asking());
    await room.pass(500);
    room.answer = passing;
    const count = room.begun.length;
    while (room.begun.length < count + 2) await room.pass(10);
    room.registry.beat(orders, registration());
    room.registry.register(orders, asking());
    expect(isHealthy(room)).toBe(false);
    while (room.begun.length < count + 3) await room.pass(10);
    expect(isHealthy(room)).toBe(true);
  });

  it('an instance of another kind begins anew', async () => {
    using room = new ProberRoom().start();
    room.answer = failing(FAILED);
    room.registry.register(orders, asking({ 'health.check.interval': '1s' }));
    await room.pass(2_000);
    expect(room.begun.length).toBe(2);
    room.registry.register(orders, { ...asking({ 'health.check.interval': '1s' }), ephemeral: false });
    await room.pass(2_000);
    expect([room.begun.length, isHealthy(room)]).toEqual([4, true]);
    await room.pass(1_000);
    expect(isHealthy(room)).toBe(false);
  });

  it('one that cannot be checked is as it says itself, and says why', async () => {
    using room = new ProberRoom().start();
    room.answer = failing(NOT_ALLOWED);
    room.registry.register(orders, persistent());
    await room.pass(7_000);
    expect([isHealthy(room), troubleOf(room)]).toEqual([
      true,
      { verdict: 'unchecked', type: 'tcp', reason: 'address not allowed' },
    ]);
    room.answer = passing;
    await room.pass(30_000);
    expect(troubleOf(room)).toBeUndefined();
  });

  it.each([
    ['asks for it no more', (room: ProberRoom) => room.registry.register(orders, registration())],
    ['is switched off', (room: ProberRoom) => room.rules.switch(() => false)],
  ])('an instance that failed and %s is as it says itself', async (_, end) => {
    using room = new ProberRoom().start();
    room.answer = failing(REFUSED);
    room.registry.register(orders, asking());
    await room.pass(500);
    let isWriting = false;
    const writes: boolean[] = [];
    room.registry.onEvent(({ cause }) => cause === 'probe' && writes.push(isWriting));
    isWriting = true;
    end(room);
    isWriting = false;
    await room.pass(10);
    // Never while the registry tells of the change.
    expect([isHealthy(room), troubleOf(room), writes]).toEqual([true, undefined, [false]]);
  });

  it('one that is switched off and on again at once stays out until its check has passed anew', async () => {
    using room = new ProberRoom().start();
    room.answer = failing(REFUSED);
    room.registry.register(orders, asking());
    await room.pass(500);
    room.answer = passing;
    room.rules.switch(() => false);
    room.rules.switch(() => true);
    await room.pass(3_000);
    expect([room.begun.length, isHealthy(room)]).toEqual([1, false]);
    await room.pass(9_000);
    expect(isHealthy(room)).toBe(true);
  });

  it.each([
    ['x is not a function', new TypeError('x is not a function')],
    ['check failed', new CheckError('check failed', 'unheard')],
  ])(
    'a check that fails by a fault of this process is logged once a minute, and no instance falls or heals by it: %s',
    async (message, fault) => {
      using room = new ProberRoom().start();
      room.registry.register(orders, asking());
      room.answer = failing(fault);
      await room.pass(30_000);
      expect([isHealthy(room), troubleOf(room)]).toEqual([true, undefined]);
      room.answer = failing(REFUSED);
      await room.pass(6_000);
      room.answer = failing(fault);
      await room.pass(20_000);
      expect([isHealthy(room), troubleOf(room)?.reason]).toEqual([false, 'refused']);
      expect(room.lines).toMatchObject([{ level: 50, err: { message } }]);
    },
  );
});

describe('a check that does not end', () => {
  it('is over after its time, whatever it says later', async () => {
    using room = new ProberRoom().start();
    room.registry.register(orders, asking({ 'health.check.interval': '1s' }));
    await room.pass(990);
    expect([room.prober.underWay, room.begun[0]?.signal.aborted]).toEqual([1, false]);
    await room.pass(10);
    expect([room.prober.underWay, room.begun[0]?.signal.aborted]).toEqual([0, true]);
    for (const begun of room.begun) begun.pass();
    await room.pass(3_000);
    room.begun[1]?.fail(new Error('late'));
    await room.pass(2_000);
    expect([isHealthy(room), troubleOf(room)?.reason, room.lines]).toEqual([false, 'timed out', []]);
  });

  it('says itself what it has waited for', async () => {
    using room = new ProberRoom().start();
    // As it really is: promises are heard of before the event loop has come round.
    room.scheduler.soon = (run) => void setImmediate(run);
    room.answer = ({ signal, fail }) =>
      signal.addEventListener('abort', () => fail(new CheckError('host name not found', 'unheard')));
    room.registry.register(orders, asking({ 'health.check.interval': '1s' }));
    await room.pass(30_000);
    expect([isHealthy(room), troubleOf(room), room.begun.length > 10]).toEqual([true, undefined, true]);
  });

  it('says nothing when this process was deaf meanwhile', async () => {
    using room = new ProberRoom().start();
    room.rules.times = 1;
    room.registry.register(orders, asking());
    await room.pass(500);
    room.scheduler.stall(5_000);
    await room.pass(10);
    expect([room.begun[0]?.signal.aborted, isHealthy(room)]).toEqual([true, true]);
    await room.pass(5_000);
    expect(isHealthy(room)).toBe(false);
  });

  it('is aborted when the prober stops, and nothing is left behind', async () => {
    using room = new ProberRoom().start();
    room.registry.register(orders, persistent());
    room.registry.register(orders, persistent({ port: 1 }));
    await room.pass(3_250);
    room.prober.stop();
    expect(room.begun.map(({ signal }) => signal.aborted)).toEqual([true, true]);
    room.registry.register(orders, persistent({ port: 2 }));
    expect([room.prober.underWay, room.prober.targetCount, room.scheduler.open]).toEqual([0, 0, 0]);
  });
});

describe('the switch', () => {
  const stock = { ...orders, name: 'stock' };

  it('off: nothing is dialled but what is on all the same; on: all of it again, anew', async () => {
    using room = new ProberRoom().start();
    room.registry.register(orders, persistent());
    room.registry.register(stock, persistent({ port: 1 }));
    await room.pass(3_250);
    room.rules.switch(({ name }) => name === 'stock');
    expect([room.prober.targetCount, room.begun.map(({ port, signal }) => [port, signal.aborted])]).toEqual([
      1,
      [
        [8080, true],
        [1, false],
      ],
    ]);
    room.registry.register(orders, persistent({ port: 2 }));
    await room.pass(20_000);
    expect(new Set(room.begun.slice(2).map(({ port }) => port))).toEqual(new Set([1]));
    room.rules.switch(() => true);
    expect(room.prober.targetCount).toBe(3);
    await room.pass(7_000);
    expect(new Set(room.begun.map(({ port }) => port))).toEqual(new Set([8080, 1, 2]));
  });
});
