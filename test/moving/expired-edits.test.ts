import { pino } from 'pino';
import { expect, it } from 'vitest';
import { Registry } from '../../src/registry/registry.ts';
import { Keeping } from '../../src/store/keeping.ts';
import { RisingClock } from '../../src/wire/rising-clock.ts';
import { systemScheduler } from '../../src/wire/scheduler.ts';
import { orders, registration } from '../support/instances.ts';
import { emptyDir, exportedFrom } from './registry.ts';

const MINUTE_MS = 60_000;
const HOW = { heldMs: 45_000, rememberForMs: 24 * 60 * MINUTE_MS };

interface Life {
  readonly registry: Registry;
  /** Until all is on disk, and then so long. */
  readonly wait: (ms: number) => Promise<void>;
}

/** One life of a process over the directory, which begins at that time on the wall. */
async function live(dir: string, wall: number, keepEditsMs: number, act: (life: Life) => Promise<void> | void): Promise<void> {
  const clock = { ms: 0 };
  const registry = new Registry(() => clock.ms, { keepEditsMs });
  const options = { scheduler: systemScheduler, wallClock: () => wall + clock.ms, log: pino({ enabled: false }) };
  const keeping = await Keeping.open(dir, options);
  await keeping.begin(registry, [], { ...HOW, risingClock: new RisingClock(options.wallClock) });
  const wait = async (ms: number) => {
    await keeping.settled();
    clock.ms += ms;
  };
  await act({ registry, wait });
  await keeping.close();
}

it.each([
  [60, [2, 3]],
  [71, [1, 2, 3]],
  [30, [3]],
])('of edits that waited for 70 and 40 minutes those are exported that a start would keep for %i', async (minutes, ports) => {
  using dir = emptyDir();
  const keepEditsMs = minutes * MINUTE_MS;
  await live(dir.path, 0, 1_000 * MINUTE_MS, async ({ registry, wait }) => {
    registry.register(orders, registration({ port: 3 }));
    registry.edit(orders, registration({ port: 3 }), { weight: 3 });
    registry.edit(orders, registration({ port: 1 }), { weight: 7 }, undefined, 'ahead');
    await wait(30 * MINUTE_MS);
    registry.edit(orders, registration({ port: 2 }), { weight: 7 }, undefined, 'ahead');
    await wait(40 * MINUTE_MS);
  });
  const lines = await exportedFrom(dir.path, {}, keepEditsMs);
  expect(lines.flatMap((line) => (line.kind === 'edit' ? [line.port] : []))).toEqual(ports);
  // How long nobody looks after it lets nothing age.
  await live(dir.path, 1_000 * MINUTE_MS, keepEditsMs, ({ registry }) => {
    const kept = [...registry.records.all()].flatMap((record) => (record.kind === 'edit' ? [record.port] : []));
    expect(kept.sort()).toEqual(ports);
  });
});
