import type { ServiceName } from '../../registry/service-name.ts';
import type { AnySubscriber, Clients, Publication } from '../clients.ts';
import { RequestError, shown } from '../errors.ts';
import { covered } from '../gate.ts';
import type { Connection } from '../grpc/connection.ts';
import { Long, Many, manyOf } from '../many.ts';
import { after, type Paused } from '../turns.ts';
import { optional, type Params, readService, readTruth, required } from './params.ts';
import type { Asked, HttpRooms } from './route.ts';

/** v2's calls about clients, whatever each of them is. */
export function clientCalls({ clients, walks, wallClock }: HttpRooms) {
  return {
    list: ({ caller }: Asked) => after(walks.run(clients.ids(), caller), (ids) => new Long(new Many(ids))),

    get({ params, caller }: Asked) {
      const clientId = required(params, 'clientId');
      return after(walks.run(clients.find(clientId), caller), (found = unknownClient(clientId)) => {
        if ('id' in found) return connectionView(found);
        return {
          clientId,
          ephemeral: clientId.endsWith('#true'),
          lastUpdatedTime: wallClock() - silenceOf(found),
          clientType: 'ipPort',
          clientIp: found.ip,
          clientPort: String(found.port),
        };
      });
    },

    publishedServices({ params, caller }: Asked) {
      const id = required(params, 'clientId');
      const view = ({ service, ip, port, cluster }: Publication) => {
        const registeredInstance = { ip, port, cluster };
        return { ...nameView(service), registeredInstance };
      };
      const found = walks.run(ofClient({ clients, id, params }, clients.publishedBy(id)), caller);
      return after(found, (all) => new Long(manyOf(all, view)));
    },

    subscribedServices({ params, caller }: Asked) {
      const id = required(params, 'clientId');
      const view = ({ service, ip, port, app, agent }: AnySubscriber) => {
        const subscriberInfo = { app, agent, addr: `${ip}:${port}` };
        return { ...nameView(service), subscriberInfo };
      };
      const found = walks.run(ofClient({ clients, id, params }, clients.subscribedBy(id)), caller);
      return after(found, (all) => new Long(manyOf(all, view)));
    },

    publishers({ params }: Asked) {
      const wanted = readTruth(params, 'ephemeral') ?? true;
      const isThere = atAddress(params);
      return new Long(
        manyOf(clients.publishedIn(readService(params)), (publication) => {
          const { clientId, ip, port, cluster, ephemeral } = publication;
          return ephemeral === wanted && isThere(publication) ? { clientId, ip, port, cluster } : undefined;
        }),
      );
    },

    subscribers({ params }: Asked) {
      const isThere = atAddress(params);
      const view = (subscriber: AnySubscriber) => {
        const { clientId, ip, port } = subscriber;
        return isThere(subscriber) ? { clientId, ip, port } : undefined;
      };
      return new Long(manyOf(clients.subscribersOf(readService(params)), view));
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

/**
 * Those of the client that is asked about, as far as the caller may see them. It must be known, if only by something else that the caller
 * may see: one of whom he may see nothing is as good as none.
 */
export function* ofClient<T extends InService>(asked: AskedClient, items: Paused<readonly T[]>): Paused<readonly T[]> {
  const { clients, id, params } = asked;
  const isSeen = seenBy(params);
  const found = (yield* items).filter(isSeen);
  if (found.length > 0) return found;
  const isKnown = covered(params.permit, 'naming', {})
    ? (yield* clients.find(id)) !== undefined
    : (yield* clients.publishedBy(id)).some(isSeen) || (yield* clients.subscribedBy(id)).some(isSeen);
  return isKnown ? found : unknownClient(id);
}

interface AskedClient {
  readonly clients: Clients;
  readonly id: string;
  readonly params: Params;
}

interface InService {
  readonly service: ServiceName;
}

/** Whether the caller may see what is in a service. */
export function seenBy({ permit }: Params): (item: InService) => boolean {
  return ({ service }) => covered(permit, 'naming', service);
}

/** For how long nothing has come from the address; whoever only listens says nothing. */
export function silenceOf(found: Publication | AnySubscriber): number {
  return 'silentMs' in found ? found.silentMs : 0;
}

/** Whether something is at the address, as far as one is named. */
export function atAddress(params: Params): (item: { readonly ip: string; readonly port: number }) => boolean {
  const ip = optional(params, 'ip');
  const named = optional(params, 'port');
  // Java's maintainer client (3.0 to 3.2) says so where it has been given none.
  const port = named === 'null' ? undefined : named;
  return (item) => (ip === undefined || item.ip === ip) && (port === undefined || String(item.port) === port);
}

function nameView({ namespace, group, name }: ServiceName) {
  return { namespace, group, serviceName: name };
}
