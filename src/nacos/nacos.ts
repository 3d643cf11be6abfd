import type { ConnectRouter } from '@connectrpc/connect';
import type { Logger } from 'pino';
import type { Registry } from '../registry/registry.ts';
import type { Serve } from '../wire/exchange.ts';
import type { Scheduler } from '../wire/scheduler.ts';
import { Catalog } from './catalog.ts';
import { Clients } from './clients.ts';
import { Configs } from './configs.ts';
import { Connections } from './connections.ts';
import { nacosRpc } from './grpc.ts';
import { pipeline } from './http/pipeline.ts';
import type { HttpRooms } from './http/route.ts';
import { nacosRoutes } from './http/routes.ts';
import { Namespaces } from './namespaces.ts';
import { Naming } from './naming.ts';
import { Pusher } from './push.ts';
import { Subscribers } from './subscribers.ts';
import { Switches } from './switches.ts';

/**
 * Everything that speaks Nacos, wired once: HTTP of all versions, gRPC, datagrams, and the state that is theirs alone. It listens on
 * nothing and reads no clock: both are handed in. Health knows nothing of what is here.
 */
export function createNacos(options: NacosOptions): Nacos {
  const rooms = roomsOf(options);
  const { switches, connections, configs, pusher, subscribers } = rooms;
  switches.onChange(() => options.registry.suspendExpiry(!switches.values.healthCheckEnabled));
  return {
    http: pipeline({ ...options, routes: nacosRoutes(rooms), switches }),
    routes: (router) => nacosRpc(router, { ...rooms, log: options.log }),
    rooms,
    onMapping: (listener) =>
      configs.onChange((id) => {
        if (id.group === MAPPING_GROUP) listener(id.namespace, id.dataId, configs.get(id)?.content ?? '');
      }),
    freeze: () => connections.freeze(),
    cut: () => connections.cut(),
    close() {
      pusher.close();
      subscribers.close();
    },
  };
}

function roomsOf(options: NacosOptions): NacosRooms {
  const { registry, limits, now, wallClock, log, pushDelayMs: delayMs, pushToClientIp } = options;
  const switches = new Switches();
  const connections = new Connections({ registry, now, wallClock, log });
  const subscribers = new Subscribers({ registry, connections, switches, delayMs, now, wallClock });
  const pusher = new Pusher({ registry, switches, delayMs, now, wallClock, log });
  return {
    registry,
    naming: new Naming({ registry, switches, limits, wallClock }),
    catalog: new Catalog({ registry, limits }),
    namespaces: new Namespaces(limits),
    switches,
    clients: new Clients({ registry, connections, subscribers, pusher }),
    configs: new Configs(connections, wallClock),
    pusher,
    connections,
    subscribers,
    wallClock,
    pushToClientIp,
  };
}

export interface NacosOptions {
  readonly registry: Registry;
  readonly scheduler: Scheduler;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  /** Milliseconds since 1970, never going back. */
  readonly wallClock: () => number;
  readonly log: Logger;
  readonly limits: NacosLimits;
  /** How long a push to subscribers waits for more changes, in milliseconds. */
  readonly pushDelayMs: number;
  /** Push to the address that a client names (`clientIP`), instead of the one that its request came from. */
  readonly pushToClientIp: boolean;
}

export interface NacosLimits {
  /** The body of a request over HTTP. */
  readonly maxBodyBytes: number;
  /** Keys and values of the metadata of one instance, in characters. */
  readonly maxMetadataLength: number;
  /** Namespaces that have a name. */
  readonly maxNamespaces: number;
}

export interface Nacos {
  /** Answers everything below `/nacos/`. */
  readonly http: Serve;
  /** Adds the services of 2.x and 3.x over gRPC. */
  readonly routes: (router: ConnectRouter) => void;
  /** For tests. */
  readonly rooms: NacosRooms;
  /** Calls `listener` when Dubbo notes down which applications, in `content`, offer an interface. */
  readonly onMapping: (listener: (namespace: string, interfaceName: string, content: string) => void) => void;
  /** The server goes: clients are told to look elsewhere, and what they have registered stays. */
  readonly freeze: () => void;
  /** Ends all connections, for good. */
  readonly cut: () => void;
  /** Ends all timers and sockets. */
  readonly close: () => void;
}

/** What there is in the room, by name. */
export interface NacosRooms extends HttpRooms {
  readonly connections: Connections;
  readonly subscribers: Subscribers;
}

/** Where Dubbo's providers note down which applications offer an interface: a text of this group, called like the interface. */
const MAPPING_GROUP = 'mapping';
