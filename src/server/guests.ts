import type { Socket } from 'node:net';
import type { Logger } from 'pino';
import { abandonBody, answerGrpcStatus, answerText } from '../wire/answer.ts';
import { isGrpc, isHttp2, pathOf, type Request, type Response, type Serve } from '../wire/exchange.ts';
import type { Lanes } from '../wire/lanes.ts';
import { guarded, isNacos, type Surfaces } from './dispatch.ts';

/**
 * What is served on a connection for which there was no seat but one that is kept for health: health. Whoever asks for something else
 * is told that there are too many connections, and his ends, as another one may find a seat.
 */
export function forGuests(surfaces: Surfaces, log: Logger, onTurnedAway: (socket: Socket) => void): Lanes {
  const { nacosTurnedAway, contextPath, healthRpc, healthPaths, healthLane, probePaths } = surfaces;
  const root = contextPath.replace(/\/$/, '');
  const turnedAway: Serve = (req, res) => {
    onTurnedAway(req.socket);
    endAfter(req, res);
    if (isGrpc(req)) answerGrpcStatus(res, RESOURCE_EXHAUSTED, TEXT);
    else if (isNacos(req, pathOf(req), root)) return nacosTurnedAway(req, res);
    else answerText(res, 503, `${TEXT}\n`);
  };
  const request = guarded(log, surfaces.pages, (req, res) => {
    const path = pathOf(req);
    return (healthRpc.get(path) ?? healthPaths(path) ?? probePaths(path) ?? turnedAway)(req, res);
  });
  return { request, ...healthLane };
}

const RESOURCE_EXHAUSTED = 8;
const TEXT = 'too many connections: health alone is answered on this one';

function endAfter(req: Request, res: Response): void {
  abandonBody(req, res);
  if (isHttp2(req)) {
    const { peer } = req.stream;
    res.once('close', () => peer.close());
  } else res.setHeader('Connection', 'close');
}
