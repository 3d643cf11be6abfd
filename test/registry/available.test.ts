import { describe, expect, it } from 'vitest';
import { parseMinAvailable } from '../../src/registry/available.ts';

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
});
