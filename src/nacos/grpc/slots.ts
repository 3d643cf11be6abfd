import type { Source } from '../../registry/changes.ts';
import type { Address, Registration } from '../../registry/instance.ts';
import type { Registry } from '../../registry/registry.ts';
import { type ServiceName, serviceKey } from '../../registry/service-name.ts';

/**
 * What one client has registered: one slot for each service, which lives as long as the client does. Whatever is put into a slot
 * replaces all that was in it.
 */
export class Slots {
  readonly #registry: Registry;
  readonly #by: Source;
  readonly #slots = new Map<string, Slot>();
  #ended = false;

  constructor(registry: Registry, by: Source) {
    this.#registry = registry;
    this.#by = by;
  }

  /** Fills the slot of the service, or empties it. Of what is named twice, the last word counts. */
  put(service: ServiceName, instances: readonly Registration[]): void {
    if (this.#ended) return;
    const key = serviceKey(service);
    const before = this.#slots.get(key)?.instances ?? NONE;
    const after = instances.length > 1 ? eachOnce(instances) : instances;
    if (after.length === 0) this.#slots.delete(key);
    else this.#slots.set(key, { service, instances: after });
    // First what is new, so that a replaced instance leaves no moment without any.
    for (const instance of after) this.#registry.hold(service, instance, this, this.#by);
    // Nearly always what is there is said again.
    const [first] = after;
    if (before.every((instance) => after.length === 1 && first !== undefined && isAt(first, instance))) return;
    const kept = new Set(after.map(addressOf));
    for (const instance of before)
      if (!kept.has(addressOf(instance))) this.#registry.release(service, instance, this, 'deregistered', this.#by);
  }

  /** What it has registered of the service. */
  of(service: ServiceName): readonly Registration[] {
    return this.#slots.get(serviceKey(service))?.instances ?? [];
  }

  /** What it has registered. */
  all(): IterableIterator<Slot> {
    return this.#slots.values();
  }

  /** Lets go of all for good, and answers how many instances that were. */
  end(): number {
    this.#ended = true;
    let count = 0;
    for (const { service, instances } of this.#slots.values()) {
      for (const instance of instances) this.#registry.release(service, instance, this, 'connection-ended', this.#by);
      count += instances.length;
    }
    this.#slots.clear();
    return count;
  }
}

/** What a client has registered of one service. */
export interface Slot {
  readonly service: ServiceName;
  /** Each address once. */
  readonly instances: readonly Registration[];
}

const NONE: readonly Registration[] = [];

/** Of what is named twice the last, in the place of the first. */
function eachOnce(instances: readonly Registration[]): readonly Registration[] {
  return [...new Map(instances.map((instance) => [addressOf(instance), instance])).values()];
}

function isAt(one: Address, other: Address): boolean {
  return one.port === other.port && one.ip === other.ip;
}

function addressOf({ ip, port }: Address): string {
  return `${ip}:${port}`;
}
