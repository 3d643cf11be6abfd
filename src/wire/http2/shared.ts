import type { Application } from './application.ts';
import { createStaticTable, type Field, type Mark } from './fields.ts';
import { createScratch } from './header-decoder.ts';
import type { Http2Limits } from './limits.ts';
import { BufferPool } from './output.ts';
import { Request } from './request.ts';

/** Delays, which come from outside. None of them may keep the process alive. */
export interface Timers {
  after(ms: number, run: () => void): () => void;
  every(ms: number, run: () => void): () => void;
  /** Once what waits to be read has been read. */
  soon(run: () => void): void;
}

/** Requests kept between two uses. */
const KEPT = 256;
/** One that had more fields is not kept: it would hold on to them. */
const KEPT_FIELDS = 32;

/** So many connections write after each other before what has come is read. */
const FLUSHED_AT_ONCE = 256;

/** What all connections of an engine have in common. */
export class Shared {
  readonly application: Application;
  readonly timers: Timers;
  readonly limits: Http2Limits;
  readonly buffers = new BufferPool();
  readonly mark: Mark;
  readonly staticTable: readonly Field[];
  readonly scratch: Buffer;
  /** Of bodies that no handler has taken. */
  unreadBytes = 0;
  /** Ticks so far. */
  second = 0;
  readonly #free: Request[] = [];
  #dirty: { flush(): void }[] = [];

  constructor(application: Application, timers: Timers, limits: Http2Limits) {
    this.application = application;
    this.timers = timers;
    this.limits = limits;
    this.mark = (name, value) => application.mark(name, value);
    this.staticTable = createStaticTable(this.mark);
    this.scratch = createScratch(limits.maxHeaderBlockBytes);
  }

  takeRequest(): Request {
    const request = this.#free.pop() ?? new Request(this.limits);
    request.begin();
    return request;
  }

  /** Once in this turn of the event loop, or in one of the next where many have something to say. */
  flushSoon(connection: { flush(): void }): void {
    if (this.#dirty.push(connection) === 1) this.timers.soon(() => this.#flush());
  }

  #flush(): void {
    for (const connection of this.#dirty.splice(0, FLUSHED_AT_ONCE)) connection.flush();
    if (this.#dirty.length > 0) this.timers.soon(() => this.#flush());
  }

  giveRequest(request: Request): void {
    request.connection = undefined;
    request.body = NOTHING;
    request.note = undefined;
    if (request.count <= KEPT_FIELDS && this.#free.length < KEPT) this.#free.push(request);
  }
}

const NOTHING = new Uint8Array(0);
