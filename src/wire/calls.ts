import { constants, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import { openDuplex } from './duplex.ts';
import { type Peer, peerOfStream } from './exchange.ts';
import type { Answer, CallLane, CallRoute, FrameStream, Head, Reply, StreamListener, Trailers } from './lanes.ts';
import type { Scheduler } from './scheduler.ts';

/**
 * A lane on the streams of Node's own HTTP/2: collects the body of what the lane may take, and writes what it answers. All that is kept
 * of a request is one object on its stream; its listeners are the same functions for all.
 */
export interface Calls {
  /** False: the stream is none for the lane. */
  take(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, flags: number, rawHeaders: unknown): boolean;
}

/** What goes the usual way after all: `body` has been read of it, and more follows unless it is whole. */
export type GoOn = (
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  flags: number,
  rawHeaders: unknown,
  read: Read,
) => void;

export interface Read {
  readonly body: Buffer;
  readonly isWhole: boolean;
}

export function createCalls(
  lane: CallLane,
  goOn: GoOn,
  limitBody: (stream: ServerHttp2Stream) => void,
  scheduler: Scheduler,
): Calls {
  let begun: Call[] = [];
  // Nearly every body comes with its header: only those that do not cost a timer.
  const limitThoseThatWait = () => {
    const calls = begun;
    begun = [];
    for (const call of calls) call.wait(limitBody);
  };
  return {
    take(stream, headers, flags, rawHeaders) {
      const route = lane.routeOf(headers);
      if (route !== undefined && 'open' in route) {
        stream.on('error', ignore);
        openDuplex(route, headers, stream);
        return true;
      }
      const isWhole = (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0;
      if (route === undefined || (!isWhole && route.maxBodyBytes === 0)) return false;
      // What its peer resets is closed without a word.
      stream.on('error', ignore);
      const call = new Call(goOn, route, stream, headers, flags, rawHeaders);
      if (isWhole) {
        stream.resume();
        call.whole();
        return true;
      }
      (stream as LaneStream)[CALL] = call;
      stream.on('data', onData);
      stream.on('end', onEnd);
      if (begun.push(call) === 1) scheduler.soon(limitThoseThatWait);
      return true;
    },
  };
}

const CALL = Symbol('call');
/** A stream that was taken: what is known of it is found by its listeners, none of which is made for it alone. */
type LaneStream = ServerHttp2Stream & { [CALL]: Call };

const NOTHING = Buffer.alloc(0);
const WITH_TRAILERS = { waitForTrailers: true };

class Call implements Reply, FrameStream {
  readonly #goOn: GoOn;
  readonly #route: CallRoute;
  readonly #stream: ServerHttp2Stream;
  /** Undefined, and what belongs to them, once the request has been handed on: an answer that lives for long does not keep it. */
  #headers: IncomingHttpHeaders | undefined;
  #rawHeaders: unknown;
  readonly #flags: number;
  #body: Buffer = NOTHING;
  #isWaiting = false;
  #trailers: Trailers | undefined;
  #listener: StreamListener | undefined;
  #onWritten: ((error?: Error | null) => void) | undefined;

  constructor(
    goOn: GoOn,
    route: CallRoute,
    stream: ServerHttp2Stream,
    headers: IncomingHttpHeaders,
    flags: number,
    rawHeaders: unknown,
  ) {
    this.#goOn = goOn;
    this.#route = route;
    this.#stream = stream;
    this.#headers = headers;
    this.#rawHeaders = rawHeaders;
    this.#flags = flags;
  }

  read(chunk: Buffer): void {
    const headers = this.#headers;
    if (headers === undefined) return;
    this.#body = this.#body.length === 0 ? chunk : Buffer.concat([this.#body, chunk]);
    const isTooLong = this.#body.length > this.#route.maxBodyBytes;
    if (isTooLong || (this.#isWaiting && !this.#route.mayWait(headers, this.#body))) this.#leave(false);
  }

  whole(): void {
    const headers = this.#headers;
    if (headers === undefined || this.#stream.closed || this.#stream.destroyed) return;
    if (this.#route.serve(headers, this.#body, this)) this.#forget();
    else this.#leave(true);
  }

  /** Perhaps the rest of the body is still on its way. */
  wait(limitBody: (stream: ServerHttp2Stream) => void): void {
    const headers = this.#headers;
    if (headers === undefined || this.#stream.destroyed) return;
    this.#isWaiting = true;
    // A few bytes that stay would keep all that was read with them.
    if (this.#body.length > 0) this.#body = Buffer.from(this.#body);
    if (this.#route.mayWait(headers, this.#body)) limitBody(this.#stream);
    else this.#leave(false);
  }

  peer(): Peer {
    return peerOfStream(this.#stream);
  }

  send({ head, body, trailers }: Answer): void {
    // An answer may be late.
    if (!this.#isWritable) return;
    if (trailers === undefined) {
      this.#stream.respond(head);
    } else {
      this.#respond(head);
      this.#trailers = trailers;
    }
    if (body === undefined) this.#stream.end();
    else this.#stream.end(body);
  }

  stream(head: Head, listener: StreamListener): FrameStream {
    this.#listener = listener;
    this.#stream.on('close', onClose);
    this.#respond(head);
    return this;
  }

  write(frame: Buffer): void {
    this.#onWritten ??= (error) => {
      if (!error) this.#listener?.written();
    };
    if (this.#isWritable) this.#stream.write(frame, this.#onWritten);
  }

  end(trailers: Trailers): void {
    this.#trailers = trailers;
    if (this.#isWritable) this.#stream.end();
  }

  sendTrailers(): void {
    if (!this.#stream.destroyed && !this.#stream.closed) this.#stream.sendTrailers(this.#trailers ?? {});
  }

  close(): void {
    const listener = this.#listener;
    this.#listener = undefined;
    listener?.closed();
  }

  get #isWritable(): boolean {
    return !this.#stream.destroyed && !this.#stream.closed && !this.#stream.writableEnded;
  }

  #respond(head: Head): void {
    (this.#stream as LaneStream)[CALL] = this;
    this.#stream.on('wantTrailers', onWantTrailers);
    this.#stream.respond(head, WITH_TRAILERS);
  }

  #leave(isWhole: boolean): void {
    const headers = this.#headers;
    if (headers === undefined) return;
    const rawHeaders = this.#rawHeaders;
    const read = { body: this.#body, isWhole };
    this.#forget();
    this.#stream.off('data', onData).off('end', onEnd);
    this.#goOn(this.#stream, headers, this.#flags, rawHeaders, read);
  }

  #forget(): void {
    this.#headers = undefined;
    this.#rawHeaders = undefined;
    this.#body = NOTHING;
  }
}

function onData(this: ServerHttp2Stream, chunk: Buffer): void {
  (this as LaneStream)[CALL].read(chunk);
}

function onEnd(this: ServerHttp2Stream): void {
  (this as LaneStream)[CALL].whole();
}

function onWantTrailers(this: ServerHttp2Stream): void {
  (this as LaneStream)[CALL].sendTrailers();
}

function onClose(this: ServerHttp2Stream): void {
  (this as LaneStream)[CALL].close();
}

function ignore(): void {}
