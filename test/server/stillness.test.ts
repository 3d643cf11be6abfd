import { expect, it } from 'vitest';
import { Stillness } from '../../src/server/stillness.ts';

it('what does not move is still for as many ticks as somebody has looked', () => {
  const stillness = new Stillness();
  expect([0, 0, 0, 1, 1, 2, 3, 3].map((position) => stillness.look(position))).toEqual([0, 1, 2, 0, 1, 0, 0, 1]);
});

it('that it is another is enough: a number that overflows moves', () => {
  const stillness = new Stillness();
  expect([2 ** 31 - 1, -(2 ** 31)].map((position) => stillness.look(position))).toEqual([0, 0]);
});
