import type { Socket } from 'node:net';
import { Calls, type CallsOptions } from './calls.ts';
import { Engine } from './http2/engine.ts';
import type { Http2Limits } from './http2/limits.ts';
import type { Totals } from './http2/totals.ts';
import type { Lanes, PortLimits } from './lanes.ts';

/** HTTP/2 on connections that it is given. */
export interface Http2 {
  /** `head`: what has been read of it. */
  serve(socket: Socket, head?: Buffer): void;
  /** Says GOAWAY: every connection ends with its last stream. */
  close(): void;
}

export interface Http2Options extends CallsOptions {
  /** Those of this port alone when left out. */
  readonly totals?: Totals | undefined;
}

export function createHttp2(lanes: Lanes, limits: PortLimits, options: Http2Options): Http2 {
  const calls = new Calls(lanes, options);
  const engine = new Engine(calls, options.scheduler, patient(limits), options.totals);
  return {
    serve: (socket, head) => void engine.serve(socket, head),
    close() {
      engine.close();
      calls.close();
    },
  };
}

const SECOND_MS = 1_000;

/** The engine counts whole seconds, of which the first has begun before. And after a stall it counts one before what has come is read. */
function patient(limits: PortLimits): Http2Limits {
  const { headerTimeoutMs, bodyTimeoutMs } = limits;
  return { ...limits, headerTimeoutMs: headerTimeoutMs + SECOND_MS, bodyTimeoutMs: bodyTimeoutMs + SECOND_MS };
}
