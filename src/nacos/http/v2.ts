import type { Calls } from './calls.ts';
import { type Route, whole } from './route.ts';

/** The calls of version 2: in an envelope, but for those that its makers forgot to wrap. */
export function v2Routes(calls: Calls): readonly Route[] {
  return [
    ...instanceRoutes(calls),
    ...serviceRoutes(calls),
    ...clientRoutes(calls),
    ...consoleRoutes(calls),
    ...clusterRoutes(calls).map(whole),
    ...configRoutes(calls),
    ...unwrapped(calls),
  ];
}

function instanceRoutes({ instances }: Calls): readonly Route[] {
  return [
    { method: 'POST', path: '/nacos/v2/ns/instance', call: instances.register, reply: 'envelope', access: 'write' },
    { method: 'DELETE', path: '/nacos/v2/ns/instance', call: instances.deregister, reply: 'envelope', access: 'write' },
    { method: 'PUT', path: '/nacos/v2/ns/instance', call: instances.update, reply: 'envelope', access: 'operate' },
    { method: 'GET', path: '/nacos/v2/ns/instance', call: instances.getV2, reply: 'envelope', access: 'read' },
    { method: 'GET', path: '/nacos/v2/ns/instance/list', call: instances.listV2, reply: 'envelope', access: 'read' },
    {
      method: 'PUT',
      path: '/nacos/v2/ns/instance/metadata/batch',
      call: instances.mergeMetadata,
      reply: 'envelope',
      access: 'operate',
    },
    {
      method: 'DELETE',
      path: '/nacos/v2/ns/instance/metadata/batch',
      call: instances.removeMetadata,
      reply: 'envelope',
      access: 'operate',
    },
  ];
}

/** Services, and the server itself. */
function serviceRoutes({ operator, services }: Calls): readonly Route[] {
  return [
    { method: 'POST', path: '/nacos/v2/ns/service', call: services.create, reply: 'envelope', access: 'operate' },
    { method: 'DELETE', path: '/nacos/v2/ns/service', call: services.drop, reply: 'envelope', access: 'operate' },
    { method: 'PUT', path: '/nacos/v2/ns/service', call: services.update, reply: 'envelope', access: 'operate' },
    { method: 'GET', path: '/nacos/v2/ns/service', call: services.getV2, reply: 'envelope', access: 'read' },
    { method: 'GET', path: '/nacos/v2/ns/service/list', call: services.listV2, reply: 'envelope', access: 'read' },
    { method: 'PUT', path: '/nacos/v2/ns/health', call: services.setHealth, reply: 'envelope', access: 'operate' },
    { method: 'PUT', path: '/nacos/v2/ns/health/instance', call: services.setHealth, reply: 'envelope', access: 'operate' },
    whole({ method: 'GET', path: '/nacos/v2/ns/operator/switches', call: operator.switches, reply: 'envelope', access: 'read' }),
    whole({
      method: 'PUT',
      path: '/nacos/v2/ns/operator/switches',
      call: operator.setSwitch,
      reply: 'envelope',
      access: 'operate',
    }),
    { method: 'GET', path: '/nacos/v2/ns/operator/metrics', call: operator.metricsV2, reply: 'envelope', access: 'probe' },
    {
      method: 'GET',
      path: '/nacos/v2/ns/catalog/instances',
      call: services.catalogInstancesV2,
      reply: 'envelope',
      access: 'read',
    },
  ];
}

function clientRoutes({ clients }: Calls): readonly Route[] {
  return [
    whole({ method: 'GET', path: '/nacos/v2/ns/client', call: clients.get, reply: 'envelope', access: 'read' }),
    whole({ method: 'GET', path: '/nacos/v2/ns/client/list', call: clients.list, reply: 'envelope', access: 'read' }),
    {
      method: 'GET',
      path: '/nacos/v2/ns/client/publish/list',
      call: clients.publishedServices,
      reply: 'envelope',
      access: 'read',
    },
    {
      method: 'GET',
      path: '/nacos/v2/ns/client/subscribe/list',
      call: clients.subscribedServices,
      reply: 'envelope',
      access: 'read',
    },
    {
      method: 'GET',
      path: '/nacos/v2/ns/client/service/publisher/list',
      call: clients.publishers,
      reply: 'envelope',
      access: 'read',
    },
    {
      method: 'GET',
      path: '/nacos/v2/ns/client/service/subscriber/list',
      call: clients.subscribers,
      reply: 'envelope',
      access: 'read',
    },
  ];
}

/** Namespaces, login and state. */
function consoleRoutes({ console }: Calls): readonly Route[] {
  return [
    { method: 'GET', path: '/nacos/v2/console/namespace/list', call: console.namespacesV2, reply: 'envelope', access: 'read' },
    { method: 'GET', path: '/nacos/v2/console/namespace', call: console.namespaceV2, reply: 'envelope', access: 'read' },
    {
      method: 'POST',
      path: '/nacos/v2/console/namespace',
      call: console.createNamespaceV2,
      reply: 'envelope',
      access: 'operate',
    },
    { method: 'PUT', path: '/nacos/v2/console/namespace', call: console.updateNamespaceV2, reply: 'envelope', access: 'operate' },
    { method: 'DELETE', path: '/nacos/v2/console/namespace', call: console.dropNamespace, reply: 'envelope', access: 'operate' },
    { method: 'POST', path: '/nacos/v2/auth/user/login', call: console.login, reply: 'plain', access: 'login' },
    { method: 'GET', path: '/nacos/v2/console/health/liveness', call: console.livenessV2, reply: 'envelope', access: 'probe' },
    { method: 'GET', path: '/nacos/v2/console/health/readiness', call: console.readinessV2, reply: 'envelope', access: 'probe' },
  ];
}

/** Who is in the cluster, and which connections each has. */
function clusterRoutes({ cluster }: Calls): readonly Route[] {
  return [
    { method: 'GET', path: '/nacos/v2/core/cluster/node/self', call: cluster.selfV2, reply: 'envelope', access: 'read' },
    { method: 'GET', path: '/nacos/v2/core/cluster/node/list', call: cluster.listV2, reply: 'envelope', access: 'read' },
    { method: 'GET', path: '/nacos/v2/core/cluster/node/self/health', call: cluster.health, reply: 'envelope', access: 'probe' },
    { method: 'PUT', path: '/nacos/v2/core/cluster/lookup', call: cluster.setLookup, reply: 'envelope', access: 'operate' },
    { method: 'DELETE', path: '/nacos/v2/core/cluster/nodes', call: cluster.leaveV2, reply: 'plain', access: 'operate' },
    { method: 'GET', path: '/nacos/v2/core/loader/current', call: cluster.current, reply: 'plain', access: 'read' },
    { method: 'GET', path: '/nacos/v2/core/loader/cluster', call: cluster.loadV2, reply: 'plain', access: 'read' },
    {
      method: 'GET',
      path: '/nacos/v2/core/loader/reloadCurrent',
      call: cluster.reloadCurrentV2,
      reply: 'plain',
      access: 'operate',
      changesByGet: true,
    },
    {
      method: 'GET',
      path: '/nacos/v2/core/loader/reloadClient',
      call: cluster.reloadClientV2,
      reply: 'plain',
      access: 'operate',
      changesByGet: true,
    },
    {
      method: 'GET',
      path: '/nacos/v2/core/loader/smartReloadCluster',
      call: cluster.smartReloadV2,
      reply: 'plain',
      access: 'operate',
    },
    { method: 'GET', path: '/nacos/v2/core/ops/ids', call: cluster.idsV2, reply: 'plain', access: 'read' },
  ];
}

/** The configuration service. */
function configRoutes({ configs }: Calls): readonly Route[] {
  return [
    { method: 'GET', path: '/nacos/v2/cs/config', call: configs.get, reply: 'envelope', access: 'read' },
    { method: 'POST', path: '/nacos/v2/cs/config', call: configs.publish, reply: 'envelope', access: 'write', body: 'texts' },
    { method: 'DELETE', path: '/nacos/v2/cs/config', call: configs.remove, reply: 'envelope', access: 'write' },
    { method: 'GET', path: '/nacos/v2/cs/history/list', call: configs.historyPageV2, reply: 'envelope', access: 'read' },
    { method: 'GET', path: '/nacos/v2/cs/history', call: configs.historyEntryV2, reply: 'envelope', access: 'read' },
    { method: 'GET', path: '/nacos/v2/cs/history/previous', call: configs.historyEntryV2, reply: 'envelope', access: 'read' },
    { method: 'GET', path: '/nacos/v2/cs/history/configs', call: configs.names, reply: 'envelope', access: 'read' },
  ];
}

/** As they are answered by Nacos 2, and a call of PHP's clients that it does not know. */
function unwrapped({ configs, instances }: Calls): readonly Route[] {
  return [
    { method: 'GET', path: '/nacos/v2/cs/config/searchDetail', call: configs.searchDetail, reply: 'plain', access: 'read' },
    { method: 'POST', path: '/nacos/v2/cs/config/listener', call: configs.listen, reply: 'plain', access: 'read', body: 'texts' },
    { method: 'PUT', path: '/nacos/v2/ns/instance/beat', call: instances.beat, reply: 'plain', access: 'write' },
    { method: 'PATCH', path: '/nacos/v2/ns/instance', call: instances.patch, reply: 'plain', access: 'operate' },
    { method: 'GET', path: '/nacos/v2/ns/instance/statuses/*', call: instances.statuses, reply: 'plain', access: 'read' },
  ];
}
