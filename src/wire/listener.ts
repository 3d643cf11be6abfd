import type { AddressInfo, Server as NetServer, Socket } from 'node:net';
import { Bag } from './bag.ts';
import { refuseCleartext } from './cleartext.ts';
import { tellApart } from './first-bytes.ts';
import type { HeldBodies } from './held-bodies.ts';
import type { Totals } from './http2/totals.ts';
import { DEFAULT_RULES, type TlsIdentity } from './identity.ts';
import type { Lanes, PortLimits } from './lanes.ts';
import type { Refused } from './refused.ts';
import type { Scheduler } from './scheduler.ts';
import type { Seat } from './seat.ts';
import { type SecuredOptions, secured } from './secured.ts';
import { createServing } from './serving.ts';

/**
 * The ground floor opens a port here: it speaks HTTP/1.1 and HTTP/2 in cleartext (h2c with prior knowledge), and both over TLS if it
 * has an identity, told apart by the first bytes. It knows nothing of what is asked over it.
 */
export interface OpenPort {
  /** `HOST:PORT`, with the port that was really given. */
  readonly address: string;
  /** Goes on with another identity, where it has one: whoever comes from now on sees it. It must be fit. */
  renew(identity: TlsIdentity): void;
  /**
   * Takes no more connections, says GOAWAY on HTTP/2, lets what is being answered be answered, and resolves when the last connection
   * has ended. When `deadline` aborts, those that are left are cut.
   */
  close(deadline: AbortSignal): Promise<void>;
}

export interface PortOptions {
  readonly limits: PortLimits;
  readonly scheduler: Scheduler;
  /** Milliseconds since 1970, for the date of answers over HTTP/2; without it they have none. */
  readonly wallClock?: () => number;
  /** What all ports of the process have waiting on HTTP/2; of this one alone when left out. */
  readonly http2Totals?: Totals;
  /** Where refusals for a limit are counted. */
  readonly refused?: Refused;
  /** Where requests count that came before those ahead of them were answered; without a bound in all when left out. */
  readonly bodies?: HeldBodies;
  /** Hears of what nobody else has caught; nobody catches it when left out. */
  readonly onBug?: (error: unknown) => void;
  readonly tls?: TlsIdentity | undefined;
  /** How TLS is spoken there; as Node does, and to all, when left out. */
  readonly tlsRules?: Omit<SecuredOptions, 'handshakeTimeoutMs'> | undefined;
  /** Whether it refuses what is not TLS; default false. */
  readonly tlsOnly?: boolean;
  /** The seat of a connection; one that has none has been ended. All are kept when it is left out. */
  readonly admit?: (socket: Socket) => Seat | undefined;
  /** Who answers guests: connections for which there was no other seat. */
  readonly guests?: Lanes;
}

/** Rejects with the system's error when the port cannot be had. */
export async function listen(host: string, port: number, lanes: Lanes, options: PortOptions): Promise<OpenPort> {
  const { limits, scheduler, wallClock, tls, tlsOnly = false, admit } = options;
  const { onBug = (error) => scheduler.soon(() => rethrow(error)) } = options;
  const sockets = new Bag<Socket>();
  const undecided = new Bag<Socket>();
  const { guests, refused, bodies, http2Totals: totals } = options;
  const serving = createServing(lanes, { limits, scheduler, wallClock, onBug, totals, guests, refused, bodies });
  const { handshakeTimeoutMs } = limits;
  const howToShake = { ...DEFAULT_RULES, requiresCertificate: false, ...options.tlsRules, handshakeTimeoutMs };
  const secure = tls && secured(tls, howToShake, serving.serveShaken);

  const howToTell = { timeoutMs: limits.headerTimeoutMs, knowsTls: secure !== undefined, scheduler };
  serving.server.on('connection', (socket: Socket) => {
    const seat = admit?.(socket);
    if (admit !== undefined && seat === undefined) return;
    socket.once('close', sockets.add(socket));
    const decided = undecided.add(socket);
    tellApart(socket, howToTell, (protocol, head) => {
      decided();
      if (protocol === undefined) return;
      // The listening server keeps a socket open for writing when its peer has finished; an HTTP/2 session would never end.
      if (protocol !== 'http1') socket.allowHalfOpen = false;
      if (protocol === 'tls') {
        serving.shakes(socket, seat);
        secure?.shake(socket);
      } else if (tlsOnly) refuseCleartext(socket, protocol, scheduler);
      else if (protocol === 'http2') serving.serve(socket, true, seat, head);
      else serving.serve(socket, false, seat);
    });
  });

  await openServer(serving.server, host, port);

  return {
    // It listens on a port, not on a pipe.
    address: addressOf(serving.server.address() as AddressInfo),

    renew: (identity) => secure?.renew(identity),

    async close(deadline) {
      const closed = new Promise<void>((resolve) => serving.server.close(() => resolve()));
      for (const socket of undecided.members()) socket.destroy();
      secure?.close();
      serving.close();
      const cut = () => {
        for (const socket of sockets.members()) socket.destroy();
      };
      if (deadline.aborted) cut();
      deadline.addEventListener('abort', cut, { once: true });
      await closed;
      deadline.removeEventListener('abort', cut);
    },
  };
}

function rethrow(error: unknown): never {
  throw error;
}

/** Listens. Where the system has no IPv6, every address is every one of IPv4. */
export async function openServer(server: NetServer, host: string, port: number): Promise<void> {
  try {
    await openedAt(server, host, port);
  } catch (error) {
    if (host !== EVERY_ADDRESS || !isWithoutIpv6(error)) throw error;
    await openedAt(server, EVERY_ADDRESS_OF_IPV4, port);
  }
}

/** Of both families: Node lets a socket of IPv6 take IPv4 too, whatever the system's own setting. */
const EVERY_ADDRESS = '::';
const EVERY_ADDRESS_OF_IPV4 = '0.0.0.0';

/** The family is switched off, in the kernel or by a setting. */
function isWithoutIpv6(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'EAFNOSUPPORT' || error.code === 'EADDRNOTAVAIL');
}

function openedAt(server: NetServer, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

function addressOf({ address, family, port }: AddressInfo): string {
  return family === 'IPv6' ? `[${address}]:${port}` : `${address}:${port}`;
}
