import type { Source } from '../registry/changes.ts';
import type { Address } from '../registry/instance.ts';
import type { Registry } from '../registry/registry.ts';
import { groupedName, type ServiceName } from '../registry/service-name.ts';
import { type Reason, RequestError, TooLong, TooMany } from './errors.ts';
import { Many } from './many.ts';
import type { Quotas } from './quotas.ts';
import { Roll } from './roll.ts';
import { checkedMetadata, lengthOf, type Page, pageOf } from './rules.ts';
import {
  askedHealthOf,
  type ClusterSettings,
  DEFAULT_NACOS_SETTINGS,
  type NacosSettings,
  nacosSettingsOf,
  toServiceSettings,
} from './settings.ts';
import { each, type Paused, sortedBy } from './turns.ts';

/** What operators and the console do to services and their clusters, and how they look for them: typed commands, as `naming.ts`. */
export class Catalog {
  readonly #registry: Registry;
  readonly #limits: CatalogOptions['limits'];
  readonly #quotas: Quotas;

  constructor({ registry, limits, quotas }: CatalogOptions) {
    this.#registry = registry;
    this.#limits = limits;
    this.#quotas = quotas;
  }

  /** Refused with the message of the caller's version when the service is not known. */
  known(service: ServiceName, reason: Reason, messageFor: (groupedName: string) => string): KnownService {
    const roll = Roll.of(this.#registry, service);
    if (roll === undefined) throw new RequestError(reason, messageFor(groupedName(service)));
    return [service, roll, nacosSettingsOf(this.#registry, service)];
  }

  /** The same, with the message of versions 2 and 3. */
  knownByNamespace(service: ServiceName): KnownService {
    const { namespace } = service;
    return this.known(service, 'service-unknown', (name) => `service not found, namespace: ${namespace}, serviceName: ${name}`);
  }

  /** Refused when it exists: was created, or has an instance. */
  create(service: ServiceName, said: Said, by: Source): void {
    // As in Nacos, whoever creates a service means a persistent one, unless the request says otherwise.
    const ephemeral = said.ephemeral ?? false;
    const settings = toServiceSettings({ ...DEFAULT_NACOS_SETTINGS, ...this.#checked(said), ephemeral });
    // A service that lost its last instance a moment ago is known too, but nobody would call that existing.
    const isThere = (this.#registry.tally(service)?.total ?? 0) > 0;
    if (!isThere) this.#quotas.configure(service, settings, by);
    if (isThere || !this.#registry.create(service, settings, by))
      throw new RequestError('service-exists', `specified service ${groupedName(service)} already exists!`);
  }

  /** Refused while it has instances. */
  drop(service: ServiceName, by: Source): void {
    const [, { total }] = this.known(service, 'service-unknown', (name) => `specified service not exist, serviceName : ${name}`);
    if (total > 0) {
      const message = `Service ${groupedName(service)} is not empty, can't be delete. Please unregister instance first`;
      throw new RequestError('service-not-empty', message);
    }
    this.#registry.drop(service, by);
  }

  /** In place of what was said of the service before; its clusters and its kind stay. */
  configure(service: ServiceName, said: Said, by: Source): void {
    const [, , settings] = this.known(service, 'service-unknown', (name) => `service ${name} not found!`);
    const { ephemeral } = settings;
    this.#configure(service, { ...settings, ...this.#checked(said), ephemeral }, by);
  }

  /** In place of what was said of the cluster before. */
  configureCluster(service: ServiceName, name: string, cluster: ClusterSettings, by: Source): void {
    const [, , settings] = this.known(service, 'service-unknown', (grouped) => `service not found:${grouped}`);
    const clusters = { ...settings.clusters, [name]: this.#bounded(cluster) };
    this.#checkClusters(clusters);
    this.#configure(service, { ...settings, clusters }, by);
  }

  #configure(service: ServiceName, settings: NacosSettings, by: Source): void {
    const kept = toServiceSettings(settings);
    this.#quotas.configure(service, kept, by);
    this.#registry.configure(service, kept, by);
  }

  /** What there would be of them then: of each, and of all, nobody sees more than a part at a time. */
  #checkClusters(clusters: NacosSettings['clusters']): void {
    const { maxClusters, maxClusterMetadataLength } = this.#limits;
    const all = Object.values(clusters);
    if (all.length > maxClusters)
      throw new TooMany('clusters', `a service must not have settings of more than ${maxClusters} clusters (--max-clusters)`);
    let length = 0;
    for (const { metadata } of all) length += lengthOf(metadata);
    if (length > maxClusterMetadataLength)
      throw new TooLong(
        'metadata of clusters',
        'bad-metadata',
        `metadata of all clusters of a service must not exceed ${maxClusterMetadataLength} (--max-cluster-metadata-length).`,
      );
  }

  /**
   * Names by namespace, of all when none is given, by part of the name: Nacos takes a regular expression here, which would let a caller
   * keep the process busy for ever.
   */
  *namesLike(
    part: string,
    namespace: string | undefined,
    isSeen: (service: ServiceName) => boolean,
  ): Paused<readonly (readonly [namespace: string, names: readonly string[]])[]> {
    const found: [string, readonly string[]][] = [];
    for (const one of namespace === undefined ? [...this.#registry.namespaces()] : [namespace]) {
      const names: string[] = [];
      yield* each(this.#registry.services(one), (service) => {
        if (service.name.includes(part) && isSeen(service)) names.push(service.name);
      });
      if (names.length > 0) found.push([one, yield* sortedBy(names, (name) => name)]);
    }
    return found;
  }

  /** The console's list of services, sorted. Names match by part. */
  *search(namespace: string, wanted: Search, { pageNo, pageSize }: Page): Paused<SearchPage> {
    const found: ServiceName[] = [];
    const { address } = wanted;
    yield* each(this.#registry.services(namespace), (service) => {
      if (this.#matches(service, wanted)) found.push(service);
    });
    const matching = address === '' ? found : yield* this.#withAddress(found, address);
    const sorted = yield* sortedBy(matching, groupedName);
    const services: KnownService[] = [];
    yield* each(pageOf(sorted, pageNo, pageSize), (service) => {
      const roll = Roll.of(this.#registry, service);
      if (roll !== undefined) services.push([service, roll, nacosSettingsOf(this.#registry, service)]);
    });
    return { services, count: matching.length };
  }

  #matches(service: ServiceName, { name, group, onlyWithInstances }: Search): boolean {
    if (!service.name.includes(name) || !service.group.includes(group)) return false;
    return !onlyWithInstances || (this.#registry.tally(service)?.total ?? 0) > 0;
  }

  *#withAddress(services: readonly ServiceName[], address: string): Paused<ServiceName[]> {
    const found = new Set<ServiceName>();
    yield* each(this.#placesIn(services), (place) => {
      if (place !== undefined && (address === place.ip || address === `${place.ip}:${place.port}`)) found.add(place.service);
    });
    return [...found];
  }

  /** Undefined is none, but work. */
  *#placesIn(services: readonly ServiceName[]): IterableIterator<(Address & { readonly service: ServiceName }) | undefined> {
    for (const service of services) {
      yield undefined;
      for (const { ip, port } of this.#registry.walk(service) ?? []) yield { service, ip, port };
    }
  }

  #checked(said: Said): Said {
    const { fault } = askedHealthOf(this.#bounded(said).metadata);
    if (fault !== undefined) throw new RequestError('invalid', fault);
    return said;
  }

  #bounded<T extends Pick<Said, 'metadata'>>(said: T): T {
    checkedMetadata(said.metadata, this.#limits.maxMetadataLength);
    return said;
  }
}

/** Each as `view` shows it; to count its clusters, every instance of it is looked at. */
export function manyRows(services: readonly KnownService[], view: (row: KnownService) => object): Many {
  return new Many(rowsOf(services, view));
}

function* rowsOf(services: readonly KnownService[], view: (row: KnownService) => object): Generator<object | undefined> {
  for (const row of services) {
    for (let left = row[1].total; left > LOOKED_AT; left -= LOOKED_AT) yield undefined;
    yield view(row);
  }
}

/** As much work as to show one service. */
const LOOKED_AT = 100;

/** What the catalog works on. */
export interface CatalogOptions {
  readonly registry: Registry;
  readonly limits: {
    readonly maxMetadataLength: number;
    /** Of one service, those of which something is said; and the metadata of all of them together. */
    readonly maxClusters: number;
    readonly maxClusterMetadataLength: number;
  };
  readonly quotas: Quotas;
}

/** A service with all that its views are made of. */
export type KnownService = readonly [service: ServiceName, roll: Roll, settings: NacosSettings];

/** What an operator says of a service itself. */
export type Said = Omit<NacosSettings, 'clusters'>;

/** "" matches all. */
export interface Search {
  readonly name: string;
  readonly group: string;
  /** `IP` or `IP:PORT`, in full. */
  readonly address: string;
  readonly onlyWithInstances: boolean;
}

/** `count` is of all there are, not of those on the page. */
export interface SearchPage {
  readonly services: readonly KnownService[];
  readonly count: number;
}
