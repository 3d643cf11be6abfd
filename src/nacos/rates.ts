import { originOf } from '../wire/addresses.ts';
import type { Cancel, Scheduler } from '../wire/scheduler.ts';

/**
 * How often each address does something. So many a second are always taken, and of who has been quiet some seconds' worth at once.
 * It costs a look and a number each time, and nothing is kept of who is quiet.
 */
export class Rate {
  readonly #scheduler: Pick<Scheduler, 'every'>;
  readonly #perSecond: number;
  readonly #most: number;
  /** What each has done, less what it may do in the time since. */
  readonly #done = new Map<string, Done>();
  #cancel: Cancel | undefined;

  /** `seconds`: of how many of them the quiet may do all at once. */
  constructor(scheduler: Pick<Scheduler, 'every'>, perSecond: number, seconds: number) {
    this.#scheduler = scheduler;
    this.#perSecond = perSecond;
    this.#most = perSecond * seconds;
  }

  /** Counts one, or several. False: it is too many, and not counted. */
  take(peer: string, count = 1): boolean {
    const origin = originOf(peer);
    const done = this.#done.get(origin) ?? this.#begin(origin);
    if (done.count >= this.#most) return false;
    done.count += count;
    return true;
  }

  /** How many are watched now. */
  get size(): number {
    return this.#done.size;
  }

  close(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #begin(origin: string): Done {
    const done = { count: 0 };
    this.#done.set(origin, done);
    this.#cancel ??= this.#scheduler.every(1_000, () => this.#tick());
    return done;
  }

  #tick(): void {
    for (const [origin, done] of this.#done) {
      done.count -= this.#perSecond;
      if (done.count <= 0) this.#done.delete(origin);
    }
    if (this.#done.size === 0) this.close();
  }
}

interface Done {
  count: number;
}
