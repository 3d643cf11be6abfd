import { Socket } from 'node:net';
import { ERRORS, RESETS } from './budget.ts';
import * as h2 from './codes.ts';
import type { Prepared } from './prepared.ts';
import { type Answering, Request } from './request.ts';
import { Sender } from './sender.ts';
import { Stream, type StreamOwner } from './stream.ts';
import { Opened, StreamTable } from './stream-table.ts';

/** The second layer of a Connection: how streams are answered, what their handlers are told, and how they end. */
export abstract class Answers extends Sender implements Answering, StreamOwner {
  owner: object | undefined;
  protected readonly table = new StreamTable();
  /** Handlers that have not settled. */
  protected working = 0;
  /** To be told of something when the frames of this turn have been read. */
  #woken: Stream[] = [];
  /** Of bodies that no handler has taken. */
  unreadBytes = 0;
  /** An `append` was refused. */
  #isStarved = false;

  abstract close(): void;
  /** What its peer had left unread at the end of the last turn. */
  abstract unsentBytes: number;

  abstract destroy(): void;
  abstract calm(reason: string): void;

  get maxUnsentBytes(): number {
    return this.shared.limits.maxUnsentBytes;
  }

  reply(request: Request, answer: Prepared): void {
    const { length } = answer.data;
    if (this.isTableUpdateDue || !this.fits(length, request.credit)) {
      this.refuse(request, answer, true);
      return;
    }
    answer.write(this.output, request.id);
    this.window -= length;
    this.budget.traffic++;
    this.table.end(request.id, false);
  }

  open(request: Request, { head }: Prepared): void {
    if (head) this.writeHeader(request.id, head, false);
    this.table.add(request.id, new Opened(request.credit));
  }

  append(id: number, piece: Prepared): boolean {
    const opened = this.table.get(id);
    if (!(opened instanceof Opened)) return true;
    const { length } = piece.data;
    if (!this.fits(length, opened.credit)) {
      this.#isStarved = true;
      return false;
    }
    piece.write(this.output, id);
    this.window -= length;
    opened.credit -= length;
    this.budget.traffic++;
    return true;
  }

  finish(id: number, trailers: Prepared): void {
    if (!(this.table.get(id) instanceof Opened)) return;
    if (this.isTableUpdateDue && trailers.trailers) this.writeHeader(id, trailers.trailers, true);
    else trailers.write(this.output, id);
    this.table.remove(id);
    this.table.end(id, false);
  }

  /** Some of a body is to be kept. False: that would be too much. */
  protected keep(bytes: number): boolean {
    const { limits, totals } = this.shared;
    if (this.unreadBytes + bytes > limits.maxUnreadBytes) return false;
    if (totals.unreadBytes + bytes > limits.maxUnreadBytesInAll && !totals.makeRoom(this, bytes, limits.maxUnreadBytesInAll))
      return false;
    this.#unread(bytes);
    return true;
  }

  /** Its header counts as well, for as long as it waits for its end, or a handler has it. False: that was too much, and it is refused. */
  protected hold(request: Request, ends: boolean): boolean {
    if (request.held > 0) return true;
    if (!this.keep(request.size)) {
      this.fault(request.id, h2.ENHANCE_YOUR_CALM, 'too much data that nobody takes', ends);
      return false;
    }
    request.held = request.size;
    return true;
  }

  #unread(bytes: number): void {
    this.unreadBytes += bytes;
    this.shared.totals.unreadBytes += bytes;
  }

  taken(stream: Stream, bytes: number): void {
    if (stream.isOver) return;
    this.#unread(-bytes);
    this.giveBack(stream, bytes);
  }

  /** Windows are given back in halves: an update for each frame would be as many again. */
  protected giveBack(stream: Stream, bytes: number): void {
    stream.owed += bytes;
    if (stream.isReceived || stream.owed < this.shared.limits.streamWindowBytes / 2) return;
    this.output.numbers(h2.WINDOW_UPDATE, stream.id, [stream.owed]);
    stream.window += stream.owed;
    stream.owed = 0;
  }

  /** All of an answer is out. What is left of the request is not wanted (section 8.1). */
  answered(stream: Stream): void {
    if (!stream.isReceived) {
      this.reset(stream.id, h2.NO_ERROR, false);
      return;
    }
    this.table.end(stream.id, false);
    this.end(stream.id, h2.NO_ERROR);
  }

  /** The peer is refused something for a limit. */
  protected overLimit(reason: string): void {
    this.shared.totals.refuse(reason, this.duplex instanceof Socket ? this.duplex.remoteAddress : undefined);
  }

  /** The peer did something wrong on a stream, and others are not concerned (section 5.4.2). `ends`: it will send no more on it. */
  protected fault(id: number, code: number, reason: string, ends: boolean): void {
    if (code === h2.ENHANCE_YOUR_CALM) this.overLimit(reason);
    else this.shared.totals.count(reason);
    this.budget.spend(ERRORS);
    this.budget.spend(RESETS);
    this.reset(id, code, ends);
  }

  reset(id: number, code: number, ends: boolean): void {
    this.output.numbers(h2.RST_STREAM, id, [code]);
    if (!ends) this.table.reset(id);
    this.end(id, code);
  }

  /** What there is of a stream ends. */
  protected end(id: number, code: number): void {
    const open = this.table.get(id);
    this.table.remove(id);
    if (open instanceof Request) {
      this.drop(open);
    } else if (open instanceof Stream) {
      this.rest(open);
      this.#unread(-open.breakOff(code) - open.held);
      this.wake(open);
    } else if (open) {
      this.shared.application.left(this, id);
    }
  }

  /** A request has found its end, or somebody else. */
  protected drop(request: Request): void {
    this.#unread(request.start - request.end - request.held);
    request.held = 0;
    this.shared.giveRequest(request);
  }

  /** A request that is not for any handler is answered, and the rest of it not read. */
  protected refuse(request: Request, answer: Prepared, ends: boolean): void {
    const stream = this.#stream(request, ends);
    stream.isStarted = true;
    stream.answer(answer);
  }

  /** A request is for a handler, with what there is of its body. */
  protected handle(request: Request, ends: boolean): void {
    if (!this.hold(request, ends)) return;
    const stream = this.#stream(request, ends);
    if (request.end > request.start) stream.unread.push(new Uint8Array(request.body.subarray(request.start, request.end)));
    request.end = request.start;
    this.wake(stream);
  }

  #stream(request: Request, ends: boolean): Stream {
    const stream = new Stream(request, this);
    stream.isReceived = ends;
    // Padding is nobody's to take.
    stream.owed = this.shared.limits.streamWindowBytes - stream.window - stream.received;
    this.table.add(stream.id, stream);
    return stream;
  }

  /** How many handlers are to be told. */
  protected get due(): number {
    return this.#woken.length;
  }

  protected wake(stream: Stream): void {
    if (!stream.isWoken) this.#woken.push(stream);
    stream.isWoken = true;
  }

  /** Tells handlers what has happened to their streams. What they do then may happen to others: until nothing is left. */
  protected tell(): void {
    const { application } = this.shared;
    if (this.isServeDue) this.serve();
    while (this.#woken.length > 0) {
      for (const stream of this.#woken.splice(0)) {
        stream.isWoken = false;
        try {
          if (stream.isStarted) stream.tell();
          // One that its peer has reset in the same breath never gets to a handler.
          else if (!stream.isOver) this.#start(stream);
        } catch (error) {
          application.bug(error);
          stream.reset(h2.INTERNAL_ERROR);
        }
      }
    }
    const isServed = this.isWritable && this.#isStarved;
    this.isWritable = false;
    if (!isServed) return;
    this.#isStarved = false;
    application.writable(this);
  }

  #start(stream: Stream): void {
    const { application } = this.shared;
    stream.isStarted = true;
    const work = application.stream(stream);
    if (work === undefined) return;
    this.working++;
    const settle = () => {
      this.working--;
    };
    work.then(settle, (error: unknown) => {
      settle();
      application.bug(error);
      stream.reset(h2.INTERNAL_ERROR);
    });
  }

  /** Everything ends with the connection. */
  protected endAll(code: number): void {
    for (const [id, open] of this.table.all()) {
      if (open instanceof Opened) this.table.remove(id);
      else this.end(id, code);
    }
    this.tell();
    this.shared.application.closed(this);
  }
}
