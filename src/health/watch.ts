import { type Health, healthKey } from './health.ts';
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
    const key = healthKey(name);
    const watch = new Watch(
      () => this.#health.statusOf(name),
      wake,
      () => {
        const watches = this.#byKey.get(key);
        watches?.delete(watch);
        if (watches?.size === 0) this.#byKey.delete(key);
      },
    );
    const watches = this.#byKey.get(key);
    if (watches === undefined) this.#byKey.set(key, new Set([watch]));
    else watches.add(watch);
    return watch;
  }

  /** How many names are watched now. */
  get nameCount(): number {
    return this.#byKey.size;
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
