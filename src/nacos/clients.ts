import type { Address, Instance } from '../registry/instance.ts';
import type { Registry } from '../registry/registry.ts';
import { type ServiceName, serviceKey } from '../registry/service-name.ts';
import type { Connection } from './grpc/connection.ts';
import type { Connections } from './grpc/connections.ts';
import { Slots } from './grpc/slots.ts';
import type { Subscribers } from './grpc/subscribers.ts';
import type { Subscription } from './grpc/subscriptions.ts';
import { each, type Paused } from './turns.ts';
import type { Poller } from './udp/pollers.ts';
import type { Pusher } from './udp/pusher.ts';

/**
 * Who is a client. One of 2.x is a connection. One of 1.x is what stands behind an address: `IP:PORT#true` for whoever registers
 * ephemeral instances there or listens for pushes, `IP:PORT#false` for persistent ones; nobody keeps a list of those, it is read off
 * the registry and the subscriptions. What takes a look at all of them, or at all services, pauses on the way.
 */
export class Clients {
  readonly #rooms: ClientRooms;

  constructor(rooms: ClientRooms) {
    this.#rooms = rooms;
  }

  /** The ids of all, each once. */
  *ids(): Paused<ReadonlySet<string>> {
    const ids = new Set<string>();
    yield* each(this.#rooms.connections.all(), ({ id }) => ids.add(id));
    yield* each(this.#published(), (publication) => publication && ids.add(publication.clientId));
    yield* each(this.#rooms.pusher.all(), ({ ip, port }) => ids.add(clientIdOf(ip, port, true)));
    return ids;
  }

  /** The connection, or what is known behind the address. */
  *find(clientId: string): Paused<Connection | Publication | AnySubscriber | undefined> {
    const connection = this.#rooms.connections.called(clientId);
    if (connection !== undefined) return connection;
    const [publication] = yield* this.#publishedFrom(clientId, true);
    if (publication !== undefined) return publication;
    const [subscriber] = yield* this.#subscribedFrom(clientId);
    return subscriber;
  }

  /** What the client has registered. */
  *publishedBy(clientId: string): Paused<readonly Publication[]> {
    const connection = this.#rooms.connections.called(clientId);
    if (connection === undefined) return yield* this.#publishedFrom(clientId, false);
    const found: Publication[] = [];
    yield* each(eachIn(connection), ([service, address]) => {
      const instance = this.#rooms.registry.instance(service, address);
      const publication = instance && this.#publication(service, instance);
      if (publication?.clientId === clientId) found.push(publication);
    });
    return found;
  }

  /** What the client has subscribed to. */
  *subscribedBy(clientId: string): Paused<readonly AnySubscriber[]> {
    const connection = this.#rooms.connections.called(clientId);
    if (connection === undefined) return yield* this.#subscribedFrom(clientId);
    const found: AnySubscriber[] = [];
    yield* each(this.#rooms.subscribers.all(connection), (one) => found.push(ofConnection(one)));
    return found;
  }

  /** Every instance of the service, with its client. */
  *publishedIn(service: ServiceName): IterableIterator<Publication> {
    for (const instance of this.#rooms.registry.walk(service) ?? []) yield this.#publication(service, instance);
  }

  /** Whoever is told of changes of the service, by datagrams or over a connection. */
  *subscribersOf(service: ServiceName): IterableIterator<AnySubscriber> {
    for (const poller of this.#rooms.pusher.subscribers(service)) yield ofPoller({ ...poller, service });
    for (const one of this.#rooms.subscribers.all(service)) yield ofConnection(one);
  }

  /** How many are told of changes of the service. */
  subscriberCountOf(service: ServiceName): number {
    return this.#rooms.pusher.subscribers(service).length + this.#rooms.subscribers.countOf(service);
  }

  /** How many there are of all services. */
  get subscriberCount(): number {
    return this.#rooms.pusher.count + this.#rooms.subscribers.count;
  }

  /** Whose service is called so in part, a line for each that Nacos can tell from the others. */
  *subscribersLike(
    { namespace, group, name }: ServiceName,
    isSeen: (subscriber: AnySubscriber) => boolean,
  ): Paused<readonly SubscriberLine[]> {
    const lines = new Map<string, SubscriberLine>();
    yield* each(this.subscribers(), (subscriber) => {
      const { service, ip, agent, app } = subscriber;
      if (service.namespace !== namespace || !service.name.includes(name) || !service.group.includes(group)) return;
      if (!isSeen(subscriber)) return;
      // The address of a connection has no port in Nacos: two clients of one host are one line there.
      const port = isAddressId(subscriber.clientId) ? subscriber.port : 0;
      const address = port === 0 ? ip : `${ip}:${port}`;
      const line = JSON.stringify([serviceKey(service), address, agent, app]);
      if (!lines.has(line)) lines.set(line, { ...subscriber, port, address });
    });
    return [...lines.values()];
  }

  /** How many clients there are of each kind, and how many services each of them has subscribed to, all together. */
  *counts(): Paused<ClientCounts> {
    const ids = yield* this.ids();
    let [ofAddresses, persistent] = [0, 0];
    yield* each(ids, (id) => {
      if (isAddressId(id)) ofAddresses++;
      if (id.endsWith('#false')) persistent++;
    });
    const subscribeCount = yield* this.#subscribedServices();
    return {
      subscribeCount,
      clientCount: ids.size,
      connectionBasedClientCount: ids.size - ofAddresses,
      ephemeralIpPortClientCount: ofAddresses - persistent,
      persistentIpPortClientCount: persistent,
      // There is one server, and it is responsible for all of them.
      responsibleClientCount: ids.size,
    };
  }

  /** The id of the connection that holds the instance. */
  holderOf(service: ServiceName, address: Address): string | undefined {
    const holder = this.#rooms.registry.holderOf(service, address);
    return holder instanceof Slots ? holder.connection : undefined;
  }

  /** Every service there is. */
  *#services(): IterableIterator<ServiceName> {
    const { registry } = this.#rooms;
    for (const namespace of [...registry.namespaces()]) yield* registry.services(namespace);
  }

  /** Every instance of every service, with its client; undefined is none, but work. */
  *#published(): IterableIterator<Publication | undefined> {
    for (const service of this.#services()) {
      yield undefined;
      yield* this.publishedIn(service);
    }
  }

  /** What is registered for the address by itself, or the first of it: a look into each service. */
  *#publishedFrom(clientId: string, first: boolean): Paused<readonly Publication[]> {
    const found: Publication[] = [];
    const address = addressIn(clientId);
    if (address === undefined) return found;
    let count = 0;
    for (const service of this.#services()) {
      if (++count % SERVICES_AT_A_TIME === 0) yield;
      const instance = this.#rooms.registry.instance(service, address);
      const publication = instance && this.#publication(service, instance);
      if (publication?.clientId !== clientId) continue;
      found.push(publication);
      if (first) break;
    }
    return found;
  }

  /** How many services each client has subscribed to, all together. Those who have subscribed to one come one after the other. */
  *#subscribedServices(): Paused<number> {
    let [count, service, seen]: [number, ServiceName | undefined, Set<string>] = [0, undefined, new Set()];
    yield* each(this.subscribers(), (subscriber) => {
      if (subscriber.service !== service) [service, seen] = [subscriber.service, new Set()];
      if (!seen.has(subscriber.clientId)) count++;
      seen.add(subscriber.clientId);
    });
    return count;
  }

  /** Who listens at the address for datagrams. */
  *#subscribedFrom(clientId: string): Paused<readonly AnySubscriber[]> {
    const found: AnySubscriber[] = [];
    yield* each(this.#rooms.pusher.all(), (poller) => {
      if (clientIdOf(poller.ip, poller.port, true) === clientId) found.push(ofPoller(poller));
    });
    return found;
  }

  /** Whoever is told of changes of any service: by datagrams, and then over connections, those of one service one after the other. */
  *subscribers(): IterableIterator<AnySubscriber> {
    for (const poller of this.#rooms.pusher.all()) yield ofPoller(poller);
    for (const one of this.#rooms.subscribers.all()) yield ofConnection(one);
  }

  #publication(service: ServiceName, instance: Instance): Publication {
    const { ip, port, cluster, ephemeral, silentMs } = instance;
    const clientId = (ephemeral ? this.holderOf(service, instance) : undefined) ?? clientIdOf(ip, port, ephemeral);
    return { clientId, service, ip, port, cluster, ephemeral, silentMs };
  }
}

/** To look into so many takes a fraction of a millisecond. */
const SERVICES_AT_A_TIME = 2_000;

/** Where clients leave traces. */
export interface ClientRooms {
  readonly registry: Registry;
  readonly connections: Connections;
  readonly subscribers: Subscribers;
  readonly pusher: Pusher;
}

/** An instance with whom it comes from: a connection, or the address itself. */
export interface Publication extends Pick<Instance, 'ip' | 'port' | 'cluster' | 'ephemeral' | 'silentMs'> {
  readonly clientId: string;
  readonly service: ServiceName;
}

/** Whoever is told of changes, by datagrams or over a connection. */
export interface AnySubscriber {
  readonly clientId: string;
  readonly service: ServiceName;
  readonly ip: string;
  readonly port: number;
  readonly app: string;
  readonly agent: string;
  readonly clustersVerbatim: string;
}

/** As Nacos's metrics name them. */
export interface ClientCounts {
  readonly subscribeCount: number;
  readonly clientCount: number;
  readonly connectionBasedClientCount: number;
  readonly ephemeralIpPortClientCount: number;
  readonly persistentIpPortClientCount: number;
  readonly responsibleClientCount: number;
}

/** A subscriber as lists show it. */
export interface SubscriberLine extends AnySubscriber {
  /** `IP:PORT`, or the IP alone of a connection. */
  readonly address: string;
}

/** And not of a connection. */
function isAddressId(clientId: string): boolean {
  return clientId.includes('#');
}

/** What `clientIdOf` makes an id of. */
function addressIn(clientId: string): Address | undefined {
  const [, ip, port] = /^(.+):(\d{1,5})#(?:true|false)$/.exec(clientId) ?? [];
  return ip === undefined ? undefined : { ip, port: Number(port) };
}

function clientIdOf(ip: string, port: number, ephemeral: boolean): string {
  return `${ip}:${port}#${ephemeral}`;
}

/** The address of every instance that the connection has registered. */
function* eachIn({ slots }: Connection): IterableIterator<readonly [ServiceName, Address]> {
  for (const { service, instances } of slots.all()) for (const instance of instances) yield [service, instance];
}

function ofPoller({
  service,
  ip,
  port,
  app,
  agent,
  clustersVerbatim,
}: Poller & { readonly service: ServiceName }): AnySubscriber {
  return { clientId: clientIdOf(ip, port, true), service, ip, port, app, agent, clustersVerbatim };
}

function ofConnection({ connection, topic, clustersVerbatim }: Subscription): AnySubscriber {
  const { id, peer, clientVersion, labels } = connection;
  const app = labels.AppName ?? 'unknown';
  return { clientId: id, service: topic.service, ip: peer.ip, port: peer.port, app, agent: clientVersion, clustersVerbatim };
}
