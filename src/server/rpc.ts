import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  Code,
  ConnectError,
  type ConnectRouter,
  type ContextValues,
  createConnectRouter,
  createContextKey,
  type Interceptor,
} from '@connectrpc/connect';
import type { UniversalHandler, UniversalServerRequest, UniversalServerResponse } from '@connectrpc/connect/protocol';
import { universalRequestFromNodeRequest } from '@connectrpc/connect-node';
import type { Logger } from 'pino';
import { abandonBody, atItsTurn, written } from '../wire/answer.ts';
import { CANCELED, CallCounts, type CallType, UNKNOWN } from '../wire/call-counts.ts';
import { isHttp2, peerOf, type Request, type Response, type Serve } from '../wire/exchange.ts';
import { type HeldBodies, heldThrough } from '../wire/held-bodies.ts';
import type { OpenAnswers } from '../wire/open-answers.ts';
import { COMPRESSIONS } from './compressions.ts';
import { HalfRead } from './half-read.ts';
import { callersMistakes, ONLY_GRPC, translate } from './triple.ts';

export interface RpcOptions {
  readonly routes: (router: ConnectRouter) => void;
  /** Larger messages are refused. */
  readonly maxMessageBytes: number;
  /** Its callers are machines that speak gRPC and nothing else, in streams that live as long as they do. */
  readonly longLived?: boolean;
  /** What the implementations are told of a request. */
  readonly contextValues: (req: Request) => ContextValues;
  readonly openAnswers: OpenAnswers;
  readonly bodies: HeldBodies;
  /** Aborted with the error that all open calls are to end with. */
  readonly shutdown: AbortSignal;
  readonly log: Logger;
  /** Where calls are counted; nowhere when left out. */
  readonly calls?: CallCounts | undefined;
  /** Monotonic milliseconds. */
  readonly now: () => number;
}

/**
 * Connect's handlers by path, on Node's requests. Not `connectNodeAdapter`: that one throws out of the request listener, and so ends
 * the process, when the Host header or :authority is missing or is no host (seen with 2.1.2 and 2.2.0).
 */
export function rpcByPath(options: RpcOptions): ReadonlyMap<string, Serve> {
  const router = createConnectRouter({
    acceptCompression: COMPRESSIONS,
    readMaxBytes: options.maxMessageBytes,
    shutdownSignal: options.shutdown,
    interceptors: [noteCode, logBugs(options.log)],
    ...(options.longLived && { connect: false, grpcWeb: false, compressMinBytes: NEVER }),
  });
  options.routes(router);
  const byPath = new Map<string, Serve>();
  for (const handler of router.handlers) {
    const serve = serveBy(handler, options);
    byPath.set(handler.requestPath, serve);
    // Dubbo-go finds a method by either case of its first letter, and its documentation says `check`.
    byPath.set(handler.requestPath.replace(/[^/]*$/, lowerFirst), serve);
  }
  return byPath;
}

/** What an implementation throws that is no answer: Connect makes INTERNAL of it, without detail and without a word to anybody. */
function logBugs(log: Logger): Interceptor {
  return (next) => async (req) => {
    const noted = (err: unknown): never => {
      if (!(err instanceof ConnectError) && !req.signal.aborted) log.error({ err, method: req.method.name }, 'call failed');
      throw err;
    };
    const res = await next(req).catch(noted);
    if (!res.stream) return res;
    const messages = res.message;
    async function* watched() {
      try {
        yield* messages;
      } catch (err) {
        noted(err);
      }
    }
    return { ...res, message: watched() };
  };
}

/** What is to be known of a call when it is over. */
interface Ended {
  code: number | undefined;
}

const endedKey = createContextKey<Ended>({ code: undefined });

/** By which code an implementation has ended, whatever dress the answer has. */
const noteCode: Interceptor = (next) => async (req) => {
  const ended = req.contextValues.get(endedKey);
  const failed = (err: unknown): never => {
    ended.code = ConnectError.from(err).code;
    throw err;
  };
  const res = await next(req).catch(failed);
  if (!res.stream) {
    ended.code = OK;
    return res;
  }
  const messages = res.message;
  async function* noted() {
    try {
      yield* messages;
      ended.code = OK;
    } catch (err) {
      failed(err);
    }
  }
  return { ...res, message: noted() };
};

const OK = 0;

/** What is refused before an implementation hears of it says so in the answer alone. */
function codeOf({ status, trailer }: UniversalServerResponse): number {
  const said = trailer?.get('grpc-status');
  return said == null ? (status === 200 ? OK : UNKNOWN) : Number(said);
}

const TYPES: Readonly<Record<UniversalHandler['method']['methodKind'], CallType>> = {
  unary: 'unary',
  client_streaming: 'client_stream',
  server_streaming: 'server_stream',
  bidi_streaming: 'bidi_stream',
};

/** A message of no size is compressed. */
const NEVER = 0xffff_ffff;

function serveBy(handler: UniversalHandler, options: RpcOptions): Serve {
  const { contextValues, longLived = false, openAnswers, bodies, log, calls = new CallCounts(), now } = options;
  const { methodKind, name, parent } = handler.method;
  const counts = calls.of(parent.typeName, name, TYPES[methodKind]);
  const expects = methodKind === 'unary' || methodKind === 'server_streaming' ? 'message' : 'stream';
  /** What is kept of it until there is a message: of a stream that has many, what has come of the next. */
  const bodyOf = (req: Request): AsyncIterable<Uint8Array> => {
    const half = methodKind === 'bidi_streaming' ? new HalfRead() : undefined;
    return heldThrough(bodies, peerOf(req), req, { refusal: tooMuch, held: half && ((chunk) => half.push(chunk)) });
  };
  return (req, res) => {
    // It may have nothing to say for hours.
    if (methodKind === 'bidi_streaming' && isHttp2(req)) req.stream.takeTime();
    const run = async () => {
      openAnswers.add(res);
      const [began, ended]: [number, Ended] = [now(), { code: undefined }];
      let code = CANCELED;
      counts.started++;
      try {
        const values = contextValues(req).set(endedKey, ended);
        const asked = { ...universalRequest(req, res, values), body: bodyOf(req) };
        const { request, answered } = translate(asked, expects, longLived ? ONLY_GRPC : undefined);
        const answer = await answered(await handler(request));
        // Answered before all of it was read, and so refused: what is left of the request would stand in the way of the next.
        abandonBody(req, res);
        await respond(answer, res);
        code = ended.code ?? codeOf(answer);
      } catch (err) {
        // Whatever the implementation throws has become an answer by now. What is left are callers that went away.
        log.debug({ err, path: handler.requestPath }, 'call ended before its answer');
        res.destroy();
      } finally {
        counts.ended(code, now() - began);
      }
    };
    // Over HTTP/2 whatever works for a caller counts as one of his streams, also when he has gone.
    if (isHttp2(req)) return run();
    return atItsTurn(res, () => void run());
  };
}

/** As Connect takes it. */
function universalRequest(req: Request, res: Response, contextValues: ContextValues): UniversalServerRequest {
  if (!isHttp2(req)) {
    giveHost(req);
    return universalRequestFromNodeRequest(req, res as ServerResponse, undefined, contextValues);
  }
  const gone = new AbortController();
  res.once('close', () => gone.abort());
  const { httpVersion, method, url } = req;
  const header = new Headers();
  for (const [name, value] of Object.entries(req.headers)) if (typeof value === 'string') header.set(name, value);
  return { httpVersion, method, url: new URL(url, NOWHERE).toString(), header, body: req, signal: gone.signal, contextValues };
}

/**
 * Connect makes a URL of the request before anything else, and throws where there is no host in it. Nothing here depends on one, and
 * Envoy sends the name of its cluster (envoyproxy/envoy#5238), which need not be any.
 */
function giveHost(req: IncomingMessage): void {
  const { host } = req.headers;
  if (host === undefined || host === '' || !URL.canParse(req.url ?? '', `http://${host}`)) req.headers.host = 'localhost';
}

const NOWHERE = 'http://localhost';

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
    res.writeHead(status);
    for (; message !== undefined && message.done !== true; message = await messages?.next()) await written(res, message.value);
    if (trailer !== undefined) res.addTrailers(callersMistakes(trailer));
    res.end();
  } finally {
    // Ends the implementation too, when the caller has gone.
    await messages?.return?.();
  }
}

function tooMuch(): ConnectError {
  return new ConnectError('too much is on its way that is not whole: send it again later', Code.ResourceExhausted);
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
