import { describe, expect, it } from 'vitest';
import { Past } from '../../src/events/past.ts';
import { type Endpoint, endpointOf } from '../../src/health/endpoints.ts';
import { Health } from '../../src/health/health.ts';
import { KeptAnswers } from '../../src/health/kept-answers.ts';
import { HEARS_ALL, type MayHear } from '../../src/health/past.ts';
import { ONE_AVAILABLE } from '../../src/registry/available.ts';
import { serviceKey } from '../../src/registry/service-name.ts';
import { at, BY, eventsRoom, ORDERS, SAID } from '../support/events-room.ts';
import { LIMITS } from '../support/limits.ts';

const HOME = { namespace: 'public', group: 'G' };

/** A registry whose past is kept, and what `/health/NAME` says of it. */
function explained() {
  const room = eventsRoom();
  const { registry, scheduler, history, gathering } = room;
  const patience = { fallAfterMs: 0, riseAfterMs: 0 };
  const around = { minAvailable: ONE_AVAILABLE, patience, limits: LIMITS, scheduler, now: scheduler.now };
  const health = new Health(registry, { home: HOME, ...around });
  gathering.start();
  const past = new Past(history, () => 1_000_000 + scheduler.now());
  const ask = (text: string, mayHear: MayHear = HEARS_ALL): Endpoint => endpointOf(health, text, LIMITS, { past, mayHear });
  const sees = (text = 'orders', mayHear?: MayHear) => {
    room.turn();
    return JSON.parse(ask(text, mayHear).json);
  };
  const wait = (ms: number) => {
    scheduler.advance(ms);
    while (registry.sweep() === 'more');
  };
  return { ...room, health, past, sees, wait };
}

const iso = (ms: number) => new Date(1_000_000 + ms).toISOString();
const whose = (host: number) => ({ namespace: 'public', group: 'G', service: 'orders', ...at(host) });

it('one that is silent is told with since when, its last beat, and from whom that came', () => {
  const { registry, wait, sees } = explained();
  registry.register(ORDERS, { ...SAID, ...at(1) }, BY);
  for (const ms of [5_000, 5_000]) {
    wait(ms);
    registry.beat(ORDERS, at(1), BY);
  }
  wait(15_000);
  const { services, failing, failingCount } = sees();
  expect(services).toMatchObject([{ status: 'NOT_SERVING', since: iso(25_000), because: 'none-available' }]);
  expect(services[0].events.at(-1)).toMatchObject({ kind: 'service', cause: 'silent', to: 'not-serving' });
  expect(failing).toEqual([
    {
      ...whose(1),
      cause: 'silent',
      since: iso(25_000),
      lastBeatAt: iso(10_000),
      heardFrom: '10.9.9.9',
      client: BY.agent,
      intervalMs: 5_000,
      reason: 'no beat for 15.0 s',
    },
  ]);
  expect(failingCount).toBe(1);
  wait(5_000);
  expect(sees().failing).toMatchObject([{ since: iso(25_000), lastBeatAt: iso(10_000), reason: 'no beat for 20.0 s' }]);
});

it('each way to fail has its cause, and who did it where somebody has', () => {
  const { registry, wait, sees } = explained();
  const register = (host: number, said = {}) => registry.register(ORDERS, { ...SAID, ...at(host), ...said }, BY);
  register(1, { healthy: false });
  register(2, { enabled: false });
  register(3, { weight: 0 });
  for (const host of [4, 5, 6]) register(host);
  register(7, { ephemeral: false });
  wait(1_000);
  registry.edit(ORDERS, at(4), { enabled: false }, { peer: '10.1.1.1', user: 'jane' });
  registry.edit(ORDERS, at(5), { weight: 0 }, { peer: '10.1.1.1' });
  registry.checked(ORDERS, at(7), { verdict: 'failing', type: 'tcp', reason: 'refused' });
  expect(sees().failing).toMatchObject([
    { ...whose(1), cause: 'registered-unhealthy', since: iso(0), reason: 'its client says so', client: BY.agent },
    { ...whose(2), cause: 'disabled', since: iso(0), reason: 'its client says so' },
    { ...whose(3), cause: 'weight-0', since: iso(0), reason: 'its client says so' },
    { ...whose(4), cause: 'disabled', since: iso(1_000), reason: 'edited by jane at 10.1.1.1', by: { user: 'jane' } },
    { ...whose(5), cause: 'weight-0', since: iso(1_000), reason: 'edited by an operator at 10.1.1.1' },
    { ...whose(7), cause: 'probe', since: iso(1_000), reason: 'tcp: refused' },
  ]);
  expect(sees().failing[1]).not.toHaveProperty('lastBeatAt');
  registry.drains.drain(ORDERS, at(6), { reason: 'a release', since: 1_001_000, until: 1_601_000, by: { peer: '10.1.1.1' } });
  expect(sees().failing.find(({ cause }: Record<string, string>) => cause === 'drained')).toEqual({
    ...whose(6),
    cause: 'drained',
    since: iso(1_000),
    heardFrom: BY.peer,
    client: BY.agent,
    reason: 'a release',
    until: iso(601_000),
    by: { peer: '10.1.1.1' },
  });
});

it('one that its client has disabled, or given no weight, is told since when that is so', () => {
  const { registry, wait, sees } = explained();
  const said = (host: number, more = {}) => registry.register(ORDERS, { ...SAID, ...at(host), ephemeral: false, ...more }, BY);
  for (const host of [1, 2, 3]) said(host);
  for (const more of [{}, { metadata: { version: '2' } }]) {
    wait(60_000);
    sees();
    said(1, { enabled: false, ...more });
    said(2, { weight: 0, ...more });
    registry.edit(ORDERS, at(3), more.metadata === undefined ? { enabled: false } : more);
  }
  expect(sees().failing).toMatchObject([
    { ...whose(1), cause: 'disabled', since: iso(60_000), reason: 'its client says so' },
    { ...whose(2), cause: 'weight-0', since: iso(60_000), reason: 'its client says so' },
    { ...whose(3), cause: 'disabled', since: iso(60_000), reason: 'edited by an operator' },
  ]);
});

it('who has gone lately is told, until it is back or an hour has passed; a goodbye only where too few are left', () => {
  const { registry, wait, sees } = explained();
  const holder = {};
  registry.hold(ORDERS, { ...SAID, ...at(1) }, holder, BY);
  registry.register(ORDERS, { ...SAID, ...at(2), ephemeral: false });
  registry.register(ORDERS, { ...SAID, ...at(3), ephemeral: false });
  registry.deregister(ORDERS, at(3), { peer: '10.0.0.3' });
  registry.release(ORDERS, at(1), holder, 'connection-ended', BY);
  expect(sees()).toMatchObject({
    status: 'SERVING',
    failing: [
      { ...whose(1), cause: 'connection-ended', since: iso(0), client: BY.agent, reason: `connection ${BY.connection} ended` },
    ],
    failingCount: 1,
  });
  registry.edit(ORDERS, at(2), { enabled: false });
  expect(sees().failing.map(({ cause, reason }: Record<string, string>) => [cause, reason])).toEqual([
    ['disabled', 'edited by an operator'],
    ['connection-ended', `connection ${BY.connection} ended`],
    ['deregistered', 'said goodbye, from 10.0.0.3'],
  ]);
  registry.unedit(ORDERS, at(2));
  registry.register(ORDERS, { ...SAID, ...at(1), ephemeral: false });
  expect(sees()).not.toHaveProperty('failing');
  registry.deregister(ORDERS, at(1));
  registry.edit(ORDERS, at(2), { enabled: false });
  wait(3_600_001);
  expect(sees().failing).toMatchObject([{ cause: 'disabled' }]);
});

it('what a service lacks has a word', () => {
  const { registry, sees } = explained();
  registry.create(ORDERS);
  expect(sees().services).toMatchObject([{ because: 'no-instances' }]);
  registry.configure(ORDERS, { ...DEFAULTS, minAvailable: { count: 2 } });
  registry.register(ORDERS, { ...SAID, ...at(1) });
  expect(sees()).toMatchObject({ status: 'NOT_SERVING', services: [{ because: 'min-available' }] });
  expect(sees()).not.toHaveProperty('failing');
  registry.register(ORDERS, { ...SAID, ...at(2) });
  expect(sees().services[0]).not.toHaveProperty('because');
});

it('since when is known however much has happened to instances since, and by which event', () => {
  const { registry, scheduler, sees, turn } = explained();
  registry.register(ORDERS, { ...SAID, ...at(1), ephemeral: false });
  for (let i = 0; i < 30; i++) {
    scheduler.advance(1_000);
    registry.register(ORDERS, { ...SAID, ...at(2) });
    registry.deregister(ORDERS, at(2));
    turn();
  }
  const [service] = sees().services;
  expect(service).toMatchObject({ status: 'SERVING', since: iso(0) });
  expect(service.events.map(({ kind, seq }: Record<string, unknown>) => [kind, seq])).toEqual([
    ['service', 2],
    ['instance', 62],
  ]);
});

it('of what was there before anybody looked, at least since when is told; of a part of a service neither', () => {
  const { registry, sees, gathering } = explained();
  gathering.stop();
  registry.register(ORDERS, { ...SAID, ...at(1) });
  registry.register(ORDERS, { ...SAID, ...at(2), enabled: false });
  gathering.start();
  expect(sees().services).toMatchObject([{ atLeastSince: iso(0), events: [] }]);
  registry.edit(ORDERS, at(1), { enabled: false });
  const { services, failing } = sees('orders?instance=10.0.0.1:80');
  expect(services[0]).toMatchObject({ because: 'none-available', events: [{ kind: 'instance', cause: 'edited' }] });
  expect(services[0]).not.toHaveProperty('since');
  expect(failing).toMatchObject([{ ...whose(1), cause: 'disabled' }]);
});

it('no more than a hundred are listed, and all are counted', () => {
  const { registry, sees } = explained();
  for (let i = 0; i < 300; i++) registry.register(ORDERS, { ...SAID, ...at(i), enabled: false });
  const { failing, failingCount, services } = sees();
  expect([failing.length, failingCount, services[0].events[0].instances.length]).toEqual([100, 300, 10]);
});

it('who may not hear of a service learns no more than its counts, and since when', () => {
  const { registry, sees } = explained();
  registry.register(ORDERS, { ...SAID, ...at(1), enabled: false }, BY);
  const said = sees('orders', () => false);
  expect(said.services).toMatchObject([{ since: iso(0), because: 'none-available', instances: { total: 1 } }]);
  expect(JSON.stringify(said)).not.toMatch(/events|failing|10\.0\.0\.1|10\.9\.9\.9/);
});

it('who may not hear of a service learns of no edit, drain or check of an instance either', () => {
  const { registry, sees } = explained();
  for (const host of [1, 2, 3]) registry.register(ORDERS, { ...SAID, ...at(host), ephemeral: host !== 3 }, BY);
  registry.edit(ORDERS, at(1), { enabled: false }, { peer: '10.1.1.1' });
  registry.drains.drain(ORDERS, at(2), { reason: 'a release', since: 1_000_000, until: 1_600_000 });
  registry.checked(ORDERS, at(3), { verdict: 'failing', type: 'tcp', reason: 'refused' });
  const [heard] = sees().services;
  expect(heard).toMatchObject({ edits: [at(1)], drains: [{ ...at(2), reason: 'a release' }], checks: [at(3)] });
  const said = JSON.stringify(sees('orders', () => false));
  expect(said).not.toMatch(/edits|drains|checks|a release|10\.0\.0|10\.1\.1/);
});

describe('the answer about a service that does not serve', () => {
  function asked() {
    const room = explained();
    const kept = new KeptAnswers(room.scheduler.now);
    room.health.onChange((key) => kept.drop(key));
    room.history.onEvent(({ service }) => service && kept.drop(serviceKey(service)));
    room.registry.register(ORDERS, { ...SAID, ...at(1), ephemeral: false, enabled: false }, BY);
    room.turn();
    const answer = (text = 'orders') => endpointOf(room.health, text, LIMITS, { past: room.past, mayHear: HEARS_ALL, kept });
    return { ...room, answer };
  }

  it('is made once for 100 ms', () => {
    const { scheduler, answer } = asked();
    const first = answer();
    scheduler.advance(99);
    expect([answer() === first, answer('orders?group=G') === first]).toEqual([true, false]);
    scheduler.advance(1);
    const next = answer();
    expect([next === first, next.http]).toEqual([false, 503]);
  });

  it('is made anew once something has happened to the service, and not for what happens to others', () => {
    const { registry, turn, answer } = asked();
    const first = answer();
    registry.register({ ...ORDERS, name: 'shop' }, { ...SAID, ...at(1) });
    turn();
    expect(answer()).toBe(first);
    registry.register(ORDERS, { ...SAID, ...at(2), weight: 0 });
    expect(JSON.parse(answer().json).failingCount).toBe(2);
    turn();
    expect(JSON.parse(answer().json).services[0].events.at(-1)).toMatchObject({ instances: [{ ip: at(2).ip }] });
    registry.edit(ORDERS, at(1), { enabled: true });
    expect(answer()).toMatchObject({ http: 200 });
    expect(answer()).not.toBe(answer());
  });

  it('is kept of 64 names', () => {
    const kept = new KeptAnswers(() => 0);
    const answer = { http: 503, grpc: 14, message: '', json: '' } as const;
    for (let i = 0; i < 65; i++) kept.keep(`${i}`, answer, [`${i}`]);
    expect([kept.of('0'), kept.of('1'), kept.of('64')]).toEqual([undefined, answer, answer]);
    kept.drop('1');
    expect([kept.of('1'), kept.of('2')]).toEqual([undefined, answer]);
  });
});

const DEFAULTS = registryDefaults();

function registryDefaults() {
  const { registry } = eventsRoom();
  registry.create(ORDERS);
  const settings = registry.settings(ORDERS);
  if (settings === undefined) throw new Error('no settings');
  return settings;
}
