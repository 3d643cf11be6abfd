import { pino } from 'pino';
import { expect, it } from 'vitest';
import { Registry } from '../../src/registry/registry.ts';
import { SilenceLog } from '../../src/server/silence-log.ts';
import { Sweeper } from '../../src/server/sweeper.ts';
import { orders, registration } from '../support/instances.ts';
import { failOnLeaks } from '../support/leaks.ts';
import { ManualScheduler } from '../support/scheduler.ts';

failOnLeaks();

function setUp() {
  const scheduler = new ManualScheduler();
  const { now } = scheduler;
  const lines: Record<string, unknown>[] = [];
  const log = pino({}, { write: (line: string) => lines.push(JSON.parse(line)) });
  const registry = new Registry(now);
  const sweeper = new Sweeper({ registry, scheduler, now, log });
  sweeper.start();
  const silenceLog = new SilenceLog(registry, scheduler, log);
  return {
    registry,
    scheduler,
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
      silenceLog.stop();
    },
  };
}

it('silence takes effect within a tick, and is logged with its facts', () => {
  using house = setUp();
  const { registry, lines, pass } = house;
  registry.register(orders, registration());
  pass(14_950);
  expect(registry.tally(orders)).toMatchObject({ healthy: 1 });
  pass(50);
  expect(registry.tally(orders)).toMatchObject({ total: 1, healthy: 0 });
  pass(15_000);
  expect(registry.tally(orders)).toMatchObject({ total: 0 });
  const facts = { namespace: 'public', service: 'DEFAULT_GROUP@@orders', ip: '10.0.0.1', port: 8080, cluster: 'DEFAULT' };
  expect(lines).toMatchObject([
    { msg: 'instance unhealthy', silentMs: 15_000, ...facts },
    { msg: 'instance removed', silentMs: 30_000, ...facts },
  ]);
});

it.each([150, 700, 20_000, 3_600_000])('after a stall of %i ms nobody is expired for beats that could not be heard', (ms) => {
  using house = setUp();
  const { registry, lines, pass, stall } = house;
  registry.register(orders, registration());
  pass(14_950);
  stall(ms);
  expect(registry.tally(orders)).toMatchObject({ healthy: 1 });
  expect(lines).toMatchObject(ms > 1_000 ? [{ msg: 'the process was stalled, deadlines are postponed', gapMs: ms }] : []);
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

it('when very many fall silent at once the log stays readable, and goes on in the next second', () => {
  using house = setUp();
  const { registry, lines, pass } = house;
  for (let port = 1; port <= 1_000; port++) registry.register(orders, registration({ port }));
  pass(15_000);
  expect(lines.splice(0)).toHaveLength(21);
  pass(1_000);
  expect(lines.splice(0)).toMatchObject([{ msg: 'more instances fell silent or were removed', count: 980 }]);
  pass(14_000);
  expect(lines).toMatchObject([{ msg: 'instance removed' }]);
});

it('mass silence is logged once', () => {
  using house = setUp();
  const { registry, lines, pass } = house;
  for (let port = 1; port <= 100; port++) registry.register(orders, registration({ port }));
  pass(60_000);
  expect(lines.filter(({ level }) => level === 40)).toMatchObject([{ count: 51 }]);
});
