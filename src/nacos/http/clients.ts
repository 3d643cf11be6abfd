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
      publishedOf(clients, required(params, 'clientId'), params).map(({ service, ip, port, cluster }) => ({
        ...nameView(service),
        registeredInstance: { ip, port, cluster },
      })),

    subscribedServices: ({ params }: Asked) =>
      subscribedOf(clients, required(params, 'clientId'), params).map(({ service, ip, port, app, agent }) => ({
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

/** What the client has registered. */
export function publishedOf(clients: Clients, id: string, params: Params): readonly Publication[] {
  return known(clients, id, params, ofClient(clients.published(), id, params));
}

/** What the client has subscribed to. */
export function subscribedOf(clients: Clients, id: string, params: Params): readonly AnySubscriber[] {
  return known(clients, id, params, ofClient(clients.subscribers(), id, params));
}

/** If the client is known, if only by something else that the caller may see: one of whom he may see nothing is as good as none. */
function known<T>(clients: Clients, id: string, params: Params, items: readonly T[]): readonly T[] {
  if (items.length > 0) return items;
  const isSeen = covered(params.permit, 'naming', {})
    ? clients.find(id) !== undefined
    : ofClient(clients.published(), id, params).length + ofClient(clients.subscribers(), id, params).length > 0;
  return isSeen ? items : unknownClient(id);
}

function ofClient<T extends Traced>(items: Iterable<T>, id: string, params: Params): readonly T[] {
  const isSeen = seenBy(params);
  return [...items].filter((item) => item.clientId === id && isSeen(item));
}

/** Whether the caller may see what is in a service. */
export function seenBy({ permit }: Params): (item: Pick<Traced, 'service'>) => boolean {
  return ({ service }) => covered(permit, 'naming', service);
}

/** What a client has left somewhere. */
interface Traced {
  readonly clientId: string;
  readonly service: ServiceName;
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
