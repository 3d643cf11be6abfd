import { loadavg } from 'node:os';
import { connectionView } from '../admin-views.ts';
import { RequestError, shown } from '../errors.ts';
import type { Connection } from '../grpc/connection.ts';
import { parseJson } from '../json.ts';
import { Long } from '../many.ts';
import { after, each } from '../turns.ts';
import { requiredBare, requiredCore } from './admin-params.ts';
import { COMPATIBLE_VERSION, COMPATIBLE_VERSION_3 } from './console.ts';
import { portOf } from './operator.ts';
import { optional, type Params, readCount } from './params.ts';
import type { Asked, HttpRooms } from './route.ts';

/**
 * Calls about the cluster and the connections in it, as operators of 1.x, 2.x and 3.x make them, answered truly of one server: it is
 * its only member, leads itself, and has nobody to hand a client to.
 */
export function clusterCalls(rooms: HttpRooms) {
  return { ...memberCalls(rooms), ...loaderCalls(rooms), ...idCalls() };
}

function memberCalls({ wallClock }: HttpRooms) {
  return {
    nodesV1: ({ params, local }: Asked) => old(membersAt(local, optional(params, 'keyword'), COMPATIBLE_VERSION)),
    addressesV1: ({ local }: Asked) => old([local]),
    selfV1: ({ local }: Asked) => old(self(local, COMPATIBLE_VERSION)),
    healthV1: () => old('UP'),
    /** A member of another cluster wants to be known here. */
    reportV1: () => ({ code: 400, message: 'Node information is illegal', data: null }),
    /** Who looks after a client. */
    responsibleV1: ({ params, local }: Asked) => {
      for (const name of ['ip', 'port'])
        if (optional(params, name) === undefined) throw new RequestError('missing-param', `Parameter '${name}' is missing`);
      return { responsibleServer: local };
    },
    selfV2: ({ local }: Asked) => self(local, COMPATIBLE_VERSION),
    listV2: (asked: Asked) => list(asked, COMPATIBLE_VERSION),
    health: () => 'UP',
    self: ({ local }: Asked) => self(local, COMPATIBLE_VERSION_3),
    list: (asked: Asked) => list(asked, COMPATIBLE_VERSION_3),
    /** How members are found: there are none to be found. */
    setLookup({ params }: Asked) {
      requiredCore(params, 'type');
      return true;
    },
    leaveV2: () => ({ code: 405, message: 'DELETE /v2/core/cluster/nodes API not allow to use temporarily.', data: null }),
    /** What others say of the members; this one knows itself better. */
    updateNodes({ params }: Asked) {
      const nodes = parseJson(optional(params, 'body') ?? '[]');
      if (!Array.isArray(nodes)) throw new RequestError('invalid', 'the body must be a JSON array of members');
      if (nodes.length === 0) throw new RequestError('missing-param', "required parameter 'nodes' is missing");
      return true;
    },
  };

  function list({ params, local }: Asked, version: string) {
    const state = optional(params, 'state');
    if (state !== undefined && !STATES.has(state.toUpperCase()))
      throw new RequestError('bad-state', `Illegal state: ${shown(state)}`);
    const isUp = state === undefined || state.toUpperCase() === 'UP';
    return isUp ? membersAt(local, optional(params, 'address'), version) : [];
  }

  function membersAt(local: string, part: string | undefined, version: string) {
    return part === undefined || local.includes(part) ? [self(local, version)] : [];
  }

  function self(local: string, version: string) {
    return memberView(local, version, wallClock());
  }
}

/** This server, as a member of its cluster. */
function memberView(local: string, version: string, now: number) {
  const [ip, port] = [local.slice(0, local.lastIndexOf(':')), Number(portOf(local))];
  const raftPort = String(port - RAFT_PORT_OFFSET);
  const raft = { leader: `${ip}:${raftPort}`, raftGroupMember: [`${ip}:${raftPort}`], term: 1 };
  return {
    ip,
    port,
    state: 'UP',
    extendInfo: {
      lastRefreshTime: now,
      // Boards and scripts look here for a leader.
      raftMetaData: { metaDataMap: Object.fromEntries(RAFT_GROUPS.map((group) => [group, raft])) },
      raftPort,
      readyToUpgrade: true,
      supportGrayModel: true,
      version,
    },
    address: local,
    failAccessCnt: 0,
    abilities: {
      remoteAbility: { supportRemoteConnection: true, grpcReportEnabled: true },
      configAbility: { supportRemoteMetrics: false },
      namingAbility: { supportJraft: true },
    },
    grpcReportEnabled: true,
  };
}

const STATES = new Set(['STARTING', 'UP', 'SUSPICIOUS', 'DOWN', 'ISOLATION']);
const RAFT_PORT_OFFSET = 1_000;
const RAFT_GROUPS = [
  'naming_instance_metadata',
  'naming_persistent_service',
  'naming_persistent_service_v2',
  'naming_service_metadata',
];

function loaderCalls({ connections, walks, wallClock }: HttpRooms) {
  const reloadCurrent = ({ params }: Asked): void => {
    requiredBare(params, 'count', 'Integer');
    const surplus = [...connections.all()].slice(readCount(params, 'count'));
    for (const connection of surplus) reset(connection, params);
  };
  const reloadClient = ({ params }: Asked): void => {
    const connection = connections.called(requiredBare(params, 'connectionId'));
    if (connection !== undefined) reset(connection, params);
  };
  return {
    current({ caller }: Asked) {
      const views = new Map<string, object>();
      const now = wallClock();
      const looked = walks.run(
        each(connections.all(), (connection) => views.set(connection.id, connectionView(connection, now))),
        caller,
      );
      return after(looked, () => new Long(Object.fromEntries(views)));
    },
    loadV2({ local }: Asked) {
      const { detail, threshold, ...counts } = load(local);
      const metrics = detail.map(({ address, sdkConCount, conCount, ...machine }) => ({
        address,
        metric: { ...machine, sdkConCount: String(sdkConCount), conCount: String(conCount) },
      }));
      return { ...counts, threshold: Number(threshold), detail: metrics };
    },
    load: ({ local }: Asked) => load(local),
    /** As many connections as are named may stay; the others are asked to go elsewhere. */
    reloadCurrent: answered(reloadCurrent, null),
    reloadCurrentV2: answered(reloadCurrent, 'success'),
    /** That one is asked to go elsewhere; absent is fine. */
    reloadClient: answered(reloadClient, null),
    reloadClientV2: answered(reloadClient, 'success'),
    /** There is no other server with which connections could be shared. */
    smartReload: () => null,
    smartReloadV2: () => 'Ok',
  };

  function load(local: string) {
    const all = [...connections.all()];
    const total = all.length;
    const detail = {
      address: local,
      sdkConCount: all.filter(({ labels }) => labels.source !== 'cluster').length,
      conCount: total,
      load: (loadavg()[0] ?? 0).toFixed(2),
      cpu: '0.0',
    };
    const one = { memberCount: 1, metricsCount: 1, completed: true, max: total, min: total, avg: total };
    return { detail: [detail], ...one, threshold: (total * OVERLOAD).toFixed(1), total };
  }

  function reset(connection: Connection, params: Params): void {
    const [, ip, port] = /^(.+):(\d+)$/.exec(optional(params, 'redirectAddress') ?? '') ?? [];
    connections.reset(connection, ip === undefined || port === undefined ? undefined : { ip, port });
  }
}

function answered<T>(act: (asked: Asked) => void, answer: T): (asked: Asked) => T {
  return (asked) => {
    act(asked);
    return answer;
  };
}

/** A server with more than this share of the average is to give connections away. */
const OVERLOAD = 1.1;

/** Nothing here makes ids of its own. */
function idCalls() {
  return { idsV1: () => old({}), idsV2: () => old([]), ids: () => [] };
}

/** The envelope of 1.x and of the core of 2.x. */
function old(data: unknown) {
  return { code: 200, message: null, data };
}
