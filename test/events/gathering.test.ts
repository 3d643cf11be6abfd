import { describe, expect, it } from 'vitest';
import type { EventRecord } from '../../src/events/record.ts';
import { viewOf } from '../../src/events/view.ts';
import { DEFAULT_SETTINGS } from '../../src/registry/settings.ts';
import { at, BY, eventsRoom, ORDERS, SAID, SHOP } from '../support/events-room.ts';

const said = ({ kind, cause, service, count, from, to }: EventRecord) =>
  [kind, cause, service?.name, count, `${from} ${to}`].filter((part) => part !== undefined).join(' ');

describe('what happened within one turn', () => {
  it('to instances of one service by one cause is one record, and what the service is by that comes behind', () => {
    const { registry, gathering, turn } = eventsRoom();
    gathering.start();
    for (let i = 0; i < 3; i++) registry.register(ORDERS, { ...SAID, ...at(i) }, BY);
    registry.register(SHOP, { ...SAID, ...at(9) }, BY);
    const records = turn();
    expect(records.map(said)).toEqual([
      'instance registered orders 3 undefined healthy',
      'instance registered shop 1 undefined healthy',
      'service registered orders 3 unknown serving',
      'service registered shop 1 unknown serving',
    ]);
    expect(records[0]).toMatchObject({
      seq: 1,
      by: BY,
      counts: { available: 3, total: 3, needed: 1 },
      instances: [at(0), at(1), at(2)],
    });
    expect(turn()).toEqual([]);
  });

  it('to all that a connection held names each of them, and says whose it was', () => {
    const { registry, gathering, turn } = eventsRoom();
    gathering.start();
    for (const service of [ORDERS, SHOP]) for (let i = 0; i < 2; i++) registry.hold(service, { ...SAID, ...at(i) }, {}, BY);
    turn();
    const holders = new Map([ORDERS, SHOP].map((service) => [service, {}]));
    for (const [service, holder] of holders) {
      registry.hold(service, { ...SAID, ...at(5) }, holder, BY);
      registry.hold(service, { ...SAID, ...at(6) }, holder, BY);
    }
    turn();
    for (const [service, holder] of holders)
      for (const i of [5, 6]) registry.release(service, at(i), holder, 'connection-ended', { ...BY, reason: 'reset' });
    const records = turn();
    expect(records.map(said)).toEqual([
      'instance connection-ended orders 2 healthy removed',
      'instance connection-ended shop 2 healthy removed',
      'registry connection-ended 4 undefined undefined',
    ]);
    expect(records[2]).toMatchObject({ by: BY, detail: { services: 2, reason: 'reset' } });
    expect(records[1]).toMatchObject({
      by: BY,
      detail: { reason: 'reset' },
      instances: [at(5), at(6)],
      counts: { available: 2, total: 2 },
    });
    expect(records[1]?.by).toEqual(BY);
  });

  it('to thousands is one record a service and one of all, with the first of each named', () => {
    const { scheduler, registry, gathering, turn } = eventsRoom();
    gathering.start();
    const services = Array.from({ length: 12 }, (_, i) => ({ ...ORDERS, name: `s${i}` }));
    for (const service of services) for (let i = 0; i < 1_500; i++) registry.register(service, { ...SAID, ...at(i) });
    turn();
    scheduler.advance(15_001);
    while (registry.sweep() === 'more');
    const records = turn();
    const silent = records.filter(({ kind, cause }) => kind === 'instance' && cause === 'silent');
    expect(silent.map(({ count, instances }) => [count, instances?.length])).toEqual(services.map(() => [1_500, 1_000]));
    expect(silent[0]).toMatchObject({ detail: { silentMs: 15_001 }, counts: { available: 0, total: 1_500 } });
    expect(records.filter(({ kind }) => kind === 'registry')).toContainEqual(
      expect.objectContaining({ cause: 'silent', count: 18_000, detail: { services: 12 } }),
    );
    expect(records.filter(({ kind, to }) => kind === 'service' && to === 'not-serving')).toHaveLength(12);
  });
});

it('a service that comes back tells by which cause it fell and rose, and what is said again is no news', () => {
  const { scheduler, registry, gathering, turn } = eventsRoom();
  gathering.start();
  registry.register(ORDERS, { ...SAID, ...at(1) }, { peer: '10.0.0.1' });
  turn();
  registry.register(ORDERS, { ...SAID, ...at(1) }, { peer: '10.0.0.1' });
  expect(turn()).toEqual([]);
  scheduler.advance(15_001);
  registry.sweep();
  expect(turn().map(said)).toEqual(['instance silent orders 1 healthy unhealthy', 'service silent orders 1 serving not-serving']);
  registry.beat(ORDERS, at(1), { peer: '10.0.0.1' });
  expect(turn().map(said)).toEqual(['instance beat orders 1 unhealthy healthy', 'service beat orders 1 not-serving serving']);
  registry.edit(ORDERS, at(1), { enabled: false }, { peer: '10.0.0.7', agent: 'curl' });
  const records = turn();
  expect(records.map(said)).toEqual(['instance edited orders 1 healthy healthy', 'service edited orders 1 serving not-serving']);
  expect(records[1]).toMatchObject({ by: { peer: '10.0.0.7', agent: 'curl' }, counts: { available: 0, total: 1, needed: 1 } });
});

it('what there was at the start is no news, and nothing is kept of a service that is forgotten but among the last of all', () => {
  const { registry, history, gathering, turn } = eventsRoom();
  registry.register(ORDERS, { ...SAID, ...at(1) });
  gathering.start();
  expect(turn()).toEqual([]);
  registry.drop(ORDERS, { peer: '10.0.0.7' });
  expect(turn().map(said)).toEqual(['instance dropped orders 1 healthy removed', 'service dropped orders 1 serving unknown']);
  expect([[...history.latest()].length, history.lastOf(ORDERS)]).toEqual([2, []]);
});

describe('silence', () => {
  it('says of each when it was heard last, from whom, by which client, and how often', () => {
    const { scheduler, registry, gathering, turn } = eventsRoom();
    gathering.start();
    const agent = 'Nacos-Java-Client:v1.4.2';
    registry.register(ORDERS, { ...SAID, ...at(1) }, { peer: '10.0.0.1', agent });
    registry.register(ORDERS, { ...SAID, ...at(2) }, { peer: '10.9.9.9', agent });
    for (let beats = 0; beats < 3; beats++) {
      scheduler.advance(4_000);
      for (const host of [1, 2]) registry.beat(ORDERS, at(host), { peer: host === 1 ? '10.0.0.1' : '10.9.9.9', agent });
    }
    turn();
    scheduler.advance(15_000);
    registry.sweep();
    const [silent] = turn();
    const heard = { lastBeatAt: 1_012_000, intervalMs: 4_000, client: agent };
    expect(silent?.instances).toMatchObject([
      { ...at(1), ...heard, heardFrom: '10.0.0.1' },
      { ...at(2), ...heard, heardFrom: '10.9.9.9' },
    ]);
    expect(silent && viewOf(silent)).toMatchObject({ instances: [{ lastBeatAt: '1970-01-01T00:16:52.000Z' }, {}] });
    scheduler.advance(15_000);
    registry.sweep();
    expect(turn()[0]).toMatchObject({ cause: 'removed', instances: [{ ...heard, heardFrom: '10.0.0.1' }, {}] });
  });

  it('of very many, found in several turns, is one record a service and one of all', () => {
    const { scheduler, registry, gathering, turn } = eventsRoom();
    gathering.start();
    const services = Array.from({ length: 12 }, (_, i) => ({ ...ORDERS, name: `s${i}` }));
    for (const service of services) for (let i = 0; i < 500; i++) registry.register(service, { ...SAID, ...at(i) });
    turn();
    scheduler.advance(15_000);
    // As the sweeper does it: what is left comes two turns later.
    const sweep = () => {
      if (registry.sweep() === 'more') scheduler.soon(() => scheduler.soon(sweep));
    };
    sweep();
    const silent = turn().filter(({ kind, cause }) => kind !== 'service' && cause === 'silent');
    expect(silent.map(said)).toEqual([
      ...services.map(({ name }) => `instance silent ${name} 500 healthy unhealthy`),
      'registry silent 6000 undefined undefined',
    ]);
  });
});

it('what goes on and on is told after a second all the same', () => {
  const { scheduler, registry, gathering, history, turn } = eventsRoom();
  gathering.start();
  for (let i = 0; i < 500; i++) registry.register(ORDERS, { ...SAID, ...at(i) });
  let more = 3_000;
  const goOn = () => {
    registry.register(ORDERS, { ...SAID, ...at(more) });
    if (--more > 0) scheduler.after(1, goOn);
  };
  scheduler.after(0, goOn);
  expect(history.lastSeq).toBe(0);
  turn();
  scheduler.advance(1_100);
  expect(history.lastSeq).toBeGreaterThan(0);
  scheduler.advance(3_000);
});

describe("an operator's word", () => {
  const by = { peer: '10.0.0.7', agent: 'curl', user: 'ann' };

  it('says which field of an instance was what, and is what now', () => {
    const { registry, gathering, turn } = eventsRoom();
    gathering.start();
    for (const host of [1, 2]) registry.register(ORDERS, { ...SAID, ...at(host) });
    turn();
    registry.edit(ORDERS, at(1), { weight: 0 }, by);
    expect(turn()[0]).toMatchObject({ cause: 'edited', by, detail: { field: 'weight', before: 1, after: 0 } });
    registry.edit(ORDERS, at(1), { weight: 1, enabled: false, metadata: { zone: 'a' } }, by);
    expect(turn()[0]).toMatchObject({
      detail: {
        fields: 'enabled, weight, metadata.zone',
        before: 'enabled=true, weight=0',
        after: 'enabled=false, weight=1, metadata.zone=a',
      },
    });
  });

  it('that changes nothing is no news', () => {
    const { registry, gathering, turn } = eventsRoom();
    gathering.start();
    registry.register(ORDERS, { ...SAID, ...at(1) });
    registry.create(ORDERS, DEFAULT_SETTINGS);
    turn();
    registry.edit(ORDERS, at(1), { weight: 1 }, by);
    registry.configure(ORDERS, { ...DEFAULT_SETTINGS }, by);
    expect(turn()).toEqual([]);
  });

  it('over several at once is one record, without what they were where they differed', () => {
    const { registry, gathering, turn } = eventsRoom();
    gathering.start();
    for (const host of [1, 2, 3]) registry.register(ORDERS, { ...SAID, ...at(host), weight: host === 3 ? 5 : 1 });
    turn();
    for (const host of [1, 2]) registry.edit(ORDERS, at(host), { weight: 2 }, by);
    expect(turn().map(({ count, detail }) => [count, detail])).toEqual([[2, { field: 'weight', before: 1, after: 2 }]]);
    for (const host of [1, 3]) registry.edit(ORDERS, at(host), { weight: 3 }, by);
    expect(turn().map(({ count, detail }) => [count, detail])).toEqual([[2, { field: 'weight', after: 3 }]]);
  });

  it('is bounded, and shows no secret', () => {
    const { registry, gathering, turn } = eventsRoom();
    gathering.start();
    registry.register(ORDERS, { ...SAID, ...at(1) });
    turn();
    registry.edit(ORDERS, at(1), { metadata: { 'db.password': 'geheim' } }, by);
    expect(turn()[0]?.detail).toEqual({ field: 'metadata.db.password' });
    const many = Object.fromEntries(Array.from({ length: 1_000 }, (_, i) => [`key${i}`, 'x'.repeat(1_000)]));
    registry.edit(ORDERS, at(1), { metadata: many }, by);
    const { detail } = turn()[0] ?? {};
    expect(JSON.stringify(detail).length).toBeLessThan(2_000);
    expect(detail).toMatchObject({ fields: expect.stringMatching(/^metadata\.key0, .* and 992 more$/) });
  });

  it('of a service says which of its settings, in one record with what the service is by it', () => {
    const { registry, gathering, turn } = eventsRoom();
    gathering.start();
    registry.create(ORDERS, DEFAULT_SETTINGS, by);
    expect(turn().map(said)).toEqual(['service created orders unknown not-serving']);
    const check = { type: 'mysql', user: 'u', password: 'geheim', command: 'x', port: undefined } as const;
    registry.configure(ORDERS, { ...DEFAULT_SETTINGS, riseBeats: 3, checks: { DEFAULT: check } }, by);
    const [record] = turn();
    expect(record).toMatchObject({ kind: 'service', cause: 'configured', by });
    expect(record?.detail?.after).toContain('riseBeats=3');
    expect(JSON.stringify(record)).not.toContain('geheim');
    registry.drop(ORDERS, by);
    expect(turn().map(said)).toEqual(['service dropped orders not-serving unknown']);
  });
});

describe('an instance that registers again', () => {
  it('tells what its client has changed', () => {
    const { registry, gathering, turn } = eventsRoom();
    gathering.start();
    registry.register(ORDERS, { ...SAID, ...at(1), metadata: { version: '1', zone: 'a' } }, BY);
    turn();
    registry.register(ORDERS, { ...SAID, ...at(1), metadata: { version: '2', zone: 'a' } }, BY);
    expect(turn()).toMatchObject([
      {
        kind: 'instance',
        cause: 're-registered',
        from: 'healthy',
        to: 'healthy',
        by: BY,
        instances: [at(1)],
        detail: { field: 'metadata.version', before: '1', after: '2' },
      },
    ]);
    registry.register(ORDERS, { ...SAID, ...at(1), cluster: 'b', weight: 5, enabled: false, metadata: {} }, BY);
    expect(turn()).toMatchObject([
      { cause: 're-registered', detail: { fields: 'enabled, weight, cluster, metadata.version, metadata.zone' } },
      { kind: 'service', cause: 're-registered', to: 'not-serving' },
    ]);
    registry.hold(ORDERS, { ...SAID, ...at(1), cluster: 'b' }, {}, BY);
    expect(turn()).toMatchObject([
      { cause: 're-registered', detail: { fields: 'enabled, weight' } },
      { kind: 'service', cause: 're-registered', to: 'serving' },
    ]);
  });

  it('is no news where nothing is another, as where an operator has said otherwise', () => {
    const { registry, gathering, turn } = eventsRoom();
    gathering.start();
    registry.register(ORDERS, { ...SAID, ...at(1), metadata: { zone: 'a' } }, BY);
    registry.edit(ORDERS, at(1), { weight: 3 });
    turn();
    registry.register(ORDERS, { ...SAID, ...at(1), metadata: { zone: 'a' } }, BY);
    registry.register(ORDERS, { ...SAID, ...at(1), weight: 9, metadata: { zone: 'a' } }, BY);
    expect(turn()).toEqual([]);
  });
});

describe('of several who act within one turn', () => {
  const [ann, bob] = [
    { peer: '10.0.0.7', agent: 'curl', user: 'ann' },
    { peer: '10.0.0.7', agent: 'curl', user: 'bob' },
  ];

  it('each has a record, told apart by what it calls itself too', () => {
    const { registry, gathering, turn } = eventsRoom();
    gathering.start();
    registry.register(ORDERS, { ...SAID, ...at(1) }, { peer: '10.0.0.1', agent: 'go' });
    registry.register(ORDERS, { ...SAID, ...at(2) }, { peer: '10.0.0.1', agent: 'java' });
    const records = turn().filter(({ kind }) => kind === 'instance');
    expect(records).toMatchObject([
      { by: { agent: 'go' }, instances: [at(1)], count: 1 },
      { by: { agent: 'java' }, instances: [at(2)], count: 1 },
    ]);
  });

  it('the one is behind what a service became who has made it so, with what that was', () => {
    const { registry, gathering, turn } = eventsRoom();
    gathering.start();
    for (const host of [1, 2]) registry.register(ORDERS, { ...SAID, ...at(host) }, BY);
    turn();
    registry.edit(ORDERS, at(1), { enabled: false }, ann);
    registry.edit(ORDERS, at(2), { enabled: false }, ann);
    registry.edit(ORDERS, at(1), { metadata: { zone: 'a' } }, bob);
    expect(turn().at(-1)).toMatchObject({
      kind: 'service',
      to: 'not-serving',
      by: ann,
      instances: [at(1), at(2)],
      detail: { field: 'enabled', after: false },
    });
    registry.edit(ORDERS, at(1), { weight: 2 }, ann);
    registry.edit(ORDERS, at(1), { enabled: true }, bob);
    registry.edit(ORDERS, at(2), { weight: 2 }, ann);
    expect(turn().at(-1)).toMatchObject({
      kind: 'service',
      to: 'serving',
      by: bob,
      instances: [at(1)],
      detail: { field: 'enabled' },
    });
  });

  it('whoever does the same several times counts once', () => {
    const { registry, gathering, turn } = eventsRoom();
    gathering.start();
    for (let i = 0; i < 3; i++) {
      registry.register(ORDERS, { ...SAID, ...at(1) }, BY);
      registry.deregister(ORDERS, at(1), BY);
    }
    const records = turn().filter(({ kind }) => kind === 'instance');
    expect(records.length).toBeGreaterThan(1);
    for (const { count, instances } of records) expect([count, instances?.length]).toEqual([1, 1]);
  });
});

describe('very many services at once', () => {
  const many = Array.from({ length: 700 }, (_, i) => ({ ...ORDERS, name: `s${i}` }));

  it('are told of a little in each turn, in order, and all the same', () => {
    const { scheduler, registry, history, gathering } = eventsRoom();
    for (const service of many) registry.register(service, { ...SAID, ...at(1) });
    gathering.start();
    let [count, most, before] = [0, 0, 0];
    history.onEvent(() => {
      count++;
      scheduler.stall(1);
    });
    const stop = scheduler.every(1, () => {
      most = Math.max(most, count - before);
      before = count;
    });
    for (const service of many) registry.edit(service, at(1), { enabled: false }, BY);
    for (let i = 0; i < 50; i++) scheduler.advance(100);
    stop();
    expect(most).toBeLessThanOrEqual(3);
    const told = [...history.after(0)];
    expect(told.map(({ kind }) => kind)).toEqual([...many.map(() => 'instance'), 'registry', ...many.map(() => 'service')]);
    expect(told.slice(0, 700).map(({ service }) => service)).toEqual(many);
    expect(told[700]).toMatchObject({ cause: 'edited', count: 700, detail: { services: 700 } });
  });

  it('whose change takes long are one of all, once it is over', () => {
    const { scheduler, registry, history, gathering } = eventsRoom();
    for (const service of many) for (let i = 0; i < 6; i++) registry.register(service, { ...SAID, ...at(i) });
    gathering.start();
    const drain = { reason: 'a release', since: 1_000_000, until: 1_600_000, by: BY };
    let next = 0;
    const goOn = () => {
      for (const service of many) registry.drains.drain(service, at(next), drain);
      // Others take up all of the turns in between.
      scheduler.stall(299);
      if (++next < 6) scheduler.soon(goOn);
    };
    scheduler.soon(goOn);
    scheduler.advance(5_000);
    scheduler.advance(5_000);
    const wholes = [...history.after(0)].filter(({ kind }) => kind === 'registry');
    expect(wholes).toMatchObject([{ cause: 'drained', count: 4_200, detail: { services: 700 } }]);
  });

  it('are all told of at the end, however far that was', () => {
    const { scheduler, registry, history, gathering } = eventsRoom();
    for (const service of many) registry.register(service, { ...SAID, ...at(1) });
    gathering.start();
    history.onEvent(() => scheduler.stall(1));
    for (const service of many) registry.edit(service, at(1), { enabled: false }, BY);
    while (history.lastSeq < 705) scheduler.advance(1);
    expect(history.lastSeq).toBeLessThan(1_000);
    const first = many[0] ?? ORDERS;
    registry.edit(first, at(1), { enabled: true }, BY);
    gathering.stop();
    const told = [...history.after(0)];
    expect(told.filter(({ to }) => to === 'not-serving')).toHaveLength(700);
    expect(told.at(-1)).toMatchObject({ kind: 'service', service: first, to: 'serving' });
  });
});
