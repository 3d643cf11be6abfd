import { originOf } from './addresses.ts';

/**
 * How many there are of something, in all and by the origin of the address that has them. Nothing is kept of who has none. Who has most is
 * known at any time, however many there are.
 */
export class Shares {
  readonly #limits: SharesLimits;
  readonly #byOrigin = new Map<string, Holder>();
  /** By how many they have, the first of those that have as many. Without a gap for none, and up to who has most. */
  readonly #ranks: (Holder | undefined)[] = [undefined];
  #count = 0;

  constructor(limits: SharesLimits) {
    this.#limits = limits;
  }

  get count(): number {
    return this.#count;
  }

  /** How many are of the address, and of all others of its origin. */
  of(address: string): number {
    return this.#byOrigin.get(originOf(address))?.count ?? 0;
  }

  /** Which limit is in the way of one more; undefined: none. */
  limitFor(address: string): 'in all' | 'of one address' | undefined {
    if (this.#count >= this.#limits.inAll) return 'in all';
    return this.of(address) >= this.#limits.ofOne ? 'of one address' : undefined;
  }

  /** The origin that has most, where it would have no less than the address if it gave one to it. */
  above(address: string): string | undefined {
    const most = this.#ranks.at(-1);
    return most !== undefined && most.count > this.of(address) + 1 ? most.origin : undefined;
  }

  add(address: string): void {
    const origin = originOf(address);
    const known = this.#byOrigin.get(origin);
    const holder = known ?? { origin, count: 0, before: undefined, after: undefined };
    if (known === undefined) this.#byOrigin.set(origin, holder);
    this.#move(holder, 1);
  }

  remove(address: string): void {
    const origin = originOf(address);
    const holder = this.#byOrigin.get(origin);
    if (holder === undefined) return;
    this.#move(holder, -1);
    if (holder.count === 0) this.#byOrigin.delete(origin);
  }

  #move(holder: Holder, by: 1 | -1): void {
    const ranks = this.#ranks;
    const { before, after } = holder;
    if (before !== undefined) before.after = after;
    else if (holder.count > 0) ranks[holder.count] = after;
    if (after !== undefined) after.before = before;
    this.#count += by;
    holder.count += by;
    const first = holder.count === 0 ? undefined : ranks[holder.count];
    holder.before = undefined;
    holder.after = first;
    if (first !== undefined) first.before = holder;
    if (holder.count > 0) ranks[holder.count] = holder;
    // Where nobody has as much any more, whoever had it last has one less, or nothing.
    if (ranks.at(-1) === undefined) ranks.pop();
  }
}

/** An origin that has some, and its neighbours among those that have as many. */
interface Holder {
  readonly origin: string;
  count: number;
  before: Holder | undefined;
  after: Holder | undefined;
}

export interface SharesLimits {
  readonly inAll: number;
  readonly ofOne: number;
}
