import { type Health, healthKeys } from './health.ts';
import type { HealthName } from './names.ts';
import type { Status } from './status.ts';

/**
 * Who watches which name. A watch is level-triggered: it is woken, takes the latest status, and what it has taken before is
 * filtered. Nothing queues up for a slow reader, and a name that nobody watches any more leaves nothing behind.
 */
export class Watches {
  readonly #health: Health;
  readonly #byKey = new Map<string, Set<Watch>>();

  constructor(health: Health) {
    this.#health = health;
    health.onChange((key) => {
      for (const watch of this.#byKey.get(key) ?? []) watch.wake();
    });
  }

  /** `wake` is called when the status may have changed; the opener then takes it. The opener closes the watch, whatever happens. */
  open(name: HealthName, wake: () => void): Watch {
    const keys = healthKeys(name);
    const watch = new Watch(
      () => this.#health.statusOf(name),
      wake,
      () => {
        for (const key of keys) this.#remove(key, watch);
      },
    );
    for (const key of keys) this.#add(key, watch);
    return watch;
  }

  /** How many keys are watched now. */
  get keyCount(): number {
    return this.#byKey.size;
  }

  #add(key: string, watch: Watch): void {
    const watches = this.#byKey.get(key);
    if (watches === undefined) this.#byKey.set(key, new Set([watch]));
    else watches.add(watch);
  }

  #remove(key: string, watch: Watch): void {
    const watches = this.#byKey.get(key);
    watches?.delete(watch);
    if (watches?.size === 0) this.#byKey.delete(key);
  }
}

export class Watch {
  readonly wake: () => void;
  readonly close: () => void;
  readonly #read: () => Status;
  #lastTaken: Status | undefined;

  constructor(read: () => Status, wake: () => void, close: () => void) {
    this.#read = read;
    this.wake = wake;
    this.close = close;
  }

  /** The status now, if it is another than the one taken last. */
  take(): Status | undefined {
    const status = this.#read();
    if (status === this.#lastTaken) return undefined;
    this.#lastTaken = status;
    return status;
  }
}
