import type { Logger } from 'pino';
import type { Payload } from '../../gen/nacos/payload_pb.ts';
import type { Peer } from '../../wire/exchange.ts';
import { RequestError } from '../errors.ts';
import { readBody, setupOf } from './bodies.ts';
import type { Connection, EndReason } from './connection.ts';
import type { Connections } from './connections.ts';
import { envelope, type Message, message, type Said, saidIn } from './messages.ts';

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
  let woken = () => {};
  const stream = new Stream(room, caller.peer, () => woken());
  signal.addEventListener('abort', () => woken(), { once: true });
  void readAll(stream, requests);
  try {
    for (;;) {
      const next = stream.take();
      if (next !== undefined) {
        yield envelope(next);
        continue;
      }
      // The reason says how the stream ends: unavailable when the server goes.
      signal.throwIfAborted();
      if (stream.isOver) return;
      await new Promise<void>((resolve) => {
        woken = resolve;
      });
    }
  } finally {
    stream.finish('reset');
  }
}

/** Reads to the end of the stream, which is the end of all. */
async function readAll(stream: Stream, requests: AsyncIterable<Payload>): Promise<void> {
  try {
    for await (const payload of requests) stream.read(saidIn(payload));
  } catch {
    stream.finish('reset');
    return;
  }
  stream.finish('closed');
}

/** What a stream is, whatever carries it. */
export class Stream {
  readonly #room: StreamRoom;
  readonly #peer: Peer;
  readonly #wake: () => void;
  #connection: Connection | undefined;
  #isFinished = false;

  /** `wake` is called when there is something to be sent, or never will be again. */
  constructor(room: StreamRoom, peer: Peer, wake: () => void) {
    this.#room = room;
    this.#peer = peer;
    this.#wake = wake;
    room.connections.heard(peer);
  }

  /** What is to be sent next, as it is true now. */
  take(): Message | undefined {
    return this.#connection?.outbox.take();
  }

  get isOver(): boolean {
    return this.#isFinished || this.#connection?.ended === true;
  }

  finish(reason: EndReason): void {
    this.#isFinished = true;
    if (this.#connection !== undefined) this.#room.connections.end(this.#connection, reason);
    this.#wake();
  }

  /** What the client has said. */
  read(said: Said): void {
    try {
      this.#read(said);
    } catch (err) {
      if (!(err instanceof RequestError)) this.#room.log.error({ err }, 'nacos stream failed');
      if (this.#connection === undefined) this.#peer.cut();
      else this.#connection.cut('refused');
    }
  }

  #read({ type, body: bytes }: Said): void {
    // It has ended, and something was still on its way.
    if (this.#isFinished) return;
    const { connections } = this.#room;
    const body = readBody(bytes);
    const known = connections.heard(this.#peer);
    if (type !== 'ConnectionSetupRequest') {
      if (typeof body?.requestId === 'string') known?.answered(body.requestId, body.resultCode === 200);
      return;
    }
    // A second time it changes nothing, be it over this stream or another.
    if (known !== undefined) return;
    const setup = body && setupOf(body);
    this.#connection = setup && connections.setUp(this.#peer, setup, this.#wake);
    if (this.#connection === undefined) this.#peer.cut();
    else if (setup?.negotiates) this.#connection.outbox.send(() => message('SetupAckRequest', SETUP_ACK));
  }
}

/** What is offered to clients that ask what they may use. */
const ABILITIES = { supportPersistentInstanceByGrpc: true };
const SETUP_ACK = { headers: {}, module: 'internal', abilityTable: ABILITIES };
