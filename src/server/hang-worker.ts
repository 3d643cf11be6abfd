import { writeSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { systemScheduler } from '../wire/scheduler.ts';
import type { Watched } from './hang-limit.ts';
import { Stillness } from './stillness.ts';

/** A thread of its own, as `hang-limit.ts` starts it: it goes on looking while the event loop of the process hangs. */

// Given by whoever starts the thread, as `Watched`.
const { turns, periodMs, limitMs } = workerData as Watched;
const seen = new Int32Array(turns);
const stillness = new Stillness();

systemScheduler.every(periodMs, () => {
  if (stillness.look(Atomics.load(seen, 0)) * periodMs < limitMs) return;
  // Its own standard error, and the end of a thread, would go by way of the loop that hangs.
  writeSync(2, `beatbridge: the event loop has not turned for ${limitMs} ms (--hang-limit), the process is killed\n`);
  process.kill(process.pid, 'SIGKILL');
});
// Timers alone keep no thread alive.
parentPort?.on('message', () => {});
