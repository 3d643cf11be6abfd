import { Code, ConnectError, createContextKey, type HandlerContext, type ServiceImpl } from '@connectrpc/connect';
import {
  type Health as HealthService,
  HealthCheckResponse_ServingStatus as ServingStatus,
} from '../gen/grpc/health/v1/health_pb.ts';
import type { Health } from './health.ts';
import { formatHealthName, type HealthName, MAX_NAME_BYTES, parseHealthName, selectAll } from './names.ts';
import type { Status } from './status.ts';
import type { Watcher, Watches } from './watch.ts';

const WIRE = {
  serving: ServingStatus.SERVING,
  'not-serving': ServingStatus.NOT_SERVING,
  unknown: ServingStatus.SERVICE_UNKNOWN,
} as const satisfies Record<Status, ServingStatus>;

/** Who makes the call. */
export const watcherKey = createContextKey<Watcher>({ connection: {}, peer: '' });

/** Check, List and Watch as Connect serves them. List is refused beyond `maxListed` entries, with "" counted. Error texts are constant: a caller's name is never echoed. */
export function healthService(health: Health, watches: Watches, maxListed: number): ServiceImpl<typeof HealthService> {
  return {
    check({ service }) {
      const status = health.statusOf(nameFrom(service));
      if (status === 'unknown') throw new ConnectError('unknown service', Code.NotFound);
      return { status: WIRE[status] };
    },

    list() {
      // With a null prototype any name is just a key.
      const statuses: Record<string, { status: ServingStatus }> = Object.create(null);
      statuses[''] = { status: WIRE[health.statusOf('bridge')] };
      let count = 1;
      for (const service of health.services()) {
        if (++count > maxListed) throw new ConnectError(`more than ${maxListed} services to list`, Code.ResourceExhausted);
        statuses[formatHealthName(service)] = { status: WIRE[health.statusOf(selectAll(service))] };
      }
      return { statuses };
    },

    async *watch({ service }, { signal, values }: HandlerContext) {
      let wake = () => {};
      const watch = watches.open(nameFrom(service), values.get(watcherKey), () => wake());
      if (watch === undefined) throw new ConnectError('too many watches', Code.ResourceExhausted);
      // One listener for the whole call; it dies with the call's own signal.
      signal.addEventListener('abort', () => wake(), { once: true });
      try {
        for (;;) {
          // The reason says how the call ends: cancelled, deadline exceeded, or unavailable when the bridge drains.
          signal.throwIfAborted();
          const status = watch.take();
          if (status !== undefined) yield { status: WIRE[status] };
          else
            await new Promise<void>((resolve) => {
              wake = resolve;
            });
        }
      } finally {
        watch.close();
      }
    },
  };
}

function nameFrom(service: string): HealthName {
  const name = parseHealthName(service);
  if (name === undefined)
    throw new ConnectError(
      `service must be NAME[?namespace=N&group=G&cluster=C&instance=IP:PORT] of at most ${MAX_NAME_BYTES} bytes, or ""`,
      Code.InvalidArgument,
    );
  return name;
}
