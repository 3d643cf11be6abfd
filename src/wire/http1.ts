import { createServer, type IncomingMessage, type Server, type ServerOptions, type ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { answerText } from './answer.ts';
import { hasNoBody, type Serve } from './exchange.ts';
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

  constructor(socket: Socket, isGuest: boolean) {
    this.#socket = socket;
    this.isGuest = isGuest;
  }

  get isIdle(): boolean {
    return this.open === 0;
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
    const connection = connections.get(this.req.socket);
    if (connection !== undefined && --connection.open === 0) connection.last = undefined;
  };

  const destroySoon = function (this: Socket) {
    endGently(this, connections.get(this)?.last?.req);
  };
  const server = createServer(optionsOf(limits), (req, res) => {
    // Something came after a last answer: there is none for it.
    if (req.socket.writableEnded) return void req.socket.destroy();
    if (!hasNoBody(req)) req.socket.destroySoon = destroySoon;
    const connection = connections.get(req.socket);
    if (connection !== undefined) {
      connection.open++;
      connection.last = res;
    }
    res.on('close', onAnswered);
    if (closing) res.shouldKeepAlive = false;
    if (req.rawHeaders.length > 2 * maxHeaderFields) refuseFields(req, res, refused);
    else if (connection?.isGuest === true) guests(req, res);
    else if (lane?.(req, res, request) !== true) request(req, res);
  });
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

/**
 * In place of Node's own way to end a connection after its last answer: where the request has not come whole, that cuts off a peer that
 * is still sending, who may hear of it before he hears the answer. A body that does not end in time is ended by the server.
 */
function endGently(socket: Socket, req: IncomingMessage | undefined): void {
  if (req === undefined || req.complete) {
    Socket.prototype.destroySoon.call(socket);
    return;
  }
  socket.end();
  req.resume().once('close', () => socket.destroy());
}

function refuseFields(req: IncomingMessage, res: ServerResponse, refused: Refused | undefined): void {
  refused?.count('header fields');
  res.shouldKeepAlive = false;
  answerText(res, 431, 'too many header fields\n');
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
