/** The numbers of RFC 9113 that several files need, and the one exception that ends a connection. */

/** Frame types: section 6. */
export const [DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS] = [0, 1, 2, 3, 4] as const;
export const [PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION] = [5, 6, 7, 8, 9] as const;

/** Flags; END_STREAM and ACK are the same bit of different frames. */
export const [END_STREAM, ACK, END_HEADERS, PADDED, HAS_PRIORITY] = [0x01, 0x01, 0x04, 0x08, 0x20] as const;

/** Error codes: section 7. */
export const [NO_ERROR, PROTOCOL_ERROR, INTERNAL_ERROR, FLOW_CONTROL_ERROR] = [0, 1, 2, 3] as const;
export const [STREAM_CLOSED, FRAME_SIZE_ERROR, REFUSED_STREAM, CANCEL] = [5, 6, 7, 8] as const;
export const [COMPRESSION_ERROR, ENHANCE_YOUR_CALM] = [9, 11] as const;

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
