import type { Socket } from 'node:net';
import { plainAddress } from './http2-peer.ts';
import type { Refused } from './refused.ts';
import type { Cancel, Scheduler } from './scheduler.ts';
import { Bench, type Kind, type Newcomer, Seat } from './seat.ts';

/**
 * Who may be connected: so many in all, of one address, and as the descriptors of the process allow. Health is never refused for what
 * others do: a part of the seats is for those who read it, and nobody knows of a connection what it wants before it has said so. So
 * who comes when the others are taken is let in as a guest, who is served health and told that there is no room for more. Half of that part
 * is for guests, and half for ports that serve health alone, which may have whatever else is free.
 *
 * Where there is no seat of a kind, those go that make no use of theirs: who says nothing first, then who is idle; and then one of the
 * address that has most, where it has more than whoever comes. So few addresses cannot keep others out, however many one of them may have.
 * Many could; but who reads health wants a seat for a question, and one of those gives his up who have had an answer.
 */
export class Seats {
  readonly #options: SeatsOptions;
  readonly #benches: Readonly<Record<Kind, Bench>>;
  readonly #guests = new Map<Socket, Limit>();
  readonly #settled = (seat: Seat): void => this.#benches[seat.kind].settled(seat);
  #setAside = 0;
  /** The turns of the event loop in which somebody came. */
  #turn = 0;
  #isTurning = false;
  #refused = 0;
  /** By which limit the last of them was. */
  #limit: Limit = 'connections';
  #cancelTelling: Cancel | undefined;

  constructor(options: SeatsOptions) {
    this.#options = options;
    this.#benches = {
      usual: new Bench({ inAll: Number.POSITIVE_INFINITY, ofOne: options.limits.maxSocketsPerPeer }),
      guest: new Bench(WITHOUT_LIMIT),
      reader: new Bench(WITHOUT_LIMIT),
    };
  }

  /** Some descriptors are for connections that this process makes itself: as many as it wants, but a third of what callers may have at most. */
  setAside(wanted: number): number {
    const count = Math.min(wanted, Math.max(1, Math.floor(this.#mostOfOthers / 3)));
    this.#setAside += count;
    return count;
  }

  /** How many connections there may be. */
  get most(): number {
    return Math.max(1, Math.min(this.#options.descriptors - OWN - this.#setAside, this.#options.limits.maxSockets));
  }

  get count(): number {
    const { usual, guest, reader } = this.#benches;
    return usual.count + guest.count + reader.count;
  }

  /** Undefined: there is no seat, and the connection has been ended. `forHealth`: it came to a port that serves health only. */
  admit(socket: Socket, forHealth: boolean): Seat | undefined {
    this.#turnSoon();
    const ip = plainAddress(socket.remoteAddress);
    const limit = forHealth ? undefined : this.#limitFor(ip);
    if (limit !== undefined) this.#tell(limit);
    const kind: Kind = forHealth ? 'reader' : limit === undefined ? 'usual' : 'guest';
    if (kind === 'usual' || (kind === 'guest' ? this.#hasRoomForGuest(ip) : this.#hasRoomForReader(ip)))
      return this.#taken({ socket, ip, kind }, limit);
    this.#options.refused?.count(limit ?? 'connections');
    if (limit === undefined) this.#tell('connections');
    socket.on('error', ignore);
    socket.destroy();
    return undefined;
  }

  /** Why the connection is a guest's. */
  limitOf(socket: Socket): Limit {
    return this.#guests.get(socket) ?? 'connections';
  }

  /** Tells nothing more. */
  close(): void {
    this.#cancelTelling?.();
  }

  get #mostOfOthers(): number {
    return Math.max(1, this.most - this.#reserve);
  }

  /** What is set aside is not taken from it. */
  get #reserve(): number {
    return reserveOf(Math.min(this.#options.descriptors - OWN, this.#options.limits.maxSockets));
  }

  /** Of that, what no guest takes. */
  get #reserveOfPorts(): number {
    return Math.ceil(this.#reserve / 2);
  }

  /** What is in the way of one more that is no guest. Where there is nothing else, somebody goes for him. */
  #limitFor(ip: string): Limit | undefined {
    const { usual } = this.#benches;
    if (usual.limitFor(ip) !== undefined) return 'connections of one address';
    const who = this.#newcomer(ip, usual);
    if (usual.count >= this.#mostOfOthers && !this.#makeRoom(usual, who) && !this.#giveWay(usual.above(who)))
      return 'connections';
    return this.#isFree() || this.#takesFromReaders(who) ? undefined : 'connections';
  }

  #hasRoomForGuest(ip: string): boolean {
    const { guest } = this.#benches;
    const who = this.#newcomer(ip, guest);
    if (guest.count >= this.#reserve - this.#reserveOfPorts) return this.#giveWay(guest.above(who) ?? guest.answered(who));
    return this.#isFree() || this.#takesFromReaders(who);
  }

  #hasRoomForReader(ip: string): boolean {
    const { usual, guest, reader } = this.#benches;
    const who = this.#newcomer(ip, reader);
    if (this.#isFree() || this.#giveWay(reader.above(who))) return true;
    return this.#makeRoom(guest, who) || this.#makeRoom(usual, who) || this.#giveWay(reader.answered(who));
  }

  #isFree(): boolean {
    return this.count < this.most;
  }

  /** They have what others left, for as long as these leave it. */
  #takesFromReaders(who: Newcomer): boolean {
    const { usual, guest, reader } = this.#benches;
    if (this.#makeRoom(reader, who) || this.#makeRoom(guest, who) || this.#makeRoom(usual, who)) return true;
    return reader.count > this.#reserveOfPorts && this.#giveWay(reader.above(who) ?? reader.answered(who));
  }

  #newcomer(ip: string, bench: Bench): Newcomer {
    return { ip, own: bench.of(ip), turn: this.#turn, now: this.#options.now() };
  }

  #taken(who: Pick<Seat, 'socket' | 'ip' | 'kind'>, limit: Limit | undefined): Seat {
    const seat = new Seat(who, this.#turn, this.#settled);
    const { socket, kind } = who;
    this.#benches[kind].add(seat);
    if (limit !== undefined) this.#guests.set(socket, limit);
    socket.once('close', () => this.#left(seat));
    return seat;
  }

  #left(seat: Seat): void {
    if (this.#benches[seat.kind].delete(seat)) this.#guests.delete(seat.socket);
  }

  /** Somebody of these goes who has said nothing, or is idle. False: nobody was found in a short look. */
  #makeRoom(bench: Bench, who: Newcomer): boolean {
    return this.#evict(bench.unused(who), 'idle connections');
  }

  /** Somebody goes who has one more than whoever comes, or has had his answer. */
  #giveWay(seat: Seat | undefined): boolean {
    return this.#evict(seat, 'connections that gave way');
  }

  #evict(seat: Seat | undefined, reason: string): boolean {
    if (seat === undefined) return false;
    this.#left(seat);
    this.#options.refused?.count(reason);
    this.#tell('connections');
    seat.leave();
    return true;
  }

  #turnSoon(): void {
    if (this.#isTurning) return;
    this.#isTurning = true;
    this.#options.scheduler.soon(() => {
      this.#isTurning = false;
      this.#turn++;
    });
  }

  /** Of the first at once, and then of how many there were, at most every 10 s. */
  #tell(limit: Limit): void {
    this.#refused++;
    this.#limit = limit;
    if (this.#cancelTelling !== undefined) return;
    const tell = () => {
      this.#cancelTelling = undefined;
      if (this.#refused === 0) return;
      this.#options.onRefused(this.#refused, this.count, this.#limit);
      this.#refused = 0;
      this.#cancelTelling = this.#options.scheduler.after(TELL_EVERY_MS, tell);
    };
    tell();
  }
}

export interface SeatsOptions {
  /** How many the process may have open. */
  readonly descriptors: number;
  readonly limits: SeatsLimits;
  readonly scheduler: Pick<Scheduler, 'after' | 'soon'>;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  /** Hears how many found no seat, or had to go, how many are connected, and by which limit the last one was refused. */
  readonly onRefused: (count: number, open: number, limit: Limit) => void;
  readonly refused?: Refused | undefined;
}

export interface SeatsLimits {
  /** To all ports; a part of them is for health alone. */
  readonly maxSockets: number;
  /** From one address; many clients may stand behind one. */
  readonly maxSocketsPerPeer: number;
}

/** By which limit somebody is no more than a guest. */
export type Limit = 'connections' | 'connections of one address';

const WITHOUT_LIMIT = { inAll: Number.POSITIVE_INFINITY, ofOne: Number.POSITIVE_INFINITY };
/** What the process has open for itself, with room for datagrams and the files of a look-up. */
const OWN = 40;
const TELL_EVERY_MS = 10_000;

function reserveOf(most: number): number {
  return Math.min(256, Math.max(8, Math.floor(most / 4)));
}

function ignore(): void {}
