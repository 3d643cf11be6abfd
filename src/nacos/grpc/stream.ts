import type { Logger } from 'pino';
import type { Payload } from '../../gen/nacos/payload_pb.ts';
import type { Peer } from '../../wire/exchange.ts';
import { readBody, setupOf } from './bodies.ts';
import type { Connection } from './connection.ts';
import type { Connections } from './connections.ts';
import { envelope, message } from './messages.ts';

/** What a stream works on. */
export interface StreamRoom {
  readonly connections: Connections;
  readonly log: Logger;
}

/** What a stream runs over. */
export interface Caller {
  readonly peer: Peer;
  /** Aborted when the call has ended, or is to. */
  readonly signal: AbortSignal;
}

/** The stream of a connection: the client sets it up and answers, the server asks and pushes. Its end is the connection's. */
export async function* serveStream(room: StreamRoom, requests: AsyncIterable<Payload>, caller: Caller): AsyncGenerator<Payload> {
  const { signal } = caller;
  const stream = new Stream(room, caller.peer);
  signal.addEventListener('abort', () => stream.wake(), { once: true });
  void stream.readAll(requests);
  try {
    for (;;) {
      const next = stream.take();
      if (next !== undefined) {
        yield next;
        continue;
      }
      // The reason says how the stream ends: unavailable when the server goes.
      signal.throwIfAborted();
      if (stream.isOver) return;
      await stream.somethingNew();
    }
  } finally {
    stream.finish('the stream has ended');
  }
}

class Stream {
  readonly #room: StreamRoom;
  readonly #peer: Peer;
  #connection: Connection | undefined;
  #isFinished = false;
  #wake = () => {};

  constructor(room: StreamRoom, peer: Peer) {
    this.#room = room;
    this.#peer = peer;
    room.connections.heard(peer);
  }

  /** There is something to be sent, or never will be again. */
  wake(): void {
    this.#wake();
  }

  /** Resolves when it is woken. */
  somethingNew(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  take(): Payload | undefined {
    const next = this.#connection?.outbox.take();
    return next && envelope(next);
  }

  get isOver(): boolean {
    return this.#isFinished || this.#connection?.ended === true;
  }

  finish(reason: string): void {
    this.#isFinished = true;
    if (this.#connection !== undefined) this.#room.connections.end(this.#connection, reason);
    this.wake();
  }

  /** Reads to the end of the stream, which is the end of all. */
  async readAll(requests: AsyncIterable<Payload>): Promise<void> {
    try {
      for await (const payload of requests) this.#readSafely(payload);
    } catch {
      this.finish('the stream has broken');
      return;
    }
    this.finish('the client has closed its stream');
  }

  #readSafely(payload: Payload): void {
    try {
      this.#read(payload);
    } catch (err) {
      this.#room.log.error({ err }, 'nacos stream failed');
      this.#peer.cut();
    }
  }

  #read(payload: Payload): void {
    // It has ended, and something was still on its way.
    if (this.#isFinished) return;
    const { connections } = this.#room;
    const type = payload.metadata?.type ?? '';
    const body = readBody(payload.body?.value ?? new Uint8Array());
    const known = connections.heard(this.#peer);
    if (type !== 'ConnectionSetupRequest') {
      if (typeof body?.requestId === 'string') known?.answered(body.requestId, body.resultCode === 200);
      return;
    }
    // A second time it changes nothing, be it over this stream or another.
    if (known !== undefined) return;
    const setup = body && setupOf(body);
    this.#connection = setup && connections.setUp(this.#peer, setup, () => this.wake());
    if (this.#connection === undefined) this.#peer.cut();
    else if (setup?.negotiates) this.#connection.outbox.send(() => message('SetupAckRequest', SETUP_ACK));
  }
}

/** What is offered to clients that ask what they may use. */
const ABILITIES = { supportPersistentInstanceByGrpc: true };
const SETUP_ACK = { headers: {}, module: 'internal', abilityTable: ABILITIES };
