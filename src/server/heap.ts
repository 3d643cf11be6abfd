import { getHeapStatistics } from 'node:v8';

interface Budgets {
  readonly maxConfigTotalBytes: number;
}

/** Texts of the configuration service are in the heap: more of them than a part of it would end the process. */
export function withinHeap<T extends Budgets>(options: T, heapBytes = getHeapStatistics().heap_size_limit): T {
  const most = Math.floor(heapBytes * SHARE_OF_TEXTS);
  return { ...options, maxConfigTotalBytes: Math.min(options.maxConfigTotalBytes, most) };
}

const SHARE_OF_TEXTS = 0.25;
