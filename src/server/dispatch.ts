import type { Logger } from 'pino';
import { answerGrpcStatus, answerText } from '../wire/answer.ts';
import { isGrpc, pathOf, type Request, type Response, type Serve } from '../wire/exchange.ts';

/** Who answers what. Each is asked for a path in turn, and the first that knows it answers. */
export interface Surfaces {
  /** Everything below `/nacos/`. */
  readonly nacos: Serve;
  readonly nacosRpc: ReadonlyMap<string, Serve>;
  readonly healthRpc: ReadonlyMap<string, Serve>;
  readonly healthPaths: (path: string) => Serve | undefined;
}

/** Finds the surface of a request by its path. It knows no path itself but where Nacos begins. */
export function everything({ nacos, nacosRpc, healthRpc, healthPaths }: Surfaces, log: Logger): Serve {
  return guarded(log, (req, res) => {
    const path = pathOf(req);
    if (path.startsWith('/nacos/')) return nacos(req, res);
    return (nacosRpc.get(path) ?? healthRpc.get(path) ?? healthPaths(path) ?? notFound)(req, res);
  });
}

/** The same on a port that is for callers of health only. */
export function healthOnly({ healthRpc, healthPaths }: Pick<Surfaces, 'healthRpc' | 'healthPaths'>, log: Logger): Serve {
  return guarded(log, (req, res) => {
    const path = pathOf(req);
    return (healthRpc.get(path) ?? healthPaths(path) ?? notFoundHere)(req, res);
  });
}

/** Nothing that a request can do may end the process: what is thrown is logged once and answered without detail. */
function guarded(log: Logger, serve: Serve): Serve {
  return async (req, res) => {
    // A reset can strike at any point of a request, also where nobody listens for it.
    req.on('error', ignore);
    res.on('error', ignore);
    req.url = originForm(req.url ?? '');
    try {
      await serve(req, res);
    } catch (err) {
      log.error({ err, method: req.method, path: pathOf(req).slice(0, 200) }, 'request failed');
      if (res.headersSent) res.destroy();
      else if (isGrpc(req)) refuseGrpc(req, res, INTERNAL, 'internal error');
      else answerText(res, 500, 'internal error\n');
    }
  };
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

/** The path and query of a request that was written for a proxy: `GET http://HOST/PATH`. */
function originForm(url: string): string {
  return url.startsWith('/') ? url : url.replace(/^https?:\/\/[^/?]*(?=[/?])/i, '');
}
