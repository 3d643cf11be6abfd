import type { IncomingHttpHeaders } from 'node:http';
import type { Socket } from 'node:net';
import { Readable } from 'node:stream';
import type { Stream } from './http2/stream.ts';

/** A request of HTTP/2 as the usual way takes it: like one of HTTP/1, as far as anybody here looks. */
export class Http2Request extends Readable {
  readonly httpVersion = '2.0';
  readonly stream: Stream;
  readonly method: string;
  url: string;
  /** Nothing follows its header. */
  readonly isBodiless: boolean;
  #headers: IncomingHttpHeaders | undefined;

  constructor(stream: Stream) {
    // Its end is that of the stream: an answer may take longer than the body.
    super({ autoDestroy: false });
    this.stream = stream;
    this.method = stream.method;
    this.url = stream.path;
    this.isBodiless = stream.isRead;
  }

  /** Without those that begin with a colon. Of what can be said once only, the first counts. */
  get headers(): IncomingHttpHeaders {
    this.#headers ??= headersOf(this.stream);
    return this.#headers;
  }

  /** All fields as they came, each name before its value. */
  get rawHeaders(): string[] {
    return this.stream.fields.flatMap(({ name, value }) => [name, value]);
  }

  get socket(): Socket {
    // What a port hands over are sockets.
    return this.stream.peer.duplex as Socket;
  }

  override _read(): void {
    const { stream } = this;
    stream.onReadable = undefined;
    for (let chunk = stream.read(); chunk !== undefined; chunk = stream.read()) {
      if (!this.push(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length))) return;
    }
    if (stream.isRead) this.push(null);
    else if (!stream.isOver) stream.onReadable = () => this._read();
  }

  /** For the response: the stream is over. */
  leave(): void {
    this.stream.onReadable = undefined;
    this.destroy();
  }
}

/** More than one of these is a mistake, or an attempt to be read in two ways. */
const SAID_ONCE: ReadonlySet<string> = new Set(
  (
    'age authorization content-encoding content-length content-type date etag expires from host if-match if-modified-since ' +
    'if-none-match if-range if-unmodified-since last-modified location max-forwards proxy-authorization range referer user-agent'
  ).split(' '),
);

function headersOf({ fields, authority }: Stream): IncomingHttpHeaders {
  const headers: Record<string, string> = Object.create(null);
  for (const { name, value } of fields) {
    // Where there is an authority, it is the host (RFC 9113 section 8.3.1).
    if (name.startsWith(':') || (name === 'host' && authority !== '')) continue;
    const before = headers[name];
    if (before === undefined) headers[name] = value;
    else if (!SAID_ONCE.has(name)) headers[name] = `${before}${name === 'cookie' ? '; ' : ', '}${value}`;
  }
  if (authority !== '') headers.host = authority;
  return headers;
}
