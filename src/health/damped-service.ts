import { isAvailable, type MinAvailable, ONE_AVAILABLE } from '../registry/available.ts';
import type { Address, Instance } from '../registry/instance.ts';
import type { ServiceName } from '../registry/service-name.ts';
import type { Tally } from '../registry/services.ts';
import type { Flips, Pending } from './flips.ts';
import { canonicalIp } from './ip.ts';
import type { ServiceSelector } from './names.ts';
import { type Status, statusOf } from './status.ts';
import { type Patience, type Seen, tell } from './steady.ts';

/** What is told of a service, or of a part of it, while it may be another than what is. */
export interface Track extends Seen, Pending {
  raw: Status;
  since: number;
  told: Status;
  readonly of: DampedService;
}

/** By which rules. */
export interface Terms {
  readonly patience: Patience;
  readonly minAvailable: MinAvailable;
}

/** What it needs of what stands around it. */
export interface Surroundings {
  instance(service: ServiceName, address: Address): Instance | undefined;
  instances(service: ServiceName): readonly Instance[];
  readonly flips: Flips<Track>;
  readonly now: () => number;
}

/**
 * A known service whose status is told only after it has lasted, with each part of it that a name can mean. It holds one record for
 * each instance that is registered, for each of their clusters and addresses, and none for what is asked.
 */
export class DampedService {
  readonly name: ServiceName;
  readonly #around: Surroundings;
  readonly #whole: Track;
  /** Clusters, and addresses in their one spelling. */
  readonly #parts = new Map<string, Part>();
  /** By address, as registered: what each instance counts for. */
  readonly #members = new Map<string, Member>();
  #terms: Terms;
  /** Who may have changed since `changed` was called last. */
  #heard: Address[] = [];

  /** What it is now, is told at once. */
  constructor(name: ServiceName, tally: Tally, terms: Terms, around: Surroundings) {
    this.name = name;
    this.#terms = terms;
    this.#around = around;
    this.#whole = this.#track(statusOf(tally, terms.minAvailable));
    for (const instance of around.instances(name)) this.#count(instance, instance);
    for (const part of this.#parts.values()) part.raw = part.told = this.#statusOf(part);
  }

  /** Something has happened to the instance; `changed` follows. */
  hear({ ip, port }: Address): void {
    this.#heard.push({ ip, port });
  }

  /** To be called when all that belongs to one change has happened. */
  changed(tally: Tally, terms: Terms): void {
    const isOther = !isSame(terms, this.#terms);
    this.#terms = terms;
    this.#see(this.#whole, statusOf(tally, terms.minAvailable));
    const touched = new Set<Part>();
    for (const address of this.#heard)
      for (const part of this.#count(address, this.#around.instance(this.name, address))) touched.add(part);
    this.#heard = [];
    for (const part of isOther ? this.#parts.values() : touched) this.#see(part, this.#statusOf(part));
    if (isOther) for (const track of this.#tracks()) this.settle(track);
  }

  /** Tells what is due, and waits for what is not. */
  settle(track: Track): void {
    const { told, dueAt } = tell(track, this.#terms.patience, this.#around.now());
    track.told = told;
    this.#around.flips.put(track, dueAt);
  }

  /** Of the service, or of its cluster, or of its instance, whatever cluster is named beside it. Undefined: there is no such part. */
  trackOf({ cluster, instance }: ServiceSelector): Track | undefined {
    if (instance !== undefined) return this.#parts.get(addressKey(instance));
    return cluster === undefined ? this.#whole : this.#parts.get(clusterKey(cluster));
  }

  /** How many clusters and addresses it has. */
  get partCount(): number {
    return this.#parts.size;
  }

  /** Nothing of it waits any more. */
  end(): void {
    for (const track of this.#tracks()) this.#around.flips.put(track, undefined);
  }

  *#tracks(): IterableIterator<Track> {
    yield this.#whole;
    yield* this.#parts.values();
  }

  #see(track: Track, raw: Status): void {
    if (raw === track.raw) return;
    track.raw = raw;
    track.since = this.#around.now();
    this.settle(track);
  }

  /** The instance is this now, or gone. Answers the parts that it has counted for, and counts for. */
  #count(address: Address, instance: Instance | undefined): readonly Part[] {
    const key = `${address.ip}:${address.port}`;
    const before = this.#members.get(key);
    const touched: Part[] = [];
    if (before !== undefined) touched.push(...this.#add(before, -1));
    if (instance === undefined) {
      this.#members.delete(key);
    } else {
      const cluster = this.#part(clusterKey(instance.cluster), undefined);
      const member = { cluster, address: this.#part(addressKey(address), ONE_AVAILABLE), available: isAvailable(instance) };
      this.#members.set(key, member);
      touched.push(...this.#add(member, 1));
    }
    for (const part of touched) if (part.total === 0) this.#parts.delete(part.key);
    return touched;
  }

  #add({ cluster, address, available }: Member, by: 1 | -1): readonly Part[] {
    for (const part of [cluster, address]) {
      part.total += by;
      if (available) part.available += by;
    }
    return [cluster, address];
  }

  #part(key: string, minAvailable: MinAvailable | undefined): Part {
    const known = this.#parts.get(key);
    if (known !== undefined) return known;
    const part = Object.assign(this.#track('unknown'), { key, minAvailable, total: 0, available: 0 });
    this.#parts.set(key, part);
    return part;
  }

  /** One that is empty has gone. */
  #statusOf(part: Part): Status {
    return statusOf(part.total === 0 ? undefined : part, part.minAvailable ?? this.#terms.minAvailable);
  }

  #track(raw: Status): Track {
    return { raw, since: this.#around.now(), told: raw, of: this, dueAt: undefined, place: 0 };
  }
}

/** A cluster, or an address; several instances can have the same in other spellings. */
interface Part extends Track {
  readonly key: string;
  /** Undefined: that of the service. */
  readonly minAvailable: MinAvailable | undefined;
  total: number;
  available: number;
}

interface Member {
  readonly cluster: Part;
  readonly address: Part;
  readonly available: boolean;
}

function clusterKey(cluster: string): string {
  return `cluster ${cluster}`;
}

function addressKey({ ip, port }: Address): string {
  return `address ${canonicalIp(ip)}:${port}`;
}

function isSame(a: Terms, b: Terms): boolean {
  return (
    a.minAvailable === b.minAvailable &&
    a.patience.fallAfterMs === b.patience.fallAfterMs &&
    a.patience.riseAfterMs === b.patience.riseAfterMs
  );
}
