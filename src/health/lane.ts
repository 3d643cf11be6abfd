import { create, toBinary } from '@bufbuild/protobuf';
import type { Logger } from 'pino';
import { HealthListResponseSchema, Health as HealthService } from '../gen/grpc/health/v1/health_pb.ts';
import type { CallLane, CallRoute, Fields, Lanes, Reply } from '../wire/lanes.ts';
import type { Checker } from './health.ts';
import { ENDS, frame, type GrpcAnswers, grpcAnswersFor, JSON_ANSWERS } from './lane-answers.ts';
import { createHttpLane, type HttpLaneOptions, isPlainJson, isPlainPath, jsonCalls, pathAnswer } from './lane-http.ts';
import { LaneWatches, type LaneWatchesOptions } from './lane-watch.ts';
import { isEmptyFrame, MAX_REQUEST_BYTES, mayBecomeFrame, nameInFrame, nameInJson } from './requested.ts';
import { type HealthServiceOptions, listOf } from './service.ts';

/**
 * The lane of health: what nearly all callers ask, as nearly all of them ask it, answered at once and with what has been made before.
 * Over HTTP/2 that is Check, List and Watch of gRPC, and Check in JSON; over HTTP/1 Check in JSON and `/health/NAME` (`lane-http.ts`).
 * It answers byte for byte as Connect does, or not at all: whatever is rare goes the usual way, and there it is decided what is right.
 */
export interface HealthLaneOptions extends HttpLaneOptions, LaneWatchesOptions {
  /** Monotonic milliseconds. */
  readonly now: () => number;
  readonly limits: HttpLaneOptions['limits'] & HealthServiceOptions['limits'];
}

export function createHealthLane(options: HealthLaneOptions): Required<Pick<Lanes, 'calls' | 'http1'>> {
  return { calls: callLane(options), http1: createHttpLane(options, CHECK_PATHS, JSON_ANSWERS) };
}

const SERVICE = `/${HealthService.typeName}`;
// Dubbo-go finds a method by either case of its first letter.
const CHECK_PATHS = [`${SERVICE}/Check`, `${SERVICE}/check`];
const LIST_PATHS = [`${SERVICE}/List`, `${SERVICE}/list`];
const WATCH_PATHS = [`${SERVICE}/Watch`, `${SERVICE}/watch`];

function callLane(options: HealthLaneOptions): CallLane {
  const { checker, log } = options;
  const check = guarded(new GrpcCheck(checker), log);
  const list = guarded(new GrpcList(checker, options.limits.maxListed), log);
  const watch = guarded(new GrpcWatch(options), log);
  const json = guarded(new JsonCheck(checker), log);
  const path = guarded(new PathRoute(options), log);
  const byPath = new Map<string, CallRoute>([
    ...CHECK_PATHS.map((text): [string, CallRoute] => [text, check]),
    ...LIST_PATHS.map((text): [string, CallRoute] => [text, list]),
    ...WATCH_PATHS.map((text): [string, CallRoute] => [text, watch]),
  ]);
  return {
    routeOf(fields) {
      const url = fields[':path'];
      if (typeof url !== 'string' || fields.origin !== undefined || fields.expect !== undefined) return undefined;
      const method = fields[':method'];
      if (method === 'GET') return isPlainPath(url, fields) ? path : undefined;
      const route = method === 'POST' ? byPath.get(url) : undefined;
      if (route === undefined) return undefined;
      const type = fields['content-type'];
      if (type === 'application/grpc' || type === 'application/grpc+proto') return isPlainGrpc(fields) ? route : undefined;
      return route === check && isPlainJson(fields) ? json : undefined;
    },
  };
}

/** What goes wrong inside is told once, and the usual way tries again. */
function guarded(route: CallRoute, log: Logger): CallRoute {
  return {
    maxBodyBytes: route.maxBodyBytes,
    mayWait: (fields, body) => route.mayWait(fields, body),
    serve(fields, body, reply) {
      try {
        return route.serve(fields, body, reply);
      } catch (err) {
        log.warn({ err }, 'the lane failed: the usual way is tried');
        return false;
      }
    },
  };
}

/** Not compressed, and with a deadline that is one if there is any. */
function isPlainGrpc(fields: Fields): boolean {
  const encoding = fields['grpc-encoding'];
  if (encoding !== undefined && encoding !== 'identity') return false;
  const timeout = fields['grpc-timeout'];
  return timeout === undefined || (typeof timeout === 'string' && GRPC_TIMEOUT.test(timeout));
}

class GrpcCheck implements CallRoute {
  readonly maxBodyBytes = MAX_REQUEST_BYTES;
  readonly #checker: Checker;

  constructor(checker: Checker) {
    this.#checker = checker;
  }

  /** It is answered at once, whatever its deadline is. */
  mayWait(_: Fields, body: Buffer): boolean {
    return mayBecomeFrame(body);
  }

  serve(fields: Fields, body: Buffer, reply: Reply): boolean {
    const answers = grpcAnswersFor(fields['grpc-accept-encoding']);
    const name = nameInFrame(body);
    if (answers === undefined || name === undefined) return false;
    reply.send(answers.checked[this.#checker.statusOfText(name) ?? 'bad-name']);
    return true;
  }
}

class JsonCheck implements CallRoute {
  readonly maxBodyBytes = MAX_REQUEST_BYTES;
  readonly #checker: Checker;
  readonly #answers = jsonCalls(JSON_ANSWERS);

  constructor(checker: Checker) {
    this.#checker = checker;
  }

  mayWait(): boolean {
    return true;
  }

  serve(_: Fields, body: Buffer, reply: Reply): boolean {
    const name = nameInJson(body);
    if (name === undefined) return false;
    reply.send(this.#answers[this.#checker.statusOfText(name) ?? 'bad-name']);
    return true;
  }
}

class GrpcList implements CallRoute {
  /** An empty message. */
  readonly maxBodyBytes = 5;
  readonly #checker: Checker;
  readonly #maxListed: number;

  constructor(checker: Checker, maxListed: number) {
    this.#checker = checker;
    this.#maxListed = maxListed;
  }

  mayWait(_: Fields, body: Buffer): boolean {
    return mayBecomeFrame(body);
  }

  serve(fields: Fields, body: Buffer, reply: Reply): boolean {
    // A long list is compressed for whoever takes that.
    if (!isEmptyFrame(body) || grpcAnswersFor(fields['grpc-accept-encoding']) !== PLAIN) return false;
    const statuses = listOf(this.#checker, this.#maxListed);
    if (statuses === undefined) return false;
    const message = toBinary(HealthListResponseSchema, create(HealthListResponseSchema, { statuses }));
    reply.send({ head: PLAIN.head, body: frame(message), trailers: ENDS.ok });
    return true;
  }
}

const PLAIN = grpcAnswersFor(undefined) as GrpcAnswers;

class GrpcWatch implements CallRoute {
  readonly maxBodyBytes = MAX_REQUEST_BYTES;
  readonly #checker: Checker;
  readonly #watches: LaneWatches;
  readonly #shutdown: AbortSignal;
  readonly #now: () => number;
  /** By the header of a request with a deadline whose body came later: when. */
  readonly #waitedSince = new WeakMap<Fields, number>();

  constructor(options: HealthLaneOptions) {
    this.#checker = options.checker;
    this.#watches = new LaneWatches(options);
    this.#shutdown = options.shutdown;
    this.#now = options.now;
  }

  /** A deadline counts from the header. */
  mayWait(fields: Fields, body: Buffer): boolean {
    if (deadlineMs(fields) < Number.POSITIVE_INFINITY && !this.#waitedSince.has(fields))
      this.#waitedSince.set(fields, this.#now());
    return mayBecomeFrame(body);
  }

  serve(fields: Fields, body: Buffer, reply: Reply): boolean {
    const answers = grpcAnswersFor(fields['grpc-accept-encoding']);
    const text = nameInFrame(body);
    const withinMs = deadlineMs(fields);
    if (answers === undefined || text === undefined || withinMs === 0 || this.#shutdown.aborted) return false;
    const name = this.#checker.nameFrom(text);
    const leftMs = withinMs - this.#waitedMs(fields);
    if (name === undefined) reply.send(answers.badName);
    else if (leftMs <= 0) reply.send(answers.late);
    else this.#watches.open(name, answers, leftMs, reply);
    return true;
  }

  #waitedMs(fields: Fields): number {
    const since = this.#waitedSince.get(fields);
    return since === undefined ? 0 : this.#now() - since;
  }
}

/** `GET /health/NAME`. */
class PathRoute implements CallRoute {
  readonly maxBodyBytes = 0;
  readonly #options: HttpLaneOptions;

  constructor(options: HttpLaneOptions) {
    this.#options = options;
  }

  mayWait(): boolean {
    return false;
  }

  serve(fields: Fields, _: Buffer, reply: Reply): boolean {
    const { http, json } = pathAnswer(String(fields[':path']), this.#options);
    const length = String(Buffer.byteLength(json));
    const head = { ':status': http, 'cache-control': 'no-store', 'content-type': 'application/json', 'content-length': length };
    reply.send({ head, body: Buffer.from(json), trailers: undefined });
    return true;
  }
}

const GRPC_TIMEOUT = /^\d{1,8}[HMSmun]$/;
const DUBBO_TIMEOUT = /^\d{1,8}$/;
const MS_BY_UNIT: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1_000, m: 1, u: 1e-3, n: 1e-6 };

/** How long the call may last; infinite where it does not say. Dubbo says it in fields of its own, which count if gRPC's is not there. */
function deadlineMs(fields: Fields): number {
  const timeout = fields['grpc-timeout'];
  if (typeof timeout === 'string') return Number(timeout.slice(0, -1)) * (MS_BY_UNIT[timeout.slice(-1)] ?? 0);
  const ms = fields['triple-timeout-ms'] ?? fields['tri-service-timeout'];
  return typeof ms === 'string' && DUBBO_TIMEOUT.test(ms) ? Number(ms) : Number.POSITIVE_INFINITY;
}
