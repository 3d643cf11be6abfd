import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import type { ClassicLevel } from 'classic-level';
import type { Logger } from 'pino';
import type { Cancel, Scheduler } from '../wire/scheduler.ts';
import { claimDirectory, classicLevel, damaged, inUse, isInUse, openingError, StoreError, troubleOf } from './directory.ts';
import { checkSchema } from './schema.ts';
import { checkSoundness } from './soundness.ts';
import { Touched } from './touched.ts';

/**
 * What must survive a restart, as values by key: whoever keeps something touches a key when it may be another now, and is asked for
 * the present value when it is written, so that the latest wins and a burst costs one write. Writes are gathered and go in one batch
 * after another, each whole or not at all. A batch that cannot be written is kept, and tried again until it can.
 */
export class Store {
  readonly #options: StoreOptions;
  readonly #path: string;
  #db: ClassicLevel<string, string>;
  /** Touched, by key: what is to be written before anybody is answered, and the rest. */
  readonly #urgent = new Touched<Read>();
  readonly #later = new Touched<Read>();
  /** How many urgent touches there were, and how many of them are on disk. */
  #owed = 0;
  #paid = 0;
  readonly #waiting: Waiting[] = [];
  /** How many of those that nobody waits for have been gathered for long enough. */
  #gathered = 0;
  /** Of what is urgent: what is being written. */
  #underWay: ReadonlyMap<string, Read> = NOTHING;
  #trouble: string | undefined;
  /** There is one writer at most, and it looks at what is touched until nothing is left to be written. */
  #isWriting = false;
  #isScheduled = false;
  #written: Promise<void> = Promise.resolve();
  #cancelGathering: Cancel | undefined;
  #cancelRetry: Cancel | undefined;
  #retryMs = FIRST_RETRY_MS;
  #closed: Promise<void> | undefined;
  #isClosed = false;

  private constructor(path: string, db: ClassicLevel<string, string>, options: StoreOptions) {
    this.#path = path;
    this.#db = db;
    this.#options = options;
  }

  /** Creates the directory, if need be. Rejects with `StoreError`; nothing that is there is overwritten then. */
  static async open(dir: string, options: StoreOptions): Promise<Store> {
    await claimDirectory(dir);
    const path = join(dir, FOLDER);
    await checkSoundness(path).catch(async (cause) => {
      // Another process may be writing just what was looked at.
      throw (await isLocked(path)) ? inUse(dir, cause) : damaged(dir, cause);
    });
    const store = new Store(path, await opened(path, dir), options);
    try {
      await checkSchema(store.#db, dir);
    } catch (error) {
      await store.#db.close();
      throw error instanceof StoreError ? error : damaged(dir, error);
    }
    return store;
  }

  /**
   * What is written under the keys that begin so, in their order. Rejects with `StoreError` when it cannot be read. `prefix` must end
   * in a character of ASCII.
   */
  async *entries(prefix: string): AsyncIterableIterator<Entry> {
    for await (const some of this.pieces(prefix)) yield* some;
  }

  /** The same, many at a time: there may be a million. */
  async *pieces(prefix: string): AsyncIterableIterator<readonly Entry[]> {
    const iterator = this.#db.iterator({ gte: prefix, lt: after(prefix), highWaterMarkBytes: READ_BYTES });
    try {
      for (let some = await iterator.nextv(PIECE); some.length > 0; some = await iterator.nextv(PIECE))
        yield some.map(([key, text]) => {
          const { at, value } = JSON.parse(text);
          return { key, value, at: Number(at) };
        });
    } catch (cause) {
      throw damaged(this.#path, cause);
    } finally {
      await iterator.close();
    }
  }

  /**
   * What is under the key may be another now: `read` says what when it is written, undefined for nothing. `urgent`: it must survive,
   * and somebody may be waiting for that.
   */
  touch(key: string, read: Read, urgent: boolean): void {
    if (urgent) {
      this.#owed++;
      this.#later.delete(key);
      this.#urgent.set(key, read);
      this.#writeSoon();
    } else if (!this.#urgent.has(key)) {
      this.#later.set(key, read);
      this.#gather();
    }
  }

  /** Why nothing can be written now; undefined when all is well. */
  get trouble(): string | undefined {
    return this.#trouble;
  }

  /** How many keys wait to be written. */
  get pending(): number {
    return this.#urgent.size + this.#later.size;
  }

  /** How often something was touched that must survive: whoever sees another number after an act waits for `settled`. */
  get owed(): number {
    return this.#owed;
  }

  /** Resolves when all that has been touched and must survive is on disk; rejects with `StoreError` when that cannot be done now. */
  settled(): Promise<void> {
    if (this.#paid === this.#owed) return Promise.resolve();
    if (this.#isClosed) return Promise.reject(new StoreError('the store is closed'));
    return new Promise((resolve, reject) => void this.#waiting.push({ owed: this.#owed, resolve, reject }));
  }

  /** Whether the key is to be written before anybody is answered, and is not on disk yet. */
  isOwed(key: string): boolean {
    return this.#urgent.has(key) || this.#underWay.has(key);
  }

  /**
   * Writes what waits, if it can be written, and closes. Once more does the same. Rejects with `StoreError` when something that must
   * survive could not be written.
   */
  close(): Promise<void> {
    this.#closed ??= this.#end();
    return this.#closed;
  }

  async #end(): Promise<void> {
    this.#cancelGathering?.();
    this.#cancelRetry?.();
    await this.#written;
    this.#gathered = this.#later.size;
    await this.#write();
    this.#isClosed = true;
    this.#refuse(this.#trouble ?? 'it is closed');
    if (this.pending > 0) this.#options.log.error({ records: this.pending }, 'closed without writing all that is to survive');
    await this.#db.close();
    if (this.#urgent.size > 0) throw new StoreError(`not all that must survive could be written: ${this.#trouble ?? 'unknown'}`);
  }

  #gather(): void {
    if (this.#closed !== undefined) return;
    this.#cancelGathering ??= this.#options.scheduler.after(GATHER_MS, () => {
      this.#cancelGathering = undefined;
      this.#gathered = this.#later.size;
      this.#writeSoon();
    });
  }

  /** All that is touched within this turn of the event loop goes in one batch. */
  #writeSoon(): void {
    if (this.#isScheduled || this.#isWriting || this.#closed !== undefined) return;
    this.#isScheduled = true;
    this.#options.scheduler.soon(() => {
      this.#isScheduled = false;
      // As long as it is in trouble, only the retry writes; whoever waits is told at once.
      if (this.#isWriting || this.#closed !== undefined) return;
      if (this.#trouble === undefined) void this.#write();
      else this.#refuse(this.#trouble);
    });
  }

  #write(): Promise<void> {
    this.#isWriting = true;
    this.#written = this.#writeAll();
    return this.#written;
  }

  async #writeAll(): Promise<void> {
    try {
      if (this.#trouble !== undefined) await this.#reopen();
      while (this.#urgent.size > 0 || this.#gathered > 0) {
        if (this.#urgent.size > 0) await this.#writeBatch(true);
        // Whoever keeps writing what must survive does not keep the rest from it.
        if (this.#gathered > 0) await this.#writeBatch(false);
      }
      this.#recovered();
    } catch (cause) {
      this.#failed(cause);
    } finally {
      // Within the turn that has seen that nothing is left: what is touched from now on finds nobody at work.
      this.#isWriting = false;
    }
    if (this.#later.size > 0) this.#gather();
  }

  /** One batch: all that is urgent, or some of the rest. */
  async #writeBatch(urgent: boolean): Promise<void> {
    const from = urgent ? this.#urgent : this.#later;
    const taken = new Map<string, Read>();
    if (urgent) this.#underWay = taken;
    const batch = this.#db.batch();
    try {
      do {
        if (taken.size > 0) await new Promise<void>((resolve) => this.#options.scheduler.soon(resolve));
        this.#take(from, batch, taken);
        // Of what must survive all is in one batch, with what is touched while it is made: it is read at different moments, and an
        // act that came between would else be written by half.
      } while (urgent && from.size > 0);
      const owed = this.#owed;
      await batch.write({ sync: urgent });
      if (urgent) this.#pay(owed);
      else this.#gathered = from.size === 0 ? 0 : Math.max(0, this.#gathered - taken.size);
      this.#recovered();
    } catch (cause) {
      // Whatever has been touched anew is read anew.
      for (const [key, read] of taken) if (!this.#urgent.has(key)) from.set(key, read);
      throw cause;
    } finally {
      if (urgent) this.#underWay = NOTHING;
    }
  }

  /** No more at a time than nobody else notices. */
  #take(from: Touched<Read>, batch: Batch, taken: Map<string, Read>): void {
    for (let count = 0; count < SLICE; count++) {
      const [key, read] = from.take() ?? [];
      if (key === undefined || read === undefined) return;
      taken.set(key, read);
      const text = this.#textOf(key, read);
      if (text === undefined) batch.del(key);
      else if (text !== null) batch.put(key, text);
    }
  }

  /** Undefined: there is nothing now. Null: whoever keeps it cannot say, which is no fault of the disk, and stops nobody else. */
  #textOf(key: string, read: Read): string | undefined | null {
    try {
      const value = read();
      return value === undefined ? undefined : JSON.stringify({ at: this.#options.wallClock(), value });
    } catch (err) {
      this.#options.log.error({ err, key: key.slice(0, 200) }, 'a value could not be read to be kept');
      return null;
    }
  }

  #pay(owed: number): void {
    this.#paid = owed;
    while (this.#waiting[0] !== undefined && this.#waiting[0].owed <= owed) this.#waiting.shift()?.resolve();
  }

  #refuse(why: string): void {
    const reason = new StoreError(`the store cannot be written: ${why}`);
    for (const { reject } of this.#waiting.splice(0)) reject(reason);
  }

  #failed(cause: unknown): void {
    const { scheduler, log, told } = this.#options;
    const reason = troubleOf(cause);
    log.debug({ err: cause, reason }, 'a batch could not be written');
    if (this.#trouble === undefined) told?.(reason, this.pending);
    this.#trouble = reason;
    this.#refuse(reason);
    if (this.#closed !== undefined) return;
    this.#cancelRetry = scheduler.after(this.#retryMs, () => {
      this.#gathered = this.#later.size;
      void this.#write();
    });
    this.#retryMs = Math.min(this.#retryMs * 2, LAST_RETRY_MS);
  }

  /** After a failure the database takes nothing any more until it is opened again. */
  async #reopen(): Promise<void> {
    await this.#db.close();
    this.#db = await opened(this.#path, this.#path);
  }

  #recovered(): void {
    if (this.#trouble === undefined) return;
    this.#trouble = undefined;
    this.#retryMs = FIRST_RETRY_MS;
    this.#options.told?.(undefined, this.pending);
  }
}

export interface StoreOptions {
  readonly scheduler: Scheduler;
  /** Milliseconds since 1970. */
  readonly wallClock: () => number;
  readonly log: Logger;
  /** Hears why nothing can be written any more, and that it can be again (undefined); and how many records wait for it. */
  readonly told?: (reason: string | undefined, records: number) => void;
}

export interface Entry {
  readonly key: string;
  readonly value: unknown;
  /** When it was written, by the clock on the wall: another process's, which may have jumped since. */
  readonly at: number;
}

/** What there is now, as plain JSON; undefined for nothing. */
export type Read = () => unknown;

interface Waiting {
  readonly owed: number;
  readonly resolve: () => void;
  readonly reject: (reason: StoreError) => void;
}

type Batch = Pick<ReturnType<ClassicLevel<string, string>['batch']>, 'put' | 'del'>;

const NOTHING: ReadonlyMap<string, Read> = new Map();
const FOLDER = 'records';
/** How much is read at a time: each time costs a turn of the event loop, and nobody else may have to wait for long. */
const READ_BYTES = 1 << 18;
const PIECE = 500;
/** What nobody waits for is gathered for so long. */
const GATHER_MS = 1_000;
/** Records in one batch of what nobody waits for: making it takes the event loop a few milliseconds. */
const SLICE = 200;
const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 10_000;

async function opened(path: string, dir: string): Promise<ClassicLevel<string, string>> {
  const db = new (await classicLevel())<string, string>(path, { keyEncoding: 'utf8', valueEncoding: 'utf8' });
  try {
    await db.open();
    // Hashes and texts are in it, and its files are made for everybody to read. Whoever may not say so does not own it.
    await chmod(path, 0o700).catch(() => {});
    return db;
  } catch (cause) {
    throw openingError(dir, cause);
  }
}

/** Opens nothing, and makes nothing: what is asked for is what there cannot be. */
async function isLocked(path: string): Promise<boolean> {
  const db = new (await classicLevel())(path);
  return db.open({ createIfMissing: false, errorIfExists: true }).then(() => false, isInUse);
}

/** What no key that begins so comes after. */
function after(prefix: string): string {
  return `${prefix.slice(0, -1)}${String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1)}`;
}
