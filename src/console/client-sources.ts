import type { Address } from '../registry/instance.ts';
import type { ServiceName } from '../registry/service-name.ts';

/** What the console reads of clients, handed in as the rest is. What looks at very many pauses by yielding. */
export interface ClientsSource {
  readonly connections: () => Iterable<ConnectionSeen>;
  /** The connection of that id. */
  readonly called: (id: string) => ConnectionSeen | undefined;
  /** How many connections have ended so far, by why they did. */
  readonly endedBy: () => ReadonlyMap<string, number>;
  /** Every instance of the service, with its client. */
  readonly publishedIn: (service: ServiceName) => Iterable<PublicationSeen>;
  /** What the client has registered. */
  readonly publishedBy: (clientId: string) => Generator<unknown, readonly PublicationSeen[]>;
  /** What the client has subscribed to, once for each set of clusters. */
  readonly subscribedBy: (clientId: string) => Generator<unknown, readonly SubscriberSeen[]>;
  /** Whoever is told of changes: by datagrams, and then over connections, service by service. */
  readonly subscribers: () => Iterable<SubscriberSeen>;
  /** What became of lists that were pushed since the start. */
  readonly pushes: () => { readonly grpc: Pushed; readonly udp: Pushed };
}

/** One client of Nacos 2.x or 3.x. */
export interface ConnectionSeen {
  readonly id: string;
  readonly peer: Address;
  readonly clientVersion: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Milliseconds since 1970. */
  readonly since: number;
  readonly slots: { readonly all: () => Iterable<{ readonly service: ServiceName; readonly instances: readonly Address[] }> };
}

/** An instance, with whom it comes from: a connection, or the address itself (`IP:PORT#true`). */
export interface PublicationSeen extends Address {
  readonly clientId: string;
  readonly service: ServiceName;
}

export interface SubscriberSeen extends Address {
  readonly clientId: string;
  readonly service: ServiceName;
  readonly agent: string;
  /** `unknown` where it has not said. */
  readonly app: string;
  readonly clustersVerbatim: string;
}

export interface Pushed {
  readonly sent: number;
  readonly acknowledged: number;
  readonly failed: number;
}
