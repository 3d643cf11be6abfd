import type { Duplex } from 'node:stream';
import { Budget } from './budget.ts';
import { INTERNAL_ERROR, NO_ERROR, RST_STREAM, WINDOW_UPDATE } from './codes.ts';
import type { Output } from './output.ts';
import type { Prepared } from './prepared.ts';
import type { Answering, Request } from './request.ts';
import { Sender } from './sender.ts';
import type { Shared } from './shared.ts';
import { Stream, StreamClosed, type StreamOwner } from './stream.ts';
import { StreamTable } from './stream-table.ts';

/** What goes to the peer on streams, and what their handlers are told. */
export class Answers implements Answering, StreamOwner {
  owner: object | undefined;
  readonly duplex: Duplex;
  readonly table = new StreamTable();
  readonly budget: Budget;
  readonly sender: Sender;
  readonly maxUnsentBytes: number;
  readonly streamWindowBytes: number;
  /** The peer's decoder must be told that we do not use its table (RFC 7541 section 4.2). */
  isTableUpdateDue = false;
  /** Windows have grown, or the socket has room again. */
  isWritable = false;
  /** Handlers that have not settled. */
  working = 0;
  readonly #shared: Shared;
  readonly #output: Output;
  readonly #connection: { destroy(): void };
  /** To be told of something when the frames of this turn have been read. */
  #woken: Stream[] = [];
  /** Of bodies that no handler has taken. */
  #unreadBytes = 0;
  /** An `append` was refused. */
  #isStarved = false;

  constructor(shared: Shared, output: Output, connection: { readonly duplex: Duplex; destroy(): void }) {
    this.duplex = connection.duplex;
    this.#shared = shared;
    this.maxUnsentBytes = shared.limits.maxUnsentBytes;
    this.streamWindowBytes = shared.limits.streamWindowBytes;
    this.#output = output;
    this.#connection = connection;
    this.budget = new Budget(shared.limits);
    this.sender = new Sender(output, this.budget, this);
  }

  reply(request: Request, answer: Prepared): void {
    const { id } = request;
    if (!this.isTableUpdateDue && this.sender.fits(answer.data.length, request.credit)) {
      answer.write(this.#output, id);
      this.sender.window -= answer.data.length;
      this.budget.traffic++;
      this.table.end(id, false);
      return;
    }
    const stream = new Stream(request, this);
    stream.isStarted = true;
    stream.isReceived = true;
    this.table.add(stream);
    stream.answer(answer);
  }

  open(request: Request, head: Prepared): void {
    this.writeHeader(request.id, head.head ?? NOTHING, false);
    this.table.opened ??= new Map();
    this.table.opened.set(request.id, request.credit);
  }

  append(id: number, piece: Prepared): boolean {
    const credit = this.table.opened?.get(id);
    if (credit === undefined) return true;
    const { length } = piece.data;
    if (!this.sender.fits(length, credit)) {
      this.#isStarved = true;
      return false;
    }
    piece.write(this.#output, id);
    this.sender.window -= length;
    this.table.opened?.set(id, credit - length);
    this.budget.traffic++;
    return true;
  }

  finish(id: number, trailers: Prepared): void {
    if (!this.table.opened?.delete(id)) return;
    trailers.write(this.#output, id);
    this.table.end(id, false);
  }

  destroy(): void {
    this.#connection.destroy();
  }

  writeHeader(id: number, block: Uint8Array, ends: boolean): void {
    const prefix = this.isTableUpdateDue ? TABLE_UPDATE : NOTHING;
    this.isTableUpdateDue = false;
    this.#output.header(id, prefix.length > 0 ? Buffer.concat([prefix, block]) : block, ends);
    this.budget.traffic++;
  }

  pump(stream: Stream): void {
    this.sender.pump(stream);
  }

  /** Windows are given back in halves: an update for each frame would be as many again. */
  taken(stream: Stream, bytes: number): void {
    if (stream.isOver) return;
    this.#count(-bytes);
    this.giveBack(stream, bytes);
  }

  /** Some of a body is to be kept. False: that would be too much. */
  keep(bytes: number): boolean {
    const { limits, unreadBytes } = this.#shared;
    if (this.#unreadBytes + bytes > limits.maxUnreadBytes || unreadBytes + bytes > limits.maxUnreadBytesInAll) return false;
    this.#count(bytes);
    return true;
  }

  #count(bytes: number): void {
    this.#unreadBytes += bytes;
    this.#shared.unreadBytes += bytes;
  }

  giveBack(stream: Stream, bytes: number): void {
    stream.owed += bytes;
    if (stream.isReceived || stream.owed < this.streamWindowBytes / 2) return;
    this.#output.number(WINDOW_UPDATE, stream.id, stream.owed);
    stream.window += stream.owed;
    stream.owed = 0;
  }

  abandon(stream: Stream, code: number): void {
    this.reset(stream.id, code, stream.isReceived);
  }

  /** All of an answer is out. What is left of the request is not wanted (section 8.1). */
  answered(stream: Stream): void {
    if (stream.isReceived) {
      this.table.end(stream.id, false);
      this.forget(stream, NO_ERROR);
    } else {
      this.abandon(stream, NO_ERROR);
    }
  }

  /** The peer did something wrong on a stream, and others are not concerned (section 5.4.2). `ends`: it will send no more on it. */
  fault(id: number, code: number, ends: boolean): void {
    this.budget.glitch();
    this.budget.reset();
    this.reset(id, code, ends);
  }

  /** What there is of a stream ends. */
  reset(id: number, code: number, ends: boolean): void {
    this.#output.number(RST_STREAM, id, code);
    this.table.reset(id, ends);
    const request = this.table.request(id);
    const stream = this.table.handled.get(id);
    if (request) this.drop(request);
    if (stream) this.forget(stream, code);
    if (this.table.opened?.delete(id)) this.#shared.application.left(this, id);
  }

  drop(request: Request): void {
    this.table.release(request);
    this.#count(-request.kept);
    this.#shared.giveRequest(request);
  }

  /** A request that is not for any handler is answered, and the rest of it not read. */
  refuse(request: Request, answer: Prepared, ends: boolean): void {
    const stream = this.handle(request, ends);
    stream.isStarted = true;
    stream.answer(answer);
  }

  handle(request: Request, ends: boolean): Stream {
    const stream = new Stream(request, this);
    stream.isReceived = ends;
    this.table.add(stream);
    if (request.end > request.start) {
      stream.unread.push(new Uint8Array(request.body.subarray(request.start, request.end)));
      stream.received = request.end - request.start;
      this.#count(stream.received - request.kept);
      request.kept = 0;
    }
    stream.window -= request.flow;
    stream.owed += request.flow - stream.received;
    this.wake(stream);
    return stream;
  }

  forget(stream: Stream, code: number): void {
    this.table.remove(stream.id);
    this.sender.forget(stream);
    this.#count(-stream.breakOff(code));
    this.wake(stream);
  }

  /** There is something to be read. */
  news(stream: Stream): void {
    stream.hasNews = true;
    this.wake(stream);
  }

  wake(stream: Stream): void {
    if (stream.isWoken) return;
    stream.isWoken = true;
    this.#woken.push(stream);
  }

  /** Tells handlers what has happened to their streams. What they do then may happen to others: until nothing is left. */
  tell(): void {
    const { application } = this.#shared;
    while (this.#woken.length > 0) {
      const woken = this.#woken;
      this.#woken = [];
      for (const stream of woken) {
        stream.isWoken = false;
        try {
          this.#tellOne(stream);
        } catch (error) {
          application.bug(error);
          stream.reset(INTERNAL_ERROR);
        }
      }
    }
    if (!this.isWritable) return;
    this.isWritable = false;
    if (!this.#isStarved) return;
    this.#isStarved = false;
    application.writable(this);
  }

  #tellOne(stream: Stream): void {
    if (!stream.isStarted) {
      // One that its peer has reset in the same breath never gets to a handler.
      if (!stream.isOver) this.#start(stream);
    } else if (stream.isOver) {
      stream.onReadable?.();
      stream.onClose?.(stream.closeCode);
      stream.onClose = undefined;
    } else {
      if (stream.hasNews) stream.onReadable?.();
      if (stream.isDrained) stream.onDrain?.();
    }
    stream.hasNews = false;
    stream.isDrained = false;
  }

  #start(stream: Stream): void {
    const { application } = this.#shared;
    stream.isStarted = true;
    const work = application.stream(stream);
    if (work === undefined) return;
    this.working++;
    const settled = () => {
      this.working--;
    };
    work.then(settled, (error: unknown) => {
      settled();
      if (!(error instanceof StreamClosed)) application.bug(error);
      stream.reset(INTERNAL_ERROR);
    });
  }

  /** Everything ends with the connection. */
  closeAll(code: number): void {
    for (const stream of [...this.table.handled.values()]) this.forget(stream, code);
    for (const request of [...this.table.requests()]) this.drop(request);
    this.table.opened = undefined;
    this.tell();
    this.#shared.application.closed(this);
  }
}

const NOTHING = new Uint8Array(0);
const TABLE_UPDATE = new Uint8Array([0x20]);
