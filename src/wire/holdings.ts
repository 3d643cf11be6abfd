import { originOf } from './addresses.ts';
import { Shares, type SharesLimits } from './shares.ts';

/**
 * What each origin holds of something of which there is only so much. Where all of it is taken, whoever holds less than another may have
 * one of the other's, one that was taken late: so nobody goes without because others have much, and what was there first mostly stays.
 */
export class Holdings<T extends Holding> {
  readonly #shares: Shares;
  readonly #byOrigin = new Map<string, T[]>();

  constructor(limits: SharesLimits) {
    this.#shares = new Shares(limits);
  }

  get count(): number {
    return this.#shares.count;
  }

  /** How many are of the address, and of all others of its origin. */
  of(address: string): number {
    return this.#shares.of(address);
  }

  /** All that are of the address, and of all others of its origin. */
  all(address: string): readonly T[] {
    return this.#byOrigin.get(originOf(address)) ?? [];
  }

  /** As in `Shares`. */
  limitFor(address: string): 'in all' | 'of one address' | undefined {
    return this.#shares.limitFor(address);
  }

  /** Those of the origin that has most, the latest about last; none where the address would have more than it with one of them. */
  above(address: string): readonly T[] {
    const origin = this.#shares.above(address);
    return origin === undefined ? [] : this.all(origin);
  }

  add(one: T): void {
    this.#shares.add(one.ip);
    const origin = originOf(one.ip);
    const all = this.#byOrigin.get(origin);
    if (all === undefined) this.#byOrigin.set(origin, [one]);
    else all.push(one);
    one.place = (all?.length ?? 1) - 1;
  }

  /** Once more does nothing. */
  delete(one: T): void {
    const origin = originOf(one.ip);
    const all = this.#byOrigin.get(origin);
    if (all?.[one.place] !== one) return;
    this.#shares.remove(one.ip);
    const last = all.pop();
    if (last !== undefined && last !== one) {
      all[one.place] = last;
      last.place = one.place;
    }
    if (all.length === 0) this.#byOrigin.delete(origin);
  }
}

/** One of them. */
export interface Holding {
  /** Of whoever holds it. */
  readonly ip: string;
  /** For whoever counts. */
  place: number;
}
