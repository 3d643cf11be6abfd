import { expect, it } from 'vitest';
import { History } from '../../src/events/history.ts';
import { at, ORDERS } from '../support/events-room.ts';

function setUp(maxEvents: number) {
  const unexpected = (error: unknown) => {
    throw error;
  };
  return new History({ maxEvents, maxEventsOfService: 1_000, wallClock: () => 0, onListenerError: unexpected });
}

const crowd = Array.from({ length: 1_000 }, (_, i) => at(i));

it.each([[10_000], [210], [150], [1]])('of records that name very many only the last name them all, of %i', (maxEvents) => {
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
