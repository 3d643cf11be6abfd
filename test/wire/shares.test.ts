import { expect, it } from 'vitest';
import { Shares } from '../../src/wire/shares.ts';

it('there are so many in all and of each, and what is given back is free again', () => {
  const shares = new Shares({ inAll: 3, ofOne: 2 });
  for (let i = 0; i < 2; i++) {
    expect(shares.limitFor('a')).toBeUndefined();
    shares.add('a');
  }
  expect(shares.limitFor('a')).toBe('of one address');
  expect(shares.limitFor('b')).toBeUndefined();
  shares.add('b');
  expect([shares.limitFor('a'), shares.limitFor('b'), shares.limitFor('c')]).toEqual(['in all', 'in all', 'in all']);
  shares.remove('a');
  expect(shares.limitFor('a')).toBeUndefined();
  expect([shares.count, shares.of('a'), shares.of('b')]).toEqual([2, 1, 1]);
  shares.remove('b');
  expect([shares.count, shares.of('b')]).toEqual([1, 0]);
});
