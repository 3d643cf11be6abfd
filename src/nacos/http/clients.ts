import { type ServiceName, serviceKey } from '../../registry/service-name.ts';
import { RequestError, shown } from '../errors.ts';
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
        lastUpdatedTime: wallClock() - ('silentMs' in found ? found.silentMs : 0),
        clientType: 'ipPort',
        clientIp: found.ip,
        clientPort: String(found.port),
      };
    },

    publishedServices: ({ params }: Asked) =>
      ofClient(params, [...clients.published()]).map(({ service, ip, port, cluster }) => ({
        ...nameView(service),
        registeredInstance: { ip, port, cluster },
      })),

    subscribedServices: ({ params }: Asked) =>
      ofClient(params, [...clients.subscribers()]).map(({ service, ip, port, app, agent }) => ({
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

  /** Those of the client that is asked about; it must be known, if only by something else. */
  function ofClient<T extends { readonly clientId: string }>(params: Params, items: readonly T[]): readonly T[] {
    const wanted = required(params, 'clientId');
    const found = items.filter(({ clientId }) => clientId === wanted);
    return found.length > 0 || clients.find(wanted) !== undefined ? found : unknownClient(wanted);
  }
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

function nameView({ namespace, group, name }: ServiceName) {
  return { namespace, group, serviceName: name };
}
