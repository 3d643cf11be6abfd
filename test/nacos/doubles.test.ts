import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DOUBLES, javaDouble, javaFloat, writeJson } from '../../src/nacos/doubles.ts';
import { withoutPoint } from '../support/numbers.ts';

it.each([
  [0, '0.0'],
  [1, '1.0'],
  [8, '8.0'],
  [-8, '-8.0'],
  [0.5, '0.5'],
  [0.01, '0.01'],
  [10_000, '10000.0'],
  [0.001, '0.001'],
  [0.00099, '9.9E-4'],
  [1e-7, '1.0E-7'],
  [9_999_999, '9999999.0'],
  [9_999_999.5, '9999999.5'],
  [1e7, '1.0E7'],
  [12_345_678.9, '1.23456789E7'],
  [1e10, '1.0E10'],
  [-2.5e300, '-2.5E300'],
  [1e21, '1.0E21'],
  [Number.MAX_VALUE, '1.7976931348623157E308'],
])('the double %s is written %s, as by Double.toString', (value, text) => {
  expect(javaDouble(value)).toBe(text);
});

it.each([
  [0, '0.0'],
  [1, '1.0'],
  [0.7, '0.7'],
  [0.85, '0.85'],
  [0.1, '0.1'],
  [2 / 3, '0.6666667'],
  [0.123456789, '0.12345679'],
  [16_777_217, '1.6777216E7'],
  [1e10, '1.0E10'],
])('the float %s is written %s, as by Float.toString', (value, text) => {
  expect(javaFloat(value)).toBe(text);
});

describe('JSON as Nacos writes it', () => {
  it.each(Object.keys(DOUBLES).filter((name) => name !== 'ratio'))('has a point in every %s', (name) => {
    expect(writeJson({ port: 8, [name]: 8 })).toBe(`{"port":8,"${name}":8.0}`);
    expect(writeJson([{ [name]: 0.5 }, { in: { [name]: 0 } }])).toBe(`[{"${name}":0.5},{"in":{"${name}":0.0}}]`);
    expect(writeJson({ [name]: 1e10 })).toBe(`{"${name}":1.0E10}`);
  });

  it('has none in the ratio of nothing', () => {
    expect([writeJson({ ratio: 0 }), writeJson({ ratio: 1 }), writeJson({ ratio: 0.25 })]).toEqual([
      '{"ratio":0}',
      '{"ratio":1.0}',
      '{"ratio":0.25}',
    ]);
  });

  it.each(['"weight":8', ',"weight":8', '{"weight":8}', '\\",\\"weight\\":8', ',', '{', '\\', 'weight', '","weight":8,"x":"'])(
    'leaves the text %j alone, as a value and as a key',
    (text) => {
      for (const value of [{ metadata: { [text]: text } }, { text, weight: text }, [text, { weight: 8 }]])
        expect(JSON.parse(writeJson(value))).toEqual(value);
      expect(writeJson({ text, weight: text })).toBe(JSON.stringify({ text, weight: text }));
      expect(writeJson({ weight: text, metadata: { weight: text, [text]: text } })).toBe(
        JSON.stringify({ weight: text, metadata: { weight: text, [text]: text } }),
      );
    },
  );

  it('says the same as plain JSON, whatever the texts and the numbers', () => {
    const key = fc.oneof(fc.string(), fc.constantFrom('weight', 'cpu', 'port'));
    const piece = fc.oneof(fc.string(), fc.constantFrom('"weight":8', ',"cpu":1', '{', '\\', '"', ',', 'mem":2,"'));
    const text = fc.array(piece).map((pieces) => pieces.join(''));
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 3 },
        text,
        fc.integer(),
        fc.double({ noDefaultInfinity: true, noNaN: true }),
        fc.boolean(),
        fc.constant(null),
        fc.array(tie('value')),
        fc.dictionary(fc.oneof(key, text), tie('value')),
      ),
    }));
    fc.assert(
      fc.property(fc.dictionary(key, value), (object) => {
        // Floats are shorter than doubles: what they say is compared by the table above.
        const exact = JSON.parse(
          JSON.stringify(object, (name, item) => (Object.hasOwn(DOUBLES, name) && name !== 'weight' ? 1 : item)),
        );
        const written = writeJson(exact);
        expect(JSON.parse(written)).toEqual(exact);
        expect(withoutPoint(written, ['weight', 'cpu'])).toEqual([]);
      }),
    );
  });
});
