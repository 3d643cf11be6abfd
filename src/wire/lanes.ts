import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Peer, Serve } from './exchange.ts';
import type { Http2Limits } from './http2/limits.ts';
import type { Prepared } from './http2/prepared.ts';

/**
 * Who answers on a port. A lane sees what comes before a common request and response are made of it, and takes what it can answer at
 * once; everything else goes the usual way. Neither a lane nor `request` may throw.
 */
export interface Lanes {
  /** The usual way. */
  readonly request: Serve;
  /** Of HTTP/2. */
  readonly calls?: CallLane;
  /** A request of HTTP/1 with its header, nothing of its body read; true: it is taken, and goes the usual way later or not at all. */
  readonly http1?: (req: IncomingMessage, res: ServerResponse, usual: Serve) => boolean;
}

/**
 * A lane of HTTP/2. It is handed whole requests and streams to write frames to, and knows nothing of who reads and writes them.
 */
export interface CallLane {
  /** By its header alone, whose it may be; undefined: it goes the usual way. */
  routeOf(call: Call): CallRoute | DuplexRoute | undefined;
}

/** The header of a request. One of these serves many requests after each other: nobody keeps it. */
export interface Call {
  readonly path: string;
  /** What can be known without a look at any field, by the bits of `marks.ts`. */
  readonly marks: number;
  /** What the lane wants to know again of this request when it is whole. */
  note: unknown;
  /** All values of a field, with commas between; undefined where there is none. */
  field(name: string): string | undefined;
}

/** One kind of request that a lane answers. */
export interface CallRoute {
  /** A request with a longer body goes the usual way. */
  readonly maxBodyBytes: number;
  /** Whether the rest of the body may be waited for, when so much of it has come. False: the usual way would not wait, or knows better. */
  mayWait(call: Call, body: Buffer): boolean;
  /** Answers the whole request, by one call of the reply. False: nothing has been done, and it goes the usual way with its body. */
  serve(call: Call, body: Buffer, reply: Reply): boolean;
}

/** One kind of request whose body goes on for as long as its answer does. */
export interface DuplexRoute {
  /** It has begun. */
  open(call: Call, duplex: Duplex): DuplexListener;
}

/** Where the answer to one request goes, for as long as `serve` takes. */
export interface Reply {
  peer(): Peer;
  /** All of the answer. */
  send(answer: Answer): void;
  /** The same once it is there. Whoever has reset meanwhile gets none. */
  sendLater(answer: Promise<Answer>): void;
  /** The header of an answer whose frames follow, told to `listener`. */
  stream(head: Head, listener: StreamListener): FrameStream;
}

/** One that is made once and sent again and again need not be encoded each time. */
export interface Answer {
  readonly head: Head;
  readonly body: Buffer | undefined;
  /** Undefined where the body ends the answer. */
  readonly trailers: Trailers | undefined;
  /** For whoever sends it: what it was on the wire on that date. */
  sent?: { readonly date: string | undefined; readonly prepared: Prepared };
}

/** `:status` and the fields of a header but for the date, in their order. */
export type Head = Readonly<Record<string, string | number>>;
export type Trailers = Readonly<Record<string, string>>;

/** An answer that stays open. What has been reset meanwhile takes everything without a word. */
export interface FrameStream {
  /** One of a few frames, made once. False: it cannot be written now, and was not; nothing is kept for a slow reader. */
  write(frame: Buffer): boolean;
  end(trailers: Trailers): void;
}

export interface StreamListener {
  /** What could not be written may be tried again. */
  writable(): void;
  /** The stream is gone, for whatever reason, also by its own end. Called once. */
  closed(): void;
}

/** Where the answer to a request goes whose body goes on. What has been reset meanwhile takes it without a word. */
export interface Duplex {
  peer(): Peer;
  /** Frames in pieces, after the header if that has not gone yet. Once those before have been written: nothing is kept for a slow reader. */
  write(head: Head, pieces: readonly Buffer[]): void;
  /** The end of the answer, after all that was written; what still comes of the request is read and no more. */
  end(head: Head, trailers: Trailers): void;
}

export interface DuplexListener {
  /** More of the body, cut anywhere. */
  read(chunk: Buffer): void;
  /** The body has ended in order. */
  ended(): void;
  /** What was written last has left for the peer. */
  written(): void;
  /** The stream is gone, for whatever reason. Called once, and nothing after it. */
  closed(): void;
}

/** What a peer may use of a port, and how long it may take. */
export interface PortLimits extends Http2Limits {
  /** How long an HTTP/1 connection may be idle between two requests. */
  readonly keepAliveTimeoutMs: number;
  /** So many requests of an HTTP/1 connection may be unanswered. */
  readonly maxPipelined: number;
  /** How long it may take to agree on TLS. */
  readonly handshakeTimeoutMs: number;
}
