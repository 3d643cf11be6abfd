import type { Source } from '../registry/changes.ts';
import type { Address } from '../registry/instance.ts';
import type { Registry } from '../registry/registry.ts';
import { groupedName, type ServiceName } from '../registry/service-name.ts';
import { type Named, pageOf, registrationOf } from './rules.ts';
import type { Switches } from './switches.ts';

/** Stand-in: the three operations that the gRPC side needs of the naming that the HTTP side writes. */
export class Naming {
  readonly #registry: Registry;

  constructor({ registry }: NamingOptions) {
    this.#registry = registry;
  }

  register(service: ServiceName, named: Named, by: Source): void {
    this.#registry.register(service, registrationOf(named), by);
  }

  deregister(service: ServiceName, address: Address, by: Source): void {
    this.#registry.deregister(service, address, by);
  }

  /** The names of a group, sorted, one page of them. `*` is every group, and names are grouped then. */
  names(namespace: string, group: string, { pageNo, pageSize }: { readonly pageNo: number; readonly pageSize: number }) {
    const names: string[] = [];
    for (const service of this.#registry.services(namespace)) {
      if (group === '*') names.push(groupedName(service));
      else if (service.group === group) names.push(service.name);
    }
    names.sort();
    return { names: pageOf(names, pageNo, pageSize), count: names.length };
  }
}

export interface NamingOptions {
  readonly registry: Registry;
  readonly switches: Switches;
  readonly limits: { readonly maxMetadataLength: number };
  readonly wallClock: () => number;
}
