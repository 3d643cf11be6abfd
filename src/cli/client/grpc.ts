import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants, type IncomingHttpHeaders } from 'node:http2';
import { promisify } from 'node:util';
import { gunzip, gzipSync } from 'node:zlib';
import { systemScheduler } from '../../wire/scheduler.ts';
import { dial } from './dial.ts';
import { CallError, oneLine, reasonOf, UnreachableError } from './failures.ts';
import type { Target } from './target.ts';

/**
 * gRPC to one server, whoever made it, on Node's own HTTP/2: calls with one message, answered by one or by many. No package is loaded for
 * that, as `check` is started anew every few seconds.
 */
export class GrpcConnection implements Disposable {
  readonly #target: Target;
  readonly #session: ClientHttp2Session;
  #wantsCalm = false;

  private constructor(target: Target, session: ClientHttp2Session) {
    this.#target = target;
    this.#session = session;
    session.once('goaway', (code) => {
      this.#wantsCalm = code === constants.NGHTTP2_ENHANCE_YOUR_CALM;
    });
  }

  /** Resolves once the other side speaks HTTP/2. Rejects with `UnreachableError`. */
  static async open(target: Target): Promise<GrpcConnection> {
    const socket = await dial(target, 'h2');
    const { addr, tls, connectTimeoutMs } = target;
    const session = connect(`${tls === undefined ? 'http' : 'https'}://localhost`, {
      createConnection: () => socket,
      settings: { enablePush: false, initialWindowSize: WINDOW },
    });
    // Each call that is under way hears of it as well.
    session.on('error', () => {});
    await new Promise<void>((resolve, reject) => {
      const hint = tls === undefined ? ' (does it want --tls?)' : '';
      const fail = (reason: string) => {
        cancel();
        session.destroy();
        reject(new UnreachableError(`${addr} cannot be reached: ${reason}`));
      };
      const cancel = systemScheduler.after(connectTimeoutMs, () =>
        fail(`it says nothing of HTTP/2 within ${connectTimeoutMs} ms`),
      );
      session.once('remoteSettings', () => {
        cancel();
        resolve();
      });
      session.once('error', (error) => fail(`${reasonOf(error)}${hint}`));
      // TLS 1.3 refuses a certificate only now; Node may never tell the session's listeners of that.
      socket.once('error', (error) => fail(`${reasonOf(error)}${hint}`));
      for (const one of [session, socket]) one.once('close', () => fail(`it does not speak HTTP/2${hint}`));
    });
    return new GrpcConnection(target, session);
  }

  /** How many calls the server takes at a time; what is more than that waits until one has ended. */
  get mostCalls(): number {
    return Math.max(1, this.#session.remoteSettings.maxConcurrentStreams ?? Number.POSITIVE_INFINITY);
  }

  /** The server has ended it, as it was asked for too much. */
  get wantsCalm(): boolean {
    return this.#wantsCalm;
  }

  /** From now on, by PINGs. A server that does not answer one in time is gone, and with it all calls that are under way. */
  askWhetherThere(everyMs: number, withinMs: number): void {
    const session = this.#session;
    const gone = () => session.destroy(new Error(`it does not answer a PING within ${withinMs} ms`));
    let isAwaited = false;
    let cancel = () => {};
    const stop = systemScheduler.every(everyMs, () => {
      if (session.destroyed || isAwaited) return;
      isAwaited = true;
      cancel = systemScheduler.after(withinMs, gone);
      session.ping(() => {
        cancel();
        isAwaited = false;
      });
    });
    session.once('close', () => {
      stop();
      cancel();
    });
  }

  /** The one message of the answer. Rejects with `GrpcError`. */
  async unary(path: string, message: Uint8Array, options: CallOptions = {}): Promise<Buffer> {
    const { rpcTimeoutMs } = this.#target;
    let isLate = false;
    let stream: ClientHttp2Stream | undefined;
    const cancel = systemScheduler.after(rpcTimeoutMs, () => {
      isLate = true;
      stream?.close(constants.NGHTTP2_CANCEL);
    });
    try {
      stream = this.#begin(path, message, {
        ...options,
        headers: { 'grpc-timeout': timeoutText(rpcTimeoutMs), ...options.headers },
      });
      let answer: Buffer | undefined;
      for await (const one of this.#messages(stream)) answer ??= one;
      if (answer === undefined) throw new GrpcError(INTERNAL, 'no message in the answer');
      return answer;
    } catch (error) {
      throw isLate ? new GrpcError(DEADLINE_EXCEEDED, `no answer within ${rpcTimeoutMs} ms`) : error;
    } finally {
      cancel();
    }
  }

  /**
   * Message by message, the first as soon as any answer, until the signal or the server ends it; the server with an error, or in peace.
   * Throws `GrpcError`.
   */
  async *stream(path: string, message: Uint8Array, signal: AbortSignal, options: CallOptions = {}): AsyncGenerator<Buffer, void> {
    if (signal.aborted) return;
    const stream = this.#begin(path, message, options);
    const stop = () => stream.close(constants.NGHTTP2_CANCEL);
    const { rpcTimeoutMs } = this.#target;
    let isLate = false;
    const cancel = systemScheduler.after(rpcTimeoutMs, () => {
      isLate = true;
      stop();
    });
    signal.addEventListener('abort', stop);
    try {
      for await (const one of this.#messages(stream)) {
        cancel();
        yield one;
      }
    } catch (error) {
      if (isLate) throw new GrpcError(DEADLINE_EXCEEDED, `no answer within ${rpcTimeoutMs} ms`);
      if (!signal.aborted) throw error;
    } finally {
      cancel();
      signal.removeEventListener('abort', stop);
      stream.close(constants.NGHTTP2_CANCEL);
    }
  }

  [Symbol.dispose](): void {
    this.#session.destroy();
  }

  #begin(path: string, message: Uint8Array, { headers = {}, isCompressed = false }: CallOptions): ClientHttp2Stream {
    const { addr, where, authorization, userAgent } = this.#target;
    if (this.#session.closed || this.#session.destroyed) throw new GrpcError(UNAVAILABLE, 'the connection has ended');
    const stream = this.#session.request({
      ':method': 'POST',
      ':path': path,
      ':authority': 'path' in where ? 'localhost' : addr.replace(/^\w+:\/\/\/?/, '').replace(/\/$/, ''),
      'content-type': 'application/grpc',
      te: 'trailers',
      'user-agent': userAgent,
      'grpc-accept-encoding': 'identity,gzip',
      ...(isCompressed && { 'grpc-encoding': 'gzip' }),
      ...(authorization !== undefined && { authorization }),
      ...headers,
    });
    // What reads it hears of it.
    stream.on('error', () => {});
    stream.end(frameOf(message, isCompressed));
    return stream;
  }

  async *#messages(stream: ClientHttp2Stream): AsyncGenerator<Buffer, void> {
    let head: IncomingHttpHeaders | undefined;
    let trailers: IncomingHttpHeaders = {};
    const closed = new Promise<void>((resolve) => void stream.once('close', resolve));
    stream.once('response', (headers) => {
      head = headers;
    });
    stream.once('trailers', (headers) => {
      trailers = headers;
    });
    const frames = new Frames();
    try {
      for await (const piece of stream) {
        if (head === undefined || !isGrpc(head)) break;
        for (const frame of frames.take(piece)) yield await opened(frame, head['grpc-encoding']);
      }
    } catch (error) {
      if (error instanceof CallError) throw error;
      // A status that has come says more than that the connection is gone.
      if (statusOf(trailers) === undefined) throw new GrpcError(UNAVAILABLE, reasonOf(error));
    }
    // Trailers may come as one with the end of the body.
    await closed;
    if (head !== undefined && !isGrpc(head)) throw noGrpc(head);
    const status = statusOf(trailers) ?? (head && statusOf(head));
    if (status === undefined) throw new GrpcError(UNAVAILABLE, 'the connection has ended without a status');
    if (status !== 0) throw new GrpcError(status, messageIn(trailers['grpc-message'] ?? head?.['grpc-message']));
  }
}

export interface CallOptions {
  /** By name in lower case; several of one name as a list. */
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  /** The message is sent in gzip. */
  readonly isCompressed?: boolean;
}

/** A call that ended with another status than OK. */
export class GrpcError extends CallError {
  readonly code: number;

  constructor(code: number, message: string) {
    super(`${CODES[code] ?? `code ${code}`}: ${message}`, { isLasting: LASTING.has(code) });
    this.code = code;
  }
}

const CODES = [
  'OK',
  'CANCELLED',
  'UNKNOWN',
  'INVALID_ARGUMENT',
  'DEADLINE_EXCEEDED',
  'NOT_FOUND',
  'ALREADY_EXISTS',
  'PERMISSION_DENIED',
  'RESOURCE_EXHAUSTED',
  'FAILED_PRECONDITION',
  'ABORTED',
  'OUT_OF_RANGE',
  'UNIMPLEMENTED',
  'INTERNAL',
  'UNAVAILABLE',
  'DATA_LOSS',
  'UNAUTHENTICATED',
];
const [UNKNOWN, DEADLINE_EXCEEDED, NOT_FOUND, PERMISSION_DENIED, UNIMPLEMENTED, INTERNAL, UNAVAILABLE] = [2, 4, 5, 7, 12, 13, 14];
const UNAUTHENTICATED = 16;

/** Of what is wrong with the call, and not with the moment. */
const LASTING: ReadonlySet<number> = new Set([3, PERMISSION_DENIED, UNIMPLEMENTED, UNAUTHENTICATED]);

export { DEADLINE_EXCEEDED, NOT_FOUND, PERMISSION_DENIED, UNAUTHENTICATED, UNAVAILABLE, UNIMPLEMENTED };

/** Of at most eight digits: where milliseconds have more, in seconds. */
export function timeoutText(ms: number): string {
  return ms < 1e8 ? `${ms}m` : `${Math.ceil(ms / 1_000)}S`;
}

const WINDOW = 1024 * 1024;
/** As of gRPC everywhere. */
const MAX_MESSAGE = 4 * 1024 * 1024;
const HEAD = 5;

function frameOf(message: Uint8Array, isCompressed: boolean): Buffer {
  const body = isCompressed ? gzipSync(message) : message;
  const head = Buffer.alloc(HEAD);
  head[0] = isCompressed ? 1 : 0;
  head.writeUInt32BE(body.length, 1);
  return Buffer.concat([head, body]);
}

interface Frame {
  readonly isCompressed: boolean;
  readonly body: Buffer;
}

/** Cuts what comes in pieces into messages. */
class Frames {
  #rest: Buffer = Buffer.alloc(0);

  *take(piece: Buffer): Generator<Frame> {
    this.#rest = this.#rest.length === 0 ? piece : Buffer.concat([this.#rest, piece]);
    while (this.#rest.length >= HEAD) {
      const length = this.#rest.readUInt32BE(1);
      if (length > MAX_MESSAGE) throw new GrpcError(8, `a message of ${length} bytes is too long`);
      if (this.#rest.length < HEAD + length) return;
      yield { isCompressed: this.#rest[0] === 1, body: this.#rest.subarray(HEAD, HEAD + length) };
      this.#rest = this.#rest.subarray(HEAD + length);
    }
  }
}

const unzip = promisify(gunzip);

async function opened({ isCompressed, body }: Frame, encoding: unknown): Promise<Buffer> {
  if (!isCompressed) return body;
  if (encoding !== 'gzip') throw new GrpcError(INTERNAL, 'a message in a compression that was not offered');
  try {
    return await unzip(body, { maxOutputLength: MAX_MESSAGE });
  } catch (error) {
    throw new GrpcError(INTERNAL, `a message that is no gzip: ${reasonOf(error)}`);
  }
}

function isGrpc(head: IncomingHttpHeaders & { readonly ':status'?: number }): boolean {
  return head[':status'] === 200 && /^application\/grpc(?:[+;]|$)/.test(head['content-type'] ?? '');
}

/** As gRPC reads what a proxy or a server of something else says. */
function noGrpc(head: IncomingHttpHeaders & { readonly ':status'?: number }): GrpcError {
  const status = head[':status'] ?? 0;
  const code =
    {
      400: INTERNAL,
      401: UNAUTHENTICATED,
      403: PERMISSION_DENIED,
      404: UNIMPLEMENTED,
      429: UNAVAILABLE,
      502: UNAVAILABLE,
      503: UNAVAILABLE,
      504: UNAVAILABLE,
    }[status] ?? UNKNOWN;
  const whither = head.location === undefined ? '' : `, which leads to ${oneLine(head.location)}`;
  return new GrpcError(code, `answered by no gRPC: HTTP ${status}${whither}`);
}

function statusOf(headers: IncomingHttpHeaders): number | undefined {
  const said = headers['grpc-status'];
  return typeof said === 'string' && /^\d{1,3}$/.test(said) ? Number(said) : undefined;
}

function messageIn(said: string | string[] | undefined): string {
  const text = typeof said === 'string' ? said : '';
  try {
    return oneLine(decodeURIComponent(text));
  } catch {
    return oneLine(text);
  }
}
