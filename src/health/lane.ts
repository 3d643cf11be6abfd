import { create, toBinary } from '@bufbuild/protobuf';
import type { Logger } from 'pino';
import { HealthListResponseSchema, Health as HealthService } from '../gen/grpc/health/v1/health_pb.ts';
import { CallCounts, type MethodCounts } from '../wire/call-counts.ts';
import type { Answer, Call, CallLane, CallRoute, Lanes, Reply } from '../wire/lanes.ts';
import * as mark from '../wire/marks.ts';
import type { Checker } from './health.ts';
import { CHECK_CODES, ENDS, frame, type GrpcAnswers, grpcAnswersFor, JSON_ANSWERS } from './lane-answers.ts';
import {
  createHttpLane,
  type HttpLaneOptions,
  INSTANCE_HEADER,
  isConnectTimeout,
  isJsonType,
  isPlainPath,
  jsonCalls,
  pathAnswer,
} from './lane-http.ts';
import { LaneWatches, type LaneWatchesOptions } from './lane-watch.ts';
import { isEmptyFrame, MAX_REQUEST_BYTES, mayBecomeFrame, nameInFrame, nameInJson } from './requested.ts';
import { type HealthServiceOptions, listOf } from './service.ts';

/**
 * The lane of health: what nearly all callers ask, as nearly all of them ask it, answered at once and with what has been made before.
 * Over HTTP/2 that is Check, List and Watch of gRPC, and Check in JSON; over HTTP/1 Check in JSON and `/health/NAME` (`lane-http.ts`).
 * It answers byte for byte as Connect does, or not at all: whatever is rare goes the usual way, and there it is decided what is right.
 */
export interface HealthLaneOptions extends HttpLaneOptions, Omit<LaneWatchesOptions, 'counts'> {
  /** Where calls are counted. */
  readonly calls?: CallCounts | undefined;
  readonly limits: HttpLaneOptions['limits'] & HealthServiceOptions['limits'];
}

export function createHealthLane(options: HealthLaneOptions): Required<Pick<Lanes, 'calls' | 'http1'>> {
  const { calls = new CallCounts() } = options;
  const counts = {
    check: calls.of(HealthService.typeName, 'Check', 'unary'),
    list: calls.of(HealthService.typeName, 'List', 'unary'),
    watch: calls.of(HealthService.typeName, 'Watch', 'server_stream'),
  };
  const http1 = createHttpLane({ ...options, counts: counts.check }, CHECK_PATHS, JSON_ANSWERS);
  return { calls: callLane(options, counts), http1 };
}

const SERVICE = `/${HealthService.typeName}`;
// Dubbo-go finds a method by either case of its first letter.
const CHECK_PATHS = [`${SERVICE}/Check`, `${SERVICE}/check`];
const LIST_PATHS = [`${SERVICE}/List`, `${SERVICE}/list`];
const WATCH_PATHS = [`${SERVICE}/Watch`, `${SERVICE}/watch`];

type Counts = Readonly<Record<'check' | 'list' | 'watch', MethodCounts>>;

function callLane(options: HealthLaneOptions, counts: Counts): CallLane {
  const { heard, log } = options;
  const check = guarded(new GrpcCheck(options, counts.check), log);
  const list = guarded(new GrpcList(options, counts.list), log);
  const watch = guarded(new GrpcWatch(options, counts.watch), log);
  const json = guarded(new JsonCheck(options, counts.check), log);
  const path = guarded(new PathRoute(options), log);
  const byPath = new Map<string, CallRoute>([
    ...CHECK_PATHS.map((text): [string, CallRoute] => [text, check]),
    ...LIST_PATHS.map((text): [string, CallRoute] => [text, list]),
    ...WATCH_PATHS.map((text): [string, CallRoute] => [text, watch]),
  ]);
  return {
    routeOf(call) {
      const { marks } = call;
      if ((marks & FOR_OTHERS) !== 0) return undefined;
      if ((marks & mark.GET) !== 0) {
        return heard !== 'asked' && isPlainPath(call.path) && call.field(INSTANCE_HEADER) === undefined ? path : undefined;
      }
      const route = (marks & mark.POST) !== 0 ? byPath.get(call.path) : undefined;
      if (route === undefined) return undefined;
      const type = marks & TYPE;
      if (type === mark.GRPC_TYPE) return isPlainGrpc(call) ? route : undefined;
      return route === check && type === mark.JSON_TYPE && isPlainJson(call) ? json : undefined;
    },
  };
}

/** A page's requests, and those that want a word before they go on. */
const FOR_OTHERS = mark.BROWSER | mark.EXPECT;
const TYPE = mark.GRPC_TYPE | mark.JSON_TYPE | mark.OTHER_TYPE;
const IN_JSON = mark.CONTENT_ENCODING | mark.CONNECT_TIMEOUT;
const IN_GRPC = mark.GRPC_ENCODING | mark.GRPC_TIMEOUT;
const TIMED = mark.GRPC_TIMEOUT | mark.DUBBO_TIMEOUT;

/** What goes wrong inside is told once, and the usual way tries again. */
function guarded(route: CallRoute, log: Logger): CallRoute {
  return {
    maxBodyBytes: route.maxBodyBytes,
    mayWait: (call, body) => route.mayWait(call, body),
    serve(call, body, reply) {
      try {
        return route.serve(call, body, reply);
      } catch (err) {
        log.warn({ err }, 'the lane failed: the usual way is tried');
        return false;
      }
    },
  };
}

/** Not compressed, and with a deadline that is one if there is any. */
function isPlainGrpc(call: Call): boolean {
  if ((call.marks & IN_GRPC) === 0) return true;
  const encoding = call.field('grpc-encoding');
  const timeout = call.field('grpc-timeout');
  return (encoding === undefined || encoding === 'identity') && (timeout === undefined || GRPC_TIMEOUT.test(timeout));
}

/** The same of JSON. */
function isPlainJson(call: Call): boolean {
  if (!isJsonType(call.field('content-type'))) return false;
  if ((call.marks & IN_JSON) === 0) return true;
  return (call.marks & mark.CONTENT_ENCODING) === 0 && isConnectTimeout(call.field('connect-timeout-ms'));
}

/** What answers begin with, by what the caller takes of compressions. Undefined where a rare name would have to be repeated. */
function grpcAnswersTo(call: Call): GrpcAnswers | undefined {
  return (call.marks & mark.GRPC_ACCEPT_ENCODING) === 0 ? PLAIN : grpcAnswersFor(call.field('grpc-accept-encoding'));
}

class GrpcCheck implements CallRoute {
  readonly maxBodyBytes = MAX_REQUEST_BYTES;
  readonly #checker: Checker;
  readonly #now: () => number;
  readonly #counts: MethodCounts;

  constructor({ checker, now }: HealthLaneOptions, counts: MethodCounts) {
    this.#checker = checker;
    this.#now = now;
    this.#counts = counts;
  }

  /** It is answered at once, whatever its deadline is. */
  mayWait(_: Call, body: Buffer): boolean {
    return mayBecomeFrame(body);
  }

  serve(call: Call, body: Buffer, reply: Reply): boolean {
    const began = this.#now();
    const answers = grpcAnswersTo(call);
    const name = nameInFrame(body);
    if (answers === undefined || name === undefined) return false;
    const status = this.#checker.statusOfText(name) ?? 'bad-name';
    reply.send(answers.checked[status]);
    this.#counts.answered(CHECK_CODES[status], this.#now() - began);
    return true;
  }
}

class JsonCheck implements CallRoute {
  readonly maxBodyBytes = MAX_REQUEST_BYTES;
  readonly #checker: Checker;
  readonly #answers = jsonCalls(JSON_ANSWERS);
  readonly #now: () => number;
  readonly #counts: MethodCounts;

  constructor({ checker, now }: HealthLaneOptions, counts: MethodCounts) {
    this.#checker = checker;
    this.#now = now;
    this.#counts = counts;
  }

  mayWait(): boolean {
    return true;
  }

  serve(_: Call, body: Buffer, reply: Reply): boolean {
    const began = this.#now();
    const name = nameInJson(body);
    if (name === undefined) return false;
    const status = this.#checker.statusOfText(name) ?? 'bad-name';
    reply.send(this.#answers[status]);
    this.#counts.answered(CHECK_CODES[status], this.#now() - began);
    return true;
  }
}

class GrpcList implements CallRoute {
  /** An empty message. */
  readonly maxBodyBytes = 5;
  readonly #checker: Checker;
  readonly #maxListed: number;
  /** Of ten thousand services it takes 15 ms to make, and is asked for in some 30 bytes. */
  #kept: Buffer | undefined;
  readonly #now: () => number;
  readonly #counts: MethodCounts;

  constructor({ checker, limits, now }: HealthLaneOptions, counts: MethodCounts) {
    this.#checker = checker;
    this.#maxListed = limits.maxListed;
    this.#now = now;
    this.#counts = counts;
    checker.onChange(() => {
      this.#kept = undefined;
    });
  }

  mayWait(_: Call, body: Buffer): boolean {
    return mayBecomeFrame(body);
  }

  serve(call: Call, body: Buffer, reply: Reply): boolean {
    // A long list is compressed for whoever takes that.
    if (!isEmptyFrame(body) || grpcAnswersTo(call) !== PLAIN) return false;
    const began = this.#now();
    this.#kept ??= this.#made();
    if (this.#kept === undefined) return false;
    reply.send({ head: PLAIN.head, body: this.#kept, trailers: ENDS.ok });
    this.#counts.answered(0, this.#now() - began);
    return true;
  }

  #made(): Buffer | undefined {
    const statuses = listOf(this.#checker, this.#maxListed);
    return statuses && frame(toBinary(HealthListResponseSchema, create(HealthListResponseSchema, { statuses })));
  }
}

const PLAIN = grpcAnswersFor(undefined) as GrpcAnswers;

class GrpcWatch implements CallRoute {
  readonly maxBodyBytes = MAX_REQUEST_BYTES;
  readonly #checker: Checker;
  readonly #watches: LaneWatches;
  readonly #shutdown: AbortSignal;
  readonly #now: () => number;
  readonly #counts: MethodCounts;

  constructor(options: HealthLaneOptions, counts: MethodCounts) {
    this.#checker = options.checker;
    this.#watches = new LaneWatches({ ...options, counts });
    this.#counts = counts;
    this.#shutdown = options.shutdown;
    this.#now = options.now;
  }

  /** A deadline counts from the first that is known of the request. */
  mayWait(call: Call, body: Buffer): boolean {
    if ((call.marks & TIMED) !== 0) call.note ??= this.#now();
    return mayBecomeFrame(body);
  }

  serve(call: Call, body: Buffer, reply: Reply): boolean {
    const answers = grpcAnswersTo(call);
    const text = nameInFrame(body);
    const withinMs = (call.marks & TIMED) === 0 ? Number.POSITIVE_INFINITY : deadlineMs(call);
    if (answers === undefined || text === undefined || withinMs === 0 || this.#shutdown.aborted) return false;
    const name = this.#checker.nameFrom(text);
    const leftMs = withinMs - (typeof call.note === 'number' ? this.#now() - call.note : 0);
    if (name === undefined) this.#refuse(reply, answers.badName);
    else if (leftMs <= 0) this.#refuse(reply, answers.late);
    else this.#watches.open(name, answers, leftMs, reply);
    return true;
  }

  #refuse(reply: Reply, answer: Answer): void {
    reply.send(answer);
    this.#counts.answered(Number(answer.trailers?.['grpc-status']), 0);
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

  serve(call: Call, _: Buffer, reply: Reply): boolean {
    const { http, json } = pathAnswer(call.path, this.#options);
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
function deadlineMs(call: Call): number {
  const timeout = call.field('grpc-timeout');
  if (timeout !== undefined) return Number(timeout.slice(0, -1)) * (MS_BY_UNIT[timeout.slice(-1)] ?? 0);
  const ms = call.field('triple-timeout-ms') ?? call.field('tri-service-timeout');
  return ms !== undefined && DUBBO_TIMEOUT.test(ms) ? Number(ms) : Number.POSITIVE_INFINITY;
}
