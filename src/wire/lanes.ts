import type { IncomingMessage, ServerResponse } from 'node:http';
import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import type { Serve } from './exchange.ts';

/**
 * Who answers on a port. A lane sees what comes before Node's common request and response are made of it, and answers true when it
 * has taken it; everything else goes the usual way. Neither a lane nor `request` may throw.
 */
export interface Lanes {
  readonly request: Serve;
  /** A stream of HTTP/2 with its header, nothing of it read. What its peer resets, or pauses for too long, is closed without a word. */
  readonly stream?: (stream: ServerHttp2Stream, headers: IncomingHttpHeaders, flags: number) => boolean;
  /** A request of HTTP/1 with its header, nothing of its body read. */
  readonly http1?: (req: IncomingMessage, res: ServerResponse) => boolean;
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
