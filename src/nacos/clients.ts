import type { Instance } from '../registry/instance.ts';
import { type ServiceName, serviceKey } from '../registry/service-name.ts';
import type { Connection } from './connections.ts';
import type { Call, NacosRoom } from './instances.ts';
import { optional, type Params, readEphemeral, readService, required } from './params.ts';
import { RequestError, shown } from './request-error.ts';

/**
 * v2's calls about clients. A client of 2.x is a connection. One of 1.x is what stands behind an address: `IP:PORT#true` for whoever
 * registers ephemeral instances there or listens for pushes, `IP:PORT#false` for persistent ones; nobody keeps a list of those, it
 * is read off the registry and the subscriptions, all of them, as operators ask rarely.
 */
export function clientCalls(room: NacosRoom) {
  const { registry, connections, wallClock } = room;
  return {
    list: () => [
      ...new Set([
        ...[...connections.all()].map(({ id }) => id),
        ...[...published(), ...everySubscriber(room)].map(({ clientId }) => clientId),
      ]),
    ],

    get: ({ params }: Call) => {
      const wanted = required(params, 'clientId');
      const connection = [...connections.all()].find(({ id }) => id === wanted);
      if (connection !== undefined) return connectionView(connection);
      const found =
        [...published(), ...everySubscriber(room)].find(({ clientId }) => clientId === wanted) ?? unknownClient(wanted);
      return {
        clientId: wanted,
        ephemeral: wanted.endsWith('#true'),
        lastUpdatedTime: wallClock() - ('silentMs' in found ? found.silentMs : 0),
        clientType: 'ipPort',
        clientIp: found.ip,
        clientPort: String(found.port),
      };
    },

    publishedServices: ({ params }: Call) =>
      ofClient(params, [...published()]).map(({ service, ip, port, cluster }) => ({
        ...nameView(service),
        registeredInstance: { ip, port, cluster },
      })),

    subscribedServices: ({ params }: Call) =>
      ofClient(params, [...everySubscriber(room)]).map(({ service, ip, port, app, agent }) => ({
        ...nameView(service),
        subscriberInfo: { app, agent, addr: `${ip}:${port}` },
      })),

    publishers: ({ params }: Call) => {
      const service = readService(params);
      const ephemeral = readEphemeral(params) ?? true;
      const publishers = [...publishersOf(service, holders())].filter((instance) => instance.ephemeral === ephemeral);
      return atAddress(params, publishers).map(({ clientId, ip, port }) => ({ clientId, ip, port }));
    },

    subscribers: ({ params }: Call) =>
      atAddress(params, [...subscribersOf(room, readService(params))]).map(({ clientId, ip, port }) => ({ clientId, ip, port })),
  };

  function* published() {
    const held = holders();
    for (const namespace of registry.namespaces())
      for (const service of registry.services(namespace)) yield* publishersOf(service, held);
  }

  /** Each instance with whom it comes from: a connection, or the address itself. */
  function* publishersOf(service: ServiceName, held: ReadonlyMap<string, string>) {
    for (const instance of registry.instances(service) ?? []) {
      const { ip, port, cluster, ephemeral, silentMs } = instance;
      const clientId = (ephemeral ? held.get(placeOf(service, instance)) : undefined) ?? clientIdOf(ip, port, ephemeral);
      yield { clientId, service, ip, port, cluster, ephemeral, silentMs };
    }
  }

  /** The connection of every instance that has one. */
  function holders(): ReadonlyMap<string, string> {
    const held = new Map<string, string>();
    for (const connection of connections.all())
      for (const { service, instances } of connection.slots())
        for (const instance of instances) held.set(placeOf(service, instance), connection.id);
    return held;
  }

  /** Those of the client that is asked about; it must be known, if only by something else. */
  function ofClient<T extends { readonly clientId: string }>(params: Params, items: readonly T[]): readonly T[] {
    const wanted = required(params, 'clientId');
    const found = items.filter(({ clientId }) => clientId === wanted);
    const known = () =>
      [...connections.all()].some(({ id }) => id === wanted) ||
      [...published(), ...everySubscriber(room)].some(({ clientId }) => clientId === wanted);
    return found.length > 0 || known() ? found : unknownClient(wanted);
  }
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

export function* everySubscriber({ pusher, subscribers }: NacosRoom): IterableIterator<AnySubscriber> {
  for (const { service, ip, port, app, agent, clustersVerbatim } of pusher.all())
    yield { clientId: clientIdOf(ip, port, true), service, ip, port, app, agent, clustersVerbatim };
  for (const { connection, topic, clustersVerbatim } of subscribers.all()) {
    const { service } = topic;
    const { id, peer, clientVersion, labels } = connection;
    const app = labels.AppName ?? 'unknown';
    yield { clientId: id, service, ip: peer.ip, port: peer.port, app, agent: clientVersion, clustersVerbatim };
  }
}

function* subscribersOf(room: NacosRoom, wanted: ServiceName): IterableIterator<AnySubscriber> {
  for (const subscriber of everySubscriber(room)) if (isSame(subscriber.service, wanted)) yield subscriber;
}

function connectionView({ id, peer, clientVersion, labels, since }: Connection) {
  return {
    clientId: id,
    ephemeral: true,
    lastUpdatedTime: since,
    clientType: 'connection',
    connectType: 'GRPC',
    appName: labels.AppName ?? 'unknown',
    version: clientVersion,
    clientIp: peer.ip,
    clientPort: String(peer.port),
  };
}

function unknownClient(clientId: string): never {
  throw new RequestError('not-found', `clientId [ ${shown(clientId)} ] not exist`);
}

function atAddress<T extends { readonly ip: string; readonly port: number }>(params: Params, items: readonly T[]): readonly T[] {
  const ip = optional(params, 'ip');
  const port = optional(params, 'port');
  return items.filter((item) => (ip === undefined || item.ip === ip) && (port === undefined || String(item.port) === port));
}

function clientIdOf(ip: string, port: number, ephemeral: boolean): string {
  return `${ip}:${port}#${ephemeral}`;
}

function placeOf(service: ServiceName, { ip, port, cluster }: Pick<Instance, 'ip' | 'port' | 'cluster'>): string {
  return `${serviceKey(service)} ${port} ${cluster} ${ip}`;
}

function isSame(a: ServiceName, b: ServiceName): boolean {
  return serviceKey(a) === serviceKey(b);
}

function nameView({ namespace, group, name }: ServiceName) {
  return { namespace, group, serviceName: name };
}
