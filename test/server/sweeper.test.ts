import { pino } from 'pino';
import { expect, it } from 'vitest';
import { Registry } from '../../src/registry/registry.ts';
import { Sweeper } from '../../src/server/sweeper.ts';
import { orders, registration } from '../support/instances.ts';
import { failOnLeaks } from '../support/leaks.ts';
import { ManualScheduler } from '../support/scheduler.ts';

failOnLeaks();

function setUp() {
  const scheduler = new ManualScheduler();
  const { now } = scheduler;
  const stalls: object[] = [];
  const lines: Record<string, unknown>[] = [];
  const log = pino({}, { write: (line: string) => lines.push(JSON.parse(line)) });
  const registry = new Registry(now);
  const sweeper = new Sweeper({ registry, scheduler, now, stalled: (facts) => void stalls.push(facts), log });
  sweeper.start();
  return {
    registry,
    scheduler,
    stalls,
    lines,
    /** Time passes with a tick every 50 ms, as it does while all is well. */
    pass: (ms: number) => scheduler.advance(ms),
    /** Time passes and nobody ticks; then the tick comes that is overdue. */
    stall(ms: number) {
      scheduler.stall(ms);
      scheduler.advance(0);
    },
    [Symbol.dispose]() {
      sweeper.stop();
    },
  };
}

it('silence takes effect within a tick', () => {
  using house = setUp();
  const { registry, pass } = house;
  registry.register(orders, registration());
  pass(14_950);
  expect(registry.tally(orders)).toMatchObject({ healthy: 1 });
  pass(50);
  expect(registry.tally(orders)).toMatchObject({ total: 1, healthy: 0 });
  pass(15_000);
  expect(registry.tally(orders)).toMatchObject({ total: 0 });
});

it.each([150, 700, 20_000, 3_600_000])('after a stall of %i ms nobody is expired for beats that could not be heard', (ms) => {
  using house = setUp();
  const { registry, stalls, pass, stall } = house;
  registry.register(orders, registration());
  pass(14_950);
  stall(ms);
  expect(registry.tally(orders)).toMatchObject({ healthy: 1 });
  expect(stalls).toMatchObject(ms > 1_000 ? [{ gapMs: ms }] : []);
  // A little time for all that waits to be read, and then what was left before.
  pass(250);
  expect(registry.tally(orders)).toMatchObject({ healthy: 1 });
  pass(50);
  expect(registry.tally(orders)).toMatchObject({ healthy: 0 });
});

it('a beat that waits to be read when its instance is due is let in first', () => {
  using house = setUp();
  const { registry, scheduler, pass } = house;
  registry.register(orders, registration());
  pass(14_950);
  scheduler.stall(60);
  // It waits at a socket that is accepted in the first round from now on, and read in the next.
  scheduler.after(0, () => scheduler.soon(() => registry.beat(orders, registration())));
  scheduler.advance(0);
  expect(registry.tally(orders)).toMatchObject({ healthy: 1 });
});

it('a stall between the tick that finds something due and the sweep expires nobody', () => {
  const scheduler = new ManualScheduler();
  let stalledMs = 0;
  const now = () => scheduler.now() + stalledMs;
  const rounds: (() => void)[] = [];
  const registry = new Registry(now);
  const log = pino({ enabled: false });
  const sweeper = new Sweeper({
    registry,
    scheduler: {
      after: (ms, run) => scheduler.after(ms, run),
      every: (ms, run) => scheduler.every(ms, run),
      soon: (run) => void rounds.push(run),
    },
    now,
    stalled() {},
    log,
  });
  sweeper.start();
  registry.register(orders, registration());
  scheduler.advance(15_000);
  expect(rounds).toHaveLength(1);
  stalledMs = 20_000;
  for (let run = rounds.shift(); run !== undefined; run = rounds.shift()) run();
  expect(registry.tally(orders)).toMatchObject({ healthy: 1 });
  scheduler.advance(50);
  registry.beat(orders, registration());
  expect(registry.tally(orders)).toMatchObject({ healthy: 1 });
  sweeper.stop();
});

it('under a load that makes every tick late the dead are still found', () => {
  using house = setUp();
  const { registry, stall } = house;
  registry.register(orders, registration());
  for (let i = 0; i < 60; i++) {
    stall(500);
  }
  expect(registry.tally(orders)).toMatchObject({ healthy: 0 });
});

it.each([60, 120, 150, 200, 250, 300, 350, 400, 500])(
  'with ticks that are %i ms apart throughout, and others whose beats are heard, the dead are found within a second',
  (gap) => {
    using house = setUp();
    const { registry, scheduler, stall } = house;
    registry.register(orders, registration());
    registry.register(orders, registration({ port: 81 }));
    while (registry.tally(orders)?.healthy === 2) {
      stall(gap);
      registry.beat(orders, registration({ port: 81 }));
    }
    expect(scheduler.now()).toBeGreaterThanOrEqual(15_000);
    expect(scheduler.now()).toBeLessThanOrEqual(16_000);
    expect(registry.instance(orders, registration({ port: 81 }))).toMatchObject({ healthy: true });
  },
);

it('the same for one that is the only one there is, with ticks late and on time by turns', () => {
  using house = setUp();
  const { registry, scheduler, stall, pass } = house;
  registry.register(orders, registration());
  while (registry.tally(orders)?.healthy === 1) {
    stall(180);
    pass(50);
  }
  expect(scheduler.now()).toBeLessThanOrEqual(16_000);
});

it('a stall moves deadlines by no more than the silence of everybody', () => {
  using house = setUp();
  const { registry, scheduler, stalls, pass, stall } = house;
  registry.register(orders, registration());
  registry.register(orders, registration({ port: 81 }));
  pass(14_000);
  // A long callback between two reads: the beat of the other one is read before the tick comes that is overdue.
  scheduler.stall(2_900);
  registry.beat(orders, registration({ port: 81 }));
  scheduler.stall(100);
  scheduler.advance(0);
  expect(stalls).toEqual([{ gapMs: 3_000, unheardMs: 100 }]);
  pass(100);
  stall(50);
  pass(250);
  expect(registry.instance(orders, registration())).toMatchObject({ healthy: false });
  expect(registry.instance(orders, registration({ port: 81 }))).toMatchObject({ healthy: true });
});

it('a starved machine is counted, and told once a minute', () => {
  using house = setUp();
  const { lines, pass, stall } = house;
  for (let i = 0; i < 200; i++) stall(150);
  pass(60_000);
  expect(lines).toMatchObject(
    [{ level: 40, lateTicks: 200, worstGapMs: 150, msg: /starved/ }].map(({ msg, ...rest }) => ({
      ...rest,
      msg: expect.stringMatching(msg),
    })),
  );
  // Now and then a tick is late anywhere.
  for (let i = 0; i < 10; i++) stall(150);
  pass(60_000);
  expect(lines).toHaveLength(1);
});
