import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { Connection } from './connection.ts';
import { Shared } from './shared.ts';

/**
 * The server side of HTTP/2 (RFC 9113) and HPACK (RFC 7541), on connections that it is given: plain sockets whose peer knows what it
 * speaks, TLS sockets after ALPN, or any other Duplex. An application answers what is asked over them: small requests in the turn in
 * which they became whole, from prepared bytes; others as streams, for as long as they take.
 *
 * It never connects, pushes, upgrades or compresses; it keeps no tree of priorities, and it knows nothing of what is asked. It makes no
 * timer of its own, and of a stream that no handler has no more than it must know.
 *
 * It is verified by tables of states and frames with the codes they end in, by h2spec, by the examples of RFC 7541 and the encoder and
 * decoder of Node beside it, by cutting exchanges at every byte, by a plain model on random frames, by mutated bytes, by the attacks
 * that others had to learn of, and by clients that others wrote: all under test/wire/http2/ and test/conformance/.
 */
export class Engine extends Shared {
  /** Takes a connection; `head`: what has been read of it. */
  serve(duplex: Duplex, head?: Buffer): Connection {
    if (duplex instanceof Socket) duplex.setNoDelay(true);
    const connection = new Connection(this, duplex);
    this.join(connection);
    if (head !== undefined) connection.receive(head);
    return connection;
  }

  /** Announces the end on every connection. Each ends with its last stream. */
  close(): void {
    for (const connection of [...this.connections]) connection.close();
  }
}
