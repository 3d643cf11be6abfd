import { answer, answerGrpcMessage, answerGrpcStatus, answerJson, answerText } from '../wire/answer.ts';
import { headerOf, isGrpc, pathOf, queryOf, type Request, type Response, type Serve } from '../wire/exchange.ts';
import { BAD_NAME, type EndpointLimits, endpointOf } from './endpoints.ts';
import type { Checker } from './health.ts';
import { HEARS_ALL, type MayHear, type PastOptions } from './past.ts';
import { type StatusEventsOptions, streamStatuses } from './sse.ts';
import { EVERYBODY } from './visitor.ts';

/**
 * `/health/NAME` on the wire: `GET` and `HEAD` for whoever reads the HTTP status, `POST` as gRPC for whoever reads grpc-status, and
 * `GET …?watch` as server-sent events.
 */
export interface HealthPathsOptions extends StatusEventsOptions, PastOptions {
  readonly checker: Checker;
  readonly limits: EndpointLimits;
  /** Whom callers mean that can name none: AWS ALB's default path, and `/health` itself. "" is the bridge. */
  readonly defaultService: string;
}

const ROOT = '/health';
/** Where AWS ALB asks gRPC targets unless told otherwise. */
const ALB_PATH = '/AWS.ALB/healthcheck';

/** Who answers on a path, if it is one of these. What throws is a bug, and the caller's to tell. */
export function healthPaths(options: HealthPathsOptions): (path: string) => Serve | undefined {
  const serve: Serve = (req, res) => answerPath(req, res, options);
  const withAlb = options.defaultService !== '';
  return (path) => (path === ROOT || path.startsWith(`${ROOT}/`) || (withAlb && path === ALB_PATH) ? serve : undefined);
}

function answerPath(req: Request, res: Response, options: HealthPathsOptions): void | Promise<void> {
  const asked = askedBy(req, options.defaultService);
  if (asked === undefined) {
    answerText(res, 400, 'the name is not valid percent-encoding\n');
    return;
  }
  const { checker, visitorOf } = options;
  const visitor = visitorOf === undefined || checker.nameFrom(asked.text) === 'bridge' ? EVERYBODY : visitorOf(req);
  const why = visitor.refusal();
  const judged = (refusal: string | undefined) =>
    refusal === undefined ? answerName(req, res, asked, options) : answerDenied(req, res, refusal);
  return why instanceof Promise ? why.then(judged) : judged(why);
}

function answerDenied(req: Request, res: Response, reason: string): void {
  req.resume();
  if (isGrpc(req)) answerGrpcStatus(res, PERMISSION_DENIED, reason);
  else answerJson(res, 403, { reason });
}

const PERMISSION_DENIED = 7;

function answerName(req: Request, res: Response, { text, watch }: AskedName, options: HealthPathsOptions): void | Promise<void> {
  const { checker, limits } = options;
  if (req.method === 'POST' && isGrpc(req)) {
    req.resume();
    const { grpc, message } = endpointOf(checker, text, limits);
    if (grpc === 0) answerGrpcMessage(res, SERVING_FRAME);
    else answerGrpcStatus(res, grpc, message);
  } else if (req.method !== 'GET' && req.method !== 'HEAD') {
    res.setHeader('Allow', 'GET, HEAD, POST');
    answerText(res, 405, 'GET, HEAD, or POST as gRPC\n');
  } else if (watch && req.method === 'GET') {
    const name = checker.nameFrom(text);
    if (name !== undefined) return streamStatuses(req, res, name, options);
    answerJson(res, 400, { reason: BAD_NAME });
  } else {
    const { past, kept, mayHearOf } = options;
    const tell = (mayHear: MayHear) => {
      const { http, json } = endpointOf(
        checker,
        text,
        limits,
        past && { past, mayHear, kept: mayHear === HEARS_ALL ? kept : undefined },
      );
      res.setHeader('Cache-Control', 'no-store');
      answer(res, http, 'application/json', json);
    };
    const mayHear = past === undefined || mayHearOf === undefined ? HEARS_ALL : mayHearOf(req);
    return mayHear instanceof Promise ? mayHear.then(tell) : tell(mayHear);
  }
}

/** HealthCheckResponse with SERVING, in its frame: what a client that reads messages finds behind status 0. */
const SERVING_FRAME = Buffer.from([0, 0, 0, 0, 2, 8, 1]);

/** Means what `instance` means in the query. */
const INSTANCE_HEADER = 'x-health-instance';

interface AskedName {
  readonly text: string;
  readonly watch: boolean;
}

/** The path and query are the name, less `watch`. Undefined when it cannot be decoded. */
function askedBy(req: Request, defaultService: string): AskedName | undefined {
  const path = pathOf(req);
  const parts = queryOf(req)
    .split('&')
    .filter((part) => part !== '');
  const rest = parts.filter((part) => part !== 'watch' && !part.startsWith('watch='));
  const watch = rest.length < parts.length;
  // Caddy can name the upstream that it checks in a header only.
  const instance = headerOf(req, INSTANCE_HEADER).trim();
  if (instance !== '') rest.push(`instance=${encodeURIComponent(instance)}`);
  const service = path.startsWith(`${ROOT}/`) ? unescaped(path.slice(ROOT.length + 1)) : '';
  if (service === undefined) return undefined;
  const name = service === '' ? defaultService : service;
  return { text: rest.length === 0 ? name : `${name}?${rest.join('&')}`, watch };
}

function unescaped(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
