import { expect, it } from 'vitest';
import { Rounds } from '../../src/wire/rounds.ts';
import { ManualScheduler } from '../support/scheduler.ts';

it('much is done a share at a time, each thing once, and others have their turn in between', () => {
  const scheduler = new ManualScheduler();
  const ran: string[] = [];
  const rounds = new Rounds<string>(scheduler, 2, (thing) => ran.push(thing));
  for (const thing of ['a', 'b', 'c', 'a', 'd', 'e']) rounds.add(thing);
  expect(ran).toEqual([]);
  scheduler.soon(() => ran.push('another'));
  scheduler.advance(0);
  expect(ran).toEqual(['a', 'b', 'another', 'c', 'd', 'e']);
  rounds.add('a');
  scheduler.advance(0);
  expect(ran.at(-1)).toBe('a');
  rounds.add('b');
  rounds.close();
  rounds.add('c');
  scheduler.advance(0);
  expect(ran.at(-1)).toBe('a');
});

it('what is added while others are done has its turn too', () => {
  const scheduler = new ManualScheduler();
  const ran: number[] = [];
  const rounds: Rounds<number> = new Rounds(scheduler, 10, (count) => {
    ran.push(count);
    if (count > 0) rounds.add(count - 1);
  });
  rounds.add(3);
  scheduler.advance(0);
  expect(ran).toEqual([3, 2, 1, 0]);
  expect(scheduler.open).toBe(0);
});
