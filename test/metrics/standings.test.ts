import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Standings } from '../../src/metrics/standings.ts';

const named = (name: string) => ({ namespace: 'public', group: 'DEFAULT_GROUP', name });
const become = (name: string, to: string, at: number) => ({ kind: 'service', cause: 'registered', service: named(name), to, at });

/** All at once. */
function chosen(standings: Standings, most: number) {
  const work = standings.chosen(most);
  for (let next = work.next(); ; next = work.next()) if (next.done === true) return next.value;
}

it('those that fail come first, and of each kind those that changed last; never more than so many', () => {
  const standings = new Standings();
  for (const [i, to] of ['serving', 'not-serving', 'serving', 'not-serving', 'serving'].entries())
    standings.note(become(`s${i}`, to, i));
  standings.note(become('s0', 'not-serving', 9));
  expect(chosen(standings, 10).map(({ service }) => service.name)).toEqual(['s0', 's3', 's1', 's4', 's2']);
  expect(chosen(standings, 2).map(({ service, since }) => [service.name, since])).toEqual([
    ['s0', 9],
    ['s3', 3],
  ]);
  expect(chosen(standings, 0)).toEqual([]);
  expect([standings.count, standings.servingCount]).toEqual([5, 2]);
});

it('a service that is known no more leaves nothing behind', () => {
  const standings = new Standings();
  standings.put(named('a'), 'serving', 1);
  standings.note(become('a', 'unknown', 2));
  standings.note(become('b', 'unknown', 2));
  expect([standings.count, standings.servingCount, chosen(standings, 9)]).toEqual([0, 0, []]);
});

it('one that changes while others are looked at is told once', () => {
  const standings = new Standings();
  for (let i = 0; i < 5_000; i++) standings.put(named(`s${i}`), 'serving', i);
  const work = standings.chosen(10_000);
  expect(work.next().done).toBe(false);
  standings.put(named('s0'), 'not-serving', 9_999);
  let next = work.next();
  while (next.done !== true) next = work.next();
  expect(next.value.length).toBe(5_000);
  expect(next.value.filter(({ service }) => service.name === 's0')).toHaveLength(1);
});

it('is what a plain list would be', () => {
  const change = fc.record({
    name: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
    to: fc.constantFrom('serving', 'not-serving', 'unknown'),
  });
  fc.assert(
    fc.property(fc.array(change), fc.nat(6), (changes, most) => {
      const standings = new Standings();
      let list: { readonly name: string; readonly to: string }[] = [];
      for (const [at, { name, to }] of changes.entries()) {
        standings.put(named(name), to, at);
        list = [...list.filter((other) => other.name !== name), ...(to === 'unknown' ? [] : [{ name, to }])];
      }
      const of = (to: string) => list.filter((each) => each.to === to).reverse();
      const expected = [...of('not-serving'), ...of('serving')].slice(0, most).map(({ name }) => name);
      expect(chosen(standings, most).map(({ service }) => service.name)).toEqual(expected);
      expect(standings.servingCount).toBe(of('serving').length);
    }),
  );
});
