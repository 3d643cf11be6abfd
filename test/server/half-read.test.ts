import fc from 'fast-check';
import { expect, it } from 'vitest';
import { HalfRead } from '../../src/server/half-read.ts';
import { randomRuns } from '../support/random.ts';

const frame = (length: number) => {
  const bytes = Buffer.alloc(5 + length, 0xff);
  bytes.writeUInt8(1, 0);
  bytes.writeUInt32BE(length, 1);
  return bytes;
};

it('what has come of a message counts until it is whole', () => {
  const half = new HalfRead();
  const [first, second] = [frame(300), frame(0)];
  expect(half.push(first.subarray(0, 3))).toBe(3);
  expect(half.push(first.subarray(3, 304))).toBe(304);
  expect(half.push(Buffer.concat([first.subarray(304), second, first.subarray(0, 7)]))).toBe(7);
  expect(half.push(first.subarray(7))).toBe(0);
});

const runs = randomRuns(200);
it(`the same however it is cut ${runs.title}`, () => {
  fc.assert(
    fc.property(fc.array(fc.nat(700), { maxLength: 20 }), fc.array(fc.integer({ min: 1, max: 400 })), (lengths, cuts) => {
      const bytes = Buffer.concat(lengths.map(frame));
      const ends = [0];
      for (const length of lengths) ends.push((ends.at(-1) ?? 0) + 5 + length);
      const half = new HalfRead();
      let at = 0;
      for (const cut of [...cuts, bytes.length]) {
        const held = half.push(bytes.subarray(at, at + cut));
        at = Math.min(bytes.length, at + cut);
        expect(held).toBe(at - (ends.findLast((end) => end <= at) ?? 0));
      }
    }),
    runs.parameters,
  );
});
