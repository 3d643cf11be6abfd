import type { Source } from '../registry/changes.ts';
import { askedCheckOf } from '../registry/check-metadata.ts';
import type { Address, Edit, Instance, Metadata, Registration, Silence } from '../registry/instance.ts';
import { editedMetadata } from '../registry/overlay.ts';
import type { EditRecord } from '../registry/records.ts';
import type { Registry } from '../registry/registry.ts';
import { groupedName, type ServiceName } from '../registry/service-name.ts';
import type { Taps } from '../wire/taps.ts';
import type { Durability } from './durability.ts';
import { type Reason, RequestError, shown } from './errors.ts';
import type { Quotas } from './quotas.ts';
import {
  checkedInstanceMetadata,
  LEAST_BEAT_INTERVAL_MS,
  type Named,
  type Page,
  type Place,
  pageOf,
  registrationOf,
} from './rules.ts';
import { clusterOf, nacosSettingsOf } from './settings.ts';
import type { Switches } from './switches.ts';
import { each, type Paused, sortedBy } from './turns.ts';

/**
 * What Nacos's clients and operators do to instances: typed commands, the same for every version and transport. An instance is meant
 * by its address alone, whatever cluster or kind a request names. Nothing here reads a request or words an answer.
 */
export class Naming {
  readonly #registry: Registry;
  readonly #switches: Switches;
  readonly #limits: NamingOptions['limits'];
  readonly #holderOf: NamingOptions['holderOf'];
  readonly #wallClock: () => number;
  readonly #durability: NamingOptions['durability'];
  readonly #isChecking: boolean;
  readonly #quotas: Quotas;
  readonly #beats: Taps['beats'] | undefined;

  constructor({ registry, switches, limits, quotas, durability, isChecking, holderOf, wallClock, taps }: NamingOptions) {
    this.#registry = registry;
    this.#switches = switches;
    this.#limits = limits;
    this.#quotas = quotas;
    this.#holderOf = holderOf;
    this.#wallClock = wallClock;
    this.#durability = durability;
    this.#isChecking = isChecking;
    this.#beats = taps?.beats;
  }

  /** What the request leaves out has its default. */
  register(service: ServiceName, named: Named, by: Source): void {
    const { defaultInstanceEphemeral: ephemeral } = this.#switches.values;
    const registration = registrationOf(this.#admitted(named), { ephemeral });
    this.#quotas.register(service, [registration], by);
    this.#registry.register(service, registration, by);
  }

  /**
   * Absent is fine: clients deregister what has expired already. What a connection holds stays for as long as that, and whoever wants
   * it gone is told so: an ok would be taken for its end (Nacos answers it, and goes on listing the instance).
   */
  deregister(service: ServiceName, address: Address, by: Source): void {
    const became = this.#registry.deregister(service, address, by);
    // Whoever was told that its end is not on disk says it again.
    if (became === 'unknown') this.#durability.again(service, address);
    if (became !== 'held') return;
    const where = shown(`${address.ip}:${address.port}`);
    const holder = this.#holderOf(service, address) ?? 'of a client';
    const instead = 'an edit with enabled=false takes it out of service';
    throw new RequestError('conflict', `${where} is held by the connection ${holder} and stays as long as that: ${instead}`);
  }

  /**
   * Answers after how many milliseconds the next beat is due. A full beat, which says what the instance is, registers one that is not
   * here: what it leaves out is as the client said before, if that is remembered. Undefined: not here, and the beat was a light one.
   */
  beat(service: ServiceName, address: Address, said: Named | undefined, by: Source): number | undefined {
    this.#quotas.beat(by.peer);
    if (said !== undefined) this.#admitted(said);
    const known = this.#registry.beat(service, address, by);
    const silence = known ?? (said && this.#registerByBeat(service, said, by));
    if (this.#beats !== undefined) this.#beats[known ? 'known' : silence ? 'registering' : 'unknown']++;
    return silence && Math.max(silence.beatIntervalMs ?? this.#switches.values.clientBeatInterval, LEAST_BEAT_INTERVAL_MS);
  }

  #registerByBeat(service: ServiceName, said: Named, by: Source): Silence | undefined {
    const before = this.#registry.lastRegistration(service, said);
    const registration = registrationOf({ ...said, healthy: true }, before);
    this.#quotas.register(service, [registration], by);
    this.#registry.register(
      service,
      this.#isDoubted(service, registration, before) ? { ...registration, healthy: false } : registration,
      by,
    );
    return this.#registry.beat(service, said, by);
  }

  /** Whether it comes back from silence to where one beat is not enough to be believed. */
  #isDoubted(service: ServiceName, registration: Registration, before: Registration | undefined): boolean {
    if (before === undefined || !registration.ephemeral || this.#registry.riseBeatsOf(service) <= 1) return false;
    // One that a connection holds is here, and has not been silent.
    return this.#registry.instance(service, registration) === undefined;
  }

  /**
   * Edits what is named of an instance; one that is not here is registered, if it may be. Of one whose edits wait for its return these
   * are edited: it has gone, and an operator who takes an edit back does not say that it is here.
   */
  update(service: ServiceName, named: Named, mayRegister: boolean, by: Source): void {
    const found = this.#registry.instance(service, named) ?? this.#awaited(service, named);
    if (found !== undefined) this.#lay(service, found, named, by);
    else if (mayRegister) this.register(service, named, by);
    else throw notThere(named, 'invalid');
  }

  /** Edits what is named of an instance that is here, and says how it is, if that is named too. */
  patch(service: ServiceName, place: Place, named: Omit<Named, keyof Address>, by: Source): void {
    this.#lay(service, this.instance(service, place), named, by);
    if (named.healthy !== undefined) this.#registry.report(service, place, named.healthy, by);
  }

  /** An instance that has gone, as it would be if it came back now; undefined when no edit waits for it. */
  #awaited(service: ServiceName, address: Address): Edited | undefined {
    const edit = this.#registry.awaitedEdit(service, address);
    if (edit === undefined) return undefined;
    const { metadata } = this.#registry.lastRegistration(service, address) ?? { metadata: {} };
    return { ...address, metadata: editedMetadata(metadata, edit) };
  }

  /**
   * Edits what is named as 3.x does: metadata lie over what the client has said, in place of those that were edited before. One that
   * is not here is not made by it, as a 3.x server answers ok and lists nothing.
   */
  overlay(service: ServiceName, named: Named, by: Source): void {
    const said = this.#registry.lastRegistration(service, named)?.metadata ?? {};
    const before = this.#registry.instance(service, named)?.edit?.metadata ?? {};
    const { enabled, weight, metadata } = named;
    if (metadata !== undefined) this.#bounded({ ...said, ...metadata });
    const own = new Map(Object.entries(said));
    const asSaid = Object.fromEntries(Object.keys(before).map((key) => [key, own.get(key) ?? null]));
    const edit = {
      ...(enabled !== undefined && { enabled }),
      ...(weight !== undefined && { weight }),
      ...(metadata !== undefined && { metadata: { ...asSaid, ...metadata } }),
    };
    if (Object.keys(edit).length > 0) this.#registry.edit(service, named, edit, by);
  }

  /** What operators have laid over instances, by namespace, group and name where these are given; one page of it. */
  *edits(
    wanted: Partial<ServiceName>,
    { pageNo, pageSize }: Page,
    isSeen: (edit: { readonly service: ServiceName }) => boolean = () => true,
  ): Paused<EditsPage> {
    const { namespace, group, name } = wanted;
    const found: EditRecord[] = [];
    yield* each(this.#registry.edits(), (edit) => {
      const { service } = edit;
      if (namespace !== undefined && service.namespace !== namespace) return;
      if (group !== undefined && service.group !== group) return;
      if ((name === undefined || service.name === name) && isSeen(edit)) found.push(edit);
    });
    return { edits: pageOf(found, pageNo, pageSize), count: found.length };
  }

  /** Puts an edit over the instance in place of what there is; of one that is not here it waits for that to come. */
  putEdit(service: ServiceName, address: Address, edit: Edit, by: Source): void {
    const said = this.#registry.lastRegistration(service, address)?.metadata ?? {};
    this.#bounded(editedMetadata(said, edit));
    this.#registry.unedit(service, address, by);
    this.#registry.edit(service, address, edit, by, 'ahead');
  }

  /** Lays an edit over what is laid already, key by key; of an instance that has gone, over what waits for its return. */
  amend(service: ServiceName, address: Address, edit: Edit, by: Source): void {
    const found = this.#registry.instance(service, address) ?? this.#awaited(service, address);
    if (found === undefined) throw notThere(address);
    if (edit.metadata !== undefined) this.#bounded(editedMetadata(found.metadata, edit));
    this.#registry.edit(service, address, edit, by);
  }

  /** What is laid over the instance is this, to the letter: so that what was done can be taken back. */
  replaceEdit(service: ServiceName, address: Address, edit: Edit, by: Source): void {
    this.#bounded(editedMetadata(this.#registry.lastRegistration(service, address)?.metadata ?? {}, edit));
    if (!this.#registry.edit(service, address, edit, by, 'instead')) throw notThere(address);
  }

  /** Ends what operators have laid over the instance, whether it is here or has gone: it is as its client says again. */
  unedit(service: ServiceName, address: Address, by: Source): void {
    if (this.#registry.unedit(service, address, by)) return;
    const where = shown(`${address.ip}:${address.port} in service ${groupedName(service)}`);
    throw new RequestError('not-found', `there is no edit of ${where}`);
  }

  /** A map of metadata takes the place of the whole map that is seen now; what the client adds later is not of it. */
  #lay(service: ServiceName, seen: Edited, { enabled, weight, metadata }: Change, by: Source): void {
    const edit = {
      ...(enabled !== undefined && { enabled }),
      ...(weight !== undefined && { weight }),
      ...(metadata !== undefined && { metadata: { ...withoutAll(seen.metadata), ...this.#bounded(metadata) } }),
    };
    if (Object.keys(edit).length > 0) this.#registry.edit(service, seen, edit, by);
  }

  /** Answers with the instances that were edited. */
  mergeMetadata(service: ServiceName, batch: Batch, metadata: Metadata, by: Source): readonly Instance[] {
    const chosen = this.#chosenBy(service, batch);
    for (const instance of chosen) this.#bounded({ ...instance.metadata, ...metadata });
    for (const instance of chosen) this.#registry.edit(service, instance, { metadata }, by);
    return chosen;
  }

  /** Takes the keys away, whatever their values. Answers with the instances that were edited. */
  removeMetadata(service: ServiceName, batch: Batch, metadata: Metadata, by: Source): readonly Instance[] {
    const chosen = this.#chosenBy(service, batch);
    const edit = { metadata: withoutAll(metadata) };
    for (const instance of chosen) this.#bounded(editedMetadata(instance.metadata, edit));
    for (const instance of chosen) this.#registry.edit(service, instance, edit, by);
    return chosen;
  }

  #chosenBy(service: ServiceName, batch: Batch): readonly Instance[] {
    if ('ephemeral' in batch)
      return (this.#registry.instances(service) ?? []).filter(({ ephemeral }) => ephemeral === batch.ephemeral);
    return batch.addresses.flatMap((address) => this.#registry.instance(service, address) ?? []);
  }

  /** Only where nothing checks it: the checker of its cluster must be NONE, and it must not have asked for a check of its own. */
  setHealth(service: ServiceName, place: Place, healthy: boolean, by: Source): void {
    const found = this.#registry.instance(service, place);
    const asked = found && askedCheckOf(found.metadata);
    const cluster = found?.cluster ?? place.cluster;
    const { check } = clusterOf(nacosSettingsOf(this.#registry, service), cluster);
    if (this.#isChecking && (check.type !== 'none' || (asked !== undefined && 'check' in asked))) {
      const where = `service: ${groupedName(service)}, cluster: ${cluster}`;
      throw new RequestError('health-checked', `health check is still working, ${where}`);
    }
    this.#registry.report(service, place, healthy, by);
    this.#durability.again(service, place);
  }

  /** Refused when it is not here; the cluster that the request names is for the text only. */
  instance(service: ServiceName, place: Place): Instance {
    const found = this.#registry.instance(service, place);
    if (found !== undefined) return found;
    const empty = !this.#registry.census(service)?.clusters.has(place.cluster);
    const none = `no ips found for cluster ${place.cluster} in service ${groupedName(service)}`;
    throw new RequestError('not-found', empty ? none : 'no matched ip found!');
  }

  /** What is at the address, in whichever service, of one namespace if it is given: a look into each of them. */
  *everywhere(
    address: Address,
    wanted: string | undefined,
    isSeen: (found: Pick<Found, 'service'>) => boolean,
  ): Paused<readonly Found[]> {
    const found: Found[] = [];
    for (const namespace of wanted === undefined ? [...this.#registry.namespaces()] : [wanted])
      yield* each(this.#registry.services(namespace), (service) => {
        const instance = this.#registry.instance(service, address);
        if (instance !== undefined && isSeen({ service })) found.push({ service, instance });
      });
    return found;
  }

  /**
   * The time that a list made now carries; 0 as long as the service may only not be back yet: clients drop a list that is no newer than
   * the one they have.
   */
  listTime(service: ServiceName): number {
    return this.#registry.isIgnorantOf(service) ? 0 : this.#wallClock();
  }

  /** The names of a group, sorted, one page of them. `*` is every group, and names are grouped then. */
  *names(namespace: string, group: string, { pageNo, pageSize }: Page): Paused<NamesPage> {
    const found: string[] = [];
    yield* each(this.#registry.services(namespace), (service) => {
      if (group === '*') found.push(groupedName(service));
      else if (service.group === group) found.push(service.name);
    });
    const names = yield* sortedBy(found, (name) => name);
    return { names: pageOf(names, pageNo, pageSize), count: names.length };
  }

  /** What is said of an instance, if there is not too much of it: the metadata of each are kept. */
  #admitted<T extends { readonly metadata?: Metadata | undefined }>(said: T): T {
    if (said.metadata !== undefined) this.#bounded(said.metadata);
    return said;
  }

  #bounded(metadata: Metadata): Metadata {
    return checkedInstanceMetadata(metadata, this.#limits.maxMetadataLength);
  }
}

/** What naming works on. */
export interface NamingOptions {
  readonly registry: Registry;
  readonly switches: Switches;
  readonly limits: { readonly maxMetadataLength: number };
  readonly quotas: Quotas;
  readonly durability: Pick<Durability, 'again'>;
  /** Whether instances are checked at all: nobody else decides over their health then. */
  readonly isChecking: boolean;
  /** The id of the connection that holds the instance. */
  readonly holderOf: (service: ServiceName, address: Address) => string | undefined;
  /** Milliseconds since 1970, never going back. */
  readonly wallClock: () => number;
  /** Where beats are counted; nowhere when left out. */
  readonly taps?: Pick<Taps, 'beats'> | undefined;
}

/** Which instances a batch is about: all of a kind, or those that it lists. */
export type Batch = { readonly ephemeral: boolean } | { readonly addresses: readonly Address[] };

/** An instance, and the service that it is in. */
export interface Found {
  readonly service: ServiceName;
  readonly instance: Instance;
}

/** `count` is of all there are, not of those on the page. */
export interface NamesPage {
  readonly names: readonly string[];
  readonly count: number;
}

/** `count` is of all there are, not of those on the page. */
export interface EditsPage {
  readonly edits: readonly EditRecord[];
  readonly count: number;
}

type Edited = Address & Pick<Instance, 'metadata'>;
type Change = Pick<Named, 'enabled' | 'weight' | 'metadata'>;

function notThere({ ip, port }: Address, reason: Reason = 'not-found'): RequestError {
  return new RequestError(reason, `instance not exist: ${ip}:${port}`);
}

/** The edit that takes all these keys away. Entries, and not assignments: a key may be called __proto__. */
function withoutAll(metadata: Metadata): Readonly<Record<string, null>> {
  return Object.fromEntries(Object.keys(metadata).map((key) => [key, null]));
}
