import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { ReadUserFile } from '../access/user-file.ts';

/** Reads a large file of users in a thread of its own: here 10,000 of them would let nobody be heard for seconds. It ends with that. */
export function readUserFileApart(text: string): Promise<ReadUserFile> {
  // As built or as written: beside this file, and called as this one is.
  const file = new URL(`user-file-worker${extname(import.meta.url)}`, import.meta.url);
  const worker = new Worker(file, { workerData: text, execArgv: [], resourceLimits: ENOUGH });
  return new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
    worker.once('exit', () => reject(new Error('the thread that reads the user file has ended without an answer')));
  });
}

/** For the most that is read at all. */
const ENOUGH = { maxOldGenerationSizeMb: 1_024 };
