import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Logger } from 'pino';
import type { Cancel, Scheduler } from '../wire/scheduler.ts';

/** What the thread that looks is given. */
export interface Watched {
  /** One number, which is another one after each turn of the event loop that has had its timer. */
  readonly turns: SharedArrayBuffer;
  readonly periodMs: number;
  readonly limitMs: number;
}

/**
 * Has the process killed when its event loop has not turned for so long: nothing in it can do that itself then, so a thread looks on. The
 * answer ends it. 0: never.
 */
export function limitHangs(limitMs: number, scheduler: Scheduler, log: Logger): Cancel {
  if (limitMs === 0) return () => {};
  if (process.pid === 1)
    log.warn('the first process of a container cannot be killed from within: --hang-limit needs an init (docker run --init)');
  const periodMs = Math.max(1, Math.min(LONGEST_PERIOD_MS, Math.floor(limitMs / 10)));
  const watched: Watched = { turns: new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT), periodMs, limitMs };
  const turns = new Int32Array(watched.turns);
  // As built or as written: beside this file, and called as this one is.
  const file = new URL(`hang-worker${extname(import.meta.url)}`, import.meta.url);
  const worker = new Worker(file, { workerData: watched, execArgv: [], resourceLimits: SMALL });
  worker.unref();
  worker.on('error', (err) => log.error({ err }, 'nobody looks whether the event loop hangs'));
  const stop = scheduler.every(periodMs, () => void Atomics.add(turns, 0, 1));
  return () => {
    // First of all: as soon as the loop says nothing, it seems to hang.
    void worker.terminate();
    stop();
  };
}

const LONGEST_PERIOD_MS = 1_000;
/** It holds nothing but Node itself. */
const SMALL = { maxOldGenerationSizeMb: 32, maxYoungGenerationSizeMb: 4 };
