/**
 * Loaded into each server of Node's before its own program: says over the channel what only the process itself knows. What it says of
 * memory is said after garbage collection. What it says of the event loop is how long what arrives at any moment waits for its turn:
 * a turn of 30 ms counts for all that may have arrived in it, not once.
 */
import { createHistogram } from 'node:perf_hooks';

const RESOLUTION_MS = 1;

let waits = createHistogram();
let timer;
let longestMs = 0;

const ANSWERS = {
  memory() {
    globalThis.gc();
    globalThis.gc();
    const { heapUsed, external, rss } = process.memoryUsage();
    return { heldBytes: heapUsed + external, rssBytes: rss };
  },
  watchLoop() {
    waits = createHistogram();
    longestMs = 0;
    let last = performance.now();
    timer = setInterval(() => {
      const now = performance.now();
      // What is beyond the timer's own time is what others have taken.
      const lateMs = now - last - RESOLUTION_MS;
      last = now;
      longestMs = Math.max(longestMs, lateMs);
      for (let ms = lateMs; ms > -RESOLUTION_MS; ms -= RESOLUTION_MS) waits.record(Math.max(1, Math.round(ms * 1_000)));
    }, RESOLUTION_MS);
    return {};
  },
  loop() {
    clearInterval(timer);
    return { p50Ms: waits.percentile(50) / 1_000, p99Ms: waits.percentile(99) / 1_000, longestMs };
  },
};

process.on('message', (word) => {
  const answer = ANSWERS[word];
  if (answer !== undefined) process.send(answer());
});
// It ends with whoever measures it.
process.on('disconnect', () => process.exit());
