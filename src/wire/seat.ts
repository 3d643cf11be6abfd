import type { Socket } from 'node:net';

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
export class Seat {
  readonly socket: Socket;
  readonly ip: string;
  readonly kind: Kind;
  /** In which turn of the event loop it came. */
  readonly turn: number;
  readonly #settled: (seat: Seat) => void;
  #use: Use | undefined;
  // What follows is for those that hold seats.
  at = -1;
  mark = -1;
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

/** Of whom somebody is to go. */
export type Among = 'usual' | 'readers' | 'any';

function isAmong({ kind }: Seat, among: Among): boolean {
  return among === 'any' || (kind === 'usual') === (among === 'usual');
}

/** Those who have said nothing yet, in the order in which they came. */
export class SilentSeats {
  #first: Seat | undefined;
  #last: Seat | undefined;

  add(seat: Seat): void {
    seat.before = this.#last;
    if (this.#last === undefined) this.#first = seat;
    else this.#last.after = seat;
    this.#last = seat;
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
  }

  /** The first that has had a turn in which it could have been heard, in a short look. */
  oldest(turn: number, among: Among): Seat | undefined {
    let seat = this.#first;
    for (let looks = 0; seat !== undefined && looks < LOOKS && turn - seat.turn >= TURNS; looks++) {
      if (isAmong(seat, among)) return seat;
      seat = seat.after;
    }
    return undefined;
  }
}

/** All of them. Who is idle is looked for by going round, some steps at a time: it would take too long to look at all for each who comes. */
export class Ring {
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

  /** One that has asked nothing since it was come by before, and asks nothing now. */
  idle(among: Among): Seat | undefined {
    for (let looks = Math.min(LOOKS, this.#seats.length); looks > 0; looks--) {
      this.#hand = (this.#hand + 1) % this.#seats.length;
      const seat = this.#seats[this.#hand];
      const use = seat?.use;
      if (seat === undefined || use?.isIdle !== true || !isAmong(seat, among)) continue;
      if (seat.mark === use.mark) return seat;
      seat.mark = use.mark;
    }
    return undefined;
  }

  find(isIt: (seat: Seat) => boolean): Seat | undefined {
    return this.#seats.find(isIt);
  }
}

const LOOKS = 64;
/** What waits to be read is read first. */
const TURNS = 2;
