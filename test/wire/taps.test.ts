import { expect, it } from 'vitest';
import { CallCounts, CODES, MethodCounts } from '../../src/wire/call-counts.ts';
import { Histogram } from '../../src/wire/histogram.ts';

it('what took as long as a bound counts under it, and what took longer than all bounds counts too', () => {
  const histogram = new Histogram([0.1, 1]);
  for (const seconds of [0, 0.1, 0.11, 1, 1.5, 60]) histogram.observe(seconds);
  expect([...histogram.counts]).toEqual([2, 2, 2]);
  expect(histogram.sum).toBeCloseTo(62.71);
});

it('a call counts as started, and as ended under its code; one that gRPC does not know is Unknown', () => {
  const counts = new MethodCounts('a.B', 'C', 'unary');
  counts.started++;
  counts.ended(5, 20);
  counts.answered(
    0,
    counts.begin(() => 0),
    () => 0,
  );
  for (const code of [17, -1, Number.NaN])
    counts.answered(
      code,
      counts.begin(() => 0),
      () => 0,
    );
  expect(counts.started).toBe(5);
  const handled = CODES.flatMap((code, place) => (counts.handled[place] === 0 ? [] : [[code, counts.handled[place]]]));
  expect(handled).toEqual([
    ['OK', 1],
    ['Unknown', 3],
    ['NotFound', 1],
  ]);
  expect(counts.seconds.sum).toBe(0.02);
});

it('all ways to a method count together', () => {
  const calls = new CallCounts();
  expect(calls.of('a.B', 'C', 'unary')).toBe(calls.of('a.B', 'C', 'unary'));
  expect(calls.of('a.B', 'D', 'unary')).not.toBe(calls.of('a.B', 'C', 'unary'));
  expect([...calls.all()]).toHaveLength(2);
});

it('of calls that are answered at once the clock is read for one in sixteen, and each counts', () => {
  const counts = new MethodCounts('a.B', 'C', 'unary');
  let [clock, read] = [0, 0];
  const now = () => {
    read++;
    clock += 5;
    return clock;
  };
  for (let i = 0; i < 32; i++) counts.answered(0, counts.begin(now), now);
  expect([counts.started, read]).toEqual([32, 4]);
  expect([...counts.seconds.counts].reduce((sum, count) => sum + count, 0)).toBe(32);
  expect(counts.seconds.sum).toBeCloseTo(32 * 0.005);
});
