import { openDuplex } from './duplex.ts';
import type { Serve } from './exchange.ts';
import type { Application } from './http2/application.ts';
import type { Field } from './http2/fields.ts';
import type { Peer as EnginePeer, Request } from './http2/request.ts';
import type { Stream } from './http2/stream.ts';
import { type Clock, Http2Answers } from './http2-answers.ts';
import { Http2Peer, type OpenCall } from './http2-peer.ts';
import { Http2Request } from './http2-request.ts';
import { Http2Response } from './http2-response.ts';
import type { Answer, Call, CallLane, CallRoute, FrameStream, Head, Lanes, Reply, StreamListener, Trailers } from './lanes.ts';
import { markOf } from './marks.ts';

export interface CallsOptions extends Clock {
  /** Hears of what nobody else has caught. */
  readonly onBug: (error: unknown) => void;
}

/**
 * What answers the requests of the engine: the lane what it can, in the turn in which it came and with nothing made for it; and all
 * else the usual way, as a request and a response like those of HTTP/1.
 */
export class Calls implements Application {
  readonly #lane: CallLane | undefined;
  readonly #usual: Serve;
  readonly #onBug: (error: unknown) => void;
  readonly #answers: Http2Answers;
  readonly #current: Current;
  /** Routes by their numbers, which begin with 1. */
  readonly #routes: CallRoute[] = [];
  readonly #numbers = new Map<CallRoute, number>();

  constructor({ calls, request }: Lanes, options: CallsOptions) {
    this.#lane = calls;
    this.#usual = request;
    this.#onBug = options.onBug;
    this.#answers = new Http2Answers(options);
    this.#current = new Current(this.#answers);
  }

  mark(name: string, value: string): number {
    return markOf(name, value);
  }

  route(request: Request): number {
    const route = this.#lane?.routeOf(this.#current.at(request));
    if (route === undefined || 'open' in route) return 0;
    return this.#numbers.get(route) ?? this.#number(route);
  }

  #number(route: CallRoute): number {
    const number = this.#routes.push(route);
    this.#numbers.set(route, number);
    return number;
  }

  mayWait(request: Request): boolean {
    const route = this.#routes[request.route - 1];
    if (route === undefined || request.end - request.start > route.maxBodyBytes) return false;
    return route.mayWait(this.#current.at(request), bodyOf(request));
  }

  answer(request: Request): void {
    const route = this.#routes[request.route - 1];
    if (route === undefined || request.end - request.start > route.maxBodyBytes) return;
    const current = this.#current.at(request);
    route.serve(current, bodyOf(request), current);
  }

  stream(stream: Stream): void | Promise<void> {
    const { note } = stream;
    if (note instanceof Late) return this.#answerLate(stream, note);
    const call = new CallOfStream(stream);
    const route = this.#lane?.routeOf(call);
    if (route !== undefined && 'open' in route) return openDuplex(route, call, stream, this.#answers);
    const req = new Http2Request(stream);
    return this.#usual(req, new Http2Response(req, this.#answers));
  }

  async #answerLate(stream: Stream, { answer }: Late): Promise<void> {
    // The whole request is known.
    while (stream.read() !== undefined);
    this.#answers.write(stream, await answer);
  }

  left(peer: EnginePeer, id: number): void {
    Http2Peer.of(peer).ended(id);
  }

  writable(peer: EnginePeer): void {
    Http2Peer.of(peer).writable();
  }

  closed(peer: EnginePeer): void {
    if (peer.owner instanceof Http2Peer) peer.owner.closed();
  }

  failed(): void {
    // What a peer does wrong on its connection ends that connection, and nothing else.
  }

  bug(error: unknown): void {
    this.#onBug(error);
  }

  close(): void {
    this.#answers.close();
  }
}

/** An answer that is not there yet, or is too long to be prepared: what is noted of its request. */
class Late {
  readonly answer: Answer | Promise<Answer>;

  constructor(answer: Answer | Promise<Answer>) {
    this.answer = answer;
  }
}

/** The request that the lane is asked about now. */
class Current implements Call, Reply {
  #request: Request | undefined;
  readonly #answers: Http2Answers;

  constructor(answers: Http2Answers) {
    this.#answers = answers;
  }

  at(request: Request): this {
    this.#request = request;
    return this;
  }

  get path(): string {
    return this.#request?.path?.value ?? '';
  }

  get marks(): number {
    return this.#request?.marks ?? 0;
  }

  get note(): unknown {
    return this.#request?.note;
  }

  set note(note: unknown) {
    if (this.#request) this.#request.note = note;
  }

  field(name: string): string | undefined {
    const request = this.#request;
    return request && valueIn(request.fields, request.count, name);
  }

  peer(): Http2Peer {
    return Http2Peer.of(this.#connection);
  }

  send(answer: Answer): void {
    if (Http2Answers.isShort(answer)) this.#request?.reply(this.#answers.of(answer));
    else this.note = new Late(answer);
  }

  sendLater(answer: Promise<Answer>): void {
    this.note = new Late(answer);
  }

  stream(head: Head, listener: StreamListener): FrameStream {
    const connection = this.#connection;
    const id = this.#request?.id ?? 0;
    this.#request?.open(this.#answers.opening(head));
    const peer = Http2Peer.of(connection);
    const open = new OpenStream(peer, id, this.#answers, listener);
    peer.opened(id, open);
    return open;
  }

  get #connection(): EnginePeer {
    const connection = this.#request?.connection;
    if (connection === undefined) throw new Error('the request has been answered');
    return connection;
  }
}

/** An answer of the lane that stays open. */
class OpenStream implements FrameStream, OpenCall {
  readonly #peer: Http2Peer;
  readonly #id: number;
  readonly #answers: Http2Answers;
  readonly #listener: StreamListener;

  constructor(peer: Http2Peer, id: number, answers: Http2Answers, listener: StreamListener) {
    this.#peer = peer;
    this.#id = id;
    this.#answers = answers;
    this.#listener = listener;
  }

  write(frame: Buffer): boolean {
    const isWritten = this.#peer.connection.append(this.#id, this.#answers.frame(frame));
    if (!isWritten) this.#peer.waits(this);
    return isWritten;
  }

  end(trailers: Trailers): void {
    this.#peer.connection.finish(this.#id, this.#answers.ending(trailers));
    this.#peer.ended(this.#id);
  }

  writable(): void {
    this.#listener.writable();
  }

  closed(): void {
    this.#listener.closed();
  }
}

/** A request that has become a stream. */
class CallOfStream implements Call {
  readonly path: string;
  readonly marks: number;
  note: unknown;
  readonly #fields: readonly Field[];

  constructor({ path, fields, note }: Stream) {
    this.path = path;
    this.marks = fields.reduce((marks, { mark }) => marks | mark, 0);
    this.note = note;
    this.#fields = fields;
  }

  field(name: string): string | undefined {
    return valueIn(this.#fields, this.#fields.length, name);
  }
}

function valueIn(fields: readonly Field[], count: number, name: string): string | undefined {
  let value: string | undefined;
  for (let i = 0; i < count; i++) {
    const field = fields[i];
    if (field?.name === name) value = value === undefined ? field.value : `${value}, ${field.value}`;
  }
  return value;
}

function bodyOf({ body, start, end }: Request): Buffer {
  return start === end ? NOTHING : Buffer.from(body.buffer, body.byteOffset + start, end - start);
}

const NOTHING = Buffer.alloc(0);
