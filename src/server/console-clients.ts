import type { ClientsSource } from '../console/client-sources.ts';
import type { Nacos } from '../nacos/nacos.ts';

/** What the console is shown of clients. */
export function clientsSourceOf({ rooms, connectionsEnded, told }: Nacos): ClientsSource {
  const { connections, clients } = rooms;
  return {
    connections: () => connections.all(),
    called: (id) => connections.called(id),
    endedBy: () => connectionsEnded,
    publishedIn: (service) => clients.publishedIn(service),
    publishedBy: (clientId) => clients.publishedBy(clientId),
    subscribedBy: (clientId) => clients.subscribedBy(clientId),
    subscribers: () => clients.subscribers(),
    pushes: () => told().pushes,
  };
}
