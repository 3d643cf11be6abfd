/** How many there are of something, in all and by the address that has them. Nothing is kept of who has none. */
export class Shares {
  readonly #limits: SharesLimits;
  readonly #byAddress = new Map<string, number>();
  #count = 0;

  constructor(limits: SharesLimits) {
    this.#limits = limits;
  }

  get count(): number {
    return this.#count;
  }

  /** How many are of the address. */
  of(address: string): number {
    return this.#byAddress.get(address) ?? 0;
  }

  /** Which limit is in the way of one more; undefined: none. */
  limitFor(address: string): 'in all' | 'of one address' | undefined {
    if (this.#count >= this.#limits.inAll) return 'in all';
    return this.of(address) >= this.#limits.ofOne ? 'of one address' : undefined;
  }

  /** The address that has most. */
  largest(): string | undefined {
    let largest: string | undefined;
    for (const [address, count] of this.#byAddress) if (largest === undefined || count > this.of(largest)) largest = address;
    return largest;
  }

  add(address: string): void {
    this.#count++;
    this.#byAddress.set(address, this.of(address) + 1);
  }

  remove(address: string): void {
    this.#count--;
    const left = this.of(address) - 1;
    if (left > 0) this.#byAddress.set(address, left);
    else this.#byAddress.delete(address);
  }
}

export interface SharesLimits {
  readonly inAll: number;
  readonly ofOne: number;
}
