import { expect, it } from 'vitest';
import { RisingClock } from '../../src/wire/rising-clock.ts';

it('goes on from what was told before, until the clock of the machine has caught up', () => {
  const machine = { ms: 1_000.7 };
  const clock = new RisingClock(() => machine.ms);
  expect(clock.now()).toBe(1_000);
  clock.raise(5_000);
  expect(clock.now()).toBe(5_000);
  machine.ms += 100;
  expect(clock.now()).toBe(5_100);
  // What it says already is enough.
  clock.raise(2_000);
  expect(clock.now()).toBe(5_100);
});
