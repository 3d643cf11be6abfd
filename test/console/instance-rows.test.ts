import { expect, it } from 'vitest';
import { Steady } from '../../src/console/instance-rows.ts';

it('a time that is another by less than anybody sees is told as before, for as long as it is looked at', () => {
  const steady = new Steady();
  expect(steady.of('a', 1_000.4)).toBe(1_000);
  steady.done();
  expect(steady.of('a', 1_002)).toBe(1_000);
  steady.done();
  // It does not creep away, a little at each look.
  expect(steady.of('a', 1_051)).toBe(1_051);
  steady.done();
  steady.done();
  expect(steady.of('a', 1_052)).toBe(1_052);
  expect(steady.of('b', 1_053)).toBe(1_053);
});
