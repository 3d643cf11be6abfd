import { createHash } from 'node:crypto';
import type { Instance } from '../registry/instance.ts';
import type { Registry } from '../registry/registry.ts';
import { groupedName, type ServiceName } from '../registry/service-name.ts';
import { DEFAULT_CLUSTER, DEFAULT_SETTINGS, type ServiceSettings } from '../registry/service-settings.ts';
import { everySubscriber } from './clients.ts';
import { type Call, type NacosRoom, OK } from './instances.ts';
import {
  optional,
  type Params,
  readClusterSettings,
  readCount,
  readFlag,
  readHealthy,
  readNamespace,
  readPlace,
  readService,
  readServiceSettings,
  required,
} from './params.ts';
import { RequestError } from './request-error.ts';
import {
  catalogRow,
  catalogServiceView,
  catalogServiceWithInstances,
  checkView,
  clusterNames,
  hostView,
  inClusters,
  serviceView,
  serviceViewV2,
} from './views.ts';

/** Calls about services and their clusters, as operators and the console make them. */
export function serviceCalls(room: NacosRoom) {
  const { registry } = room;
  return {
    create,
    drop,
    get: ({ params }: Call) => serviceView(...known(params, 'not-found', (name) => `service ${name} is not found!`)),
    getV2: ({ params }: Call) => serviceViewV2(...known(params, 'service-unknown', unknownV2)),
    update,
    list: ({ params }: Call) => {
      const { names, count } = page(params);
      return { doms: names, count };
    },
    listV2: ({ params }: Call) => {
      const { names, count } = page({ pageNo: '1', pageSize: '20', ...params });
      return { count, services: names };
    },
    names,
    checksum: ({ params }: Call) => ({ checksum: checksumOf(...known(params, 'not-found', (name) => `${name} not found!`)) }),
    selectorTypes: () => ({ code: 200, message: null, data: ['none', 'label'] }),
    subscribers,
    updateCluster,
    setHealth,
    checkers: () => CHECKERS,
    catalogServices,
    catalogService: ({ params }: Call) =>
      catalogServiceView(...known(params, 'not-found', (name) => `service ${name} is not found!`)),
    catalogInstances: ({ params }: Call) => {
      const { list, count } = catalogInstances(params);
      return { list, count };
    },
    catalogInstancesV2: ({ params }: Call) => {
      const { list, count } = catalogInstances({ pageNo: '1', pageSize: '100', ...params });
      return { instances: list, count };
    },
    /** Probe times of clusters. Nothing is probed so far, so there are none. */
    catalogTimes: ({ params }: Call) => {
      const [, instances, settings] = known(params, 'not-found', (name) => `service ${name} is not found!`);
      const clusters = clusterNames(instances, settings);
      return { clusters: clusters.map((name) => ({ name, checkRTBest: 0, checkRTWorst: 0, checkRTNormalized: 0 })) };
    },
  };

  type Known = readonly [service: ServiceName, instances: readonly Instance[], settings: ServiceSettings];

  function known(
    params: Params,
    reason: 'not-found' | 'service-unknown',
    message: (name: string, namespace: string) => string,
  ): Known {
    const service = readService(params);
    const instances = registry.instances(service);
    if (instances === undefined) throw new RequestError(reason, message(groupedName(service), service.namespace));
    return [service, instances, registry.settings(service) ?? DEFAULT_SETTINGS];
  }

  function create({ params }: Call) {
    const service = readService(params);
    const settings = readServiceSettings(params, DEFAULT_SETTINGS, false);
    // A service that lost its last instance a moment ago is known too, but nobody would call that existing.
    if (registry.tally(service)?.total || !registry.create(service, settings))
      throw new RequestError('service-exists', `specified service ${groupedName(service)} already exists!`);
    return OK;
  }

  function drop({ params }: Call) {
    const [service, instances] = known(params, 'service-unknown', (name) => `specified service not exist, serviceName : ${name}`);
    if (instances.length > 0) {
      const message = `Service ${groupedName(service)} is not empty, can't be delete. Please unregister instance first`;
      throw new RequestError('service-not-empty', message);
    }
    registry.drop(service);
    return OK;
  }

  /** Metadata and selector that are left out are cleared. */
  function update({ params }: Call) {
    const [service, , settings] = known(params, 'service-unknown', (name) => `service ${name} not found!`);
    registry.configure(service, readServiceSettings(params, settings, true));
    return OK;
  }

  function page(params: Params) {
    const page = { pageNo: readCount(params, 'pageNo'), pageSize: readCount(params, 'pageSize') };
    return pageOfNames(registry, readNamespace(params), optional(params, 'groupName') ?? 'DEFAULT_GROUP', page);
  }

  /** By part of the name: Nacos takes a regular expression here, which would let a caller keep the process busy for ever. */
  function names({ params }: Call) {
    const only = optional(params, 'namespaceId');
    const part = optional(params, 'expr') ?? '';
    const services: Record<string, string[]> = {};
    for (const namespace of only === undefined ? registry.namespaces() : [readNamespace(params)]) {
      const found = [...registry.services(namespace)].map(({ name }) => name).filter((name) => name.includes(part));
      if (found.length > 0) services[namespace] = found.sort();
    }
    return { services, count: Object.keys(services).length };
  }

  function subscribers({ params }: Call) {
    const wanted = readService(params);
    const found = [];
    for (const { service, ip, port, agent, app, clustersVerbatim } of everySubscriber(room)) {
      if (service.namespace !== wanted.namespace) continue;
      if (!service.name.includes(wanted.name) || !service.group.includes(wanted.group)) continue;
      found.push({
        addrStr: `${ip}:${port}`,
        agent,
        app,
        ip,
        port,
        namespaceId: service.namespace,
        serviceName: groupedName(service),
        cluster: clustersVerbatim,
      });
    }
    return {
      subscribers: slice(found, readCount(params, 'pageNo', 1), readCount(params, 'pageSize', 1000)),
      count: found.length,
    };
  }

  function updateCluster({ params }: Call) {
    const name = required(params, 'clusterName');
    const cluster = readClusterSettings(params);
    const [service, , settings] = known(params, 'service-unknown', (grouped) => `service not found:${grouped}`);
    registry.configure(service, { ...settings, clusters: new Map(settings.clusters).set(name, cluster) });
    return OK;
  }

  /** Only where nobody else decides: the cluster's checker must be NONE. */
  function setHealth({ params }: Call) {
    const service = readService(params);
    const place = readPlace(params);
    const healthy = readHealthy(params);
    if (healthy === undefined) throw new RequestError('health-missing', "Param 'healthy' is required.");
    const { check } = registry.settings(service)?.clusters.get(place.cluster) ?? DEFAULT_CLUSTER;
    if (check.type !== 'none') {
      const where = `service: ${groupedName(service)}, cluster: ${place.cluster}`;
      throw new RequestError('health-checked', `health check is still working, ${where}`);
    }
    for (const ephemeral of [true, false]) registry.report(service, { ...place, ephemeral }, healthy);
    return OK;
  }

  /** The console's list of services. Names match by part, as in `names`. */
  function catalogServices({ params }: Call) {
    const pageNo = readCount(params, 'pageNo');
    const pageSize = readCount(params, 'pageSize');
    const [name, group] = [optional(params, 'serviceNameParam') ?? '', optional(params, 'groupNameParam') ?? ''];
    const address = optional(params, 'instance') ?? '';
    const onlyWithInstances = readFlag(params, 'hasIpCount');
    const matches = (service: ServiceName) => {
      if (!service.name.includes(name) || !service.group.includes(group)) return false;
      if (onlyWithInstances && !registry.tally(service)?.total) return false;
      if (address === '') return true;
      return (registry.instances(service) ?? []).some(({ ip, port }) => address === ip || address === `${ip}:${port}`);
    };
    const found = [...registry.services(readNamespace(params))].filter(matches);
    const sorted = found.sort((a, b) => compare(groupedName(a), groupedName(b)));
    const shown = slice(sorted, pageNo, pageSize).map(
      (service) => [service, registry.instances(service) ?? [], registry.settings(service) ?? DEFAULT_SETTINGS] as const,
    );
    if (readFlag(params, 'withInstances')) return shown.map((row) => catalogServiceWithInstances(...row));
    return { serviceList: shown.map((row) => catalogRow(...row)), count: found.length };
  }

  function catalogInstances(params: Params) {
    const [service, instances, settings] = known(params, 'not-found', (name) => `service ${name} is not found!`);
    const cluster = optional(params, 'clusterName');
    if (cluster !== undefined && !clusterNames(instances, settings).includes(cluster))
      throw new RequestError('not-found', `cluster ${cluster.slice(0, 200)} is not found!`);
    const chosen = inClusters(instances, cluster === undefined ? [] : [cluster]);
    const list = slice(chosen, readCount(params, 'pageNo'), readCount(params, 'pageSize'));
    return { list: list.map((instance) => hostView(service, instance)), count: chosen.length };
  }
}

/** The names of a group, sorted, one page of them. `*` is every group, and names are grouped then. */
export function pageOfNames(
  registry: Registry,
  namespace: string,
  group: string,
  { pageNo, pageSize }: { readonly pageNo: number; readonly pageSize: number },
): { readonly names: readonly string[]; readonly count: number } {
  const names: string[] = [];
  for (const service of registry.services(namespace)) {
    if (group === '*') names.push(groupedName(service));
    else if (service.group === group) names.push(service.name);
  }
  names.sort();
  return { names: slice(names, pageNo, pageSize), count: names.length };
}

function unknownV2(name: string, namespace: string): string {
  return `service not found, namespace: ${namespace}, serviceName: ${name}`;
}

const CHECKERS = {
  TCP: checkView({ type: 'tcp' }),
  HTTP: checkView({ type: 'http', path: '', headers: '', expectedResponseCode: 200 }),
  MYSQL: { type: 'MYSQL', user: null, pwd: null, cmd: null },
  NONE: checkView({ type: 'none' }),
};

/** Pages count from 1. */
function slice<T>(items: readonly T[], pageNo: number, pageSize: number): readonly T[] {
  const start = (Math.max(pageNo, 1) - 1) * pageSize;
  return items.slice(start, start + pageSize);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Changes whenever what consumers see changes. Only ever compared. */
function checksumOf(service: ServiceName, instances: readonly Instance[], settings: ServiceSettings): string {
  const text = JSON.stringify([
    serviceView(service, instances, settings),
    instances.map((instance) => hostView(service, instance)),
  ]);
  return createHash('md5').update(text).digest('hex');
}
