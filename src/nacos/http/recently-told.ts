import { createHash } from 'node:crypto';
import type { Cancel, Scheduler } from '../../wire/scheduler.ts';
import type { ListenedText } from './listening-configs.ts';

/** What callers have been told in the last seconds. It forgets by itself, and keeps no timer when there is nothing to forget. */
export class RecentlyTold {
  readonly #scheduler: Scheduler;
  #now = new Set<string>();
  #before = new Set<string>();
  #cancel: Cancel | undefined;

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler;
  }

  /** Whether that address has been told the very same of the same texts lately; it has been now. */
  repeats(ip: string, texts: readonly ListenedText[]): boolean {
    const hash = createHash('md5').update(ip);
    for (const { dataId, group, tenant, md5 } of texts) hash.update(JSON.stringify([dataId, group, tenant, md5]));
    const told = hash.digest('base64');
    if (this.#now.has(told)) return true;
    const repeats = this.#before.has(told);
    if (this.#now.size < MAX_TOLD) this.#now.add(told);
    this.#cancel ??= this.#scheduler.after(LATELY_MS, () => this.#forget());
    return repeats;
  }

  /** Forgets all. */
  close(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#now.clear();
    this.#before.clear();
  }

  #forget(): void {
    this.#before = this.#now;
    this.#now = new Set();
    this.#cancel = this.#before.size === 0 ? undefined : this.#scheduler.after(LATELY_MS, () => this.#forget());
  }
}

const LATELY_MS = 5_000;
/** More are not remembered: what is lost then is the calm of those beyond. */
const MAX_TOLD = 10_000;
