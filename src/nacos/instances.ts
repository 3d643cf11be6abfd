import type { Instance, InstanceId } from '../registry/instance.ts';
import type { Registry } from '../registry/registry.ts';
import { DEFAULT_NAMESPACE, groupedName, parseServiceName, type ServiceName } from '../registry/service-name.ts';
import type { Configs } from './configs.ts';
import type { Connections } from './connections.ts';
import {
  type InstancePlace,
  optional,
  type Params,
  readBatch,
  readBeat,
  readClusters,
  readEphemeral,
  readFlag,
  readHealthy,
  readMetadata,
  readPartialEdit,
  readPlace,
  readRegistration,
  readService,
  readVerbatim,
  required,
} from './params.ts';
import type { Pusher } from './push.ts';
import { MissingParam, RequestError } from './request-error.ts';
import type { Subscribers } from './subscribers.ts';
import type { Switches } from './switches.ts';
import {
  beatView,
  hostView,
  inClusters,
  instanceView,
  instanceViewV2,
  listView,
  statusesView,
  unknownBeatView,
} from './views.ts';

/** What is asked, once the wire is out of the way. */
export interface Call {
  readonly params: Params;
  /** How the client calls itself. It decides over wording, never over rights. */
  readonly agent: string;
  /** Where the request came from; undefined when the peer has gone already. */
  readonly peer: string | undefined;
  /** Where it arrived, `IP:PORT`. */
  readonly local: string;
}

/** What the calls work on. */
export interface NacosRoom {
  readonly registry: Registry;
  readonly switches: Switches;
  readonly pusher: Pusher;
  readonly connections: Connections;
  readonly subscribers: Subscribers;
  readonly configs: Configs;
  /** Milliseconds since 1970, never going back. */
  readonly wallClock: () => number;
  /** Whether pushes go to the address that a client names, instead of the one that its request came from. */
  readonly pushToClientIp: boolean;
}

export const OK = 'ok';

/** Calls about instances: register, beat, edit, list. */
export function instanceCalls({ registry, switches, pusher, wallClock, pushToClientIp }: NacosRoom) {
  return {
    register,
    deregister,
    update,
    patch,
    get: ({ params }: Call) => get(params, instanceView),
    getV2: ({ params }: Call) => get(params, instanceViewV2),
    list: (call: Call) => list(call, readVerbatim(call.params, 'clusters'), 'udpPort', 'clientIP'),
    listV2: (call: Call) => list(call, readVerbatim(call.params, 'clusterName'), 'port', 'ip'),
    listV3,
    beat,
    registerOrBeatV3,
    mergeMetadata: ({ params }: Call) => editMetadata(params, (old, change) => ({ ...old, ...change })),
    removeMetadata: ({ params }: Call) =>
      editMetadata(params, (old, change) =>
        Object.fromEntries(Object.entries(old).filter(([key]) => !Object.hasOwn(change, key))),
      ),
    statuses,
  };

  function register({ params }: Call) {
    const service = readService(params);
    registry.register(service, readRegistration(params, switches.values.defaultInstanceEphemeral));
    return OK;
  }

  /** Absent is fine: clients deregister what has expired already. */
  function deregister({ params }: Call) {
    registry.deregister(readService(params), { ...readPlace(params), ephemeral: readEphemeral(params) ?? true });
    return OK;
  }

  /**
   * Replaces weight, enabled and metadata of an instance; what the request leaves out goes back to the default. The Java client
   * may only update what is there, all others make it.
   */
  function update({ params, agent }: Call) {
    const service = readService(params);
    const found = find(service, readPlace(params), readEphemeral(params));
    const registration = readRegistration(params, switches.values.defaultInstanceEphemeral);
    if (found !== undefined) {
      const { enabled, weight, metadata } = registration;
      registry.edit(service, found, { enabled, weight, metadata });
    } else if (isJavaClient(agent)) {
      throw new RequestError('invalid', `instance not exist: ${registration.ip}:${registration.port}`);
    } else {
      registry.register(service, registration);
    }
    return OK;
  }

  function patch({ params }: Call) {
    const service = readService(params);
    const place = readPlace(params);
    const edit = readPartialEdit(params);
    const healthy = readHealthy(params);
    const found = find(service, place) ?? notFound(service, place);
    registry.edit(service, found, edit);
    if (healthy !== undefined) registry.report(service, found, healthy);
    return OK;
  }

  function get(params: Params, view: (service: ServiceName, instance: Instance) => object) {
    const service = readService(params);
    const place = readPlace(params, false);
    return view(service, find(service, place) ?? notFound(service, place));
  }

  /** Reading, and with a UDP port also subscribing. */
  function list({ params, agent, peer }: Call, clustersVerbatim: string, portParam: string, ipParam: string) {
    const service = readService(params);
    const clusters = readClusters(clustersVerbatim);
    const instances = registry.instances(service) ?? [];
    if (readFlag(params, 'isCheck') && inClusters(instances, clusters).length > 0) return {};
    const grouped = isJavaClient(agent);
    const port = Number(optional(params, portParam) ?? 0);
    const ip = (pushToClientIp && optional(params, ipParam)) || peer;
    const app = optional(params, 'app') ?? 'unknown';
    const empty = !inClusters(instances, clusters).some(({ enabled }) => enabled);
    const cacheMillis =
      Number.isInteger(port) && port > 0 && port <= 65_535 && ip !== undefined
        ? pusher.subscribe(service, { ip, port, agent, app, grouped, clusters, clustersVerbatim }, empty)
        : switches.values.defaultCacheMillis;
    const query = {
      clusters,
      clustersVerbatim,
      healthyOnly: readFlag(params, 'healthyOnly'),
      grouped,
      cacheMillis,
      lastRefTime: wallClock(),
      env: readVerbatim(params, 'env'),
    };
    return listView(service, instances, query, registry.settings(service));
  }

  /** A bare array; other clusters than the default one have to be named, and nobody subscribes. */
  function listV3({ params }: Call) {
    const service = readService(params);
    const clusters = readClusters(optional(params, 'clusterName') ?? 'DEFAULT');
    return inClusters(registry.instances(service) ?? [], clusters)
      .filter(({ enabled }) => enabled)
      .map((instance) => hostView(service, instance));
  }

  /** A full beat of an unknown instance registers it; after a light one the client has to. */
  function beat({ params }: Call) {
    const { service, place, registration } = readBeat(params);
    const { clientBeatInterval, lightBeatEnabled } = switches.values;
    const silence = heard(service, place);
    if (silence !== undefined) return beatView(silence.beatIntervalMs ?? clientBeatInterval, lightBeatEnabled);
    if (registration === undefined) return unknownBeatView(clientBeatInterval);
    registry.register(service, registration);
    return beatView(registry.beat(service, registration)?.beatIntervalMs ?? clientBeatInterval, lightBeatEnabled);
  }

  function heard(service: ServiceName, place: InstancePlace) {
    return registry.beat(service, { ...place, ephemeral: true }) ?? registry.beat(service, { ...place, ephemeral: false });
  }

  /** 3.x beats by registering with `heartBeat=true`; an unknown instance is told so with status 200. */
  function registerOrBeatV3(call: Call) {
    if (!readFlag(call.params, 'heartBeat')) return register(call);
    if (heard(readService(call.params), readPlace(call.params)) !== undefined) return OK;
    return INSTANCE_NOT_FOUND;
  }

  function editMetadata(params: Params, change: (old: Instance['metadata'], by: Instance['metadata']) => Instance['metadata']) {
    const service = readService(params);
    const batch = readBatch(params);
    required(params, 'metadata');
    const by = readMetadata(params) ?? {};
    const chosen: readonly (Instance | undefined)[] = isKind(batch)
      ? (registry.instances(service) ?? []).filter(({ ephemeral }) => ephemeral === batch.ephemeral)
      : batch.map((id) => registry.instance(service, id));
    const updated: string[] = [];
    for (const instance of chosen) {
      if (instance === undefined) continue;
      registry.edit(service, instance, { metadata: change(instance.metadata, by) });
      const { ip, port, cluster, ephemeral } = instance;
      updated.push(`${ip}:${port}:unknown:${cluster}:${ephemeral ? 'ephemeral' : 'persistent'}`);
    }
    return { updated };
  }

  /** `key` is `NAMESPACE##GROUP@@NAME` or `GROUP@@NAME`. */
  function statuses({ params }: Call) {
    const key = optional(params, 'key');
    if (key === undefined) throw new MissingParam('key');
    const [namespace, name] = key.includes('##') ? (key.split('##', 2) as [string, string]) : [undefined, key];
    const service = parseServiceName(name, namespace ?? DEFAULT_NAMESPACE);
    const instances = service && registry.instances(service);
    if (instances === undefined) throw new RequestError('not-found', `service: ${name.slice(0, 200)} not found.`);
    return statusesView(instances);
  }

  /** Most requests do not say whether they mean an ephemeral or a persistent instance: the first is the usual one. */
  function find(service: ServiceName, place: InstancePlace, ephemeral?: boolean): Instance | undefined {
    const kinds = ephemeral === undefined ? [true, false] : [ephemeral];
    for (const kind of kinds) {
      const instance = registry.instance(service, { ...place, ephemeral: kind });
      if (instance !== undefined) return instance;
    }
    return undefined;
  }

  function notFound(service: ServiceName, { cluster }: InstancePlace): never {
    const empty = inClusters(registry.instances(service) ?? [], [cluster]).length === 0;
    throw new RequestError(
      'not-found',
      empty ? `no ips found for cluster ${cluster} in service ${groupedName(service)}` : 'no matched ip found!',
    );
  }
}

/** Answered as it is, and so marked: v3 clients read the code in a reply of status 200. */
export const INSTANCE_NOT_FOUND = { code: 21_003, message: 'instance not found', data: null } as const;

function isKind(batch: { readonly ephemeral: boolean } | readonly InstanceId[]): batch is { readonly ephemeral: boolean } {
  return !Array.isArray(batch);
}

/** Also npm's client, which calls itself `Nacos-Java-Client:v1.0.0`. */
function isJavaClient(agent: string): boolean {
  const version = /^Nacos-Java-Client:v(\d+)/.exec(agent)?.[1];
  return version !== undefined && Number(version) >= 1;
}
