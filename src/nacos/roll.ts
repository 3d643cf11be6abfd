import type { Instance } from '../registry/instance.ts';
import type { Registry } from '../registry/registry.ts';
import type { ServiceName } from '../registry/service-name.ts';
import { isIn } from './list-text.ts';
import { Many } from './many.ts';
import type { Page } from './rules.ts';

/** Who is in a service: counted, without a look at each where that is enough, and one by one where it is not. */
export class Roll {
  readonly total: number;
  readonly healthy: number;
  readonly #registry: Registry;
  readonly #service: ServiceName;

  private constructor(registry: Registry, service: ServiceName, { total, healthy }: { total: number; healthy: number }) {
    this.#registry = registry;
    this.#service = service;
    this.total = total;
    this.healthy = healthy;
  }

  /** Undefined: the service is not known. */
  static of(registry: Registry, service: ServiceName): Roll | undefined {
    const tally = registry.tally(service);
    return tally && new Roll(registry, service, tally);
  }

  /** The clusters that somebody is in. */
  get clusters(): ReadonlySet<string> {
    return this.#registry.census(this.#service)?.clusters ?? new Set();
  }

  get areAllEphemeral(): boolean {
    return this.#registry.census(this.#service)?.areAllEphemeral ?? true;
  }

  /** As `Registry.walk`. */
  [Symbol.iterator](): Iterator<Instance> {
    return (this.#registry.walk(this.#service) ?? [])[Symbol.iterator]();
  }

  /** Those in one of the clusters, or all when none is named, each as `view` shows it; undefined: not at all. */
  many<T extends object | string>(clusters: readonly string[], view: (instance: Instance) => T | undefined): Many<T> {
    return new Many(this.#shown(clusters, view));
  }

  *#shown<T>(clusters: readonly string[], view: (instance: Instance) => T | undefined): Generator<T | undefined, void, void> {
    for (const instance of this) yield isIn(clusters, instance) ? view(instance) : undefined;
  }

  /** Those of them that are on a page, and how many there are, once the page has been written. */
  page<T extends object | string>(
    clusters: readonly string[],
    { pageNo, pageSize }: Page,
    view: (instance: Instance) => T | undefined,
  ) {
    // As `pageOf`.
    const start = (Math.max(pageNo, 1) - 1) * pageSize;
    let count = 0;
    const shown = this.many(clusters, (instance) => {
      const index = count++;
      return index >= start && index < start + pageSize ? view(instance) : undefined;
    });
    return { shown, count: () => count };
  }
}
