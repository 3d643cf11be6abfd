import { sizeOf, sizeOfJson } from '../registry/accounts.ts';
import type { Source } from '../registry/changes.ts';
import type { Registration } from '../registry/instance.ts';
import type { Registry } from '../registry/registry.ts';
import type { ServiceName } from '../registry/service-name.ts';
import type { ServiceSettings } from '../registry/settings.ts';
import { originOf } from '../wire/addresses.ts';
import type { Scheduler } from '../wire/scheduler.ts';
import { TooMany } from './errors.ts';
import { Rate } from './rates.ts';

/**
 * How much may be registered, by one address and by all, and how often. What is here already is never refused for want of room: who says
 * it again may go on, however full it is, unless it says more. How often one address beats and registers is another matter: nobody is
 * looked up before that.
 */
export class Quotas {
  readonly #registry: Registry;
  readonly #limits: QuotasLimits;
  readonly #beats: Rate;
  readonly #registrations: Rate;
  /** What connections have said, which is kept for as long as they live, whoever else speaks of the same instance meanwhile. */
  readonly #held = new Map<string, number>();
  readonly #ofConnection = new WeakMap<Held, number>();
  #heldInAll = 0;

  constructor({ registry, scheduler, limits }: QuotasOptions) {
    this.#registry = registry;
    this.#limits = limits;
    this.#beats = new Rate(scheduler, limits.maxBeatsPerSecondPerPeer, BEATS_AT_ONCE_S);
    this.#registrations = new Rate(scheduler, limits.maxRegistrationsPerSecondPerPeer, REGISTRATIONS_AT_ONCE_S);
  }

  /** A beat has come. The program that embeds this is no peer: how often it calls is its own matter. */
  beat(peer: string | undefined): void {
    if (peer === undefined || this.#beats.take(peer)) return;
    const { maxBeatsPerSecondPerPeer } = this.#limits;
    const text = `more than ${maxBeatsPerSecondPerPeer} beats per second from one address (--max-beats-per-second-per-peer)`;
    throw new TooMany('beats of one address', text);
  }

  /** All of these are to be registered, or none. */
  register(service: ServiceName, said: readonly Registration[], by: Source): void {
    const { peer = '' } = by;
    if (said.length > 0 && by.peer !== undefined && !this.#registrations.take(peer, said.length)) {
      const most = this.#limits.maxRegistrationsPerSecondPerPeer;
      const text = `more than ${most} registrations per second from one address (--max-registrations-per-second-per-peer)`;
      throw new TooMany('registrations of one address', text);
    }
    let size = 0;
    for (const { metadata } of said) size += sizeOf(metadata);
    // Nearly always there is room for all of it, whatever is here already.
    if (this.#lackOf(peer, 1, said.length, size) === undefined) return;
    let instances = said.length;
    for (const address of said) {
      if (this.#registry.instance(service, address) === undefined) continue;
      instances--;
      size -= sizeOf(this.#registry.lastRegistration(service, address)?.metadata ?? {});
    }
    this.#check(peer, this.#isNew(service), instances, size);
  }

  /** A connection is to say this of the service, each address once, in place of what it has said before; it is taken for said then. */
  hold(connection: Held, service: ServiceName, said: readonly Registration[], before: readonly Registration[], by: Source): void {
    this.register(service, said, by);
    const more = sizeOfAll(said) - sizeOfAll(before);
    const { maxMetadataInAll, maxMetadataPerPeer } = this.#limits;
    if (more > 0 && this.#heldInAll + more > maxMetadataInAll) throw tooMuch('metadata', maxMetadataInAll);
    if (more > 0 && (this.#held.get(originOf(connection.peer.ip)) ?? 0) + more > maxMetadataPerPeer)
      throw tooMuch('metadata of one address', maxMetadataPerPeer);
    this.#ofConnection.set(connection, (this.#ofConnection.get(connection) ?? 0) + more);
    this.#keep(connection.peer.ip, more);
  }

  /** Nothing of what it has said is kept any more. */
  ended(connection: Held): void {
    this.#keep(connection.peer.ip, -(this.#ofConnection.get(connection) ?? 0));
    this.#ofConnection.delete(connection);
  }

  #keep(peer: string, more: number): void {
    const origin = originOf(peer);
    this.#heldInAll += more;
    const own = (this.#held.get(origin) ?? 0) + more;
    if (own > 0) this.#held.set(origin, own);
    else this.#held.delete(origin);
  }

  /** The service is to have these settings. */
  configure(service: ServiceName, settings: ServiceSettings, { peer = '' }: Source): void {
    const before = this.#registry.settings(service);
    const size = sizeOfJson(settings) - (before === undefined ? 0 : sizeOfJson(before));
    this.#check(peer, this.#isNew(service), 0, size);
  }

  close(): void {
    this.#beats.close();
    this.#registrations.close();
  }

  #isNew(service: ServiceName): number {
    return this.#registry.known(service) === undefined ? 1 : 0;
  }

  #check(peer: string, services: number, instances: number, size: number): void {
    const lack = this.#lackOf(peer, services, instances, size);
    if (lack !== undefined) throw lack();
  }

  /** What there is no room for; undefined: there is room for all of it. */
  #lackOf(peer: string, services: number, instances: number, size: number): (() => TooMany) | undefined {
    const { all } = this.#registry.accounts;
    const own = this.#registry.accounts.of(peer);
    const limits = this.#limits;
    if (instances > 0) {
      if (all.instances + instances > limits.maxInstances) return () => tooMany('instances', limits.maxInstances);
      if ((own?.instances ?? 0) + instances > limits.maxInstancesPerPeer)
        return () => tooManyOfOne('instances', limits.maxInstancesPerPeer);
    }
    if (services > 0) {
      if (all.services + services > limits.maxServices) return () => tooMany('services', limits.maxServices);
      if ((own?.services ?? 0) + services > limits.maxServicesPerPeer)
        return () => tooManyOfOne('services', limits.maxServicesPerPeer);
    }
    if (size <= 0) return undefined;
    if (all.metadataSize + size > limits.maxMetadataInAll) return () => tooMuch('metadata', limits.maxMetadataInAll);
    if ((own?.metadataSize ?? 0) + size > limits.maxMetadataPerPeer)
      return () => tooMuch('metadata of one address', limits.maxMetadataPerPeer);
    return undefined;
  }
}

/** Everybody behind a gateway may beat at once, as each beats every 5 s; and register at once, as when the bridge has been away. */
const BEATS_AT_ONCE_S = 5;
const REGISTRATIONS_AT_ONCE_S = 20;

/** What is kept of each beside its metadata. */
const PER_REGISTRATION = 128;

/** What a connection says, as it is counted. */
function sizeOfAll(said: readonly Registration[]): number {
  let size = 0;
  for (const { metadata } of said) size += sizeOf(metadata) + PER_REGISTRATION;
  return size;
}

/** Whose word it is. */
interface Held {
  readonly peer: { readonly ip: string };
}

export interface QuotasOptions {
  readonly registry: Registry;
  readonly scheduler: Pick<Scheduler, 'every'>;
  readonly limits: QuotasLimits;
}

export interface QuotasLimits {
  readonly maxServices: number;
  readonly maxServicesPerPeer: number;
  readonly maxInstances: number;
  readonly maxInstancesPerPeer: number;
  /** As `sizeOf` counts them. */
  readonly maxMetadataInAll: number;
  readonly maxMetadataPerPeer: number;
  readonly maxBeatsPerSecondPerPeer: number;
  readonly maxRegistrationsPerSecondPerPeer: number;
}

/** Whoever is told may be whoever runs it: the option is named as well. */
function tooMany(what: 'instances' | 'services', most: number): TooMany {
  return new TooMany(what, `more than ${most} ${what} (--max-${what})`);
}

function tooManyOfOne(what: 'instances' | 'services', most: number): TooMany {
  return new TooMany(`${what} of one address`, `more than ${most} ${what} from one address (--max-${what}-per-peer)`);
}

function tooMuch(what: 'metadata' | 'metadata of one address', most: number): TooMany {
  const option = what === 'metadata' ? '--max-metadata-in-all' : '--max-metadata-per-peer';
  return new TooMany(what, `more than ${most} characters of ${what}, where each pair counts for 32 more (${option})`);
}
