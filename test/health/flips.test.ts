import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Flips, type Pending } from '../../src/health/flips.ts';
import { randomRuns } from '../support/random.ts';
import { ManualScheduler } from '../support/scheduler.ts';

interface Item extends Pending {
  readonly id: number;
}

function setUp() {
  const scheduler = new ManualScheduler();
  const told: [at: number, id: number][] = [];
  const flips = new Flips<Item>(scheduler, scheduler.now, (due) => {
    for (const { id } of due) told.push([scheduler.now(), id]);
  });
  const items = Array.from({ length: 12 }, (_, id): Item => ({ id, dueAt: undefined, place: 0 }));
  const put = (id: number, dueAt: number | undefined) => {
    const item = items[id];
    if (item !== undefined) flips.put(item, dueAt);
  };
  return { scheduler, told, flips, put };
}

const RUNS = randomRuns(500);

it(`each is due at its time, whatever was said before, and no timer runs when nobody waits ${RUNS.title}`, {
  timeout: RUNS.timeoutMs,
}, () => {
  const id = fc.nat(11);
  const steps = fc.array(
    fc.oneof(
      fc.record({ id, inMs: fc.option(fc.nat(50), { nil: undefined }) }),
      fc.record({ id, inMs: fc.nat(50) }),
      fc.record({ wait: fc.nat(40) }),
    ),
    { maxLength: 80 },
  );
  fc.assert(
    fc.property(steps, (sequence) => {
      const { scheduler, told, put } = setUp();
      const waiting = new Map<number, number>();
      const expected: [at: number, id: number][] = [];
      const wait = (ms: number) => {
        const end = scheduler.now() + ms;
        for (const [id, at] of waiting) if (at <= end) expected.push([at, id]) && waiting.delete(id);
        scheduler.advance(ms);
      };
      for (const step of sequence) {
        if ('wait' in step) wait(step.wait);
        else {
          const at = step.inMs === undefined ? undefined : scheduler.now() + step.inMs;
          put(step.id, at);
          if (at === undefined) waiting.delete(step.id);
          else waiting.set(step.id, at);
          if (waiting.size === 0) expect(scheduler.open).toBe(0);
        }
      }
      wait(100);
      expect(told.sort(byTime)).toEqual(expected.sort(byTime));
      expect(scheduler.open).toBe(0);
    }),
    RUNS.parameters,
  );
});

function byTime([a, i]: [number, number], [b, j]: [number, number]): number {
  return a - b || i - j;
}

it('a timer that is too early looks again', () => {
  const scheduler = new ManualScheduler();
  const clock = { ms: 0 };
  let due = 0;
  const flips = new Flips<Item>(
    scheduler,
    () => clock.ms,
    (items) => {
      due += items.length;
    },
  );
  flips.put({ id: 0, dueAt: undefined, place: 0 }, 10);
  clock.ms = 9;
  scheduler.advance(10);
  expect([due, scheduler.open]).toEqual([0, 1]);
  clock.ms = 10;
  scheduler.advance(1);
  expect([due, scheduler.open]).toEqual([1, 0]);
});

it('once closed nothing is due, and no timer is left', () => {
  const { scheduler, told, flips, put } = setUp();
  put(1, 10);
  put(2, 20);
  scheduler.stall(10);
  flips.close();
  put(3, 5);
  expect(scheduler.open).toBe(0);
  scheduler.advance(100);
  expect(told).toEqual([]);
});
