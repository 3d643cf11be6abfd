import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { Http2Peer, isEncrypted, plainAddress } from './http2-peer.ts';
import type { Http2Request } from './http2-request.ts';
import type { Http2Response } from './http2-response.ts';
import { type PeerCertificate, shownCertificate } from './peer-certificate.ts';

/**
 * What HTTP/1.1 and HTTP/2 have in common: a request, its answer, and who is at the other end. Nothing here knows of any path or of
 * what is asked.
 */

/** One request and its answer, the same over HTTP/1.1 and HTTP/2; and who is at the other end. */
export type Request = IncomingMessage | Http2Request;
export type Response = ServerResponse | Http2Response;

/** Answers a request, now or later. What it throws, or rejects with, is a bug. */
export type Serve = (req: Request, res: Response) => void | Promise<void>;

/** The other end of a connection, as the transport says; never as the caller does. */
export interface Peer {
  /** Without the prefix that an IPv4 address has on a socket that speaks both families; "" when it has gone already. */
  readonly ip: string;
  readonly port: number;
  /** Stands for the connection. Only ever compared. */
  readonly connection: object;
  /** What it has shown itself to be on TLS, verified on this very connection. */
  readonly certificate?: PeerCertificate | undefined;
  /** Whether it speaks TLS. */
  readonly isEncrypted?: boolean;
  /** Ends the connection at once. */
  readonly cut: () => void;
}

export function peerOf(req: Request): Peer {
  if (isHttp2(req)) return Http2Peer.of(req.stream.peer);
  return peerOfSocket(req.socket);
}

/** The other end of a connection of HTTP/1. */
export function peerOfSocket(socket: Socket): Peer {
  return new SocketPeer(socket);
}

class SocketPeer implements Peer {
  readonly ip: string;
  readonly port: number;
  readonly connection: Socket;

  constructor(socket: Socket) {
    this.ip = plainAddress(socket.remoteAddress);
    this.port = socket.remotePort ?? 0;
    this.connection = socket;
  }

  readonly cut = (): void => void this.connection.destroy();

  get certificate(): PeerCertificate | undefined {
    return shownCertificate(this.connection);
  }

  get isEncrypted(): boolean {
    return isEncrypted(this.connection);
  }
}

/** The address of the peer alone, as in `Peer`. */
export function ipOf({ socket }: Request): string {
  return plainAddress(socket.remoteAddress);
}

/** Where the request arrived, `IP:PORT`. */
export function localAddressOf({ socket }: Request): string {
  return `${plainAddress(socket.localAddress)}:${socket.localPort}`;
}

/** What the head of the request takes, for as long as it is kept. */
export function headBytesOf(req: Request): number {
  let bytes = req.url?.length ?? 0;
  for (const text of req.rawHeaders) bytes += text.length + PER_TEXT;
  return bytes;
}

/** Of a text, beside what is in it. */
const PER_TEXT = 32;

export function isHttp2(req: Request): req is Http2Request {
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
  if (isHttp2(req)) return req.isBodiless;
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

/** The caller went away in the middle of its request: there is nobody to answer. */
export function hasLeft(req: Request): boolean {
  return isHttp2(req) ? req.stream.isOver : req.destroyed && !req.complete;
}
