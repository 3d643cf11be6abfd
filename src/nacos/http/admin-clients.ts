import { addressClientView, connectionClientView, publishedView, subscribedView } from '../admin-views.ts';
import { Long, manyOf } from '../many.ts';
import { after } from '../turns.ts';
import { requiredBare } from './admin-params.ts';
import { atAddress, ofClient, silenceOf, unknownClient } from './clients.ts';
import { readService } from './params.ts';
import type { Asked, HttpRooms } from './route.ts';

/** Who is a client, as operators of 3.x ask. */
export function adminClientCalls({ clients, walks, wallClock }: HttpRooms) {
  return {
    get({ params, caller }: Asked) {
      const clientId = requiredBare(params, 'clientId');
      return after(walks.run(clients.find(clientId), caller), (found = unknownClient(clientId)) => {
        if ('id' in found) return connectionClientView(found, wallClock());
        return addressClientView(clientId, wallClock() - silenceOf(found));
      });
    },
    publishedServices({ params, caller }: Asked) {
      const id = requiredBare(params, 'clientId');
      const found = walks.run(ofClient({ clients, id, params }, clients.publishedBy(id)), caller);
      return after(found, (all) => new Long(manyOf(all, publishedView)));
    },
    subscribedServices({ params, caller }: Asked) {
      const id = requiredBare(params, 'clientId');
      const found = walks.run(ofClient({ clients, id, params }, clients.subscribedBy(id)), caller);
      return after(found, (all) => new Long(manyOf(all, subscribedView)));
    },
    publishers({ params }: Asked) {
      const isThere = atAddress(params);
      return new Long(
        manyOf(clients.publishedIn(readService(params)), (publication) => {
          const { clientId, ip, port, cluster } = publication;
          return isThere(publication) ? { clientId, ip, port, clusterName: cluster } : undefined;
        }),
      );
    },
    subscribers({ params }: Asked) {
      const isThere = atAddress(params);
      return new Long(
        manyOf(clients.subscribersOf(readService(params)), (subscriber) => {
          const { clientId, app, agent, ip, port } = subscriber;
          return isThere(subscriber) ? { clientId, appName: app, agent, address: `${ip}:${port}` } : undefined;
        }),
      );
    },
    /** There is one server, and it is responsible for everybody. */
    responsibleServer({ params, local }: Asked) {
      requiredBare(params, 'ip');
      requiredBare(params, 'port');
      return { responsibleServer: local };
    },
  };
}
