import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RequestError } from '../../src/nacos/errors.ts';
import { parseJson, parseMetadata, scalar } from '../../src/nacos/json.ts';

describe('metadata', () => {
  it.each([
    ['{"v":1.0,"id":12345678901234567890,"e":1e3}', { v: '1.0', id: '12345678901234567890', e: '1e3' }],
    ['{"a":-0,"b":-1.50E+2,"c":1e999}', { a: '-0', b: '-1.50E+2', c: '1e999' }],
    ['{ "a" : 1 , "b" : "1" }', { a: '1', b: '1' }],
    ['{"text":"say \\"1.0\\", 2.0 \\\\","1.0":2.00}', { text: 'say "1.0", 2.0 \\', '1.0': '2.00' }],
    ['{"t":true,"n":null,"x":1}', { t: true, n: null, x: '1' }],
    ['{"__proto__":1.0}', JSON.parse('{"__proto__":"1.0"}')],
    ['{"a":1,"a":2.0}', { a: '2.0' }],
    ['{"a":"1"}', { a: '1' }],
    ['{"a":1', undefined],
    ['1.0', 1],
    ['[1.0]', [1]],
  ])('%s keep the text of their numbers', (text, value) => {
    expect(parseMetadata(text)).toEqual(value);
  });

  it('of any texts and numbers are read as they are written', () => {
    const number = fc.oneof(fc.constantFrom('1.0', '1e3', '-0.50', '12345678901234567890', '0', '7E-2'));
    const value = fc.oneof(
      number,
      fc.string().map((text) => JSON.stringify(text)),
    );
    fc.assert(
      fc.property(fc.dictionary(fc.string(), value, { noNullPrototype: true }), (object) => {
        const entries = Object.entries(object);
        const json = `{${entries.map(([key, text]) => `${JSON.stringify(key)}:${text}`).join(',')}}`;
        const model = entries.map(([key, text]) => [key, text.startsWith('"') ? JSON.parse(text) : text]);
        expect(parseMetadata(json)).toEqual(Object.fromEntries(model));
      }),
    );
  });
});

describe('a body', () => {
  it.each([
    ['{"weight":2.0,"metadata":{"v":1.0}}', { weight: 2, metadata: { v: '1.0' } }],
    [
      '{"pageNo":1,"instance":{"port":80,"weight":1.50,"metadata":{"v":1.0}}}',
      { pageNo: 1, instance: { port: 80, weight: 1.5, metadata: { v: '1.0' } } },
    ],
    [
      '{"instances":[{"port":80,"metadata":{"v":"1.0"}},null,7,{"metadata":{"v":2.0,"t":true}}]}',
      { instances: [{ port: 80, metadata: { v: '1.0' } }, null, 7, { metadata: { v: '2.0', t: true } }] },
    ],
    ['{"metadata":null,"instance":null,"instances":{}}', { metadata: null, instance: null, instances: {} }],
    ['{"metadata":[1.0],"port":80}', { metadata: [1], port: 80 }],
  ])('%s has numbers, and texts in metadata', (text, value) => {
    expect(parseJson(text)).toEqual(value);
  });

  it('may be as long as a message may be: one over a mebibyte has its numbers as they are', () => {
    const body = (long: string) => `{"metadata":{"v":1.0},"x":"${long}"}`;
    const long = `${'\\n'.repeat(200_000)}${'7'.repeat(200_000)}`;
    expect(parseJson(body(long))).toMatchObject({ metadata: { v: '1.0' } });
    expect(parseJson(body(long.repeat(10)))).toMatchObject({ metadata: { v: 1 } });
  });
});

it.each([
  ['lists', '[', ']'],
  ['objects', '{"a":', '}'],
])('%s are nested 64 levels deep and no more, whoever reads them', (_, open, close) => {
  const nested = (levels: number) => `${open.repeat(levels)}${open === '[' ? '' : '1'}${close.repeat(levels)}`;
  for (const read of [parseJson, parseMetadata]) {
    expect(read(nested(64))).toBeDefined();
    for (const levels of [65, 5_000, 200_000]) expect(() => read(nested(levels))).toThrow('more than 64 levels deep');
    expect(() => read(`{"metadata":{"v":1.0},"x":${nested(64)}}`)).toThrow(RequestError);
  }
});

it('a value that is none of those wanted is shown', () => {
  expect(() => scalar({ ip: { a: [1] } }, 'ip')).toThrow('ip must be a scalar, got {"a":[1]}');
});

describe('what would take long to read', () => {
  const list = (count: number, value: (i: number) => string) =>
    `{"a":[${Array.from({ length: count }, (_, i) => value(i)).join()}]}`;

  it.each([
    ['many values', list(200_000, () => '0'), 'have more than 200000 values'],
    ['many objects', list(100_000, () => '{}'), 'have more than 200000 values'],
    ['many different keys', list(4_100, (i) => `{"k${i}":0}`), 'have more than 4096 different keys'],
    [
      'many keys in one object',
      `{${Array.from({ length: 4_100 }, (_, i) => `"k${i}":0`).join()}}`,
      'have more than 4096 different keys',
    ],
  ])('%s are refused', (_, text, why) => {
    expect(() => parseJson(text)).toThrow(`JSON must not ${why}`);
  });

  it('is no text, whatever it looks like, nor the same keys over and over', () => {
    const content = `${'{[,:'.repeat(100_000)}\\`;
    expect(parseJson(JSON.stringify({ content }), 100)).toEqual({ content });
    const many = list(10_000, () => '{"ip":"a","port":1,"metadata":{"a":"b"}}');
    expect(parseJson(many)).toEqual(JSON.parse(many));
  });
});
