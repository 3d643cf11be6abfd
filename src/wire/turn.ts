import type { ServerResponse } from 'node:http';
import { type Scheduler, systemScheduler } from './scheduler.ts';

/**
 * The answers of HTTP/1.1 that are ready in one turn of the event loop, written together once all requests of the turn have been read.
 * Whoever waits for an answer sleeps, and waking it was two fifths of what the system did to send a small one: written one by one,
 * between the work for others, each found its reader asleep again. A beat took 29 us of a processor like that, and takes 21.
 */
export class Turn {
  readonly #scheduler: Pick<Scheduler, 'soon'>;
  #ready: ReadyAnswer[] = [];

  constructor(scheduler: Pick<Scheduler, 'soon'>) {
    this.#scheduler = scheduler;
  }

  /**
   * `res` has its header, and ends with `body`, or with nothing if nobody waits for it by then. The last answer of a connection ends at
   * once: what comes after its request is an error to Node, and would take its place.
   */
  end(res: ServerResponse, body: string | Buffer, encoding: 'latin1' | 'utf8'): void {
    if (!res.shouldKeepAlive) res.end(body, encoding);
    else if (this.#ready.push({ res, body, encoding }) === 1) this.#scheduler.soon(() => this.#write());
  }

  #write(): void {
    const ready = this.#ready;
    this.#ready = [];
    for (const { res, body, encoding } of ready) if (!res.destroyed) res.end(body, encoding);
  }
}

interface ReadyAnswer {
  readonly res: ServerResponse;
  readonly body: string | Buffer;
  readonly encoding: 'latin1' | 'utf8';
}

/** A process has one event loop. */
export const TURN = new Turn(systemScheduler);
