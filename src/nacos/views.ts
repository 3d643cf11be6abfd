import type { CheckKind } from '../registry/checks.ts';
import type { Instance } from '../registry/instance.ts';
import { groupedName, type ServiceName } from '../registry/service-name.ts';
import type { Namespace } from './namespaces.ts';
import type { Times } from './probing.ts';
import { DEFAULT_BEAT_INTERVAL_MS, reachesProtection } from './rules.ts';
import { clusterOf, DEFAULT_NACOS_SETTINGS, type NacosSettings } from './settings.ts';

/** Registry -> the JSON that Nacos clients read. Integers are integers, and metadata values strings: Go drops a list for less. */

/** What a list request wants to see, and how it wants it called. */
export interface ListQuery {
  /** Empty means all. */
  readonly clusters: readonly string[];
  /** The request's own spelling: clients find their cached data by name and this text, so it must come back to the letter. */
  readonly clustersVerbatim: string;
  readonly healthyOnly: boolean;
  /** Whether the names in the answer carry the group: Java and npm find their own instances by it, others get the bare name. */
  readonly grouped: boolean;
  readonly cacheMillis: number;
  /** Milliseconds of the wall clock; clients ignore an answer that is older than one they have. */
  readonly lastRefTime: number;
  readonly env: string;
}

/** One service as consumers read it: what 1.x and what 2.x answer, in one. Unknown services look like empty ones. */
export function listView(
  service: ServiceName,
  instances: readonly Instance[],
  query: ListQuery,
  settings: NacosSettings = DEFAULT_NACOS_SETTINGS,
) {
  const shownName = query.grouped ? groupedName(service) : service.name;
  const { hosts, protecting } = hostsFor(instances, query, settings);
  return {
    name: groupedName(service),
    groupName: service.group,
    clusters: query.clustersVerbatim,
    cacheMillis: query.cacheMillis,
    hosts: hosts.map((instance) => hostView(service, instance, shownName)),
    lastRefTime: query.lastRefTime,
    checksum: '',
    allIPs: false,
    reachProtectionThreshold: protecting,
    valid: true,
    dom: shownName,
    useSpecifiedURL: false,
    env: query.env,
    metadata: settings.metadata,
  };
}

/** What a list over gRPC wants to see. */
export type ServiceInfoQuery = Omit<ListQuery, 'grouped' | 'env'>;

/** The same as clients of 2.x and 3.x read it over gRPC. Rust's wants every one of these fields. */
export function serviceInfoView(
  service: ServiceName,
  instances: readonly Instance[],
  query: ServiceInfoQuery,
  settings: NacosSettings = DEFAULT_NACOS_SETTINGS,
) {
  const { hosts, protecting } = hostsFor(instances, query, settings);
  return {
    name: service.name,
    groupName: service.group,
    clusters: query.clustersVerbatim,
    cacheMillis: query.cacheMillis,
    hosts: hosts.map((instance) => hostView(service, instance)),
    lastRefTime: query.lastRefTime,
    checksum: '',
    // One is 3.x's spelling, the other that of all before.
    allIps: false,
    allIPs: false,
    reachProtectionThreshold: protecting,
    valid: true,
  };
}

/** Whom consumers see, and whether all of them are shown as healthy to protect the few that are. */
function hostsFor(
  instances: readonly Instance[],
  { clusters, healthyOnly }: Pick<ListQuery, 'clusters' | 'healthyOnly'>,
  { protectThreshold }: NacosSettings,
): { readonly hosts: readonly Instance[]; readonly protecting: boolean } {
  const enabled = inClusters(instances, clusters).filter((instance) => instance.enabled);
  // Only where an operator has set a threshold: without one, those that are all ill are shown as ill.
  const protecting = protectThreshold > 0 && reachesProtection(enabled, protectThreshold);
  const candidates = protecting ? enabled.map((instance) => ({ ...instance, healthy: true })) : enabled;
  const unhealthy = healthyOnly ? [] : candidates.filter(({ healthy }) => !healthy);
  // Nacos lists the unhealthy first.
  return { hosts: [...unhealthy, ...candidates.filter(({ healthy }) => healthy)], protecting };
}

/** Those in one of the clusters; all when none is named. */
export function inClusters(instances: readonly Instance[], clusters: readonly string[]): readonly Instance[] {
  return clusters.length === 0 ? instances : instances.filter(({ cluster }) => clusters.includes(cluster));
}

/** An instance with all its fields, as in lists and in the catalog. */
export function hostView(service: ServiceName, instance: Instance, serviceName = groupedName(service)) {
  return {
    instanceId: instanceIdOf(service, instance),
    ip: instance.ip,
    port: instance.port,
    weight: instance.weight,
    healthy: instance.healthy,
    enabled: instance.enabled,
    ephemeral: instance.ephemeral,
    clusterName: instance.cluster,
    serviceName,
    metadata: instance.metadata,
    instanceHeartBeatInterval: instance.silence.beatIntervalMs ?? DEFAULT_BEAT_INTERVAL_MS,
    instanceHeartBeatTimeOut: instance.silence.unhealthyAfterMs,
    ipDeleteTimeout: instance.silence.removedAfterMs,
    instanceIdGenerator: 'simple',
    valid: instance.healthy,
    marked: false,
  };
}

/** `GET /instance`. */
export function instanceView(service: ServiceName, instance: Instance) {
  return {
    service: groupedName(service),
    ip: instance.ip,
    port: instance.port,
    clusterName: instance.cluster,
    weight: instance.weight,
    healthy: instance.healthy,
    instanceId: instanceIdOf(service, instance),
    metadata: instance.metadata,
  };
}

/** The same in v2, where the name has another key. */
export function instanceViewV2(service: ServiceName, instance: Instance) {
  const { service: serviceName, ...rest } = instanceView(service, instance);
  return { serviceName, ...rest };
}

const BEAT_OK = 10_200;
const BEAT_UNKNOWN = 20_404;

/** `clientBeatInterval` must be there and above 0: without it Java <= 1.4.1 never beats again, and Go beats without a pause. */
export function beatView(beatIntervalMs: number, lightBeatEnabled: boolean) {
  return { clientBeatInterval: beatIntervalMs, code: BEAT_OK, lightBeatEnabled };
}

/** Makes the client register. Without `lightBeatEnabled` its next beat is a full one, from which all can be restored. */
export function unknownBeatView(beatIntervalMs: number) {
  return { clientBeatInterval: beatIntervalMs, code: BEAT_UNKNOWN };
}

/** `1.1.1.1:80_true`, as `/instance/statuses` lists them. */
export function statusesView(instances: readonly Instance[]) {
  return { ips: instances.map(({ ip, port, healthy }) => `${ip}:${port}_${healthy}`) };
}

/** `GET /service`. Every cluster that has an instance or settings is named. */
export function serviceView(service: ServiceName, instances: readonly Instance[], settings: NacosSettings) {
  return {
    name: service.name,
    namespaceId: service.namespace,
    groupName: service.group,
    protectThreshold: settings.protectThreshold,
    metadata: settings.metadata,
    selector: settings.selector,
    clusters: clusterNames(instances, settings).map((name) => {
      const { metadata, check } = clusterOf(settings, name);
      return { name, healthChecker: checkView(check), metadata };
    }),
  };
}

/** The same in v2, with clusters by name. */
export function serviceViewV2(service: ServiceName, instances: readonly Instance[], settings: NacosSettings) {
  return {
    namespace: service.namespace,
    serviceName: service.name,
    groupName: service.group,
    clusterMap: Object.fromEntries(
      clusterNames(instances, settings).map((clusterName) => {
        const { metadata, check } = clusterOf(settings, clusterName);
        return [clusterName, { clusterName, healthChecker: checkView(check), metadata, hosts: null }];
      }),
    ),
    metadata: settings.metadata,
    protectThreshold: settings.protectThreshold,
    selector: settings.selector,
    // One service may hold both kinds here: what it was created as is true of it while it is empty.
    ephemeral: instances.length > 0 ? instances.every(({ ephemeral }) => ephemeral) : (settings.ephemeral ?? true),
  };
}

/** An instance in the catalog: for operators, who also see what of it is theirs. */
export function catalogInstance(service: ServiceName, instance: Instance) {
  const { edit } = instance;
  return { ...hostView(service, instance), ...(edit !== undefined && { edit }) };
}

/** A row of the console's list of services. `triggerFlag` is text there. */
export function catalogRow(service: ServiceName, instances: readonly Instance[], settings: NacosSettings) {
  return {
    name: service.name,
    groupName: service.group,
    clusterCount: clusterNames(instances, settings).length,
    ipCount: instances.length,
    healthyInstanceCount: instances.filter(({ healthy }) => healthy).length,
    triggerFlag: String(reachesProtection(instances, settings.protectThreshold)),
  };
}

/** A row of the console's list of services, with the instances of each. */
export function catalogServiceWithInstances(service: ServiceName, instances: readonly Instance[], settings: NacosSettings) {
  return {
    serviceName: service.name,
    groupName: service.group,
    clusterMap: Object.fromEntries(
      clusterNames(instances, settings).map((cluster) => [
        cluster,
        {
          hosts: inClusters(instances, [cluster]).map(({ healthy, metadata, port, ip, weight, enabled, edit }) => ({
            valid: healthy,
            metadata,
            port,
            ip,
            weight,
            enabled,
            ...(edit !== undefined && { edit }),
          })),
        },
      ]),
    ),
    metadata: settings.metadata,
  };
}

/** One service, as the console shows it. */
export function catalogServiceView(service: ServiceName, instances: readonly Instance[], settings: NacosSettings) {
  return {
    service: {
      name: service.name,
      groupName: service.group,
      protectThreshold: settings.protectThreshold,
      selector: settings.selector,
      metadata: settings.metadata,
    },
    clusters: clusterNames(instances, settings).map((name) => {
      const cluster = clusterOf(settings, name);
      return {
        serviceName: groupedName(service),
        name,
        healthChecker: checkView(cluster.check),
        defaultPort: 80,
        defaultCheckPort: cluster.checkPort,
        useIPPort4Check: cluster.useInstancePort,
        metadata: cluster.metadata,
        sitegroup: '',
        defCkport: cluster.checkPort,
        defIPPort: 80,
        empty: inClusters(instances, [name]).length === 0,
      };
    }),
  };
}

/** Every cluster that has an instance or settings, sorted. */
export function clusterNames(instances: readonly Instance[], settings: NacosSettings): string[] {
  return [...new Set([...Object.keys(settings.clusters), ...instances.map(({ cluster }) => cluster)])].sort();
}

/** A password is never shown again. */
export function checkView(check: CheckKind) {
  switch (check.type) {
    case 'tcp':
      return { type: 'TCP' };
    case 'http':
      return {
        type: 'HTTP',
        path: check.path,
        headers: check.headers,
        expectedResponseCode: check.expectedResponseCode,
        ...tlsView(check),
      };
    case 'mysql':
      return { type: 'MYSQL', user: check.user, pwd: null, cmd: check.command };
    case 'grpc':
      return { type: 'GRPC', service: check.service, ...tlsView(check) };
    case 'none':
      return { type: 'NONE' };
  }
}

/** Nacos knows nothing of it: it is named where it is not as there. */
function tlsView({ tls, verify }: { readonly tls: boolean; readonly verify: boolean }) {
  return { ...(tls && { tls }), ...(verify === false && { verify }) };
}

/** How long the checks of a cluster take; zeros where nothing is checked. */
export function checkTimesView(name: string, { best, worst, normalized }: Times = NO_TIMES) {
  return {
    name,
    checkRTBest: Math.round(best),
    checkRTWorst: Math.round(worst),
    checkRTNormalized: Math.round(normalized),
  };
}

const NO_TIMES: Times = { best: 0, worst: 0, normalized: 0 };

function instanceIdOf(service: ServiceName, { ip, port, cluster }: Instance): string {
  return `${ip}#${port}#${cluster}#${groupedName(service)}`;
}

/** Which instances a batch has edited, as Nacos names them. */
export function updatedView(instances: readonly Instance[]) {
  return {
    updated: instances.map(
      ({ ip, port, cluster, ephemeral }) => `${ip}:${port}:unknown:${cluster}:${ephemeral ? 'ephemeral' : 'persistent'}`,
    ),
  };
}

/** A namespace as the console lists it. */
export function namespaceView({ id, name, description, type }: Namespace) {
  return { namespace: id, namespaceShowName: name, namespaceDesc: description, quota: 200, configCount: 0, type };
}
