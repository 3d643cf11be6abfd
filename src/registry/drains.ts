import type { DrainEnd, RegistryEvent } from './changes.ts';
import type { Address, Drain } from './instance.ts';
import { type ServiceName, serviceKey } from './service-name.ts';

/**
 * The instances that are drained, each until its time is over, whatever clients and edits say of them. A drain outlives its instance as
 * an edit does, by `keepMs` at most, and waits for its return. It knows deadlines and nothing of what follows.
 */
export class Drains {
  readonly #keepMs: number;
  readonly #maxAbsent: number;
  readonly #present = new Map<number, Timed>();
  /** Of instances that are not here now, the longest absent first. */
  readonly #absent = new Map<string, AbsentDrain>();
  /** Over when they were given back, and to be told of. */
  #over: OverDrain[] = [];
  /** None is over before; it may be that none is then either. */
  #nextDue = Number.POSITIVE_INFINITY;

  constructor(keepMs: number, maxAbsent: number) {
    this.#keepMs = keepMs;
    this.#maxAbsent = maxAbsent;
  }

  get nextDue(): number {
    return this.#nextDue;
  }

  of(id: number): Drain | undefined {
    return this.timed(id)?.drain;
  }

  timed(id: number): Timed | undefined {
    return this.#present.size === 0 ? undefined : this.#present.get(id);
  }

  /** In place of what there is. `endsAt`: the registry's clock. */
  put(id: number, drain: Drain, endsAt: number): void {
    this.#present.set(id, { drain, endsAt });
    this.#nextDue = Math.min(this.#nextDue, endsAt);
  }

  /** Answers with it, if there was one. */
  end(id: number): Drain | undefined {
    const drain = this.of(id);
    if (drain !== undefined) this.#present.delete(id);
    return drain;
  }

  /** By id. */
  present(): IterableIterator<[number, Timed]> {
    return this.#present.entries();
  }

  /** The instance has gone and may come back. */
  keep(id: number, service: ServiceName, { ip, port }: Address, now: number): void {
    const timed = this.timed(id);
    if (timed === undefined) return;
    this.#present.delete(id);
    this.putAbsent({ ...timed, service, ip, port, since: now });
  }

  /** The instance is here, or here again, under this id. */
  takeBack(id: number, service: ServiceName, address: Address, now: number): void {
    const found = this.absent(service, address);
    if (found === undefined || this.#endOf(found) <= now) return;
    this.endAbsent(service, address);
    this.put(id, found.drain, found.endsAt);
  }

  absent(service: ServiceName, address: Address): AbsentDrain | undefined {
    return this.#absent.size === 0 ? undefined : this.#absent.get(absentKey(service, address));
  }

  /** Also for one that a store gives back; those that have waited for longest first. */
  putAbsent(absent: AbsentDrain): void {
    const key = absentKey(absent.service, absent);
    this.#absent.delete(key);
    this.#absent.set(key, absent);
    // As with edits: addresses come and go for ever.
    for (const longest of this.#absent.keys()) {
      if (this.#absent.size <= this.#maxAbsent) break;
      this.#absent.delete(longest);
    }
    this.#nextDue = Math.min(this.#nextDue, this.#endOf(absent));
  }

  endAbsent(service: ServiceName, address: Address): Drain | undefined {
    const found = this.absent(service, address);
    if (found !== undefined) this.#absent.delete(absentKey(service, address));
    return found?.drain;
  }

  waiting(): IterableIterator<AbsentDrain> {
    return this.#absent.values();
  }

  /** Those that wait for instances of the service. */
  waitingFor(service: ServiceName): AbsentDrain[] {
    const key = serviceKey(service);
    return [...this.#absent.values()].filter((absent) => serviceKey(absent.service) === key);
  }

  /** It ended while nobody looked: nobody is drained by it, and it is told of later. */
  putOver(over: OverDrain): void {
    this.#over.push(over);
  }

  /** Each once. */
  takeOver(): readonly OverDrain[] {
    return this.#over.splice(0);
  }

  /** Those that are over by now, the present ones by their ids. They stay until they are ended. */
  due(now: number): Due {
    if (now < this.#nextDue) return NONE_DUE;
    let next = Number.POSITIVE_INFINITY;
    const present: number[] = [];
    const absent: AbsentDrain[] = [];
    for (const [id, { endsAt }] of this.#present)
      if (endsAt <= now) present.push(id);
      else next = Math.min(next, endsAt);
    for (const one of this.#absent.values()) {
      const endsAt = this.#endOf(one);
      if (endsAt <= now) absent.push(one);
      else next = Math.min(next, endsAt);
    }
    this.#nextDue = next;
    return { present, absent };
  }

  /** Whoever comes there so much later is taken for another. */
  #endOf({ endsAt, since }: AbsentDrain): number {
    return Math.min(endsAt, since + this.#keepMs);
  }
}

export interface Timed {
  readonly drain: Drain;
  /** The registry's clock. */
  readonly endsAt: number;
}

export interface OverDrain extends Address {
  readonly service: ServiceName;
  readonly drain: Drain;
}

export interface AbsentDrain extends Address, Timed {
  readonly service: ServiceName;
  /** When its instance went, by the registry's clock. */
  readonly since: number;
}

interface Due {
  readonly present: readonly number[];
  readonly absent: readonly AbsentDrain[];
}

const NONE_DUE: Due = { present: [], absent: [] };

/** As it is told with an event. */
export function toldOf({ reason, since, until }: Drain, why?: DrainEnd): NonNullable<RegistryEvent['drain']> {
  return { reason, until, forMs: until - since, ...(why !== undefined && { why }) };
}

// The ip comes last, and what stands before it holds no white space.
function absentKey(service: ServiceName, { ip, port }: Address): string {
  return `${serviceKey(service)} ${port} ${ip}`;
}
