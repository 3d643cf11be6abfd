/** Somebody was refused for a limit, or by a rule. */
export interface Refusal {
  /** A constant: there are as many as limits and rules. */
  readonly reason: string;
  readonly peer?: string | undefined;
  /** How many, where whoever refuses tells of several at once. */
  readonly count?: number;
  readonly facts?: Readonly<Record<string, string | number>>;
}

/** How often something was refused for a limit, by which one. Whoever follows hears of each, and must be quick. */
export class Refused {
  readonly counts = new Map<string, number>();
  #follower: ((refusal: Refusal) => void) | undefined;

  /** One follower: the next one takes its place. */
  follow(follower: (refusal: Refusal) => void): void {
    this.#follower = follower;
  }

  count(reason: string, peer?: string): void {
    this.counts.set(reason, (this.counts.get(reason) ?? 0) + 1);
    this.#follower?.({ reason, peer });
  }

  /** By who has counted them one by one. */
  tell(refusal: Refusal): void {
    this.#follower?.(refusal);
  }
}
