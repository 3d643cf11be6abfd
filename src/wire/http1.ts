import { createServer, type IncomingMessage, type Server, type ServerOptions, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { answerText } from './answer.ts';
import type { Serve } from './exchange.ts';
import type { Lanes, PortLimits } from './lanes.ts';
import type { Refused } from './refused.ts';
import type { Use } from './seat.ts';

/** HTTP/1.1 on connections that it is given. */
export interface Http1 {
  /**
   * Node's server for HTTP/2 cannot speak HTTP/1 without TLS. So the one for HTTP/1 listens (its header and request timeouts run only
   * then), and hands every connection to whoever listens for it.
   */
  readonly server: Server;
  serve(socket: Socket, isGuest?: boolean): Use;
  /** Ends what is idle now, and every other connection after the answer that it is giving. */
  close(): void;
}

/** By the code of Node's error: 431 and 408. */
const LIMITS: ReadonlyMap<string, string> = new Map([
  ['HPE_HEADER_OVERFLOW', 'header bytes'],
  ['ERR_HTTP_REQUEST_TIMEOUT', 'time for a request'],
]);

/** The system then finds out about peers that have vanished without a word. Those of HTTP/2 are asked for a sign of life. */
const TCP_KEEP_ALIVE_AFTER_MS = 30_000;

/** Not a set of its answers: see `Bag`. */
class Connection implements Use {
  readonly #socket: Socket;
  readonly isGuest: boolean;
  /** Answers that have not gone out whole. */
  open = 0;
  /** That of the last request, if it is one of them. */
  last: ServerResponse | undefined;
  /** All answers are out, for all that Node knows, and the system has yet to take the rest of the last one. */
  isSending = false;

  constructor(socket: Socket, isGuest: boolean) {
    this.#socket = socket;
    this.isGuest = isGuest;
  }

  get isIdle(): boolean {
    return this.open === 0 && !this.isSending;
  }

  get mark(): number {
    return this.#socket.bytesRead;
  }

  leave(): void {
    this.#socket.destroy();
  }
}

export interface Http1Options {
  /** Who answers on connections for which there was no other seat. */
  readonly guests?: Serve;
  /** Where refusals for a limit are counted. */
  readonly refused?: Refused | undefined;
}

export function createHttp1(
  { request, http1: lane }: Lanes,
  limits: PortLimits,
  { guests = request, refused }: Http1Options = {},
): Http1 {
  const { maxHeaderFields } = limits;
  const connections = new Map<Socket, Connection>();
  let closing = false;
  // One function for all answers, which end once each.
  const onAnswered = function (this: ServerResponse) {
    const { socket } = this.req;
    const connection = connections.get(socket);
    if (connection === undefined || --connection.open > 0) return;
    connection.last = undefined;
    // Node would wait for the next request now, and for as long as that may take.
    connection.isSending = socket.writableLength > 0;
    if (connection.isSending) socket.setTimeout(limits.stallTimeoutMs);
  };

  // Node has answered by then, and says why it ends the connection.
  const onError = (error: Error & { readonly code?: string }) => {
    const limit = LIMITS.get(error.code ?? '');
    if (limit !== undefined) refused?.count(limit);
  };

  const server = createServer(optionsOf(limits), (req, res) => {
    const connection = connections.get(req.socket);
    if (connection !== undefined) {
      connection.open++;
      connection.last = res;
    }
    res.on('close', onAnswered);
    if (closing) res.shouldKeepAlive = false;
    if (req.rawHeaders.length > 2 * maxHeaderFields) refuseFields(req, res, refused);
    else if (hasTwoHosts(req)) answerText(res, 400, 'there must be one Host header, and no more\n');
    else if (connection?.isGuest === true) guests(req, res);
    else if (lane?.(req, res, request) !== true) request(req, res);
  });
  server.setTimeout(limits.stallTimeoutMs, (socket) => onStill(socket, connections.get(socket), limits));
  // Node leaves out what is beyond, and what is left may mean something else: one more, to see that there is.
  server.maxHeadersCount = maxHeaderFields + 1;
  // Node takes an answer for sent, and its connection for idle, as soon as it has been written: closing would cut off what a slow
  // reader has not taken yet. What is idle is decided in `close`.
  server.closeIdleConnections = () => {};

  // Node's own way of serving a connection, taken from it: whoever decides what is spoken calls it.
  const serveSocket = server.listeners('connection') as ((socket: Socket) => void)[];
  server.removeAllListeners('connection');

  return {
    server,

    serve(socket, isGuest = false) {
      socket.setKeepAlive(true, TCP_KEEP_ALIVE_AFTER_MS);
      const connection = new Connection(socket, isGuest);
      connections.set(socket, connection);
      socket.once('close', () => connections.delete(socket));
      socket.on('error', onError);
      for (const each of serveSocket) each.call(server, socket);
      return connection;
    },

    close() {
      closing = true;
      // A connection that is answering now ends after its answer, instead of waiting for another request.
      server.keepAliveTimeout = 1;
      for (const [socket, { last }] of connections) {
        if (last === undefined) socket.destroy();
        // Java's client of 1.x asks again as soon as it is answered: its connection would never wait.
        else last.shouldKeepAlive = false;
      }
    },
  };
}

function refuseFields(req: IncomingMessage, res: ServerResponse, refused: Refused | undefined): void {
  refused?.count('header fields');
  res.shouldKeepAlive = false;
  req.resume();
  answerText(res, 431, 'too many header fields\n');
}

/** Nothing has come or gone for a while. Node would also end who waits for an answer: for a text to change, or for the next status. */
function onStill(socket: Socket, connection: Connection | undefined, limits: PortLimits): void {
  if (connection === undefined || socket.writableLength > 0) socket.destroy();
  else if (connection.isSending) {
    connection.isSending = false;
    socket.setTimeout(Math.max(limits.keepAliveTimeoutMs - limits.stallTimeoutMs, 1));
  } else if (connection.open === 0) socket.destroy();
}

/** Whoever passes it on, and whoever looks at it here, might each take another of them (RFC 9112 section 3.2). */
function hasTwoHosts({ rawHeaders }: IncomingMessage): boolean {
  let count = 0;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i];
    if (name?.length === 4 && name.toLowerCase() === 'host') count++;
  }
  return count > 1;
}

function optionsOf({ headerTimeoutMs, bodyTimeoutMs, keepAliveTimeoutMs, maxHeaderBytes }: PortLimits): ServerOptions {
  return {
    // npm's Nacos client puts a whole beat, metadata included, into the request line.
    maxHeaderSize: maxHeaderBytes,
    headersTimeout: headerTimeoutMs,
    requestTimeout: Math.max(headerTimeoutMs, bodyTimeoutMs),
    // Node's own 5 s equal the beat interval: idle closes would race beats.
    keepAliveTimeout: keepAliveTimeoutMs,
    connectionsCheckingInterval: Math.min(headerTimeoutMs, 1_000),
  };
}
