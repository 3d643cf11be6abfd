import { type ServiceName, serviceKey } from '../../registry/service-name.ts';
import type { AnySubscriber, Clients, Publication } from '../clients.ts';
import { RequestError, shown } from '../errors.ts';
import { covered } from '../gate.ts';
import type { Connection } from '../grpc/connection.ts';
import { optional, type Params, readService, readTruth, required } from './params.ts';
import type { Asked, HttpRooms } from './route.ts';

/** v2's calls about clients, whatever each of them is. */
export function clientCalls({ clients, wallClock }: HttpRooms) {
  return {
    list: () => clients.ids(),

    get: ({ params }: Asked) => {
      const clientId = required(params, 'clientId');
      const found = clients.find(clientId) ?? unknownClient(clientId);
      if ('id' in found) return connectionView(found);
      return {
        clientId,
        ephemeral: clientId.endsWith('#true'),
        lastUpdatedTime: wallClock() - silenceOf(found),
        clientType: 'ipPort',
        clientIp: found.ip,
        clientPort: String(found.port),
      };
    },

    publishedServices: ({ params }: Asked) =>
      ofClient(clients, required(params, 'clientId'), [...clients.published()])
        .filter(seenBy(params))
        .map(({ service, ip, port, cluster }) => ({ ...nameView(service), registeredInstance: { ip, port, cluster } })),

    subscribedServices: ({ params }: Asked) =>
      ofClient(clients, required(params, 'clientId'), [...clients.subscribers()])
        .filter(seenBy(params))
        .map(({ service, ip, port, app, agent }) => ({
          ...nameView(service),
          subscriberInfo: { app, agent, addr: `${ip}:${port}` },
        })),

    publishers: ({ params }: Asked) => {
      const service = readService(params);
      const wanted = readTruth(params, 'ephemeral') ?? true;
      const publishers = [...clients.publishedIn(service)].filter(({ ephemeral }) => ephemeral === wanted);
      return atAddress(params, publishers).map(({ clientId, ip, port, cluster }) => ({ clientId, ip, port, cluster }));
    },

    subscribers: ({ params }: Asked) => {
      const key = serviceKey(readService(params));
      const found = [...clients.subscribers()].filter(({ service }) => serviceKey(service) === key);
      return atAddress(params, found).map(({ clientId, ip, port }) => ({ clientId, ip, port }));
    },
  };
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

/** Nobody is known by the id. */
export function unknownClient(clientId: string): never {
  throw new RequestError('not-found', `clientId [ ${shown(clientId)} ] not exist`);
}

/** Those of the client that is asked about; it must be known, if only by something else. */
export function ofClient<T extends { readonly clientId: string }>(
  clients: Clients,
  id: string,
  items: readonly T[],
): readonly T[] {
  const found = items.filter(({ clientId }) => clientId === id);
  return found.length > 0 || clients.find(id) !== undefined ? found : unknownClient(id);
}

/** Whether the caller may see what is in a service. */
export function seenBy({ permit }: Params): (item: { readonly service: ServiceName }) => boolean {
  return ({ service }) => covered(permit, 'naming', service);
}

/** For how long nothing has come from the address; whoever only listens says nothing. */
export function silenceOf(found: Publication | AnySubscriber): number {
  return 'silentMs' in found ? found.silentMs : 0;
}

/** Those at the address, as far as one is named. */
export function atAddress<T extends { readonly ip: string; readonly port: number }>(
  params: Params,
  items: readonly T[],
): readonly T[] {
  const ip = optional(params, 'ip');
  const named = optional(params, 'port');
  // Java's maintainer client (3.0 to 3.2) says so where it has been given none.
  const port = named === 'null' ? undefined : named;
  return items.filter((item) => (ip === undefined || item.ip === ip) && (port === undefined || String(item.port) === port));
}

function nameView({ namespace, group, name }: ServiceName) {
  return { namespace, group, serviceName: name };
}
