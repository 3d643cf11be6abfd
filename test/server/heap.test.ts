import { expect, it } from 'vitest';
import { withinHeap } from '../../src/server/heap.ts';

it('texts may take a quarter of the heap, or what an operator says, if that is less', () => {
  const budget = (maxConfigTotalBytes: number, heapBytes: number) => withinHeap({ maxConfigTotalBytes }, heapBytes);
  expect(budget(1_000, 2_000)).toEqual({ maxConfigTotalBytes: 500 });
  expect(budget(1_000, 8_000)).toEqual({ maxConfigTotalBytes: 1_000 });
});
