import { CANCEL, NO_ERROR } from './codes.ts';
import { EXPECT, type Field } from './fields.ts';
import { encodeFields, type Fields, type Prepared } from './prepared.ts';
import type { Peer, Request } from './request.ts';

/** What a stream asks of its connection. */
export interface StreamOwner extends Peer {
  readonly maxUnsentBytes: number;
  /** What all streams have to say and cannot. */
  waitingBytes: number;
  writeHeader(id: number, block: Uint8Array, ends: boolean): void;
  /** Sends what may be sent of what the stream has to say. */
  pump(stream: Stream): void;
  /** All of its answer is out. */
  answered(stream: Stream): void;
  /** Its handler has taken bytes of the body. */
  taken(stream: Stream, bytes: number): void;
  reset(id: number, code: number, ends: boolean): void;
}

/** The stream ended before what was waited for. */
export class StreamClosed extends Error {
  /** As in RST_STREAM; NO_ERROR when the answer was whole before the request. */
  readonly code: number;

  constructor(code: number) {
    super(`the stream was closed with code ${code}`);
    this.code = code;
  }
}

const CONTINUE = encodeFields([[':status', '100']]);

/**
 * One request and its answer, for handlers that take their time: the body as it comes, the answer piece by piece. All that happens is
 * told by the three callbacks, always after the frames of a turn have been read, never from within a call of the handler's own.
 */
export class Stream {
  readonly id: number;
  readonly peer: Peer;
  readonly method: string;
  readonly scheme: string;
  readonly path: string;
  /** "" where there was none: then the field `host` counts. */
  readonly authority: string;
  /** All fields in their order, the pseudo fields included. */
  readonly fields: readonly Field[];
  /** Of its request, as the application has left it. */
  readonly note: unknown;
  /** There is something to `read`, or nothing more will come. */
  onReadable: (() => void) | undefined;
  /** After a `write` that answered false: all of it has been sent. */
  onDrain: (() => void) | undefined;
  /** Once, however it ended: with `NO_ERROR` when the answer is out. */
  onClose: ((code: number) => void) | undefined;

  // What follows is for the connection. What a Request has too means the same.

  /** Whether its handler has been called; whether it is to be told of something, and whether that is to be read. */
  isStarted = false;
  isWoken = false;
  hasNews = false;
  /** The request has been received to its end. */
  isReceived = false;
  isHeaderSent = false;
  /** Nothing more can be said. */
  isEnding = false;
  isOver = false;
  closeCode: number = NO_ERROR;
  /** Its request must be whole within the time for bodies, and its answer be taken. */
  isHurried = true;
  readonly since: number;
  readonly contentLength: number;
  received: number;
  held: number;
  window: number;
  /** Taken, and not yet given back to the peer. */
  owed = 0;
  trailers: readonly Field[] = [];
  readonly unread: Uint8Array[] = [];
  /** What waits to be sent, the first of it from `offset` on. */
  readonly unsent: Uint8Array[] = [];
  offset = 0;
  unsentBytes = 0;
  trailerBlock: Uint8Array | undefined;
  /** WINDOW_UPDATEs less what was sent: the initial window comes on top, as it is at the time. */
  credit: number;
  isDrainWanted = false;
  /** Since when it waits for a window, and how much it has sent since. */
  waitsSince = 0;
  sentSince = 0;
  readonly #owner: StreamOwner;
  #expects: boolean;

  constructor(request: Request, owner: StreamOwner) {
    this.id = request.id;
    this.peer = owner;
    this.#owner = owner;
    this.method = request.method?.value ?? '';
    this.scheme = request.scheme?.value ?? '';
    this.path = request.path?.value ?? '';
    this.authority = request.authority?.value ?? '';
    this.fields = request.fields.slice(0, request.count);
    this.note = request.note;
    this.since = request.since;
    this.contentLength = request.contentLength;
    this.received = request.received;
    this.held = request.held;
    request.held = 0;
    this.window = request.window;
    this.credit = request.credit;
    this.#expects = request.has(EXPECT) && this.header('expect')?.toLowerCase() === '100-continue';
  }

  /** All values of a field, with commas between them; undefined when there is none. Cookies are joined as they were split. */
  header(name: string): string | undefined {
    const values = this.fields.filter((field) => field.name === name).map(({ value }) => value);
    return values.length === 0 ? undefined : values.join(name === 'cookie' ? '; ' : ', ');
  }

  /** The next bytes of the body, which are the reader's; undefined when there are none now. */
  read(): Uint8Array | undefined {
    const chunk = this.unread.shift();
    if (chunk !== undefined) {
      this.#owner.taken(this, chunk.length);
    } else if (this.#expects && !this.isReceived && !this.isHeaderSent && !this.isOver) {
      this.#expects = false;
      this.#owner.writeHeader(this.id, CONTINUE, false);
    }
    return chunk;
  }

  /** The body has been read to its end; what follows it is in `trailers`. */
  get isRead(): boolean {
    return this.isReceived && this.unread.length === 0;
  }

  /** The body, for one reader. Throws StreamClosed when it is broken off. */
  async *body(): AsyncGenerator<Uint8Array, void, undefined> {
    while (!this.isRead) {
      const chunk = this.read();
      if (chunk !== undefined) yield chunk;
      else if (this.isOver) throw new StreamClosed(this.closeCode);
      else await new Promise<void>((resolve) => (this.onReadable = resolve));
    }
  }

  /** It may take as long as it likes, and its peer not read for as long: it is a conversation, and its handler knows for how long. */
  takeTime(): void {
    this.isHurried = false;
  }

  /** Begins the answer; `ends` when there is nothing but the header. Throws a RangeError for what no header may contain. */
  respond(status: number, fields: Fields, ends = false): void {
    const block = encodeFields([[':status', String(status)], ...fields]);
    if (!this.isOver && !this.isHeaderSent) this.#begin(block, ends);
  }

  /**
   * Sends bytes, which must not change any more. False when the peer does not take them as fast: `onDrain` tells when it has. Whoever
   * goes on regardless loses the stream.
   */
  write(chunk: Uint8Array): boolean {
    if (this.isOver || this.isEnding || !this.isHeaderSent) return false;
    if (this.unsentBytes > this.#owner.maxUnsentBytes) {
      this.reset(CANCEL);
      return false;
    }
    this.#queue(chunk);
    this.#owner.pump(this);
    this.isDrainWanted = this.unsentBytes > 0;
    return !this.isDrainWanted;
  }

  /** Ends the answer, with trailers or without. */
  end(trailers?: Fields): void {
    const block = trailers && encodeFields(trailers);
    if (!this.isOver && !this.isEnding && this.isHeaderSent) this.#finish(block);
  }

  /** A whole answer. */
  answer({ head, data, trailers, ends }: Prepared): void {
    if (this.isOver || this.isHeaderSent || head === undefined) return;
    const isAll = ends && data.length === 0 && trailers === undefined;
    this.#begin(head, isAll);
    if (isAll) return;
    this.#queue(data);
    if (ends) this.#finish(trailers);
    else this.#owner.pump(this);
  }

  /** Gives up. */
  reset(code: number): void {
    if (!this.isOver) this.#owner.reset(this.id, code, this.isReceived);
  }

  /** It has ended. Answers how much of the body nobody will read: a body of which some is missing is not whole. */
  breakOff(code: number): number {
    let lost = 0;
    for (const { length } of this.unread) lost += length;
    if (lost > 0) this.isReceived = false;
    this.unread.length = 0;
    this.unsent.length = 0;
    this.#owner.waitingBytes -= this.unsentBytes;
    this.unsentBytes = 0;
    this.isOver = true;
    this.closeCode = code;
    return lost;
  }

  /** Tells its handler what has happened. */
  tell(): void {
    const { hasNews, isOver } = this;
    this.hasNews = false;
    if (hasNews || isOver) this.onReadable?.();
    if (isOver) {
      this.onClose?.(this.closeCode);
      this.onClose = undefined;
    } else if (this.isDrainWanted && this.unsentBytes === 0) {
      this.isDrainWanted = false;
      this.onDrain?.();
    }
  }

  #begin(block: Uint8Array, ends: boolean): void {
    this.isHeaderSent = true;
    this.isEnding = ends;
    this.#owner.writeHeader(this.id, block, ends);
    if (ends) this.#owner.answered(this);
  }

  #finish(trailers: Uint8Array | undefined): void {
    this.trailerBlock = trailers;
    this.isEnding = true;
    this.#owner.pump(this);
  }

  #queue(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    this.unsent.push(chunk);
    this.unsentBytes += chunk.length;
    this.#owner.waitingBytes += chunk.length;
  }
}
