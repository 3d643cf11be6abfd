import type { ConnectRouter } from '@connectrpc/connect';
import type { Logger } from 'pino';
import type { Registry } from '../registry/registry.ts';
import type { UserDesk } from '../rights/user-desk.ts';
import type { Peer, Serve } from '../wire/exchange.ts';
import type { HeldBodies } from '../wire/held-bodies.ts';
import type { CallLane } from '../wire/lanes.ts';
import type { LineBudget } from '../wire/line-budget.ts';
import type { Refused } from '../wire/refused.ts';
import type { Scheduler } from '../wire/scheduler.ts';
import { Taps } from '../wire/taps.ts';
import { Catalog, type CatalogOptions } from './catalog.ts';
import { Clients } from './clients.ts';
import { ConfigListeners } from './config-listeners.ts';
import { type ConfigLimits, Configs } from './configs.ts';
import { type Durability, type DurablePart, NOTHING_IS_KEPT } from './durability.ts';
import { type Figure, figuresOf, partiesOf, pushCountsOf } from './figures.ts';
import type { Gate } from './gate.ts';
import type { EndReason } from './grpc/connection.ts';
import { Connections, type ConnectionsOptions } from './grpc/connections.ts';
import { type LaneRoom, nacosLane } from './grpc/lane.ts';
import { ListenedConfigs, type ListenedConfigsLimits } from './grpc/listened-configs.ts';
import { answerer, type NacosRpcOptions, nacosRpc } from './grpc/protocol.ts';
import { Subscribers } from './grpc/subscribers.ts';
import type { SubscribersLimits } from './grpc/subscriptions.ts';
import { requestTable } from './grpc/table.ts';
import { LargeAnswers, type LargeAnswersLimits } from './http/large-answers.ts';
import { LongPolls, type LongPollsLimits } from './http/long-polls.ts';
import { type PipelineOptions, pipeline, turnedAway } from './http/pipeline.ts';
import type { HttpLimits, HttpRooms } from './http/route.ts';
import { nacosRoutes } from './http/routes.ts';
import { InterestBytes, type InterestBytesLimits } from './interest-bytes.ts';
import { Lists } from './lists.ts';
import { Namespaces, type NamespacesLimits } from './namespaces.ts';
import { Naming, type NamingOptions } from './naming.ts';
import type { OnOperated } from './operated.ts';
import { type CheckTimes, type ProbeRules, probeRules } from './probing.ts';
import { Quotas, type QuotasLimits } from './quotas.ts';
import { Switches } from './switches.ts';
import { Pusher, type PusherOptions } from './udp/pusher.ts';
import { Walks, type WalksLimits } from './walks.ts';

/**
 * Everything that speaks Nacos, wired once: HTTP of all versions, gRPC, datagrams, and the state that is theirs alone. It listens on
 * nothing and reads no clock: both are handed in. Health knows nothing of what is here.
 */
export function createNacos(options: NacosOptions): Nacos {
  const rooms = roomsOf(options);
  const { limits } = options;
  const { switches, connections, configs, namespaces, durability, longPolls, pusher, subscribers, quotas, walks } = rooms;
  switches.onChange(() => options.registry.suspendExpiry(!switches.values.healthCheckEnabled));
  const routes = nacosRoutes(rooms);
  const largeAnswers = new LargeAnswers(limits);
  return {
    http: pipeline({ ...options, routes, switches, durability, largeAnswers, walks }),
    turnedAway: turnedAway({ ...options, routes }),
    routes: (router) => nacosRpc(router, rooms),
    lane: (calls) => nacosLane({ ...options, ...limits, ...calls, connections, answerTo: answerer(rooms, requestTable(rooms)) }),
    knows: (peer) => connections.has(peer),
    rooms,
    checking: probeRules(switches),
    durable: [switches, namespaces, configs].map(({ durable }) => durable),
    onMapping: (listener) =>
      configs.onChange((id) => {
        if (id.group === MAPPING_GROUP) listener(id.namespace, id.dataId, configs.get(id)?.content ?? '');
      }),
    connectionsEnded: connections.endedBy,
    uses: () => usesOf(rooms, largeAnswers),
    told: () => {
      const figured = { ...rooms, pushes: options.taps?.pushes ?? new Taps().pushes };
      return { figures: figuresOf(figured), ...partiesOf(figured), pushes: pushCountsOf(figured) };
    },
    freeze: () => connections.freeze(),
    endPolls: () => longPolls.close(),
    cut: () => connections.cut(),
    close() {
      longPolls.close();
      pusher.close();
      subscribers.close();
      quotas.close();
    },
  };
}

/** How much of each limit in all is used. */
function usesOf(rooms: NacosRooms, largeAnswers: LargeAnswers): ReturnType<Nacos['uses']> {
  const { connections, subscribers, listenedConfigs, pusher, longPolls, walks, interestBytes, configs, limits } = rooms;
  return [
    { name: 'connections of Nacos 2.x', used: connections.count, most: limits.maxConnections },
    { name: 'subscriptions over them', used: subscribers.count, most: limits.maxSubscriptions },
    { name: 'texts listened to over them', used: listenedConfigs.count, most: limits.maxListenedConfigsInAll },
    { name: 'subscriptions of Nacos 1.x', used: pusher.count, most: limits.maxUdpSubscribers },
    { name: 'long polls', used: longPolls.count, most: limits.maxLongPolls },
    { name: 'long reads', used: walks.count, most: limits.maxLongReads },
    { name: 'bytes of names subscribed or listened to', used: interestBytes.bytes, most: limits.maxInterestBytesInAll },
    { name: 'texts', used: configs.count, most: limits.maxConfigs },
    { name: 'bytes of texts', used: configs.bytes, most: limits.maxConfigTotalBytes },
    { name: 'bytes of answers', used: largeAnswers.bytes, most: limits.maxAnswerBytesInAll },
  ];
}

function roomsOf(options: NacosOptions): NacosRooms {
  const { registry, limits, wallClock, log, pushToClientIp, checkTimes } = options;
  const { durability = NOTHING_IS_KEPT, isChecking = true, isDraining = () => false, onOperated } = options;
  const timed = { ...options, delayMs: options.pushDelayMs };
  const switches = new Switches(onOperated);
  // The first to hear of a change: whoever asks it because of that must not be told what was before.
  const walks = new Walks(options);
  const lists = new Lists({ registry, walks });
  const connections = new Connections({ ...options, walks });
  const interestBytes = new InterestBytes(limits);
  const subscribers = new Subscribers({ ...timed, connections, switches, lists, interestBytes });
  const pusher = new Pusher({ ...timed, switches, lists, interestBytes });
  const configs = new Configs(options);
  const clients = new Clients({ registry, connections, subscribers, pusher });
  const holderOf: NamingOptions['holderOf'] = (service, address) => clients.holderOf(service, address);
  const configListeners = new ConfigListeners(configs);
  const quotas = new Quotas(options);
  connections.onEnd((connection) => quotas.ended(connection));
  const heard = { ...options, configs, listeners: configListeners, interestBytes };
  const listenedConfigs = new ListenedConfigs({ ...heard, connections });
  const longPolls = new LongPolls(heard);
  interestBytes.onShort((origin) => connections.giveWay(origin, (other) => subscribers.has(other) || listenedConfigs.has(other)));
  interestBytes.onShort((origin) => longPolls.giveWay(origin));
  return {
    registry,
    gate: options.gate,
    desk: options.desk,
    naming: new Naming({ registry, switches, limits, quotas, durability, isChecking, holderOf, wallClock, taps: options.taps }),
    lists,
    catalog: new Catalog({ registry, limits, quotas }),
    quotas,
    namespaces: new Namespaces(limits, onOperated),
    switches,
    isReady: () => switches.values.overriddenServerStatus !== 'DOWN' && !isDraining(),
    checkTimes,
    durability,
    clients,
    configs,
    configListeners,
    interestBytes,
    listenedConfigs,
    longPolls,
    pusher,
    connections,
    subscribers,
    walks,
    wallClock,
    pushToClientIp,
    limits,
    log,
    refused: options.refused,
  };
}

/** What it is given. */
export interface NacosOptions {
  readonly registry: Registry;
  readonly gate?: Gate | undefined;
  readonly desk?: UserDesk | undefined;
  readonly scheduler: Scheduler;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  /** Milliseconds since 1970, never going back. */
  readonly wallClock: () => number;
  readonly log: Logger;
  /** How many lines of it there is room for; as many as there are when left out. */
  readonly lines?: Pick<LineBudget, 'take'> | undefined;
  readonly limits: NacosLimits;
  readonly bodies: HeldBodies;
  /** How long a push to subscribers waits for more changes, in milliseconds. */
  readonly pushDelayMs: number;
  /** Push to the address that a client names (`clientIP`), instead of the one that its request came from. */
  readonly pushToClientIp: boolean;
  /** Whether instances are checked actively; they are when left out. */
  readonly isChecking?: boolean;
  /** How long checks take; left out where nothing is checked. */
  readonly checkTimes?: CheckTimes | undefined;
  /** Whether the server goes, and others are to be asked; left out where it never does. */
  readonly isDraining?: (() => boolean) | undefined;
  /** Who keeps what must survive a restart; left out where nothing is kept. */
  readonly durability?: Durability | undefined;
  /** Where refusals for a limit are counted; nowhere when left out. */
  readonly refused?: Refused | undefined;
  /** Hears what operators change that is of no service: switches, names of namespaces. */
  readonly onOperated?: OnOperated | undefined;
  /** Where calls, beats and pushes are counted; nowhere when left out. */
  readonly taps?: Taps | undefined;
}

/** What is given to each room of it. */
export type NacosLimits = PipelineOptions['limits'] &
  LargeAnswersLimits &
  NamingOptions['limits'] &
  CatalogOptions['limits'] &
  QuotasLimits &
  NamespacesLimits &
  NacosRpcOptions['limits'] &
  ConnectionsOptions['limits'] &
  SubscribersLimits &
  ListenedConfigsLimits &
  LongPollsLimits &
  InterestBytesLimits &
  HttpLimits &
  PusherOptions['limits'] &
  Pick<LaneRoom, 'maxStreamMessageBytes'> &
  WalksLimits &
  ConfigLimits;

/** Its face: what the composition root needs, and its rooms for tests. */
export interface Nacos {
  /** Answers everything below `/nacos/`. */
  readonly http: Serve;
  /** Tells them all that there are too many connections. */
  readonly turnedAway: Serve;
  /** Adds the services of 2.x and 3.x over gRPC. */
  readonly routes: (router: ConnectRouter) => void;
  /** The same services by a shorter way, for callers that ask as nearly all do. */
  readonly lane: (calls: Pick<LaneRoom, 'compressions' | 'openAnswers' | 'shutdown' | 'calls'>) => CallLane;
  /** Whether the transport has been set up as a connection of 2.x. */
  readonly knows: (peer: Peer) => boolean;
  /** For tests. */
  readonly rooms: NacosRooms;
  /** What operators say of how instances are checked. */
  readonly checking: ProbeRules;
  /** What of its own is to survive a restart; what is in the registry is the registry's. */
  readonly durable: readonly DurablePart[];
  /** Calls `listener` when Dubbo notes down which applications, in `content`, offer an interface. */
  readonly onMapping: (listener: (namespace: string, interfaceName: string, content: string) => void) => void;
  /** How much of each limit in all is used. */
  readonly uses: () => readonly { readonly name: string; readonly used: number; readonly most: number }[];
  /** How many connections of 2.x and 3.x have ended so far, by why they did. */
  readonly connectionsEnded: ReadonlyMap<EndReason, number>;
  /** How much there is of everything, for whoever counts. */
  readonly told: () => Told;
  /** The server goes: clients are told to look elsewhere, and what they have registered stays. */
  readonly freeze: () => void;
  /** Answers whoever waits for a text to change; nobody waits from now on. */
  readonly endPolls: () => void;
  /** Ends all connections, for good. */
  readonly cut: () => void;
  /** Ends all timers and sockets. */
  readonly close: () => void;
}

export type Told = ReturnType<typeof partiesOf> & {
  readonly figures: readonly Figure[];
  readonly pushes: ReturnType<typeof pushCountsOf>;
};

/** What there is in it, by name. */
export interface NacosRooms extends HttpRooms, NacosRpcOptions {
  readonly interestBytes: InterestBytes;
  readonly limits: NacosLimits;
}

/** Where Dubbo's providers note down which applications offer an interface: a text of this group, called like the interface. */
const MAPPING_GROUP = 'mapping';
