import { createContextValues } from '@connectrpc/connect';
import type { Events } from '../events/events.ts';
import { Past } from '../events/past.ts';
import { Health as HealthService } from '../gen/grpc/health/v1/health_pb.ts';
import type { Health } from '../health/health.ts';
import { createHealthLane } from '../health/lane.ts';
import { HEARS_ALL } from '../health/past.ts';
import { healthPaths } from '../health/paths.ts';
import { HEALTH_JSON, healthService, watcherKey } from '../health/service.ts';
import { EVERYBODY, visitorKey } from '../health/visitor.ts';
import type { Watches } from '../health/watch.ts';
import { peerOf } from '../wire/exchange.ts';
import type { Surfaces } from './dispatch.ts';
import type { Door } from './door.ts';
import type { House } from './house.ts';
import { reflectionRoutes } from './reflection.ts';
import { rpcByPath } from './rpc.ts';
import { hearersFor, reflectedToVisitors, visitorsFor } from './visitors.ts';

interface HealthRooms {
  readonly health: Health;
  readonly watches: Watches;
  readonly door: Door;
  readonly events: Events;
}

/** What answers who asks for health, on every port. */
export function healthSurfaces(
  house: House,
  { health, watches, door, events }: HealthRooms,
): Pick<Surfaces, 'healthRpc' | 'healthPaths' | 'healthLane'> {
  const { options, openAnswers, shutdown, scheduler, wallClock, refused, taps } = house;
  // Nobody is asked anything where everybody is told.
  const visitorOf = options.healthAuth ? visitorsFor(door.access, scheduler) : undefined;
  const shared = { checker: health, watches, limits: options, openAnswers, shutdown: shutdown.signal, visitorOf, refused };
  const { defaultService } = options;
  const past = new Past(events.history, wallClock);
  const mayHearOf = hearersFor(door.access, options);
  const heard = mayHearOf === undefined ? { past, mayHear: HEARS_ALL } : 'asked';
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
    healthPaths: healthPaths({ ...shared, defaultService, scheduler, past, mayHearOf }),
    // It answers at once and asks nobody.
    healthLane:
      visitorOf === undefined ? createHealthLane({ ...house, ...shared, defaultService, calls: taps.calls, heard }) : {},
  };
}
