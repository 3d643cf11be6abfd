import type { JsonObject } from '../json.ts';
import type { Naming } from '../naming.ts';
import { after } from '../turns.ts';
import {
  type BatchLimits,
  clustersOf,
  countOf,
  flagOf,
  groupOf,
  instanceOf,
  instancesOf,
  namespaceOf,
  serviceOf,
  typeOf,
} from './bodies.ts';
import type { Asker } from './connection.ts';
import type { ServiceInfo } from './messages.ts';
import type { Subscribers } from './subscribers.ts';

/** What the calls about services work on. */
export interface NamingRoom {
  readonly naming: Naming;
  readonly subscribers: Subscribers;
  readonly limits: BatchLimits;
}

/** The calls of the 2.x protocol about services and their instances. */
export function namingCalls({ naming, subscribers, limits }: NamingRoom) {
  return {
    /** Deregistering empties the slot, whatever instance is named: there is one for each service of a connection. */
    instance(body: JsonObject, { connection }: Asker): object | Promise<object> {
      const type = typeOf(body, 'registerInstance', 'deregisterInstance');
      const service = serviceOf(body);
      const done = connection.slots.put(service, type === 'registerInstance' ? [instanceOf(body, true, limits)] : []);
      return after(done, () => ({ type }));
    },

    batch(body: JsonObject, { connection }: Asker): object | Promise<object> {
      const type = typeOf(body, 'batchRegisterInstance');
      return after(connection.slots.put(serviceOf(body), instancesOf(body, limits)), () => ({ type }));
    },

    /** These stay when the connection ends, and belong to nobody. */
    persistent(body: JsonObject, { by }: Asker): object {
      const type = typeOf(body, 'registerInstance', 'deregisterInstance');
      const service = serviceOf(body);
      const instance = instanceOf(body, false, limits);
      if (type === 'registerInstance') naming.register(service, instance, by);
      else naming.deregister(service, instance, by);
      return { type };
    },

    subscribe(body: JsonObject, { connection }: Asker): ServiceInfo | Promise<ServiceInfo> {
      const query = clustersOf(body, 'clusters');
      const change = flagOf(body, 'subscribe') ? 'subscribe' : 'unsubscribe';
      return subscribers[change](connection, serviceOf(body), query);
    },

    /** Python's client spells the flag in its own way. */
    query(body: JsonObject): ServiceInfo | Promise<ServiceInfo> {
      const healthyOnly = flagOf(body, 'healthyOnly') || flagOf(body, 'healthOnly');
      return subscribers.query(serviceOf(body), clustersOf(body, 'cluster'), healthyOnly);
    },

    /** `count` is of all there are, not of those on the page. */
    list(body: JsonObject): object {
      const page = { pageNo: countOf(body, 'pageNo'), pageSize: countOf(body, 'pageSize') };
      const { names, count } = naming.names(namespaceOf(body), groupOf(body), page);
      return { count, serviceNames: names };
    },
  };
}
