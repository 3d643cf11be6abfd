import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Http2ServerRequest, Http2ServerResponse, Http2Session, ServerHttp2Stream } from 'node:http2';

/**
 * What HTTP/1.1 and HTTP/2 have in common: a request, its answer, and who is at the other end. Nothing here knows of any path or of
 * what is asked.
 */

/** One request and its answer, the same over HTTP/1.1 and HTTP/2; and who is at the other end. */
export type Request = IncomingMessage | Http2ServerRequest;
export type Response = ServerResponse | Http2ServerResponse;

/** Answers a request, now or later. What it throws, or rejects with, is a bug. */
export type Serve = (req: Request, res: Response) => void | Promise<void>;

/** The other end of a connection, as the transport says; never as the caller does. */
export interface Peer {
  /** Without the prefix that an IPv4 address has on a socket that speaks both families; "" when it has gone already. */
  readonly ip: string;
  readonly port: number;
  /** Stands for the connection: the HTTP/2 session, or the socket of HTTP/1. Only ever compared. */
  readonly connection: object;
  /** Ends the connection at once. */
  readonly cut: () => void;
}

export function peerOf(req: Request): Peer {
  return isHttp2(req) ? peerOfStream(req.stream) : peerAt(req.socket, req.socket);
}

/** The same of a stream of which no request has been made. */
export function peerOfStream(stream: ServerHttp2Stream): Peer {
  const session: (Http2Session & { [PEER]?: Peer }) | undefined = stream.session;
  if (session === undefined) return peerAt({}, stream);
  // Asked at every request, and Node's stand-in for the socket of a session is slow.
  session[PEER] ??= peerAt(session.socket ?? {}, session);
  return session[PEER];
}

const PEER = Symbol('peer');

function peerAt(
  { remoteAddress, remotePort = 0 }: { readonly remoteAddress?: string | undefined; readonly remotePort?: number | undefined },
  connection: { destroy(): unknown },
): Peer {
  return { ip: plainAddress(remoteAddress), port: remotePort, connection, cut: () => void connection.destroy() };
}

/** The address of the peer alone, as in `Peer`. */
export function ipOf({ socket }: Request): string {
  return plainAddress(socket.remoteAddress);
}

/** Where the request arrived, `IP:PORT`. */
export function localAddressOf({ socket }: Request): string {
  return `${plainAddress(socket.localAddress)}:${socket.localPort}`;
}

export function isHttp2(req: Request): req is Http2ServerRequest {
  return 'stream' in req;
}

export function pathOf({ url = '' }: Request): string {
  const end = url.indexOf('?');
  return end < 0 ? url : url.slice(0, end);
}

/** What stands behind the first question mark, "" when there is none. */
export function queryOf({ url = '' }: Request): string {
  const start = url.indexOf('?');
  return start < 0 ? '' : url.slice(start + 1);
}

/** The first value of a header, "" when there is none. */
export function headerOf(req: Request, name: string): string {
  const value = req.headers[name];
  return (Array.isArray(value) ? value[0] : value) ?? '';
}

/** Whether its header says that no body follows. A body of no bytes may follow all the same. */
export function hasNoBody(req: Request): boolean {
  if (isHttp2(req)) return req.stream.endAfterHeaders;
  const length = req.headers['content-length'];
  return (length === undefined || length === '0') && req.headers['transfer-encoding'] === undefined;
}

/** Whether it is gRPC in any of its dresses, gRPC-Web included. */
export function isGrpc(req: Request): boolean {
  return isGrpcType(headerOf(req, 'content-type'));
}

/** The same of a content type. */
export function isGrpcType(contentType: string): boolean {
  return /^application\/grpc(-web(-text)?)?(\+|;|$)/i.test(contentType);
}

/**
 * The caller went away in the middle of its request: there is nobody to answer. To be asked also of a body that seems whole: over
 * HTTP/2 one that is broken off ends like any other.
 */
export function hasLeft(req: Request): boolean {
  return isHttp2(req) ? req.stream.aborted || req.stream.destroyed : req.destroyed && !req.complete;
}

function plainAddress(address = ''): string {
  return address.startsWith('::ffff:') ? address.slice('::ffff:'.length) : address;
}
