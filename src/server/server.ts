import { createSecureContext } from 'node:tls';
import { type Logger, pino } from 'pino';
import { checkOptions, type GivenOptions, OptionsError } from '../options.ts';
import type { Lanes } from '../wire/lanes.ts';
import { listen, type OpenPort, type PortOptions, type TlsIdentity } from '../wire/listener.ts';
import { everything, healthOnly, type Surfaces } from './dispatch.ts';
import { drain } from './drain.ts';
import { drainableOf } from './drainable.ts';
import { limitHangs } from './hang-limit.ts';
import { closeRooms, furnish, type House, houseOf, roomsIn, StoreError } from './rooms.ts';

/**
 * A server as whoever embeds one sees it, and its life: rooms are made and furnished, ports are opened, and in the end all of it is
 * drained and closed. What works behind the ports is made in `rooms.ts`.
 */
export interface ServerOptions extends GivenOptions {
  /** An identity in PEM: the gRPC port speaks TLS too then, and one more port nothing else, if it is given. No TLS when left out. */
  readonly tls?: TlsIdentity & { readonly port?: number };
  /** A pino logger; silent when left out. */
  readonly log?: Logger;
}

export interface Server extends AsyncDisposable {
  /** Where it listens, each as `HOST:PORT`. */
  readonly listeners: Listeners;
  /**
   * Drains and closes: the status of `""` and readiness flip at once; all else goes on for the time of the option `drainDelayMs`; then
   * watches end with UNAVAILABLE, and connections are told to go. Resolves when all have gone, and `withinMs` after the delay at the
   * latest (default: the option `closeWithinMs`), but for what waits to be written: rejects with `StoreError` when not all that must
   * survive could be.
   */
  close(withinMs?: number): Promise<void>;
}

export interface Listeners {
  readonly main: string;
  readonly grpc: string;
  readonly health: string;
  /** Only when there is one. */
  readonly tls?: string;
}

export { StoreError };

/** A port could not be had; `cause` is the system's error. */
export class ListenError extends Error {
  override readonly name = 'ListenError';
}

/**
 * Starts a beatbridge in this process. Rejects with `OptionsError` when there is something wrong with the options, with `StoreError`
 * when its directory cannot be used, and with `ListenError` when a port cannot be had; nothing stays open then.
 */
export async function createServer(given: ServerOptions = {}): Promise<Server> {
  const options = checkOptions(given);
  if (given.tls !== undefined) checkIdentity(given.tls);
  const house = houseOf(options, given.log ?? pino({ enabled: false }), given.tls !== undefined);
  const rooms = await roomsIn(house);
  const open = async () => openPorts(house, await furnish(house, rooms), given.tls);
  const ports = await open().catch(async (error) => {
    // What was wrong first is what is told.
    await closeRooms(rooms).catch(() => {});
    throw error;
  });
  const stopWatching = limitHangs(options.hangLimitMs, house.scheduler, house.log);
  rooms.sweeper.start();
  rooms.probes.start(rooms.nacos.checking);

  // What a terminal is, only a process knows.
  const delayMs = options.drainDelayMs === 'auto' ? 0 : options.drainDelayMs;
  const end = async (withinMs: number) => {
    try {
      await drain(drainableOf(house, rooms, ports.close), { delayMs, withinMs }, house.scheduler);
    } finally {
      house.descriptors.close();
      stopWatching();
      await closeRooms(rooms);
    }
  };
  let ended: Promise<void> | undefined;
  const close = (withinMs = options.closeWithinMs) => {
    ended ??= end(withinMs);
    return ended;
  };
  return { listeners: ports.listeners, close, [Symbol.asyncDispose]: () => close() };
}

/** Opening a port would find it out too, but it is not the port that is at fault. */
function checkIdentity({ cert, key }: TlsIdentity): void {
  try {
    createSecureContext({ cert, key });
  } catch (cause) {
    throw new OptionsError([`tls must have a cert and a key that go together, both in PEM: ${reasonOf(cause)}`]);
  }
}

interface Ports {
  readonly listeners: Listeners;
  readonly close: (deadline: AbortSignal) => Promise<void>;
}

/** Opens all ports or none. */
async function openPorts(
  { options, scheduler, wallClock, log, descriptors, http2Totals }: House,
  surfaces: Surfaces,
  tls: ServerOptions['tls'],
): Promise<Ports> {
  const { host, port, grpcPort, healthPort } = options;
  const all = everything(surfaces, log);
  const health = healthOnly(surfaces, log);
  const onBug = (err: unknown) => log.error({ err }, 'http2 failed');
  const shared = { limits: options, scheduler, wallClock, http2Totals, onBug };
  const open: OpenPort[] = [];
  const close = async (deadline: AbortSignal) => {
    await Promise.all(open.map((each) => each.close(deadline)));
  };
  const opened = async (number: number, lanes: Lanes, how: Pick<PortOptions, 'tls' | 'tlsOnly'> = {}) => {
    const admit: PortOptions['admit'] = (socket) => descriptors.admit(socket, lanes === health);
    try {
      const one = await listen(host, number, lanes, { ...shared, admit, ...how });
      open.push(one);
      return one.address;
    } catch (cause) {
      await close(AbortSignal.abort());
      throw new ListenError(`cannot listen on ${host}:${number}: ${reasonOf(cause)}`, { cause });
    }
  };
  const listeners = {
    main: await opened(port, all),
    // Nacos's clients cannot be told of another port, with TLS or without.
    grpc: await opened(grpcPort, all, { tls }),
    health: await opened(healthPort, health),
    ...(tls?.port !== undefined && { tls: await opened(tls.port, all, { tls, tlsOnly: true }) }),
  };
  return { listeners, close };
}

function reasonOf(cause: unknown): string {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  if (code === 'EADDRINUSE') return 'the port is taken';
  if (code === 'EACCES') return 'no permission for this port';
  return cause instanceof Error ? cause.message : String(cause);
}
