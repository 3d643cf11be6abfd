import { describe, expect, it } from 'vitest';
import { statusOf } from '../../src/health/status.ts';
import { ONE_AVAILABLE } from '../../src/registry/available.ts';

describe('the status of a service', () => {
  it.each([
    [undefined, ONE_AVAILABLE, 'unknown'],
    [{ total: 0, available: 0 }, ONE_AVAILABLE, 'not-serving'],
    [{ total: 3, available: 0 }, ONE_AVAILABLE, 'not-serving'],
    [{ total: 3, available: 1 }, ONE_AVAILABLE, 'serving'],
    [{ total: 3, available: 1 }, { count: 2 }, 'not-serving'],
    [{ total: 3, available: 2 }, { count: 2 }, 'serving'],
    [{ total: 3, available: 1 }, { percent: 50 }, 'not-serving'],
    [{ total: 4, available: 2 }, { percent: 50 }, 'serving'],
    [{ total: 0, available: 0 }, { percent: 50 }, 'not-serving'],
    [{ total: 100, available: 1 }, { percent: 1 }, 'serving'],
    [{ total: 3, available: 2 }, { percent: 100 }, 'not-serving'],
  ] as const)('of %j with %j needed is %s', (tally, min, status) => {
    expect(statusOf(tally, min)).toBe(status);
  });
});
