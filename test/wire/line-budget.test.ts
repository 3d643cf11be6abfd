import { expect, it } from 'vitest';
import { LineBudget } from '../../src/wire/line-budget.ts';
import { failOnLeaks } from '../support/leaks.ts';
import { ManualScheduler } from '../support/scheduler.ts';

failOnLeaks();

it('there is room for twenty lines a second, and the rest is told as one number once the second is over', () => {
  const scheduler = new ManualScheduler();
  const rest: number[] = [];
  const lines = new LineBudget(scheduler, (count) => rest.push(count));
  const taken = (count: number) => Array.from({ length: count }, () => lines.take()).filter(Boolean).length;
  expect([taken(15), taken(15)]).toEqual([15, 5]);
  scheduler.advance(999);
  expect([taken(1), rest]).toEqual([0, []]);
  scheduler.advance(1);
  expect([rest, taken(3)]).toEqual([[11], 3]);
  scheduler.advance(1_000);
  expect([rest, taken(21)]).toEqual([[11], 20]);
  lines.stop();
  expect([rest, scheduler.open]).toEqual([[11, 1], 0]);
});
