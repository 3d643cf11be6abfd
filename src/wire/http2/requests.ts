import { Answers } from './answers.ts';
import { CONTROL_FRAMES, EMPTY_FRAMES, ERRORS, HEADER_BYTES, RESETS, SMALL_FRAMES, STREAMS } from './budget.ts';
import * as h2 from './codes.ts';
import { CONNECT, EXPECT, MALFORMED, PSEUDO } from './fields.ts';
import { HeaderDecoder } from './header-decoder.ts';
import { Prepared } from './prepared.ts';
import { Request } from './request.ts';
import { Stream } from './stream.ts';

const TOO_LARGE = new Prepared({ head: [[':status', '431']] });
const NOT_IMPLEMENTED = new Prepared({ head: [[':status', '501']] });

/** DATA frames that are shorter, and end nothing, are counted. */
const SMALL_FRAME_BYTES = 256;
/** Of a body that nobody reads. */
const MOST_PIECES = 64;

/**
 * The third layer of a Connection: what the peer sends on streams, each frame by the state of its stream (RFC 9113 section 5.1), and
 * the windows it grants.
 */
export abstract class Requests extends Answers {
  /** The highest stream that the peer has used. */
  protected lastId = 0;
  /** The highest that has been served, for GOAWAY, which must not name a higher one than the time before (section 6.8). */
  protected lastServed = 0;
  /** GOAWAY has named it: newer ones are not served. */
  protected isLeaving = false;
  readonly #decoder = new HeaderDecoder(this.shared);

  /** A header block, whole. It is decoded whatever becomes of it: the table is one for all. */
  protected header(id: number, ends: boolean, block: Buffer, start: number, end: number): void {
    if (end - start > this.shared.maxBlockBytes) h2.fail(h2.ENHANCE_YOUR_CALM, 'header block too large');
    this.budget.spend(HEADER_BYTES, end - start);
    const request = this.shared.takeRequest();
    this.#decoder.decode(block, start, end, request);
    if (id > this.lastId) this.#begin(id, ends, request);
    else this.#trailers(id, ends, request);
    if (this.table.latest !== request) this.shared.giveRequest(request);
  }

  #begin(id: number, ends: boolean, request: Request): void {
    this.lastId = id;
    this.budget.traffic++;
    this.budget.spend(STREAMS);
    if (this.isLeaving) {
      if (!ends) this.table.reset(id);
      return;
    }
    this.lastServed = id;
    request.id = id;
    request.connection = this;
    request.since = this.shared.now;
    if (request.isTooLarge) {
      this.overLimit('header too large');
      this.refuse(request, TOO_LARGE, ends);
    } else if (request.isMalformed(ends)) this.fault(id, h2.PROTOCOL_ERROR, 'malformed request', ends);
    else if (request.has(CONNECT)) this.refuse(request, NOT_IMPLEMENTED, ends);
    else if (Math.max(this.table.size, this.working) < this.shared.limits.maxStreamsPerConnection) this.#serve(ends, request);
    else {
      this.overLimit('too many open streams');
      this.budget.spend(RESETS);
      this.reset(id, h2.REFUSED_STREAM, ends);
    }
  }

  #serve(ends: boolean, request: Request): void {
    request.route = this.shared.application.route(request);
    if (request.route === 0 || (!ends && request.has(EXPECT))) this.handle(request, ends);
    else if (ends) this.#answer(request);
    else if (this.hold(request, ends)) this.table.add(request.id, request);
  }

  #answer(request: Request): void {
    this.shared.application.answer(request);
    if (request.connection) this.handle(request, true);
  }

  /** A header on a stream that was there before: trailers (section 8.1), or a mistake. */
  #trailers(id: number, ends: boolean, trailers: Request): void {
    const open = this.table.get(id);
    if (open && !open.isReceived) {
      const isSound = ends && !trailers.has(MALFORMED | PSEUDO) && !trailers.isTooLarge;
      if (isSound) this.#received(open, trailers);
      else this.fault(id, h2.PROTOCOL_ERROR, 'malformed trailers', ends);
    } else if (open) {
      this.fault(id, h2.STREAM_CLOSED, 'HEADERS after the end', true);
    } else if (this.table.isReset(id, ends)) {
      this.budget.spend(ERRORS);
    } else {
      const code = this.table.howEnded(id) === undefined ? h2.PROTOCOL_ERROR : h2.STREAM_CLOSED;
      h2.fail(code, 'HEADERS on a stream that is closed');
    }
  }

  /** `flow` is the whole length of the frame, padding included: that is what counts for windows (section 6.9). */
  protected data(id: number, ends: boolean, bytes: Buffer, start: number, end: number, flow: number): void {
    const length = end - start;
    if (!ends && length < SMALL_FRAME_BYTES) this.budget.spend(length === 0 ? EMPTY_FRAMES : SMALL_FRAMES);
    const open = this.table.get(id);
    if (open && !open.isReceived) {
      open.received += length;
      open.window -= flow;
      if (open.window < 0) this.fault(id, h2.FLOW_CONTROL_ERROR, 'more data than there is a window for', ends);
      else if (open.contentLength >= 0 && open.received > open.contentLength)
        this.fault(id, h2.PROTOCOL_ERROR, 'more data than was said', ends);
      else if (!this.keep(length)) this.fault(id, h2.ENHANCE_YOUR_CALM, 'too much data that nobody takes', ends);
      else if (open instanceof Request) this.#body(open, ends, bytes, start, end);
      else this.#receive(open, ends, bytes.subarray(start, end), flow - length);
    } else if (open) this.fault(id, h2.STREAM_CLOSED, 'DATA after the end', true);
    else if (this.table.isReset(id, ends)) return;
    else if (this.table.howEnded(id) === 'whole') h2.fail(h2.STREAM_CLOSED, 'DATA on a stream that is closed');
    else this.fault(id, h2.STREAM_CLOSED, 'DATA on a stream that is closed', ends);
  }

  #body(request: Request, ends: boolean, bytes: Buffer, start: number, end: number): void {
    if (ends && request.end === 0) {
      request.body = bytes;
      request.start = start;
      request.end = end;
    } else {
      request.append(bytes, start, end);
    }
    if (ends) this.#received(request);
    // No body may take so much of the window that the rest has no room in it.
    else if (request.window < this.shared.limits.streamWindowBytes / 2 || !this.shared.application.mayWait(request)) {
      this.table.remove(request.id);
      this.handle(request, false);
      this.drop(request);
    }
  }

  #receive(stream: Stream, ends: boolean, piece: Buffer, padding: number): void {
    if (piece.length > 0) {
      // Many short pieces would take more than what is in them.
      if (stream.unread.length >= MOST_PIECES) stream.unread.push(Buffer.concat(stream.unread.splice(0)));
      stream.unread.push(new Uint8Array(piece));
      this.#news(stream);
    }
    // Padding is nobody's to take.
    if (padding > 0) this.giveBack(stream, padding);
    if (ends) this.#received(stream);
  }

  /** The peer has said all. */
  #received(open: Request | Stream, trailers?: Request): void {
    if (open.contentLength >= 0 && open.received !== open.contentLength) {
      this.fault(open.id, h2.PROTOCOL_ERROR, 'less data than was said', true);
    } else if (open instanceof Request) {
      this.table.remove(open.id);
      this.#answer(open);
      this.drop(open);
    } else {
      open.isReceived = true;
      if (trailers) open.trailers = trailers.fields.slice(0, trailers.count);
      this.#news(open);
    }
  }

  protected resetByPeer(id: number, code: number): void {
    const open = this.table.get(id);
    if (!open) {
      this.table.isReset(id, true);
      this.budget.spend(CONTROL_FRAMES);
      return;
    }
    if (open instanceof Request || (open instanceof Stream && !open.isHeaderSent)) this.budget.spend(RESETS);
    this.end(id, code);
    this.table.end(id, true);
  }

  /** The peer lets us send more on a stream. */
  protected grant(id: number, increment: number): void {
    const open = this.table.get(id);
    if (!open) return;
    if (this.initialWindow + open.credit + increment > h2.MAX_31) {
      this.fault(id, h2.FLOW_CONTROL_ERROR, 'window too large', open.isReceived);
      return;
    }
    open.credit += increment;
    if (open instanceof Stream) this.pump(open);
    else this.isWritable = true;
  }

  /** Requests that are not whole in time, and answers that are not taken, end. */
  protected checkTimes(): void {
    for (const [id, open] of this.table.all()) {
      if (open.isReceived || !open.isHurried || this.shared.now - open.since <= this.shared.limits.bodyTimeoutMs) continue;
      this.shared.totals.count('a body that does not end');
      this.reset(id, h2.CANCEL, false);
    }
    this.checkWaiting();
  }

  #news(stream: Stream): void {
    stream.hasNews = true;
    this.wake(stream);
  }
}
