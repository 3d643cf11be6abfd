import { groupedName, type ServiceName, serviceKey } from '../registry/service-name.ts';

/**
 * How Dubbo names its services, and how it writes those names into Nacos: each interface as a service of its own, or the application
 * as one service, with a note of which interfaces it offers.
 */

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
}

/** Where providers note down which applications offer an interface: a text of this group, called like the interface. */
export const MAPPING_GROUP = 'mapping';

/**
 * Which applications offer which interface. Kept up by whoever hears of the notes; it holds what they hold, and nothing for what is
 * asked.
 */
export class Applications {
  readonly #maxApplications: number;
  /** Mapping key -> the applications' names. */
  readonly #byInterface = new Map<string, readonly string[]>();
  /** Namespace and application -> the mapping keys of what it offers. */
  readonly #byApplication = new Map<string, Set<string>>();

  /** Anybody may write a note, and every question about the interface goes through all of it: it counts up to `maxApplications`. */
  constructor(maxApplications: number) {
    this.#maxApplications = maxApplications;
  }

  /** The note on an interface is now this, names with commas between; "" when it is gone. Answers the key of the note. */
  note(namespace: string, name: string, content: string): string {
    const key = mappingKey(namespace, name);
    for (const old of this.#byInterface.get(key) ?? []) {
      const offered = this.#byApplication.get(applicationKey(namespace, old));
      offered?.delete(key);
      if (offered?.size === 0) this.#byApplication.delete(applicationKey(namespace, old));
    }
    const parts = content.split(',', this.#maxApplications).map((part) => part.trim());
    const applications = [...new Set(parts)].filter((part) => part !== '' && part.length <= MAX_NAME_LENGTH);
    if (applications.length === 0) this.#byInterface.delete(key);
    else this.#byInterface.set(key, applications);
    for (const application of applications) {
      const offered = this.#byApplication.get(applicationKey(namespace, application));
      if (offered === undefined) this.#byApplication.set(applicationKey(namespace, application), new Set([key]));
      else offered.add(key);
    }
    return key;
  }

  /** The services of the applications that offer the interface, in the namespace and Nacos group of `where`. */
  *offering(where: ServiceName, name: string): IterableIterator<ServiceName> {
    for (const application of this.#byInterface.get(mappingKey(where.namespace, name)) ?? [])
      yield { namespace: where.namespace, group: where.group, name: application };
  }

  /** The mapping keys of what the application offers that is registered as this service. */
  offeredBy(service: ServiceName): Iterable<string> {
    return this.#byApplication.get(applicationKey(service.namespace, service.name)) ?? [];
  }
}

const MAX_NAME_LENGTH = 512;

/** Unique for an interface within a namespace and a Nacos group. No service has the same key. */
export function interfaceKey({ namespace, group }: ServiceName, name: string): string {
  return `dubbo ${namespace}##${groupedName({ group, name: written(name) })}`;
}

/** Unique for an interface within a namespace. */
export function mappingKey(namespace: string, name: string): string {
  return `mapping ${namespace}##${written(name)}`;
}

function applicationKey(namespace: string, name: string): string {
  return serviceKey({ namespace, group: '', name });
}

/** Java's inner classes, as Dubbo writes them where a dollar is not allowed. */
function written(name: string): string {
  return name.replaceAll('$', '___');
}

/** Whether the service is one that a provider of an interface registers. */
export function isProvider({ name }: Pick<ServiceName, 'name'>): boolean {
  return parseProviderName(name) !== undefined;
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
