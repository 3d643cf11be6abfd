import { type ServiceName, serviceKey } from '../registry/service-name.ts';
import type { Happened } from './sources.ts';

/** What a service is, and since when: milliseconds since 1970. */
export interface Standing {
  readonly service: ServiceName;
  isServing: boolean;
  since: number;
}

/**
 * What each service that is known is, in the order in which they became that, as the record of what happened tells it. Who asks is given
 * no more than so many: those that do not serve before those that do, and of either kind those that have changed last.
 */
export class Standings {
  /** The one that changed last is the last. */
  readonly #all = new Map<string, Standing>();
  #serving = 0;

  get count(): number {
    return this.#all.size;
  }

  get servingCount(): number {
    return this.#serving;
  }

  note({ kind, service, to, at }: Happened): void {
    if (kind === 'service' && service !== undefined && to !== undefined) this.put(service, to, at);
  }

  /** As of now on; `unknown` is none that is known. */
  put(service: ServiceName, to: string, at: number): void {
    const key = serviceKey(service);
    const standing = this.#all.get(key) ?? { service, isServing: false, since: at };
    this.#all.delete(key);
    this.#serving -= Number(standing.isServing);
    if (to === 'unknown') return;
    standing.isServing = to === 'serving';
    standing.since = at;
    this.#serving += Number(standing.isServing);
    this.#all.set(key, standing);
  }

  /** Looks at some at a time. Those that change meanwhile are told as they are then, and once. */
  *chosen(most: number): Generator<void, readonly Standing[], void> {
    const [failing, serving] = [new Latest(most), new Latest(most)];
    let looked = 0;
    for (const standing of this.#all.values()) {
      (standing.isServing ? serving : failing).add(standing);
      if (++looked % AT_A_TIME === 0) yield;
    }
    return [...new Set([...failing.newestFirst(), ...serving.newestFirst()])].slice(0, most);
  }
}

/** The last few of many. */
class Latest {
  readonly #most: number;
  readonly #ring: Standing[] = [];
  #next = 0;

  constructor(most: number) {
    this.#most = most;
  }

  add(standing: Standing): void {
    if (this.#most === 0) return;
    this.#ring[this.#next] = standing;
    this.#next = (this.#next + 1) % this.#most;
  }

  newestFirst(): readonly Standing[] {
    return [...this.#ring.slice(this.#next), ...this.#ring.slice(0, this.#next)].reverse();
  }
}

const AT_A_TIME = 2_000;
