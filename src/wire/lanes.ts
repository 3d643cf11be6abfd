import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Peer, Serve } from './exchange.ts';

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
 * A lane of HTTP/2. It is handed whole requests and streams to write frames to, and knows nothing of who reads and writes them: Node's
 * own HTTP/2, or another.
 */
export interface CallLane {
  /** By its header alone, whose it may be; undefined: it goes the usual way. */
  routeOf(fields: Fields): CallRoute | DuplexRoute | undefined;
}

/** One kind of request that a lane answers. */
export interface CallRoute {
  /** A request with a longer body goes the usual way; 0: with any body, even if nothing is in it. */
  readonly maxBodyBytes: number;
  /** Whether the rest of the body may be waited for, when so much of it has come. False: the usual way would not wait, or knows better. */
  mayWait(fields: Fields, body: Buffer): boolean;
  /** Answers the whole request, now. False: nothing has been done, and it goes the usual way with its body put back. */
  serve(fields: Fields, body: Buffer, reply: Reply): boolean;
}

/** One kind of request whose body goes on for as long as its answer does. */
export interface DuplexRoute {
  /** It has begun. */
  open(fields: Fields, duplex: Duplex): DuplexListener;
}

/** Header fields by their names in lower case, those that begin with a colon too; one that came several times is one text or a list. */
export type Fields = Readonly<Record<string, string | string[] | undefined>>;

/** Where the answer to one request goes. What has been reset meanwhile takes it without a word. */
export interface Reply {
  peer(): Peer;
  /** All of the answer. */
  send(answer: Answer): void;
  /** The header of an answer whose frames follow, told to `listener`. */
  stream(head: Head, listener: StreamListener): FrameStream;
}

/** Made once and sent again and again, so that whoever sends it can keep what it becomes on the wire. */
export interface Answer {
  readonly head: Head;
  readonly body: Buffer | undefined;
  /** Undefined where the body ends the answer. */
  readonly trailers: Trailers | undefined;
}

/** `:status` and the fields of a header but for the date, in their order. */
export type Head = Readonly<Record<string, string | number>>;
export type Trailers = Readonly<Record<string, string>>;

export interface FrameStream {
  /** Once the frame before has been written; nothing is kept for a slow reader. */
  write(frame: Buffer): void;
  end(trailers: Trailers): void;
}

export interface StreamListener {
  /** The frame has left for the peer: the next may follow. */
  written(): void;
  /** The stream is gone, for whatever reason. Called once. */
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
export interface PortLimits {
  /** How long a connection may take to say what it speaks, and a request to send its header. */
  readonly headerTimeoutMs: number;
  /** How long a request may take to send its body (HTTP/1), or may pause in it (HTTP/2). */
  readonly bodyTimeoutMs: number;
  /** How often an HTTP/2 peer is asked for a sign of life; the second question without an answer is the last. */
  readonly pingIntervalMs: number;
  /** How long an HTTP/1 connection may be idle between two requests. */
  readonly keepAliveTimeoutMs: number;
  /** Of all header fields of a request together. */
  readonly maxHeaderBytes: number;
  /** Open at once on one HTTP/2 connection. */
  readonly maxStreamsPerConnection: number;
}
