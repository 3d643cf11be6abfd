import type { Socket } from 'node:net';
import type { Peer as EnginePeer } from './http2/request.ts';
import { type PeerCertificate, shownCertificate } from './peer-certificate.ts';

/** The other end of a connection of HTTP/2, as `Peer` of `exchange.ts` has it, and the calls that it has left open. */
export class Http2Peer {
  readonly ip: string;
  readonly port: number;
  readonly connection: EnginePeer;
  readonly cut: () => void;
  /** By the number of their stream. */
  readonly #open = new Map<number, OpenCall>();
  /** Those that have something to write. */
  #waiting: Set<OpenCall> | undefined;

  private constructor(connection: EnginePeer) {
    // What a port hands over are sockets.
    const { remoteAddress, remotePort } = connection.duplex as Socket;
    this.ip = plainAddress(remoteAddress);
    this.port = remotePort ?? 0;
    this.connection = connection;
    this.cut = () => connection.destroy();
  }

  /** One for all requests of a connection. */
  static of(connection: EnginePeer): Http2Peer {
    const { owner } = connection;
    if (owner instanceof Http2Peer) return owner;
    const peer = new Http2Peer(connection);
    connection.owner = peer;
    return peer;
  }

  get certificate(): PeerCertificate | undefined {
    return shownCertificate(this.connection.duplex);
  }

  get isEncrypted(): boolean {
    return isEncrypted(this.connection.duplex);
  }

  opened(id: number, call: OpenCall): void {
    this.#open.set(id, call);
  }

  /** An open call is over, whoever has ended it. */
  ended(id: number): void {
    const call = this.#open.get(id);
    if (call === undefined) return;
    this.#open.delete(id);
    this.#waiting?.delete(call);
    call.closed();
  }

  /** It is told when there is room. */
  waits(call: OpenCall): void {
    this.#waiting ??= new Set();
    this.#waiting.add(call);
  }

  writable(): void {
    const waiting = this.#waiting ?? [];
    this.#waiting = undefined;
    for (const call of waiting) call.writable();
  }

  closed(): void {
    for (const id of [...this.#open.keys()]) this.ended(id);
  }
}

export interface OpenCall {
  writable(): void;
  closed(): void;
}

/** By the connection, not by what anybody says of it. */
export function isEncrypted(socket: object): boolean {
  return 'encrypted' in socket && socket.encrypted === true;
}

/** Without the prefix that an IPv4 address has on a socket that speaks both families. */
export function plainAddress(address = ''): string {
  return address.startsWith('::ffff:') ? address.slice('::ffff:'.length) : address;
}
