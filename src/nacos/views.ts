import type { Instance } from '../registry/instance.ts';
import { groupedName, type ServiceName } from '../registry/service-name.ts';

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
export function listView(service: ServiceName, instances: readonly Instance[], query: ListQuery) {
  const name = groupedName(service);
  const shownName = query.grouped ? name : service.name;
  const shown = inClusters(instances, query.clusters).filter(
    (instance) => instance.enabled && (instance.healthy || !query.healthyOnly),
  );
  // Nacos lists the unhealthy first.
  const hosts = [...shown.filter(({ healthy }) => !healthy), ...shown.filter(({ healthy }) => healthy)];
  return {
    name,
    groupName: service.group,
    clusters: query.clustersVerbatim,
    cacheMillis: query.cacheMillis,
    hosts: hosts.map((instance) => hostView(service, shownName, instance)),
    lastRefTime: query.lastRefTime,
    checksum: '',
    allIPs: false,
    reachProtectionThreshold: false,
    valid: true,
    dom: shownName,
    useSpecifiedURL: false,
    env: query.env,
    metadata: {},
  };
}

export function inClusters(instances: readonly Instance[], clusters: readonly string[]): readonly Instance[] {
  return clusters.length === 0 ? instances : instances.filter(({ cluster }) => clusters.includes(cluster));
}

function hostView(service: ServiceName, serviceName: string, instance: Instance) {
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
    instanceHeartBeatInterval: instance.silence.beatIntervalMs,
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

const BEAT_OK = 10_200;
const BEAT_UNKNOWN = 20_404;

/** `clientBeatInterval` must be there and above 0: without it Java <= 1.4.1 never beats again, and Go beats without a pause. */
export function beatView(beatIntervalMs: number) {
  return { clientBeatInterval: beatIntervalMs, code: BEAT_OK, lightBeatEnabled: true };
}

/** Makes the client register. Without `lightBeatEnabled` its next beat is a full one, from which all can be restored. */
export function unknownBeatView(beatIntervalMs: number) {
  return { clientBeatInterval: beatIntervalMs, code: BEAT_UNKNOWN };
}

function instanceIdOf(service: ServiceName, { ip, port, cluster }: Instance): string {
  return `${ip}#${port}#${cluster}#${groupedName(service)}`;
}
