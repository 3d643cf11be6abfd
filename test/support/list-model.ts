import type { ListKind, ListMoment } from '../../src/nacos/list-text.ts';
import { reachesProtection } from '../../src/nacos/rules.ts';
import type { NacosSettings } from '../../src/nacos/settings.ts';
import { hostView } from '../../src/nacos/views.ts';
import type { Instance } from '../../src/registry/instance.ts';
import { groupedName, type ServiceName } from '../../src/registry/service-name.ts';

/** What a list over HTTP or in a datagram says, put together in the plainest way. */
export function listModel(
  service: ServiceName,
  instances: readonly Instance[],
  { clusters, clustersVerbatim, healthyOnly, grouped, cacheMillis, lastRefTime, env }: ListKind & ListMoment,
  { protectThreshold, metadata }: NacosSettings,
) {
  const shownName = grouped ? groupedName(service) : service.name;
  const enabled = hostsModel(instances, clusters);
  const protecting = protectThreshold > 0 && reachesProtection(enabled, protectThreshold);
  const candidates = protecting ? enabled.map((instance) => ({ ...instance, healthy: true })) : enabled;
  const unhealthy = healthyOnly ? [] : candidates.filter(({ healthy }) => !healthy);
  const hosts = [...unhealthy, ...candidates.filter(({ healthy }) => healthy)];
  return {
    name: groupedName(service),
    groupName: service.group,
    clusters: clustersVerbatim,
    cacheMillis,
    hosts: hosts.map((instance) => hostView(service, instance, shownName)),
    lastRefTime,
    checksum: '',
    allIPs: false,
    reachProtectionThreshold: protecting,
    valid: true,
    dom: shownName,
    useSpecifiedURL: false,
    env,
    metadata,
  };
}

/** The same over gRPC. */
export function infoModel(
  service: ServiceName,
  instances: readonly Instance[],
  query: Omit<ListKind, 'grouped'> & Pick<ListMoment, 'cacheMillis' | 'lastRefTime'>,
  settings: NacosSettings,
) {
  const { groupName, clusters, cacheMillis, hosts, lastRefTime, checksum, reachProtectionThreshold, valid } = listModel(
    service,
    instances,
    { ...query, grouped: true, env: '' },
    settings,
  );
  const start = { name: service.name, groupName, clusters, cacheMillis, hosts, lastRefTime, checksum };
  return { ...start, allIps: false, allIPs: false, reachProtectionThreshold, valid };
}

/** Who is in a list, in the order in which they came. */
export function hostsModel(instances: readonly Instance[], clusters: readonly string[]): readonly Instance[] {
  return instances.filter(({ cluster, enabled }) => enabled && (clusters.length === 0 || clusters.includes(cluster)));
}
