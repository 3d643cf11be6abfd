import { parentPort, workerData } from 'node:worker_threads';
import { readUserFile } from '../access/user-file.ts';

/** A thread of its own, as `user-file-thread.ts` starts it: it reads one text, and says what is in it. */

// Given by whoever starts the thread.
parentPort?.postMessage(readUserFile(workerData as string));
