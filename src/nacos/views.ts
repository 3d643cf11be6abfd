import type { CheckKind } from '../registry/checks.ts';
import type { Instance } from '../registry/instance.ts';
import { groupedName, type ServiceName } from '../registry/service-name.ts';
import { isIn } from './list-text.ts';
import type { Namespace } from './namespaces.ts';
import type { Times } from './probing.ts';
import type { Roll } from './roll.ts';
import { DEFAULT_BEAT_INTERVAL_MS, isProtected } from './rules.ts';
import { clusterOf, type NacosSettings } from './settings.ts';
import { Written } from './written.ts';

/** Registry -> the JSON that Nacos clients read. Integers are integers, and metadata values strings: Go drops a list for less. */

/** Those in one of the clusters; all when none is named. */
export function inClusters(instances: readonly Instance[], clusters: readonly string[]): readonly Instance[] {
  return clusters.length === 0 ? instances : instances.filter((instance) => isIn(clusters, instance));
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

/**
 * What a beat is answered, in either way written by hand. `clientBeatInterval` must be there and above 0: without it Java <= 1.4.1
 * never beats again, and Go beats without a pause.
 */
export function beatAnswer(beatIntervalMs: number, lightBeatEnabled: boolean): Written {
  const json = `{"clientBeatInterval":${beatIntervalMs},"code":${BEAT_OK},"lightBeatEnabled":${lightBeatEnabled}}`;
  return new Written([json], json.length);
}

/** Makes the client register. Without `lightBeatEnabled` its next beat is a full one, from which all can be restored. */
export function unknownBeatAnswer(beatIntervalMs: number): Written {
  return Written.of(`{"clientBeatInterval":${beatIntervalMs},"code":${BEAT_UNKNOWN}}`);
}

/** `1.1.1.1:80_true`, as `/instance/statuses` lists them. */
export function statusView({ ip, port, healthy }: Instance): string {
  return `${ip}:${port}_${healthy}`;
}

/** `GET /service`. Every cluster that has an instance or settings is named. */
export function serviceView(service: ServiceName, roll: Roll, settings: NacosSettings) {
  return {
    name: service.name,
    namespaceId: service.namespace,
    groupName: service.group,
    protectThreshold: settings.protectThreshold,
    metadata: settings.metadata,
    selector: settings.selector,
    clusters: clusterNames(roll, settings).map((name) => {
      const { metadata, check } = clusterOf(settings, name);
      return { name, healthChecker: checkView(check), metadata };
    }),
  };
}

/** The same in v2, with clusters by name. */
export function serviceViewV2(service: ServiceName, roll: Roll, settings: NacosSettings) {
  return {
    namespace: service.namespace,
    serviceName: service.name,
    groupName: service.group,
    clusterMap: Object.fromEntries(
      clusterNames(roll, settings).map((clusterName) => {
        const { metadata, check } = clusterOf(settings, clusterName);
        return [clusterName, { clusterName, healthChecker: checkView(check), metadata, hosts: null }];
      }),
    ),
    metadata: settings.metadata,
    protectThreshold: settings.protectThreshold,
    selector: settings.selector,
    // One service may hold both kinds here: what it was created as is true of it while it is empty.
    ephemeral: roll.total > 0 ? roll.areAllEphemeral : (settings.ephemeral ?? true),
  };
}

/** An instance in the catalog: for operators, who also see what of it is theirs. */
export function catalogInstance(service: ServiceName, instance: Instance) {
  const { edit, drain } = instance;
  return { ...hostView(service, instance), ...(edit !== undefined && { edit }), ...(drain !== undefined && { drain }) };
}

/** A row of the console's list of services. `triggerFlag` is text there. */
export function catalogRow(service: ServiceName, roll: Roll, settings: NacosSettings) {
  return {
    name: service.name,
    groupName: service.group,
    clusterCount: clusterNames(roll, settings).length,
    ipCount: roll.total,
    healthyInstanceCount: roll.healthy,
    triggerFlag: String(isProtected(roll, settings.protectThreshold)),
  };
}

/** A row of the console's list of services, with the instances of each. */
export function catalogServiceWithInstances(service: ServiceName, roll: Roll, settings: NacosSettings) {
  return {
    serviceName: service.name,
    groupName: service.group,
    clusterMap: Object.fromEntries(
      clusterNames(roll, settings).map((cluster) => [
        cluster,
        {
          hosts: roll.many([cluster], ({ healthy, metadata, port, ip, weight, enabled, edit }) => ({
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
export function catalogServiceView(service: ServiceName, roll: Roll, settings: NacosSettings) {
  const { clusters } = roll;
  return {
    service: {
      name: service.name,
      groupName: service.group,
      protectThreshold: settings.protectThreshold,
      selector: settings.selector,
      metadata: settings.metadata,
    },
    clusters: clusterNames(roll, settings).map((name) => {
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
        empty: !clusters.has(name),
      };
    }),
  };
}

/** Every cluster that has an instance or settings, sorted. */
export function clusterNames({ clusters }: Pick<Roll, 'clusters'>, settings: NacosSettings): string[] {
  return [...new Set([...Object.keys(settings.clusters), ...clusters])].sort();
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
