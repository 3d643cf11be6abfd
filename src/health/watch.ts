import { type Health, healthKeys } from './health.ts';
import type { HealthName } from './names.ts';
import type { Status } from './status.ts';

/**
 * Who watches which name. A watch is level-triggered: it is woken, takes the latest status, and what it has taken before is
 * filtered. Nothing queues up for a slow reader, and a name that nobody watches any more leaves nothing behind.
 */
export class Watches {
  readonly #health: Health;
  readonly #limits: WatchLimits;
  readonly #byKey = new Map<string, Set<Watch>>();
  readonly #byConnection = new WeakMap<object, number>();
  readonly #byPeer = new Map<string, number>();
  #count = 0;

  constructor(health: Health, limits: WatchLimits = DEFAULT_LIMITS) {
    this.#health = health;
    this.#limits = limits;
    health.onChange((key) => {
      for (const watch of this.#byKey.get(key) ?? []) watch.wake();
    });
  }

  /**
   * `wake` is called when the status may have changed; the opener then takes it. The opener closes the watch, whatever happens.
   * Undefined when the watcher, or all together, have as many as they may.
   */
  open(name: HealthName, { connection, peer }: Watcher, wake: () => void): Watch | undefined {
    const onConnection = this.#byConnection.get(connection) ?? 0;
    const ofPeer = this.#byPeer.get(peer) ?? 0;
    const { perConnection, perPeer, total } = this.#limits;
    if (onConnection >= perConnection || ofPeer >= perPeer || this.#count >= total) return undefined;
    this.#count++;
    this.#byConnection.set(connection, onConnection + 1);
    this.#byPeer.set(peer, ofPeer + 1);

    const keys = healthKeys(name);
    let open = true;
    const watch = new Watch(
      () => this.#health.statusOf(name),
      wake,
      () => {
        if (!open) return;
        open = false;
        for (const key of keys) this.#remove(key, watch);
        this.#count--;
        this.#byConnection.set(connection, (this.#byConnection.get(connection) ?? 1) - 1);
        const left = (this.#byPeer.get(peer) ?? 1) - 1;
        if (left === 0) this.#byPeer.delete(peer);
        else this.#byPeer.set(peer, left);
      },
    );
    for (const key of keys) this.#add(key, watch);
    return watch;
  }

  /** How many watches are open now. */
  get count(): number {
    return this.#count;
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

/** Who watches: limits are counted by it. */
export interface Watcher {
  readonly connection: object;
  /** The address of the connection's other end; never what a header says. */
  readonly peer: string;
}

export interface WatchLimits {
  readonly perConnection: number;
  readonly perPeer: number;
  readonly total: number;
}

const DEFAULT_LIMITS: WatchLimits = { perConnection: 1_000, perPeer: 20_000, total: 100_000 };

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
