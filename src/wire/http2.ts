import {
  constants,
  createServer,
  type Http2Server,
  type Http2ServerRequest,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import type { Socket } from 'node:net';
import { createCalls, type GoOn, type Read } from './calls.ts';
import type { Lanes, PortLimits } from './lanes.ts';
import { Rounds } from './rounds.ts';
import type { Cancel, Scheduler } from './scheduler.ts';

/** HTTP/2 on connections that it is given. */
export interface Http2 {
  serve(socket: Socket): void;
  /** Says GOAWAY: every connection ends with its last stream. */
  close(): void;
}

export function createHttp2({ request, calls: lane }: Lanes, limits: PortLimits, scheduler: Scheduler): Http2 {
  const { maxStreamsPerConnection, maxHeaderBytes, bodyTimeoutMs } = limits;
  const settings = { maxConcurrentStreams: maxStreamsPerConnection, maxHeaderListSize: maxHeaderBytes };
  /** Of the stream of which a request is being made. */
  let alreadyRead: Read | undefined;
  const server = createServer({ settings }, (req, res) => {
    if (alreadyRead !== undefined) putBack(req, alreadyRead);
    return request(req, res);
  });
  // Node's own way of making a request and a response of a stream, taken from it: the lane comes first.
  const makeRequest = server.listeners('stream') as StreamListener[];
  server.removeAllListeners('stream');
  const limit = (stream: ServerHttp2Stream) => limitBody(stream, bodyTimeoutMs);
  const goOn: GoOn = (stream, headers, flags, rawHeaders, read) => {
    if (!read.isWhole) limit(stream);
    alreadyRead = read;
    for (const each of makeRequest) each.call(server, stream, headers, flags, rawHeaders);
    alreadyRead = undefined;
  };
  const calls = lane && createCalls(lane, goOn, limit, scheduler);
  const onStream: StreamListener = (stream, headers, flags, rawHeaders) => {
    if (calls?.take(stream, headers, flags, rawHeaders) === true) return;
    if ((flags & constants.NGHTTP2_FLAG_END_STREAM) === 0) limit(stream);
    for (const each of makeRequest) each.call(server, stream, headers, flags, rawHeaders);
  };
  server.on('stream', onStream);
  const sessions = keepSessions(server, limits, scheduler);
  return {
    serve: (socket) => void server.emit('connection', socket),
    close: sessions.close,
  };
}

/** Node hands on the raw header too, which its own listener reads. */
type StreamListener = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders, flags: number, rawHeaders: unknown) => void;

/** The request begins with what has been read of its stream. */
function putBack(req: Http2ServerRequest, { body, isWhole }: Read): void {
  // Has it listen to its stream, before anything more comes.
  if (!isWhole) req.read(0);
  if (body.length > 0) req.push(body);
  if (isWhole) req.push(null);
}

/** A request whose body pauses for too long is no request. */
function limitBody(stream: ServerHttp2Stream, timeoutMs: number): void {
  const giveUp = () => stream.close(constants.NGHTTP2_CANCEL);
  stream.setTimeout(timeoutMs, giveUp);
  // Not the timer alone: whoever sets one for the answer would find the listener still there.
  stream.once('end', () => stream.setTimeout(0, giveUp));
}

const MAX_UNANSWERED = 2;
/** Each is a write to a socket. */
const ASKED_A_ROUND = 64;

/**
 * The sessions of a server, each asked for a sign of life now and then: a peer that has vanished without a word would keep its
 * watches for ever, and Node itself keeps a session (seen with 20.20) whose peer has reset too many streams.
 */
function keepSessions(server: Http2Server, limits: PortLimits, scheduler: Scheduler): { readonly close: () => void } {
  const { headerTimeoutMs, pingIntervalMs } = limits;
  /** With the number of pings that have not been answered. */
  const sessions = new Map<ServerHttp2Session, number>();
  /** Runs while there is somebody to ask. */
  let asking: Cancel | undefined;
  const stopAsking = () => {
    asking?.();
    asking = undefined;
  };
  const forget = (session: ServerHttp2Session) => {
    sessions.delete(session);
    if (sessions.size === 0) stopAsking();
  };
  const ask = (session: ServerHttp2Session) => {
    const unanswered = sessions.get(session);
    if (unanswered === undefined) return;
    if (unanswered >= MAX_UNANSWERED) {
      forget(session);
      session.destroy();
      return;
    }
    sessions.set(session, unanswered + 1);
    if (session.destroyed || session.connecting) return;
    session.ping(() => {
      if (sessions.has(session)) sessions.set(session, 0);
    });
  };
  const asked = new Rounds(scheduler, ASKED_A_ROUND, ask);
  const askAll = () => {
    for (const session of sessions.keys()) asked.add(session);
  };
  server.on('session', (session) => {
    sessions.set(session, 0);
    asking ??= scheduler.every(pingIntervalMs, askAll);
    session.setTimeout(headerTimeoutMs, () => session.destroy());
    session.once('remoteSettings', () => session.setTimeout(0));
    session.once('close', () => forget(session));
  });
  // What a peer does wrong on its session ends that session, and nothing else.
  server.on('sessionError', () => {});
  return {
    close() {
      stopAsking();
      asked.close();
      for (const session of sessions.keys()) session.close();
    },
  };
}
