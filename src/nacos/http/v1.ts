import type { Calls } from './calls.ts';
import { type Route, whole } from './route.ts';

/** The calls of version 1, and those without a version. */
export function v1Routes(calls: Calls): readonly Route[] {
  return [
    ...namingRoutes(calls),
    ...serverRoutes(calls).map(whole),
    ...oldRoutes(calls),
    ...otherRoutes(calls),
    ...clusterRoutes(calls).map(whole),
    ...configRoutes(calls),
  ];
}

/** Instances, services and the console's lists of both. */
function namingRoutes({ instances, operator, services }: Calls): readonly Route[] {
  return [
    { method: 'POST', path: '/nacos/v1/ns/instance', call: instances.register, reply: 'plain', access: 'write' },
    { method: 'DELETE', path: '/nacos/v1/ns/instance', call: instances.deregister, reply: 'plain', access: 'write' },
    { method: 'PUT', path: '/nacos/v1/ns/instance', call: instances.update, reply: 'plain', access: 'operate' },
    { method: 'PATCH', path: '/nacos/v1/ns/instance', call: instances.patch, reply: 'plain', access: 'operate' },
    { method: 'GET', path: '/nacos/v1/ns/instance', call: instances.get, reply: 'plain', access: 'read' },
    { method: 'GET', path: '/nacos/v1/ns/instance/list', call: instances.list, reply: 'plain', access: 'read' },
    { method: 'PUT', path: '/nacos/v1/ns/instance/beat', call: instances.beat, reply: 'plain', access: 'write' },
    {
      method: 'PUT',
      path: '/nacos/v1/ns/instance/metadata/batch',
      call: instances.mergeMetadata,
      reply: 'plain',
      access: 'operate',
    },
    {
      method: 'DELETE',
      path: '/nacos/v1/ns/instance/metadata/batch',
      call: instances.removeMetadata,
      reply: 'plain',
      access: 'operate',
    },
    { method: 'ANY', path: '/nacos/v1/ns/instance/statuses', call: instances.statuses, reply: 'plain', access: 'read' },
    { method: 'POST', path: '/nacos/v1/ns/service', call: services.create, reply: 'plain', access: 'operate' },
    { method: 'DELETE', path: '/nacos/v1/ns/service', call: services.drop, reply: 'plain', access: 'operate' },
    { method: 'PUT', path: '/nacos/v1/ns/service', call: services.update, reply: 'plain', access: 'operate' },
    { method: 'GET', path: '/nacos/v1/ns/service', call: services.get, reply: 'plain', access: 'read' },
    { method: 'GET', path: '/nacos/v1/ns/service/list', call: services.list, reply: 'plain', access: 'read' },
    { method: 'ANY', path: '/nacos/v1/ns/service/names', call: services.names, reply: 'plain', access: 'read' },
    { method: 'GET', path: '/nacos/v1/ns/service/subscribers', call: services.subscribers, reply: 'plain', access: 'read' },
    { method: 'PUT', path: '/nacos/v1/ns/service/checksum', call: services.checksum, reply: 'plain', access: 'read' },
    { method: 'GET', path: '/nacos/v1/ns/service/selector/types', call: services.selectorTypes, reply: 'plain', access: 'read' },
    { method: 'PUT', path: '/nacos/v1/ns/cluster', call: services.updateCluster, reply: 'plain', access: 'operate' },
    { method: 'PUT', path: '/nacos/v1/ns/health', call: services.setHealth, reply: 'plain', access: 'operate' },
    { method: 'PUT', path: '/nacos/v1/ns/health/instance', call: services.setHealth, reply: 'plain', access: 'operate' },
    { method: 'GET', path: '/nacos/v1/ns/health/server', call: operator.healthServer, reply: 'plain', access: 'probe' },
    { method: 'GET', path: '/nacos/v1/ns/health/checkers', call: services.checkers, reply: 'plain', access: 'read' },
    { method: 'GET', path: '/nacos/v1/ns/catalog/services', call: services.catalogServices, reply: 'plain', access: 'read' },
    { method: 'GET', path: '/nacos/v1/ns/catalog/service', call: services.catalogService, reply: 'plain', access: 'read' },
    { method: 'GET', path: '/nacos/v1/ns/catalog/instances', call: services.catalogInstances, reply: 'plain', access: 'read' },
    { method: 'GET', path: '/nacos/v1/ns/catalog/rt/service', call: services.catalogTimes, reply: 'plain', access: 'read' },
  ];
}

/** What the clients before 0.8 call. */
function oldRoutes({ instances, operator }: Calls): readonly Route[] {
  return [
    { method: 'GET', path: '/nacos/v1/ns/api/srvIPXT', call: instances.list, reply: 'plain', access: 'read' },
    {
      method: 'ANY',
      path: '/nacos/v1/ns/api/clientBeat',
      call: instances.beat,
      reply: 'plain',
      access: 'write',
      changesByGet: true,
    },
    { method: 'GET', path: '/nacos/v1/ns/api/allDomNames', call: operator.allDomNames, reply: 'plain', access: 'read' },
  ];
}

/** The server itself. */
function serverRoutes({ cluster, operator }: Calls): readonly Route[] {
  return [
    { method: 'GET', path: '/nacos/v1/ns/operator/metrics', call: operator.metrics, reply: 'plain', access: 'probe' },
    { method: 'GET', path: '/nacos/v1/ns/operator/switches', call: operator.switches, reply: 'plain', access: 'read' },
    { method: 'PUT', path: '/nacos/v1/ns/operator/switches', call: operator.setSwitch, reply: 'plain', access: 'operate' },
    { method: 'GET', path: '/nacos/v1/ns/operator/servers', call: operator.servers, reply: 'plain', access: 'read' },
    { method: 'GET', path: '/nacos/v1/ns/operator/push/state', call: operator.pushState, reply: 'plain', access: 'read' },
    { method: 'PUT', path: '/nacos/v1/ns/operator/log', call: operator.setLog, reply: 'plain', access: 'operate' },
    {
      method: 'GET',
      path: '/nacos/v1/ns/operator/distro/server',
      call: operator.responsibleServer,
      reply: 'plain',
      access: 'read',
    },
    {
      method: 'GET',
      path: '/nacos/v1/ns/operator/distro/client',
      call: cluster.responsibleV1,
      reply: 'plain',
      access: 'read',
    },
    { method: 'GET', path: '/nacos/v1/ns/operator/distro/status', call: operator.distroStatus, reply: 'plain', access: 'read' },
    { method: 'GET', path: '/nacos/v1/ns/raft/leader', call: operator.leader, reply: 'plain', access: 'read' },
    { method: 'GET', path: '/nacos/v1/ns/api/hello', call: operator.healthServer, reply: 'plain', access: 'probe' },
  ];
}

/** Login, namespaces, state. */
function otherRoutes({ console, operator, discovery }: Calls): readonly Route[] {
  return [
    { method: 'POST', path: '/nacos/v1/auth/login', call: console.login, reply: 'plain', access: 'login' },
    { method: 'POST', path: '/nacos/v1/auth/users/login', call: console.login, reply: 'plain', access: 'login' },
    { method: 'GET', path: '/nacos/v1/console/namespaces', call: console.namespaces, reply: 'plain', access: 'read' },
    { method: 'POST', path: '/nacos/v1/console/namespaces', call: console.createNamespace, reply: 'plain', access: 'operate' },
    { method: 'PUT', path: '/nacos/v1/console/namespaces', call: console.updateNamespace, reply: 'plain', access: 'operate' },
    { method: 'DELETE', path: '/nacos/v1/console/namespaces', call: console.dropNamespace, reply: 'plain', access: 'operate' },
    { method: 'GET', path: '/nacos/v1/console/health/liveness', call: console.liveness, reply: 'plain', access: 'probe' },
    { method: 'GET', path: '/nacos/v1/console/health/readiness', call: console.readiness, reply: 'plain', access: 'probe' },
    { method: 'GET', path: '/nacos/v1/console/server/state', call: console.state, reply: 'plain', access: 'probe' },
    { method: 'GET', path: '/nacos/v1/console/server/announcement', call: console.notice, reply: 'plain', access: 'probe' },
    { method: 'GET', path: '/nacos/v1/console/server/guide', call: console.notice, reply: 'plain', access: 'probe' },
    { method: 'GET', path: '/nacos/actuator/health', call: console.actuatorHealth, reply: 'plain', access: 'probe' },
    { method: 'GET', path: '/nacos/prometheus', call: discovery.all, reply: 'plain', access: 'read' },
    { method: 'GET', path: '/nacos/prometheus/namespaceId/*', call: discovery.inNamespace, reply: 'plain', access: 'read' },
    {
      method: 'GET',
      path: '/nacos/prometheus/namespaceId/*/service/*',
      call: discovery.ofService,
      reply: 'plain',
      access: 'read',
    },
    { method: 'GET', path: '/nacos/serverlist', call: operator.serverList, reply: 'plain', access: 'probe' },
  ];
}

/** Who is in the cluster. */
function clusterRoutes({ cluster }: Calls): readonly Route[] {
  return [
    { method: 'GET', path: '/nacos/v1/core/cluster/nodes', call: cluster.nodesV1, reply: 'plain', access: 'read' },
    { method: 'GET', path: '/nacos/v1/core/cluster/simple/nodes', call: cluster.addressesV1, reply: 'plain', access: 'read' },
    { method: 'GET', path: '/nacos/v1/core/cluster/self', call: cluster.selfV1, reply: 'plain', access: 'read' },
    { method: 'GET', path: '/nacos/v1/core/cluster/health', call: cluster.healthV1, reply: 'plain', access: 'probe' },
    { method: 'POST', path: '/nacos/v1/core/cluster/report', call: cluster.reportV1, reply: 'plain', access: 'operate' },
    { method: 'GET', path: '/nacos/v1/core/ops/idInfo', call: cluster.idsV1, reply: 'plain', access: 'read' },
  ];
}

/** The configuration service. */
function configRoutes({ configs }: Calls): readonly Route[] {
  return [
    { method: 'GET', path: '/nacos/v1/cs/configs', call: configs.read, reply: 'plain', access: 'read' },
    { method: 'POST', path: '/nacos/v1/cs/configs', call: configs.publish, reply: 'plain', access: 'write', body: 'texts' },
    { method: 'DELETE', path: '/nacos/v1/cs/configs', call: configs.remove, reply: 'plain', access: 'write' },
    {
      method: 'POST',
      path: '/nacos/v1/cs/configs/listener',
      call: configs.listen,
      reply: 'plain',
      access: 'read',
      body: 'texts',
    },
    { method: 'GET', path: '/nacos/v1/cs/configs/listener', call: configs.listenersOf, reply: 'plain', access: 'read' },
    { method: 'GET', path: '/nacos/v1/cs/listener', call: configs.listenedFrom, reply: 'plain', access: 'read' },
    { method: 'GET', path: '/nacos/v1/cs/history', call: configs.history, reply: 'plain', access: 'read' },
    { method: 'GET', path: '/nacos/v1/cs/history/previous', call: configs.historyEntry, reply: 'plain', access: 'read' },
    { method: 'GET', path: '/nacos/v1/cs/history/configs', call: configs.names, reply: 'plain', access: 'read' },
    { method: 'GET', path: '/nacos/v1/cs/health', call: configs.health, reply: 'plain', access: 'probe' },
  ];
}
