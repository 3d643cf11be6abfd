import { type ServiceName, serviceKey } from '../registry/service-name.ts';
import type { Cancel } from '../wire/scheduler.ts';
import { AT_ONCE } from './look.ts';
import type { Reader, Sources } from './sources.ts';

/**
 * Which services do not serve, for the count that every view shows: looked up once when somebody begins to look, and from then on as each
 * service changes, so that it costs a view nothing. Kept while somebody looks.
 */
export class NotServing {
  readonly #sources: Pick<Sources, 'registry' | 'health'>;
  readonly #known = new Map<string, ServiceName>();
  #isWhole = false;
  #stop: Cancel | undefined;

  constructor(sources: Pick<Sources, 'registry' | 'health'>) {
    this.#sources = sources;
  }

  start(): void {
    this.#stop ??= this.#sources.health.onService((service) => this.#note(service));
  }

  stop(): void {
    this.#stop?.();
    this.#stop = undefined;
    this.#isWhole = false;
    this.#known.clear();
  }

  /** How many of them there are for somebody. Without a start all are looked up each time. */
  *countFor(reader: Reader): Generator<undefined, number, void> {
    if (!this.#isWhole) yield* this.#lookUp();
    if (reader.maySeeAll) return this.#known.size;
    let [count, looks] = [0, 0];
    for (const service of this.#known.values()) {
      if (reader.maySee(service)) count++;
      if (++looks % AT_ONCE === 0) yield undefined;
    }
    return count;
  }

  *#lookUp(): Generator<undefined, void, void> {
    const { registry } = this.#sources;
    const followed = this.#stop;
    // Nobody has told which of them have changed.
    if (followed === undefined) this.#known.clear();
    let looks = 0;
    for (const namespace of [...registry.namespaces()])
      for (const service of registry.services(namespace)) {
        this.#note(service);
        if (++looks % AT_ONCE === 0) yield undefined;
      }
    this.#isWhole = followed !== undefined && this.#stop === followed;
  }

  #note(service: ServiceName): void {
    const key = serviceKey(service);
    if (this.#sources.health.statusOf(service) === 'not-serving') this.#known.set(key, service);
    else this.#known.delete(key);
  }
}
