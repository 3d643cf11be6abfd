/** What one connection may use, and how long it may take. Whoever goes beyond is told with the code in brackets, and counted. */
export interface Http2Limits {
  /** Streams open at once, those whose handler still works included (REFUSED_STREAM). */
  readonly maxStreams: number;
  /** Names, values and 32 for each field of one header (431; twice as much: ENHANCE_YOUR_CALM). */
  readonly maxHeaderListBytes: number;
  /** Fields of one header (431). */
  readonly maxHeaderFields: number;
  /** One header as it is encoded (ENHANCE_YOUR_CALM). */
  readonly maxHeaderBlockBytes: number;
  /** CONTINUATION frames of one header (ENHANCE_YOUR_CALM). */
  readonly maxContinuations: number;
  /** The body of a request that is answered from prepared bytes; a longer one is a stream like any other. */
  readonly maxQuickBodyBytes: number;
  /** How much a peer may send on a stream before its handler takes it (FLOW_CONTROL_ERROR). */
  readonly streamWindowBytes: number;
  /** The same of a connection before it is read off the wire (FLOW_CONTROL_ERROR). */
  readonly connectionWindowBytes: number;
  /** Bodies of all streams that no handler has taken yet (ENHANCE_YOUR_CALM on the stream). */
  readonly maxUnreadBytes: number;
  /** The same of all connections together. */
  readonly maxUnreadBytesInAll: number;
  /** Written and not yet taken by the system: with more, nothing is read from the peer; of a handler, beside one chunk (CANCEL). */
  readonly maxUnsentBytes: number;
  /** From the first byte to the peer's SETTINGS (closed). */
  readonly handshakeSeconds: number;
  /** From the beginning of a header, or of any frame, to its end (PROTOCOL_ERROR). */
  readonly headerSeconds: number;
  /** From the beginning of a request's body to its end, unless its handler lets it take longer (CANCEL). */
  readonly bodySeconds: number;
  /** With something to say to a peer that grants no window, unless a handler lets it take longer, or does not read (CANCEL; closed). */
  readonly stallSeconds: number;
  /** Without any stream (NO_ERROR). */
  readonly idleSeconds: number;
  /** Without a byte from the peer until it is asked for a sign of life; the second question without an answer is the last (closed). */
  readonly pingSeconds: number;
  /** For what is under way after a graceful end was announced, where the peer does not answer (NO_ERROR). */
  readonly drainSeconds: number;
  /** For the last words to be read before the connection is cut. */
  readonly lingerMs: number;
  /** From here on each second of this sort is too much for one connection (ENHANCE_YOUR_CALM). */
  readonly perSecond: RateLimits;
  /** Requests that the peer resets before they are answered, and streams that we reset because of it. */
  readonly resets: Allowance;
  /** All that no sound peer does, and that would cost it nothing: so that the next flood is not free. */
  readonly glitches: Allowance;
}

export interface RateLimits {
  readonly streams: number;
  readonly headerBytes: number;
  readonly settings: number;
  /** Beside one for each stream opened and each answer or DATA sent: gRPC clients measure their bandwidth with every message. */
  readonly pings: number;
  /** WINDOW_UPDATE, PRIORITY, and RST_STREAM for what has ended; beside eight for each stream opened and each answer or DATA sent. */
  readonly controls: number;
  /** DATA of less than 256 bytes that end nothing. */
  readonly smallFrames: number;
  /** DATA without any byte that end nothing. */
  readonly emptyFrames: number;
  readonly unknownFrames: number;
}

export interface Allowance {
  readonly atOnce: number;
  readonly perSecond: number;
}

export const HTTP2_LIMITS: Http2Limits = {
  maxStreams: 1_000,
  maxHeaderListBytes: 16_384,
  maxHeaderFields: 200,
  maxHeaderBlockBytes: 32_768,
  maxContinuations: 8,
  maxQuickBodyBytes: 16_384,
  streamWindowBytes: 262_144,
  connectionWindowBytes: 1_048_576,
  maxUnreadBytes: 16_777_216,
  maxUnreadBytesInAll: 268_435_456,
  maxUnsentBytes: 1_048_576,
  handshakeSeconds: 10,
  headerSeconds: 10,
  bodySeconds: 30,
  stallSeconds: 30,
  idleSeconds: 3_600,
  pingSeconds: 10,
  drainSeconds: 5,
  lingerMs: 500,
  perSecond: {
    streams: 250_000,
    headerBytes: 16_777_216,
    settings: 50,
    pings: 100,
    controls: 200,
    smallFrames: 5_000,
    emptyFrames: 50,
    unknownFrames: 100,
  },
  resets: { atOnce: 200, perSecond: 50 },
  glitches: { atOnce: 100, perSecond: 2 },
};
