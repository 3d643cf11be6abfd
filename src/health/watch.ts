import { type ServiceName, serviceKey } from '../registry/service-name.ts';
import type { Peer } from '../wire/exchange.ts';
import { type Holding, Holdings } from '../wire/holdings.ts';
import type { Refused } from '../wire/refused.ts';
import type { Taps } from '../wire/taps.ts';
import { type Checker, healthKeys } from './health.ts';
import type { HealthName } from './names.ts';
import type { Status } from './status.ts';

/**
 * Who watches what. A watch is level-triggered: it is woken, takes the latest status, and what it has taken before is filtered. Nothing
 * queues up for a slow reader, and a name that nobody watches any more leaves nothing behind. All who watch the same share its status,
 * which is read once for each change, and are woken only when it is another.
 */
export class Watches {
  readonly #checker: Checker;
  readonly #limits: WatchLimits;
  readonly #room: WatchRoom;
  readonly #topics = new Map<string, Topic>();
  readonly #byKey = new Map<string, Topic[]>();
  readonly #byConnection = new WeakMap<object, number>();
  readonly #open: Holdings<Watch>;

  constructor(checker: Checker, limits: WatchLimits, room: WatchRoom = {}) {
    this.#checker = checker;
    this.#limits = limits;
    this.#room = room;
    this.#open = new Holdings({ inAll: limits.maxWatches, ofOne: limits.maxWatchesPerPeer });
    checker.onChange((key) => {
      for (const topic of this.#byKey.get(key) ?? []) this.#refresh(topic);
    });
  }

  /**
   * `reader` is woken when the status may be another than the one taken last; the opener then takes it. The opener closes the watch,
   * whatever happens. Where all together have as many as they may, one of the address that has most ends for a watcher of one that has
   * less. Undefined when there is none, or the watcher has as many as it may.
   */
  open(name: HealthName, { connection, ip }: Watcher, reader: Reader): Watch | undefined {
    const onConnection = this.#byConnection.get(connection) ?? 0;
    const { maxWatchesPerConnection, maxWatchesPerPeer } = this.#limits;
    if (this.#open.of(ip) >= maxWatchesPerPeer) return this.#refuse('watches of one address', ip);
    if (onConnection >= maxWatchesPerConnection) return this.#refuse('watches of one connection', ip);
    if (this.#open.limitFor(ip) !== undefined && !this.#giveWay(ip)) return this.#refuse('watches', ip);
    const topic = this.#topicOf(name);
    const watch = new Watch(topic, reader, this, connection, ip);
    this.#byConnection.set(connection, onConnection + 1);
    this.#open.add(watch);
    return watch;
  }

  #giveWay(ip: string): boolean {
    const watch = this.#open.above(ip).at(-1);
    if (watch === undefined) return false;
    this.#room.refused?.count('watches that gave way');
    watch.giveWay();
    return true;
  }

  #refuse(limit: string, ip: string): undefined {
    this.#room.refused?.count(limit, ip);
  }

  /** For the watch alone: the status now. Throws what went wrong with it. */
  statusOf(topic: Topic): Status {
    return topic.status ?? this.#checker.statusOf(topic.name);
  }

  /** For the watch alone: what changed then has been sent. */
  sent(changedAt: number): void {
    const { taps, now } = this.#room;
    if (taps !== undefined && now !== undefined) taps.watchNotify.observe((now() - changedAt) / 1_000);
  }

  /** For the watch alone: it has ended. */
  left(watch: Watch, topic: Topic, connection: object): void {
    if (topic.watches.size === 0) this.#forget(topic);
    this.#byConnection.set(connection, (this.#byConnection.get(connection) ?? 1) - 1);
    this.#open.delete(watch);
  }

  /**
   * Resolves when every watch of the name that is open now has sent its reader the present status, which it does not take twice, or
   * has ended.
   */
  async told(name: HealthName): Promise<void> {
    const topics = new Set(healthKeys(name).flatMap((key) => this.#byKey.get(key) ?? []));
    await Promise.all([...topics].flatMap(({ watches }) => [...watches].map((watch) => watch.told())));
  }

  /** How many watch the very service, or a part of it, by whatever name. */
  countOf(service: ServiceName): number {
    let count = 0;
    for (const { watches } of this.#byKey.get(serviceKey(service)) ?? []) count += watches.size;
    return count;
  }

  /** By which name each of them watches, and from where. */
  *of(service: ServiceName): IterableIterator<{ readonly name: HealthName; readonly ip: string }> {
    for (const { name, watches } of this.#byKey.get(serviceKey(service)) ?? []) for (const { ip } of watches) yield { name, ip };
  }

  /** How many watches are open now. */
  get count(): number {
    return this.#open.count;
  }

  /** How many keys are watched now. */
  get keyCount(): number {
    return this.#byKey.size;
  }

  #topicOf(name: HealthName): Topic {
    const id = idOf(name);
    const known = this.#topics.get(id);
    if (known !== undefined) return known;
    const topic: Topic = { id, name, status: this.#checker.statusOf(name), changedAt: 0, watches: new Set() };
    this.#topics.set(id, topic);
    for (const key of healthKeys(name)) {
      const topics = this.#byKey.get(key);
      if (topics === undefined) this.#byKey.set(key, [topic]);
      else topics.push(topic);
    }
    return topic;
  }

  #refresh(topic: Topic): void {
    const status = this.#read(topic.name);
    if (status !== undefined && status === topic.status) return;
    topic.status = status;
    topic.changedAt = this.#room.now?.() ?? 0;
    for (const watch of topic.watches) watch.wake();
  }

  /** Undefined: it cannot be read. Whoever watches is to find out himself, and who tells of changes is not to blame. */
  #read(name: HealthName): Status | undefined {
    try {
      return this.#checker.statusOf(name);
    } catch {
      return undefined;
    }
  }

  #forget(topic: Topic): void {
    this.#topics.delete(topic.id);
    for (const key of healthKeys(topic.name)) {
      const topics = this.#byKey.get(key) ?? [];
      // A new one: whoever goes through the old one now goes on.
      const others = topics.filter((other) => other !== topic);
      if (others.length === 0) this.#byKey.delete(key);
      else this.#byKey.set(key, others);
    }
  }
}

/** Who watches: limits are counted by it. */
export type Watcher = Pick<Peer, 'connection' | 'ip'>;

/** Takes the status when it is ready to. */
export interface Reader {
  wake(): void;
  /** The watch has ended, for one of a caller who has fewer: whoever reads it is to be told. */
  giveWay(): void;
}

/** Where it is counted what becomes of watches; nowhere when left out. */
export interface WatchRoom {
  readonly refused?: Refused | undefined;
  readonly taps?: Pick<Taps, 'watchNotify'> | undefined;
  /** Monotonic milliseconds. */
  readonly now?: (() => number) | undefined;
}

export interface WatchLimits {
  readonly maxWatchesPerConnection: number;
  readonly maxWatchesPerPeer: number;
  readonly maxWatches: number;
}

/** What is watched, its status as of the last change unless that could not be read, and by whom. */
interface Topic {
  readonly id: string;
  readonly name: HealthName;
  status: Status | undefined;
  /** When it became that. */
  changedAt: number;
  readonly watches: Set<Watch>;
}

/**
 * One watch. Its opener takes, sends what it has taken, and takes again: "nothing new" thus means that the last has been sent. An opener
 * that knows at once says so instead, or puts back what could not be sent.
 */
export class Watch implements Holding {
  readonly ip: string;
  /** For whoever counts. */
  place = -1;
  readonly #topic: Topic;
  readonly #reader: Reader;
  readonly #watches: Watches;
  readonly #connection: object;
  /** Of who waits until it has been told; nearly never anybody. */
  #waiting: (() => void)[] | undefined;
  #lastTaken: Status | undefined;
  #takenBefore: Status | undefined;
  #isSending = true;
  /** When that has changed which was taken last, if it is no first word and has not been sent yet. */
  #newsOf: number | undefined;
  #isOpen = true;

  constructor(topic: Topic, reader: Reader, watches: Watches, connection: object, ip: string) {
    this.#topic = topic;
    this.#reader = reader;
    this.#watches = watches;
    this.#connection = connection;
    this.ip = ip;
    topic.watches.add(this);
  }

  wake(): void {
    this.#reader.wake();
  }

  /** The status now, if it is another than the one taken last. */
  take(): Status | undefined {
    const status = this.#watches.statusOf(this.#topic);
    // Whoever takes again has sent what it took before.
    this.#haveSentNews();
    this.#isSending = status !== this.#lastTaken;
    if (this.#isSending && this.#lastTaken !== undefined) this.#newsOf = this.#topic.changedAt;
    this.#takenBefore = this.#lastTaken;
    this.#lastTaken = status;
    if (this.#isSending) return status;
    this.#settle();
    return undefined;
  }

  /** What was taken last is on its way. */
  sent(): void {
    this.#isSending = false;
    this.#haveSentNews();
    if (this.#topic.status === this.#lastTaken) this.#settle();
  }

  /** What was taken last could not be sent. */
  putBack(): void {
    this.#lastTaken = this.#takenBefore;
    this.#newsOf = undefined;
  }

  /** Resolves when its reader has been sent the present status, or when it ends. */
  told(): Promise<void> {
    if (!this.#isOpen || (!this.#isSending && this.#topic.status === this.#lastTaken)) return Promise.resolve();
    return new Promise((resolve) => {
      this.#waiting ??= [];
      this.#waiting.push(resolve);
    });
  }

  /** A second time it does nothing. */
  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#topic.watches.delete(this);
    this.#watches.left(this, this.#topic, this.#connection);
    this.#settle();
  }

  /** Ends for another. */
  giveWay(): void {
    this.close();
    this.#reader.giveWay();
  }

  #haveSentNews(): void {
    if (this.#newsOf === undefined) return;
    this.#watches.sent(this.#newsOf);
    this.#newsOf = undefined;
  }

  #settle(): void {
    const waiting = this.#waiting;
    if (waiting === undefined) return;
    this.#waiting = undefined;
    for (const resolve of waiting) resolve();
  }
}

/** The same for names that mean the same. */
function idOf(name: HealthName): string {
  if (name === 'bridge') return '';
  const { service, dubbo, cluster = '', instance } = name;
  const part = instance === undefined ? '' : `${instance.ip} ${instance.port}`;
  // Whether it may be a key of Dubbo too: which one, the name says.
  return JSON.stringify([service.namespace, service.group, service.name, dubbo !== undefined, cluster, part]);
}
