import { expect, it } from 'vitest';
import { initialMs, jitteredMs, normalizedMs, portionsOf, soonMs, yieldMs } from '../../src/probe/pace.ts';

const TCP = { min: 1_000, max: 5_000, factor: 0.75 };
const HTTP = { min: 500, max: 5_000, factor: 0.85 };

it.each([
  ['an answer at once', 2_000, 4, TCP, 1_501],
  ['the last step down', 1_100, 4, TCP, 1_000],
  ['at the bottom', 1_000, 4, TCP, 1_000],
  ['a failure counts as the longest time', 1_000, 5_000, TCP, 2_000],
  ['never beyond the longest', 4_900, 10_000, TCP, 5_000],
  ['a slow one counts double', 1_000, 2_000, HTTP, 1_150],
  ['what was set lower since', 5_000, 5_000, { min: 100, max: 300, factor: 0.5 }, 300],
])('the pace after a check: %s', (_, normMs, tookMs, pace, expected) => {
  expect(normalizedMs(normMs, tookMs, pace)).toBeCloseTo(expected);
});

it.each([
  [0, 2_000],
  [0.5, 3_250],
  [0.999_999, 6_999],
])('with the chance %d what is known already is checked first after %i ms', (chance, expected) => {
  expect(initialMs(5_000, () => chance)).toBe(expected);
});

it.each([
  [0, 0, 900],
  [0.5, 500, 1_000],
  [0.999_999, 999, 1_100],
])('with the chance %d what was asked for is checked after %i ms, and every second after %i ms', (chance, soon, every) => {
  expect(soonMs(() => chance)).toBe(soon);
  expect(jitteredMs(1_000, () => chance)).toBe(every);
});

it.each([
  [1, { size: 1, everyMs: 1_000 }],
  [7, { size: 1, everyMs: 143 }],
  [99, { size: 1, everyMs: 11 }],
  [100, { size: 1, everyMs: 10 }],
  [150, { size: 2, everyMs: 14 }],
  [2_000, { size: 20, everyMs: 10 }],
  [100_000_000, { size: 1_000_000, everyMs: 10 }],
])('%i a second are begun in portions of %j', (perSecond, expected) => {
  expect(portionsOf(perSecond)).toEqual(expected);
});

it('no second has more than so many, whatever their number', () => {
  for (let perSecond = 1; perSecond <= 3_000; perSecond++) {
    const { size, everyMs } = portionsOf(perSecond);
    expect(size * Math.ceil(1_000 / everyMs)).toBeLessThanOrEqual(perSecond);
  }
});

it.each([
  [0, 10, 0],
  [0.5, 10, 0],
  [0.7, 10, 35],
  [0.9, 10, 70],
  [1, 10, 70],
  [1, 1_000, 7_000],
])('while the event loop is busy for %d of its time, portions each %i ms wait for %i ms more', (busy, every, expected) => {
  expect(yieldMs(busy, every)).toBe(expected);
});
