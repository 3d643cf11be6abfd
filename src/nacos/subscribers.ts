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
  readonly #byService = new Map<string, Set<Subscription>>();
  readonly #byConnection = new Map<Connection, Map<string, Subscription>>();
  /** What subscribers see of a service, by their clusters; only until the next change. */
  readonly #views = new Map<string, Map<string, string>>();
  readonly #dirty = new Set<string>();
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
    const key = serviceKey(service);
    const ofConnection = this.#byConnection.get(connection) ?? new Map<string, Subscription>();
    // A set of spellings for each service, where Nacos keeps the latest only and lets the pushes for the others cease.
    const id = `${key} ${query.clustersVerbatim}`;
    if (!ofConnection.has(id) && !connection.ended) {
      if (ofConnection.size >= MAX_SUBSCRIPTIONS_A_CONNECTION)
        throw new RequestError('too-many', `more than ${MAX_SUBSCRIPTIONS_A_CONNECTION} subscriptions`);
      const subscription: Subscription = {
        connection,
        service,
        ...query,
        open: true,
        dirty: true,
        queued: false,
        unacknowledged: false,
      };
      this.#byConnection.set(connection, ofConnection.set(id, subscription));
      const ofService = this.#byService.get(key);
      if (ofService === undefined) this.#byService.set(key, new Set([subscription]));
      else ofService.add(subscription);
      this.#flushSoon(key);
    }
    return this.#view(service, query);
  }

  /** Answers the list as JSON, once more. */
  unsubscribe(connection: Connection, service: ServiceName, query: ClusterQuery): string {
    const ofConnection = this.#byConnection.get(connection);
    const id = `${serviceKey(service)} ${query.clustersVerbatim}`;
    const subscription = ofConnection?.get(id);
    if (ofConnection !== undefined && subscription !== undefined) {
      ofConnection.delete(id);
      if (ofConnection.size === 0) this.#byConnection.delete(connection);
      this.#forget(subscription);
    }
    return this.#view(service, query);
  }

  /** The list as JSON, for one who only asks. */
  query(service: ServiceName, query: ClusterQuery, healthyOnly: boolean): string {
    return JSON.stringify(this.#made(service, { ...query, healthyOnly }));
  }

  /** Those of a service. */
  of(service: ServiceName): Iterable<Subscription> {
    return this.#byService.get(serviceKey(service)) ?? [];
  }

  *all(): IterableIterator<Subscription> {
    for (const ofService of this.#byService.values()) yield* ofService;
  }

  /** Pushes what has changed since the last time. */
  flush(): void {
    clearTimeout(this.#flushTimer);
    this.#flushTimer = undefined;
    for (const key of this.#dirty) for (const subscription of this.#byService.get(key) ?? []) this.#offer(subscription);
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
    const key = serviceKey(service);
    const subscriptions = this.#byService.get(key);
    if (this.#closed || subscriptions === undefined) return;
    this.#views.delete(key);
    for (const subscription of subscriptions) subscription.dirty = true;
    this.#flushSoon(key);
  }

  #flushSoon(key: string): void {
    if (this.#closed) return;
    this.#dirty.add(key);
    this.#flushTimer ??= setTimeout(() => this.flush(), this.#options.delayMs);
  }

  #offer(subscription: Subscription): void {
    const { connection, service } = subscription;
    if (!subscription.open || !subscription.dirty || subscription.queued || subscription.unacknowledged) return;
    subscription.queued = true;
    connection.send(() => {
      subscription.queued = false;
      if (!subscription.open || !this.#options.switches.values.pushEnabled) return undefined;
      if (this.#isIgnorantOf(service)) {
        this.#retryAt(subscription, this.#ignorantUntil);
        return undefined;
      }
      subscription.dirty = false;
      subscription.unacknowledged = true;
      const requestId = connection.expect((acknowledged) => {
        subscription.unacknowledged = false;
        if (acknowledged) {
          this.#offer(subscription);
        } else {
          // Go's client has no ear for pushes in the first milliseconds of its connection.
          subscription.dirty = true;
          this.#retryAt(subscription, this.#options.now() + RETRY_AFTER_MS);
        }
      });
      const head = JSON.stringify({ headers: {}, requestId, module: 'naming' });
      return { type: 'NotifySubscriberRequest', body: withServiceInfo(head, this.#view(service, subscription)) };
    });
  }

  #retryAt(subscription: Subscription, at: number): void {
    if (this.#closed || !subscription.open) return;
    this.#retries.set(subscription, at);
    this.#retryTimer ??= setInterval(() => this.retry(), RETRY_EVERY_MS).unref();
  }

  #drop(connection: Connection): void {
    for (const subscription of this.#byConnection.get(connection)?.values() ?? []) this.#forget(subscription);
    this.#byConnection.delete(connection);
  }

  #forget(subscription: Subscription): void {
    const key = serviceKey(subscription.service);
    const ofService = this.#byService.get(key);
    subscription.open = false;
    this.#retries.delete(subscription);
    ofService?.delete(subscription);
    if (ofService?.size !== 0) return;
    this.#byService.delete(key);
    this.#views.delete(key);
  }

  /** Subscribers that ask in the same way get the same text, made once after each change. */
  #view(service: ServiceName, query: ClusterQuery): string {
    const key = serviceKey(service);
    const known = this.#views.get(key)?.get(query.clustersVerbatim);
    if (known !== undefined) return known;
    const view = JSON.stringify(this.#made(service, { ...query, healthyOnly: false }));
    if (!this.#byService.has(key) || this.#isIgnorantOf(service)) return view;
    this.#views.set(key, (this.#views.get(key) ?? new Map<string, string>()).set(query.clustersVerbatim, view));
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

interface Subscription extends ClusterQuery {
  readonly connection: Connection;
  readonly service: ServiceName;
  open: boolean;
  /** There is something that has not been pushed. */
  dirty: boolean;
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
const MAX_SUBSCRIPTIONS_A_CONNECTION = 20_000;
