import { expect, it } from 'vitest';
import { percentEncoded } from '../../src/wire/answer.ts';

it.each([
  ['orders: 0 of 1 instances available', 'orders: 0 of 1 instances available'],
  ['100%', '100%25'],
  ['a\nb\r\0', 'a%0Ab%0D%00'],
  ['订单', '%E8%AE%A2%E5%8D%95'],
  ['😀', '%F0%9F%98%80'],
  ['\ud800 and \udc00', '%EF%BF%BD and %EF%BF%BD'],
  [' at both ends ', '%20at both ends%20'],
  ['', ''],
])('%j is %s in a header of gRPC', (text, encoded) => {
  expect(percentEncoded(text)).toBe(encoded);
});

it('a text without end is cut between two characters', () => {
  expect(percentEncoded('x'.repeat(2_000))).toBe('x'.repeat(1_000));
  expect(decodeURIComponent(percentEncoded('订'.repeat(2_000)))).toBe('订'.repeat(111));
});
