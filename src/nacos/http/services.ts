import { createHash } from 'node:crypto';
import { groupedName, type ServiceName } from '../../registry/service-name.ts';
import { type Catalog, type KnownService, manyRows } from '../catalog.ts';
import { RequestError } from '../errors.ts';
import { covered, permitted } from '../gate.ts';
import { hostWriter } from '../list-text.ts';
import { Long, Many, manyOf } from '../many.ts';
import type { NamesPage } from '../naming.ts';
import { checkedCluster, type Page, pageOf, SELECTOR_TYPES } from '../rules.ts';
import { after, each, type Paused } from '../turns.ts';
import {
  catalogInstance,
  catalogRow,
  catalogServiceView,
  catalogServiceWithInstances,
  checkTimesView,
  checkView,
  clusterNames,
  serviceView,
  serviceViewV2,
} from '../views.ts';
import { readClusterSettings } from './checkers.ts';
import { seenBy } from './clients.ts';
import {
  optional,
  type Params,
  readFlag,
  readGroup,
  readHealthy,
  readNamespace,
  readPage,
  readPlace,
  readService,
  readServiceSettings,
  required,
} from './params.ts';
import { type Asked, type HttpRooms, OK } from './route.ts';

/** Calls about services and their clusters, as operators and the console make them. */
export function serviceCalls(rooms: HttpRooms) {
  return { ...editingCalls(rooms), ...readingCalls(rooms), ...nameCalls(rooms), ...catalogCalls(rooms) };
}

/** What operators say of services and clusters. */
function editingCalls({ naming, catalog }: HttpRooms) {
  return {
    create({ params, by }: Asked) {
      catalog.create(readService(params), readServiceSettings(params, false), by);
      return OK;
    },
    drop({ params, by }: Asked) {
      catalog.drop(readService(params), by);
      return OK;
    },
    update({ params, by }: Asked) {
      catalog.configure(readService(params), readServiceSettings(params, true), by);
      return OK;
    },
    updateCluster({ params, by }: Asked) {
      const name = checkedCluster(required(params, 'clusterName'));
      const cluster = readClusterSettings(params);
      catalog.configureCluster(readService(params), name, cluster, by);
      return OK;
    },
    setHealth({ params, by }: Asked) {
      const service = readService(params);
      const place = readPlace(params);
      const healthy = readHealthy(params);
      if (healthy === undefined) throw new RequestError('health-missing', "Param 'healthy' is required.");
      naming.setHealth(service, place, healthy, by);
      return OK;
    },
  };
}

/** One service. */
function readingCalls({ catalog, walks }: HttpRooms) {
  return {
    get: ({ params }: Asked) => serviceView(...known(catalog, params)),
    getV2: ({ params }: Asked) => serviceViewV2(...catalog.knownByNamespace(readService(params))),
    checksum({ params, caller }: Asked) {
      const one = catalog.known(readService(params), 'not-found', (name) => `${name} not found!`);
      return walks.run(checksumOf(one), caller);
    },
    checkers: () => CHECKERS,
    selectorTypes: () => ({ code: 200, message: null, data: SELECTOR_TYPES }),
    selectorTypesV3: () => SELECTOR_TYPES,
  };
}

/** Names of services, and who listens to them. */
function nameCalls({ naming, catalog, clients, walks }: HttpRooms) {
  return {
    list(asked: Asked) {
      return pageOfNames(asked, readPage(asked.params), ({ names, count }) => new Long({ doms: new Many(names), count }));
    },
    listV2(asked: Asked) {
      const page = readPage(asked.params, { pageNo: 1, pageSize: 20 });
      return pageOfNames(asked, page, ({ names, count }) => new Long({ count, services: new Many(names) }));
    },
    names({ params, caller }: Asked) {
      const namespace = optional(params, 'namespaceId') === undefined ? undefined : readNamespace(params);
      const isSeen = (service: ServiceName) => covered(params.permit, 'naming', service);
      const found = walks.run(catalog.namesLike(optional(params, 'expr') ?? '', namespace, isSeen), caller);
      return after(found, (services) => {
        const shown = services.map(([one, names]): [string, Many] => [one, new Many(names)]);
        return new Long({ services: Object.fromEntries(shown), count: services.length });
      });
    },
    subscribers({ params, caller }: Asked) {
      const service = readService(params);
      const { pageNo, pageSize } = readPage(params, { pageNo: 1, pageSize: 1000 });
      return after(walks.run(clients.subscribersLike(service, seenBy(params)), caller), (found) => {
        const shown = manyOf(pageOf(found, pageNo, pageSize), ({ service, address, ip, port, agent, app, clustersVerbatim }) => {
          const names = { namespaceId: service.namespace, serviceName: groupedName(service), cluster: clustersVerbatim };
          return { addrStr: address, agent, app, ip, port, ...names };
        });
        return new Long({ subscribers: shown, count: found.length });
      });
    },
  };

  function pageOfNames({ params, caller }: Asked, page: Page, view: (page: NamesPage) => object) {
    const place = { namespace: readNamespace(params), group: readGroup(params) };
    const { namespace, group } = permitted(params.permit, 'naming', place);
    return after(walks.run(naming.names(namespace, group, page), caller), view);
  }
}

/** The console's lists. */
function catalogCalls({ catalog, checkTimes, walks }: HttpRooms) {
  return {
    catalogServices({ params, caller }: Asked) {
      const page = readPage(params);
      const wanted = {
        name: optional(params, 'serviceNameParam') ?? '',
        group: optional(params, 'groupNameParam') ?? '',
        address: optional(params, 'instance') ?? '',
        onlyWithInstances: readFlag(params, 'hasIpCount'),
      };
      const { namespace } = permitted(params.permit, 'naming', { namespace: readNamespace(params) });
      const found = walks.run(catalog.search(namespace, wanted, page), caller);
      const withInstances = readFlag(params, 'withInstances');
      return after(found, ({ services, count }) => {
        if (withInstances) return new Long(manyRows(services, (row) => new Long(catalogServiceWithInstances(...row))));
        return new Long({ serviceList: manyRows(services, (row) => catalogRow(...row)), count });
      });
    },
    catalogService: ({ params }: Asked) => catalogServiceView(...known(catalog, params)),
    catalogInstances({ params }: Asked) {
      const { shown, count } = instancesIn(params, readPage(params));
      return new Long({ list: shown, count });
    },
    catalogInstancesV2({ params }: Asked) {
      const { shown, count } = instancesIn(params, readPage(params, { pageNo: 1, pageSize: 100 }));
      return new Long({ instances: shown, count });
    },
    /** How long the checks of clusters take, in whole milliseconds. */
    catalogTimes({ params }: Asked) {
      const [service, roll, settings] = known(catalog, params);
      return { clusters: clusterNames(roll, settings).map((name) => checkTimesView(name, checkTimes?.of(service, name))) };
    },
  };

  function instancesIn(params: Params, page: Page) {
    const [service, roll, settings] = known(catalog, params);
    const cluster = optional(params, 'clusterName');
    if (cluster !== undefined && !clusterNames(roll, settings).includes(checkedCluster(cluster)))
      throw new RequestError('not-found', `cluster ${cluster} is not found!`);
    return roll.page(cluster === undefined ? [] : [cluster], page, (instance) => catalogInstance(service, instance));
  }
}

function known(catalog: Catalog, params: Params): KnownService {
  return catalog.known(readService(params), 'not-found', (name) => `service ${name} is not found!`);
}

const CHECKERS = {
  TCP: checkView({ type: 'tcp' }),
  HTTP: checkView({ type: 'http', path: '', headers: '', expectedResponseCode: 200, tls: false, verify: true }),
  MYSQL: { type: 'MYSQL', user: null, pwd: null, cmd: null },
  GRPC: checkView({ type: 'grpc', service: '', tls: false, verify: true }),
  NONE: checkView({ type: 'none' }),
};

/** Changes whenever what consumers see changes. Only ever compared. */
function* checksumOf([service, roll, settings]: KnownService): Paused<{ readonly checksum: string }> {
  const hash = createHash('md5').update(JSON.stringify(serviceView(service, roll, settings)));
  const write = hostWriter(service, groupedName(service));
  yield* each(roll, (instance) => void hash.update(write(instance, instance.healthy)));
  return { checksum: hash.digest('hex') };
}
