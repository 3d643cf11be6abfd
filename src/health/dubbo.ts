import { groupedName, type ServiceName } from '../registry/service-name.ts';

/** How Dubbo names its services, and how it writes those names into Nacos. */

/** `[group/]interface[:version]`. A bare interface leaves both open. */
export interface DubboKey {
  readonly interface: string;
  /** "" is the one without a version; undefined, together with the group, any. */
  readonly version: string | undefined;
  readonly group: string | undefined;
}

/** Undefined for what is not of this form. */
export function parseDubboKey(text: string): DubboKey | undefined {
  const [match, group, name = '', version] = /^(?:([^/:]+)\/)?([^/:]+)(?::([^/:]+))?$/.exec(text) ?? [];
  if (match === undefined) return undefined;
  if (group === undefined && version === undefined) return { interface: name, version: undefined, group: undefined };
  return { interface: name, version: normalVersion(version), group: group ?? '' };
}

/** A service that providers of an interface register, taken apart. */
interface Provider {
  readonly service: ServiceName;
  readonly version: string;
  readonly group: string;
}

/**
 * Which services in the registry are providers of which interface. Kept up by whoever hears of changes; it holds an entry for each
 * such service that is known, and none for what is asked.
 */
export class Providers {
  readonly #byInterface = new Map<string, Map<string, Provider>>();

  /** The service has become known, or is no longer. Answers the key of its interface; undefined when it is none of Dubbo's. */
  note(service: ServiceName, known: boolean): string | undefined {
    const parts = parseProviderName(service.name);
    if (parts === undefined) return undefined;
    const key = interfaceKey(service, parts.interface);
    const providers = this.#byInterface.get(key);
    if (!known) {
      providers?.delete(service.name);
      if (providers?.size === 0) this.#byInterface.delete(key);
    } else if (providers === undefined) {
      this.#byInterface.set(key, new Map([[service.name, { service, ...parts }]]));
    } else {
      providers.set(service.name, { service, ...parts });
    }
    return key;
  }

  /** The services that the key means, in the namespace and Nacos group of `where`. */
  *matching(where: ServiceName, key: DubboKey): IterableIterator<ServiceName> {
    for (const { service, version, group } of this.#byInterface.get(interfaceKey(where, key.interface))?.values() ?? []) {
      if ((key.version ?? version) === version && (key.group ?? group) === group) yield service;
    }
  }

  get size(): number {
    return this.#byInterface.size;
  }
}

/** Unique for an interface within a namespace and a Nacos group. No service has the same key. */
export function interfaceKey({ namespace, group }: ServiceName, name: string): string {
  return `dubbo ${namespace}##${groupedName({ group, name })}`;
}

/** `providers:interface:version:group`; older clients leave out trailing parts that are empty. */
function parseProviderName(name: string): (Omit<Provider, 'service'> & { readonly interface: string }) | undefined {
  const [category, path, version = '', group = '', ...rest] = name.split(':');
  if (category !== 'providers' || path === undefined || path === '' || rest.length > 0) return undefined;
  return { interface: path, version: normalVersion(version), group };
}

/** 0.0.0 is how Dubbo says that there is no version. */
function normalVersion(version = ''): string {
  return version === '0.0.0' ? '' : version;
}
