import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Application } from './application.ts';
import { Connection } from './connection.ts';
import { HTTP2_LIMITS, type Http2Limits } from './limits.ts';
import { Shared, type Timers } from './shared.ts';

/**
 * The server side of HTTP/2 (RFC 9113) and HPACK (RFC 7541), on connections that it is given: plain sockets whose peer knows what it
 * speaks, TLS sockets after ALPN, or any other Duplex. An application answers what is asked over them: small requests in the turn in
 * which they became whole, from prepared bytes; others as streams, for as long as they take.
 *
 * It never connects, pushes, upgrades or compresses; it keeps no tree of priorities, and it knows nothing of what is asked. It makes no
 * timer of its own, and no object for a stream before there is a handler that needs one.
 *
 * It is verified by tables of states and frames with the codes they end in, by h2spec, by the examples of RFC 7541 and the encoder and
 * decoder of Node beside it, by cutting exchanges at every byte, by a plain model on random frames, by mutated bytes, by the attacks
 * that others had to learn of, and by clients that others wrote: all under test/wire/http2/ and test/conformance/.
 */
export class Engine {
  readonly #shared: Shared;
  readonly #connections = new Set<Connection>();
  #stop: (() => void) | undefined;

  constructor(application: Application, timers: Timers, limits: Http2Limits = HTTP2_LIMITS) {
    this.#shared = new Shared(application, timers, limits);
  }

  /** Takes a connection; `head`: what has been read of it. */
  serve(duplex: Duplex, head?: Buffer): Connection {
    if (duplex instanceof Socket) duplex.setNoDelay(true);
    const connection = new Connection(this.#shared, duplex, this);
    this.#connections.add(connection);
    this.#stop ??= this.#shared.timers.every(TICK_MS, () => this.#tick());
    if (head !== undefined) connection.receive(head);
    return connection;
  }

  get connections(): number {
    return this.#connections.size;
  }

  /** Of bodies that no handler has taken yet, on all connections. */
  get unreadBytes(): number {
    return this.#shared.unreadBytes;
  }

  /** Announces the end on every connection. Each ends with its last stream. */
  close(): void {
    for (const connection of this.#connections) connection.close();
  }

  #tick(): void {
    this.#shared.second++;
    this.#tickFrom([...this.#connections], 0);
  }

  #tickFrom(connections: readonly Connection[], from: number): void {
    const next = from + TICKED_AT_ONCE;
    for (const connection of connections.slice(from, next)) connection.tick();
    if (next < connections.length) this.#shared.timers.soon(() => this.#tickFrom(connections, next));
  }

  /** It has ended. */
  forget(connection: Connection): void {
    this.#connections.delete(connection);
    if (this.#connections.size > 0) return;
    this.#stop?.();
    this.#stop = undefined;
  }
}

const TICK_MS = 1_000;
/** Each may have a PING to write; then others have a turn. */
const TICKED_AT_ONCE = 256;
