import type { Application } from './application.ts';
import { allowancesOf } from './budget.ts';
import { MAX_FRAME_BYTES } from './codes.ts';
import { createStaticTable, type Mark } from './fields.ts';
import { HTTP2_LIMITS, type Http2Limits } from './limits.ts';
import { BufferPool } from './output.ts';
import { Request } from './request.ts';
import { Totals } from './totals.ts';

/** Delays, which come from outside. None of them may keep the process alive. */
export interface Timers {
  after(ms: number, run: () => void): () => void;
  every(ms: number, run: () => void): () => void;
  /** Once what waits to be read has been read. */
  soon(run: () => void): void;
}

/** A connection, as the others know it. */
interface Member {
  /** Where it stands among them. */
  at: number;
  /** Of bodies that no handler has taken yet; and what its peer has left unread. */
  readonly unreadBytes: number;
  readonly unsentBytes: number;
  tick(): void;
  flush(): void;
  /** Ends gracefully. */
  close(): void;
  /** Ends, as it has more waiting than all others, and all together too much. */
  calm(reason: string): void;
}

/** Requests kept between two uses, unless they had so many fields: they hold on to them. */
const KEPT = 256;
const KEPT_FIELDS = 32;
/** So many connections write after each other before what has come is read. */
const SERVED_AT_ONCE = 256;

/** What all connections of an engine have in common. */
export class Shared {
  readonly application: Application;
  readonly timers: Timers;
  readonly limits: Http2Limits;
  readonly totals: Totals;
  readonly allowances;
  /** Of a header as it is encoded. */
  readonly maxBlockBytes: number;
  readonly maxContinuations: number;
  readonly buffers = new BufferPool();
  readonly mark: Mark = (name, value) => this.application.mark(name, value);
  readonly staticTable;
  readonly scratch: Buffer;
  /** No set, which V8 writes anew again and again where many come and go, and keeps what the old writings refer to for long. */
  readonly connections: Member[] = [];
  /** Milliseconds since the beginning, by the second. */
  now = 0;
  readonly #free: Request[] = [];
  #dirty: Member[] = [];
  #stop: (() => void) | undefined;

  constructor(application: Application, timers: Timers, limits: Http2Limits = HTTP2_LIMITS, totals = new Totals()) {
    this.application = application;
    this.timers = timers;
    this.limits = limits;
    this.totals = totals;
    totals.engines.push(this);
    this.allowances = allowancesOf(limits);
    this.staticTable = createStaticTable(this.mark);
    this.maxBlockBytes = 2 * limits.maxHeaderBytes;
    this.maxContinuations = Math.max(limits.maxContinuations, Math.ceil(this.maxBlockBytes / MAX_FRAME_BYTES));
    this.scratch = Buffer.allocUnsafeSlow(2 * this.maxBlockBytes);
  }

  protected join(connection: Member): void {
    connection.at = this.connections.push(connection) - 1;
    this.#stop ??= this.timers.every(TICK_MS, () => this.#tick());
  }

  /** It has ended. */
  leave(connection: Member): void {
    const last = this.connections.pop() ?? connection;
    if (last !== connection) this.connections[connection.at] = last;
    last.at = connection.at;
    if (this.connections.length > 0) return;
    this.#stop?.();
    this.#stop = undefined;
  }

  #tick(): void {
    this.now += TICK_MS;
    this.#tickFrom([...this.connections], 0);
  }

  #tickFrom(connections: readonly Member[], from: number): void {
    const next = from + SERVED_AT_ONCE;
    for (const connection of connections.slice(from, next)) connection.tick();
    if (next < connections.length) this.timers.soon(() => this.#tickFrom(connections, next));
  }

  takeRequest(): Request {
    const request = this.#free.pop() ?? new Request(this.limits);
    request.begin();
    return request;
  }

  giveRequest(request: Request): void {
    request.connection = undefined;
    request.body = NOTHING;
    request.note = undefined;
    if (request.count <= KEPT_FIELDS && this.#free.length < KEPT) this.#free.push(request);
  }

  /** Once in this turn of the event loop, or in one of the next where many have something to say. */
  flushSoon(connection: Member): void {
    if (this.#dirty.push(connection) === 1) this.timers.soon(() => this.#flush());
  }

  #flush(): void {
    for (const connection of this.#dirty.splice(0, SERVED_AT_ONCE)) connection.flush();
    if (this.#dirty.length > 0) this.timers.soon(() => this.#flush());
  }
}

const TICK_MS = 1_000;
const NOTHING = new Uint8Array(0);
