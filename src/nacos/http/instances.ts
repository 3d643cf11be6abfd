import type { Instance } from '../../registry/instance.ts';
import { parseServiceName, type ServiceName } from '../../registry/service-name.ts';
import { isOfBrowser } from '../../wire/browser.ts';
import { isJavaClient } from '../agents.ts';
import { RequestError } from '../errors.ts';
import { permitted } from '../gate.ts';
import type { ListKind } from '../list-text.ts';
import { Long } from '../many.ts';
import { Roll } from '../roll.ts';
import { DEFAULT_CLUSTER_NAME, HOME, readClusters } from '../rules.ts';
import { after } from '../turns.ts';
import { beatAnswer, instanceView, instanceViewV2, statusView, unknownBeatAnswer, updatedView } from '../views.ts';
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
      if (beatIntervalMs === undefined) return unknownBeatAnswer(clientBeatInterval);
      return beatAnswer(beatIntervalMs, lightBeatEnabled);
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
      if (service !== undefined) permitted(params.permit, 'naming', service);
      const roll = service && Roll.of(registry, service);
      if (roll === undefined) throw new RequestError('not-found', `service: ${name.slice(0, 200)} not found.`);
      return new Long({ ips: roll.many([], statusView) });
    },
  };

  function one(params: Params, view: (service: ServiceName, instance: Instance) => object) {
    const service = readService(params);
    return view(service, naming.instance(service, readPlace(params, false)));
  }
}

function listCalls({ naming, lists, switches, pusher, pushToClientIp }: HttpRooms) {
  return {
    list: (asked: Asked) => list(asked, V1_LIST),
    listV2: (asked: Asked) => list(asked, V2_LIST),
    /** Other clusters than the default one have to be named, and nobody subscribes. */
    listV3({ params }: Asked) {
      const service = readService(params);
      return lists.hostsOf(service, readClusters(optional(params, 'clusterName') ?? DEFAULT_CLUSTER_NAME));
    },
  };

  function list(asked: Asked, called: ListDialect) {
    const { params } = asked;
    const service = readService(params);
    const clustersVerbatim = readVerbatim(params, called.clusters);
    const clusters = readClusters(clustersVerbatim);
    const grouped = called.isV2 || isJavaClient(asked.agent);
    const kind = { clusters, clustersVerbatim, healthyOnly: readFlag(params, 'healthyOnly'), grouped };
    // Of now, also where it takes a while: what changes meanwhile is newer.
    const lastRefTime = naming.listTime(service);
    return after(lists.of(service, kind), (made) => {
      if (!made.isOfNobody && readFlag(params, 'isCheck')) return {};
      const cacheMillis = subscribed(asked, called, { service, kind, isEmpty: made.isEmpty });
      return made.at({ cacheMillis, lastRefTime, env: readVerbatim(params, 'env') });
    });
  }

  /** Reading, and with a UDP port also subscribing, but for a page: its GET changes nothing. Answers for how long the list is good. */
  function subscribed({ params, agent, by, request }: Asked, called: ListDialect, { service, kind, isEmpty }: ListAsked): number {
    const { defaultCacheMillis, defaultPushCacheMillis } = switches.values;
    const port = Number(optional(params, called.port) ?? 0);
    if (port === 0 || isOfBrowser(request.headers)) return called.isV2 ? defaultPushCacheMillis : defaultCacheMillis;
    const ip = (pushToClientIp && optional(params, called.ip)) || by.peer;
    const app = optional(params, 'app') ?? 'unknown';
    const pushed =
      Number.isInteger(port) && port > 0 && port <= 65_535 && ip !== undefined
        ? pusher.subscribe(service, { ip, port, agent, app, ...kind, permit: params.permit }, isEmpty)
        : defaultCacheMillis;
    return called.isV2 ? defaultPushCacheMillis : pushed;
  }
}

interface ListAsked {
  readonly service: ServiceName;
  readonly kind: ListKind;
  /** There is nothing in what is answered. */
  readonly isEmpty: boolean;
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
