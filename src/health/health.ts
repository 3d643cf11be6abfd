import type { Registry } from '../registry/registry.ts';
import { DEFAULT_NAMESPACE, serviceKey } from '../registry/service-name.ts';
import type { HealthName } from './names.ts';
import { type Status, statusOf } from './status.ts';

/**
 * grpc.health.v1 in terms of the registry: what the status of a name is now, and which name's status may have changed. It reads
 * the registry and never writes to it, and keeps nothing for a name that somebody asks about.
 */
export class Health {
  readonly #registry: Registry;
  readonly #listeners = new Set<(key: string) => void>();
  #draining = false;

  constructor(registry: Registry) {
    this.#registry = registry;
    registry.onChange((service) => this.#emit(serviceKey(service)));
  }

  statusOf(name: HealthName): Status {
    if (name === 'bridge') return this.#draining ? 'not-serving' : 'serving';
    return statusOf(this.#registry.tally(name));
  }

  /** Every name that has a status now, the bridge first. */
  *names(): IterableIterator<HealthName> {
    yield 'bridge';
    yield* this.#registry.services(DEFAULT_NAMESPACE);
  }

  /** The bridge itself stops serving. The services that it reports are other processes: their status is not touched. */
  drain(): void {
    this.#draining = true;
    this.#emit(healthKey('bridge'));
  }

  /** Calls `listener` with the key of a name whose status may have changed; it reads the status and filters repeats itself. */
  onChange(listener: (key: string) => void): void {
    this.#listeners.add(listener);
  }

  #emit(key: string): void {
    for (const listener of this.#listeners) listener(key);
  }
}

/** Two names with the same key have the same status, always. */
export function healthKey(name: HealthName): string {
  return name === 'bridge' ? '' : serviceKey(name);
}
