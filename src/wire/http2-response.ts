import { EventEmitter } from 'node:events';
import { INTERNAL_ERROR } from './http2/codes.ts';
import type { Stream } from './http2/stream.ts';
import type { Http2Request } from './http2-request.ts';

/** The date as a field says it; undefined where it is not known. */
interface Clock {
  readonly date: string | undefined;
}

/** The answer to a request of HTTP/2 as the usual way writes it: like one of HTTP/1, as far as anybody here does. */
export class Http2Response extends EventEmitter {
  readonly req: Http2Request;
  statusCode = 200;
  headersSent = false;
  writableEnded = false;
  /** Nothing can be said any more. */
  destroyed = false;
  closed = false;
  readonly #stream: Stream;
  readonly #clock: Clock;
  readonly #fields = new Map<string, readonly string[]>();
  #trailers: [name: string, value: string][] | undefined;
  /** Whether only the header of the answer is sent. */
  #isHeaderOnly = false;
  /** Of those who wait until what they wrote has left. */
  #waiting: ((error?: Error | null) => void)[] = [];

  constructor(req: Http2Request, clock: Clock) {
    super();
    this.req = req;
    this.#stream = req.stream;
    this.#clock = clock;
    this.#stream.onDrain = () => this.#drained();
    this.#stream.onClose = () => this.#onClose();
  }

  /** Throws a TypeError for what no header may contain. */
  setHeader(name: string, value: string | number | readonly string[]): this {
    const texts = (typeof value === 'object' ? value : [value]).map((one) => textOf(name, one));
    this.#fields.set(name.toLowerCase(), texts);
    return this;
  }

  addTrailers(fields: Readonly<Record<string, string>>): void {
    this.#trailers ??= [];
    for (const [name, value] of Object.entries(fields)) this.#trailers.push([name.toLowerCase(), textOf(name, value)]);
  }

  writeHead(status: number): this {
    this.statusCode = status;
    this.#begin(false);
    return this;
  }

  /** False when it has not left at once; `written` is told when it has, or never will. */
  write(chunk: string | Uint8Array, encoding?: BufferEncoding, written?: (error?: Error | null) => void): boolean {
    this.#begin(false);
    const isOut = this.#isHeaderOnly || this.#stream.write(bytesOf(chunk, encoding));
    if (written === undefined) return isOut;
    if (isOut) queueMicrotask(written);
    else if (this.destroyed) queueMicrotask(() => written(new Error('the stream is over')));
    else this.#waiting.push(written);
    return isOut;
  }

  end(chunk?: string | Uint8Array, encoding?: BufferEncoding): this {
    if (this.writableEnded) return this;
    const body = chunk === undefined || chunk.length === 0 ? undefined : bytesOf(chunk, encoding);
    this.#begin(body === undefined && this.#trailers === undefined);
    this.writableEnded = true;
    if (body !== undefined && !this.#isHeaderOnly) this.#stream.write(body);
    this.#stream.end(this.#trailers);
    this.emit('finish');
    return this;
  }

  /** Breaks the answer off. */
  destroy(): void {
    this.#stream.reset(INTERNAL_ERROR);
  }

  #begin(isAll: boolean): void {
    if (this.headersSent) return;
    this.headersSent = true;
    const status = this.statusCode;
    this.#isHeaderOnly = isAll || this.req.method === 'HEAD' || status === 204 || status === 304;
    // A length would be that of a body (RFC 9110 section 8.6).
    if (status === 204) this.#fields.delete('content-length');
    const fields = [...this.#fields].flatMap(([name, values]) => values.map((value) => [name, value] as const));
    const { date } = this.#clock;
    if (date !== undefined && !this.#fields.has('date')) fields.push(['date', date]);
    this.#stream.respond(status, fields, this.#isHeaderOnly);
  }

  #drained(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const written of waiting) written();
    this.emit('drain');
  }

  #onClose(): void {
    this.destroyed = true;
    this.closed = true;
    const waiting = this.#waiting;
    this.#waiting = [];
    this.req.leave();
    this.emit('close');
    for (const written of waiting) written(new Error('the stream is over'));
  }
}

function bytesOf(chunk: string | Uint8Array, encoding?: BufferEncoding): Uint8Array {
  return typeof chunk === 'string' ? Buffer.from(chunk, encoding) : chunk;
}

function textOf(name: string, value: string | number): string {
  const text = String(value).trim();
  if (/[^\t\x20-\x7e\x80-\xff]/.test(text)) throw new TypeError(`not a value of a header: ${name}: ${JSON.stringify(text)}`);
  return text;
}
