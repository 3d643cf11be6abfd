import { flat } from './flat.ts';
import {
  DEFAULT_SILENCE,
  type Edit,
  type Instance,
  type InstanceId,
  isAvailable,
  type Metadata,
  patienceOf,
  type Registration,
  type Silence,
  verdictOf,
} from './instance.ts';
import { groupedName, type ServiceName, serviceKey } from './service-name.ts';
import { DEFAULT_SETTINGS, type ServiceSettings } from './service-settings.ts';

/**
 * Who is registered, who is available, what changed. The registry is synchronous and level-triggered: it keeps no timer, does no
 * I/O and knows one clock. Whoever owns it calls `sweep` when `nextDue` has come; whoever listens is told which service changed,
 * never what, and reads the present state, which is consistent by then. It never logs and never refuses: names and values are
 * checked by the surfaces.
 *
 * An instance is a dense id. What a sweep reads of it stands in typed arrays under that id, the rest in one small record, and the
 * instances of a service are a linked list through two of the arrays, so that a million instances fit and a sweep is one scan.
 */
export class Registry {
  readonly #now: () => number;
  readonly #silenceOf: (metadata: Metadata) => Silence;
  readonly #forgetAfterMs: number;
  readonly #listeners = new Set<(service: ServiceName) => void>();

  /** namespace -> `group@@name` -> service. */
  readonly #namespaces = new Map<string, Map<string, Service>>();
  /** Services without instances that were not created explicitly, the longest empty first. */
  readonly #emptied = new Set<Service>();
  #serviceCount = 0;
  #lastServiceSerial = 0;

  readonly #ids = new Map<string, number>();
  /** Edits of instances that are not here now, the longest absent first. Those of others are in their records. */
  readonly #absentEdits = new Map<string, Edit>();
  /** Who holds an instance beside the holder in its record, and what each had said of it; only for those that have several. */
  readonly #otherHolders = new Map<number, Map<Holder, Registration>>();
  /** The held instances that beat too, and so stay when nobody holds them any more. */
  readonly #alsoBeating = new Set<number>();
  readonly #freed: number[] = [];
  /** Ids below this one have been given out at some time. */
  #highest = 0;
  #records: (InstanceRecord | undefined)[] = [];
  #lastBeat = new Float64Array(INITIAL_CAPACITY);
  /** When silence next changes something for the instance; never, for a persistent one and for a free id. */
  #due = new Float64Array(INITIAL_CAPACITY).fill(Number.POSITIVE_INFINITY);
  #healthy = new Uint8Array(INITIAL_CAPACITY);
  #next = new Int32Array(INITIAL_CAPACITY);
  #previous = new Int32Array(INITIAL_CAPACITY);

  #nextDue = Number.POSITIVE_INFINITY;
  #expirySuspended = false;

  /** `now` is a monotonic clock in milliseconds. */
  constructor(now: () => number, options: RegistryOptions = {}) {
    // Whole milliseconds: sums and differences of them are exact, so a deadline and the silence behind it never disagree.
    this.#now = () => Math.floor(now());
    this.#silenceOf = options.silenceOf ?? (() => DEFAULT_SILENCE);
    this.#forgetAfterMs = options.forgetAfterMs ?? 60_000;
  }

  /** Adds the instance, or replaces what its client said before. Counts as a beat, but does not heal an unhealthy one. */
  register(name: ServiceName, registration: Registration): void {
    const service = this.#service(name) ?? this.#addService(name);
    const key = instanceKey(service, registration);
    const known = this.#ids.get(key);
    if (known === undefined) this.#add(service, key, registration);
    else this.#replace(known, registration);
    if (known !== undefined && this.#isHeld(known)) this.#alsoBeating.add(known);
    this.#emit(service);
  }

  /** One that somebody holds stays, though only for as long as that. True when it was there, and not by its holders alone. */
  deregister(name: ServiceName, instance: InstanceId): boolean {
    const service = this.#service(name);
    const id = service && this.#ids.get(instanceKey(service, instance));
    if (service === undefined || id === undefined) return false;
    if (this.#isHeld(id)) return this.#alsoBeating.delete(id);
    this.#remove(id);
    this.#emit(service);
    return true;
  }

  /**
   * Adds an ephemeral instance that lives by its holder, or replaces what was said of it: however silent, it stays until all its
   * holders have let go. It is as healthy as they say.
   */
  hold(name: ServiceName, registration: Registration, holder: Holder): void {
    const service = this.#service(name) ?? this.#addService(name);
    const key = instanceKey(service, registration);
    const known = this.#ids.get(key);
    if (known === undefined) {
      this.#add(service, key, registration, holder);
    } else {
      this.#addHolder(known, holder);
      this.#replace(known, registration);
      this.#setHealthy(known, registration.healthy);
    }
    this.#emit(service);
  }

  /**
   * The holder lets go, and what the one before it has said is in force again. Without another holder the instance is gone at once,
   * unless it beats too.
   */
  release(name: ServiceName, instance: InstanceId, holder: Holder): void {
    const service = this.#service(name);
    const id = service && this.#ids.get(instanceKey(service, instance));
    if (service === undefined || id === undefined) return;
    const record = this.#record(id);
    const others = this.#otherHolders.get(id);
    if (record.holder !== holder) {
      others?.delete(holder);
      if (others?.size === 0) this.#otherHolders.delete(id);
      return;
    }
    const [previous] = [...(others ?? [])].slice(-1);
    record.holder = undefined;
    if (previous !== undefined) {
      others?.delete(previous[0]);
      if (others?.size === 0) this.#otherHolders.delete(id);
      record.holder = previous[0];
      this.#replace(id, previous[1]);
      this.#setHealthy(id, previous[1].healthy);
    } else if (this.#alsoBeating.delete(id)) {
      this.#schedule(id);
    } else {
      this.#remove(id);
    }
    this.#emit(service);
  }

  /**
   * Notes that an ephemeral instance is alive, and heals it; means nothing to a persistent one. Answers what silence the instance
   * is allowed, or undefined when none is known here that lives by beats.
   */
  beat(name: ServiceName, instance: InstanceId): Silence | undefined {
    const service = this.#service(name);
    const id = service && this.#ids.get(instanceKey(service, instance));
    if (service === undefined || id === undefined) return undefined;
    const { ephemeral, silence } = this.#record(id);
    if (!ephemeral) return silence;
    // Whoever beats for what only a connection has registered is to register it too.
    if (this.#isHeld(id) && !this.#alsoBeating.has(id)) return undefined;
    this.#lastBeat[id] = this.#now();
    if (this.#healthy[id] === HEALTHY) {
      this.#schedule(id);
    } else {
      this.#setHealthy(id, true);
      this.#emit(service);
    }
    return silence;
  }

  /** The verdict of whoever checked the instance actively; passing is a sign of life. False when it is not known here. */
  report(name: ServiceName, instance: InstanceId, passing: boolean): boolean {
    const service = this.#service(name);
    const id = service && this.#ids.get(instanceKey(service, instance));
    if (service === undefined || id === undefined) return false;
    if (passing) this.#lastBeat[id] = this.#now();
    if ((this.#healthy[id] === HEALTHY) === passing) {
      this.#schedule(id);
    } else {
      this.#setHealthy(id, passing);
      this.#emit(service);
    }
    return true;
  }

  /**
   * Lays an operator's edit over what the client registers. It stays in force through re-registration, removal and return, until
   * an edit gives back the client's own value, the service is dropped, or 10,000 other edited instances have gone since this one
   * has. It is no sign of life. False when the instance is not known here.
   */
  edit(name: ServiceName, instance: InstanceId, edit: Edit): boolean {
    const service = this.#service(name);
    const id = service && this.#ids.get(instanceKey(service, instance));
    if (service === undefined || id === undefined) return false;
    const record = this.#record(id);
    const merged = withoutRepeats({ ...record.edit, ...edit }, record);
    this.#untally(id);
    record.edit = merged;
    record.silence = this.#silenceOf(merged?.metadata ?? record.metadata);
    this.#tally(id);
    this.#schedule(id);
    this.#emit(service);
    return true;
  }

  /** Makes the service known until it is dropped, with or without instances. False when it was created before. */
  create(name: ServiceName, settings: ServiceSettings = DEFAULT_SETTINGS): boolean {
    if (this.#service(name)?.settings !== undefined) return false;
    this.configure(name, settings);
    return true;
  }

  /** Puts settings in force, and thereby makes the service known until it is dropped. */
  configure(name: ServiceName, settings: ServiceSettings): void {
    const service = this.#service(name) ?? this.#addService(name);
    service.settings = settings;
    this.#emptied.delete(service);
    this.#emit(service);
  }

  /** The settings in force: the default ones for a service that only its instances have made known. Undefined as for `instances`. */
  settings(name: ServiceName): ServiceSettings | undefined {
    const service = this.#service(name);
    return service && (service.settings ?? DEFAULT_SETTINGS);
  }

  /** Whether silence has any effect. While it has none, beats still count. */
  suspendExpiry(suspended: boolean): void {
    this.#expirySuspended = suspended;
  }

  /** Forgets the service, all its instances and their edits at once. False when it is not known here. */
  drop(name: ServiceName): boolean {
    const service = this.#service(name);
    if (service === undefined) return false;
    while (service.first !== NONE) this.#remove(service.first);
    this.#forget(service);
    const prefix = `${serviceKey(service.name)} `;
    for (const key of this.#absentEdits.keys()) if (key.startsWith(prefix)) this.#absentEdits.delete(key);
    this.#emit(service);
    return true;
  }

  instance(name: ServiceName, instance: InstanceId): Instance | undefined {
    const service = this.#service(name);
    const id = service && this.#ids.get(instanceKey(service, instance));
    return id === undefined ? undefined : this.#view(id, this.#now());
  }

  /** In the order they came. Undefined: never heard of the service, or forgotten. */
  instances(name: ServiceName): Instance[] | undefined {
    const service = this.#service(name);
    if (service === undefined) return undefined;
    const now = this.#now();
    const views: Instance[] = [];
    for (let id = service.first; id !== NONE; id = this.#next[id] as number) views.push(this.#view(id, now));
    return views;
  }

  /** How many instances the service has, without looking at one of them. Undefined as for `instances`. Read it, do not keep it. */
  tally(name: ServiceName): Tally | undefined {
    return this.#service(name);
  }

  /** The namespaces that have a service now. */
  namespaces(): IterableIterator<string> {
    return this.#namespaces.keys();
  }

  /** The services of a namespace that are known now, in the order they came. */
  *services(namespace: string): IterableIterator<ServiceName> {
    for (const service of this.#namespaces.get(namespace)?.values() ?? []) yield service.name;
  }

  get serviceCount(): number {
    return this.#serviceCount;
  }

  get instanceCount(): number {
    return this.#ids.size;
  }

  /** The clock's time before which a sweep has nothing to do; undefined when there is nothing to wait for. */
  get nextDue(): number | undefined {
    return this.#expirySuspended || this.#nextDue === Number.POSITIVE_INFINITY ? undefined : this.#nextDue;
  }

  /**
   * Applies what silence has made due by now, then tells the listeners, once for each service. `onTransition` hears of every
   * single transition. Costs nothing before `nextDue`, and one scan of all instances after it.
   */
  sweep(onTransition?: (transition: Transition) => void): void {
    const now = this.#now();
    if (now < this.#nextDue || this.#expirySuspended) return;
    const changed = new Set<Service>();
    this.#nextDue = Number.POSITIVE_INFINITY;
    for (let id = 0; id < this.#highest; id++) {
      const due = this.#due[id] as number;
      if (due <= now) this.#expire(id, now, changed, onTransition);
      else if (due < this.#nextDue) this.#nextDue = due;
    }
    for (const service of this.#emptied) {
      const forgetAt = service.emptySince + this.#forgetAfterMs;
      if (forgetAt > now) {
        this.#nextDue = Math.min(this.#nextDue, forgetAt);
        break;
      }
      this.#forget(service);
      changed.add(service);
    }
    for (const service of changed) this.#emit(service);
  }

  /**
   * The process was deaf for `ms`: beats may have been sent that nobody could hear. Moves every deadline by as much, but takes no
   * instance for heard in the future.
   */
  postpone(ms: number): void {
    const now = this.#now();
    const by = Math.ceil(ms);
    for (let id = 0; id < this.#highest; id++) {
      if (this.#due[id] === Number.POSITIVE_INFINITY && !this.#alsoBeating.has(id)) continue;
      this.#lastBeat[id] = Math.min((this.#lastBeat[id] as number) + by, now);
      this.#schedule(id);
    }
    for (const service of this.#emptied) service.emptySince = Math.min(service.emptySince + by, now);
  }

  /**
   * Calls `listener` with the name of a service whenever an instance of it comes, goes or changes, and when the service itself
   * becomes known or unknown; never for a beat that changes nothing. The state is consistent then. The answer ends it.
   */
  onChange(listener: (service: ServiceName) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #emit(service: Service): void {
    for (const listener of this.#listeners) listener(service.name);
  }

  #service(name: ServiceName): Service | undefined {
    return this.#namespaces.get(name.namespace)?.get(groupedName(name));
  }

  #addService(name: ServiceName): Service {
    let services = this.#namespaces.get(name.namespace);
    if (services === undefined) {
      services = new Map();
      this.#namespaces.set(name.namespace, services);
    }
    const service: Service = {
      name: { namespace: flat(name.namespace), group: flat(name.group), name: flat(name.name) },
      serial: ++this.#lastServiceSerial,
      settings: undefined,
      emptySince: 0,
      first: NONE,
      last: NONE,
      total: 0,
      healthy: 0,
      available: 0,
    };
    services.set(groupedName(service.name), service);
    this.#serviceCount++;
    return service;
  }

  #forget(service: Service): void {
    const { namespace } = service.name;
    const services = this.#namespaces.get(namespace);
    services?.delete(groupedName(service.name));
    if (services?.size === 0) this.#namespaces.delete(namespace);
    this.#emptied.delete(service);
    this.#serviceCount--;
  }

  #add(service: Service, key: string, registration: Registration, holder?: Holder): void {
    const id = this.#freed.pop() ?? this.#extend();
    const { port, ephemeral, weight, enabled } = registration;
    const metadata = kept(registration.metadata);
    const edit = this.#takeAbsentEdit(service.name, registration);
    const silence = this.#silenceOf(edit?.metadata ?? metadata);
    const last = service.last === NONE ? undefined : this.#record(service.last);
    const cluster = last?.cluster === registration.cluster ? last.cluster : flat(registration.cluster);
    // The key ends with the ip: a slice of what is kept anyway, where the caller's own string may hang on to a whole request.
    const ip = key.slice(key.length - registration.ip.length);
    this.#records[id] = { service, ip, port, cluster, ephemeral, weight, enabled, metadata, edit, silence, holder };
    this.#ids.set(key, id);
    this.#healthy[id] = registration.healthy ? HEALTHY : UNHEALTHY;
    this.#lastBeat[id] = this.#now();
    this.#previous[id] = service.last;
    this.#next[id] = NONE;
    if (service.last === NONE) service.first = id;
    else this.#next[service.last] = id;
    service.last = id;
    service.total++;
    this.#emptied.delete(service);
    this.#tally(id);
    this.#schedule(id);
  }

  #isHeld(id: number): boolean {
    return this.#record(id).holder !== undefined;
  }

  /** The holder is the one whose word counts from now on. */
  #addHolder(id: number, holder: Holder): void {
    const record = this.#record(id);
    const before = record.holder;
    if (before === holder) return;
    record.holder = holder;
    if (before === undefined) {
      // It was there before, and so by its beats.
      this.#alsoBeating.add(id);
      this.#due[id] = Number.POSITIVE_INFINITY;
      return;
    }
    const others = this.#otherHolders.get(id) ?? new Map<Holder, Registration>();
    others.delete(holder);
    const { ip, port, cluster, ephemeral, weight, enabled, metadata } = record;
    const healthy = this.#healthy[id] === HEALTHY;
    this.#otherHolders.set(id, others.set(before, { ip, port, cluster, ephemeral, weight, enabled, healthy, metadata }));
  }

  #takeAbsentEdit(name: ServiceName, instance: InstanceId): Edit | undefined {
    if (this.#absentEdits.size === 0) return undefined;
    const key = editKey(name, instance);
    const edit = this.#absentEdits.get(key);
    this.#absentEdits.delete(key);
    return edit;
  }

  #keepAbsentEdit(name: ServiceName, instance: InstanceId, edit: Edit): void {
    this.#absentEdits.set(editKey(name, instance), edit);
    if (this.#absentEdits.size <= MAX_ABSENT_EDITS) return;
    for (const longestAbsent of this.#absentEdits.keys()) {
      this.#absentEdits.delete(longestAbsent);
      break;
    }
  }

  #replace(id: number, registration: Registration): void {
    const record = this.#record(id);
    this.#untally(id);
    record.weight = registration.weight;
    record.enabled = registration.enabled;
    record.metadata = kept(registration.metadata);
    record.silence = this.#silenceOf(record.edit?.metadata ?? record.metadata);
    this.#lastBeat[id] = this.#now();
    this.#tally(id);
    this.#schedule(id);
  }

  #remove(id: number): void {
    const record = this.#record(id);
    const { service } = record;
    this.#untally(id);
    this.#ids.delete(instanceKey(service, record));
    const previous = this.#previous[id] as number;
    const next = this.#next[id] as number;
    if (previous === NONE) service.first = next;
    else this.#next[previous] = next;
    if (next === NONE) service.last = previous;
    else this.#previous[next] = previous;
    if (record.edit !== undefined) this.#keepAbsentEdit(service.name, record, record.edit);
    this.#alsoBeating.delete(id);
    this.#otherHolders.delete(id);
    this.#records[id] = undefined;
    this.#due[id] = Number.POSITIVE_INFINITY;
    this.#freed.push(id);
    service.total--;
    if (service.total > 0 || service.settings !== undefined) return;
    service.emptySince = this.#now();
    this.#emptied.add(service);
    this.#nextDue = Math.min(this.#nextDue, service.emptySince + this.#forgetAfterMs);
  }

  #expire(id: number, now: number, changed: Set<Service>, onTransition?: (transition: Transition) => void): void {
    const record = this.#record(id);
    const silentMs = now - (this.#lastBeat[id] as number);
    const to = verdictOf(silentMs, record.silence) === 'removed' ? 'removed' : 'unhealthy';
    onTransition?.({ service: record.service.name, ip: record.ip, port: record.port, cluster: record.cluster, to, silentMs });
    if (to === 'removed') this.#remove(id);
    else this.#setHealthy(id, false);
    changed.add(record.service);
  }

  #setHealthy(id: number, healthy: boolean): void {
    this.#untally(id);
    this.#healthy[id] = healthy ? HEALTHY : UNHEALTHY;
    this.#tally(id);
    this.#schedule(id);
  }

  #schedule(id: number): void {
    const { ephemeral, silence, holder } = this.#record(id);
    if (!ephemeral || holder !== undefined) return;
    const due = (this.#lastBeat[id] as number) + patienceOf(this.#healthy[id] === HEALTHY, silence);
    this.#due[id] = due;
    if (due < this.#nextDue) this.#nextDue = due;
  }

  #tally(id: number): void {
    this.#count(id, 1);
  }

  #untally(id: number): void {
    this.#count(id, -1);
  }

  #count(id: number, by: 1 | -1): void {
    if (this.#healthy[id] !== HEALTHY) return;
    const record = this.#record(id);
    record.service.healthy += by;
    if (isAvailable(record.edit?.enabled ?? record.enabled, record.edit?.weight ?? record.weight)) record.service.available += by;
  }

  #view(id: number, now: number): Instance {
    const { ip, port, cluster, ephemeral, weight, enabled, metadata, edit, silence, holder } = this.#record(id);
    return {
      ip,
      port,
      cluster,
      ephemeral,
      weight: edit?.weight ?? weight,
      enabled: edit?.enabled ?? enabled,
      healthy: this.#healthy[id] === HEALTHY,
      metadata: edit?.metadata ?? metadata,
      silence,
      // A holder is a sign of life that lasts.
      silentMs: holder === undefined ? now - (this.#lastBeat[id] as number) : 0,
    };
  }

  #record(id: number): InstanceRecord {
    // Every id that can be reached through the maps and lists has a record.
    return this.#records[id] as InstanceRecord;
  }

  #extend(): number {
    const id = this.#highest++;
    if (id < this.#due.length) return id;
    const capacity = this.#due.length * 2;
    const due = new Float64Array(capacity).fill(Number.POSITIVE_INFINITY);
    due.set(this.#due);
    this.#due = due;
    this.#lastBeat = grown(this.#lastBeat, new Float64Array(capacity));
    this.#healthy = grown(this.#healthy, new Uint8Array(capacity));
    this.#next = grown(this.#next, new Int32Array(capacity));
    this.#previous = grown(this.#previous, new Int32Array(capacity));
    return id;
  }
}

export interface RegistryOptions {
  /** How long an instance with this metadata may be silent; the default figures for all when left out. */
  readonly silenceOf?: (metadata: Metadata) => Silence;
  /** How long a service stays known after its last instance has gone; default 60,000. */
  readonly forgetAfterMs?: number;
}

/** Whatever keeps instances alive by being there itself, such as a connection. Only ever compared. */
export type Holder = object;

/** Counts of a known service. `available`: healthy, enabled, weight above 0. */
export interface Tally {
  readonly total: number;
  readonly healthy: number;
  readonly available: number;
}

/** What silence did to one instance. */
export interface Transition {
  readonly service: ServiceName;
  readonly ip: string;
  readonly port: number;
  readonly cluster: string;
  readonly to: 'unhealthy' | 'removed';
  readonly silentMs: number;
}

interface Service {
  readonly name: ServiceName;
  /** Stands for the name in instance keys; never used twice. */
  readonly serial: number;
  /** Set: the service was created explicitly. */
  settings: ServiceSettings | undefined;
  emptySince: number;
  first: number;
  last: number;
  total: number;
  healthy: number;
  available: number;
}

interface InstanceRecord {
  readonly service: Service;
  readonly ip: string;
  readonly port: number;
  readonly cluster: string;
  readonly ephemeral: boolean;
  weight: number;
  enabled: boolean;
  metadata: Metadata;
  edit: Edit | undefined;
  silence: Silence;
  /** The holder that spoke last. Undefined: it lives by its beats. */
  holder: Holder | undefined;
}

const INITIAL_CAPACITY = 1024;
/** Addresses come and go for ever where containers do; their edits may not pile up for as long. */
const MAX_ABSENT_EDITS = 10_000;
const NONE = -1;
const HEALTHY = 1;
const UNHEALTHY = 0;
const NO_METADATA: Metadata = Object.freeze({});

// The ip comes last and what stands before it holds no white space, so that no two instances share a key.
function instanceKey(service: Service, { ip, port, cluster, ephemeral }: InstanceId): string {
  return `${service.serial} ${port} ${ephemeral ? 'e' : 'p'} ${cluster} ${ip}`;
}

function editKey(name: ServiceName, { ip, port, cluster, ephemeral }: InstanceId): string {
  return `${serviceKey(name)} ${port} ${ephemeral ? 'e' : 'p'} ${cluster} ${ip}`;
}

/** The edit less what the client says anyway; undefined when nothing is left. */
function withoutRepeats(edit: Edit, client: Required<Edit>): Edit | undefined {
  const rest: { -readonly [K in keyof Edit]: Edit[K] } = {};
  if (edit.enabled !== undefined && edit.enabled !== client.enabled) rest.enabled = edit.enabled;
  if (edit.weight !== undefined && edit.weight !== client.weight) rest.weight = edit.weight;
  if (edit.metadata !== undefined && !sameMetadata(edit.metadata, client.metadata)) rest.metadata = edit.metadata;
  return Object.keys(rest).length === 0 ? undefined : rest;
}

function sameMetadata(a: Metadata, b: Metadata): boolean {
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => a[key] === b[key]);
}

function kept(metadata: Metadata): Metadata {
  return Object.keys(metadata).length === 0 ? NO_METADATA : metadata;
}

function grown<T extends Float64Array | Uint8Array | Int32Array>(from: T, to: T): T {
  to.set(from);
  return to;
}
