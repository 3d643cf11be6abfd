import type { Registration } from '../../registry/instance.ts';
import type { ServiceName } from '../../registry/service-name.ts';
import type { JsonObject } from '../json.ts';
import type { Naming } from '../naming.ts';
import { type Quotas, sizeOfAll } from '../quotas.ts';
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
  readonly quotas: Quotas;
  readonly subscribers: Subscribers;
  readonly limits: BatchLimits;
}

/** The calls of the 2.x protocol about services and their instances. */
export function namingCalls({ naming, quotas, subscribers, limits }: NamingRoom) {
  const hold = (service: ServiceName, instances: readonly Registration[], { connection, by }: Asker) => {
    const { slots } = connection;
    const before = sizeOfAll(slots.of(service));
    quotas.hold(service, instances, before, by);
    slots.put(service, instances);
    quotas.held(connection, sizeOfAll(slots.of(service)) - before);
  };
  return {
    /** Deregistering empties the slot, whatever instance is named: there is one for each service of a connection. */
    instance(body: JsonObject, asker: Asker): object {
      const type = typeOf(body, 'registerInstance', 'deregisterInstance');
      hold(serviceOf(body), type === 'registerInstance' ? [instanceOf(body, true, limits)] : [], asker);
      return { type };
    },

    batch(body: JsonObject, asker: Asker): object {
      const type = typeOf(body, 'batchRegisterInstance');
      hold(serviceOf(body), instancesOf(body, limits), asker);
      return { type };
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
