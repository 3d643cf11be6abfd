import type { Answers } from './answers.ts';
import type { Budget } from './budget.ts';
import * as h2 from './codes.ts';
import { CONNECT, EXPECT, MALFORMED, PSEUDO } from './fields.ts';
import { HeaderDecoder } from './header-decoder.ts';
import type { Http2Limits } from './limits.ts';
import { Prepared } from './prepared.ts';
import type { Request } from './request.ts';
import type { Shared } from './shared.ts';
import type { Stream } from './stream.ts';
import type { StreamTable } from './stream-table.ts';

const TOO_LARGE = new Prepared({ head: [[':status', '431']] });
const NOT_IMPLEMENTED = new Prepared({ head: [[':status', '501']] });

/** Of a body that nobody reads. */
const MOST_PIECES = 64;

/** What the peer sends on streams: each frame by the state of its stream (RFC 9113 section 5.1), and the windows it grants. */
export class Requests {
  /** The highest stream that the peer has used. */
  lastId = 0;
  /** The highest that has been served, for GOAWAY, which must not name a higher one than the time before (section 6.8). */
  lastServed = 0;
  /** GOAWAY has named it: newer ones are not served. */
  isLeaving = false;
  readonly #shared: Shared;
  readonly #limits: Http2Limits;
  readonly #budget: Budget;
  readonly #table: StreamTable;
  readonly #answers: Answers;
  readonly #decoder: HeaderDecoder;

  constructor(shared: Shared, answers: Answers) {
    this.#shared = shared;
    this.#limits = shared.limits;
    this.#budget = answers.budget;
    this.#table = answers.table;
    this.#answers = answers;
    this.#decoder = new HeaderDecoder(shared);
  }

  /** A header block, whole. It is decoded whatever becomes of it: the table is one for all. */
  header(id: number, ends: boolean, block: Buffer, start: number, end: number): void {
    if (end - start > this.#limits.maxHeaderBlockBytes) h2.fail(h2.ENHANCE_YOUR_CALM, 'header block too large');
    this.#budget.header(end - start);
    const request = this.#shared.takeRequest();
    this.#decoder.decode(block, start, end, request);
    if (id <= this.lastId) this.#trailers(id, ends, request);
    else if (this.#begin(id, ends, request)) return;
    this.#shared.giveRequest(request);
  }

  /** True when the request is kept, as more is to come. */
  #begin(id: number, ends: boolean, request: Request): boolean {
    this.lastId = id;
    this.#budget.stream();
    request.id = id;
    request.connection = this.#answers;
    request.since = this.#shared.second;
    if (this.isLeaving) {
      this.#table.reset(id, ends);
      return false;
    }
    this.lastServed = id;
    if (request.isTooLarge) this.#answers.refuse(request, TOO_LARGE, ends);
    else if (request.isMalformed(ends)) this.#answers.fault(id, h2.PROTOCOL_ERROR, ends);
    else if (request.has(CONNECT)) this.#answers.refuse(request, NOT_IMPLEMENTED, ends);
    else if (this.#isFull) this.#refuse(id, ends);
    else return this.#serve(ends, request);
    return false;
  }

  get #isFull(): boolean {
    return this.#table.size >= this.#limits.maxStreams || this.#answers.working >= this.#limits.maxStreams;
  }

  #refuse(id: number, ends: boolean): void {
    this.#budget.reset();
    this.#answers.reset(id, h2.REFUSED_STREAM, ends);
  }

  #serve(ends: boolean, request: Request): boolean {
    request.route = this.#shared.application.route(request);
    if (request.route === 0 || (!ends && request.has(EXPECT))) {
      this.#answers.handle(request, ends);
    } else if (ends) {
      this.#answer(request);
    } else {
      this.#table.hold(request);
      return true;
    }
    return false;
  }

  /** A header on a stream that was there before: trailers (section 8.1), or a mistake. */
  #trailers(id: number, ends: boolean, trailers: Request): void {
    const isSound = ends && !trailers.has(MALFORMED | PSEUDO) && !trailers.isTooLarge;
    const request = this.#table.request(id);
    const stream = this.#table.handled.get(id);
    if (request) {
      if (isSound && (request.contentLength < 0 || request.contentLength === request.end)) this.#whole(request);
      else this.#answers.fault(id, h2.PROTOCOL_ERROR, ends);
    } else if (stream && !stream.isReceived) {
      if (isSound) this.#received(stream, trailers);
      else this.#answers.fault(id, h2.PROTOCOL_ERROR, ends);
    } else if (stream || this.#table.opened?.has(id)) {
      this.#answers.fault(id, h2.STREAM_CLOSED, true);
    } else if (this.#table.isReset(id, ends)) {
      this.#budget.glitch();
    } else {
      const code = this.#table.howEnded(id) === undefined ? h2.PROTOCOL_ERROR : h2.STREAM_CLOSED;
      h2.fail(code, 'HEADERS on a stream that is closed');
    }
  }

  /** `flow` is the whole length of the frame, padding included: that is what counts for windows (section 6.9). */
  data(id: number, ends: boolean, bytes: Buffer, start: number, end: number, flow: number): void {
    if (!ends) this.#budget.data(end - start);
    const request = this.#table.request(id);
    if (request) {
      this.#body(request, ends, bytes, start, end, flow);
      return;
    }
    const stream = this.#table.handled.get(id);
    if (stream && !stream.isReceived) this.#receive(stream, ends, bytes, start, end, flow);
    else if (stream || this.#table.opened?.has(id)) this.#answers.fault(id, h2.STREAM_CLOSED, true);
    else if (this.#table.isReset(id, ends)) return;
    else if (this.#table.howEnded(id) === 'whole') h2.fail(h2.STREAM_CLOSED, 'DATA on a stream that is closed');
    else this.#answers.fault(id, h2.STREAM_CLOSED, ends);
  }

  #body(request: Request, ends: boolean, bytes: Buffer, start: number, end: number, flow: number): void {
    const total = request.end + end - start;
    const length = request.contentLength;
    request.flow += flow;
    if (length >= 0 && (ends ? total !== length : total > length)) {
      this.#answers.fault(request.id, h2.PROTOCOL_ERROR, ends);
    } else if (ends && request.end === 0) {
      request.body = bytes;
      request.start = start;
      request.end = end;
      this.#whole(request);
    } else if (!this.#answers.keep(end - start)) {
      this.#answers.fault(request.id, h2.ENHANCE_YOUR_CALM, ends);
    } else {
      request.kept += end - start;
      request.append(bytes, start, end);
      if (ends && total <= this.#limits.maxQuickBodyBytes) this.#whole(request);
      else if (ends || !this.#mayWait(request)) this.#handle(request, ends);
    }
  }

  #mayWait(request: Request): boolean {
    const isShort = request.end <= this.#limits.maxQuickBodyBytes && request.flow <= this.#limits.streamWindowBytes / 2;
    return isShort && this.#shared.application.mayWait(request);
  }

  /** It looked as if it could be answered from prepared bytes, and is for a handler after all. */
  #handle(request: Request, ends: boolean): void {
    this.#table.release(request);
    this.#answers.handle(request, ends);
    this.#answers.drop(request);
  }

  #whole(request: Request): void {
    this.#table.release(request);
    this.#answer(request);
    this.#answers.drop(request);
  }

  #answer(request: Request): void {
    this.#shared.application.answer(request);
    if (request.connection) this.#answers.handle(request, true);
  }

  #receive(stream: Stream, ends: boolean, bytes: Buffer, start: number, end: number, flow: number): void {
    stream.window -= flow;
    stream.received += end - start;
    if (stream.window < 0) {
      this.#answers.fault(stream.id, h2.FLOW_CONTROL_ERROR, ends);
    } else if (stream.contentLength >= 0 && stream.received > stream.contentLength) {
      this.#answers.fault(stream.id, h2.PROTOCOL_ERROR, ends);
    } else if (!this.#answers.keep(end - start)) {
      this.#answers.fault(stream.id, h2.ENHANCE_YOUR_CALM, ends);
    } else {
      if (end > start) {
        // Many short pieces would take more than what is in them.
        if (stream.unread.length >= MOST_PIECES) stream.unread.push(Buffer.concat(stream.unread.splice(0)));
        stream.unread.push(new Uint8Array(bytes.subarray(start, end)));
        this.#answers.news(stream);
      }
      // Padding is nobody's to take.
      if (flow > end - start) this.#answers.giveBack(stream, flow - (end - start));
      if (ends) this.#received(stream, undefined);
    }
  }

  #received(stream: Stream, trailers: Request | undefined): void {
    if (stream.contentLength >= 0 && stream.received !== stream.contentLength) {
      this.#answers.fault(stream.id, h2.PROTOCOL_ERROR, true);
      return;
    }
    stream.isReceived = true;
    if (trailers) stream.trailers = trailers.fields.slice(0, trailers.count);
    this.#answers.news(stream);
  }

  resetByPeer(id: number, code: number): void {
    const request = this.#table.request(id);
    const stream = this.#table.handled.get(id);
    if (request) {
      this.#answers.drop(request);
      this.#budget.reset();
    } else if (stream) {
      this.#answers.forget(stream, code);
      if (!stream.isHeaderSent) this.#budget.reset();
    } else if (this.#table.opened?.delete(id)) {
      this.#shared.application.left(this.#answers, id);
    } else {
      this.#table.isReset(id, true);
      this.#budget.control();
      return;
    }
    this.#table.end(id, true);
  }

  windowUpdate(id: number, increment: number): void {
    const stream = this.#table.handled.get(id);
    const pending = stream ?? this.#table.request(id);
    const credit = pending?.credit ?? this.#table.opened?.get(id);
    if (credit === undefined) return;
    if (this.#answers.sender.initial + credit + increment > h2.MAX_WINDOW) {
      this.#answers.fault(id, h2.FLOW_CONTROL_ERROR, stream?.isReceived ?? !pending);
      return;
    }
    if (pending) pending.credit += increment;
    else this.#table.opened?.set(id, credit + increment);
    if (stream) this.#answers.sender.pump(stream);
    this.#answers.isWritable = true;
  }

  connectionWindowUpdate(increment: number): void {
    if (this.#answers.sender.window + increment > h2.MAX_WINDOW) h2.fail(h2.FLOW_CONTROL_ERROR, 'window too large');
    this.#answers.sender.window += increment;
    this.canSend();
  }

  /** Of every stream, those that are open too (section 6.9.2). */
  initialWindow(size: number): void {
    const check = (credit: number) => {
      if (credit + size > h2.MAX_WINDOW) h2.fail(h2.FLOW_CONTROL_ERROR, 'window too large');
    };
    for (const { credit } of this.#table.handled.values()) check(credit);
    for (const { credit } of this.#table.requests()) check(credit);
    for (const credit of this.#table.opened?.values() ?? []) check(credit);
    this.#answers.sender.initial = size;
  }

  /** There may be room for what has waited. */
  canSend(): void {
    this.#answers.sender.serve();
    this.#answers.isWritable = true;
  }

  /** Requests that are not whole in time, and answers that their peer does not take. */
  checkTimes(): void {
    const { second } = this.#shared;
    const late = second - this.#limits.bodySeconds;
    for (const { id, since } of this.#table.requests()) if (since <= late) this.#answers.reset(id, h2.CANCEL, false);
    for (const stream of this.#table.handled.values()) {
      if (stream.isHurried && !stream.isReceived && stream.since <= late) this.#answers.abandon(stream, h2.CANCEL);
    }
    for (const stream of this.#answers.sender.stalled(second, this.#limits.stallSeconds))
      if (stream.isHurried) this.#answers.abandon(stream, h2.CANCEL);
  }
}
