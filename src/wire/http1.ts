import { createServer, type IncomingMessage, type Server, type ServerOptions, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { answerText } from './answer.ts';
import { hasNoBody, type Serve } from './exchange.ts';
import type { HeldBodies } from './held-bodies.ts';
import { Http1Connection } from './http1-connection.ts';
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

export interface Http1Options {
  /** Who answers on connections for which there was no other seat. */
  readonly guests?: Serve;
  /** Where refusals for a limit are counted. */
  readonly refused?: Refused | undefined;
  /** Where requests count that wait for those ahead of them; without a bound in all when left out. */
  readonly bodies?: HeldBodies | undefined;
}

export function createHttp1(
  { request, http1: lane }: Lanes,
  limits: PortLimits,
  { guests = request, refused, bodies }: Http1Options = {},
): Http1 {
  const { maxHeaderFields } = limits;
  const connections = new Map<Socket, Http1Connection>();
  let closing = false;
  // One function for all answers, which end once each.
  const onAnswered = function (this: ServerResponse) {
    connections.get(this.req.socket)?.answered();
  };
  const destroySoon = function (this: Socket) {
    connections.get(this)?.endGently();
  };

  const server = createServer(optionsOf(limits), (req, res) => {
    // Something came after a last answer: there is none for it. Of a connection that was cut, the rest of what had come is still told.
    if (req.socket.writableEnded || req.socket.destroyed) return void req.socket.destroy();
    if (!hasNoBody(req)) req.socket.destroySoon = destroySoon;
    const connection = connections.get(req.socket);
    if (connection?.began(res) === false) {
      refused?.count('pipelined requests');
      return void req.socket.destroy();
    }
    res.on('close', onAnswered);
    if (closing) res.shouldKeepAlive = false;
    if (req.rawHeaders.length > 2 * maxHeaderFields) refuseFields(res, refused);
    else if (hasTwoHosts(req)) answerText(res, 400, 'there must be one Host header, and no more\n');
    else if (connection?.isGuest === true) guests(req, res);
    else if (lane?.(req, res, request) !== true) request(req, res);
  });
  server.on('clientError', (error: Error & { readonly code?: string }, socket) => {
    const limit = LIMITS.get(error.code ?? '');
    if (limit !== undefined) refused?.count(limit);
    // What it gives is what it was given.
    connections.get(socket as Socket)?.refuse(error);
  });
  server.setTimeout(limits.stallTimeoutMs, (socket) => connections.get(socket)?.isStill());
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
      const connection = new Http1Connection(socket, isGuest, limits, bodies);
      connections.set(socket, connection);
      socket.once('close', () => {
        connections.delete(socket);
        connection.gone();
      });
      for (const each of serveSocket) each.call(server, socket);
      return connection;
    },

    close() {
      closing = true;
      // A connection that is answering now ends after its answer, instead of waiting for another request.
      server.keepAliveTimeout = 1;
      for (const connection of connections.values()) connection.close();
    },
  };
}

function refuseFields(res: ServerResponse, refused: Refused | undefined): void {
  refused?.count('header fields');
  res.shouldKeepAlive = false;
  answerText(res, 431, 'too many header fields\n');
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
