import type { Registry } from '../registry/registry.ts';
import { countOf, flagOf, groupOf, instanceOf, instancesOf, namespaceOf, serviceOf, textOf } from './bodies.ts';
import type { Connection } from './connections.ts';
import { type JsonObject, readClusters } from './params.ts';
import { RequestError, shown } from './request-error.ts';
import { pageOfNames } from './services.ts';
import { type ClusterQuery, type Subscribers, withServiceInfo } from './subscribers.ts';

/** Calls of the 2.x protocol about services and their instances. */
export function namingCalls(registry: Registry, subscribers: Subscribers) {
  return {
    /** Deregistering empties the slot, whatever instance is named: there is one for each service of a connection. */
    instance(body: JsonObject, connection: Connection): object {
      const type = typeOf(body, 'registerInstance', 'deregisterInstance');
      const service = serviceOf(body);
      connection.publish(service, type === 'registerInstance' ? [instanceOf(body, true)] : []);
      return { type };
    },

    batch(body: JsonObject, connection: Connection): object {
      const type = typeOf(body, 'batchRegisterInstance');
      connection.publish(serviceOf(body), instancesOf(body));
      return { type };
    },

    /** These stay when the connection ends, and belong to nobody. */
    persistent(body: JsonObject): object {
      const type = typeOf(body, 'registerInstance', 'deregisterInstance');
      const service = serviceOf(body);
      const instance = instanceOf(body, false);
      if (type === 'registerInstance') registry.register(service, instance);
      else registry.deregister(service, instance);
      return { type };
    },

    subscribe(body: JsonObject, connection: Connection): string {
      const query = clustersOf(body, 'clusters');
      const call = flagOf(body, 'subscribe') ? 'subscribe' : 'unsubscribe';
      return withServiceInfo(SUCCESS, subscribers[call](connection, serviceOf(body), query));
    },

    /** Python's client spells the flag in its own way. */
    query(body: JsonObject): string {
      const healthyOnly = flagOf(body, 'healthyOnly') || flagOf(body, 'healthOnly');
      return withServiceInfo(SUCCESS, subscribers.query(serviceOf(body), clustersOf(body, 'cluster'), healthyOnly));
    },

    /** `count` is of all there are, not of those on the page. */
    list(body: JsonObject): object {
      const page = { pageNo: countOf(body, 'pageNo'), pageSize: countOf(body, 'pageSize') };
      const { names, count } = pageOfNames(registry, namespaceOf(body), groupOf(body), page);
      return { count, serviceNames: names };
    },
  };
}

/** What an answer starts with that carries a list: the rest of it is JSON already. */
const SUCCESS = JSON.stringify({ resultCode: 200, errorCode: 0, message: 'success', success: true });

function typeOf<T extends string>(body: JsonObject, ...types: readonly T[]): T {
  const text = textOf(body, 'type');
  const type = types.find((known) => known === text);
  if (type === undefined) throw new RequestError('invalid', `type must be one of ${types.join(', ')}, got ${shown(text)}`);
  return type;
}

function clustersOf(body: JsonObject, name: string): ClusterQuery {
  const clustersVerbatim = textOf(body, name);
  return { clusters: readClusters(clustersVerbatim), clustersVerbatim };
}
