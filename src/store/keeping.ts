import type { Address } from '../registry/instance.ts';
import type { Registry } from '../registry/registry.ts';
import type { ServiceName } from '../registry/service-name.ts';
import type { RisingClock } from '../wire/rising-clock.ts';
import type { Cancel } from '../wire/scheduler.ts';
import { keepRegistry, keyOfAddress, presentAt, restoreRegistry, tidy } from './registry-keeper.ts';
import { Store, type StoreOptions } from './store.ts';

/**
 * What survives a restart: the registry, and what else there is, as parts. It is given back before anybody is served, and followed from
 * then on. Nobody is kept waiting by it but who must be sure.
 */
export class Keeping {
  readonly #store: Store;
  readonly #options: StoreOptions;
  readonly #stops: Cancel[] = [];
  #isClosed = false;
  #risingClock: RisingClock | undefined;
  #registry: Registry | undefined;
  #restored: Restored | undefined;

  private constructor(store: Store, options: StoreOptions) {
    this.#store = store;
    this.#options = options;
  }

  /** Rejects with `StoreError`. */
  static async open(dir: string, options: StoreOptions): Promise<Keeping> {
    return new Keeping(await Store.open(dir, options), options);
  }

  /** Gives back what was kept, and keeps what changes from now on. Rejects with `StoreError` when it cannot be read. */
  async begin(registry: Registry, parts: readonly Part[], how: BeginHow): Promise<void> {
    const { scheduler, wallClock } = this.#options;
    const { heldMs, rememberForMs, risingClock } = how;
    const { seenAt, told } = await this.#seenLast();
    // It was noted some time before the end; what was told since then was a little later.
    if (told !== undefined) risingClock.raise(told + 2 * SEEN_EVERY_MS);
    this.#risingClock = risingClock;
    this.#registry = registry;
    const unseenMs = seenAt === undefined ? 0 : Math.max(0, wallClock() - seenAt);
    for (const part of parts) await this.#restorePart(part);
    const isStale = unseenMs > rememberForMs;
    const instances = await restoreRegistry(this.#store, registry, {
      seenAt: seenAt ?? 0,
      isStale,
      heldMs,
      wallClock: risingClock.now,
    });
    for (const part of parts) this.#follow(part);
    this.#stops.push(
      keepRegistry(this.#store, registry),
      scheduler.every(SEEN_EVERY_MS, () => this.#seen()),
      scheduler.every(TIDY_EVERY_MS, () => void this.#tidy(registry)),
    );
    this.#seen();
    // What must be on disk before anybody is served. Where it cannot be, the store has told of it, and serving matters more.
    await this.#store.settled().catch(() => {});
    this.#restored = { services: registry.serviceCount, instances, ...(seenAt !== undefined && { awayMs: unseenMs }) };
  }

  /** What was given back when it began; undefined before. */
  get restored(): Restored | undefined {
    return this.#restored;
  }

  /** Why nothing can be written now; undefined when all is well. */
  get trouble(): string | undefined {
    return this.#store.trouble;
  }

  /** As of the store. */
  get owed(): number {
    return this.#store.owed;
  }

  /** As of the store. */
  settled(): Promise<void> {
    return this.#store.settled();
  }

  /** What was said of the address is said again, and changes nothing: it is owed anew, if it is not on disk yet. */
  again(service: ServiceName, address: Address): void {
    const key = keyOfAddress(service, address);
    const registry = this.#registry;
    if (registry !== undefined && this.#store.isOwed(key))
      this.#store.touch(key, () => presentAt(registry, service, address), true);
  }

  /** Writes what waits, and closes. Rejects with `StoreError` when not all that must survive could be written. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const stops = this.#stops.splice(0);
    for (const stop of stops) stop();
    // Whoever has not begun has looked after nothing.
    if (stops.length > 0) this.#seen();
    await this.#store.close();
  }

  /** Somebody looks after it now: what it says is no older than that. */
  #seen(): void {
    this.#store.touch(SEEN_KEY, () => ({ told: this.#risingClock?.now() }), false);
  }

  /** When somebody looked after it last, and what time was told then; undefined when nobody ever did. */
  async #seenLast(): Promise<{ readonly seenAt?: number; readonly told?: number }> {
    for await (const { key, at, value } of this.#store.entries(SEEN_KEY)) {
      if (key !== SEEN_KEY) continue;
      // Its own.
      const { told } = value as { readonly told?: number };
      return { seenAt: at, ...(told !== undefined && { told }) };
    }
    return {};
  }

  async #restorePart({ name, restore }: Part): Promise<void> {
    const prefix = `${name} `;
    const entries: [string, unknown][] = [];
    for await (const { key, value } of this.#store.entries(prefix)) entries.push([key.slice(prefix.length), value]);
    restore(entries);
  }

  #follow({ name, onChange, read, mayBeLost }: Part): void {
    onChange((key) => this.#store.touch(`${name} ${key}`, () => read(key), mayBeLost?.(key) !== true));
  }

  async #tidy(registry: Registry): Promise<void> {
    try {
      await tidy(this.#store, registry);
    } catch (err) {
      // It is closed, or opened anew, while it is read: next time then.
      if (this.#isClosed || this.#store.trouble !== undefined) return;
      this.#options.log.warn({ err }, 'the store could not be tidied');
    }
  }
}

/** What was given back. */
export interface Restored {
  readonly services: number;
  readonly instances: number;
  /** For how long nobody had looked after it; left out where nobody ever had. */
  readonly awayMs?: number;
}

export interface BeginHow {
  /** For how long what a connection held waits for its client. */
  readonly heldMs: number;
  /** When nobody has looked for longer, whatever only lived is not remembered: what was true then says nothing of now. */
  readonly rememberForMs: number;
  /** Told what time was told before. */
  readonly risingClock: RisingClock;
}

/** State that is kept beside the registry: values of plain JSON by key. */
export interface Part {
  readonly name: string;
  /** Calls `listener` with the key of what may be another now, and must survive. */
  readonly onChange: (listener: (key: string) => void) => void;
  /** What there is now; undefined: nothing. */
  readonly read: (key: string) => unknown;
  readonly restore: (entries: Iterable<readonly [key: string, value: unknown]>) => void;
  /** What nobody waits for goes with a later batch, and the last such batch is lost with a process that is killed. */
  readonly mayBeLost?: (key: string) => boolean;
}

const SEEN_KEY = 'seen';
/** How exactly is known since when nobody has looked. */
const SEEN_EVERY_MS = 5_000;
const TIDY_EVERY_MS = 600_000;
