/** The numbers of RFC 9113 that several files need, and the one exception that ends a connection. */

/** Frame types: section 6. */
export const DATA = 0;
export const HEADERS = 1;
export const PRIORITY = 2;
export const RST_STREAM = 3;
export const SETTINGS = 4;
export const PUSH_PROMISE = 5;
export const PING = 6;
export const GOAWAY = 7;
export const WINDOW_UPDATE = 8;
export const CONTINUATION = 9;

/** Flags; END_STREAM and ACK are the same bit of different frames. */
export const END_STREAM = 0x01;
export const ACK = 0x01;
export const END_HEADERS = 0x04;
export const PADDED = 0x08;
export const HAS_PRIORITY = 0x20;

/** Error codes: section 7. */
export const NO_ERROR = 0;
export const PROTOCOL_ERROR = 1;
export const INTERNAL_ERROR = 2;
export const FLOW_CONTROL_ERROR = 3;
export const STREAM_CLOSED = 5;
export const FRAME_SIZE_ERROR = 6;
export const REFUSED_STREAM = 7;
export const CANCEL = 8;
export const COMPRESSION_ERROR = 9;
export const ENHANCE_YOUR_CALM = 11;

export const FRAME_HEADER_BYTES = 9;
/** What each side must take, and the most that this one takes or sends (sections 4.2 and 6.5.2). */
export const MAX_FRAME_BYTES = 16_384;
/** Of any window, and the highest number of a stream: 31 bits (sections 5.1.1 and 6.9.1). */
export const MAX_31 = 0x7fff_ffff;
/** The first window of a connection, and that of a stream until SETTINGS say otherwise (section 6.9.2). */
export const FIRST_WINDOW = 65_535;

/** What a peer did that its connection cannot outlive (section 5.4.1). The reason is a constant, for GOAWAY and for counting. */
export class ConnectionError extends Error {
  readonly code: number;

  constructor(code: number, reason: string) {
    super(reason);
    this.code = code;
  }
}

export function fail(code: number, reason: string): never {
  throw new ConnectionError(code, reason);
}
