import type { ServerHttp2Stream } from 'node:http2';
import { type Peer, peerOfStream } from './exchange.ts';
import type { Duplex, DuplexListener, DuplexRoute, Fields, Head, Trailers } from './lanes.ts';

/** Opens a stream of Node's own HTTP/2 as one that goes on in both directions. */
export function openDuplex(route: DuplexRoute, fields: Fields, stream: ServerHttp2Stream): void {
  new StreamOfNode(stream).begin(route, fields);
}

class StreamOfNode implements Duplex {
  readonly #stream: ServerHttp2Stream;
  #listener: DuplexListener | undefined;
  readonly #written = (error?: Error | null): void => {
    if (!error) this.#listener?.written();
  };

  constructor(stream: ServerHttp2Stream) {
    this.#stream = stream;
  }

  peer(): Peer {
    return peerOfStream(this.#stream);
  }

  begin(route: DuplexRoute, fields: Fields): void {
    const stream = this.#stream;
    const listener = route.open(fields, this);
    this.#listener = listener;
    stream.on('data', (chunk: Buffer) => listener.read(chunk));
    // What is broken off ends like anything else.
    stream.on('end', () => {
      if (!stream.aborted && !stream.destroyed) listener.ended();
    });
    stream.on('close', () => {
      this.#listener = undefined;
      listener.closed();
    });
  }

  write(head: Head, frames: readonly Buffer[]): void {
    const stream = this.#stream;
    if (!this.#isWritable) return;
    this.#respond(head);
    const last = frames.length - 1;
    if (last > 0) stream.cork();
    for (let i = 0; i < last; i++) stream.write(frames[i]);
    stream.write(frames[last], this.#written);
    if (last > 0) stream.uncork();
  }

  end(head: Head, trailers: Trailers): void {
    const stream = this.#stream;
    if (!this.#isWritable) return;
    this.#respond(head);
    stream.on('wantTrailers', () => {
      if (!stream.destroyed && !stream.closed) stream.sendTrailers(trailers);
    });
    stream.end();
  }

  get #isWritable(): boolean {
    return !this.#stream.destroyed && !this.#stream.closed && !this.#stream.writableEnded;
  }

  #respond(head: Head): void {
    if (!this.#stream.headersSent) this.#stream.respond(head, WITH_TRAILERS);
  }
}

const WITH_TRAILERS = { waitForTrailers: true };
