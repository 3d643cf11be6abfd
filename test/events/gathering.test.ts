import { describe, expect, it } from 'vitest';
import type { EventRecord } from '../../src/events/record.ts';
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
      'service registered orders unknown serving',
      'service registered shop unknown serving',
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
      for (const i of [5, 6]) registry.release(service, at(i), holder, 'connection-ended', BY);
    const records = turn();
    expect(records.map(said)).toEqual([
      'instance connection-ended orders 2 healthy removed',
      'instance connection-ended shop 2 healthy removed',
    ]);
    expect(records[1]).toMatchObject({ by: BY, instances: [at(5), at(6)], counts: { available: 2, total: 2 } });
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
  expect(turn().map(said)).toEqual(['instance silent orders 1 healthy unhealthy', 'service silent orders serving not-serving']);
  registry.beat(ORDERS, at(1), { peer: '10.0.0.1' });
  expect(turn().map(said)).toEqual(['instance beat orders 1 unhealthy healthy', 'service beat orders not-serving serving']);
  registry.edit(ORDERS, at(1), { enabled: false }, { peer: '10.0.0.7', agent: 'curl' });
  const records = turn();
  expect(records.map(said)).toEqual(['instance edited orders 1 healthy healthy', 'service edited orders serving not-serving']);
  expect(records[1]).toMatchObject({ by: { peer: '10.0.0.7', agent: 'curl' }, counts: { available: 0, total: 1, needed: 1 } });
});

it('what there was at the start is no news, and nothing is kept of a service that is forgotten but among the last of all', () => {
  const { registry, history, gathering, turn } = eventsRoom();
  registry.register(ORDERS, { ...SAID, ...at(1) });
  gathering.start();
  expect(turn()).toEqual([]);
  registry.drop(ORDERS, { peer: '10.0.0.7' });
  expect(turn().map(said)).toEqual([
    'instance dropped orders 1 healthy removed',
    'service dropped orders undefined undefined',
    'service dropped orders serving unknown',
  ]);
  expect([[...history.latest()].length, history.lastOf(ORDERS)]).toEqual([3, []]);
});
