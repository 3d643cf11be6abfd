import type { Stream } from './http2/stream.ts';
import type { Http2Answers } from './http2-answers.ts';
import { Http2Peer } from './http2-peer.ts';
import type { Call, Duplex, DuplexListener, DuplexRoute, Head, Trailers } from './lanes.ts';

/** Opens a stream as one that goes on in both directions, for as long as it likes. */
export function openDuplex(route: DuplexRoute, call: Call, stream: Stream, answers: Http2Answers): void {
  stream.takeTime();
  new DuplexStream(stream, answers).begin(route, call);
}

class DuplexStream implements Duplex {
  readonly #stream: Stream;
  readonly #answers: Http2Answers;
  #isBegun = false;

  constructor(stream: Stream, answers: Http2Answers) {
    this.#stream = stream;
    this.#answers = answers;
  }

  peer(): Http2Peer {
    return Http2Peer.of(this.#stream.peer);
  }

  begin(route: DuplexRoute, call: Call): void {
    const stream = this.#stream;
    const listener = route.open(call, this);
    stream.onDrain = () => listener.written();
    stream.onClose = () => listener.closed();
    stream.onReadable = () => this.#read(listener);
    this.#read(listener);
  }

  #read(listener: DuplexListener): void {
    const stream = this.#stream;
    for (let chunk = stream.read(); chunk !== undefined; chunk = stream.read()) {
      listener.read(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length));
    }
    if (!stream.isRead) return;
    stream.onReadable = undefined;
    // What is broken off ends like anything else.
    if (!stream.isOver) listener.ended();
  }

  write(head: Head, pieces: readonly Buffer[]): void {
    const stream = this.#stream;
    this.#begin(head);
    let isOut = true;
    for (const piece of pieces) isOut = stream.write(piece);
    if (isOut) stream.onDrain?.();
  }

  end(head: Head, trailers: Trailers): void {
    this.#begin(head);
    this.#stream.end(Object.entries(trailers));
  }

  #begin(head: Head): void {
    if (!this.#isBegun) this.#answers.begin(this.#stream, head);
    this.#isBegun = true;
  }
}
