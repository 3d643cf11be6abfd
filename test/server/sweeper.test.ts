import { setImmediate as nextRound } from 'node:timers/promises';
import { pino } from 'pino';
import { expect, it } from 'vitest';
import { Registry } from '../../src/registry/registry.ts';
import { Sweeper } from '../../src/server/sweeper.ts';
import { orders, registration } from '../support/instances.ts';

function setUp() {
  const clock = { ms: 0 };
  const lines: Record<string, unknown>[] = [];
  const log = pino({}, { write: (line: string) => lines.push(JSON.parse(line)) });
  const registry = new Registry(() => clock.ms);
  const sweeper = new Sweeper(registry, () => clock.ms, log);
  return {
    registry,
    sweeper,
    lines,
    /** Time passes with a tick every 50 ms, as it does while all is well. */
    async pass(ms: number) {
      for (const end = clock.ms + ms; clock.ms < end; ) {
        clock.ms += 50;
        sweeper.tick();
      }
      await settled();
    },
    /** Time passes and nobody ticks. */
    stall(ms: number) {
      clock.ms += ms;
    },
  };
}

/** The sweeper lets two rounds of the event loop pass before it sweeps. */
async function settled() {
  for (let i = 0; i < 3; i++) await nextRound();
}

it('silence takes effect within a tick, and is logged with its facts', async () => {
  const { registry, lines, pass } = setUp();
  registry.register(orders, registration());
  await pass(14_950);
  expect(registry.tally(orders)).toMatchObject({ healthy: 1 });
  await pass(50);
  expect(registry.tally(orders)).toMatchObject({ total: 1, healthy: 0 });
  await pass(15_000);
  expect(registry.tally(orders)).toMatchObject({ total: 0 });
  const facts = { namespace: 'public', service: 'DEFAULT_GROUP@@orders', ip: '10.0.0.1', port: 8080, cluster: 'DEFAULT' };
  expect(lines).toMatchObject([
    { msg: 'instance unhealthy', silentMs: 15_000, ...facts },
    { msg: 'instance removed', silentMs: 30_000, ...facts },
  ]);
});

it.each([150, 700, 20_000, 3_600_000])(
  'after a stall of %i ms nobody is expired for beats that could not be heard',
  async (ms) => {
    const { registry, sweeper, lines, pass, stall } = setUp();
    registry.register(orders, registration());
    await pass(14_950);
    stall(ms);
    sweeper.tick();
    await settled();
    expect(registry.tally(orders)).toMatchObject({ healthy: 1 });
    expect(lines).toMatchObject(ms > 1_000 ? [{ msg: 'the process was stalled, deadlines are postponed', gapMs: ms }] : []);
    // A little time for all that waits to be read, and then what was left before.
    await pass(250);
    expect(registry.tally(orders)).toMatchObject({ healthy: 1 });
    await pass(50);
    expect(registry.tally(orders)).toMatchObject({ healthy: 0 });
  },
);

it('a beat that waits to be read when its instance is due is let in first', async () => {
  const { registry, sweeper, pass, stall } = setUp();
  registry.register(orders, registration());
  await pass(14_950);
  stall(60);
  sweeper.tick();
  await nextRound();
  registry.beat(orders, registration());
  await settled();
  expect(registry.tally(orders)).toMatchObject({ healthy: 1 });
});

it('under a load that makes every tick late the dead are still found', async () => {
  const { registry, sweeper, stall } = setUp();
  registry.register(orders, registration());
  for (let i = 0; i < 60; i++) {
    stall(500);
    sweeper.tick();
  }
  await settled();
  expect(registry.tally(orders)).toMatchObject({ healthy: 0 });
});

it('when very many fall silent at once the log stays readable', async () => {
  const { registry, lines, pass } = setUp();
  for (let port = 1; port <= 1_000; port++) registry.register(orders, registration({ port }));
  await pass(15_000);
  expect(lines).toHaveLength(51);
  expect(lines.at(-1)).toMatchObject({ count: 1_000 });
});
