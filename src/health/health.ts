import { isAvailable, type MinAvailable, neededOf, ONE_AVAILABLE } from '../registry/available.ts';
import type { Heard } from '../registry/changes.ts';
import type { CheckTrouble } from '../registry/checks.ts';
import type { Address, Drain, Instance } from '../registry/instance.ts';
import type { Registry } from '../registry/registry.ts';
import { type ServiceName, serviceKey } from '../registry/service-name.ts';
import type { Scheduler } from '../wire/scheduler.ts';
import type { Track } from './damped-service.ts';
import { Damper } from './damper.ts';
import { Applications, interfaceKey, mappingKey, Providers } from './dubbo.ts';
import { canonicalIp } from './ip.ts';
import {
  formatHealthName,
  type HealthName,
  type Home,
  MAX_NAME_BYTES,
  parseHealthName,
  type ServiceSelector,
  selectAll,
} from './names.ts';
import { meantBy } from './past.ts';
import { type Status, statusOf } from './status.ts';
import type { Patience } from './steady.ts';

/** What every way of asking about health has in common: whoever serves a protocol needs no more of it. */
export interface Checker {
  /** Undefined for what is no health name. */
  nameFrom(text: string): HealthName | undefined;
  statusOf(name: HealthName): Status;
  /** The same by a name as it was asked for; undefined for what is none. Of a plain name of a service it makes next to nothing. */
  statusOfText(text: string): Status | undefined;
  /** The bridge first, then every service of the home namespace that has a status now, each by its shortest name. */
  list(): Iterable<readonly [name: string, status: Status]>;
  /** The services that the name means now, each with its counts, for whoever wants to know why. */
  explain(name: ServiceSelector): readonly Explanation[];
  /** Whether "unknown" may only mean "not back yet": the bridge has started lately, and nobody has spoken of the service since. */
  isIgnorantOf(name: ServiceSelector): boolean;
  /** Calls `listener` with the key of what may have another status now; it reads the status and filters repeats itself. */
  onChange(listener: (key: string) => void): () => void;
}

/** What is behind a status: the counts of one service, as they are now. */
export interface Explanation {
  readonly service: ServiceName;
  /** What is told. */
  readonly status: Status;
  /** What is told in so many milliseconds, if it lasts; undefined: it is what is told. */
  readonly pending: { readonly status: Status; readonly inMs: number } | undefined;
  readonly total: number;
  readonly healthy: number;
  readonly enabled: number;
  readonly available: number;
  /** How many have to be available. */
  readonly needed: number;
  /** Of each instance, the milliseconds since it was last heard of. */
  readonly silentMs: readonly number[];
  /** How many are as they were before a restart, and have not been heard of since. */
  readonly remembered: number;
  /** The instances of which something is an operator's word. */
  readonly edited: readonly Pick<Instance, 'ip' | 'port' | 'edit'>[];
  /** The instances that are taken out for a time. */
  readonly drained: readonly Drained[];
  /** The instances of which a check is not content, or that cannot be checked. */
  readonly troubled: readonly Troubled[];
  /** The instances that are not available. */
  readonly failing: readonly Instance[];
  /** The last sign of life of one of them. */
  readonly heardOf: (address: Address) => Heard | undefined;
  /** Undefined: all of the service is meant, and not only some of its instances. */
  readonly isMeant: ((address: Address) => boolean) | undefined;
}

export interface Drained extends Address {
  readonly drain: Drain;
}

export interface Troubled extends Address {
  readonly trouble: CheckTrouble;
}

export interface HealthOptions {
  readonly home: Home;
  /** Holds for services that do not say it themselves. */
  readonly minAvailable: MinAvailable;
  /** The same. */
  readonly patience: Patience;
  readonly limits: HealthLimits;
  readonly scheduler: Scheduler;
  /** The registry's clock, monotonic milliseconds. */
  readonly now: () => number;
}

export interface HealthLimits {
  /** That one note may name as offering an interface of Dubbo. */
  readonly maxApplications: number;
}

/**
 * grpc.health.v1 in terms of the registry: what the status of a name is now, and which name's status may have changed. It reads
 * the registry and never writes to it, and keeps nothing for a name that somebody asks about.
 */
export class Health implements Checker {
  readonly #registry: Registry;
  readonly #home: Home;
  readonly #minAvailable: MinAvailable;
  readonly #providers = new Providers();
  readonly #applications: Applications;
  readonly #damper: Damper;
  readonly #now: () => number;
  readonly #stopHearing: () => void;
  readonly #listeners = new Set<(key: string) => void>();
  readonly #serviceListeners = new Set<(service: ServiceName) => void>();
  #draining = false;

  constructor(registry: Registry, { home, minAvailable, patience, limits, scheduler, now }: HealthOptions) {
    this.#registry = registry;
    this.#home = home;
    this.#minAvailable = minAvailable;
    this.#applications = new Applications(limits.maxApplications);
    // Whole ones, as in the registry.
    this.#now = () => Math.floor(now());
    const onTold = (service: ServiceName) => this.#tell(service);
    this.#damper = new Damper(registry, { patience, minAvailable, scheduler, now: this.#now, onTold });
    this.#stopHearing = registry.onChange((service) => this.#changed(service));
    for (const namespace of registry.namespaces()) for (const service of registry.services(namespace)) this.#changed(service);
  }

  /** It hears of no change from now on, and no status that waits is told any more. */
  close(): void {
    this.#stopHearing();
    this.#damper.close();
  }

  nameFrom(text: string): HealthName | undefined {
    return parseHealthName(text, this.#home);
  }

  statusOf(name: HealthName): Status {
    if (name === 'bridge') return this.#draining ? 'not-serving' : 'serving';
    const own = this.#statusOfService(name.service, name);
    // Where it is known, the very service is meant; and what is no key of Dubbo can mean no other.
    if (own !== 'unknown' || name.dubbo === undefined) return own;
    return this.#statusOfAll(name);
  }

  statusOfText(text: string): Status | undefined {
    if (text.length > 0 && text.length <= MAX_PLAIN_LENGTH && !text.includes('?') && !text.includes('@@')) {
      const { namespace, group } = this.#home;
      const plain = selectAll({ namespace, group, name: text });
      const status = this.#statusOfService(plain.service, plain);
      if (status !== 'unknown') return status;
    }
    const name = this.nameFrom(text);
    return name && this.statusOf(name);
  }

  /** Of all that the name may mean, the best. */
  #statusOfAll(name: ServiceSelector): Status {
    let best: Status = 'unknown';
    for (const service of this.servicesOf(name)) {
      const status = this.#statusOfService(service, name);
      if (status === 'serving') return status;
      if (status === 'not-serving') best = status;
    }
    return best;
  }

  *list(): Generator<readonly [name: string, status: Status]> {
    yield ['', this.statusOf('bridge')];
    for (const service of this.#registry.services(this.#home.namespace))
      yield [formatHealthName(service, this.#home), this.statusOf(selectAll(service))];
  }

  explain(name: ServiceSelector): Explanation[] {
    const { service, dubbo } = name;
    if (dubbo === undefined || this.#registry.tally(service) !== undefined) return [this.#explain(service, name)];
    return Array.from(this.servicesOf(name), (each) => this.#explain(each, name));
  }

  isIgnorantOf(name: ServiceSelector): boolean {
    const services = [...this.servicesOf(name)];
    // Of an interface that nobody provides, no service is known that could have been spoken of.
    return (services.length === 0 ? [name.service] : services).every((service) => this.#registry.isIgnorantOf(service));
  }

  /** Dubbo's note on which applications offer an interface has changed: their names with commas between, or "" when it is gone. */
  noteApplications(namespace: string, name: string, content: string): void {
    this.#emit(this.#applications.note(namespace, name, content));
  }

  /** The bridge itself stops serving. The services that it reports are other processes: their status is not touched. */
  drain(): void {
    this.#draining = true;
    this.#emit(BRIDGE_KEY);
  }

  /** Calls `listener` with each service of which something else may be told now. */
  onService(listener: (service: ServiceName) => void): () => void {
    this.#serviceListeners.add(listener);
    return () => void this.#serviceListeners.delete(listener);
  }

  /** How many of the service are available, there are, and have to be. Undefined: it is not known. */
  countsOf(service: ServiceName): { readonly available: number; readonly total: number; readonly needed: number } | undefined {
    const { available, total } = this.#registry.tally(service) ?? {};
    if (available === undefined || total === undefined) return undefined;
    return { available, total, needed: neededOf(total, this.minAvailableOf(service)) };
  }

  onChange(listener: (key: string) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /**
   * What the name means, in this order: the very service of Nacos, where it is known; providers of the interface; applications that
   * offer it, of which nobody says in what version.
   */
  *servicesOf({ service, dubbo }: ServiceSelector): IterableIterator<ServiceName> {
    if (dubbo === undefined || this.#registry.tally(service) !== undefined) {
      yield service;
      return;
    }
    let found = false;
    for (const provider of this.#providers.matching(service, dubbo)) {
      found = true;
      yield provider;
    }
    if (!found) yield* this.#applications.offering(service, dubbo.interface);
  }

  #explain(service: ServiceName, selector: ServiceSelector): Explanation {
    const instances = this.#instancesOf(service, selector);
    let [healthy, enabled, available, remembered] = [0, 0, 0, 0];
    const silentMs: number[] = [];
    const edited: Instance[] = [];
    const drained: Drained[] = [];
    const troubled: Troubled[] = [];
    const failing: Instance[] = [];
    for (const instance of instances) {
      if (instance.healthy) healthy++;
      if (instance.enabled) enabled++;
      if (isAvailable(instance)) available++;
      else failing.push(instance);
      if (instance.remembered) remembered++;
      silentMs.push(instance.silentMs);
      if (instance.edit !== undefined) edited.push(instance);
      if (instance.drain !== undefined) drained.push({ ...instance, drain: instance.drain });
      if (instance.trouble !== undefined) troubled.push({ ...instance, trouble: instance.trouble });
    }
    return {
      service,
      status: this.#statusOfService(service, selector),
      pending: this.pendingOf(service, selector),
      total: instances.length,
      healthy,
      enabled,
      available,
      remembered,
      needed: neededOf(instances.length, this.minAvailableOf(service, selector)),
      silentMs,
      edited,
      drained,
      troubled,
      failing,
      heardOf: (address) => this.#registry.heardOf(service, address),
      isMeant: selector.cluster === undefined && selector.instance === undefined ? undefined : meantBy(instances),
    };
  }

  #statusOfService(service: ServiceName, selector: ServiceSelector): Status {
    return this.#trackOf(service, selector)?.told ?? this.#rawOf(service, selector);
  }

  /** What is told of it in so many milliseconds, if it lasts; undefined: it is what is told. */
  pendingOf(service: ServiceName, selector = selectAll(service)): Explanation['pending'] {
    const track = this.#trackOf(service, selector);
    if (track?.dueAt === undefined) return undefined;
    return { status: track.raw, inMs: Math.max(0, track.dueAt - this.#now()) };
  }

  /** Undefined where what is, is what is told. */
  #trackOf(service: ServiceName, selector: ServiceSelector): Track | undefined {
    const track = this.#damper.of(service)?.trackOf(selector);
    if (track === undefined || selector.cluster === undefined || selector.instance === undefined) return track;
    // Nearly always the instance is in the cluster, and what is told of it is told. Else what is asked for is something else.
    return track.raw === this.#rawOf(service, selector) ? track : undefined;
  }

  #rawOf(service: ServiceName, selector: ServiceSelector): Status {
    const tally = this.#registry.tally(service);
    if (tally === undefined) return 'unknown';
    const min = this.minAvailableOf(service, selector);
    if (selector.cluster === undefined && selector.instance === undefined) return statusOf(tally, min);
    const instances = this.#instancesOf(service, selector);
    // An instance or a cluster that has gone is as unknown as one that never was.
    if (instances.length === 0) return 'unknown';
    return statusOf({ total: instances.length, available: instances.filter(isAvailable).length }, min);
  }

  #instancesOf(service: ServiceName, { cluster, instance }: ServiceSelector): Instance[] {
    const all = this.#registry.instances(service) ?? [];
    if (cluster === undefined && instance === undefined) return all;
    const ip = instance && canonicalIp(instance.ip);
    return all.filter(
      (candidate) =>
        (cluster === undefined || candidate.cluster === cluster) &&
        (instance === undefined || (candidate.port === instance.port && canonicalIp(candidate.ip) === ip)),
    );
  }

  /** How many have to be available of the service, or of what of it is meant. */
  minAvailableOf(service: ServiceName, selector?: Pick<ServiceSelector, 'instance'>): MinAvailable {
    // A single instance needs only itself.
    if (selector?.instance !== undefined) return ONE_AVAILABLE;
    return this.#registry.settings(service)?.minAvailable ?? this.#minAvailable;
  }

  #changed(service: ServiceName): void {
    this.#damper.changed(service);
    this.#tell(service);
  }

  /** Something else may be told of it now, by any of its names. */
  #tell(service: ServiceName): void {
    const key = this.#providers.note(service, this.#registry.tally(service) !== undefined);
    this.#emit(serviceKey(service));
    if (key !== undefined) this.#emit(key);
    for (const offered of this.#applications.offeredBy(service)) this.#emit(offered);
    for (const listener of this.#serviceListeners) listener(service);
  }

  #emit(key: string): void {
    for (const listener of this.#listeners) listener(key);
  }
}

const BRIDGE_KEY = '';

/** However it is written in UTF-8, it is short enough. */
const MAX_PLAIN_LENGTH = Math.floor(MAX_NAME_BYTES / 3);

/** The keys under which a change of the name's status is told. */
export function healthKeys(name: HealthName): readonly string[] {
  if (name === 'bridge') return [BRIDGE_KEY];
  const key = serviceKey(name.service);
  if (name.dubbo === undefined) return [key];
  const { interface: path } = name.dubbo;
  return [key, interfaceKey(name.service, path), mappingKey(name.service.namespace, path)];
}
