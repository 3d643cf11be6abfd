import type { Logger } from 'pino';
import { flat } from '../../registry/flat.ts';
import type { Registry } from '../../registry/registry.ts';
import { groupedName, type ServiceName, serviceKey } from '../../registry/service-name.ts';
import type { Permit } from '../../rights/admission.ts';
import type { LineBudget } from '../../wire/line-budget.ts';
import { Rounds } from '../../wire/rounds.ts';
import type { Cancel, Scheduler } from '../../wire/scheduler.ts';
import { Shares } from '../../wire/shares.ts';
import type { Taps } from '../../wire/taps.ts';
import { takesBytes } from '../agents.ts';
import { TooMany } from '../errors.ts';
import { type InterestBytes, sizeOfSubscription } from '../interest-bytes.ts';
import { Gathered } from '../pushes.ts';
import type { ClusterQuery } from './bodies.ts';
import type { Connection } from './connection.ts';
import type { Connections } from './connections.ts';
import { type Message, type ServiceInfo, ServiceMessage } from './messages.ts';
import { ServiceInfos, type ServiceInfosRooms } from './service-infos.ts';
import { type Eventual, type SubscribersLimits, type Subscription, subscriptionOf, type Topic } from './subscriptions.ts';

/**
 * Which connections have subscribed to which service, and pushing to them. A subscription is level-triggered: it holds one push at a
 * time, made of what is true when it leaves; what changes before it is acknowledged goes out as the next one. A push that is not
 * acknowledged is repeated for as long as the connection lives.
 */
export class Subscribers {
  readonly #options: SubscribersOptions;
  readonly #topics = new Map<string, Topic>();
  /** By connection, service and spelling of the clusters. */
  readonly #byConnection = new Map<Connection, Map<Topic, Map<string, Subscription>>>();
  /** By the address at the other end. */
  readonly #shares: Shares;
  readonly #changed: Gathered<Topic>;
  readonly #offers: Rounds<Subscription>;
  /** Those whose push failed, or was held back, with the time of the next try. */
  readonly #retries = new Map<Subscription, number>();
  readonly #infos: ServiceInfos;
  #cancelRetries: Cancel | undefined;
  #closed = false;

  constructor(options: SubscribersOptions) {
    this.#options = options;
    const { maxSubscriptions: inAll, maxSubscriptionsPerPeer: ofOne } = options.limits;
    this.#shares = new Shares({ inAll, ofOne });
    this.#infos = new ServiceInfos(options);
    this.#offers = new Rounds(options.scheduler, OFFERS_A_ROUND, (subscription) => this.#offer(subscription));
    this.#changed = new Gathered(options, (topics) => {
      for (const { subscriptions } of topics) for (const subscription of subscriptions) this.#offers.add(subscription);
    });
    options.registry.onChange((service) => this.#noteChange(service));
    options.connections.onEnd((connection) => this.#drop(connection));
    options.switches.onChange(() => {
      // How long a list is good for stands in it.
      for (const { views } of this.#topics.values()) views.clear();
      // Pushes that were switched off are made up for.
      for (const subscription of this.all()) this.#offers.add(subscription);
    });
  }

  /** Answers the list. A push of the same follows: clients that subscribe again after an outage throw the answer away. */
  subscribe(connection: Connection, service: ServiceName, query: ClusterQuery, permit?: Permit): Eventual<ServiceInfo> {
    if (connection.ended) return this.query(service, query, false);
    const key = serviceKey(service);
    const fresh = { version: 0, isTooLarge: false, subscriptions: new Set<Subscription>(), views: new Map() };
    const topic: Topic = this.#topics.get(key) ?? { key, service: flat({ ...service }), ...fresh };
    const ofConnection = this.#byConnection.get(connection) ?? new Map<Topic, Map<string, Subscription>>();
    // A set of spellings for each service, where Nacos keeps the latest only and lets the pushes for the others cease.
    const spellings = ofConnection.get(topic) ?? new Map<string, Subscription>();
    const before = spellings.get(query.clustersVerbatim);
    connection.rights.relyOn(permit);
    if (before !== undefined) {
      before.permit = permit;
      connection.rights.forget(before);
      this.#offers.add(before);
    } else {
      this.#checkRoom(connection, ofConnection.size, spellings.size);
      this.#options.interestBytes?.take(connection.peer.ip, sizeOfSubscription(service, query));
      this.#shares.add(connection.peer.ip);
      const subscription = subscriptionOf(connection, topic, query);
      subscription.permit = permit;
      this.#byConnection.set(connection, ofConnection.set(topic, spellings.set(query.clustersVerbatim, subscription)));
      this.#topics.set(key, topic);
      topic.subscriptions.add(subscription);
      this.#changed.add(topic);
    }
    return this.#view(topic, query);
  }

  /** Answers the list, once more. */
  unsubscribe(connection: Connection, service: ServiceName, query: ClusterQuery): Eventual<ServiceInfo> {
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

  /** The list, for one who only asks: the one that subscribers have, where it is the same. */
  query(service: ServiceName, query: ClusterQuery, healthyOnly: boolean): Eventual<ServiceInfo> {
    const known = healthyOnly ? undefined : this.#topics.get(serviceKey(service))?.views.get(query.clustersVerbatim);
    return known ?? this.#infos.of(service, query, healthyOnly);
  }

  get count(): number {
    return this.#shares.count;
  }

  countOf(service: ServiceName): number {
    return this.#topics.get(serviceKey(service))?.subscriptions.size ?? 0;
  }

  /** Every subscription there is, service by service; or those of one connection, or to one service. */
  *all(whose?: Connection | ServiceName): IterableIterator<Subscription> {
    if (whose === undefined) for (const { subscriptions } of this.#topics.values()) yield* subscriptions;
    else if ('name' in whose) yield* this.#topics.get(serviceKey(whose))?.subscriptions ?? [];
    else for (const spellings of this.#byConnection.get(whose)?.values() ?? []) yield* spellings.values();
  }

  /** Whether it has subscribed to anything. */
  has(connection: Connection): boolean {
    return this.#byConnection.has(connection);
  }

  /** Pushes nothing more. */
  close(): void {
    this.#closed = true;
    this.#changed.close();
    this.#offers.close();
    this.#retries.clear();
    this.#cancelRetries?.();
  }

  #checkRoom({ peer }: Connection, services: number, spellings: number): void {
    const { maxSubscribedServices, maxClusterSets, maxSubscriptions, maxSubscriptionsPerPeer } = this.#options.limits;
    if (spellings >= maxClusterSets || (spellings === 0 && services >= maxSubscribedServices)) {
      const text = `more than ${maxSubscribedServices} services subscribed to, or one with more than ${maxClusterSets} sets of clusters`;
      throw new TooMany('subscriptions of one connection', text);
    }
    if (this.#shares.limitFor(peer.ip) === 'in all')
      this.#options.connections.giveWay(this.#shares.above(peer.ip), (other) => this.#byConnection.has(other));
    const limit = this.#shares.limitFor(peer.ip);
    if (limit === 'in all') throw new TooMany('subscriptions', `more than ${maxSubscriptions} subscriptions`);
    if (limit === undefined) return;
    throw new TooMany('subscriptions of one address', `more than ${maxSubscriptionsPerPeer} subscriptions from one address`);
  }

  #noteChange(service: ServiceName): void {
    const topic = this.#topics.get(serviceKey(service));
    if (topic === undefined) return;
    topic.version++;
    topic.views.clear();
    this.#changed.add(topic);
  }

  #offer(subscription: Subscription): void {
    const { connection, topic } = subscription;
    if (!subscription.open || subscription.told === topic.version) return;
    if (subscription.queued || subscription.unacknowledged || this.#isHeldBack(subscription)) return;
    if (!this.#mayHear(subscription)) return;
    subscription.queued = true;
    connection.outbox.send(() => this.#drafted(subscription));
  }

  /** There is room for it now. */
  #drafted(subscription: Subscription): Message | undefined {
    const { connection, topic } = subscription;
    subscription.queued = false;
    if (!this.#mayPush(subscription)) return undefined;
    const { version } = topic;
    const view = this.#view(topic, subscription);
    if (!(view instanceof Promise)) return this.#push(subscription, view, version);
    // It goes out as soon as it is there, though there may be news by then: where these are many, it would never go out else.
    subscription.queued = true;
    const pushed = (made: ServiceInfo) => {
      subscription.queued = false;
      return this.#mayPush(subscription) ? this.#push(subscription, made, version) : undefined;
    };
    view.then(
      (made) => connection.outbox.send(() => pushed(made)),
      (err) => this.#options.log.error({ err }, 'a list cannot be made'),
    );
    return undefined;
  }

  #mayPush(subscription: Subscription): boolean {
    if (!subscription.open || !this.#options.switches.values.pushEnabled || this.#isHeldBack(subscription)) return false;
    return this.#mayHear(subscription);
  }

  /** It was asked for once, by who may have lost the right since. */
  #mayHear(subscription: Subscription): boolean {
    const { connection, permit, topic } = subscription;
    // As nearly always where nobody logs in.
    if (permit?.user === undefined) return true;
    const scope = { kind: 'naming', ...topic.service } as const;
    return connection.rights.mayHear(permit, scope, subscription, () => this.#offers.add(subscription));
  }

  /** The list is that of the version. */
  #push(subscription: Subscription, view: ServiceInfo, version: number): Message | undefined {
    const { outbox } = subscription.connection;
    subscription.told = version;
    if (!this.#canTake(subscription, view)) {
      if (version !== subscription.topic.version) this.#offers.add(subscription);
      return undefined;
    }
    subscription.unacknowledged = true;
    subscription.pushedAt = this.#options.now();
    if (this.#options.taps !== undefined) this.#options.taps.pushes.sent++;
    const requestId = outbox.expect((acknowledged) => this.#acknowledged(subscription, acknowledged));
    return new ServiceMessage('NotifySubscriberRequest', `{"headers":{},"requestId":"${requestId}","module":"naming"}`, view);
  }

  /** A push that a client cannot take breaks its connection, and all that it has registered would go with that. */
  #canTake({ connection, topic }: Subscription, { length: bytes }: ServiceInfo): boolean {
    const fits = bytes + MAX_HEAD_BYTES <= takesBytes(connection.clientVersion);
    if (!fits && !topic.isTooLarge && (this.#options.lines?.take() ?? true)) {
      const facts = { namespace: topic.service.namespace, service: groupedName(topic.service), bytes };
      this.#options.log.warn(
        { ...facts, clientVersion: connection.clientVersion },
        'a list is larger than its subscribers take, not pushed',
      );
    }
    topic.isTooLarge = !fits;
    return fits;
  }

  #acknowledged(subscription: Subscription, acknowledged: boolean): void {
    subscription.unacknowledged = false;
    this.#count(subscription, acknowledged);
    if (acknowledged) {
      this.#offer(subscription);
    } else {
      // Go's client has no ear for pushes in the first milliseconds of its connection.
      subscription.told = undefined;
      this.#retryIn(RETRY_AFTER_MS, subscription);
    }
  }

  #count({ pushedAt }: Subscription, acknowledged: boolean): void {
    const { taps, now } = this.#options;
    if (taps === undefined) return;
    const { pushes } = taps;
    pushes[acknowledged ? 'acknowledged' : 'failed']++;
    if (!acknowledged) return;
    const costMs = now() - pushedAt;
    pushes.costMs += costMs;
    pushes.maxCostMs = Math.max(pushes.maxCostMs, costMs);
  }

  /** Emptiness that may be ignorance is no news to those who know better. It is pushed once it is knowledge. */
  #isHeldBack(subscription: Subscription): boolean {
    if (!this.#options.registry.isIgnorantOf(subscription.topic.service)) return false;
    this.#retryIn(RETRY_EVERY_MS, subscription);
    return true;
  }

  #retryIn(ms: number, subscription: Subscription): void {
    if (this.#closed || !subscription.open) return;
    const { now, scheduler } = this.#options;
    this.#retries.set(subscription, now() + ms);
    this.#cancelRetries ??= scheduler.every(RETRY_EVERY_MS, () => this.#retry());
  }

  /** Tries again what has failed and what had to wait. */
  #retry(): void {
    const now = this.#options.now();
    for (const [subscription, at] of this.#retries) {
      if (at > now) continue;
      this.#retries.delete(subscription);
      this.#offers.add(subscription);
    }
    if (this.#retries.size > 0) return;
    this.#cancelRetries?.();
    this.#cancelRetries = undefined;
  }

  #drop(connection: Connection): void {
    for (const spellings of this.#byConnection.get(connection)?.values() ?? [])
      for (const subscription of spellings.values()) this.#forget(subscription);
    this.#byConnection.delete(connection);
  }

  #forget(subscription: Subscription): void {
    const { connection, topic } = subscription;
    subscription.open = false;
    connection.rights.forget(subscription);
    this.#shares.remove(connection.peer.ip);
    this.#options.interestBytes?.add(connection.peer.ip, -sizeOfSubscription(topic.service, subscription));
    this.#retries.delete(subscription);
    topic.subscriptions.delete(subscription);
    // Made again for others who ask so.
    topic.views.delete(subscription.clustersVerbatim);
    if (topic.subscriptions.size > 0) return;
    this.#topics.delete(topic.key);
    this.#changed.delete(topic);
  }

  /** Subscribers that ask in the same way get the same list, made once after each change. */
  #view(topic: Topic, query: ClusterQuery): Eventual<ServiceInfo> {
    const { clustersVerbatim } = query;
    const known = topic.views.get(clustersVerbatim);
    if (known !== undefined) return known;
    const view = this.#infos.of(topic.service, query, false);
    const { registry, limits } = this.#options;
    if (topic.views.size >= limits.maxClusterSets || registry.isIgnorantOf(topic.service)) return view;
    topic.views.set(clustersVerbatim, view);
    const settled = (made?: ServiceInfo) => {
      if (topic.views.get(clustersVerbatim) !== view) return;
      if (made === undefined) topic.views.delete(clustersVerbatim);
      else topic.views.set(clustersVerbatim, made);
    };
    if (view instanceof Promise) view.then(settled, () => settled());
    return view;
  }
}

export interface SubscribersOptions extends ServiceInfosRooms {
  readonly registry: Registry;
  readonly connections: Connections;
  readonly scheduler: Scheduler;
  /** How long to wait for more changes before a push, in milliseconds. */
  readonly delayMs: number;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  readonly limits: SubscribersLimits;
  /** Where it is counted what is kept of them; nowhere when left out. */
  readonly interestBytes?: InterestBytes | undefined;
  readonly log: Logger;
  /** How many lines of it there is room for; as many as there are when left out. */
  readonly lines?: Pick<LineBudget, 'take'> | undefined;
  /** Where pushes are counted; nowhere when left out. */
  readonly taps?: Pick<Taps, 'pushes'> | undefined;
}

/** What a push has beside its list. */
const MAX_HEAD_BYTES = 1_024;
const RETRY_AFTER_MS = 1_000;
const RETRY_EVERY_MS = 250;
/** It is little that is done for each. */
const OFFERS_A_ROUND = 500;
