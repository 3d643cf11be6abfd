import { createContextValues } from '@connectrpc/connect';
import { Past } from '../events/past.ts';
import { eventPaths } from '../events/paths.ts';
import { Health as HealthService } from '../gen/grpc/health/v1/health_pb.ts';
import { KeptAnswers } from '../health/kept-answers.ts';
import { createHealthLane } from '../health/lane.ts';
import { listPaths } from '../health/list-paths.ts';
import { HEARS_ALL } from '../health/past.ts';
import { healthPaths } from '../health/paths.ts';
import { HEALTH_JSON, healthService, watcherKey } from '../health/service.ts';
import { EVERYBODY, visitorKey } from '../health/visitor.ts';
import { headersKey, peerKey } from '../nacos/grpc/protocol.ts';
import type { Nacos } from '../nacos/nacos.ts';
import { HOME } from '../nacos/rules.ts';
import { drainPaths } from '../operate/drain-paths.ts';
import { serviceKey } from '../registry/service-name.ts';
import { peerOf } from '../wire/exchange.ts';
import { COMPRESSIONS } from './compressions.ts';
import { consoleFor, type ToldOfProcess } from './console.ts';
import type { Surfaces } from './dispatch.ts';
import type { House } from './house.ts';
import { metricsFor } from './measuring.ts';
import { nacosRpcByPath } from './nacos-rpc.ts';
import { pagesFor } from './pages.ts';
import { partsOf } from './parts.ts';
import { probePaths } from './readiness.ts';
import { reflectionRoutes } from './reflection.ts';
import type { Rooms } from './rooms.ts';
import { rpcByPath } from './rpc.ts';
import { hearersFor, listenersFor, mayHear, operatorsFor, reflectedToVisitors, visitorsFor } from './visitors.ts';

/**
 * Who serves what, of the rooms as they are: on which paths, in which forms, and what whoever asks may see of it. The other meeting point
 * of siblings, beside the one where they are made.
 */
export function surfacesOf(house: House, rooms: Rooms, told?: ToldOfProcess): Surfaces {
  const { nacos, keeping, door } = rooms;
  const { history, streams } = rooms.events;
  const readerOf = listenersFor(door.access, house);
  return {
    ...nacosSurfaces(house, nacos),
    ...healthSurfaces(house, rooms),
    consolePaths: consoleFor(house, rooms, told) ?? (() => undefined),
    pages: pagesFor({ access: door.access, rules: door.settings.pages, wallClock: house.wallClock }),
    probePaths: probePaths(partsOf({ ...house, ...rooms }), mayHear(door.access)),
    metricsPaths: metricsFor(rooms.metrics, door.access, house),
    listPaths: listPaths({ ...house, wallClock: house.machineTime, home: HOME, health: rooms.health, history, readerOf }),
    eventPaths: eventPaths({
      ...house,
      wallClock: house.machineTime,
      ...HOME,
      history,
      streams,
      listenerOf: readerOf,
      shutdown: house.shutdown.signal,
    }),
    drainPaths: drainPaths({ ...house, ...operatorsFor(door.access, house), home: HOME, durability: keeping }),
  };
}

function nacosSurfaces(
  house: House,
  nacos: Nacos,
): Pick<Surfaces, 'nacos' | 'nacosTurnedAway' | 'contextPath' | 'nacosRpc' | 'nacosLane'> {
  const { options, openAnswers, shutdown, taps } = house;
  const { maxNacosMessageBytes: maxMessageBytes, maxStreamMessageBytes } = options;
  const compressions = COMPRESSIONS.map(({ name }) => name);
  const nacosLane = nacos.lane({ compressions, openAnswers, shutdown: shutdown.signal, calls: taps.calls });
  const nacosRpc = nacosRpcByPath({
    ...house,
    routes: nacos.routes,
    maxMessageBytes,
    maxStreamMessageBytes,
    knows: nacos.knows,
    longLived: true,
    contextValues: (req) => createContextValues().set(peerKey, peerOf(req)).set(headersKey, req.headers),
    shutdown: shutdown.signal,
    calls: taps.calls,
  });
  return { nacos: nacos.http, nacosTurnedAway: nacos.turnedAway, contextPath: options.contextPath, nacosRpc, nacosLane };
}

function healthSurfaces(
  house: House,
  { health, watches, door, events }: Rooms,
): Pick<Surfaces, 'healthRpc' | 'healthPaths' | 'healthLane'> {
  const { options, openAnswers, shutdown, scheduler, wallClock, refused, taps } = house;
  // Nobody is asked anything where everybody is told.
  const visitorOf = options.healthAuth ? visitorsFor(door.access, scheduler) : undefined;
  const shared = { checker: health, watches, limits: options, openAnswers, shutdown: shutdown.signal, visitorOf, refused };
  const { defaultService } = options;
  const past = new Past(events.history, house.machineTime);
  const mayHearOf = hearersFor(door.access, options);
  const kept = new KeptAnswers(wallClock);
  health.onChange((key) => kept.drop(key));
  events.history.onEvent(({ service }) => service && kept.drop(serviceKey(service)));
  const heard = mayHearOf === undefined ? { past, mayHear: HEARS_ALL, kept } : 'asked';
  const healthRpc = rpcByPath({
    ...house,
    routes: (router) => {
      router.service(HealthService, healthService(shared), { jsonOptions: HEALTH_JSON });
      reflectionRoutes(router, [HealthService]);
    },
    maxMessageBytes: options.maxHealthMessageBytes,
    calls: taps.calls,
    contextValues: (req) =>
      createContextValues()
        .set(watcherKey, peerOf(req))
        .set(visitorKey, visitorOf?.(req) ?? EVERYBODY),
    shutdown: shutdown.signal,
  });
  return {
    healthRpc: visitorOf === undefined ? healthRpc : reflectedToVisitors(healthRpc, door.access, wallClock),
    healthPaths: healthPaths({ ...shared, defaultService, scheduler, past, kept, mayHearOf }),
    // It answers at once and asks nobody.
    healthLane:
      visitorOf === undefined ? createHealthLane({ ...house, ...shared, defaultService, calls: taps.calls, heard }) : {},
  };
}
