import { describe, expect, it } from 'vitest';
import { History } from '../../src/events/history.ts';
import { at, ORDERS } from '../support/events-room.ts';

function setUp(maxEvents: number, maxEventsOfService = 1_000) {
  const unexpected = (error: unknown) => {
    throw error;
  };
  return new History({ maxEvents, maxEventsOfService, wallClock: () => 0, onListenerError: unexpected });
}

const crowd = Array.from({ length: 1_000 }, (_, i) => at(i));

it.each([[10_000], [210], [150], [120]])('of records that name very many only the last name them all, of %i', (maxEvents) => {
  const history = setUp(maxEvents);
  for (let i = 0; i < 120; i++) {
    history.add({ kind: 'instance', cause: 'silent', service: ORDERS, instances: crowd, count: 1_000 });
    history.add({ kind: 'instance', cause: 'silent', service: ORDERS, instances: [at(1)], count: 1 });
  }
  const lengths = (
    seqs: readonly number[],
    records: Iterable<{ readonly seq: number; readonly instances?: readonly object[] }>,
  ) => [...records].filter(({ seq }) => seqs.includes(seq)).map(({ instances = [] }) => instances.length);
  const kept = history.lastOf(ORDERS);
  expect(lengths([1, 2, 39, 41, 239], kept)).toEqual([20, 1, 20, 1_000, 1_000]);
  const inAll = [1, 2, 39, 41, 239].filter((seq) => seq > 240 - maxEvents);
  expect(lengths(inAll, history.after(0))).toEqual(lengths(inAll, kept));
  expect(kept.every(({ count }, i) => count === (i % 2 === 0 ? 1_000 : 1))).toBe(true);
});

it('what is given back after a restart names no more than that either', () => {
  const before = setUp(10_000);
  for (let i = 0; i < 120; i++)
    before.add({ kind: 'instance', cause: 'silent', service: ORDERS, instances: crowd, count: 1_000 });
  const last = [...before.after(0)].map((record) => ({ ...record, instances: crowd }));
  const history = setUp(10_000);
  history.restore({ older: [], last, lastSeq: 120 });
  const named = [...history.after(0)].map(({ instances = [] }) => instances.length);
  expect(named).toEqual([...Array(20).fill(20), ...Array(100).fill(1_000)]);
  expect(history.lastOf(ORDERS).map(({ instances = [] }) => instances.length)).toEqual(named);
});

describe('what outlives the last of all', () => {
  const service = (i: number) => ({ ...ORDERS, name: `s${i}` });
  const keptOf = (history: History, services: number) =>
    Array.from({ length: services }, (_, i) => history.lastOf(service(i)).map(({ seq }) => seq));

  it('is as many again, however many services there are, and goes the oldest first', () => {
    const history = setUp(10);
    for (let i = 0; i < 40; i++) history.add({ kind: 'service', cause: 'created', service: service(i) });
    expect(keptOf(history, 40).flat()).toEqual(Array.from({ length: 20 }, (_, i) => i + 21));
    expect([...history.services()]).toHaveLength(20);
  });

  it('is not shortened by those who have more than is kept of each, nor by what is forgotten', () => {
    const history = setUp(10, 3);
    history.add({ kind: 'service', cause: 'created', service: service(0) });
    for (let i = 0; i < 500; i++) {
      history.add({ kind: 'service', cause: 'configured', service: service(1) });
      history.add({ kind: 'service', cause: 'created', service: service(2) });
      history.forget(service(2));
    }
    expect(keptOf(history, 3)).toEqual([[1], [996, 998, 1_000], []]);
  });

  it('leaves it known since when each service is what it is', () => {
    const history = setUp(10);
    const instances = [at(1), at(2)];
    history.add({ kind: 'service', cause: 'silent', service: service(0), to: 'not-serving', instances, count: 2 });
    for (let i = 1; i < 40; i++) history.add({ kind: 'service', cause: 'created', service: service(i) });
    expect(history.lastOf(service(0))).toEqual([]);
    expect(history.standingOf(service(0))).toMatchObject({ seq: 1, to: 'not-serving', instances: [at(1)], count: 2 });
    expect([...history.services()]).toContainEqual(service(0));
    history.forget(service(0));
    expect(history.standingOf(service(0))).toBeUndefined();
  });
});
