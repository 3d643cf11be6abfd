import type { ServiceName } from '../../registry/service-name.ts';
import type { Permit } from '../../rights/admission.ts';
import type { ClusterQuery } from './bodies.ts';
import type { Connection } from './connection.ts';
import type { ServiceInfo } from './messages.ts';

/** What there is of a subscription over a connection, and how many there may be. Whom to push to, and when, `Subscribers` says. */

export interface SubscribersLimits {
  /** Services that one connection subscribes to: who consumes every service of a large estate subscribes to each. */
  readonly maxSubscribedServices: number;
  /** Of all connections, and of those from one address. */
  readonly maxSubscriptions: number;
  readonly maxSubscriptionsPerPeer: number;
  /** Sets of clusters in which a connection may see one service, and in which a list is kept. */
  readonly maxClusterSets: number;
}

/** There now, or later. */
export type Eventual<T> = T | Promise<T>;

/** A service that some connection has subscribed to. */
export interface Topic {
  readonly key: string;
  readonly service: ServiceName;
  /** Counts its changes. */
  version: number;
  /** Some subscriber cannot take its list as it was pushed last: that is said once. */
  isTooLarge: boolean;
  readonly subscriptions: Set<Subscription>;
  /** What subscribers see of it, by their clusters; only until the next change. */
  readonly views: Map<string, Eventual<ServiceInfo>>;
}

/** That of one connection to one service, in one set of clusters. */
export interface Subscription extends ClusterQuery {
  readonly connection: Connection;
  readonly topic: Topic;
  open: boolean;
  /** Of who has subscribed last; undefined where nobody is asked. */
  permit: Permit | undefined;
  /** The version that was pushed last; undefined: none, or nobody knows. */
  told: number | undefined;
  /** A push waits for room on the connection, or for its list. */
  queued: boolean;
  /** A push has gone out, and it is not known yet whether it has arrived. */
  unacknowledged: boolean;
  /** When the last one has, in monotonic milliseconds. */
  pushedAt: number;
}

export function subscriptionOf(connection: Connection, topic: Topic, { clusters, clustersVerbatim }: ClusterQuery): Subscription {
  const fresh = { open: true, permit: undefined, told: undefined, queued: false, unacknowledged: false, pushedAt: 0 };
  return { connection, topic, clusters, clustersVerbatim, ...fresh };
}
