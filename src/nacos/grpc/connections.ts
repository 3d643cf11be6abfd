import type { Logger } from 'pino';
import type { Peer } from '../../wire/exchange.ts';
import { Holdings } from '../../wire/holdings.ts';
import type { Refused } from '../../wire/refused.ts';
import type { Cancel } from '../../wire/scheduler.ts';
import type { Setup } from './bodies.ts';
import { Connection, type ConnectionLimits, type EndReason, type Surroundings } from './connection.ts';
import { CALLED_AT_ONCE, RETURNS_WITHIN_MS } from './lapse.ts';
import { Strangers } from './strangers.ts';

/**
 * The connections of Nacos 2.x clients. One transport is one client: what it has registered lives as long as it does, and is gone
 * the moment it ends. Nothing here knows what is said over a connection, only that something is.
 */
export class Connections {
  readonly #options: ConnectionsOptions;
  readonly #byTransport = new Map<object, Connection>();
  readonly #byId = new Map<string, Connection>();
  readonly #holdings: Holdings<Connection>;
  readonly #strangers: Strangers;
  /** Those that have ended because they were called back, until when what they have registered is kept for them. */
  readonly #returning = new Map<Connection, { readonly until: number; readonly reason: EndReason }>();
  readonly #endedBy = new Map<EndReason, number>();
  readonly #ids = new WeakMap<object, string>();
  readonly #listeners = new Set<(connection: Connection) => void>();
  #cancelInspection: Cancel | undefined;
  #lastInspection = 0;
  #frozen = false;

  constructor(options: ConnectionsOptions) {
    this.#options = options;
    const { maxConnections: inAll, maxConnectionsPerPeer: ofOne } = options.limits;
    this.#holdings = new Holdings({ inAll, ofOne });
    this.#strangers = new Strangers(options.now, options.limits.setUpWithinMs);
  }

  /** What the transport will be called as a connection, or is. */
  idOf({ connection: transport, ip, port }: Peer): string {
    const id = this.#ids.get(transport) ?? `${this.#options.wallClock()}_${ip}_${port}`;
    this.#ids.set(transport, id);
    return id;
  }

  /** Whether it has been set up. */
  has({ connection: transport }: Peer): boolean {
    return this.#byTransport.has(transport);
  }

  /** The connection over the transport, which has just given a sign of life. Undefined: it has not been set up. */
  heard(peer: Peer): Connection | undefined {
    const connection = this.#byTransport.get(peer.connection);
    connection?.heard();
    if (connection === undefined && !this.#frozen) {
      this.#strangers.heard(peer);
      this.#inspectFromNowOn();
    }
    return connection;
  }

  /** `wake` is called when there is something to be sent. Undefined when there are as many as there may be. */
  setUp(peer: Peer, setup: Setup, wake: () => void): Connection | undefined {
    const { wallClock, refused } = this.#options;
    if (this.#frozen) return undefined;
    if (this.#holdings.limitFor(peer.ip) === 'in all') this.#giveWay(this.#holdings.above(peer.ip), () => true);
    const limit = this.#holdings.limitFor(peer.ip);
    if (limit !== undefined) {
      refused?.count(`connections of Nacos 2.x${limit === 'in all' ? '' : ' of one address'}`, peer.ip);
      return undefined;
    }
    const introduction = { id: this.idOf(peer), peer, setup, since: wallClock() };
    const connection = new Connection(introduction, this.#options, wake);
    this.#strangers.delete(peer);
    this.#byTransport.set(peer.connection, connection);
    this.#byId.set(connection.id, connection);
    this.#holdings.add(connection);
    this.#inspectFromNowOn();
    return connection;
  }

  /** Ends the connection, and with it the transport and all that lived by it. A second time it does nothing. */
  end(connection: Connection, seen: EndReason): void {
    const { connection: transport, cut } = connection.peer;
    if (this.#frozen || this.#byTransport.get(transport) !== connection) return;
    this.#byTransport.delete(transport);
    this.#byId.delete(connection.id);
    this.#holdings.delete(connection);
    connection.end();
    const reason = connection.whyEnded(seen);
    this.#endedBy.set(reason, (this.#endedBy.get(reason) ?? 0) + 1);
    const instances = this.#letGo(connection, reason);
    for (const listener of this.#listeners) listener(connection);
    // Never only the stream: Python's client (3.2 and older) does not notice that.
    cut();
    const { id, clientVersion } = connection;
    // What has happened to instances by it is told as an event.
    this.#options.log.debug({ connection: id, clientVersion, reason, instances }, 'connection ended');
  }

  /** What clients register that were called back stays until they are here again: nobody is to hear that they were gone. */
  #letGo(connection: Connection, reason: EndReason): number {
    if (!connection.lapse.isReturning) return connection.letGo(reason);
    this.#returning.set(connection, { until: this.#options.now() + RETURNS_WITHIN_MS, reason });
    return 0;
  }

  /**
   * An origin has more of something than others, who have no room for it: of its connections one ends that is of those meant, and has
   * registered nothing, as far as a look at the latest shows.
   */
  giveWay(origin: string | undefined, isMeant: (connection: Connection) => boolean): void {
    if (origin !== undefined) this.#giveWay(this.#holdings.all(origin), isMeant);
  }

  #giveWay(connections: readonly Connection[], isMeant: (connection: Connection) => boolean): void {
    const latest = connections.slice(-LOOKS).reverse();
    const connection = latest.find((other) => other.slots.isEmpty && isMeant(other));
    if (connection === undefined) return;
    this.#options.refused?.count('connections of Nacos 2.x that gave way', connection.peer.ip);
    // Another address has less.
    this.end(connection, 'refused');
  }

  /** Calls `listener` with each connection that has ended; what it had registered is gone by then, or is to be registered anew. */
  onEnd(listener: (connection: Connection) => void): void {
    this.#listeners.add(listener);
  }

  /** How many are set up now. */
  get count(): number {
    return this.#byTransport.size;
  }

  /** How many have ended so far, by why they did. */
  get endedBy(): ReadonlyMap<EndReason, number> {
    return this.#endedBy;
  }

  /** The one that is set up and called so. */
  called(id: string): Connection | undefined {
    return this.#byId.get(id);
  }

  /** Those that are set up now. */
  all(): IterableIterator<Connection> {
    return this.#byTransport.values();
  }

  /**
   * The server goes. Clients are told to look elsewhere; what they have registered stays, as it is they who go on living, and
   * nothing is to look as if they had died.
   */
  freeze(): void {
    this.#frozen = true;
    this.#inspectNoMore();
    for (const connection of this.#byTransport.values()) this.reset(connection);
  }

  /** Asks the client to connect anew: to the server that is named, or to another of those that it knows. */
  reset({ id, outbox }: Connection, elsewhere?: { readonly ip: string; readonly port: string }): void {
    const server = elsewhere && { serverIp: elsewhere.ip, serverPort: elsewhere.port };
    outbox.ask('ConnectResetRequest', { module: 'internal', connectionId: id, ...server }, () => {});
  }

  /** Ends all transports, for good. */
  cut(): void {
    for (const { peer } of this.#byTransport.values()) peer.cut();
    this.#strangers.cut();
  }

  #inspectFromNowOn(): void {
    if (this.#cancelInspection !== undefined) return;
    this.#lastInspection = this.#options.now();
    this.#cancelInspection = this.#options.scheduler.every(INSPECT_EVERY_MS, () => this.#inspect());
  }

  #inspectNoMore(): void {
    this.#cancelInspection?.();
    this.#cancelInspection = undefined;
  }

  /** Asks who has been silent, gives up who does not answer, and cuts off who never says who it is. */
  #inspect(): void {
    const { now } = this.#options;
    const gapMs = now() - this.#lastInspection - INSPECT_EVERY_MS;
    this.#lastInspection = now();
    // The process was deaf, not its clients: what they have sent meanwhile is still to be read.
    const deafMs = gapMs > INSPECT_EVERY_MS ? gapMs : 0;
    for (const connection of this.#byTransport.values()) {
      if (deafMs > 0) connection.postpone(deafMs);
      const reason = connection.inspect();
      if (reason !== undefined) this.end(connection, reason);
    }
    this.#inspectLogins();
    this.#strangers.inspect(deafMs);
    if (this.#byTransport.size + this.#strangers.size + this.#returning.size === 0) this.#inspectNoMore();
  }

  /** Tells what may be told again, and calls back whose login is over. */
  #inspectLogins(): void {
    let calls = CALLED_AT_ONCE;
    for (const connection of this.#byTransport.values()) {
      const { lapse, rights } = connection;
      rights.lookAgain();
      const due = lapse.due(rights.over);
      if (due === 'cut') this.end(connection, 'login-ended');
      if (due !== 'call' || calls-- <= 0) continue;
      lapse.called();
      this.reset(connection);
    }
    for (const [connection, { until, reason }] of this.#returning) {
      if (this.#options.now() < until) continue;
      this.#returning.delete(connection);
      connection.letGo(reason);
    }
  }
}

export interface ConnectionsOptions extends Surroundings {
  /** Milliseconds since 1970, never going back. */
  readonly wallClock: () => number;
  readonly limits: ConnectionsLimits;
  readonly log: Logger;
  /** Where refusals for a limit are counted; nowhere when left out. */
  readonly refused?: Refused | undefined;
}

export interface ConnectionsLimits extends ConnectionLimits {
  readonly maxConnections: number;
  /** Many clients may stand behind one address. */
  readonly maxConnectionsPerPeer: number;
  /** How long a transport may take to set up a connection, in milliseconds. */
  readonly setUpWithinMs: number;
}

const INSPECT_EVERY_MS = 1_000;
const LOOKS = 64;
