import type { Registry } from '../registry/registry.ts';
import { type ServiceName, serviceKey } from '../registry/service-name.ts';
import type { Connection, Connections } from './connections.ts';
import { RequestError } from './request-error.ts';
import type { Switches } from './switches.ts';
import { type ServiceInfoQuery, serviceInfoView } from './views.ts';

/**
 * Which connections have subscribed to which service, and pushing to them. A subscription is level-triggered: it holds one push at a
 * time, made of what is true when it leaves; what changes before it is acknowledged goes out as the next one. A push that is not
 * acknowledged is repeated for as long as the connection lives.
 */
export class Subscribers {
  readonly #options: SubscribersOptions;
  readonly #topics = new Map<string, Topic>();
  /** By connection, service and spelling. */
  readonly #byConnection = new Map<Connection, Map<Topic, Map<string, Subscription>>>();
  readonly #dirty = new Set<Topic>();
  /** Those whose push failed, or was held back, with the time of the next try. */
  readonly #retries = new Map<Subscription, number>();
  readonly #ignorantUntil: number;
  #flushTimer: NodeJS.Timeout | undefined;
  #retryTimer: NodeJS.Timeout | undefined;
  #lastRefTime = 0;
  #closed = false;

  constructor(options: SubscribersOptions) {
    this.#options = options;
    this.#ignorantUntil = options.now() + options.graceMs;
    options.registry.onChange((service) => this.#changed(service));
    options.connections.onEnd((connection) => this.#drop(connection));
    // Pushes that were switched off are made up for.
    options.switches.onChange(() => {
      for (const subscription of this.all()) this.#offer(subscription);
    });
  }

  /** Answers the list as JSON. A push of the same follows: clients that subscribe again after an outage throw the answer away. */
  subscribe(connection: Connection, service: ServiceName, query: ClusterQuery): string {
    if (connection.ended) return this.query(service, query, false);
    const key = serviceKey(service);
    const topic: Topic = this.#topics.get(key) ?? { key, service, version: 0, subscriptions: new Set(), views: new Map() };
    const ofConnection = this.#byConnection.get(connection) ?? new Map<Topic, Map<string, Subscription>>();
    // A set of spellings for each service, where Nacos keeps the latest only and lets the pushes for the others cease.
    const spellings = ofConnection.get(topic) ?? new Map<string, Subscription>();
    if (!spellings.has(query.clustersVerbatim)) {
      if (spellings.size >= MAX_SPELLINGS || (spellings.size === 0 && ofConnection.size >= MAX_SERVICES_A_CONNECTION))
        throw new RequestError(
          'too-many',
          `more than ${MAX_SERVICES_A_CONNECTION} services subscribed to, or one with more than ${MAX_SPELLINGS} sets of clusters`,
        );
      const subscription: Subscription = {
        ...query,
        connection,
        topic,
        open: true,
        told: undefined,
        queued: false,
        unacknowledged: false,
      };
      this.#byConnection.set(connection, ofConnection.set(topic, spellings.set(query.clustersVerbatim, subscription)));
      this.#topics.set(key, topic);
      topic.subscriptions.add(subscription);
      this.#flushSoon(topic);
    }
    return this.#view(topic, query);
  }

  /** Answers the list as JSON, once more. */
  unsubscribe(connection: Connection, service: ServiceName, query: ClusterQuery): string {
    const topic = this.#topics.get(serviceKey(service));
    const ofConnection = this.#byConnection.get(connection);
    const spellings = topic && ofConnection?.get(topic);
    const subscription = spellings?.get(query.clustersVerbatim);
    if (topic !== undefined && subscription !== undefined) {
      spellings?.delete(query.clustersVerbatim);
      if (spellings?.size === 0) ofConnection?.delete(topic);
      if (ofConnection?.size === 0) this.#byConnection.delete(connection);
      this.#forget(subscription);
    }
    return this.query(service, query, false);
  }

  /** The list as JSON, for one who only asks. */
  query(service: ServiceName, query: ClusterQuery, healthyOnly: boolean): string {
    return JSON.stringify(this.#made(service, { ...query, healthyOnly }));
  }

  *all(): IterableIterator<Subscription> {
    for (const { subscriptions } of this.#topics.values()) yield* subscriptions;
  }

  /** Pushes what has changed since the last time. */
  flush(): void {
    clearTimeout(this.#flushTimer);
    this.#flushTimer = undefined;
    for (const { subscriptions } of this.#dirty) for (const subscription of subscriptions) this.#offer(subscription);
    this.#dirty.clear();
  }

  /** Tries again what has failed and what had to wait. */
  retry(): void {
    const now = this.#options.now();
    for (const [subscription, at] of this.#retries) {
      if (at > now) continue;
      this.#retries.delete(subscription);
      this.#offer(subscription);
    }
    if (this.#retries.size > 0) return;
    clearInterval(this.#retryTimer);
    this.#retryTimer = undefined;
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#flushTimer);
    clearInterval(this.#retryTimer);
  }

  #changed(service: ServiceName): void {
    const topic = this.#topics.get(serviceKey(service));
    if (this.#closed || topic === undefined) return;
    topic.version++;
    topic.views.clear();
    this.#flushSoon(topic);
  }

  #flushSoon(topic: Topic): void {
    if (this.#closed) return;
    this.#dirty.add(topic);
    this.#flushTimer ??= setTimeout(() => this.flush(), this.#options.delayMs);
  }

  #offer(subscription: Subscription): void {
    const { connection, topic } = subscription;
    if (!subscription.open || subscription.told === topic.version) return;
    if (subscription.queued || subscription.unacknowledged) return;
    subscription.queued = true;
    connection.send(() => {
      subscription.queued = false;
      if (!subscription.open || !this.#options.switches.values.pushEnabled) return undefined;
      if (this.#isIgnorantOf(topic.service)) {
        this.#retryAt(subscription, this.#ignorantUntil);
        return undefined;
      }
      subscription.told = topic.version;
      subscription.unacknowledged = true;
      const requestId = connection.expect((acknowledged) => {
        subscription.unacknowledged = false;
        if (acknowledged) {
          this.#offer(subscription);
        } else {
          // Go's client has no ear for pushes in the first milliseconds of its connection.
          subscription.told = undefined;
          this.#retryAt(subscription, this.#options.now() + RETRY_AFTER_MS);
        }
      });
      const head = JSON.stringify({ headers: {}, requestId, module: 'naming' });
      return { type: 'NotifySubscriberRequest', body: withServiceInfo(head, this.#view(topic, subscription)) };
    });
  }

  #retryAt(subscription: Subscription, at: number): void {
    if (this.#closed || !subscription.open) return;
    this.#retries.set(subscription, at);
    this.#retryTimer ??= setInterval(() => this.retry(), RETRY_EVERY_MS).unref();
  }

  #drop(connection: Connection): void {
    for (const spellings of this.#byConnection.get(connection)?.values() ?? [])
      for (const subscription of spellings.values()) this.#forget(subscription);
    this.#byConnection.delete(connection);
  }

  #forget(subscription: Subscription): void {
    const { topic } = subscription;
    subscription.open = false;
    this.#retries.delete(subscription);
    topic.subscriptions.delete(subscription);
    // Made again for others who ask so.
    topic.views.delete(subscription.clustersVerbatim);
    if (topic.subscriptions.size > 0) return;
    this.#topics.delete(topic.key);
    this.#dirty.delete(topic);
  }

  /** Subscribers that ask in the same way get the same text, made once after each change. */
  #view(topic: Topic, query: ClusterQuery): string {
    const known = topic.views.get(query.clustersVerbatim);
    if (known !== undefined) return known;
    const view = this.query(topic.service, query, false);
    if (topic.views.size < MAX_SPELLINGS && !this.#isIgnorantOf(topic.service)) topic.views.set(query.clustersVerbatim, view);
    return view;
  }

  #made(service: ServiceName, query: Pick<ServiceInfoQuery, 'clusters' | 'clustersVerbatim' | 'healthyOnly'>) {
    const { registry, switches } = this.#options;
    return serviceInfoView(
      service,
      registry.instances(service) ?? [],
      {
        ...query,
        cacheMillis: switches.values.defaultPushCacheMillis,
        // Clients drop a list that is no newer than the one they have: this one cannot harm them.
        lastRefTime: this.#isIgnorantOf(service) ? 0 : this.#nextRefTime(),
      },
      registry.settings(service),
    );
  }

  /**
   * Whether that there is nothing may only mean that nobody has come back yet: consumers are often faster after a restart than the
   * providers that they have lists of.
   */
  #isIgnorantOf(service: ServiceName): boolean {
    const { registry, now } = this.#options;
    return now() < this.#ignorantUntil && registry.tally(service) === undefined;
  }

  /** Never the same twice: Go's and Python's clients drop what is not newer. */
  #nextRefTime(): number {
    this.#lastRefTime = Math.max(this.#lastRefTime + 1, this.#options.wallClock());
    return this.#lastRefTime;
  }
}

export interface SubscribersOptions {
  readonly registry: Registry;
  readonly connections: Connections;
  readonly switches: Switches;
  /** How long to wait for more changes before a push, in milliseconds. */
  readonly delayMs: number;
  /** For how long after the start a service that nobody has spoken of may be one that is not back yet, in milliseconds. */
  readonly graceMs: number;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  /** Milliseconds since 1970, never going back. */
  readonly wallClock: () => number;
}

export interface ClusterQuery {
  /** Empty means all. */
  readonly clusters: readonly string[];
  /** As the client wrote them: it finds its cached data by name and this text. */
  readonly clustersVerbatim: string;
}

/** A service that somebody has subscribed to. */
interface Topic {
  readonly key: string;
  readonly service: ServiceName;
  /** Counts its changes. */
  version: number;
  readonly subscriptions: Set<Subscription>;
  /** What subscribers see of it, by their clusters; only until the next change. */
  readonly views: Map<string, string>;
}

interface Subscription extends ClusterQuery {
  readonly connection: Connection;
  readonly topic: Topic;
  open: boolean;
  /** The version that was pushed last; undefined: none, or nobody knows. */
  told: number | undefined;
  /** A push waits for room on the connection. */
  queued: boolean;
  /** A push has gone out, and it is not known yet whether it has arrived. */
  unacknowledged: boolean;
}

/** Puts a list, which is JSON already, into an object. */
export function withServiceInfo(head: string, serviceInfo: string): string {
  return `${head.slice(0, -1)},"serviceInfo":${serviceInfo}}`;
}

const RETRY_AFTER_MS = 1_000;
const RETRY_EVERY_MS = 250;
/** Who consumes every service of a large estate subscribes to each. */
const MAX_SERVICES_A_CONNECTION = 20_000;
/** Sets of clusters in which a connection may see one service, and in which a list is kept. */
const MAX_SPELLINGS = 16;
