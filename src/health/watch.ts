import type { Peer } from '../wire/exchange.ts';
import { type Checker, healthKeys } from './health.ts';
import type { HealthName } from './names.ts';
import type { Status } from './status.ts';

/**
 * Who watches which name. A watch is level-triggered: it is woken, takes the latest status, and what it has taken before is
 * filtered. Nothing queues up for a slow reader, and a name that nobody watches any more leaves nothing behind.
 */
export class Watches {
  readonly #checker: Checker;
  readonly #limits: WatchLimits;
  readonly #byKey = new Map<string, Set<Watch>>();
  readonly #byConnection = new WeakMap<object, number>();
  readonly #byPeer = new Map<string, number>();
  #count = 0;

  constructor(checker: Checker, limits: WatchLimits) {
    this.#checker = checker;
    this.#limits = limits;
    checker.onChange((key) => {
      for (const watch of this.#byKey.get(key) ?? []) watch.wake();
    });
  }

  /**
   * `wake` is called when the status may have changed; the opener then takes it. The opener closes the watch, whatever happens.
   * Undefined when the watcher, or all together, have as many as they may.
   */
  open(name: HealthName, { connection, ip }: Watcher, wake: () => void): Watch | undefined {
    const onConnection = this.#byConnection.get(connection) ?? 0;
    const ofPeer = this.#byPeer.get(ip) ?? 0;
    const { maxWatchesPerConnection, maxWatchesPerPeer, maxWatches } = this.#limits;
    if (onConnection >= maxWatchesPerConnection || ofPeer >= maxWatchesPerPeer || this.#count >= maxWatches) return undefined;
    this.#count++;
    this.#byConnection.set(connection, onConnection + 1);
    this.#byPeer.set(ip, ofPeer + 1);

    const keys = healthKeys(name);
    const watch = new Watch(
      () => this.#checker.statusOf(name),
      wake,
      () => {
        for (const key of keys) this.#remove(key, watch);
        this.#count--;
        this.#byConnection.set(connection, (this.#byConnection.get(connection) ?? 1) - 1);
        const left = (this.#byPeer.get(ip) ?? 1) - 1;
        if (left === 0) this.#byPeer.delete(ip);
        else this.#byPeer.set(ip, left);
      },
    );
    for (const key of keys) this.#add(key, watch);
    return watch;
  }

  /**
   * Resolves when every watch of the name that is open now has sent its reader the present status, which it does not take twice, or
   * has ended.
   */
  async told(name: HealthName): Promise<void> {
    const watches = new Set(healthKeys(name).flatMap((key) => [...(this.#byKey.get(key) ?? [])]));
    await Promise.all([...watches].map((watch) => watch.told()));
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
export type Watcher = Pick<Peer, 'connection' | 'ip'>;

export interface WatchLimits {
  readonly maxWatchesPerConnection: number;
  readonly maxWatchesPerPeer: number;
  readonly maxWatches: number;
}

/** One watch. Its opener takes, sends what it has taken, and takes again: "nothing new" thus means that the last has been sent. */
export class Watch {
  readonly wake: () => void;
  readonly #read: () => Status;
  readonly #onClose: () => void;
  readonly #waiting: (() => void)[] = [];
  #lastTaken: Status | undefined;
  #isSending = true;
  #isOpen = true;

  constructor(read: () => Status, wake: () => void, onClose: () => void) {
    this.#read = read;
    this.wake = wake;
    this.#onClose = onClose;
  }

  /** The status now, if it is another than the one taken last. */
  take(): Status | undefined {
    const status = this.#read();
    this.#isSending = status !== this.#lastTaken;
    this.#lastTaken = status;
    if (this.#isSending) return status;
    this.#settle();
    return undefined;
  }

  /** Resolves when its reader has been sent the present status, or when it ends. */
  told(): Promise<void> {
    if (!this.#isOpen || (!this.#isSending && this.#read() === this.#lastTaken)) return Promise.resolve();
    return new Promise((resolve) => void this.#waiting.push(resolve));
  }

  /** A second time it does nothing. */
  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#onClose();
    this.#settle();
  }

  #settle(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}
