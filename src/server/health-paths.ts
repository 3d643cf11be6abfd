import { answerJson, answerText, written } from './answer.ts';
import type { Handler, Request, Response } from './listener.ts';
import { CORS_HEADERS, isGrpc } from './triple.ts';

/**
 * `/health/NAME` on the wire: `GET` and `HEAD` for whoever reads the HTTP status, `POST` as gRPC for whoever reads grpc-status, and
 * `GET …?watch` as server-sent events. What there is to say it is told.
 */
export interface HealthPathsOptions {
  /** The codes and the body for a name. */
  readonly endpointOf: (name: string) => {
    readonly http: number;
    readonly grpc: number;
    readonly message: string;
    readonly body: object;
  };
  /**
   * Statuses of a name as they change, by their words; `wake` is called when `take` may have a new one. Undefined for a name that
   * is none, or when there are too many watches.
   */
  readonly watch: (
    name: string,
    req: Request,
    wake: () => void,
  ) => { readonly take: () => string | undefined; readonly close: () => void } | Refusal;
  /** Whom callers mean that can name none: AWS ALB's default path, and `/health` itself. "" is the bridge. */
  readonly defaultService: string;
  readonly shutdown: AbortSignal;
}

export interface Refusal {
  readonly status: number;
  readonly reason: string;
}

const ROOT = '/health';
/** Where AWS ALB asks gRPC targets unless told otherwise. */
const ALB_PATH = '/AWS.ALB/healthcheck';
/** Proxies cut what says nothing for a minute. */
const SSE_COMMENT_AFTER_MS = 15_000;

/** The handler of a path, if it is one of these. */
export function healthPaths(options: HealthPathsOptions): (path: string) => Handler | undefined {
  const handler: Handler = (req, res) => {
    const asked = nameFrom(req.url ?? '', options.defaultService);
    if (asked === undefined) {
      answerText(res, 400, 'the name is not valid percent-encoding\n');
      return;
    }
    if (req.headers.origin !== undefined) for (const [name, value] of Object.entries(CORS_HEADERS)) res.setHeader(name, value);
    const { name, watch } = asked;
    if (req.method === 'POST' && isGrpc(req.headers['content-type'])) {
      req.resume();
      answerGrpc(res, options.endpointOf(name));
    } else if (req.method !== 'GET' && req.method !== 'HEAD') {
      res.setHeader('Allow', 'GET, HEAD, POST');
      answerText(res, 405, 'GET, HEAD, or POST as gRPC\n');
    } else if (watch && req.method === 'GET') {
      void streamEvents(req, res, name, options);
    } else {
      const { http, body } = options.endpointOf(name);
      res.setHeader('Cache-Control', 'no-store');
      answerJson(res, http, body);
    }
  };
  const withAlb = options.defaultService !== '';
  return (path) => (path === ROOT || path.startsWith(`${ROOT}/`) || (withAlb && path === ALB_PATH) ? handler : undefined);
}

/** The path and query are the name, less `watch`. Undefined when it cannot be decoded. */
function nameFrom(url: string, defaultService: string): { readonly name: string; readonly watch: boolean } | undefined {
  const [path = '', query = ''] = url.split('?', 2);
  const parts = query.split('&').filter((part) => part !== '');
  const rest = parts.filter((part) => part !== 'watch' && !part.startsWith('watch='));
  const watch = rest.length < parts.length;
  try {
    const service = path.startsWith(`${ROOT}/`) ? decodeURIComponent(path.slice(ROOT.length + 1)) : '';
    const name = service === '' ? defaultService : service;
    return { name: rest.length === 0 ? name : `${name}?${rest.join('&')}`, watch };
  } catch {
    return undefined;
  }
}

/** HealthCheckResponse with SERVING, in its frame: what a client that reads messages finds behind status 0. */
const SERVING_FRAME = Buffer.from([0, 0, 0, 0, 2, 8, 1]);

function answerGrpc(res: Response, { grpc, message }: { readonly grpc: number; readonly message: string }): void {
  res.setHeader('Content-Type', 'application/grpc');
  res.statusCode = 200;
  if (grpc === 0) {
    res.addTrailers({ 'grpc-status': '0' });
    res.end(SERVING_FRAME);
  } else {
    res.setHeader('grpc-status', String(grpc));
    res.setHeader('grpc-message', encodeURIComponent(message).slice(0, 1_000));
    res.end();
  }
}

async function streamEvents(req: Request, res: Response, name: string, { watch, shutdown }: HealthPathsOptions): Promise<void> {
  let wake = () => {};
  const opened = watch(name, req, () => wake());
  if ('status' in opened) {
    answerJson(res, opened.status, { reason: opened.reason });
    return;
  }
  const end = () => wake();
  res.once('close', end);
  shutdown.addEventListener('abort', end);
  try {
    res.statusCode = 200;
    res.setHeader('Content-Type', 'text/event-stream');
    res.setHeader('Cache-Control', 'no-store');
    res.setTimeout(SSE_COMMENT_AFTER_MS, () => void written(res, ':\n\n').catch(() => {}));
    while (!res.destroyed && !res.closed && !shutdown.aborted) {
      const status = opened.take();
      if (status !== undefined) await written(res, `data: {"status":"${status}"}\n\n`);
      else
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
    }
    res.end();
  } catch {
    // The reader has gone.
  } finally {
    opened.close();
    shutdown.removeEventListener('abort', end);
  }
}
