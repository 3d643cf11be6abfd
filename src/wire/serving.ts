import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { endsOf } from './ends.ts';
import type { HeldBodies } from './held-bodies.ts';
import { createHttp1 } from './http1.ts';
import { createHttp2, type Http2Options } from './http2.ts';
import type { Lanes, PortLimits } from './lanes.ts';
import type { Refused } from './refused.ts';
import type { Seat } from './seat.ts';

/** HTTP of both versions on connections that it is given, for guests and for all others. */
export interface Serving {
  /** Listens; see `Http1`. */
  readonly server: Server;
  /** `head`: what has been read of it, if it speaks HTTP/2. */
  serve(socket: Socket, speaksHttp2: boolean, seat: Seat | undefined, head?: Buffer): void;
  /** The connection is to be served once its handshake is done: what is served then is another socket, with the same ends. */
  shakes(socket: Socket, seat: Seat | undefined): void;
  serveShaken(socket: Socket, speaksHttp2: boolean): void;
  /** Ends what is idle, and all else after what is being answered. */
  close(): void;
}

export interface ServingOptions extends Http2Options {
  readonly limits: PortLimits;
  /** Who answers guests; those that answer all others when left out. */
  readonly guests?: Lanes | undefined;
  /** Where refusals for a limit are counted. */
  readonly refused?: Refused | undefined;
  /** See `PortOptions`. */
  readonly bodies?: HeldBodies | undefined;
}

export function createServing(lanes: Lanes, { limits, guests = lanes, refused, bodies, ...options }: ServingOptions): Serving {
  const http1 = createHttp1(lanes, limits, { guests: guests.request, refused, bodies });
  const http2 = createHttp2(lanes, limits, options);
  const http2OfGuests = createHttp2(guests, limits, options);
  const shaking = new Map<string, Seat>();
  const serve: Serving['serve'] = (socket, speaksHttp2, seat, head) => {
    const isGuest = seat?.isGuest === true;
    const use = speaksHttp2 ? (isGuest ? http2OfGuests : http2).serve(socket, head) : http1.serve(socket, isGuest);
    seat?.serves(use);
  };
  return {
    server: http1.server,
    serve,
    shakes(socket, seat) {
      if (seat === undefined) return;
      const ends = endsOf(socket);
      shaking.set(ends, seat);
      socket.once('close', () => shaking.delete(ends));
    },
    serveShaken(socket, speaksHttp2) {
      const ends = endsOf(socket);
      const seat = shaking.get(ends);
      shaking.delete(ends);
      serve(socket, speaksHttp2, seat);
    },
    close() {
      http1.close();
      http2.close();
      http2OfGuests.close();
    },
  };
}
