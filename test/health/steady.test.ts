import { expect, it } from 'vitest';
import type { Status } from '../../src/health/status.ts';
import { tell } from '../../src/health/steady.ts';

const PATIENCE = { fallAfterMs: 5_000, riseAfterMs: 3_000 };
const UP = 'serving';
const DOWN = 'not-serving';
const GONE = 'unknown';

it.each<[raw: Status, told: Status, sinceMs: number, now: Status, inMs: number | undefined]>([
  // What is, is what is told.
  [UP, UP, 0, UP, undefined],
  [DOWN, DOWN, 1, DOWN, undefined],
  [GONE, GONE, 0, GONE, undefined],
  // A fall.
  [DOWN, UP, 0, UP, 5_000],
  [DOWN, UP, 4_999, UP, 1],
  [DOWN, UP, 5_000, DOWN, undefined],
  [DOWN, UP, 60_000, DOWN, undefined],
  // A rise.
  [UP, DOWN, 0, DOWN, 3_000],
  [UP, DOWN, 2_999, DOWN, 1],
  [UP, DOWN, 3_000, UP, undefined],
  // Known, and no longer known.
  [UP, GONE, 0, UP, undefined],
  [DOWN, GONE, 0, DOWN, undefined],
  [GONE, UP, 0, GONE, undefined],
  [GONE, DOWN, 0, GONE, undefined],
])('%s where %s was told, for %i ms: %s is told, and another status in %s ms', (raw, told, sinceMs, expected, inMs) => {
  const now = 100_000;
  expect(tell({ raw, told, since: now - sinceMs }, PATIENCE, now)).toEqual({
    told: expected,
    dueAt: inMs === undefined ? undefined : now + inMs,
  });
});

it.each<[Status, Status]>([
  [UP, DOWN],
  [DOWN, UP],
])('without patience %s is told at once after %s', (raw, told) => {
  expect(tell({ raw, told, since: 7 }, { fallAfterMs: 0, riseAfterMs: 0 }, 7)).toEqual({ told: raw, dueAt: undefined });
});
