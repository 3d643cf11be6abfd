import type { Source } from '../registry/changes.ts';
import type { Address, Registration } from '../registry/instance.ts';
import type { Registry } from '../registry/registry.ts';
import { groupedName, type ServiceName } from '../registry/service-name.ts';
import { pageOf } from './rules.ts';

/** Stand-in: the three operations that the gRPC side needs of the naming that the HTTP side writes. */
export function createNaming({ registry }: { readonly registry: Registry }) {
  return {
    register(service: ServiceName, registration: Registration, by: Source): void {
      registry.register(service, registration, by);
    },
    deregister(service: ServiceName, address: Address, by: Source): void {
      registry.deregister(service, address, by);
    },
    /** The names of a group, sorted, one page of them. `*` is every group, and names are grouped then. */
    names(namespace: string, group: string, { pageNo, pageSize }: { readonly pageNo: number; readonly pageSize: number }) {
      const names: string[] = [];
      for (const service of registry.services(namespace)) {
        if (group === '*') names.push(groupedName(service));
        else if (service.group === group) names.push(service.name);
      }
      names.sort();
      return { names: pageOf(names, pageNo, pageSize), count: names.length };
    },
  };
}

export type Naming = ReturnType<typeof createNaming>;
