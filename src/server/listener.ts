import { createServer as createHttp1Server, type IncomingMessage, type ServerResponse } from 'node:http';
import {
  constants,
  createServer as createHttp2Server,
  type Http2Server,
  type Http2ServerRequest,
  type Http2ServerResponse,
  type ServerHttp2Session,
} from 'node:http2';
import type { AddressInfo, Server as NetServer, Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';

export type Request = IncomingMessage | Http2ServerRequest;
export type Response = ServerResponse | Http2ServerResponse;
export type Handler = (req: Request, res: Response) => void;

/**
 * An open port that speaks HTTP/1.1 and HTTP/2 in cleartext (h2c with prior knowledge), and over TLS if it has an identity, told
 * apart by the first bytes.
 */
export interface Listener {
  /** `HOST:PORT`, with the port that was really given. */
  readonly address: string;
  /**
   * Takes no more connections, says GOAWAY on HTTP/2, lets what is being answered be answered, and resolves when the last connection
   * has ended. When `deadline` aborts, those that are left are cut.
   */
  close(deadline: AbortSignal): Promise<void>;
}

export interface ListenerOptions extends ListenerTimes {
  readonly tls?: TlsIdentity | undefined;
  /** Whether it refuses what is not TLS; default false. */
  readonly tlsOnly?: boolean;
}

export interface ListenerTimes {
  /** How long a connection may take to say what it speaks, and a request to send its header; default 10,000 ms. */
  readonly headerTimeoutMs?: number;
  /** How long a request may take to send its body (HTTP/1), or may pause in it (HTTP/2); default 30,000 ms. */
  readonly bodyTimeoutMs?: number;
  /** How often an HTTP/2 peer is asked for a sign of life; the second question without an answer is the last. Default 10,000 ms. */
  readonly pingEveryMs?: number;
}

/** PEM, as `node:tls` takes it. */
export interface TlsIdentity {
  readonly cert: string | Buffer;
  readonly key: string | Buffer;
}

/** What every HTTP/2 client says first. No HTTP/1 request starts like it. */
const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
/** What every TLS client says first: here comes a handshake. No HTTP does. */
const TLS_HANDSHAKE = 0x16;

/** npm's Nacos client puts a whole beat, metadata included, into the request line. */
const MAX_HEADER_BYTES = 64 << 10;
/** Node's own 5 s equal the beat interval: idle closes would race beats. */
const KEEP_ALIVE_TIMEOUT_MS = 75_000;
const MAX_STREAMS_PER_CONNECTION = 1_000;
/** The system then finds out about peers that have vanished without a word. */
const TCP_KEEP_ALIVE_AFTER_MS = 30_000;

/** Rejects with the system's error when the port cannot be had. */
export async function listen(host: string, port: number, handler: Handler, options: ListenerOptions = {}): Promise<Listener> {
  const { headerTimeoutMs = 10_000, bodyTimeoutMs = 30_000, tls, tlsOnly = false } = options;
  const sockets = new Set<Socket>();
  const undecided = new Set<Socket>();
  /** Every HTTP/1 connection with the number of its answers that have not gone out whole. */
  const answering = new Map<Socket, number>();

  // Node's server for HTTP/2 cannot speak HTTP/1 without TLS. So the one for HTTP/1 listens (its header and request timeouts run
  // only then), and every connection is looked at before one of the two gets it.
  const http1 = createHttp1Server(
    {
      maxHeaderSize: MAX_HEADER_BYTES,
      headersTimeout: headerTimeoutMs,
      requestTimeout: Math.max(headerTimeoutMs, bodyTimeoutMs),
      keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
      connectionsCheckingInterval: Math.min(headerTimeoutMs, 1_000),
      keepAlive: true,
      keepAliveInitialDelay: TCP_KEEP_ALIVE_AFTER_MS,
    },
    (req, res) => {
      const { socket } = req;
      answering.set(socket, (answering.get(socket) ?? 0) + 1);
      res.once('close', () => {
        const open = answering.get(socket);
        // Gone when the connection ended first.
        if (open !== undefined) answering.set(socket, open - 1);
      });
      handler(req, res);
    },
  );
  // Node takes an answer for sent, and its connection for idle, as soon as the handler is done with it: closing would cut off what a
  // slow reader has not taken yet. What is idle is decided in `close`.
  http1.closeIdleConnections = () => {};

  const http2 = createHttp2Server({ settings: SETTINGS }, (req, res) => {
    limitBody(req, bodyTimeoutMs);
    handler(req, res);
  });
  const sessions = keepSessions(http2, options);

  const serveHttp1 = http1.listeners('connection') as ((socket: Socket) => void)[];
  http1.removeAllListeners('connection');
  const serve = (socket: Socket, speaks: 'http1' | 'http2') => {
    if (speaks === 'http2') {
      http2.emit('connection', socket);
      return;
    }
    answering.set(socket, 0);
    socket.once('close', () => answering.delete(socket));
    for (const each of serveHttp1) each.call(http1, socket);
  };

  // It listens nowhere, and is given connections. What is spoken inside, the peer chooses by ALPN: HTTP/1.1 if it does not.
  const secure = tls && createTlsServer({ ...tls, ...TLS_OPTIONS, handshakeTimeout: headerTimeoutMs });
  /** Connections before the end of their handshake, by their other end. */
  const shaking = new Map<string, Socket>();
  secure?.on('secureConnection', (socket) => {
    shaking.delete(otherEndOf(socket));
    socket.on('error', () => {});
    serve(socket, socket.alpnProtocol === 'h2' ? 'http2' : 'http1');
  });
  // A peer that does not like the certificate.
  secure?.on('tlsClientError', (_, socket) => socket.destroy());

  http1.on('connection', (socket: Socket) => {
    sockets.add(socket);
    undecided.add(socket);
    socket.once('close', () => sockets.delete(socket));
    decide(socket, headerTimeoutMs, secure !== undefined, (speaks) => {
      undecided.delete(socket);
      if (tlsOnly && speaks !== 'tls') {
        socket.destroy();
      } else if (speaks === 'http1') {
        serve(socket, speaks);
      } else if (speaks !== undefined) {
        // The listening server keeps a socket open for writing when its peer has finished; an HTTP/2 session would never end.
        socket.allowHalfOpen = false;
        if (speaks === 'http2') {
          serve(socket, speaks);
          return;
        }
        const otherEnd = otherEndOf(socket);
        shaking.set(otherEnd, socket);
        socket.once('close', () => shaking.delete(otherEnd));
        secure?.emit('connection', socket);
      }
    });
  });

  await opened(http1, host, port);

  return {
    address: addressOf(http1.address() as AddressInfo),

    async close(deadline) {
      const closed = new Promise<void>((resolve) => http1.close(() => resolve()));
      // A connection that is answering now ends after its answer, instead of waiting for another request.
      http1.keepAliveTimeout = 1;
      for (const socket of undecided) socket.destroy();
      for (const [socket, answers] of answering) if (answers === 0) socket.destroy();
      for (const socket of shaking.values()) socket.destroy();
      sessions.close();
      // Also the sockets of sessions: one that waits for its peer to close takes no heed of being destroyed itself.
      const cut = () => {
        for (const socket of sockets) socket.destroy();
      };
      if (deadline.aborted) cut();
      deadline.addEventListener('abort', cut, { once: true });
      await closed;
      deadline.removeEventListener('abort', cut);
    },
  };
}

const TLS_OPTIONS = { ALPNProtocols: ['h2', 'http/1.1'], minVersion: 'TLSv1.2' } as const;
const SETTINGS = { maxConcurrentStreams: MAX_STREAMS_PER_CONNECTION, maxHeaderListSize: MAX_HEADER_BYTES };

/** A request whose body pauses for too long is no request. */
function limitBody({ stream }: Http2ServerRequest, timeoutMs: number): void {
  stream.setTimeout(timeoutMs, () => stream.close(constants.NGHTTP2_CANCEL));
  stream.once('end', () => stream.setTimeout(0));
}

/**
 * The HTTP/2 sessions of a server, each asked for a sign of life now and then: a peer that has vanished without a word would keep its
 * watches for ever, and Node itself keeps a session (seen with 20.20) whose peer has reset too many streams.
 */
function keepSessions(server: Http2Server, { headerTimeoutMs = 10_000, pingEveryMs = 10_000 }: ListenerTimes): { close(): void } {
  /** With the number of pings that have not been answered. */
  const sessions = new Map<ServerHttp2Session, number>();
  server.on('session', (session) => {
    sessions.set(session, 0);
    session.setTimeout(headerTimeoutMs, () => session.destroy());
    session.once('remoteSettings', () => session.setTimeout(0));
    session.once('close', () => sessions.delete(session));
  });
  // What a peer does wrong on its session ends that session, and nothing else.
  server.on('sessionError', () => {});

  const asking = setInterval(() => {
    for (const [session, unanswered] of sessions) {
      if (unanswered >= MAX_UNANSWERED) {
        sessions.delete(session);
        session.destroy();
        continue;
      }
      sessions.set(session, unanswered + 1);
      if (session.destroyed || session.connecting) continue;
      session.ping(() => {
        if (sessions.has(session)) sessions.set(session, 0);
      });
    }
  }, pingEveryMs).unref();
  server.once('close', () => clearInterval(asking));

  return {
    close() {
      clearInterval(asking);
      for (const session of sessions.keys()) session.close();
    },
  };
}

const MAX_UNANSWERED = 2;

function opened(server: NetServer, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

type Speaks = 'http1' | 'http2' | 'tls';

/**
 * Reads until it is clear what the peer speaks, puts everything back and says so. The preface may come in pieces: what could still
 * become one is kept here, as data put back too early would be read again and again. Undefined: the peer left before it was clear.
 */
function decide(socket: Socket, timeoutMs: number, knowsTls: boolean, decided: (speaks: Speaks | undefined) => void): void {
  let head: Buffer = Buffer.alloc(0);

  const onData = (chunk: Buffer) => {
    head = head.length === 0 ? chunk : Buffer.concat([head, chunk]);
    // Without an identity it is as bad an HTTP/1 request as any, and told so.
    if (knowsTls && head[0] === TLS_HANDSHAKE) {
      done('tls');
      return;
    }
    const compared = Math.min(head.length, PREFACE.length);
    const couldBeHttp2 = head.compare(PREFACE, 0, compared, 0, compared) === 0;
    if (couldBeHttp2 && compared < PREFACE.length) return;
    done(couldBeHttp2 ? 'http2' : 'http1');
  };
  const giveUp = () => {
    socket.destroy();
  };
  const onClose = () => done(undefined);
  const done = (speaks: Speaks | undefined) => {
    socket.off('data', onData).off('end', giveUp).off('timeout', giveUp).off('close', onClose);
    socket.setTimeout(0);
    if (speaks !== undefined) {
      socket.pause();
      socket.unshift(head);
    }
    decided(speaks);
    if (speaks === 'http1') socket.resume();
  };

  // A reset is the peer's affair; who serves the socket later listens for itself.
  socket.on('error', () => {});
  socket.setTimeout(timeoutMs);
  socket.on('data', onData).once('end', giveUp).once('timeout', giveUp).once('close', onClose);
}

/** No two connections to one port have the same. */
function otherEndOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}

function addressOf({ address, family, port }: AddressInfo): string {
  return family === 'IPv6' ? `[${address}]:${port}` : `${address}:${port}`;
}
