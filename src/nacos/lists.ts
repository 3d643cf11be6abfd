import type { Registry } from '../registry/registry.ts';
import { groupedName, type ServiceName } from '../registry/service-name.ts';
import { KeptTexts } from './kept-texts.ts';
import { hostWriter, isIn, type ListKind, type ListText, ListWriter } from './list-text.ts';
import { isProtected } from './rules.ts';
import { nacosSettingsOf } from './settings.ts';
import { each, type Paused } from './turns.ts';
import type { Walks } from './walks.ts';
import { Pieces, type Written } from './written.ts';

/**
 * The lists that consumers ask for, each made once for as long as its service does not change, whoever asks. Of a service that is not
 * known nothing is kept. A list of very many is made some at a time; who asks for it meanwhile waits for the same.
 */
export class Lists {
  readonly #options: ListsOptions;
  readonly #lists: KeptTexts<ListText>;
  readonly #hosts: KeptTexts<Written>;

  constructor(options: ListsOptions) {
    this.#options = options;
    this.#lists = new KeptTexts(options.registry, MAX_KEPT_BYTES, MOST_KEPT_BYTES);
    this.#hosts = new KeptTexts(options.registry, MAX_KEPT_BYTES, MOST_KEPT_BYTES);
  }

  /** As 1.x and 2.x read it. */
  of(service: ServiceName, kind: ListKind): ListText | Promise<ListText> {
    const { healthyOnly, grouped, clustersVerbatim } = kind;
    const key = `${healthyOnly ? 'healthy' : 'all'} ${grouped ? 'grouped' : 'bare'} ${clustersVerbatim}`;
    return this.#kept(this.#lists, service, key, () => this.#list(service, kind));
  }

  /** As 3.x reads it: an array and nothing else, in the order in which instances came. */
  hostsOf(service: ServiceName, clusters: readonly string[]): Written | Promise<Written> {
    return this.#kept(this.#hosts, service, clusters.join(), () => this.#hostsIn(service, clusters));
  }

  /** What is kept now, in bytes at least. */
  get keptBytes(): number {
    return this.#lists.bytes + this.#hosts.bytes;
  }

  #kept<T extends { readonly bytes: number }>(
    texts: KeptTexts<T>,
    service: ServiceName,
    key: string,
    make: () => Paused<T>,
  ): T | Promise<T> {
    const { registry, walks } = this.#options;
    const known = registry.known(service);
    const found = known && texts.get(known, key);
    if (found !== undefined) return found;
    // Of few it is made at once, whatever else goes on: it is what nearly everybody asks for.
    const isShort = (registry.tally(service)?.total ?? 0) <= FEW;
    const text = isShort ? walks.begin(make()) : walks.run(make());
    if (known !== undefined) texts.keep(known, key, text);
    return text;
  }

  *#list(service: ServiceName, kind: ListKind): Paused<ListText> {
    const { registry } = this.#options;
    const settings = nacosSettingsOf(registry, service);
    const counts = { total: 0, healthy: 0 };
    // Only where an operator has set a threshold: without one, those that are all ill are shown as ill.
    if (settings.protectThreshold > 0)
      yield* each(registry.walk(service) ?? [], (instance) => {
        if (!instance.enabled || !isIn(kind.clusters, instance)) return;
        counts.total++;
        if (instance.healthy) counts.healthy++;
      });
    const protecting = settings.protectThreshold > 0 && isProtected(counts, settings.protectThreshold);
    const writer = new ListWriter(service, kind, settings, protecting);
    yield* each(registry.walk(service) ?? [], (instance) => writer.add(instance));
    return writer.finish();
  }

  *#hostsIn(service: ServiceName, clusters: readonly string[]): Paused<Written> {
    const pieces = new Pieces();
    const write = hostWriter(service, groupedName(service));
    yield* each(this.#options.registry.walk(service) ?? [], (instance) => {
      if (instance.enabled && isIn(clusters, instance)) pieces.add(write(instance, instance.healthy));
    });
    return pieces.with().between('[', ']');
  }
}

export interface ListsOptions {
  readonly registry: Registry;
  readonly walks: Pick<Walks, 'run' | 'begin'>;
}

/** To write so many takes no longer than to answer. */
const FEW = 100;

/** Of each shape: some hundred thousand hosts. */
const MAX_KEPT_BYTES = 64 * 2 ** 20;
/** Of one list. */
export const MOST_KEPT_BYTES = MAX_KEPT_BYTES / 2;
