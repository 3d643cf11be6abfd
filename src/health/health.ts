import { type Instance, isAvailable } from '../registry/instance.ts';
import type { Registry } from '../registry/registry.ts';
import { DEFAULT_NAMESPACE, type ServiceName, serviceKey } from '../registry/service-name.ts';
import { Applications, interfaceKey, mappingKey, Providers } from './dubbo.ts';
import type { HealthName, ServiceSelector } from './names.ts';
import { type MinAvailable, minAvailableOf, neededOf, ONE_AVAILABLE, type Status, statusOf } from './status.ts';

/**
 * grpc.health.v1 in terms of the registry: what the status of a name is now, and which name's status may have changed. It reads
 * the registry and never writes to it, and keeps nothing for a name that somebody asks about.
 */
export class Health {
  readonly #registry: Registry;
  readonly #minAvailable: MinAvailable;
  readonly #providers = new Providers();
  readonly #applications = new Applications();
  readonly #listeners = new Set<(key: string) => void>();
  #draining = false;

  /** `minAvailable` holds for services that do not say it themselves. */
  constructor(registry: Registry, minAvailable: MinAvailable = ONE_AVAILABLE) {
    this.#registry = registry;
    this.#minAvailable = minAvailable;
    registry.onChange((service) => {
      const key = this.#providers.note(service, registry.tally(service) !== undefined);
      this.#emit(serviceKey(service));
      if (key !== undefined) this.#emit(key);
      for (const offered of this.#applications.offeredBy(service)) this.#emit(offered);
    });
  }

  statusOf(name: HealthName): Status {
    if (name === 'bridge') return this.#draining ? 'not-serving' : 'serving';
    let best: Status = 'unknown';
    for (const service of this.#servicesOf(name)) {
      const status = this.#statusOfService(service, name);
      if (status === 'serving') return status;
      if (status === 'not-serving') best = status;
    }
    return best;
  }

  /** The services that the name means now, each with its counts, for whoever wants to know why. */
  explain(name: ServiceSelector): Explanation[] {
    return [...this.#servicesOf(name)].map((service) => {
      const instances = this.#instancesOf(service, name);
      const minAvailable = name.instance ? ONE_AVAILABLE : this.#minAvailableOf(service);
      const available = instances.filter(({ healthy, enabled, weight }) => healthy && isAvailable(enabled, weight)).length;
      return {
        service,
        status: this.#statusOfService(service, name),
        total: instances.length,
        healthy: instances.filter(({ healthy }) => healthy).length,
        enabled: instances.filter(({ enabled }) => enabled).length,
        available,
        needed: neededOf(instances.length, minAvailable),
        silentMs: instances.map(({ silentMs }) => silentMs),
      };
    });
  }

  /** Every service that has a status now, of the default namespace. */
  services(): IterableIterator<ServiceName> {
    return this.#registry.services(DEFAULT_NAMESPACE);
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

  /** Calls `listener` with the key of what may have another status now; it reads the status and filters repeats itself. */
  onChange(listener: (key: string) => void): void {
    this.#listeners.add(listener);
  }

  /**
   * A service of Nacos that is called so goes before all of Dubbo's, and providers of the very interface before applications that
   * offer it, of which nobody says in what version.
   */
  *#servicesOf({ service, dubbo }: ServiceSelector): IterableIterator<ServiceName> {
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

  #statusOfService(service: ServiceName, selector: ServiceSelector): Status {
    const tally = this.#registry.tally(service);
    if (tally === undefined) return 'unknown';
    if (selector.cluster === undefined && selector.instance === undefined) return statusOf(tally, this.#minAvailableOf(service));
    const instances = this.#instancesOf(service, selector);
    // An instance or a cluster that has gone is as unknown as one that never was.
    if (instances.length === 0) return 'unknown';
    const available = instances.filter(({ healthy, enabled, weight }) => healthy && isAvailable(enabled, weight)).length;
    const min = selector.instance ? ONE_AVAILABLE : this.#minAvailableOf(service);
    return statusOf({ total: instances.length, available }, min);
  }

  #instancesOf(service: ServiceName, { cluster, instance }: ServiceSelector): Instance[] {
    return (this.#registry.instances(service) ?? []).filter(
      (candidate) =>
        (cluster === undefined || candidate.cluster === cluster) &&
        (instance === undefined || (candidate.ip === instance.ip && candidate.port === instance.port)),
    );
  }

  #minAvailableOf(service: ServiceName): MinAvailable {
    return minAvailableOf(this.#registry.settings(service)?.metadata, this.#minAvailable);
  }

  #emit(key: string): void {
    for (const listener of this.#listeners) listener(key);
  }
}

/** What is behind a status: the counts of one service. */
export interface Explanation {
  readonly service: ServiceName;
  readonly status: Status;
  readonly total: number;
  readonly healthy: number;
  readonly enabled: number;
  readonly available: number;
  /** How many have to be available. */
  readonly needed: number;
  /** Of each instance, the milliseconds since it was last heard of. */
  readonly silentMs: readonly number[];
}

const BRIDGE_KEY = '';

/** The keys under which a change of the name's status is told. */
export function healthKeys(name: HealthName): readonly string[] {
  if (name === 'bridge') return [BRIDGE_KEY];
  const key = serviceKey(name.service);
  if (name.dubbo === undefined) return [key];
  const { interface: path } = name.dubbo;
  return [key, interfaceKey(name.service, path), mappingKey(name.service.namespace, path)];
}
