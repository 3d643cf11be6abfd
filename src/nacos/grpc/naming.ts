import { permitted } from '../gate.ts';
import type { JsonObject } from '../json.ts';
import type { Naming } from '../naming.ts';
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
    instance(body: JsonObject, { connection, permit }: Asker): object {
      const type = typeOf(body, 'registerInstance', 'deregisterInstance');
      const service = permitted(permit, 'naming', serviceOf(body));
      connection.slots.put(service, type === 'registerInstance' ? [instanceOf(body, true, limits)] : []);
      return { type };
    },

    batch(body: JsonObject, { connection, permit }: Asker): object {
      const type = typeOf(body, 'batchRegisterInstance');
      connection.slots.put(permitted(permit, 'naming', serviceOf(body)), instancesOf(body, limits));
      return { type };
    },

    /** These stay when the connection ends, and belong to nobody. */
    persistent(body: JsonObject, { by, permit }: Asker): object {
      const type = typeOf(body, 'registerInstance', 'deregisterInstance');
      const service = permitted(permit, 'naming', serviceOf(body));
      const instance = instanceOf(body, false, limits);
      if (type === 'registerInstance') naming.register(service, instance, by);
      else naming.deregister(service, instance, by);
      return { type };
    },

    subscribe(body: JsonObject, { connection, permit }: Asker): ServiceInfo | Promise<ServiceInfo> {
      const query = clustersOf(body, 'clusters');
      const service = permitted(permit, 'naming', serviceOf(body));
      if (!flagOf(body, 'subscribe')) return subscribers.unsubscribe(connection, service, query);
      return subscribers.subscribe(connection, service, query, permit);
    },

    /** Python's client spells the flag in its own way. */
    query(body: JsonObject, { permit }: Asker): ServiceInfo | Promise<ServiceInfo> {
      const healthyOnly = flagOf(body, 'healthyOnly') || flagOf(body, 'healthOnly');
      return subscribers.query(permitted(permit, 'naming', serviceOf(body)), clustersOf(body, 'cluster'), healthyOnly);
    },

    /** `count` is of all there are, not of those on the page. */
    list(body: JsonObject, { permit }: Asker): object {
      const place = permitted(permit, 'naming', { namespace: namespaceOf(body), group: groupOf(body) });
      const page = { pageNo: countOf(body, 'pageNo'), pageSize: countOf(body, 'pageSize') };
      const { names, count } = naming.names(place.namespace, place.group, page);
      return { count, serviceNames: names };
    },
  };
}
