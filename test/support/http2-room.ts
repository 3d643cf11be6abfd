import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { createServer as createTlsServer, type TlsOptions } from 'node:tls';
import type { Application } from '../../src/wire/http2/application.ts';
import type { Connection } from '../../src/wire/http2/connection.ts';
import { Engine } from '../../src/wire/http2/engine.ts';
import { HTTP2_LIMITS, type Http2Limits } from '../../src/wire/http2/limits.ts';
import { Prepared } from '../../src/wire/http2/prepared.ts';
import type { Peer, Request } from '../../src/wire/http2/request.ts';
import type { Stream } from '../../src/wire/http2/stream.ts';
import { systemScheduler } from '../../src/wire/scheduler.ts';
import { type Frame, framesIn, inWords } from './http2-frames.ts';
import { ManualScheduler } from './scheduler.ts';

const GRPC_HEAD = [
  [':status', '200'],
  ['content-type', 'application/grpc'],
] as const;
const OK_TRAILERS = [['grpc-status', '0']] as const;

/** A gRPC message of HealthCheckResponse with that status. */
const statusMessage = (status: number) => Buffer.from([0, 0, 0, 0, 2, 8, status]);

export const SERVING = new Prepared({ head: GRPC_HEAD, data: statusMessage(1), trailers: OK_TRAILERS });
export const HELLO = new Prepared({
  head: [
    [':status', '200'],
    ['content-type', 'text/plain'],
  ],
  data: Buffer.from('hello world\n'),
});
export const OPEN = new Prepared({ head: GRPC_HEAD, isOpen: true });
export const FLIP = new Prepared({ data: statusMessage(2), isOpen: true });
export const GONE = new Prepared({ trailers: [['grpc-status', '14']] });

const QUICK = 1;
const CHECK = 2;
const WATCH = 3;
/** Looks quick, and is left to `handle` once it is whole. */
const SECOND_THOUGHTS = 4;
const ROUTES: ReadonlyMap<string, number> = new Map([
  ['/', QUICK],
  ['/grpc.health.v1.Health/Check', CHECK],
  ['/grpc.health.v1.Health/Watch', WATCH],
  ['/second-thoughts', SECOND_THOUGHTS],
  ['/no-waiting', SECOND_THOUGHTS],
]);

/** Answers some paths from prepared bytes, some open, and leaves the rest to `handle`; keeps what it is told. */
export class TestApplication implements Application {
  readonly failures: string[] = [];
  readonly bugs: unknown[] = [];
  readonly watchers: (readonly [peer: Peer, id: number])[] = [];
  readonly streams: Stream[] = [];
  closedPeers = 0;
  writables = 0;
  readonly #handle: (stream: Stream) => void | Promise<void>;

  constructor(handle: (stream: Stream) => void | Promise<void> = handleByPath) {
    this.#handle = handle;
  }

  mark(name: string): number {
    return name === 'x-mark' ? 4 : 0;
  }

  route(request: Request): number {
    return ROUTES.get(request.path?.value ?? '') ?? 0;
  }

  mayWait(request: Request): boolean {
    return request.path?.value !== '/no-waiting';
  }

  answer(request: Request): void {
    if (request.route === CHECK) request.reply(SERVING);
    else if (request.route === QUICK) request.reply(HELLO);
    else if (request.route === WATCH) this.#watch(request);
  }

  stream(stream: Stream): void | Promise<void> {
    this.streams.push(stream);
    return this.#handle(stream);
  }

  left(peer: Peer, id: number): void {
    this.#drop((other) => other[0] === peer && other[1] === id);
  }

  writable(): void {
    this.writables++;
  }

  closed(peer: Peer): void {
    this.closedPeers++;
    this.#drop((other) => other[0] === peer);
  }

  failed(code: number, reason: string): void {
    this.failures.push(`${code} ${reason}`);
  }

  bug(error: unknown): void {
    this.bugs.push(error);
  }

  /** Says it to all watchers; how many it could not be said to. */
  flip(): number {
    let refused = 0;
    for (const [peer, id] of this.watchers) if (!peer.append(id, FLIP)) refused++;
    return refused;
  }

  #watch(request: Request): void {
    const peer = request.connection;
    if (!peer) throw new Error('a request without a connection');
    const { id } = request;
    request.open(OPEN);
    peer.append(id, FLIP);
    this.watchers.push([peer, id]);
  }

  #drop(isGone: (watcher: readonly [Peer, number]) => boolean): void {
    for (let i = this.watchers.length - 1; i >= 0; i--) {
      const watcher = this.watchers[i];
      if (watcher && isGone(watcher)) this.watchers.splice(i, 1);
    }
  }
}

/** What the paths of the tests do, as handlers that take their time. */
export function handleByPath(stream: Stream): void | Promise<void> {
  switch (stream.path) {
    case '/echo':
    case '/second-thoughts':
    case '/no-waiting':
      return echo(stream);
    case '/read':
      return readFirst(stream);
    case '/':
      // With more of a body than is kept for a prepared answer.
      stream.answer(HELLO);
      return undefined;
    case '/hold':
      return undefined;
    case '/early':
      stream.respond(200, []);
      stream.write(Buffer.from('early'));
      stream.end();
      return undefined;
    default:
      if (stream.path.startsWith('/big/')) return big(stream, Number(stream.path.slice('/big/'.length)));
      stream.respond(404, [['content-type', 'text/plain']]);
      stream.write(Buffer.from(`nothing at ${stream.path}\n`));
      stream.end();
      return undefined;
  }
}

/** Sends the body back as it comes, and its length in a trailer. */
async function echo(stream: Stream): Promise<void> {
  stream.takeTime();
  stream.respond(200, [
    ['content-type', stream.header('content-type') === 'application/grpc' ? 'application/grpc' : 'text/plain'],
  ]);
  let length = 0;
  for await (const chunk of stream.body()) {
    length += chunk.length;
    if (!stream.write(chunk)) {
      await new Promise<void>((resolve) => {
        stream.onDrain = resolve;
        stream.onClose = () => resolve();
      });
    }
  }
  stream.end([
    ['x-length', String(length)],
    ['grpc-status', '0'],
  ]);
}

/** Answers once the whole request is there. */
async function readFirst(stream: Stream): Promise<void> {
  let length = 0;
  for await (const chunk of stream.body()) length += chunk.length;
  stream.respond(200, [['content-type', 'text/plain']]);
  stream.write(Buffer.from(`${length} bytes were read\n`));
  stream.end();
}

async function big(stream: Stream, bytes: number): Promise<void> {
  stream.respond(200, []);
  for (let left = bytes; left > 0 && !stream.isOver; left -= 65_536) {
    if (stream.write(Buffer.alloc(Math.min(left, 65_536), 'x'))) continue;
    await new Promise<void>((resolve) => {
      stream.onDrain = resolve;
      stream.onClose = () => resolve();
    });
  }
  stream.end();
}

/** A connection in memory: what is sent to it is read at once, what it says is kept. For `using`. */
export class Wire extends Duplex {
  readonly scheduler = new ManualScheduler();
  readonly application: TestApplication;
  readonly engine: Engine;
  readonly connection: Connection;
  #said: Buffer[] = [];
  /** What its peer does not read is not taken either. */
  isStuck = false;
  #take: (() => void) | undefined;

  /** With an engine of its own, unless it is to be beside others. */
  constructor(limits: Partial<Http2Limits> = {}, application = new TestApplication(), engine?: Engine) {
    super({ allowHalfOpen: true });
    this.application = application;
    this.engine = engine ?? new Engine(application, this.scheduler, { ...HTTP2_LIMITS, ...limits });
    this.connection = this.engine.serve(this);
  }

  override _read(): void {}

  override _write(chunk: Buffer, _: BufferEncoding, done: () => void): void {
    this.#said.push(Buffer.from(chunk));
    if (this.isStuck) this.#take = done;
    else done();
  }

  /** The peer reads again. */
  unstick(): void {
    this.isStuck = false;
    this.#take?.();
    this.#take = undefined;
  }

  /** Has it read all of this, and answers with the frames that it says then and there, or when others have had their turn. */
  send(...pieces: readonly Buffer[]): Frame[] {
    this.begin(...pieces);
    if (this.isPaused()) this.scheduler.advance(0);
    return this.frames();
  }

  /** Has it read as much of this as it reads in one turn. */
  begin(...pieces: readonly Buffer[]): void {
    this.connection.receive(Buffer.concat(pieces));
  }

  /** The same as `send`, in words. */
  say(...pieces: readonly Buffer[]): string[] {
    return this.send(...pieces).map(inWords);
  }

  /** What it has said since the last time. */
  frames(): Frame[] {
    return framesIn(this.bytes());
  }

  words(): string[] {
    return this.frames().map(inWords);
  }

  bytes(): Buffer {
    const said = Buffer.concat(this.#said);
    this.#said = [];
    return said;
  }

  /** Lets handlers do what they do, and what they said leave. */
  async settle(): Promise<void> {
    for (let i = 0; i < 8; i++) {
      await new Promise((resolve) => setImmediate(resolve));
      this.scheduler.advance(0);
    }
  }

  [Symbol.dispose](): void {
    this.destroy();
  }
}

/** The engine on a port of its own. For `await using`. */
export class Http2Room implements AsyncDisposable {
  readonly application: TestApplication;
  readonly engine: Engine;
  readonly port: number;
  readonly #close: () => Promise<void>;

  private constructor(application: TestApplication, engine: Engine, port: number, close: () => Promise<void>) {
    this.application = application;
    this.engine = engine;
    this.port = port;
    this.#close = close;
  }

  static async open(
    limits: Partial<Http2Limits> = {},
    application = new TestApplication(),
    tls?: TlsOptions,
  ): Promise<Http2Room> {
    const engine = new Engine(application, systemScheduler, { ...HTTP2_LIMITS, ...limits });
    const sockets = new Set<Socket>();
    const serve = (socket: Socket) => {
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
      engine.serve(socket);
    };
    const server = tls ? createTlsServer({ ...tls, ALPNProtocols: ['h2'] }, serve) : createServer(serve);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    // It listens on a port, not on a pipe.
    const { port } = server.address() as AddressInfo;
    return new Http2Room(application, engine, port, async () => {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#close();
  }
}
