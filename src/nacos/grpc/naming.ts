import type { Registration } from '../../registry/instance.ts';
import type { ServiceName } from '../../registry/service-name.ts';
import { permitted } from '../gate.ts';
import type { JsonObject } from '../json.ts';
import type { Naming } from '../naming.ts';
import type { Quotas } from '../quotas.ts';
import { after, type Paused } from '../turns.ts';
import type { Walks } from '../walks.ts';
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
  readonly walks: Walks;
  readonly limits: BatchLimits;
}

/** The calls of the 2.x protocol about services and their instances. */
export function namingCalls({ naming, quotas, subscribers, limits, walks }: NamingRoom) {
  const hold = (
    service: ServiceName,
    said: readonly Registration[] | Paused<readonly Registration[]>,
    { connection, by }: Asker,
  ) => connection.slots.put(service, said, (after, before) => quotas.hold(connection, service, after, before, by), by);
  return {
    /** Deregistering empties the slot, whatever instance is named: there is one for each service of a connection. */
    instance(body: JsonObject, asker: Asker): object | Promise<object> {
      const type = typeOf(body, 'registerInstance', 'deregisterInstance');
      const service = permitted(asker.permit, 'naming', serviceOf(body));
      const instances = type === 'registerInstance' ? [instanceOf(body, true, limits)] : [];
      return after(hold(service, instances, asker), () => ({ type }));
    },

    batch(body: JsonObject, asker: Asker): object | Promise<object> {
      const type = typeOf(body, 'batchRegisterInstance');
      const service = permitted(asker.permit, 'naming', serviceOf(body));
      return after(hold(service, instancesOf(body, limits), asker), () => ({ type }));
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
    list(body: JsonObject, { connection, permit }: Asker): object | Promise<object> {
      const place = permitted(permit, 'naming', { namespace: namespaceOf(body), group: groupOf(body) });
      const page = { pageNo: countOf(body, 'pageNo'), pageSize: countOf(body, 'pageSize') };
      const caller = { ip: connection.peer.ip, hasLeft: () => connection.ended };
      const found = walks.run(naming.names(place.namespace, place.group, page), caller);
      return after(found, ({ names, count }) => ({ count, serviceNames: names }));
    },
  };
}
