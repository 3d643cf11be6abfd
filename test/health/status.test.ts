import { expect, it } from 'vitest';
import { statusOf } from '../../src/health/status.ts';

it.each([
  [undefined, 'unknown'],
  [{ total: 0, healthy: 0, available: 0 }, 'not-serving'],
  [{ total: 3, healthy: 2, available: 0 }, 'not-serving'],
  [{ total: 3, healthy: 1, available: 1 }, 'serving'],
] as const)('%j is %s', (tally, status) => {
  expect(statusOf(tally)).toBe(status);
});
