import { expect, it } from 'vitest';
import { Rate } from '../../src/nacos/rates.ts';
import { failOnLeaks } from '../support/leaks.ts';
import { ManualScheduler } from '../support/scheduler.ts';

failOnLeaks();

function setUp() {
  const scheduler = new ManualScheduler();
  const rate = new Rate(scheduler, 10, 3);
  /** How many of so many are taken. */
  const taken = (count: number, peer = 'a') => Array.from({ length: count }, () => rate.take(peer)).filter(Boolean).length;
  return { scheduler, rate, taken };
}

it('the quiet may do some seconds of it at once, and then so many a second', () => {
  const { scheduler, rate, taken } = setUp();
  expect(taken(100)).toBe(30);
  for (let second = 0; second < 3; second++) {
    scheduler.advance(1_000);
    expect(taken(100)).toBe(10);
  }
  scheduler.advance(2_000);
  expect(taken(100)).toBe(20);
  rate.close();
});

it('what one does is nothing to another', () => {
  const { rate, taken } = setUp();
  expect(taken(100, 'a')).toBe(30);
  expect(taken(100, 'b')).toBe(30);
  rate.close();
});

it('whoever has been quiet for long enough leaves nothing behind, no timer either', () => {
  const { scheduler, rate, taken } = setUp();
  taken(5, 'a');
  taken(25, 'b');
  expect([rate.size, scheduler.open]).toEqual([2, 1]);
  scheduler.advance(1_000);
  expect([rate.size, scheduler.open]).toEqual([1, 1]);
  scheduler.advance(2_000);
  expect([rate.size, scheduler.open]).toEqual([0, 0]);
  expect(taken(100, 'b')).toBe(30);
  rate.close();
});

it('several at once are taken together, or not', () => {
  const { rate } = setUp();
  expect(rate.take('a', 29)).toBe(true);
  expect(rate.take('a', 29)).toBe(true);
  expect(rate.take('a', 1)).toBe(false);
  rate.close();
});
