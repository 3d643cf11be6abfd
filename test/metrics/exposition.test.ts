import { expect, it } from 'vitest';
import { endOf, formatFor, headOf, linesOf, Pieces } from '../../src/metrics/exposition.ts';
import { Histogram } from '../../src/wire/histogram.ts';

it.each([
  ['', 'text'],
  ['*/*', 'text'],
  ['text/plain', 'text'],
  ['application/openmetrics-text', 'openmetrics'],
  ['application/openmetrics-text; version=1.0.0; charset=utf-8', 'openmetrics'],
  ['APPLICATION/OpenMetrics-Text', 'openmetrics'],
  // As Prometheus 2.42 and 3 ask.
  [
    'application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1',
    'openmetrics',
  ],
  ['text/plain;version=0.0.4;q=0.5,application/openmetrics-text;q=0.4', 'text'],
  ['application/openmetrics-text;q=0', 'text'],
  ['application/openmetrics-texts', 'text'],
])('whoever takes %j is given %s', (accept, format) => {
  expect(formatFor(accept)).toBe(format);
});

it('OpenMetrics announces a counter without its end', () => {
  const counter = { name: 'a_total', type: 'counter', labels: [], help: 'one \\ two\nthree' } as const;
  expect(headOf(counter, 'text')).toBe('# HELP a_total one \\\\ two\\nthree\n# TYPE a_total counter\n');
  expect(headOf(counter, 'openmetrics')).toBe('# HELP a one \\\\ two\\nthree\n# TYPE a counter\n');
  expect([endOf('text'), endOf('openmetrics')]).toEqual(['', '# EOF\n']);
});

it('whatever is in a label, a sample is one line', () => {
  const gauge = { name: 'a', type: 'gauge', labels: ['x', 'y'], help: '' } as const;
  expect(linesOf(gauge, { labels: ['a"b\\c\nd', '注册'], value: 1 })).toBe('a{x="a\\"b\\\\c\\nd",y="注册"} 1\n');
  expect([Number.NaN, 1 / 0, -1 / 0, 1e21, 0.1].map((value) => linesOf({ ...gauge, labels: [] }, { value }))).toEqual([
    'a NaN\n',
    'a +Inf\n',
    'a -Inf\n',
    'a 1e+21\n',
    'a 0.1\n',
  ]);
});

it('each bucket of a histogram counts those before it too', () => {
  const histogram = new Histogram([0.5, 1]);
  for (const seconds of [0.25, 0.5, 0.75, 2]) histogram.observe(seconds);
  const family = { name: 'h', type: 'histogram', labels: ['of'], help: '' } as const;
  expect(linesOf(family, { labels: ['me'], value: histogram })).toBe(
    [
      'h_bucket{of="me",le="0.5"} 2',
      'h_bucket{of="me",le="1"} 3',
      'h_bucket{of="me",le="+Inf"} 4',
      'h_sum{of="me"} 3.5',
      'h_count{of="me"} 4',
      '',
    ].join('\n'),
  );
});

it('a long text is in several pieces, and no byte of it is lost', () => {
  const text = new Pieces();
  const lines = Array.from({ length: 5_000 }, (_, i) => `服务_${i} ${i}\n`);
  for (const line of lines) text.add(line);
  text.end();
  expect(text.pieces.length).toBeGreaterThan(1);
  expect(text.pieces.join('')).toBe(lines.join(''));
  expect(text.bytes).toBe(Buffer.byteLength(lines.join('')));
});
