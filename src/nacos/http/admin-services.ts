import { pageView, serviceDetail, serviceWithHosts, subscriberView } from '../admin-views.ts';
import { type KnownService, manyRows } from '../catalog.ts';
import { MissingParam } from '../errors.ts';
import { permitted } from '../gate.ts';
import { Long, manyOf } from '../many.ts';
import { saidView, settingsView } from '../record-views.ts';
import { pageOf } from '../rules.ts';
import { after } from '../turns.ts';
import { catalogRow } from '../views.ts';
import { readClusterSettingsV3, readStrictPage, readStrictTruth } from './admin-params.ts';
import { seenBy } from './clients.ts';
import { optional, readNamespace, readPlace, readService, readServiceSettings, required } from './params.ts';
import { type Asked, type HttpRooms, OK } from './route.ts';

/** What operators of 3.x do to services, their clusters and the health of instances, where it differs from the versions before. */
export function adminServiceCalls(rooms: HttpRooms) {
  return { ...editingCalls(rooms), ...readingCalls(rooms) };
}

function editingCalls({ naming, catalog }: HttpRooms) {
  return {
    drop({ params, by }: Asked) {
      const service = readService(params);
      catalog.known(service, 'service-unknown', (name) => `service ${name} not found!`);
      catalog.drop(service, by);
      return OK;
    },
    update({ params, by }: Asked) {
      catalog.configure(readService(params), readServiceSettings(params, false), by);
      return OK;
    },
    updateCluster({ params, by }: Asked) {
      const service = readService(params);
      const name = required(params, 'clusterName');
      const cluster = readClusterSettingsV3(params);
      const { group, name: bare } = service;
      catalog.known(service, 'refused', () => `service not found groupName: ${group},serviceName: ${bare}`);
      catalog.configureCluster(service, name, cluster, by);
      return OK;
    },
    setHealth({ params, by }: Asked) {
      const service = readService(params);
      const place = readPlace(params);
      const healthy = readStrictTruth(params, 'healthy');
      if (healthy === undefined) throw new MissingParam('healthy', 'Boolean');
      naming.setHealth(service, place, healthy, by);
      return OK;
    },
  };
}

function readingCalls({ catalog, clients, registry, walks }: HttpRooms) {
  return {
    get: ({ params }: Asked) => serviceDetail(...catalog.knownByNamespace(readService(params))),
    list({ params, caller }: Asked) {
      const page = readStrictPage(params);
      const { namespace } = permitted(params.permit, 'naming', { namespace: readNamespace(params) });
      const wanted = {
        name: optional(params, 'serviceNameParam') ?? '',
        group: optional(params, 'groupNameParam') ?? '',
        address: '',
        onlyWithInstances: readStrictTruth(params, 'ignoreEmptyService') ?? false,
      };
      const found = walks.run(catalog.search(namespace, wanted, page), caller);
      const withInstances = readStrictTruth(params, 'withInstances') ?? false;
      return after(found, ({ services, count }) => {
        const view = (row: KnownService) => (withInstances ? new Long(serviceWithHosts(...row)) : catalogRow(...row));
        return new Long(pageView(manyRows(services, view), count, page));
      });
    },
    /** What was said of the service, and by its instances without edits: a call of this server's own, for backups. */
    records({ params }: Asked) {
      const [service, roll] = catalog.knownByNamespace(readService(params));
      const page = readStrictPage(params);
      const { shown } = roll.page([], page, (instance) => saidView(registry, service, instance));
      return new Long({ said: settingsView(registry, service), instances: pageView(shown, roll.total, page) });
    },
    subscribers({ params, caller }: Asked) {
      const service = readService(params);
      const page = readStrictPage(params);
      return after(walks.run(clients.subscribersLike(service, seenBy(params)), caller), (found) => {
        const shown = manyOf(pageOf(found, page.pageNo, page.pageSize), subscriberView);
        return new Long(pageView(shown, found.length, page));
      });
    },
  };
}
