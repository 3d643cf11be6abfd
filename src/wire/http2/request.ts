import type { Duplex } from 'node:stream';
import { ENHANCE_YOUR_CALM, fail } from './codes.ts';
import * as field from './fields.ts';
import type { Http2Limits } from './limits.ts';
import type { Prepared } from './prepared.ts';

/** Where requests come from: one connection. An application keeps what it knows of the peer under it. */
export interface Peer {
  /**
   * Writes a piece to a stream that `Request.open` has opened. False when it cannot be written now, and nothing was: `writable` of the
   * application tells when to try again. True for a stream that has ended: `left` tells, or has told, of that.
   */
  append(id: number, piece: Prepared): boolean;
  /** Ends such a stream with the trailers that were prepared. */
  finish(id: number, trailers: Prepared): void;
  /** Ends the connection gracefully. */
  close(): void;
  /** Ends it at once. */
  destroy(): void;
  /** What the engine was given to serve. */
  readonly duplex: Duplex;
  /** For the application: whatever it keeps of a connection. */
  owner: object | undefined;
}

/** What a request may be answered by, in the same turn. */
export interface Answering extends Peer {
  reply(request: Request, answer: Prepared): void;
  open(request: Request, head: Prepared): void;
}

/**
 * A header as it was decoded, and what there is of the body. One of these serves many requests after each other: an application may
 * read it while it is asked about it, and keeps neither it nor `body`, whose bytes lie from `start` to `end`.
 */
export class Request {
  /** Undefined once it has been answered. */
  connection: Answering | undefined;
  id = 0;
  /** What the application said that it is. */
  route = 0;
  readonly fields: field.Field[] = [];
  /** How many of `fields` are of this request. */
  count = 0;
  method: field.Field | undefined;
  scheme: field.Field | undefined;
  path: field.Field | undefined;
  authority: field.Field | undefined;
  /** The marks of all fields. */
  marks = 0;
  /** For the application: what it wants to know again of the request when it is whole, or of its stream if it becomes one. */
  note: unknown;
  /** -1 when it is not said. */
  contentLength = -1;
  body: Uint8Array = NOTHING;
  start = 0;
  end = 0;

  // What follows is for the connection.

  /** When it began, in the engine's time. */
  since = 0;
  /** Of the body so far. */
  received = 0;
  /** What the peer may still send on the stream, and the WINDOW_UPDATEs for it so far. */
  window = 0;
  credit = 0;
  /** A Request is one whose body is not whole, and should be soon. */
  readonly isReceived = false;
  readonly isHurried = true;
  /** Some of its fields were let go. */
  isTooLarge = false;
  /** Of its header, as its limit counts; and how much of that is counted with what waits. */
  size = 0;
  held = 0;
  /** All meanings so far. */
  #seen = 0;
  readonly #limits: Http2Limits;

  constructor(limits: Http2Limits) {
    this.#limits = limits;
  }

  begin(): void {
    this.method = this.scheme = this.path = this.authority = undefined;
    this.count = this.marks = this.#seen = this.size = this.held = 0;
    this.contentLength = -1;
    this.start = this.end = this.received = this.credit = 0;
    this.window = this.#limits.streamWindowBytes;
    this.isTooLarge = false;
  }

  /** Takes the next field, in the order in which they came. One that is too much is looked at all the same, but not kept. */
  add(next: field.Field): void {
    const { meaning } = next;
    this.size += next.size;
    if (this.size > this.#limits.maxHeaderBytes || this.count >= this.#limits.maxHeaderFields) {
      this.isTooLarge = true;
      if (this.size > 2 * this.#limits.maxHeaderBytes) fail(ENHANCE_YOUR_CALM, 'header list too large');
      return;
    }
    if ((meaning & field.PSEUDO) !== 0) {
      // Each once, and before all others (RFC 9113 section 8.3).
      if ((this.#seen & ((meaning & field.PSEUDO) | field.REGULAR)) !== 0) this.#seen |= field.MALFORMED;
      if ((meaning & field.PATH) !== 0) this.path = next;
      else if ((meaning & field.METHOD) !== 0) this.method = next;
      else if ((meaning & field.AUTHORITY) !== 0) this.authority = next;
      else this.scheme = next;
    } else if ((meaning & field.CONTENT_LENGTH) !== 0) {
      const length = Number(next.value);
      if ((this.#seen & field.CONTENT_LENGTH) !== 0 && length !== this.contentLength) this.#seen |= field.MALFORMED;
      this.contentLength = length;
    }
    this.#seen |= meaning;
    this.marks |= next.mark;
    this.fields[this.count++] = next;
  }

  /** As a request: sections 8.1.1 and 8.3.1. `ended` when it has no body. */
  isMalformed(ended: boolean): boolean {
    const seen = this.#seen;
    if (this.has(field.MALFORMED)) return true;
    if (this.has(field.CONNECT)) return (seen & field.PSEUDO) !== (field.METHOD | field.AUTHORITY);
    if ((seen & (field.METHOD | field.SCHEME | field.PATH)) !== (field.METHOD | field.SCHEME | field.PATH)) return true;
    return (this.has(field.ASTERISK) && !this.has(field.OPTIONS)) || (ended && this.contentLength > 0);
  }

  has(meaning: number): boolean {
    return (this.#seen & meaning) !== 0;
  }

  /** Adds to the body what stands in a frame, by copying it: the frame's bytes are others' by the next turn. */
  append(bytes: Uint8Array, start: number, end: number): void {
    const length = this.end + end - start;
    if (length > this.body.length) {
      const grown = new Uint8Array(Math.max(length, 2 * this.body.length));
      grown.set(this.body.subarray(0, this.end));
      this.body = grown;
    }
    this.body.set(bytes.subarray(start, end), this.end);
    this.end = length;
  }

  /** Answers at once, whole. */
  reply(answer: Prepared): void {
    const { connection } = this;
    this.connection = undefined;
    connection?.reply(this, answer);
  }

  /** Begins an answer that stays open: from here on it is a number, for `Peer.append` and `Peer.finish`. */
  open(head: Prepared): void {
    const { connection } = this;
    this.connection = undefined;
    connection?.open(this, head);
  }
}

const NOTHING = new Uint8Array(0);
