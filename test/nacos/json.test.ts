import { expect, it } from 'vitest';
import { parseJson } from '../../src/nacos/json.ts';

it.each([
  ['{"a":[1]}', { a: [1] }],
  [' "text" ', 'text'],
  ['{"a":', undefined],
  ['', undefined],
])('reads %s', (text, value) => {
  expect(parseJson(text)).toEqual(value);
});

it('reads whatever it reads so that it can be written again', () => {
  const nested = (levels: number) => `{"a":${'['.repeat(levels - 1)}${']'.repeat(levels - 1)}}`;
  expect(JSON.stringify(parseJson(nested(200)))).toBe(nested(200));
  for (const levels of [201, 100_000]) expect(parseJson(nested(levels))).toBeUndefined();
  const wide = `[${Array.from({ length: 1_000 }, () => '{"a":[]}').join(',')}]`;
  expect(JSON.stringify(parseJson(wide))).toBe(wide);
});
