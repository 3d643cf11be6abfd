import fc from 'fast-check';
import { expect, it } from 'vitest';
import { TextSearch } from '../../../src/nacos/http/text-search.ts';
import { randomRuns } from '../../support/random.ts';
import { atOnce } from '../../support/turns.ts';

const RUNS = randomRuns(2_000);

it(`a part is found where it is ${RUNS.title}`, { timeout: RUNS.timeoutMs }, () => {
  // Of two letters, so that beginnings are repeated.
  const text = (maxLength: number) => fc.array(fc.constantFrom('a', 'b', 'aaaaaaaaaaaaaaaaaaa', '中'), { maxLength });
  fc.assert(
    fc.property(fc.array(text(30), { maxLength: 3 }), text(3), fc.nat(40), fc.nat(60), (texts, other, start, length) => {
      const whole = texts.map((one) => one.join(''));
      // Mostly one that is in there.
      const part = whole[0]?.slice(start, start + length) || other.join('') || 'a';
      const search = new TextSearch(part);
      expect(whole.map((one) => atOnce(search.isIn(one)))).toEqual(whole.map((one) => one.includes(part)));
    }),
    RUNS.parameters,
  );
});

const PIECE = 128 << 10;

it.each([3, 16, 17, 400])('a part of %i characters is found across the pieces of a long text', (length) => {
  const part = 'b'.repeat(length);
  for (const before of [PIECE - length, PIECE - 1, PIECE, 2 * PIECE - 2]) {
    const text = 'a'.repeat(before) + part + 'a'.repeat(10);
    expect(atOnce(new TextSearch(part).isIn(text))).toBe(true);
    expect(atOnce(new TextSearch(`${part}b`).isIn(text))).toBe(false);
  }
});

it.each([8, 4_000])('it pauses for each piece that it has looked at, whether of one text or of several: %i', (length) => {
  const search = new TextSearch(`${'a'.repeat(length)}b${'a'.repeat(length)}`);
  const text = 'a'.repeat(PIECE / 2);
  let pauses = 0;
  for (let i = 0; i < 20; i++) for (const looking = search.isIn(text); looking.next().done !== true; ) pauses++;
  for (const looking = search.isIn(text.repeat(20)); looking.next().done !== true; ) pauses++;
  expect(pauses).toBeGreaterThanOrEqual(18);
});
