import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import { gzipSync } from 'node:zlib';
import type { Logger } from 'pino';
import { flat } from '../registry/flat.ts';
import type { Registry } from '../registry/registry.ts';
import { type ServiceName, serviceKey } from '../registry/service-name.ts';
import { shown } from './request-error.ts';
import type { Switches } from './switches.ts';
import { type ListQuery, listView } from './views.ts';

/**
 * The UDP subscribers of Nacos 1.x: who asked to be told of which service, and telling them. A push goes to the address that a
 * request came from and nowhere else (unless an option says so), is sent again once when it is not acknowledged, and soon stops
 * for a target that acknowledges nothing: such a client polls, and a stranger is not flooded.
 */
export class Pusher {
  readonly #options: PusherOptions;
  /** Service -> subscription key -> subscriber. */
  readonly #byService = new Map<string, Map<string, Subscriber>>();
  readonly #targets = new Map<string, Target>();
  readonly #unacked = new Map<string, Sent>();
  readonly #dirty = new Map<string, ServiceName>();
  readonly #sockets = new Map<'udp4' | 'udp6', Socket>();
  #flushTimer: NodeJS.Timeout | undefined;
  #careTimer: NodeJS.Timeout | undefined;
  #subscriberCount = 0;
  #lastRef = 0;
  #closed = false;
  readonly #counts = { sent: 0, acked: 0, failed: 0 };

  constructor(options: PusherOptions) {
    this.#options = options;
    options.registry.onChange((service) => this.#changed(service));
  }

  /**
   * Notes that the asker wants to hear of the service, or still does. Answers how long it may go by what it has now, in
   * milliseconds: long when pushes reach it, short when it has to poll. `empty`: there is nothing in what it has.
   */
  subscribe(service: ServiceName, subscription: Subscription, empty: boolean): number {
    const { switches, now } = this.#options;
    const { defaultCacheMillis, defaultPushCacheMillis, pushEnabled } = switches.values;
    if (!pushEnabled || !canBePushed(subscription.agent)) return defaultCacheMillis;
    const key = serviceKey(service);
    const targetKey = targetKeyOf(subscription.ip, subscription.port);
    const id = `${targetKey} ${subscription.grouped} ${subscription.clustersVerbatim}`;
    let subscribers = this.#byService.get(key);
    let subscriber = subscribers?.get(id);
    if (subscriber === undefined) {
      const target = this.#targets.get(targetKey);
      if (this.#subscriberCount >= MAX_SUBSCRIBERS || (target?.subscriptions ?? 0) >= MAX_SUBSCRIPTIONS_A_TARGET)
        return defaultCacheMillis;
      subscribers ??= new Map<string, Subscriber>();
      this.#byService.set(key, subscribers);
      const { namespace, group, name } = service;
      subscriber = {
        ...subscription,
        ip: flat(subscription.ip),
        agent: flat(subscription.agent.slice(0, MAX_AGENT_LENGTH)),
        app: flat(subscription.app.slice(0, MAX_AGENT_LENGTH)),
        clusters: subscription.clusters.map(flat),
        clustersVerbatim: flat(subscription.clustersVerbatim),
        service: { namespace: flat(namespace), group: flat(group), name: flat(name) },
        target: this.#target(flat(targetKey)),
        expiresAt: 0,
        tooLarge: false,
      };
      subscribers.set(id, subscriber);
      subscriber.target.subscriptions++;
      this.#subscriberCount++;
    }
    subscriber.expiresAt = now() + (empty ? EMPTY_EXPIRY_MS : EXPIRY_MS);
    // The answer to this request tells the latest. It proves a caller, though no path for datagrams: worth one more try.
    subscriber.target.waiting.delete(subscriber);
    if (subscriber.target.silent) subscriber.target.window = 1;
    this.#careTimer ??= setInterval(() => this.care(), CARE_EVERY_MS).unref();
    return subscriber.tooLarge || subscriber.target.silent ? defaultCacheMillis : defaultPushCacheMillis;
  }

  /** Those whose subscription has not run out, as they asked. */
  subscribers(service: ServiceName): Subscription[] {
    const now = this.#options.now();
    return [...(this.#byService.get(serviceKey(service))?.values() ?? [])].filter(({ expiresAt }) => expiresAt >= now);
  }

  /** Every subscription there is, with its service. */
  *all(): IterableIterator<Subscription & { readonly service: ServiceName }> {
    const now = this.#options.now();
    for (const subscribers of this.#byService.values())
      for (const subscriber of subscribers.values()) if (subscriber.expiresAt >= now) yield subscriber;
  }

  /** What has been sent, acknowledged and given up since the start. */
  get counts(): { readonly sent: number; readonly acked: number; readonly failed: number; readonly waiting: number } {
    return { ...this.#counts, waiting: this.#unacked.size };
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#flushTimer);
    clearInterval(this.#careTimer);
    for (const socket of this.#sockets.values()) socket.close();
    this.#sockets.clear();
  }

  /** Changes that follow each other closely go out in one push. */
  #changed(service: ServiceName): void {
    const key = serviceKey(service);
    if (this.#closed || !this.#byService.has(key)) return;
    this.#dirty.set(key, service);
    this.#flushTimer ??= setTimeout(() => this.flush(), this.#options.delayMs);
  }

  /** Pushes what has changed since the last time. */
  flush(): void {
    clearTimeout(this.#flushTimer);
    this.#flushTimer = undefined;
    const now = this.#options.now();
    for (const [key, service] of this.#dirty) {
      // Subscribers that asked in the same way get the same datagram, made once.
      const parcels = new Map<string, Parcel>();
      for (const subscriber of this.#byService.get(key)?.values() ?? []) {
        if (subscriber.expiresAt < now || !this.#options.switches.values.pushEnabled) continue;
        const kind = `${subscriber.grouped} ${subscriber.clustersVerbatim}`;
        const parcel = parcels.get(kind) ?? this.#pack(service, subscriber);
        parcels.set(kind, parcel);
        this.#push(subscriber, parcel);
      }
    }
    this.#dirty.clear();
  }

  #pack(service: ServiceName, { clusters, clustersVerbatim, grouped }: Subscription): Parcel {
    const { registry, switches, wallClock } = this.#options;
    const query: ListQuery = {
      clusters,
      clustersVerbatim,
      grouped,
      healthyOnly: false,
      cacheMillis: switches.values.defaultPushCacheMillis,
      lastRefTime: wallClock(),
      env: '',
    };
    const view = listView(service, registry.instances(service) ?? [], query, registry.settings(service));
    const ref = this.#nextRef();
    const text = Buffer.from(JSON.stringify({ type: 'dom', data: JSON.stringify(view), lastRefTime: ref }));
    return { ref, empty: view.hosts.length === 0, datagram: text.length >= GZIP_FROM_BYTES ? gzipSync(text) : text };
  }

  #push(subscriber: Subscriber, { ref, empty, datagram }: Parcel): void {
    const { target, port, ip, agent } = subscriber;
    if (empty) subscriber.expiresAt = Math.max(subscriber.expiresAt, this.#options.now() + EMPTY_EXPIRY_MS);
    // A push that a client cannot take whole is worse than none: it polls, and soon.
    subscriber.tooLarge = datagram.length > (agent.startsWith(GO) ? MAX_GO_BYTES : MAX_DATAGRAM_BYTES);
    if (subscriber.tooLarge) return;
    if (target.window === 0) {
      // Told when the target acknowledges something, of what is true then.
      target.waiting.add(subscriber);
      return;
    }
    target.window--;
    target.waiting.delete(subscriber);
    this.#unacked.set(`${target.key} ${ref}`, { datagram, subscriber, sentAt: this.#options.now(), again: true });
    this.#send(datagram, ip, port);
  }

  /** Unique, and small enough that a client that reads it as a double gives it back unharmed. */
  #nextRef(): number {
    this.#lastRef = Math.max(this.#lastRef + 1, Math.floor(this.#options.wallClock()) * 1_000);
    return this.#lastRef;
  }

  #send(datagram: Buffer, ip: string, port: number): void {
    this.#counts.sent++;
    // An address that cannot be reached is found out by the missing acknowledgement.
    this.#socketFor(ip).send(datagram, port, ip, () => {});
  }

  #socketFor(ip: string): Socket {
    const type = isIPv6(ip) ? 'udp6' : 'udp4';
    const known = this.#sockets.get(type);
    if (known !== undefined) return known;
    const socket = createSocket(type);
    socket.on('message', (message, from) => this.#acknowledged(message, from));
    socket.on('error', (err) => this.#options.log.warn({ err }, 'udp socket failed'));
    socket.unref();
    this.#sockets.set(type, socket);
    return socket;
  }

  /** Java and Go write the reference as text, npm as a number. */
  #acknowledged(message: Buffer, from: RemoteInfo): void {
    if (message.length > MAX_ACK_BYTES) return;
    let ref: unknown;
    try {
      ref = (JSON.parse(message.toString()) as { lastRefTime?: unknown } | null)?.lastRefTime;
    } catch {
      this.#options.log.debug({ from: from.address, text: shown(message.toString('latin1')) }, 'datagram is no acknowledgement');
    }
    const key = `${targetKeyOf(from.address, from.port)} ${String(ref)}`;
    const sent = this.#unacked.get(key);
    if (sent === undefined) return;
    this.#unacked.delete(key);
    this.#counts.acked++;
    const { target, agent } = sent.subscriber;
    // To Go's client a push is as good as an answer: it does not ask while pushes come (nacos-sdk-go 1.1.6, asyncUpdateService).
    if (agent.startsWith(GO)) sent.subscriber.expiresAt = Math.max(sent.subscriber.expiresAt, this.#options.now() + EXPIRY_MS);
    target.window = target.silent ? WINDOW : Math.min(target.window + 1, WINDOW);
    target.silent = false;
    for (const subscriber of target.waiting) {
      if (target.window === 0) break;
      target.waiting.delete(subscriber);
      this.#push(subscriber, this.#pack(subscriber.service, subscriber));
    }
  }

  /** Sends again what was not acknowledged, gives up what was not the second time, and drops who has not renewed. */
  care(): void {
    const now = this.#options.now();
    for (const [key, sent] of this.#unacked) {
      if (now - sent.sentAt < ACK_WITHIN_MS) continue;
      if (sent.again) {
        this.#unacked.set(key, { ...sent, sentAt: now, again: false });
        this.#send(sent.datagram, sent.subscriber.ip, sent.subscriber.port);
      } else {
        this.#unacked.delete(key);
        this.#counts.failed++;
        sent.subscriber.target.silent = true;
        sent.subscriber.target.window = 0;
      }
    }
    for (const [key, subscribers] of this.#byService) {
      for (const [id, subscriber] of subscribers) {
        const { expiresAt, target } = subscriber;
        if (now <= expiresAt) continue;
        target.waiting.delete(subscriber);
        subscribers.delete(id);
        this.#subscriberCount--;
        if (--target.subscriptions === 0) this.#targets.delete(target.key);
      }
      if (subscribers.size === 0) this.#byService.delete(key);
    }
    if (this.#subscriberCount === 0 && this.#unacked.size === 0) {
      clearInterval(this.#careTimer);
      this.#careTimer = undefined;
    }
  }

  #target(key: string): Target {
    const target = this.#targets.get(key) ?? {
      key,
      subscriptions: 0,
      window: WINDOW,
      silent: false,
      waiting: new Set<Subscriber>(),
    };
    this.#targets.set(key, target);
    return target;
  }
}

export interface PusherOptions {
  readonly registry: Registry;
  readonly switches: Switches;
  /** How long to wait for more changes before a push, in milliseconds. */
  readonly delayMs: number;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  /** Milliseconds since 1970, never going back. */
  readonly wallClock: () => number;
  readonly log: Logger;
}

export interface Subscription {
  readonly ip: string;
  readonly port: number;
  readonly agent: string;
  readonly app: string;
  readonly grouped: boolean;
  readonly clusters: readonly string[];
  readonly clustersVerbatim: string;
}

interface Subscriber extends Subscription {
  readonly service: ServiceName;
  readonly target: Target;
  /** Until when it counts, unless it asks again. */
  expiresAt: number;
  /** The last push did not go out, as the client could not have read it whole. */
  tooLarge: boolean;
}

/** One address and port, whatever it has subscribed to. */
interface Target {
  readonly key: string;
  subscriptions: number;
  /** How many pushes may still go out before one is acknowledged. */
  window: number;
  /** Who is to be told once there is room again. */
  readonly waiting: Set<Subscriber>;
  /** Did not acknowledge when it was last tried. */
  silent: boolean;
}

interface Parcel {
  /** By which it is acknowledged. */
  readonly ref: number;
  /** The list in it has no instance. */
  readonly empty: boolean;
  readonly datagram: Buffer;
}

interface Sent {
  readonly datagram: Buffer;
  readonly subscriber: Subscriber;
  readonly sentAt: number;
  /** Whether it may be sent a second time. */
  readonly again: boolean;
}

/** Clients renew every 10 s; half as much again is slack for a late one. */
const EXPIRY_MS = 15_000;
/** Java clients (1.4.0 and later) that see an empty list pause for up to 60 s between two polls. */
const EMPTY_EXPIRY_MS = 75_000;
const ACK_WITHIN_MS = 10_000;
const CARE_EVERY_MS = 1_000;
const GZIP_FROM_BYTES = 1_024;
/** Go's client reads no more of a datagram (nacos-sdk-go 1.1.6). */
const MAX_GO_BYTES = 4_024;
const MAX_DATAGRAM_BYTES = 65_507;
const MAX_ACK_BYTES = 4_096;
const MAX_AGENT_LENGTH = 256;
const MAX_SUBSCRIBERS = 100_000;
const MAX_SUBSCRIPTIONS_A_TARGET = 1_000;
/** Unacknowledged pushes that a target may have. */
const WINDOW = 16;

const GO = 'Nacos-Go-Client';

const AGENTS: readonly (readonly [prefix: string, least: string])[] = [
  ['Nacos-Java-Client', '0.1.0'],
  [GO, '0.1.0'],
  ['Nacos-C-Client', '1.0.12'],
  ['vip-client4cpp', '1.0.12'],
  ['Nacos-DNS', '0.4.3'],
  ['Nacos-CSharp-Client', '0.9.0'],
];

/** Whether the client that calls itself so listens for datagrams. */
export function canBePushed(agent: string): boolean {
  const least = AGENTS.find(([prefix]) => agent.startsWith(prefix))?.[1];
  const version = /:v(\d+(?:\.\d+)*)/.exec(agent)?.[1];
  return least !== undefined && version !== undefined && !isOlder(version, least);
}

function isOlder(version: string, than: string): boolean {
  const [a, b] = [version, than].map((text) => text.split('.').map(Number)) as [number[], number[]];
  for (let i = 0; i < b.length; i++) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0);
    if (difference !== 0) return difference < 0;
  }
  return false;
}

function targetKeyOf(ip: string, port: number): string {
  return `${ip} ${port}`;
}
