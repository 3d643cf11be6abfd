import type { ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { peerOfSocket } from './exchange.ts';
import type { HeldBodies, HeldBody } from './held-bodies.ts';
import type { PortLimits } from './lanes.ts';
import type { Use } from './seat.ts';

export type Http1ConnectionLimits = Pick<PortLimits, 'keepAliveTimeoutMs' | 'stallTimeoutMs' | 'maxPipelined'>;

/** One connection of HTTP/1.1: what is being answered on it, and how it ends where Node would end it too soon. */
export class Http1Connection implements Use {
  readonly isGuest: boolean;
  readonly #socket: Socket;
  readonly #limits: Http1ConnectionLimits;
  readonly #bodies: HeldBodies | undefined;
  /** What is held for requests that came before those ahead of them were answered; nearly never anything. */
  #waiting: HeldBody | undefined;
  /** Answers that have not gone out whole. Not a set of them: see `Bag`. */
  #open = 0;
  /** That of the last request, if it is one of them. */
  #last: ServerResponse | undefined;
  /** Those that had others ahead of them, some of which may be out by now; nearly never any. */
  #behind: ServerResponse[] = [];
  /** All answers are out, for all that Node knows, and the system has yet to take the rest of the last one. */
  #isSending = false;
  #isRefused = false;

  constructor(socket: Socket, isGuest: boolean, limits: Http1ConnectionLimits, bodies?: HeldBodies) {
    this.#socket = socket;
    this.isGuest = isGuest;
    this.#limits = limits;
    this.#bodies = bodies;
  }

  get isIdle(): boolean {
    return this.#open === 0 && !this.#isSending;
  }

  get mark(): number {
    return this.#socket.bytesRead;
  }

  /** False: that is more than there is room for, and the connection has to end. */
  began(res: ServerResponse): boolean {
    this.#last = res;
    if (++this.#open > 1) this.#comesBehind(res);
    if (this.#open <= FEW) return true;
    // It is read from all the same: that the peer has left would not be seen else.
    if (this.#open > this.#limits.maxPipelined) return false;
    // Their answers have no turn in which to say no.
    this.#waiting ??= this.#bodies?.of(peerOfSocket(this.#socket), () => void this.#socket.destroy());
    return this.#waiting?.hold(this.#open * WAITING_BYTES) !== false;
  }

  answered(): void {
    this.#open--;
    this.#waiting?.hold(this.#open <= FEW ? 0 : this.#open * WAITING_BYTES);
    if (this.#open > 0) return;
    this.#last = undefined;
    if (this.#behind.length > 0) this.#behind = [];
    // Node would wait for the next request now, and for as long as that may take.
    this.#isSending = this.#socket.writableLength > 0;
    if (this.#isSending) this.#socket.setTimeout(this.#limits.stallTimeoutMs);
  }

  /**
   * The connection has closed. Node before version 24 tells that only to the answer whose turn it is, and whoever makes another would wait
   * for ever.
   */
  gone(): void {
    this.#waiting?.hold(0);
    if (this.#behind.length > 0) process.nextTick(() => this.#tellThoseBehind());
  }

  /** Newer ones have told all by now. */
  #tellThoseBehind(): void {
    for (const res of this.#behind) {
      if (res.closed || res.destroyed) continue;
      res.destroy();
      res.emit('close');
    }
  }

  #comesBehind(res: ServerResponse): void {
    const kept = 2 * this.#limits.maxPipelined;
    if (this.#behind.length >= kept) this.#behind = this.#behind.filter(({ closed }) => !closed);
    this.#behind.push(res);
  }

  /** Nothing has come or gone for a while. Node would also end who waits for an answer: for a text to change, or for the next status. */
  isStill(): void {
    const socket = this.#socket;
    const { keepAliveTimeoutMs, stallTimeoutMs } = this.#limits;
    if (socket.writableLength > 0) socket.destroy();
    else if (this.#isSending) {
      this.#isSending = false;
      socket.setTimeout(Math.max(keepAliveTimeoutMs - stallTimeoutMs, 1));
    } else if (this.#open === 0) socket.destroy();
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
    const code = ('code' in error && String(error.code)) || '';
    const status = REFUSED[code] ?? '400 Bad Request';
    const body = code === HEADER_OVERFLOW ? TOO_LONG : '\r\n';
    if (socket.writable && last?.headersSent !== true) socket.write(`HTTP/1.1 ${status}\r\nConnection: close\r\n${body}`);
    socket.destroy(error);
  }
}

const HEADER_OVERFLOW = 'HPE_HEADER_OVERFLOW';
const TOO_LONG_TEXT = 'the header is too long (--max-header-bytes)\n';
const TOO_LONG = `Content-Type: text/plain\r\nContent-Length: ${TOO_LONG_TEXT.length}\r\n\r\n${TOO_LONG_TEXT}`;

/** So many are not worth counting. */
const FEW = 4;
/** What a request, its answer and whoever waits for its turn take, seen in Node's heap. */
const WAITING_BYTES = 4 << 10;

/** By Node's codes. */
const REFUSED: Readonly<Record<string, string>> = {
  [HEADER_OVERFLOW]: '431 Request Header Fields Too Large',
  HPE_CHUNK_EXTENSIONS_OVERFLOW: '413 Payload Too Large',
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
};
