import fc from 'fast-check';
import { expect, it } from 'vitest';
import { originOf } from '../../src/wire/addresses.ts';
import { type Holding, Holdings } from '../../src/wire/holdings.ts';
import { randomRuns } from '../support/random.ts';

it('one of whoever has most is for an address that has at least two less, and it is a late one', () => {
  const holdings = new Holdings<Holding>({ inAll: 100, ofOne: 100 });
  const all = ['a', 'b', 'a', 'b', 'a'].map((ip) => ({ ip, place: -1 }));
  for (const one of all) holdings.add(one);
  expect(holdings.above('c').at(-1)).toBe(all[4]);
  expect(holdings.above('b')).toEqual([]);
  for (const one of [all[4], all[4], all[2]]) if (one !== undefined) holdings.delete(one);
  expect([holdings.count, holdings.of('a'), holdings.of('b')]).toEqual([3, 1, 2]);
  expect(holdings.above('c').at(-1)).toBe(all[3]);
  expect(holdings.above('a')).toEqual([]);
});

const { parameters, title, timeoutMs } = randomRuns(200);
it(`who has most is known whatever comes and goes ${title}`, { timeout: timeoutMs }, () => {
  const ips = ['10.0.0.1', '::ffff:10.0.0.1', '10.0.0.2', '2001:db8::1', '2001:db8::2', '2001:db8:0:1::1', 'x'];
  const step = fc.tuple(fc.constantFrom(...ips), fc.boolean(), fc.nat());
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const holdings = new Holdings<Holding>({ inAll: 1_000, ofOne: 1_000 });
      const model: Holding[] = [];
      for (const [ip, comes, at] of steps) {
        if (comes) {
          const one = { ip, place: -1 };
          model.push(one);
          holdings.add(one);
        } else for (const one of model.splice(at % (model.length + 1), 1)) holdings.delete(one);
        const ofOrigin = (other: string) => model.filter((one) => originOf(one.ip) === originOf(other)).length;
        const most = Math.max(0, ...ips.map(ofOrigin));
        expect(holdings.count).toBe(model.length);
        for (const each of ips) {
          expect(holdings.of(each)).toBe(ofOrigin(each));
          const above = holdings.above(each);
          expect(above.length).toBe(most > ofOrigin(each) + 1 ? most : 0);
          for (const one of above) expect(model).toContain(one);
        }
      }
    }),
    parameters,
  );
});
