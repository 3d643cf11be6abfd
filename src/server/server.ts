import type { Socket } from 'node:net';
import { type Logger, pino } from 'pino';
import { checkOptions, type GivenOptions, type Options, OptionsError } from '../options.ts';
import type { Clock } from '../wire/clock.ts';
import { faultsOf, type TlsIdentity } from '../wire/identity.ts';
import type { Lanes } from '../wire/lanes.ts';
import { listen, type OpenPort, type PortOptions } from '../wire/listener.ts';
import { systemScheduler } from '../wire/scheduler.ts';
import { type Certificate, GIVEN } from './certificate.ts';
import { everything, healthOnly, type Surfaces } from './dispatch.ts';
import { drain } from './drain.ts';
import { drainableOf } from './drainable.ts';
import { type Face, faceOf } from './face.ts';
import { forGuests } from './guests.ts';
import { limitHangs } from './hang-limit.ts';
import type { House } from './house.ts';
import { type OptionRow, programRows } from './option-rows.ts';
import { closeRooms, furnish, houseOf, roomsIn, StoreError } from './rooms.ts';
import { surfacesOf } from './surfaces.ts';
import { readVersion } from './version.ts';

/**
 * A server as whoever embeds one sees it, and its life: rooms are made and furnished, ports are opened, and in the end all of it is
 * drained and closed. What works behind the ports is made in `rooms.ts`.
 */
export interface ServerOptions extends GivenOptions {
  /** An identity in PEM: all ports speak TLS too then, and one more port nothing else, if it is given. No TLS when left out. */
  readonly tls?: TlsIdentity & { readonly port?: number };
  /** A pino logger; silent when left out. */
  readonly log?: Logger;
  /** The time that everything in it goes by, for tests: see `createTestClock`. Left out, it is the machine's. */
  readonly clock?: Clock;
}

export interface Server extends AsyncDisposable, Face {
  /** Where it listens, each as `HOST:PORT`. */
  readonly listeners: Listeners;
  /**
   * Drains and closes: the status of `""` and readiness flip at once; all else goes on for the time of the option `drainDelayMs`; then
   * watches end with UNAVAILABLE, and connections are told to go. Resolves when all have gone, and `withinMs` after the delay at the
   * latest (default: the option `closeWithinMs`), but for what waits to be written: rejects with `StoreError` when not all that must
   * survive could be. `why` is told in the event of it: a signal, say.
   */
  close(withinMs?: number, why?: string): Promise<void>;
  /**
   * Goes on with another identity on TLS: whoever comes from now on sees it, and whom only somebody vouched for who is no longer in
   * `clientCa` is cut. Answers whether it is in force. If not, or if there is none but a reason, it is logged, `/readyz` says so, and the
   * one before stays.
   */
  renewIdentity(next: TlsIdentity | OptionsError): boolean;
}

export interface Listeners {
  readonly main: string;
  readonly grpc: string;
  readonly health: string;
  /** Only when there is one. */
  readonly tls?: string;
}

export type {
  AffectedView,
  EmbeddedHealth,
  EmbeddedRegistry,
  EventCause,
  EventView,
  HealthStatus,
  InstanceInput,
  InstanceView,
  ServiceReference,
  ServiceView,
} from './face.ts';
export { StoreError };

/** A port could not be had; `cause` is the system's error. */
export class ListenError extends Error {
  override readonly name = 'ListenError';
}

/**
 * Starts a beatbridge in this process. Rejects with `OptionsError` when there is something wrong with the options, with `StoreError`
 * when its directory cannot be used, and with `ListenError` when a port cannot be had; nothing stays open then.
 */
export function createServer(given: ServerOptions = {}): Promise<Server> {
  return startServer(given, (options) => programRows(options, given));
}

/** The same for the process that is one, which was told its options in more ways than one. `rowsOf`: what is shown of them. */
export async function startServer(given: ServerOptions, rowsOf: (options: Options) => readonly OptionRow[]): Promise<Server> {
  const options = checkOptions(given);
  const { tls } = given;
  // Opening a port would find it out too, but it is not the port that is at fault.
  const faults = tls === undefined ? [] : faultsOf(tls, GIVEN);
  if (faults.length > 0) throw new OptionsError(faults);
  const house = houseOf(options, given.log ?? pino({ enabled: false }), tls !== undefined, given.clock);
  const rooms = await roomsIn(house, tls);
  let listeners: Listeners | undefined;
  const open = async () => {
    await furnish(house, rooms);
    const surfaces = surfacesOf(house, rooms, { ports: () => listeners, optionRows: () => rowsOf(options) });
    const opened = await openPorts(house, surfaces, { identity: tls, certificate: rooms.certificate });
    listeners = opened.listeners;
    return opened;
  };
  const ports = await open().catch(async (error) => {
    // What was wrong first is what is told.
    await closeRooms(rooms).catch(() => {});
    throw error;
  });
  const stopWatching = limitHangs(options.hangLimitMs, systemScheduler, house.log);
  rooms.sweeper.start();
  rooms.probes.start(rooms.nacos.checking);
  rooms.events.note('started', { detail: { version: readVersion(), ...ports.listeners, ...rooms.keeping?.restored } });

  // What a terminal is, only a process knows.
  const delayMs = options.drainDelayMs === 'auto' ? 0 : options.drainDelayMs;
  const end = async (withinMs: number) => {
    const endsAt = house.now() + delayMs + withinMs;
    try {
      await drain(drainableOf(house, rooms, ports.close), { delayMs, withinMs }, systemScheduler);
    } finally {
      house.seats.close();
      stopWatching();
      await closeRooms(rooms, Math.min(LAST_WORDS_MS, Math.max(LEAST_LAST_WORDS_MS, endsAt - house.now())));
    }
  };
  let ended: Promise<void> | undefined;
  const close = (withinMs = options.closeWithinMs, why?: string) => {
    if (ended !== undefined) return ended;
    ended = end(withinMs);
    // Whoever hears of it may want to close it too.
    rooms.events.note('draining', { detail: { ...(why !== undefined && { signal: why.slice(0, 100) }), delayMs, withinMs } });
    return ended;
  };
  const renewIdentity = (next: TlsIdentity | OptionsError) => renew(next, tls, { ports, certificate: rooms.certificate });
  return { listeners: ports.listeners, ...faceOf(house, rooms), close, renewIdentity, [Symbol.asyncDispose]: () => close() };
}

/** How long webhooks have to be told the rest: what the drain has left. */
const LAST_WORDS_MS = 3_000;
const LEAST_LAST_WORDS_MS = 500;

/** Whether clients are asked for certificates is decided at the start. */
function renew(next: TlsIdentity | OptionsError, first: TlsIdentity | undefined, { ports, certificate }: Shown): boolean {
  if (first === undefined || certificate === undefined) return false;
  const faults = next instanceof OptionsError ? [...next.faults] : [...faultsOf(next, GIVEN)];
  if (!(next instanceof OptionsError) && (next.clientCa === undefined) !== (first.clientCa === undefined))
    faults.push('tls.clientCa can neither come nor go while it runs');
  if (!(next instanceof OptionsError) && faults.length === 0) faults.push(...certificate.faultsOfNext(next));
  if (next instanceof OptionsError || faults.length > 0) {
    certificate.refuse(faults);
    return false;
  }
  ports.renew(next);
  certificate.put(next);
  return true;
}

interface Shown {
  readonly ports: Pick<Ports, 'renew'>;
  readonly certificate: Certificate | undefined;
}

interface Ports {
  readonly listeners: Listeners;
  readonly renew: (identity: TlsIdentity) => void;
  readonly close: (deadline: AbortSignal) => Promise<void>;
}

interface Tls {
  readonly identity: ServerOptions['tls'];
  readonly certificate: Certificate | undefined;
}

/** Opens all ports or none. */
async function openPorts(
  { options, wallClock, log, seats, http2Totals, refused, bodies }: House,
  surfaces: Surfaces,
  { identity: tls, certificate }: Tls,
): Promise<Ports> {
  const { host, port, grpcPort, healthPort, tlsOnly, tlsMinVersion: minVersion, tlsCiphers: ciphers } = options;
  const all = everything(surfaces, log);
  const health = healthOnly(surfaces, log);
  const guests = forGuests(surfaces, log, (socket) => refused.count(seats.limitOf(socket)));
  const onBug = (err: unknown) => log.error({ err }, 'http2 failed');
  const shared = { limits: options, scheduler: systemScheduler, wallClock, http2Totals, refused, bodies, onBug, guests };
  const failed = (reason: string, { remoteAddress }: Socket) => certificate?.handshakeFailed(reason, remoteAddress);
  const tlsRules = { minVersion, ciphers, requiresCertificate: options.tlsRequireClientCert, failed };
  // Whoever asks for health may have no certificate: the kubelet has none.
  const ofHealth = { ...tlsRules, requiresCertificate: false };
  const open: OpenPort[] = [];
  const close = async (deadline: AbortSignal) => {
    await Promise.all(open.map((each) => each.close(deadline)));
  };
  const opened = async (number: number, lanes: Lanes, how: Pick<PortOptions, 'tlsOnly' | 'tlsRules'>) => {
    const admit: PortOptions['admit'] = (socket) => seats.admit(socket, lanes === health);
    try {
      const one = await listen(host, number, lanes, { ...shared, admit, tls, ...how });
      open.push(one);
      return one.address;
    } catch (cause) {
      await close(AbortSignal.abort());
      throw new ListenError(`cannot listen on ${host}:${number}: ${reasonOf(cause)}`, { cause });
    }
  };
  // Nacos's clients cannot be told of other ports, with TLS or without.
  const ofNacos = { tlsRules, tlsOnly: tlsOnly !== 'none' };
  const listeners = {
    main: await opened(port, all, ofNacos),
    grpc: await opened(grpcPort, all, ofNacos),
    health: await opened(healthPort, health, { tlsRules: ofHealth, tlsOnly: tlsOnly === 'all' }),
    ...(tls?.port !== undefined && { tls: await opened(tls.port, all, { tlsRules, tlsOnly: true }) }),
  };
  const renew = (identity: TlsIdentity) => {
    for (const each of open) each.renew(identity);
  };
  return { listeners, renew, close };
}

function reasonOf(cause: unknown): string {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  if (code === 'EADDRINUSE') return 'the port is taken';
  if (code === 'EACCES') return 'no permission for this port';
  return cause instanceof Error ? cause.message : String(cause);
}
