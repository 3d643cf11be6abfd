import type { Calls } from './calls.ts';
import { type Route, whole } from './route.ts';

/** The operator's calls of version 3, but for texts and users; all in an envelope, but for a beat. */
export function v3AdminRoutes(calls: Calls): readonly Route[] {
  return [
    ...instanceRoutes(calls),
    ...serviceRoutes(calls),
    ...opsRoutes(calls),
    ...clientRoutes(calls),
    ...stateRoutes(calls),
    ...namespaceRoutes(calls),
    ...clusterRoutes(calls).map(whole),
  ];
}

/** Instances, and what operators have laid over them: that call is this server's own. PHP's clients beat here. */
function instanceRoutes({ admin, instances }: Calls): readonly Route[] {
  return [
    { method: 'POST', path: '/nacos/v3/admin/ns/instance', call: admin.instances.register, reply: 'envelope', access: 'write' },
    { method: 'DELETE', path: '/nacos/v3/admin/ns/instance', call: instances.deregister, reply: 'envelope', access: 'write' },
    { method: 'PUT', path: '/nacos/v3/admin/ns/instance', call: admin.instances.update, reply: 'envelope', access: 'operate' },
    { method: 'GET', path: '/nacos/v3/admin/ns/instance', call: admin.instances.get, reply: 'envelope', access: 'read' },
    { method: 'GET', path: '/nacos/v3/admin/ns/instance/list', call: admin.instances.list, reply: 'envelope', access: 'read' },
    {
      method: 'PUT',
      path: '/nacos/v3/admin/ns/instance/partial',
      call: admin.instances.patch,
      reply: 'envelope',
      access: 'operate',
    },
    {
      method: 'PUT',
      path: '/nacos/v3/admin/ns/instance/metadata/batch',
      call: instances.mergeMetadata,
      reply: 'envelope',
      access: 'operate',
    },
    {
      method: 'DELETE',
      path: '/nacos/v3/admin/ns/instance/metadata/batch',
      call: instances.removeMetadata,
      reply: 'envelope',
      access: 'operate',
    },
    { method: 'PUT', path: '/nacos/v3/admin/ns/instance/beat', call: instances.beat, reply: 'plain', access: 'write' },
    {
      method: 'GET',
      path: '/nacos/v3/admin/ns/instance/everywhere',
      call: admin.instances.everywhere,
      reply: 'envelope',
      access: 'read',
    },
    { method: 'GET', path: '/nacos/v3/admin/ns/overlay', call: admin.instances.edits, reply: 'envelope', access: 'read' },
    { method: 'PUT', path: '/nacos/v3/admin/ns/overlay', call: admin.instances.putEdit, reply: 'envelope', access: 'operate' },
    { method: 'DELETE', path: '/nacos/v3/admin/ns/overlay', call: admin.instances.unedit, reply: 'envelope', access: 'operate' },
  ];
}

/** Services, clusters and health. */
function serviceRoutes({ admin, services }: Calls): readonly Route[] {
  return [
    { method: 'POST', path: '/nacos/v3/admin/ns/service', call: services.create, reply: 'envelope', access: 'operate' },
    { method: 'DELETE', path: '/nacos/v3/admin/ns/service', call: admin.services.drop, reply: 'envelope', access: 'operate' },
    { method: 'PUT', path: '/nacos/v3/admin/ns/service', call: admin.services.update, reply: 'envelope', access: 'operate' },
    { method: 'GET', path: '/nacos/v3/admin/ns/service', call: admin.services.get, reply: 'envelope', access: 'read' },
    {
      method: 'GET',
      path: '/nacos/v3/admin/ns/service/records',
      call: admin.services.records,
      reply: 'envelope',
      access: 'operate',
    },
    { method: 'GET', path: '/nacos/v3/admin/ns/service/list', call: admin.services.list, reply: 'envelope', access: 'read' },
    {
      method: 'GET',
      path: '/nacos/v3/admin/ns/service/subscribers',
      call: admin.services.subscribers,
      reply: 'envelope',
      access: 'read',
    },
    {
      method: 'GET',
      path: '/nacos/v3/admin/ns/service/selector/types',
      call: services.selectorTypesV3,
      reply: 'envelope',
      access: 'read',
    },
    {
      method: 'PUT',
      path: '/nacos/v3/admin/ns/cluster',
      call: admin.services.updateCluster,
      reply: 'envelope',
      access: 'operate',
    },
    {
      method: 'PUT',
      path: '/nacos/v3/admin/ns/health/instance',
      call: admin.services.setHealth,
      reply: 'envelope',
      access: 'operate',
    },
    { method: 'GET', path: '/nacos/v3/admin/ns/health/checkers', call: services.checkers, reply: 'envelope', access: 'read' },
  ];
}

/** The naming as a whole. */
function opsRoutes({ admin, operator }: Calls): readonly Route[] {
  return [
    { method: 'GET', path: '/nacos/v3/admin/ns/ops/metrics', call: admin.core.metrics, reply: 'envelope', access: 'probe' },
    whole({
      method: 'GET',
      path: '/nacos/v3/admin/ns/ops/switches',
      call: admin.core.switches,
      reply: 'envelope',
      access: 'read',
    }),
    whole({
      method: 'PUT',
      path: '/nacos/v3/admin/ns/ops/switches',
      call: operator.setSwitch,
      reply: 'envelope',
      access: 'operate',
    }),
    whole({
      method: 'PUT',
      path: '/nacos/v3/admin/ns/ops/log',
      call: admin.core.setNamingLog,
      reply: 'envelope',
      access: 'operate',
    }),
  ];
}

function clientRoutes({ admin, clients }: Calls): readonly Route[] {
  return [
    whole({ method: 'GET', path: '/nacos/v3/admin/ns/client', call: admin.clients.get, reply: 'envelope', access: 'read' }),
    whole({ method: 'GET', path: '/nacos/v3/admin/ns/client/list', call: clients.list, reply: 'envelope', access: 'read' }),
    {
      method: 'GET',
      path: '/nacos/v3/admin/ns/client/publish/list',
      call: admin.clients.publishedServices,
      reply: 'envelope',
      access: 'read',
    },
    {
      method: 'GET',
      path: '/nacos/v3/admin/ns/client/subscribe/list',
      call: admin.clients.subscribedServices,
      reply: 'envelope',
      access: 'read',
    },
    {
      method: 'GET',
      path: '/nacos/v3/admin/ns/client/service/publisher/list',
      call: admin.clients.publishers,
      reply: 'envelope',
      access: 'read',
    },
    {
      method: 'GET',
      path: '/nacos/v3/admin/ns/client/service/subscriber/list',
      call: admin.clients.subscribers,
      reply: 'envelope',
      access: 'read',
    },
    whole({
      method: 'GET',
      path: '/nacos/v3/admin/ns/client/distro',
      call: admin.clients.responsibleServer,
      reply: 'envelope',
      access: 'read',
    }),
  ];
}

/** The server's state, by two paths as Java's maintainer client asks by the second. */
function stateRoutes({ admin }: Calls): readonly Route[] {
  return [
    { method: 'GET', path: '/nacos/v3/admin/core/state', call: admin.core.state, reply: 'envelope', access: 'probe' },
    {
      method: 'GET',
      path: '/nacos/v3/admin/core/state/readiness',
      call: admin.core.readiness,
      reply: 'envelope',
      access: 'probe',
    },
    {
      method: 'GET',
      path: '/nacos/v3/admin/core/ops/readiness',
      call: admin.core.readiness,
      reply: 'envelope',
      access: 'probe',
    },
  ];
}

function namespaceRoutes({ admin }: Calls): readonly Route[] {
  return [
    {
      method: 'GET',
      path: '/nacos/v3/admin/core/namespace/list',
      call: admin.core.namespaces,
      reply: 'envelope',
      access: 'read',
    },
    {
      method: 'GET',
      path: '/nacos/v3/admin/core/namespace/used',
      call: admin.core.usedNamespaces,
      reply: 'envelope',
      access: 'read',
    },
    { method: 'GET', path: '/nacos/v3/admin/core/namespace', call: admin.core.namespace, reply: 'envelope', access: 'read' },
    {
      method: 'GET',
      path: '/nacos/v3/admin/core/namespace/check',
      call: admin.core.namespaceCheck,
      reply: 'envelope',
      access: 'read',
    },
    {
      method: 'POST',
      path: '/nacos/v3/admin/core/namespace',
      call: admin.core.createNamespace,
      reply: 'envelope',
      access: 'operate',
    },
    {
      method: 'PUT',
      path: '/nacos/v3/admin/core/namespace',
      call: admin.core.updateNamespace,
      reply: 'envelope',
      access: 'operate',
    },
    {
      method: 'DELETE',
      path: '/nacos/v3/admin/core/namespace',
      call: admin.core.dropNamespace,
      reply: 'envelope',
      access: 'operate',
    },
  ];
}

/** Who is in the cluster, and which connections each has. */
function clusterRoutes({ admin, cluster }: Calls): readonly Route[] {
  return [
    { method: 'GET', path: '/nacos/v3/admin/core/cluster/node/self', call: cluster.self, reply: 'envelope', access: 'read' },
    { method: 'GET', path: '/nacos/v3/admin/core/cluster/node/list', call: cluster.list, reply: 'envelope', access: 'read' },
    {
      method: 'PUT',
      path: '/nacos/v3/admin/core/cluster/node/list',
      call: cluster.updateNodes,
      reply: 'envelope',
      access: 'operate',
      takesJson: true,
    },
    { method: 'PUT', path: '/nacos/v3/admin/core/cluster/lookup', call: cluster.setLookup, reply: 'envelope', access: 'operate' },
    { method: 'GET', path: '/nacos/v3/admin/core/loader/current', call: cluster.current, reply: 'envelope', access: 'read' },
    { method: 'GET', path: '/nacos/v3/admin/core/loader/cluster', call: cluster.load, reply: 'envelope', access: 'read' },
    {
      method: 'POST',
      path: '/nacos/v3/admin/core/loader/reloadCurrent',
      call: cluster.reloadCurrent,
      reply: 'envelope',
      access: 'operate',
    },
    {
      method: 'POST',
      path: '/nacos/v3/admin/core/loader/reloadClient',
      call: cluster.reloadClient,
      reply: 'envelope',
      access: 'operate',
    },
    {
      method: 'POST',
      path: '/nacos/v3/admin/core/loader/smartReloadCluster',
      call: cluster.smartReload,
      reply: 'envelope',
      access: 'operate',
    },
    { method: 'GET', path: '/nacos/v3/admin/core/ops/ids', call: cluster.ids, reply: 'envelope', access: 'read' },
    {
      method: 'PUT',
      path: '/nacos/v3/admin/core/ops/log',
      call: admin.core.setCoreLog,
      reply: 'envelope',
      access: 'operate',
      takesJson: true,
    },
    {
      method: 'POST',
      path: '/nacos/v3/admin/core/ops/raft',
      call: admin.core.raft,
      reply: 'envelope',
      access: 'operate',
      takesJson: true,
    },
  ];
}
