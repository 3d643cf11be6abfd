import type { Socket } from 'node:net';
import { originOf } from './addresses.ts';
import { type Holding, Holdings } from './holdings.ts';
import type { SharesLimits } from './shares.ts';

/** `guest`: there was no other seat, and it is served health only; `reader`: its port serves nothing else. */
export type Kind = 'usual' | 'guest' | 'reader';

/** What serves a connection, once it is clear what is spoken over it. */
export interface Use {
  /** Nothing is being asked or answered. */
  readonly isIdle: boolean;
  /** Another number whenever something has been asked. */
  readonly mark: number;
  /** It is idle, and ends at once. */
  leave(): void;
}

/** That of one connection, from its first moment to its last. */
export class Seat implements Holding {
  readonly socket: Socket;
  readonly ip: string;
  readonly kind: Kind;
  /** In which turn of the event loop it came. */
  readonly turn: number;
  readonly #settled: (seat: Seat) => void;
  #use: Use | undefined;
  // What follows is for those that hold seats.
  place = -1;
  at = -1;
  mark = -1;
  /** When it has been seen so first. */
  markedAt = 0;
  before: Seat | undefined;
  after: Seat | undefined;

  /** `settled` hears of it once it is clear what is spoken. */
  constructor({ socket, ip, kind }: Pick<Seat, 'socket' | 'ip' | 'kind'>, turn: number, settled: (seat: Seat) => void) {
    this.socket = socket;
    this.ip = ip;
    this.kind = kind;
    this.turn = turn;
    this.#settled = settled;
  }

  get isGuest(): boolean {
    return this.kind === 'guest';
  }

  /** It is clear what is spoken. */
  serves(use: Use): void {
    this.#use = use;
    this.#settled(this);
  }

  get use(): Use | undefined {
    return this.#use;
  }

  leave(): void {
    if (this.#use?.isIdle === true) this.#use.leave();
    else this.socket.destroy();
  }
}

/** Those who have said nothing yet, in the order in which they came. */
class SilentSeats {
  #first: Seat | undefined;
  #last: Seat | undefined;
  #count = 0;

  get count(): number {
    return this.#count;
  }

  add(seat: Seat): void {
    seat.before = this.#last;
    if (this.#last === undefined) this.#first = seat;
    else this.#last.after = seat;
    this.#last = seat;
    this.#count++;
  }

  /** Once more does nothing. */
  delete(seat: Seat): void {
    const { before, after } = seat;
    if (before === undefined && this.#first !== seat) return;
    if (before === undefined) this.#first = after;
    else before.after = after;
    if (after === undefined) this.#last = before;
    else after.before = before;
    seat.before = undefined;
    seat.after = undefined;
    this.#count--;
  }

  /** The first, once it has had a turn in which it could have been heard. */
  oldest(turn: number): Seat | undefined {
    const seat = this.#first;
    return seat !== undefined && turn - seat.turn >= TURNS ? seat : undefined;
  }
}

/** Between two questions of a client that asks a few times a second there are less. */
const IDLE_MS = 1_000;

/** All of them. Who is idle is looked for by going round, some steps at a time: it would take too long to look at all for each who comes. */
class Ring {
  readonly #seats: Seat[] = [];
  #hand = 0;

  get size(): number {
    return this.#seats.length;
  }

  add(seat: Seat): void {
    seat.at = this.#seats.push(seat) - 1;
  }

  /** False: it was not there. */
  delete(seat: Seat): boolean {
    const { at } = seat;
    const last = this.#seats.at(-1);
    if (last === undefined || this.#seats[at] !== seat) return false;
    this.#seats[at] = last;
    last.at = at;
    this.#seats.pop();
    return true;
  }

  /** One that has asked nothing since it was come by before, which is a while ago, and asks nothing now. */
  idle(mayGo: (seat: Seat) => boolean, now: number): Seat | undefined {
    for (let looks = Math.min(LOOKS, this.#seats.length); looks > 0; looks--) {
      this.#hand = (this.#hand + 1) % this.#seats.length;
      const seat = this.#seats[this.#hand];
      const use = seat?.use;
      if (seat === undefined || use?.isIdle !== true || !mayGo(seat)) continue;
      if (seat.mark === use.mark && now - seat.markedAt >= IDLE_MS) return seat;
      if (seat.mark !== use.mark) seat.markedAt = now;
      seat.mark = use.mark;
    }
    return undefined;
  }

  /** One of the last that came. */
  latest(isIt: (seat: Seat) => boolean): Seat | undefined {
    for (let i = this.#seats.length - 1; i >= Math.max(0, this.#seats.length - LOOKS); i--) {
      const seat = this.#seats[i];
      if (seat !== undefined && isIt(seat)) return seat;
    }
    return undefined;
  }
}

/** The seats of one kind: who has them, and who of these is to go where others want them. */
export class Bench {
  readonly #holdings: Holdings<Seat>;
  readonly #ring = new Ring();
  readonly #silent = new SilentSeats();

  constructor(limits: SharesLimits) {
    this.#holdings = new Holdings(limits);
  }

  get count(): number {
    return this.#ring.size;
  }

  /** As in `Shares`. */
  limitFor(ip: string): 'in all' | 'of one address' | undefined {
    return this.#holdings.limitFor(ip);
  }

  add(seat: Seat): void {
    this.#ring.add(seat);
    this.#silent.add(seat);
    this.#holdings.add(seat);
  }

  /** It is clear what is spoken. */
  settled(seat: Seat): void {
    this.#silent.delete(seat);
  }

  /** False: it was not there. */
  delete(seat: Seat): boolean {
    if (!this.#ring.delete(seat)) return false;
    this.#silent.delete(seat);
    this.#holdings.delete(seat);
    return true;
  }

  /** How many are of the address, and of all others of its origin. */
  of(ip: string): number {
    return this.#holdings.of(ip);
  }

  /** Whoever has said nothing, the first that came; or else is idle, as far as a short look shows. Never of an origin that has less. */
  unused({ ip, own, turn, now }: Newcomer): Seat | undefined {
    const mayGo = (seat: Seat) => this.of(seat.ip) >= own || originOf(seat.ip) === originOf(ip);
    const silent = this.#silent.oldest(turn);
    return silent !== undefined && mayGo(silent) ? silent : this.#ring.idle(mayGo, now);
  }

  /** Of the origin that has most, if it has more than enough to give one away. */
  above({ ip }: Newcomer): Seat | undefined {
    return this.#holdings.above(ip).at(-1);
  }

  /**
   * Where a seat is for a question: whoever has had an answer, one of the latest; or has said nothing, the first, where these are more than
   * half or all. So who has come only now can ask, and who was here first stays. Never of an origin that has less or, if it is another,
   * as much.
   */
  answered({ ip, own, turn }: Newcomer): Seat | undefined {
    const mayGo = (seat: Seat) => this.of(seat.ip) > own || originOf(seat.ip) === originOf(ip);
    const first = this.#silent.oldest(turn);
    const silent = first !== undefined && mayGo(first) ? first : undefined;
    if (silent !== undefined && this.#silent.count > this.count / 2) return silent;
    return this.#ring.latest((seat) => seat.use !== undefined && turn - seat.turn >= TURNS && mayGo(seat)) ?? silent;
  }
}

/** Who wants a seat. */
export interface Newcomer {
  readonly ip: string;
  /** How many of the kind its origin has already. */
  readonly own: number;
  /** In which turn of the event loop it comes. */
  readonly turn: number;
  /** Monotonic milliseconds. */
  readonly now: number;
}

const LOOKS = 64;
/** What waits to be read is read first. */
const TURNS = 2;
