import { expect, it } from 'vitest';
import { withinHeap } from '../../src/server/heap.ts';

const ROOMY = { maxConfigTotalBytes: 1_000, maxInterestBytesInAll: 1_000, maxInterestBytesPerPeer: 600 };

it('texts may take a quarter of the heap, and who listens another, or what an operator says, if that is less', () => {
  expect(withinHeap(ROOMY, 2_000)).toEqual({
    maxConfigTotalBytes: 500,
    maxInterestBytesInAll: 500,
    maxInterestBytesPerPeer: 250,
  });
});

it('who listens from one address never takes more than half of what all may', () => {
  expect(withinHeap(ROOMY, 8_000)).toEqual({ ...ROOMY, maxInterestBytesPerPeer: 500 });
  expect(withinHeap({ ...ROOMY, maxInterestBytesPerPeer: 100 }, 8_000)).toMatchObject({ maxInterestBytesPerPeer: 100 });
});
