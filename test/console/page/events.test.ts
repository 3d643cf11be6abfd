import { expect, test } from 'vitest';
import { runsOf } from '../../../console/src/views/events.tsx';
import type { EventLine } from '../../../src/console/api.ts';

const line = (seq: number): EventLine => ({ seq, at: '2026-01-31T12:00:00.000Z', kind: 'bridge', cause: 'started' });
const lines = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, n) => line(from + n));

test('what was missed stands between the events before it and those after', () => {
  const runs = runsOf(lines(1, 2), [line(3), { count: 40 }, line(44), line(45), {}, line(99)]);
  expect(runs).toEqual([
    { lines: lines(1, 3) },
    { missed: { count: 40 }, lines: lines(44, 45) },
    { missed: {}, lines: [line(99)] },
  ]);
});

test('of very many the last are shown, and nothing is missed where nothing was before', () => {
  expect(runsOf(lines(1, 200), lines(201, 700))).toEqual([{ lines: lines(201, 700) }]);
  expect(runsOf(lines(1, 200), [{ count: 3 }, ...lines(204, 703)])).toEqual([{ missed: { count: 3 }, lines: lines(204, 703) }]);
  expect(runsOf(lines(1, 200), [{ count: 3 }, ...lines(204, 710)])).toEqual([{ lines: lines(211, 710) }]);
});
