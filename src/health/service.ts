import { Code, ConnectError, createContextKey, type HandlerContext, type ServiceImpl } from '@connectrpc/connect';
import {
  type Health as HealthService,
  HealthCheckResponse_ServingStatus as ServingStatus,
} from '../gen/grpc/health/v1/health_pb.ts';
import type { Refused } from '../wire/refused.ts';
import type { Checker } from './health.ts';
import { type HealthName, MAX_NAME_BYTES, NAME_FORM } from './names.ts';
import type { Status } from './status.ts';
import { EVERYBODY, type Visitor, visitorKey } from './visitor.ts';
import type { Watcher, Watches } from './watch.ts';

/** What is said where there is no status, or no more of it. Constant: a caller's name is never echoed. */
export const SAID = {
  unknownService: 'unknown service',
  badName: `service must be ${NAME_FORM} of at most ${MAX_NAME_BYTES} bytes, or ""`,
  tooManyWatches: 'too many watches',
  gaveWay: 'this watch has ended for a caller who has fewer',
} as const;

export const WIRE = {
  serving: ServingStatus.SERVING,
  'not-serving': ServingStatus.NOT_SERVING,
  unknown: ServingStatus.SERVICE_UNKNOWN,
} as const satisfies Record<Status, ServingStatus>;

/** Who makes the call. */
export const watcherKey = createContextKey<Watcher>({ connection: {}, ip: '' });

export interface HealthServiceOptions {
  readonly checker: Checker;
  readonly watches: Watches;
  readonly limits: {
    /** Entries, with "" counted, beyond which List is refused. */
    readonly maxListed: number;
  };
  /** Where refusals for a limit are counted; nowhere when left out. */
  readonly refused?: Refused | undefined;
}

/** Check, List and Watch as Connect serves them. */
export function healthService({ checker, watches, limits, refused }: HealthServiceOptions): ServiceImpl<typeof HealthService> {
  const { maxListed } = limits;
  return {
    check({ service }, { values }: HandlerContext) {
      const name = nameFrom(checker, service);
      return told(values.get(visitorKey), name, () => {
        const status = checker.statusOf(name);
        if (status === 'unknown') throw new ConnectError(SAID.unknownService, Code.NotFound);
        return { status: WIRE[status] };
      });
    },

    list(_, { values }: HandlerContext) {
      return told(values.get(visitorKey), undefined, () => {
        const statuses = listOf(checker, maxListed);
        if (statuses === undefined) {
          refused?.count('services to list');
          throw new ConnectError(tooMany(maxListed), Code.ResourceExhausted);
        }
        return { statuses };
      });
    },

    async *watch({ service }, { signal, values }: HandlerContext) {
      let wake = () => {};
      const name = nameFrom(checker, service);
      const visitor = name === 'bridge' ? EVERYBODY : values.get(visitorKey);
      await told(visitor, name, () => {});
      let ended: ConnectError | undefined;
      const end = (why: string, code: Code) => {
        ended = new ConnectError(why, code);
        wake();
      };
      const giveWay = () => end(SAID.gaveWay, Code.ResourceExhausted);
      const watch = watches.open(name, values.get(watcherKey), { wake: () => wake(), giveWay });
      if (watch === undefined) throw new ConnectError(SAID.tooManyWatches, Code.ResourceExhausted);
      // One listener for the whole call; it dies with the call's own signal.
      signal.addEventListener('abort', () => wake(), { once: true });
      const unfollow = visitor.follow((why) => end(why, Code.PermissionDenied));
      try {
        for (;;) {
          // The reason says how the call ends: cancelled, deadline exceeded, or unavailable when the bridge drains.
          signal.throwIfAborted();
          if (ended !== undefined) throw ended;
          const status = watch.take();
          if (status !== undefined) yield { status: WIRE[status] };
          else
            await new Promise<void>((resolve) => {
              wake = resolve;
            });
        }
      } finally {
        unfollow();
        watch.close();
      }
    },
  };
}

/** What is told to whoever may be told of it: of the bridge all may. */
function told<T>(visitor: Visitor, name: HealthName | undefined, tell: () => T): T | Promise<T> {
  const why = name === 'bridge' ? undefined : visitor.refusal();
  const judged = (refusal: string | undefined): T => {
    if (refusal !== undefined) throw new ConnectError(refusal, Code.PermissionDenied);
    return tell();
  };
  return why instanceof Promise ? why.then(judged) : judged(why);
}

/** Every name with its status; undefined when there are more than `most`. */
export function listOf(checker: Checker, most: number): Record<string, { status: ServingStatus }> | undefined {
  // With a null prototype any name is just a key.
  const statuses: Record<string, { status: ServingStatus }> = Object.create(null);
  let count = 0;
  for (const [name, status] of checker.list()) {
    if (++count > most) return undefined;
    statuses[name] = { status: WIRE[status] };
  }
  return statuses;
}

/**
 * How the JSON of a request is read: strictly, as dubbo-go does it, because whoever misspells the one key there is would be told of the
 * bridge instead of his service. Connect hands `textDecoder` on to where it reads the bytes of a message, decompressed; without it the
 * code would be the same, and the text one that names no key.
 */
export const HEALTH_JSON = {
  ignoreUnknownFields: false,
  textDecoder: {
    decode(bytes?: Uint8Array): string {
      const text = new TextDecoder().decode(bytes);
      if (!isRequest(text)) throw new ConnectError(BAD_JSON, Code.InvalidArgument);
      return text;
    },
  },
};

const BAD_JSON =
  'the JSON of a request must be {"service":"NAME"}, with no other key; only {} and no body ask about the bridge itself';

function isRequest(text: string): boolean {
  try {
    const json: unknown = JSON.parse(text);
    if (typeof json !== 'object' || json === null || Array.isArray(json)) return false;
    return Object.entries(json).every(([key, value]) => key === 'service' && typeof value === 'string');
  } catch {
    return false;
  }
}

function tooMany(maxListed: number): string {
  return `more than ${maxListed} services to list: check each by its name, or raise --max-listed`;
}

function nameFrom(checker: Checker, service: string): HealthName {
  const name = checker.nameFrom(service);
  if (name === undefined) throw new ConnectError(SAID.badName, Code.InvalidArgument);
  return name;
}
