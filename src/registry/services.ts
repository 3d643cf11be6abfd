import { type Account, type Accounts, sizeOfJson } from './accounts.ts';
import { flat } from './flat.ts';
import { groupedName, type ServiceName } from './service-name.ts';
import type { ServiceSettings } from './settings.ts';

/**
 * Which services are known. A service comes with its first instance or by being created, and is forgotten some time after its last
 * instance has gone, unless it was created explicitly: then it stays until it is dropped.
 */
export class Services {
  /** namespace -> `group@@name` -> service. */
  readonly #namespaces = new Map<string, Map<string, Service>>();
  /** Those without instances that were not created explicitly, the longest empty first. */
  readonly #emptied = new Set<Service>();
  readonly #forgetAfterMs: number;
  readonly #accounts: Accounts;
  #count = 0;
  #lastSerial = 0;
  /** What was looked for last, and found: whoever asks one thing of a service nearly always asks another. */
  #lastName: ServiceName | undefined;
  #lastFound: Service | undefined;

  constructor(forgetAfterMs: number, accounts: Accounts) {
    this.#forgetAfterMs = forgetAfterMs;
    this.#accounts = accounts;
  }

  find(name: ServiceName): Service | undefined {
    if (name === this.#lastName) return this.#lastFound;
    const found = this.#namespaces.get(name.namespace)?.get(groupedName(name));
    if (found !== undefined) {
      this.#lastName = name;
      this.#lastFound = found;
    }
    return found;
  }

  /** `peer`: who is to be counted for it, if it is added. */
  findOrAdd(name: ServiceName, peer = ''): Service {
    return this.find(name) ?? this.#add(name, peer);
  }

  /** Forgets it at once. It must have no instances any more. */
  delete(service: Service): void {
    const { namespace } = service.name;
    const services = this.#namespaces.get(namespace);
    services?.delete(groupedName(service.name));
    if (services?.size === 0) this.#namespaces.delete(namespace);
    this.#emptied.delete(service);
    this.#count--;
    this.#accounts.add(service.account, { services: -1, metadataSize: -sizeOfSettings(service.settings) });
    this.#lastName = undefined;
    this.#lastFound = undefined;
  }

  /** Makes it known until it is deleted. */
  configure(service: Service, settings: ServiceSettings): void {
    this.#accounts.add(service.account, { metadataSize: sizeOfSettings(settings) - sizeOfSettings(service.settings) });
    service.settings = settings;
    this.#emptied.delete(service);
  }

  /** To be called when it has got an instance. */
  filled(service: Service): void {
    service.isUnheard = false;
    this.#emptied.delete(service);
  }

  /** To be called when its last instance has gone, in the order in which that happens. */
  emptied(service: Service, at: number): void {
    if (service.settings !== undefined) return;
    service.emptySince = at;
    this.#emptied.add(service);
  }

  /** Forgets those that have been empty for long enough, and answers with them. */
  forgetEmptied(now: number): Service[] {
    const forgotten: Service[] = [];
    for (const service of this.#emptied) {
      if (service.emptySince + this.#forgetAfterMs > now) break;
      this.delete(service);
      forgotten.push(service);
    }
    return forgotten;
  }

  /** When there is next one to be forgotten; infinite when there is none. */
  get nextDue(): number {
    for (const service of this.#emptied) return service.emptySince + this.#forgetAfterMs;
    return Number.POSITIVE_INFINITY;
  }

  /** All are remembered for longer by `ms`, but none longer than from `now` on. */
  postpone(ms: number, now: number): void {
    for (const service of this.#emptied) service.emptySince = Math.min(service.emptySince + ms, now);
  }

  /** The namespaces that have a service. */
  namespaces(): IterableIterator<string> {
    return this.#namespaces.keys();
  }

  /** In the order in which they came. */
  in(namespace: string): Iterable<Service> {
    return this.#namespaces.get(namespace)?.values() ?? [];
  }

  *all(): IterableIterator<Service> {
    for (const services of this.#namespaces.values()) yield* services.values();
  }

  get count(): number {
    return this.#count;
  }

  #add(name: ServiceName, peer: string): Service {
    let services = this.#namespaces.get(name.namespace);
    if (services === undefined) {
      services = new Map();
      this.#namespaces.set(flat(name.namespace), services);
    }
    const service: Service = {
      name: { namespace: flat(name.namespace), group: flat(name.group), name: flat(name.name) },
      serial: ++this.#lastSerial,
      account: this.#accounts.open(peer),
      settings: undefined,
      emptySince: 0,
      isUnheard: false,
      first: NONE,
      last: NONE,
      total: 0,
      healthy: 0,
      available: 0,
    };
    services.set(groupedName(service.name), service);
    this.#count++;
    this.#accounts.add(service.account, { services: 1 });
    return service;
  }
}

function sizeOfSettings(settings: ServiceSettings | undefined): number {
  return settings === undefined ? 0 : sizeOfJson(settings);
}

/** The end of a linked list of ids. */
export const NONE = -1;

export interface Service extends Tally {
  readonly name: ServiceName;
  /** Stands for the name in the keys of instances; never used twice. */
  readonly serial: number;
  /** Of whoever made it known. */
  readonly account: Account;
  /** Set: the service was created explicitly. */
  settings: ServiceSettings | undefined;
  emptySince: number;
  /** It was given back by a store or a replica, and has had no instance since. */
  isUnheard: boolean;
  /** The ends of the list of its instances; see `Rows`. */
  first: number;
  last: number;
  total: number;
  healthy: number;
  available: number;
}

/** Counts of a known service. `available`: healthy, enabled, weight above 0. */
export interface Tally {
  readonly total: number;
  readonly healthy: number;
  readonly available: number;
}
