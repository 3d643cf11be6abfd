import type { Socket } from 'node:net';
import { Calls, type CallsOptions } from './calls.ts';
import { MAX_FRAME_BYTES } from './http2/codes.ts';
import { Engine } from './http2/engine.ts';
import { HTTP2_LIMITS, type Http2Limits } from './http2/limits.ts';
import type { Lanes, PortLimits } from './lanes.ts';

/** HTTP/2 on connections that it is given. */
export interface Http2 {
  /** `head`: what has been read of it. */
  serve(socket: Socket, head?: Buffer): void;
  /** Says GOAWAY: every connection ends with its last stream. */
  close(): void;
}

export function createHttp2(lanes: Lanes, limits: PortLimits, options: CallsOptions): Http2 {
  const calls = new Calls(lanes, options);
  const engine = new Engine(calls, options.scheduler, http2Limits(limits));
  return {
    serve: (socket, head) => void engine.serve(socket, head),
    close() {
      engine.close();
      calls.close();
    },
  };
}

/** Of a question in one piece, which may be a registration of very many instances. Less than half of what a stream may send at first. */
const QUICK_BODY_BYTES = 128 << 10;

function http2Limits(limits: PortLimits): Http2Limits {
  const { maxHeaderBytes } = limits;
  // Encoded a header is hardly longer than it is.
  const maxHeaderBlockBytes = maxHeaderBytes + MAX_FRAME_BYTES;
  const headerSeconds = secondsOf(limits.headerTimeoutMs);
  return {
    ...HTTP2_LIMITS,
    maxStreams: limits.maxStreamsPerConnection,
    maxHeaderListBytes: maxHeaderBytes,
    maxHeaderBlockBytes,
    maxContinuations: Math.max(HTTP2_LIMITS.maxContinuations, Math.ceil((2 * maxHeaderBlockBytes) / MAX_FRAME_BYTES)),
    maxQuickBodyBytes: QUICK_BODY_BYTES,
    handshakeSeconds: headerSeconds,
    headerSeconds,
    bodySeconds: secondsOf(limits.bodyTimeoutMs),
    pingSeconds: Math.ceil(limits.pingIntervalMs / 1_000),
  };
}

/** The engine counts whole seconds, of which the first has begun before. And after a stall one counts before what has come is read. */
function secondsOf(ms: number): number {
  return Math.ceil(ms / 1_000) + 1;
}
