import type { Logger } from 'pino';
import { answerGrpcStatus, answerText } from '../wire/answer.ts';
import { isGrpc, pathOf, type Request, type Response, type Serve } from '../wire/exchange.ts';
import type { CallLane, Lanes } from '../wire/lanes.ts';
import type { Pages } from './pages.ts';

/** Who answers what. Each is asked for a path in turn, and the first that knows it answers. */
export interface Surfaces {
  /** Everything below `/nacos/`. */
  readonly nacos: Serve;
  /** Tells its callers, in their words, that there are too many connections. */
  readonly nacosTurnedAway: Serve;
  /** Where else these are served: a path, or `/`. */
  readonly contextPath: string;
  readonly nacosRpc: ReadonlyMap<string, Serve>;
  /** What of it is answered before any path is looked at. */
  readonly nacosLane: CallLane;
  readonly healthRpc: ReadonlyMap<string, Serve>;
  readonly healthPaths: (path: string) => Serve | undefined;
  /** What of health is answered before any path is looked at. */
  readonly healthLane: Pick<Lanes, 'calls' | 'http1'>;
  /** What pages in browsers are told first of all. */
  readonly pages: Pages;
  /** What services and instances there are. */
  readonly listPaths: (path: string) => Serve | undefined;
  /** What is counted: one of its paths is below Nacos's. */
  readonly metricsPaths: (path: string) => Serve | undefined;
  /** What has happened. */
  readonly eventPaths: (path: string) => Serve | undefined;
  /** Who is taken out for a time. */
  readonly drainPaths: (path: string) => Serve | undefined;
  /** The page for browsers, and what it reads. */
  readonly consolePaths: (path: string) => Serve | undefined;
  /** Whether the bridge itself lives, and is ready. */
  readonly probePaths: (path: string) => Serve | undefined;
}

/** Finds the surface of a request by its path. It knows no path itself but where Nacos begins. */
export function everything(surfaces: Omit<Surfaces, 'nacosTurnedAway'>, log: Logger): Lanes {
  const { nacos, contextPath, nacosRpc, nacosLane, healthRpc, healthPaths, healthLane } = surfaces;
  const { listPaths, metricsPaths, eventPaths, drainPaths, consolePaths, probePaths } = surfaces;
  const root = contextPath.replace(/\/$/, '');
  // Nearly all that is Nacos's differs from these in its first letter.
  const ofActuator = (path: string) => (path.startsWith(ACTUATOR) ? metricsPaths(path) : undefined);
  const ofConsole = (path: string, asked: string) => (isVersioned(path) ? undefined : consolePaths(asked));
  const request = guarded(log, surfaces.pages, (req, res) => {
    const path = pathOf(req);
    if (isNacos(req, path, root)) {
      const there = pathOf(req);
      return (ofActuator(there) ?? ofConsole(there, path) ?? nacos)(req, res);
    }
    const serve =
      nacosRpc.get(path) ??
      healthRpc.get(path) ??
      healthPaths(path) ??
      listPaths(path) ??
      eventPaths(path) ??
      drainPaths(path) ??
      metricsPaths(path) ??
      probePaths(path) ??
      consolePaths(path) ??
      notFound;
    return serve(req, res);
  });
  // What an operator has put in the way of a path is in the way of its lane too.
  const ofNacos = /^\/(Request|BiRequestStream)$/.test(root) ? undefined : nacosLane;
  const ofHealth = /^\/(health|grpc\.health\.v1\.Health)(\/|$)/.test(root) ? {} : healthLane;
  return {
    request,
    ...ofHealth,
    calls: { routeOf: (fields) => ofNacos?.routeOf(fields) ?? ofHealth.calls?.routeOf(fields) },
  };
}

/** Whether it is for Nacos; where that is elsewhere, the request is rewritten. */
export function isNacos(req: Request, path: string, root: string): boolean {
  if (path.startsWith(NACOS)) return true;
  if (path.startsWith(DISCOVERY) && (path.length === DISCOVERY.length || path[DISCOVERY.length] === '/')) {
    req.url = `${NACOS}${(req.url ?? '').slice(1)}`;
    return true;
  }
  // Below the root only what is Nacos's: the rest of it belongs to others.
  if (!(root === '' ? OF_NACOS.test(path) : path.startsWith(`${root}/`))) return false;
  req.url = `${NACOS}${(req.url ?? '').slice(root.length + 1)}`;
  return true;
}

const NACOS = '/nacos/';
/** Of Prometheus: also without the path in which Nacos has it. */
const DISCOVERY = '/prometheus';
const ACTUATOR = '/nacos/actuator/';
/** What stands directly below a context path. */
const OF_NACOS = /^\/(v[123]|actuator|serverlist)(\/|$)/;

/** As `/nacos/v1/…`: nearly all of it is, and this is asked of each. */
function isVersioned(path: string): boolean {
  return path[NACOS.length] === 'v' && path[NACOS.length + 2] === '/';
}

/** The same on a port that is for callers of health only. */
export function healthOnly(
  {
    healthRpc,
    healthPaths,
    healthLane,
    pages,
    probePaths,
  }: Pick<Surfaces, 'healthRpc' | 'healthPaths' | 'healthLane' | 'pages' | 'probePaths'>,
  log: Logger,
): Lanes {
  const request = guarded(log, pages, (req, res) => {
    const path = pathOf(req);
    return (healthRpc.get(path) ?? healthPaths(path) ?? probePaths(path) ?? notFoundHere)(req, res);
  });
  return { request, ...healthLane };
}

/** Nothing that a request can do may end the process: what is thrown is logged once and answered without detail. */
export function guarded(log: Logger, pages: Pages, serve: Serve): Serve {
  return (req, res) => {
    // A reset can strike at any point of a request, also where nobody listens for it.
    req.on('error', ignore);
    res.on('error', ignore);
    req.url = singleSlashes(originForm(req.url ?? ''));
    try {
      // What is answered at once needs no promise.
      if (pages(req, res)) return undefined;
      return serve(req, res)?.catch((err) => failed(req, res, err));
    } catch (err) {
      failed(req, res, err);
      return undefined;
    }
  };

  function failed(req: Request, res: Response, err: unknown): void {
    log.error({ err, method: req.method, path: pathOf(req).slice(0, 200) }, 'request failed');
    if (res.headersSent) res.destroy();
    else if (isGrpc(req)) refuseGrpc(req, res, INTERNAL, 'internal error');
    else answerText(res, 500, 'internal error\n');
  }
}

function ignore(): void {}

/** gRPC's own codes: AWS ALB goes by them, and looks for the first on a path that nobody serves. */
const UNIMPLEMENTED = 12;
const INTERNAL = 13;

function notFound(req: Request, res: Response): void {
  refuse(req, res, 'not found\n');
}

function notFoundHere(req: Request, res: Response): void {
  refuse(req, res, 'not found: this port serves health and reflection only\n');
}

function refuse(req: Request, res: Response, text: string): void {
  if (isGrpc(req)) refuseGrpc(req, res, UNIMPLEMENTED, 'unknown method');
  else answerText(res, 404, text);
}

function refuseGrpc(req: Request, res: Response, status: number, message: string): void {
  req.resume();
  answerGrpcStatus(res, status, message);
}

/** Clients put an address and a path together that both have one. */
function singleSlashes(url: string): string {
  if (!url.includes('//')) return url;
  const end = url.indexOf('?');
  const path = end < 0 ? url : url.slice(0, end);
  return path.includes('//') ? path.replaceAll(/\/{2,}/g, '/') + (end < 0 ? '' : url.slice(end)) : url;
}

/** The path and query of a request that was written for a proxy: `GET http://HOST/PATH`. */
function originForm(url: string): string {
  return url.startsWith('/') ? url : url.replace(/^https?:\/\/[^/?]*(?=[/?])/i, '');
}
