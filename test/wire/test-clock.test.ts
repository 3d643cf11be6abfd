import { expect, it } from 'vitest';
import { createTestClock } from '../../src/index.ts';

it('it stands still, at a time of day that can be given', async () => {
  const clock = createTestClock();
  expect([clock.now(), new Date(clock.wallClock()).toISOString()]).toEqual([0, '2026-01-01T00:00:00.000Z']);
  await clock.advance(1_500);
  expect([clock.now(), new Date(clock.wallClock()).toISOString()]).toEqual([1_500, '2026-01-01T00:00:01.500Z']);
  expect(createTestClock({ at: new Date(5) }).wallClock()).toBe(5);
  expect(() => createTestClock({ at: 'noon' })).toThrow('at must be a time, got "noon"');
});

it('what is due happens at its own time, in order, again and again, and not once it is cancelled', async () => {
  const clock = createTestClock();
  const seen: string[] = [];
  const note = (what: string) => () => void seen.push(`${what} ${clock.now()}`);
  clock.after(30, note('later'));
  clock.after(10, note('first'));
  clock.after(10, note('second'));
  const stop = clock.every(20, note('each'));
  clock.after(25, () => clock.after(5, note('nested')));
  clock.after(50, stop);
  const cancel = clock.after(1, note('never'));
  cancel();
  await clock.advance(100);
  expect(seen).toEqual(['first 10', 'second 10', 'each 20', 'later 30', 'nested 30', 'each 40']);
});

it('what follows in later turns of the event loop has happened before time goes on', async () => {
  const clock = createTestClock();
  const seen: number[] = [];
  clock.every(10, () => clock.soon(() => clock.soon(() => seen.push(clock.now()))));
  await clock.advance(30);
  expect(seen).toEqual([10, 20, 30]);
});

it('calls take effect one after another, and one that fails is the affair of who has made it', async () => {
  const clock = createTestClock();
  const seen: number[] = [];
  clock.every(10, () => void seen.push(clock.now()));
  clock.after(15, () => {
    throw new Error('broken');
  });
  const [first, second, third] = [clock.advance(10), clock.advance(10), clock.advance(10)];
  await first;
  await expect(second).rejects.toThrow('broken');
  await third;
  expect([seen, clock.now()]).toEqual([[10, 20], 25]);
  await expect(clock.advance(-1)).rejects.toThrow('ms must be 0 or more, got -1');
  await expect(clock.advance(Number.NaN)).rejects.toThrow(RangeError);
});

it('time waits for what is under way in the world, and not for ever', async () => {
  const clock = createTestClock();
  let isUnderWay = false;
  clock.waitFor?.(() => isUnderWay);
  const ended: number[] = [];
  clock.after(10, () => {
    isUnderWay = true;
    // What is under way in the world ends at a time that this clock does not know.
    setTimeout(() => {
      isUnderWay = false;
      ended.push(clock.now());
    }, 20);
  });
  await clock.advance(1_000);
  expect(ended).toEqual([10]);
  clock.after(10, () => {
    isUnderWay = true;
  });
  await clock.advance(1_000);
  expect(clock.now()).toBe(2_000);
});
