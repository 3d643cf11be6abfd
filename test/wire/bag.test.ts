import { expect, it } from 'vitest';
import { Bag } from '../../src/wire/bag.ts';

const sorted = (bag: Bag<string>) => bag.members().toSorted();

it('a bag holds what has not been taken out, in whatever order that is done', () => {
  const bag = new Bag<string>();
  const [a, b, c] = ['a', 'b', 'c'].map((member) => bag.add(member));
  expect(sorted(bag)).toEqual(['a', 'b', 'c']);
  a?.();
  expect(sorted(bag)).toEqual(['b', 'c']);
  c?.();
  b?.();
  expect(bag.size).toBe(0);
});

it('taking something out once more does nothing', () => {
  const bag = new Bag<string>();
  const [a, b] = [bag.add('a'), bag.add('b')];
  b();
  b();
  expect(sorted(bag)).toEqual(['a']);
  const again = bag.add('b');
  b();
  expect(sorted(bag)).toEqual(['a', 'b']);
  a();
  again();
  expect(bag.size).toBe(0);
});

it('may hold the same several times', () => {
  const bag = new Bag<string>();
  const [one] = [bag.add('a'), bag.add('a')];
  one?.();
  expect(sorted(bag)).toEqual(['a']);
});

it('is left by members that are told in turn', () => {
  const bag = new Bag<() => void>();
  for (let i = 0; i < 5; i++) {
    const leave = bag.add(() => leave());
  }
  for (const leave of bag.members()) leave();
  expect(bag.size).toBe(0);
});
