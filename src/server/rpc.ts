import { type ConnectRouter, createConnectRouter } from '@connectrpc/connect';
import type { UniversalHandler, UniversalServerResponse } from '@connectrpc/connect/protocol';
import { compressionBrotli, compressionGzip, universalRequestFromNodeRequest } from '@connectrpc/connect-node';
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
 * Connect's handlers by path, on Node's requests. Not `connectNodeAdapter`: that one throws out of the request listener, and so ends
 * the process, when the Host header or :authority is missing or is no host (seen with 2.1.2 and 2.2.0).
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
    const run = async () => {
      try {
        await respond(await handler(universalRequestFromNodeRequest(req, res, undefined, undefined)), res);
      } catch (err) {
        // Whatever the implementation throws has become an answer by now. What is left are callers that went away.
        log.debug({ err, path: handler.requestPath }, 'call ended before its answer');
        res.destroy();
      }
    };
    // A pipelined request has no turn yet. Should the connection end before it has one, Node tells only the answer whose turn it is:
    // a call that had been started would go on for ever.
    if ('stream' in req || res.socket) void run();
    else res.once('socket', run);
  };
}

/** Whether Connect can make a URL of the request, as it does before anything else. */
function hasUsableHost(req: Request): boolean {
  const host = 'authority' in req ? req.authority : req.headers.host;
  return host !== undefined && host !== '' && URL.canParse(req.url ?? '', `http://${host}`);
}

/**
 * Writes the answer. Unlike Connect's own way of doing it, it takes the next message only when the one before has left: a Watch then
 * says what is true when its reader is ready, instead of filling a buffer with what was.
 */
async function respond({ status, header, body, trailer }: UniversalServerResponse, res: Response): Promise<void> {
  const messages = body?.[Symbol.asyncIterator]();
  try {
    // The first message first: the implementation may set headers until then.
    let message = await messages?.next();
    header?.forEach((value, name) => {
      res.setHeader(name, value);
    });
    // The two classes agree on this call, though not in a signature that can be called on their union.
    (res as { writeHead(status: number): unknown }).writeHead(status);
    for (; message !== undefined && message.done !== true; message = await messages?.next()) await written(res, message.value);
    if (trailer !== undefined) res.addTrailers(Object.fromEntries(trailer));
    res.end();
  } finally {
    // Ends the implementation too, when the caller has gone.
    await messages?.return?.();
  }
}

function written(res: Response, chunk: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    const onClose = () => reject(new Error('the connection was closed'));
    if (res.destroyed) {
      onClose();
      return;
    }
    res.once('close', onClose);
    (res as { write(chunk: Uint8Array, written: (error?: Error | null) => void): boolean }).write(chunk, (error) => {
      res.off('close', onClose);
      if (error) reject(error);
      else resolve();
    });
  });
}
