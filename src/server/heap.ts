import { getHeapStatistics } from 'node:v8';

interface Budgets {
  readonly maxConfigTotalBytes: number;
  readonly maxInterestBytesInAll: number;
  readonly maxInterestBytesPerPeer: number;
}

/**
 * Texts of the configuration service are in the heap, and so is who listens and subscribes: more of either than a part of it would end
 * the process. No address takes all that is left for all.
 */
export function withinHeap<T extends Budgets>(options: T, heapBytes = getHeapStatistics().heap_size_limit): T {
  const most = Math.floor(heapBytes * SHARE_OF_EACH);
  const maxInterestBytesInAll = Math.min(options.maxInterestBytesInAll, most);
  return {
    ...options,
    maxConfigTotalBytes: Math.min(options.maxConfigTotalBytes, most),
    maxInterestBytesInAll,
    maxInterestBytesPerPeer: Math.min(options.maxInterestBytesPerPeer, Math.floor(maxInterestBytesInAll / 2)),
  };
}

const SHARE_OF_EACH = 0.25;
