import type { Socket } from 'node:net';
import { Calls, type CallsOptions } from './calls.ts';
import { Engine } from './http2/engine.ts';
import type { Totals } from './http2/totals.ts';
import type { Lanes, PortLimits } from './lanes.ts';
import type { Use } from './seat.ts';

/** HTTP/2 on connections that it is given. */
export interface Http2 {
  /** `head`: what has been read of it. */
  serve(socket: Socket, head?: Buffer): Use;
  /** Says GOAWAY: every connection ends with its last stream. */
  close(): void;
}

export interface Http2Options extends CallsOptions {
  /** Those of this port alone when left out. */
  readonly totals?: Totals | undefined;
}

export function createHttp2(lanes: Lanes, limits: PortLimits, options: Http2Options): Http2 {
  const calls = new Calls(lanes, options);
  const engine = new Engine(calls, options.scheduler, limits, options.totals);
  return {
    serve: (socket, head) => engine.serve(socket, head),
    close() {
      engine.close();
      calls.close();
    },
  };
}
