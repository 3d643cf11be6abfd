import { expect, it } from 'vitest';
import { Gathered, strictlyRising } from '../../src/nacos/pushes.ts';
import { ManualScheduler } from '../support/scheduler.ts';

function setUp() {
  const scheduler = new ManualScheduler();
  const flushed: string[][] = [];
  const gathered = new Gathered<string>({ scheduler, delayMs: 20 }, (changed) => flushed.push([...changed]));
  return { scheduler, flushed, gathered };
}

it('what changes within the delay goes out once and together, counted from the first change', () => {
  const { scheduler, flushed, gathered } = setUp();
  gathered.add('a');
  scheduler.advance(19);
  for (const thing of ['b', 'a']) gathered.add(thing);
  expect(flushed).toEqual([]);
  scheduler.advance(1);
  expect(flushed).toEqual([['a', 'b']]);
  scheduler.advance(100);
  expect(flushed).toHaveLength(1);
});

it('what changes while others go out waits for the next time', () => {
  const scheduler = new ManualScheduler();
  const flushed: string[][] = [];
  const gathered: Gathered<string> = new Gathered({ scheduler, delayMs: 20 }, (changed) => {
    flushed.push([...changed]);
    if (flushed.length === 1) gathered.add('a');
  });
  gathered.add('a');
  scheduler.advance(20);
  expect(flushed).toEqual([['a']]);
  scheduler.advance(20);
  expect(flushed).toEqual([['a'], ['a']]);
});

it('what nobody is interested in any more does not go out', () => {
  const { scheduler, flushed, gathered } = setUp();
  gathered.add('a');
  gathered.add('b');
  gathered.delete('a');
  scheduler.advance(20);
  expect(flushed).toEqual([['b']]);
});

it('nothing goes out once it is closed, and no timer is left', () => {
  const { scheduler, flushed, gathered } = setUp();
  gathered.add('a');
  gathered.close();
  gathered.add('b');
  expect(scheduler.open).toBe(0);
  scheduler.advance(100);
  expect(flushed).toEqual([]);
});

it('times follow the clock, and rise where it stands or goes back', () => {
  const times = [5, 5, 5, 9, 3];
  const next = strictlyRising(() => times.shift() ?? 0);
  expect(Array.from({ length: 5 }, next)).toEqual([5, 6, 7, 9, 10]);
});
