import { Code, ConnectError, type HandlerContext, type ServiceImpl } from '@connectrpc/connect';
import {
  type Health as HealthService,
  HealthCheckResponse_ServingStatus as ServingStatus,
} from '../gen/grpc/health/v1/health_pb.ts';
import type { Health } from './health.ts';
import { formatHealthName, type HealthName, MAX_NAME_BYTES, parseHealthName } from './names.ts';
import type { Status } from './status.ts';
import type { Watches } from './watch.ts';

const WIRE = {
  serving: ServingStatus.SERVING,
  'not-serving': ServingStatus.NOT_SERVING,
  unknown: ServingStatus.SERVICE_UNKNOWN,
} as const satisfies Record<Status, ServingStatus>;

/** As in every implementation of List: one more, with "" counted, and the call is refused. */
const MAX_LISTED = 100;

/** Check, List and Watch as Connect serves them. Error texts are constant: a caller's name is never echoed. */
export function healthService(health: Health, watches: Watches): ServiceImpl<typeof HealthService> {
  return {
    check({ service }) {
      const status = health.statusOf(nameFrom(service));
      if (status === 'unknown') throw new ConnectError('unknown service', Code.NotFound);
      return { status: WIRE[status] };
    },

    list() {
      const statuses: Record<string, { status: ServingStatus }> = Object.create(null);
      let count = 0;
      for (const name of health.names()) {
        if (++count > MAX_LISTED) throw new ConnectError(`more than ${MAX_LISTED} services to list`, Code.ResourceExhausted);
        statuses[formatHealthName(name)] = { status: WIRE[health.statusOf(name)] };
      }
      return { statuses };
    },

    async *watch({ service }, { signal }: HandlerContext) {
      let wake = () => {};
      const watch = watches.open(nameFrom(service), () => wake());
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
    throw new ConnectError(`service must be "", NAME or GROUP@@NAME of at most ${MAX_NAME_BYTES} bytes`, Code.InvalidArgument);
  return name;
}
