import { describe, expect, it } from 'vitest';
import { minAvailableOf, ONE_AVAILABLE, parseMinAvailable, statusOf } from '../../src/health/status.ts';

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

describe('the minimum availability', () => {
  it.each([
    ['2', { count: 2 }],
    [' 50 % ', { percent: 50 }],
    ['100%', { percent: 100 }],
    ['0', undefined],
    ['0%', undefined],
    ['101%', undefined],
    ['-1', undefined],
    ['1.5', undefined],
    ['half', undefined],
    ['', undefined],
  ])('%j is %j', (text, min) => {
    expect(parseMinAvailable(text)).toEqual(min);
  });

  it('is what the service says, or the default where it says nothing that can be read', () => {
    expect(minAvailableOf({ 'health.min-available': '3' }, ONE_AVAILABLE)).toEqual({ count: 3 });
    expect(minAvailableOf({ 'health.min-available': 'many' }, ONE_AVAILABLE)).toBe(ONE_AVAILABLE);
    expect(minAvailableOf({}, { percent: 10 })).toEqual({ percent: 10 });
    expect(minAvailableOf(undefined, ONE_AVAILABLE)).toBe(ONE_AVAILABLE);
  });
});
