import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterAll, describe, expect, it } from 'vitest';
import { Registry } from '../../src/registry/registry.ts';
import { Keeping } from '../../src/store/keeping.ts';
import { RisingClock } from '../../src/wire/rising-clock.ts';
import { systemScheduler } from '../../src/wire/scheduler.ts';
import { orders, registration } from '../support/instances.ts';

const HOUR_MS = 3_600_000;
const HOW = { heldMs: 45_000, rememberForMs: 24 * HOUR_MS };
const root = mkdtempSync(join(tmpdir(), 'beatbridge-keeping-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const persistent = { ...orders, name: 'persistent' };
const emptied = { ...orders, name: 'emptied' };

/** A life of the process: it begins when the clock on the wall says so, and passes by its own. */
async function live(dir: string, wall: number, act: (registry: Registry, wait: (ms: number) => void) => void) {
  const clock = { ms: 1_000_000 };
  const registry = new Registry(() => clock.ms);
  const wallClock = () => wall + clock.ms;
  const keeping = await Keeping.open(dir, { scheduler: systemScheduler, wallClock, log: pino({ enabled: false }) });
  await keeping.begin(registry, [], { ...HOW, risingClock: new RisingClock(wallClock) });
  act(registry, (ms) => {
    clock.ms += ms;
    registry.sweep();
  });
  await keeping.close();
}

/** One that is here, one that is persistent, an edit that has waited for half of its time, and a service that nobody is in any more. */
function fill(registry: Registry, wait: (ms: number) => void): void {
  registry.register(orders, registration({ port: 2 }));
  registry.edit(orders, registration({ port: 2 }), { weight: 7 });
  wait(30_000);
  registry.register(persistent, registration({ ephemeral: false }));
  wait(HOUR_MS / 2);
  registry.register(orders, registration({ port: 1 }));
  registry.register(emptied, registration());
  registry.deregister(emptied, registration());
}

describe('a restart', () => {
  let made = 0;
  const START = 50 * 365 * 24 * HOUR_MS;

  it.each([
    ['the same time', 0],
    ['an hour later', HOUR_MS],
    ['an hour earlier', -HOUR_MS],
    ['half a day earlier', -12 * HOUR_MS],
  ])('forgets nothing and lets nothing age when the clock on the wall has jumped to %s', async (_, jump) => {
    const dir = join(root, String(++made));
    await live(dir, START, fill);
    // Twice: nor does it by what was written before the jump.
    for (const wall of [START + jump, START]) {
      await live(dir, wall, (registry, wait) => {
        expect(registry.instance(orders, registration({ port: 1 }))).toMatchObject({ healthy: true, remembered: true });
        expect(registry.tally(emptied)).toMatchObject({ total: 0 });
        expect(registry.tally(persistent)).toMatchObject({ available: 1 });
        wait(10_000);
        expect(registry.awaitedEdit(orders, registration({ port: 2 }))).toEqual({ weight: 7 });
      });
    }
    await live(dir, START, (registry, wait) => {
      wait(HOUR_MS / 2);
      expect(registry.awaitedEdit(orders, registration({ port: 2 }))).toBeUndefined();
    });
  });

  it('after a week remembers what must survive, and nothing that only lived', async () => {
    const dir = join(root, String(++made));
    await live(dir, START, fill);
    // Nor does it come back with the start after that one.
    for (const later of [0, 1_000])
      await live(dir, START + 7 * 24 * HOUR_MS + later, (registry) => {
        expect(registry.tally(orders)).toBeUndefined();
        expect(registry.tally(emptied)).toBeUndefined();
        expect(registry.tally(persistent)).toMatchObject({ available: 1 });
        expect(registry.awaitedEdit(orders, registration({ port: 2 }))).toEqual({ weight: 7 });
      });
  });
});

it('no time is told after a start that was told before, though the machine may have put its clock back', async () => {
  const dir = join(root, 'rising');
  const told: number[] = [];
  for (const machine of [10 * HOUR_MS, 9 * HOUR_MS, 8 * HOUR_MS]) {
    const risingClock = new RisingClock(() => machine);
    const keeping = await Keeping.open(dir, {
      scheduler: systemScheduler,
      wallClock: () => machine,
      log: pino({ enabled: false }),
    });
    await keeping.begin(new Registry(() => 0), [], { ...HOW, risingClock });
    told.push(risingClock.now());
    await keeping.close();
  }
  expect(told).toEqual([...told].sort((a, b) => a - b));
  expect(new Set(told).size).toBe(3);
});
