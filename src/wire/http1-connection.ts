import type { ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import type { Use } from './seat.ts';

/** One connection of HTTP/1.1: what is being answered on it, and how it ends where Node would end it too soon. */
export class Http1Connection implements Use {
  readonly isGuest: boolean;
  readonly #socket: Socket;
  /** Answers that have not gone out whole. Not a set of them: see `Bag`. */
  #open = 0;
  /** That of the last request, if it is one of them. */
  #last: ServerResponse | undefined;
  #isRefused = false;

  constructor(socket: Socket, isGuest: boolean) {
    this.#socket = socket;
    this.isGuest = isGuest;
  }

  get isIdle(): boolean {
    return this.#open === 0;
  }

  get mark(): number {
    return this.#socket.bytesRead;
  }

  began(res: ServerResponse): void {
    this.#open++;
    this.#last = res;
  }

  answered(): void {
    if (--this.#open === 0) this.#last = undefined;
  }

  /** After the answer that it is giving, if there is one. */
  close(): void {
    // Java's client of 1.x asks again as soon as it is answered: its connection would never wait.
    if (this.#last === undefined) this.#socket.destroy();
    else this.#last.shouldKeepAlive = false;
  }

  leave(): void {
    this.#socket.destroy();
  }

  /**
   * In place of Node's own way to end a connection after its last answer: where the request has not come whole, that cuts off a peer that
   * is still sending, who may hear of it before he hears the answer. A body that does not end in time is ended by the server.
   */
  endGently(): void {
    const socket = this.#socket;
    const req = this.#last?.req;
    if (req === undefined || req.complete) {
      Socket.prototype.destroySoon.call(socket);
      return;
    }
    socket.end();
    req.resume().once('close', () => socket.destroy());
  }

  /**
   * What came is no request. Where another came before it, and was whole, the peer is to know what has become of that: only its answer
   * is given, and ends the connection.
   */
  refuse(error: Error): void {
    const socket = this.#socket;
    const last = this.#last;
    if (last?.req.complete === true && socket.writable) {
      if (!this.#isRefused) last.once('close', () => socket.destroySoon());
      this.#isRefused = true;
      return;
    }
    const status = REFUSED[('code' in error && String(error.code)) || ''] ?? '400 Bad Request';
    if (socket.writable && last?.headersSent !== true) socket.write(`HTTP/1.1 ${status}\r\nConnection: close\r\n\r\n`);
    socket.destroy(error);
  }
}

/** By Node's codes. */
const REFUSED: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
  HPE_CHUNK_EXTENSIONS_OVERFLOW: '413 Payload Too Large',
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
};
