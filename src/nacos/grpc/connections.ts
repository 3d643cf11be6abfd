import type { Logger } from 'pino';
import type { Registration } from '../registry/instance.ts';
import type { Holder, Registry } from '../registry/registry.ts';
import { type ServiceName, serviceKey } from '../registry/service-name.ts';
import type { Setup } from './bodies.ts';

/**
 * The connections of Nacos 2.x clients. One transport is one client: what it has registered lives as long as it does, and is gone
 * the moment it ends. A connection that has been silent is asked for a sign of life; a transport that never becomes a connection is
 * cut. Nothing here knows what is said over a connection, only that something is.
 */
export class Connections {
  readonly #options: ConnectionsOptions;
  readonly #byTransport = new Map<Transport, Connection>();
  /** By the address at the other end. */
  readonly #ofPeer = new Map<string, number>();
  /** Transports that have not set up a connection, with the time they were first heard. */
  readonly #strangers = new Map<Transport, { since: number; readonly cut: () => void }>();
  readonly #ids = new WeakMap<Transport, string>();
  readonly #listeners = new Set<(connection: Connection) => void>();
  #careTimer: NodeJS.Timeout | undefined;
  #lastCare = 0;
  #frozen = false;

  constructor(options: ConnectionsOptions) {
    this.#options = options;
  }

  /** What the transport will be called as a connection, or is. */
  idOf({ transport, ip, port }: Peer): string {
    const id = this.#ids.get(transport) ?? `${this.#options.wallClock()}_${ip}_${port}`;
    this.#ids.set(transport, id);
    return id;
  }

  /** The connection over the transport, which has just given a sign of life. Undefined: it has not been set up. */
  heard(peer: Peer): Connection | undefined {
    const connection = this.#byTransport.get(peer.transport);
    if (connection !== undefined) connection.lastHeard = this.#options.now();
    else this.#noteStranger(peer);
    return connection;
  }

  /** `wake` is called when there is something to be sent. Undefined when there are as many as there may be. */
  setUp(peer: Peer, setup: Setup, wake: () => void): Connection | undefined {
    const ofPeer = this.#ofPeer.get(peer.ip) ?? 0;
    if (this.#frozen || this.#byTransport.size >= MAX_CONNECTIONS || ofPeer >= MAX_CONNECTIONS_A_PEER) return undefined;
    const { registry, now, wallClock } = this.#options;
    const connection = new Connection(this.idOf(peer), peer, setup, registry, now, wallClock(), wake);
    this.#strangers.delete(peer.transport);
    this.#byTransport.set(peer.transport, connection);
    this.#ofPeer.set(peer.ip, ofPeer + 1);
    this.#careFromNowOn();
    return connection;
  }

  /** Ends the connection, and with it the transport and all that lived by it. A second time it does nothing. */
  end(connection: Connection, reason: string): void {
    const { transport, ip, cut } = connection.peer;
    if (this.#frozen || this.#byTransport.get(transport) !== connection) return;
    this.#byTransport.delete(transport);
    const left = (this.#ofPeer.get(ip) ?? 1) - 1;
    if (left === 0) this.#ofPeer.delete(ip);
    else this.#ofPeer.set(ip, left);
    const instances = connection.end();
    for (const listener of this.#listeners) listener(connection);
    // Never only the stream: Python's client (3.2 and older) does not notice that.
    cut();
    const { id, clientVersion } = connection;
    this.#options.log[instances > 0 ? 'info' : 'debug']({ connection: id, clientVersion, reason, instances }, 'connection ended');
  }

  /** Calls `listener` with each connection that has ended; what it had registered is gone by then. */
  onEnd(listener: (connection: Connection) => void): void {
    this.#listeners.add(listener);
  }

  all(): IterableIterator<Connection> {
    return this.#byTransport.values();
  }

  /** Asks who has been silent, gives up who does not answer, and cuts off who never says who it is. */
  care(): void {
    const { now } = this.#options;
    const gapMs = now() - this.#lastCare - CARE_EVERY_MS;
    this.#lastCare = now();
    // The process was deaf, not its clients: what they have sent meanwhile is still to be read.
    const deafMs = gapMs > CARE_EVERY_MS ? gapMs : 0;
    for (const connection of this.#byTransport.values()) {
      if (deafMs > 0) connection.postpone(deafMs);
      connection.giveUpUnanswered();
      const silentMs = now() - connection.lastHeard;
      if (silentMs >= SILENT_MS + ANSWER_WITHIN_MS) {
        this.end(connection, 'no sign of life');
      } else if (connection.waitingMs >= READ_WITHIN_MS) {
        this.end(connection, 'it does not read');
      } else if (silentMs >= SILENT_MS && !connection.isAsked) {
        connection.isAsked = true;
        connection.ask('ClientDetectionRequest', { module: 'internal' }, () => {
          connection.isAsked = false;
        });
      }
    }
    for (const [transport, stranger] of this.#strangers) {
      stranger.since += deafMs;
      if (now() - stranger.since < SET_UP_WITHIN_MS) continue;
      this.#strangers.delete(transport);
      stranger.cut();
    }
    if (this.#byTransport.size === 0 && this.#strangers.size === 0) {
      clearInterval(this.#careTimer);
      this.#careTimer = undefined;
    }
  }

  /** Ends all transports, for good. */
  cut(): void {
    for (const { peer } of this.#byTransport.values()) peer.cut();
    for (const { cut } of this.#strangers.values()) cut();
  }

  /**
   * The server goes. Clients are told to look elsewhere; what they have registered stays, as it is they who go on living, and
   * nothing is to look as if they had died.
   */
  freeze(): void {
    this.#frozen = true;
    clearInterval(this.#careTimer);
    for (const connection of this.#byTransport.values())
      connection.ask('ConnectResetRequest', { module: 'internal', connectionId: connection.id }, () => {});
  }

  #noteStranger({ transport, cut }: Peer): void {
    if (this.#frozen || this.#strangers.has(transport)) return;
    this.#strangers.set(transport, { since: this.#options.now(), cut });
    this.#careFromNowOn();
  }

  #careFromNowOn(): void {
    if (this.#careTimer !== undefined) return;
    this.#lastCare = this.#options.now();
    this.#careTimer = setInterval(() => this.care(), CARE_EVERY_MS).unref();
  }
}

export interface ConnectionsOptions {
  readonly registry: Registry;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  /** Milliseconds since 1970, never going back. */
  readonly wallClock: () => number;
  readonly log: Logger;
}

/** Stands for an HTTP/2 session. Only ever compared. */
export type Transport = object;

/** The other end of a transport, as the transport says; never as the client does. */
export interface Peer {
  readonly transport: Transport;
  readonly ip: string;
  readonly port: number;
  /** Ends the transport at once. */
  readonly cut: () => void;
}

/** What is to go out, made when there is room for it: it says what is true then. Undefined when it has become needless. */
type Parcel = () => Message | undefined;

export interface Message {
  readonly type: string;
  /** JSON. */
  readonly body: string;
}

/** One client. */
export class Connection implements Holder {
  readonly id: string;
  readonly peer: Peer;
  readonly clientVersion: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Milliseconds since 1970. */
  readonly since: number;
  lastHeard: number;
  /** Has been asked for a sign of life, and may still answer. */
  isAsked = false;
  readonly #registry: Registry;
  readonly #now: () => number;
  readonly #wake: () => void;
  readonly #slots = new Map<string, Slot>();
  readonly #outbox: Parcel[] = [];
  readonly #unanswered = new Map<string, { askedAt: number; readonly done: (answered: boolean) => void }>();
  #waitingSince = 0;
  #lastRequest = 0;
  #ended = false;

  constructor(
    id: string,
    peer: Peer,
    { clientVersion, labels }: Setup,
    registry: Registry,
    now: () => number,
    since: number,
    wake: () => void,
  ) {
    this.id = id;
    this.peer = peer;
    this.clientVersion = clientVersion;
    this.labels = labels;
    this.since = since;
    this.lastHeard = now();
    this.#registry = registry;
    this.#now = now;
    this.#wake = wake;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /**
   * Registers the instances for as long as the connection lives. A connection has one slot for each service: what was in it and is
   * not among them is taken back.
   */
  publish(service: ServiceName, instances: readonly Registration[]): void {
    if (this.#ended) return;
    const key = serviceKey(service);
    const before = this.#slots.get(key);
    if (instances.length === 0) this.#slots.delete(key);
    else this.#slots.set(key, { service, instances });
    // First what is new, so that a replaced instance leaves no moment without any.
    for (const instance of instances) this.#registry.hold(service, instance, this);
    for (const old of before?.instances ?? [])
      if (!instances.some((instance) => isSame(instance, old))) this.#registry.release(service, old, this);
  }

  /** What it has registered. */
  slots(): IterableIterator<Slot> {
    return this.#slots.values();
  }

  /** Sends a request of the server's. `done` hears whether it was answered in time; not at all when the connection ends first. */
  ask(type: string, fields: object, done: (answered: boolean) => void): void {
    this.send(() => {
      const requestId = this.expect(done);
      // Rust's client wants the headers, empty as they are.
      return { type, body: JSON.stringify({ headers: {}, requestId, ...fields }) };
    });
  }

  /** A client that takes nothing of what is meant for it is cut off when too much has come together. */
  send(parcel: Parcel): void {
    if (this.#ended) return;
    if (this.#outbox.length === 0) this.#waitingSince = this.#now();
    this.#outbox.push(parcel);
    if (this.#outbox.length > MAX_OUTBOX) this.peer.cut();
    else this.#wake();
  }

  /** For how long the next thing to be sent has waited. */
  get waitingMs(): number {
    return this.#outbox.length === 0 ? 0 : this.#now() - this.#waitingSince;
  }

  /** The id for a request that goes out now. */
  expect(done: (answered: boolean) => void): string {
    const requestId = String(++this.#lastRequest);
    this.#unanswered.set(requestId, { askedAt: this.#now(), done });
    return requestId;
  }

  /** What is to be sent next, made now. */
  take(): Message | undefined {
    this.#waitingSince = this.#now();
    for (let parcel = this.#outbox.shift(); parcel !== undefined; parcel = this.#outbox.shift()) {
      const message = parcel();
      if (message !== undefined) return message;
    }
    return undefined;
  }

  /** Something has come over the stream. Answers are told by their id alone: Go's client gives some the wrong type. */
  answered(requestId: string, succeeded: boolean): void {
    this.lastHeard = this.#now();
    const asked = this.#unanswered.get(requestId);
    this.#unanswered.delete(requestId);
    asked?.done(succeeded);
  }

  giveUpUnanswered(): void {
    for (const [requestId, { askedAt, done }] of this.#unanswered) {
      if (this.#now() - askedAt < ANSWER_WITHIN_MS) continue;
      this.#unanswered.delete(requestId);
      done(false);
    }
  }

  /** Nobody could be heard for so long. */
  postpone(ms: number): void {
    this.lastHeard = Math.min(this.lastHeard + ms, this.#now());
    for (const asked of this.#unanswered.values()) asked.askedAt += ms;
    this.#waitingSince += ms;
  }

  /** Lets go of all that it has registered, and says how many instances that were. */
  end(): number {
    this.#ended = true;
    let count = 0;
    for (const { service, instances } of this.#slots.values()) {
      for (const instance of instances) this.#registry.release(service, instance, this);
      count += instances.length;
    }
    this.#slots.clear();
    this.#outbox.length = 0;
    this.#unanswered.clear();
    this.#wake();
    return count;
  }
}

/** What a connection has registered of one service. */
export interface Slot {
  readonly service: ServiceName;
  readonly instances: readonly Registration[];
}

/** A client that is silent for 20 s is asked, and given up 5 s later. */
const SILENT_MS = 20_000;
const ANSWER_WITHIN_MS = 5_000;
/** It lives and asks, but takes no pushes: it had better begin anew. */
const READ_WITHIN_MS = 300_000;
/** More than a client that reads can ever have: a push for each subscription, a word for each text. */
const MAX_OUTBOX = 50_000;
const SET_UP_WITHIN_MS = 30_000;
const CARE_EVERY_MS = 1_000;
const MAX_CONNECTIONS = 50_000;
/** Many clients may stand behind one address. */
const MAX_CONNECTIONS_A_PEER = 10_000;

function isSame(a: Registration, b: Registration): boolean {
  return a.ip === b.ip && a.port === b.port && a.cluster === b.cluster;
}
