import { serviceKey } from '../../registry/service-name.ts';
import { addressClientView, connectionClientView, publishedView, subscribedView } from '../admin-views.ts';
import { requiredBare } from './admin-params.ts';
import { atAddress, publishedOf, silenceOf, subscribedOf, unknownClient } from './clients.ts';
import { readService } from './params.ts';
import type { Asked, HttpRooms } from './route.ts';

/** Who is a client, as operators of 3.x ask. */
export function adminClientCalls({ clients, wallClock }: HttpRooms) {
  return {
    get({ params }: Asked) {
      const clientId = requiredBare(params, 'clientId');
      const found = clients.find(clientId) ?? unknownClient(clientId);
      if ('id' in found) return connectionClientView(found, wallClock());
      return addressClientView(clientId, wallClock() - silenceOf(found));
    },
    publishedServices({ params }: Asked) {
      return publishedOf(clients, requiredBare(params, 'clientId'), params).map(publishedView);
    },
    subscribedServices({ params }: Asked) {
      return subscribedOf(clients, requiredBare(params, 'clientId'), params).map(subscribedView);
    },
    publishers({ params }: Asked) {
      const found = [...clients.publishedIn(readService(params))];
      return atAddress(params, found).map(({ clientId, ip, port, cluster }) => ({ clientId, ip, port, clusterName: cluster }));
    },
    subscribers({ params }: Asked) {
      const key = serviceKey(readService(params));
      const found = [...clients.subscribers()].filter(({ service }) => serviceKey(service) === key);
      return atAddress(params, found).map(({ clientId, app, agent, ip, port }) => ({
        clientId,
        appName: app,
        agent,
        address: `${ip}:${port}`,
      }));
    },
    /** There is one server, and it is responsible for everybody. */
    responsibleServer({ params, local }: Asked) {
      requiredBare(params, 'ip');
      requiredBare(params, 'port');
      return { responsibleServer: local };
    },
  };
}
