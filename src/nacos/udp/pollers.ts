import { flat } from '../../registry/flat.ts';
import { type ServiceName, serviceKey } from '../../registry/service-name.ts';
import type { Permit } from '../../rights/admission.ts';
import type { Refused } from '../../wire/refused.ts';
import { Shares } from '../../wire/shares.ts';
import { type InterestBytes, sizeOfSubscription } from '../interest-bytes.ts';
import type { Datagram } from './datagrams.ts';
import { newTarget, type Recipient, type Target, targetKeyOf } from './flow.ts';

/**
 * Who has asked to be told of which service by datagrams, and until when that counts. Whoever polls again is told for longer; who does
 * not is forgotten.
 */
export class Pollers {
  readonly #now: () => number;
  readonly #limits: PollersLimits;
  readonly #topics = new Map<string, Topic>();
  readonly #targets = new Map<string, { readonly target: Target<Told>; pollers: number }>();
  /** By the address to which datagrams go. */
  readonly #shares: Shares;
  readonly #rooms: PollersRooms;

  /** `now` is in monotonic milliseconds. */
  constructor(now: () => number, limits: PollersLimits, rooms: PollersRooms = {}) {
    this.#now = now;
    this.#limits = limits;
    this.#shares = new Shares({ inAll: limits.maxUdpSubscribers, ofOne: limits.maxUdpSubscriptionsPerPeer });
    this.#rooms = rooms;
  }

  get count(): number {
    return this.#shares.count;
  }

  /** Somebody has polled, who may. `empty`: there is nothing in what it has got. Undefined when there is no room for one more. */
  note(service: ServiceName, poller: Poller, empty: boolean): Told | undefined {
    const key = serviceKey(service);
    const targetKey = targetKeyOf(poller.ip, poller.port);
    const id = `${targetKey} ${poller.grouped} ${poller.clustersVerbatim}`;
    const told = this.#topics.get(key)?.pollers.get(id) ?? this.#add(key, id, { service, poller, targetKey });
    if (told === undefined) return undefined;
    told.expiresAt = this.#now() + (empty ? EMPTY_EXPIRY_MS : EXPIRY_MS);
    told.permit = poller.permit;
    return told;
  }

  /** It has shown that it still listens. */
  keep(told: Told): void {
    told.expiresAt = Math.max(told.expiresAt, this.#now() + EXPIRY_MS);
  }

  /** It is told that there is nothing, and will not poll for long. */
  keepLong(told: Told): void {
    told.expiresAt = Math.max(told.expiresAt, this.#now() + EMPTY_EXPIRY_MS);
  }

  /** The service, if anybody has asked to be told of it. */
  topic(service: ServiceName): Topic | undefined {
    return this.#topics.get(serviceKey(service));
  }

  /** Those whose time has not run out: of a service, or of all. */
  *current(topics: Iterable<Topic> = this.#topics.values()): IterableIterator<Told> {
    const now = this.#now();
    for (const { pollers } of topics) for (const told of pollers.values()) if (told.expiresAt >= now) yield told;
  }

  /** Nothing is told any more as it was made before. */
  forgetLists(): void {
    for (const { lists } of this.#topics.values()) lists.clear();
  }

  /** Forgets those whose time has run out. */
  dropExpired(): void {
    const now = this.#now();
    for (const [key, topic] of this.#topics) {
      for (const [id, told] of topic.pollers) {
        if (now <= told.expiresAt) continue;
        topic.pollers.delete(id);
        this.#leave(told);
      }
      if (topic.pollers.size === 0) this.#topics.delete(key);
    }
  }

  #add(key: string, id: string, { service, poller, targetKey }: Newcomer): Told | undefined {
    const known = this.#targets.get(targetKey);
    const isFull = (known?.pollers ?? 0) >= this.#limits.maxUdpSubscriptionsPerTarget;
    const { interestBytes, refused } = this.#rooms;
    const bytes = sizeOf(service, poller);
    const limit = isFull ? 'of one client' : (this.#shares.limitFor(poller.ip) ?? interestBytes?.limitFor(poller.ip, bytes));
    if (limit !== undefined) {
      refused?.count(`subscriptions of Nacos 1.x ${limit}`, poller.ip);
      return undefined;
    }
    const behind = known ?? { target: newTarget<Told>(flat(targetKey)), pollers: 0 };
    const topic = this.#topics.get(key) ?? topicOf(service);
    const { ip, port, agent, app, grouped, clusters, clustersVerbatim } = poller;
    const told: Told = {
      ip: flat(ip),
      port,
      agent: flat(agent.slice(0, MAX_AGENT_LENGTH)),
      app: flat(app.slice(0, MAX_AGENT_LENGTH)),
      grouped,
      clusters: clusters.map(flat),
      clustersVerbatim: flat(clustersVerbatim),
      service: topic.service,
      topic,
      target: behind.target,
      permit: undefined,
      bytes,
      expiresAt: 0,
      tooLarge: false,
      toldRef: 0,
      awaited: undefined,
    };
    this.#targets.set(behind.target.key, behind);
    this.#topics.set(key, topic);
    topic.pollers.set(id, told);
    behind.pollers++;
    this.#shares.add(told.ip);
    interestBytes?.add(told.ip, bytes);
    return told;
  }

  #leave(told: Told): void {
    const { target } = told;
    target.waiting.delete(told);
    this.#shares.remove(told.ip);
    this.#rooms.interestBytes?.add(told.ip, -told.bytes);
    const behind = this.#targets.get(target.key);
    if (behind !== undefined && --behind.pollers === 0) this.#targets.delete(target.key);
  }
}

export interface PollersLimits {
  readonly maxUdpSubscribers: number;
  readonly maxUdpSubscriptionsPerTarget: number;
  /** Of all clients at one address. */
  readonly maxUdpSubscriptionsPerPeer: number;
}

export interface PollersRooms {
  /** Where it is counted that there is no room; nowhere when left out. */
  readonly refused?: Refused | undefined;
  /** Where it is counted what is kept of them; nowhere when left out. */
  readonly interestBytes?: InterestBytes | undefined;
}

/** A client that polls a service, and wants to be told of changes in between. */
export interface Poller {
  readonly ip: string;
  /** Where it listens for datagrams. */
  readonly port: number;
  readonly agent: string;
  readonly app: string;
  /** Whether it calls the service by its grouped name. */
  readonly grouped: boolean;
  /** Empty means all. */
  readonly clusters: readonly string[];
  /** As the client wrote them: it finds its cached data by name and this text. */
  readonly clustersVerbatim: string;
  /** By which it has polled; undefined where nobody is asked. */
  readonly permit?: Permit | undefined;
}

/** A poller that is told of changes. */
export interface Told extends Poller, Recipient<Told> {
  readonly service: ServiceName;
  readonly topic: Topic;
  /** By which it has polled last. */
  permit: Permit | undefined;
  /** What it takes. */
  readonly bytes: number;
  /** Until when it counts, unless it polls again. */
  expiresAt: number;
  /** The last datagram did not go out, as the client could not have read it whole. */
  tooLarge: boolean;
  /** By which the last datagram that went out is acknowledged. */
  toldRef: number;
  /** A list that it had to wait for, and is to be told next. */
  awaited: List | undefined;
}

/** A service that some poller is told of. */
export interface Topic {
  readonly service: ServiceName;
  readonly pollers: Map<string, Told>;
  /** What they are told, by how they ask; only until the next change. */
  readonly lists: Map<string, List | Promise<List>>;
}

/** What is told, and whether there is any instance in it. */
export interface List {
  readonly isEmpty: boolean;
  readonly datagram: Datagram;
}

interface Newcomer {
  readonly service: ServiceName;
  readonly poller: Poller;
  readonly targetKey: string;
}

/** Nothing else is kept twice. */
function sizeOf(service: ServiceName, poller: Poller): number {
  return sizeOfSubscription(service, poller) + poller.agent.length + poller.app.length;
}

function topicOf({ namespace, group, name }: ServiceName): Topic {
  return { service: { namespace: flat(namespace), group: flat(group), name: flat(name) }, pollers: new Map(), lists: new Map() };
}

/** Clients renew every 10 s; half as much again is slack for a late one. */
const EXPIRY_MS = 15_000;
/** Java clients (1.4.0 and later) that see an empty list pause for up to 60 s between two polls. */
const EMPTY_EXPIRY_MS = 75_000;
const MAX_AGENT_LENGTH = 256;
