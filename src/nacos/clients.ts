import type { Instance } from '../registry/instance.ts';
import type { Registry } from '../registry/registry.ts';
import { type ServiceName, serviceKey } from '../registry/service-name.ts';
import type { Connection } from './grpc/connection.ts';
import type { Connections } from './grpc/connections.ts';
import type { Subscribers } from './grpc/subscribers.ts';
import type { Pusher } from './udp/pusher.ts';

/**
 * Who is a client. One of 2.x is a connection. One of 1.x is what stands behind an address: `IP:PORT#true` for whoever registers
 * ephemeral instances there or listens for pushes, `IP:PORT#false` for persistent ones; nobody keeps a list of those, it is read off
 * the registry and the subscriptions, all of them, as operators ask rarely.
 */
export class Clients {
  readonly #rooms: ClientRooms;

  constructor(rooms: ClientRooms) {
    this.#rooms = rooms;
  }

  /** The ids of all, each once. */
  ids(): readonly string[] {
    const ids = new Set<string>();
    for (const { id } of this.#rooms.connections.all()) ids.add(id);
    for (const { clientId } of this.published()) ids.add(clientId);
    for (const { clientId } of this.subscribers()) ids.add(clientId);
    return [...ids];
  }

  /** The connection, or what is known behind the address. */
  find(clientId: string): Connection | Publication | AnySubscriber | undefined {
    for (const connection of this.#rooms.connections.all()) if (connection.id === clientId) return connection;
    for (const publication of this.published()) if (publication.clientId === clientId) return publication;
    for (const subscriber of this.subscribers()) if (subscriber.clientId === clientId) return subscriber;
    return undefined;
  }

  /** Every instance of every service, with its client. */
  *published(): IterableIterator<Publication> {
    const { registry } = this.#rooms;
    const held = this.#held();
    for (const namespace of registry.namespaces())
      for (const service of registry.services(namespace)) yield* this.#publishedIn(service, held);
  }

  /** Every instance of the service, with its client. */
  publishedIn(service: ServiceName): IterableIterator<Publication> {
    return this.#publishedIn(service, this.#held());
  }

  /** Whoever is told of changes, by datagrams or over a connection. */
  *subscribers(): IterableIterator<AnySubscriber> {
    for (const { service, ip, port, app, agent, clustersVerbatim } of this.#rooms.pusher.all())
      yield { clientId: clientIdOf(ip, port, true), service, ip, port, app, agent, clustersVerbatim };
    for (const { connection, topic, clustersVerbatim } of this.#rooms.subscribers.all()) {
      const { service } = topic;
      const { id, peer, clientVersion, labels } = connection;
      const app = labels.AppName ?? 'unknown';
      yield { clientId: id, service, ip: peer.ip, port: peer.port, app, agent: clientVersion, clustersVerbatim };
    }
  }

  /** Whose service is called so in part, a line for each that Nacos can tell from the others. */
  subscribersLike({ namespace, group, name }: ServiceName): readonly SubscriberLine[] {
    const lines = new Map<string, SubscriberLine>();
    for (const subscriber of this.subscribers()) {
      const { service, ip, agent, app } = subscriber;
      if (service.namespace !== namespace || !service.name.includes(name) || !service.group.includes(group)) continue;
      // The address of a connection has no port in Nacos: two clients of one host are one line there.
      const port = isAddressId(subscriber.clientId) ? subscriber.port : 0;
      const address = port === 0 ? ip : `${ip}:${port}`;
      const line = JSON.stringify([serviceKey(service), address, agent, app]);
      if (!lines.has(line)) lines.set(line, { ...subscriber, port, address });
    }
    return [...lines.values()];
  }

  /** How many clients there are of each kind, and how many services each of them has subscribed to, all together. */
  counts(): ClientCounts {
    const ids = this.ids();
    const ofAddresses = ids.filter(isAddressId);
    const persistent = ofAddresses.filter((id) => id.endsWith('#false')).length;
    const subscriptions = new Set<string>();
    for (const { clientId, service } of this.subscribers()) subscriptions.add(`${serviceKey(service)} ${clientId}`);
    return {
      subscribeCount: subscriptions.size,
      clientCount: ids.length,
      connectionBasedClientCount: ids.length - ofAddresses.length,
      ephemeralIpPortClientCount: ofAddresses.length - persistent,
      persistentIpPortClientCount: persistent,
      // There is one server, and it is responsible for all of them.
      responsibleClientCount: ids.length,
    };
  }

  *#publishedIn(service: ServiceName, held: ReadonlyMap<string, string>): IterableIterator<Publication> {
    for (const instance of this.#rooms.registry.instances(service) ?? []) {
      const { ip, port, cluster, ephemeral, silentMs } = instance;
      const clientId = (ephemeral ? held.get(placeOf(service, instance)) : undefined) ?? clientIdOf(ip, port, ephemeral);
      yield { clientId, service, ip, port, cluster, ephemeral, silentMs };
    }
  }

  /** The connection of every instance that has one. */
  #held(): ReadonlyMap<string, string> {
    const held = new Map<string, string>();
    for (const connection of this.#rooms.connections.all())
      for (const { service, instances } of connection.slots.all())
        for (const instance of instances) held.set(placeOf(service, instance), connection.id);
    return held;
  }
}

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

function clientIdOf(ip: string, port: number, ephemeral: boolean): string {
  return `${ip}:${port}#${ephemeral}`;
}

// The ip comes last, and what stands before it holds no white space.
function placeOf(service: ServiceName, { ip, port }: Pick<Instance, 'ip' | 'port'>): string {
  return `${serviceKey(service)} ${port} ${ip}`;
}
