import { badInput, isPlainObject, RefusedError } from '../wire/refused-error.ts';
import { BAD_NAME, wordOf } from './endpoints.ts';
import { type Checker, healthKeys } from './health.ts';
import type { HealthName } from './names.ts';
import type { Status } from './status.ts';

/** Health for the program that embeds a server: Check, Watch and List as calls. */

/** As grpc.health.v1 calls it. */
export type HealthStatus = 'SERVING' | 'NOT_SERVING' | 'SERVICE_UNKNOWN';

/** A name is `SERVICE[?namespace=N&group=G&cluster=C&instance=IP:PORT]`, `""` the bridge itself; another one throws a `RefusedError`. */
export interface EmbeddedHealth {
  readonly check: (name: string) => HealthStatus;
  /** The status now, and each one after it that is another than the last one read; who reads slowly misses what is over. */
  readonly watch: (name: string, options?: { readonly signal?: AbortSignal }) => AsyncIterableIterator<HealthStatus>;
  /** The bridge first, then every service of the default namespace, each by its shortest name. */
  readonly list: () => ReadonlyMap<string, HealthStatus>;
}

/** `shutdown`: aborted when all that is watched is to end. */
export function embeddedHealth(checker: Checker, shutdown: AbortSignal): EmbeddedHealth {
  const named = (text: string): HealthName => {
    if (typeof text !== 'string') throw badInput('a health name must be a text', text);
    const name = checker.nameFrom(text);
    if (name === undefined) throw new RefusedError('invalid', `${BAD_NAME}, got ${JSON.stringify(text.slice(0, 100))}`);
    return name;
  };
  return {
    check: (text) => statusWord(checker.statusOf(named(text))),
    watch: (text, options = {}) => {
      if (!isPlainObject(options)) throw badInput('the options of a watch must be an object', options);
      const { signal } = options;
      if (signal !== undefined && !(signal instanceof AbortSignal)) throw badInput('signal must be an AbortSignal', signal);
      return statuses(checker, named(text), signal === undefined ? [shutdown] : [shutdown, signal]);
    },
    list: () => new Map(Array.from(checker.list(), ([name, status]) => [name, statusWord(status)])),
  };
}

function statusWord(status: Status): HealthStatus {
  return wordOf(status);
}

/** By hand, and no generator: one that waits cannot be ended from outside. */
function statuses(checker: Checker, name: HealthName, ends: readonly AbortSignal[]): AsyncIterableIterator<HealthStatus> {
  const keys = new Set(healthKeys(name));
  let last: Status | undefined;
  let isOver = false;
  const waiting: ((result: IteratorResult<HealthStatus, undefined>) => void)[] = [];
  const DONE = { done: true, value: undefined } as const;
  const look = () => {
    while (isOver && waiting.length > 0) waiting.shift()?.(DONE);
    if (waiting.length === 0) return;
    const status = checker.statusOf(name);
    if (status === last) return;
    last = status;
    waiting.shift()?.({ done: false, value: statusWord(status) });
  };
  const stopHearing = checker.onChange((key) => {
    if (keys.has(key)) look();
  });
  const end = () => {
    isOver = true;
    stopHearing();
    for (const signal of ends) signal.removeEventListener('abort', end);
    look();
  };
  for (const signal of ends) {
    if (signal.aborted) isOver = true;
    else signal.addEventListener('abort', end);
  }
  if (isOver) end();
  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    next: () =>
      new Promise((resolve) => {
        waiting.push(resolve);
        look();
      }),
    return: async () => {
      end();
      return DONE;
    },
  };
}
