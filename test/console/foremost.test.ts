import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Foremost } from '../../src/console/foremost.ts';

it('of very many the first few are the first few of all in order, and of equals those that came first', () => {
  const one = fc.record({ rank: fc.integer({ min: 0, max: 9 }), name: fc.string() });
  fc.assert(
    fc.property(fc.array(one), fc.integer({ min: 1, max: 20 }), (all, most) => {
      const order = (a: { rank: number }, b: { rank: number }) => a.rank - b.rank;
      const foremost = new Foremost(order, most);
      for (const each of all) foremost.add(each);
      expect(foremost.all).toEqual(all.toSorted(order).slice(0, most));
    }),
  );
});
