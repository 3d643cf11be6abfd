import { type ConnectRouter, createConnectRouter } from '@connectrpc/connect';
import type { UniversalHandler } from '@connectrpc/connect/protocol';
import {
  compressionBrotli,
  compressionGzip,
  universalRequestFromNodeRequest,
  universalResponseToNodeResponse,
} from '@connectrpc/connect-node';
import type { Logger } from 'pino';
import type { Handler, Request, Response } from './listener.ts';

export interface RpcOptions {
  readonly routes: (router: ConnectRouter) => void;
  /** Aborted with the error that all open calls are to end with. */
  readonly shutdown: AbortSignal;
  readonly log: Logger;
}

/** A health request is a name of at most 1 KiB. */
const MAX_MESSAGE_BYTES = 16 << 10;

/**
 * Connect's handlers by path. Not `connectNodeAdapter`: that one throws out of the request listener, and so ends the process, when
 * the Host header or :authority is missing or is no host (seen with 2.1.2 and 2.2.0).
 */
export function rpcHandlers({ routes, shutdown, log }: RpcOptions): ReadonlyMap<string, Handler> {
  const router = createConnectRouter({
    acceptCompression: [compressionGzip, compressionBrotli],
    readMaxBytes: MAX_MESSAGE_BYTES,
    shutdownSignal: shutdown,
  });
  routes(router);
  return new Map(router.handlers.map((handler) => [handler.requestPath, serve(handler, log)]));
}

function serve(handler: UniversalHandler, log: Logger): Handler {
  return (req, res) => {
    if (!hasUsableHost(req)) {
      res.setHeader('Content-Type', 'text/plain;charset=UTF-8');
      res.statusCode = 400;
      res.end('the Host header, or :authority, must be a host with an optional port\n');
      return;
    }
    handler(universalRequestFromNodeRequest(req, res, undefined, undefined))
      .then((answer) => universalResponseToNodeResponse(answer, res))
      // Whatever the handler throws has become an answer by now. What is left are callers that went away.
      .catch((err: unknown) => {
        log.debug({ err, path: handler.requestPath }, 'call ended before its answer');
        abandon(res);
      });
  };
}

/** Whether Connect can make a URL of the request, as it does before anything else. */
function hasUsableHost(req: Request): boolean {
  const host = 'authority' in req ? req.authority : req.headers.host;
  return host !== undefined && host !== '' && URL.canParse(req.url ?? '', `http://${host}`);
}

function abandon(res: Response): void {
  if (!res.writableEnded) res.destroy();
}
