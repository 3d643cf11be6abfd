import type { Instance } from '../../registry/instance.ts';
import { parseServiceName, type ServiceName } from '../../registry/service-name.ts';
import { isJavaClient } from '../agents.ts';
import { RequestError } from '../errors.ts';
import { DEFAULT_CLUSTER_NAME, HOME, readClusters } from '../rules.ts';
import {
  beatView,
  hostView,
  inClusters,
  instanceView,
  instanceViewV2,
  listView,
  statusesView,
  unknownBeatView,
  updatedView,
} from '../views.ts';
import { readStrictTruth } from './admin-params.ts';
import {
  optional,
  type Params,
  readBatch,
  readBeat,
  readFlag,
  readHealthy,
  readMetadata,
  readNamed,
  readPlace,
  readService,
  readVerbatim,
  required,
} from './params.ts';
import { type Asked, type HttpRooms, OK } from './route.ts';

/** Calls about instances: register, beat, edit, list. */
export function instanceCalls(rooms: HttpRooms) {
  return { ...clientCalls(rooms), ...editingCalls(rooms), ...readingCalls(rooms), ...listCalls(rooms) };
}

/** What clients do to their own instance. */
function clientCalls({ naming, switches }: HttpRooms) {
  return {
    register,
    deregister({ params, by }: Asked) {
      naming.deregister(readService(params), readPlace(params), by);
      return OK;
    },
    /** A full beat of an unknown instance registers it; after a light one the client has to. */
    beat({ params, by }: Asked) {
      const { service, place, said } = readBeat(params);
      const { clientBeatInterval, lightBeatEnabled } = switches.values;
      const beatIntervalMs = naming.beat(service, place, said, by);
      return beatIntervalMs === undefined ? unknownBeatView(clientBeatInterval) : beatView(beatIntervalMs, lightBeatEnabled);
    },
    /** 3.x beats by registering with `heartBeat=true`. */
    registerOrBeatV3(asked: Asked) {
      const { params, by } = asked;
      if (!(readStrictTruth(params, 'heartBeat') ?? false)) return register(asked);
      if (naming.beat(readService(params), readPlace(params), undefined, by) !== undefined) return OK;
      throw new RequestError('beat-unknown', 'instance not found', null);
    },
  };

  function register({ params, by }: Asked) {
    naming.register(readService(params), readNamed(params), by);
    return OK;
  }
}

/** What operators do to instances. */
function editingCalls({ naming }: HttpRooms) {
  return {
    /** The Java client may only update what is there, all others make it. */
    update({ params, agent, by }: Asked) {
      naming.update(readService(params), readNamed(params), !isJavaClient(agent), by);
      return OK;
    },
    patch({ params, by }: Asked) {
      naming.patch(readService(params), readPlace(params), { ...readNamed(params), healthy: readHealthy(params) }, by);
      return OK;
    },
    mergeMetadata({ params, by }: Asked) {
      return updatedView(naming.mergeMetadata(readService(params), readBatch(params), requiredMetadata(params), by));
    },
    removeMetadata({ params, by }: Asked) {
      return updatedView(naming.removeMetadata(readService(params), readBatch(params), requiredMetadata(params), by));
    },
  };
}

function readingCalls({ naming, registry }: HttpRooms) {
  return {
    get: ({ params }: Asked) => one(params, instanceView),
    getV2: ({ params }: Asked) => one(params, instanceViewV2),
    /** `key` is `NAMESPACE##GROUP@@NAME` or `GROUP@@NAME`. */
    statuses({ params }: Asked) {
      const key = required(params, 'key');
      const [namespace = '', name = ''] = key.includes('##') ? key.split('##', 2) : [HOME.namespace, key];
      const service = parseServiceName(name, namespace, HOME.group);
      const instances = service && registry.instances(service);
      if (instances === undefined) throw new RequestError('not-found', `service: ${name.slice(0, 200)} not found.`);
      return statusesView(instances);
    },
  };

  function one(params: Params, view: (service: ServiceName, instance: Instance) => object) {
    const service = readService(params);
    return view(service, naming.instance(service, readPlace(params, false)));
  }
}

function listCalls({ naming, switches, pusher, pushToClientIp }: HttpRooms) {
  return {
    list: (asked: Asked) => list(asked, V1_LIST),
    listV2: (asked: Asked) => list(asked, V2_LIST),
    /** A bare array; other clusters than the default one have to be named, and nobody subscribes. */
    listV3({ params }: Asked) {
      const service = readService(params);
      const clusters = readClusters(optional(params, 'clusterName') ?? DEFAULT_CLUSTER_NAME);
      return inClusters(naming.list(service).instances, clusters)
        .filter(({ enabled }) => enabled)
        .map((instance) => hostView(service, instance));
    },
  };

  /** Reading, and with a UDP port also subscribing. */
  function list({ params, agent, by }: Asked, called: ListDialect) {
    const service = readService(params);
    const clustersVerbatim = readVerbatim(params, called.clusters);
    const clusters = readClusters(clustersVerbatim);
    const { instances, settings, lastRefTime } = naming.list(service);
    const chosen = inClusters(instances, clusters);
    if (readFlag(params, 'isCheck') && chosen.length > 0) return {};
    const grouped = called.isV2 || isJavaClient(agent);
    const port = Number(optional(params, called.port) ?? 0);
    const ip = (pushToClientIp && optional(params, called.ip)) || by.peer;
    const app = optional(params, 'app') ?? 'unknown';
    const empty = !chosen.some(({ enabled }) => enabled);
    const { defaultCacheMillis, defaultPushCacheMillis } = switches.values;
    const pushed =
      Number.isInteger(port) && port > 0 && port <= 65_535 && ip !== undefined
        ? pusher.subscribe(service, { ip, port, agent, app, grouped, clusters, clustersVerbatim }, empty)
        : defaultCacheMillis;
    const cacheMillis = called.isV2 ? defaultPushCacheMillis : pushed;
    const [healthyOnly, env] = [readFlag(params, 'healthyOnly'), readVerbatim(params, 'env')];
    const query = { clusters, clustersVerbatim, healthyOnly, grouped, cacheMillis, lastRefTime, env };
    return listView(service, instances, query, settings);
  }
}

/** What the parameters of a list are called, and whether the answer is as 2.x gives it whoever asks. */
interface ListDialect {
  readonly clusters: string;
  readonly port: string;
  readonly ip: string;
  readonly isV2: boolean;
}

const V1_LIST: ListDialect = { clusters: 'clusters', port: 'udpPort', ip: 'clientIP', isV2: false };
/** 2.x calls services by their grouped name, and has one time for which a list is good. */
const V2_LIST: ListDialect = { clusters: 'clusterName', port: 'port', ip: 'ip', isV2: true };

function requiredMetadata(params: Params) {
  required(params, 'metadata');
  return readMetadata(params) ?? {};
}
