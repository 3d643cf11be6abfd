import type { Socket } from 'node:net';
import { plainAddress } from './http2-peer.ts';
import type { Refused } from './refused.ts';
import type { Cancel, Scheduler } from './scheduler.ts';
import { type Among, type Kind, Ring, Seat, SilentSeats } from './seat.ts';
import { Shares } from './shares.ts';

/**
 * Who may be connected: so many in all, of one address, and as the descriptors of the process allow. Health is never refused for what
 * others do: a part of the seats is for those who read it, and nobody knows of a connection what it wants before it has said so. So
 * who comes when the others are taken is let in as a guest, who is served health and told that there is no room for more; where none
 * is left for guests either, those go that make no use of theirs: who says nothing first, then who is idle, and then one of the
 * address that has most of them.
 */
export class Seats {
  readonly #options: SeatsOptions;
  readonly #shares: Shares;
  /** Of guests, and of those at ports that serve health only. */
  readonly #readers = new Shares({ inAll: Number.POSITIVE_INFINITY, ofOne: Number.POSITIVE_INFINITY });
  readonly #ring = new Ring();
  readonly #silent = new SilentSeats();
  readonly #guests = new Map<Socket, Limit>();
  readonly #settled = (seat: Seat): void => this.#silent.delete(seat);
  #setAside = 0;
  /** The turns of the event loop in which somebody came. */
  #turn = 0;
  #isTurning = false;
  /** In which one of the readers was cut for another; at most one is, as it takes a look at all. */
  #cutIn = -1;
  #refused = 0;
  /** By which limit the last of them was. */
  #limit: Limit = 'connections';
  #cancelTelling: Cancel | undefined;

  constructor(options: SeatsOptions) {
    this.#options = options;
    this.#shares = new Shares({ inAll: Number.POSITIVE_INFINITY, ofOne: options.limits.maxSocketsPerPeer });
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
    return this.#ring.size;
  }

  /** Undefined: there is no seat, and the connection has been ended. `forHealth`: it came to a port that serves health only. */
  admit(socket: Socket, forHealth: boolean): Seat | undefined {
    this.#turnSoon();
    const ip = plainAddress(socket.remoteAddress);
    const limit = forHealth ? undefined : this.#limitFor(ip);
    if (limit !== undefined) this.#tell(limit);
    const kind: Kind = forHealth ? 'reader' : limit === undefined ? 'usual' : 'guest';
    if (kind === 'usual' || this.#hasRoomForReader(ip, kind)) return this.#taken({ socket, ip, kind }, limit);
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

  /** What is in the way of one more that is no guest. Where there is nothing else, somebody goes who makes no use of his seat. */
  #limitFor(ip: string): Limit | undefined {
    if (this.#shares.limitFor(ip) !== undefined) return 'connections of one address';
    if (this.#shares.count >= this.#mostOfOthers && !this.#makeRoom('usual')) return 'connections';
    if (this.count < this.most || this.#makeRoom('any')) return undefined;
    return this.#readers.count > this.#reserve && this.#cutFor(ip) ? undefined : 'connections';
  }

  #hasRoomForReader(ip: string, kind: Kind): boolean {
    if (kind === 'guest' && this.#readers.count >= this.#reserve) return this.#makeRoom('readers') || this.#cutFor(ip);
    return this.count < this.most || this.#makeRoom('any') || this.#cutFor(ip);
  }

  #taken(who: Pick<Seat, 'socket' | 'ip' | 'kind'>, limit: Limit | undefined): Seat {
    const seat = new Seat(who, this.#turn, this.#settled);
    const { socket, ip, kind } = who;
    this.#ring.add(seat);
    this.#silent.add(seat);
    if (kind === 'usual') this.#shares.add(ip);
    else this.#readers.add(ip);
    if (limit !== undefined) this.#guests.set(socket, limit);
    socket.once('close', () => this.#left(seat));
    return seat;
  }

  #left(seat: Seat): void {
    if (!this.#ring.delete(seat)) return;
    const { socket, ip, kind } = seat;
    this.#silent.delete(seat);
    if (kind === 'usual') this.#shares.remove(ip);
    else this.#readers.remove(ip);
    this.#guests.delete(socket);
  }

  /** Somebody of these goes who has said nothing, or is idle. False: nobody was found in a short look. */
  #makeRoom(among: Among): boolean {
    const seat = this.#silent.oldest(this.#turn, among) ?? this.#ring.idle(among);
    if (seat === undefined) return false;
    this.#evict(seat);
    return true;
  }

  /** Nobody is idle. Whoever reads less than others do has his seat all the same: one of those goes who has most. */
  #cutFor(ip: string): boolean {
    if (this.#cutIn === this.#turn) return false;
    const most = this.#readers.largest();
    if (most === undefined || this.#readers.of(most) <= this.#readers.of(ip) + 1) return false;
    const seat = this.#ring.find(({ kind, ip }) => kind !== 'usual' && ip === most);
    if (seat === undefined) return false;
    this.#cutIn = this.#turn;
    this.#evict(seat);
    return true;
  }

  #evict(seat: Seat): void {
    this.#left(seat);
    this.#options.refused?.count('idle connections');
    this.#tell('connections');
    seat.leave();
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

/** What the process has open for itself, with room for datagrams and the files of a look-up. */
const OWN = 40;
const TELL_EVERY_MS = 10_000;

function reserveOf(most: number): number {
  return Math.min(256, Math.max(8, Math.floor(most / 4)));
}

function ignore(): void {}
