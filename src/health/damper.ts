import type { MinAvailable } from '../registry/available.ts';
import type { RegistryEvent } from '../registry/changes.ts';
import type { Registry } from '../registry/registry.ts';
import { type ServiceName, serviceKey } from '../registry/service-name.ts';
import type { ServiceSettings } from '../registry/settings.ts';
import type { Scheduler } from '../wire/scheduler.ts';
import { DampedService, type Surroundings, type Terms, type Track } from './damped-service.ts';
import { Flips } from './flips.ts';
import type { Patience } from './steady.ts';

/**
 * Which services have a status that is told only after it has lasted, and when it is told. Nothing is kept for the others, and where
 * there is no such service, neither a timer runs nor are the registry's events heard.
 */
export class Damper {
  readonly #registry: Registry;
  readonly #options: DamperOptions;
  readonly #services = new Map<string, DampedService>();
  readonly #flips: Flips<Track>;
  readonly #around: Surroundings;
  #stopHearing: (() => void) | undefined;

  constructor(registry: Registry, options: DamperOptions) {
    this.#registry = registry;
    this.#options = options;
    this.#flips = new Flips<Track>(options.scheduler, options.now, (due) => this.#tell(due));
    this.#around = {
      instance: (service, address) => registry.instance(service, address),
      instances: (service) => registry.instances(service) ?? [],
      flips: this.#flips,
      now: options.now,
    };
  }

  /** Undefined: what is, is what is told. */
  of(service: ServiceName): DampedService | undefined {
    return this.#services.size === 0 ? undefined : this.#services.get(serviceKey(service));
  }

  /** The service has changed. What waits by settings that are no longer in force, waits by those that are. */
  changed(name: ServiceName): void {
    const tally = this.#registry.tally(name);
    const settings = this.#registry.settings(name);
    const terms = settings && this.#termsOf(settings);
    if (terms === undefined && this.#services.size === 0) return;
    const key = serviceKey(name);
    const known = this.#services.get(key);
    if (tally === undefined || terms === undefined) {
      known?.end();
      this.#services.delete(key);
    } else if (known === undefined) {
      this.#services.set(key, new DampedService(name, tally, terms, this.#around));
    } else {
      known.changed(tally, terms);
    }
    this.#hearIfNeeded();
  }

  close(): void {
    this.#flips.close();
    this.#stopHearing?.();
  }

  /** Undefined: nothing is held back. */
  #termsOf(settings: ServiceSettings): Terms | undefined {
    const { patience } = this.#options;
    const fallAfterMs = settings.fallAfterMs ?? patience.fallAfterMs;
    const riseAfterMs = settings.riseAfterMs ?? patience.riseAfterMs;
    if (fallAfterMs === 0 && riseAfterMs === 0) return undefined;
    const minAvailable = settings.minAvailable ?? this.#options.minAvailable;
    return { patience: { fallAfterMs, riseAfterMs }, minAvailable };
  }

  #hearIfNeeded(): void {
    if (this.#services.size > 0) {
      this.#stopHearing ??= this.#registry.onEvent((event) => this.#hear(event));
    } else {
      this.#stopHearing?.();
      this.#stopHearing = undefined;
    }
  }

  /** Who it was that changed, only an event says. One without `to` is of an instance that is away. */
  #hear({ cause, service, instance, to, silentMs }: RegistryEvent): void {
    if (cause === 'postponed') this.#postpone(silentMs ?? 0);
    else if (service !== undefined && instance !== undefined && to !== undefined) this.of(service)?.hear(instance);
  }

  /** Nobody could be heard for so long: no status has lasted by that. */
  #postpone(ms: number): void {
    const now = this.#options.now();
    for (const track of this.#flips.all()) {
      track.since = Math.min(track.since + ms, now);
      track.of.settle(track);
    }
  }

  #tell(due: readonly Track[]): void {
    for (const track of due) track.of.settle(track);
    for (const { name } of new Set(due.map(({ of }) => of))) this.#options.onTold(name);
  }
}

export interface DamperOptions {
  /** Holds for services that do not say it themselves, as `minAvailable` does. */
  readonly patience: Patience;
  readonly minAvailable: MinAvailable;
  readonly scheduler: Scheduler;
  /** The registry's clock, in whole milliseconds. */
  readonly now: () => number;
  /** Something else may be told of the service from now on, and nothing in the registry has changed. */
  readonly onTold: (service: ServiceName) => void;
}
