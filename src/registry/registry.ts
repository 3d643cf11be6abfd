import { Accounts } from './accounts.ts';
import { Changes, type Heard, type RegistryEvent, type Source } from './changes.ts';
import type { CheckVerdict } from './checks.ts';
import { Comebacks } from './comebacks.ts';
import { Departed } from './departed.ts';
import { differencesBetween } from './differences.ts';
import { Draining } from './draining.ts';
import { Drains } from './drains.ts';
import { Durable, type RestoreOptions } from './durable.ts';
import { Edits, type Laying } from './edits.ts';
import { type Address, DEFAULT_SILENCE, type Edit, type Instance, type Registration, type Silence } from './instance.ts';
import { Instances } from './instances.ts';
import { Lease, saidOf } from './lease.ts';
import { DEFAULT_MEMORY, type RegistryOptions } from './options.ts';
import { Overlay } from './overlay.ts';
import type { Parts } from './parts.ts';
import { Passage } from './passage.ts';
import type { DurableRecord, EditRecord } from './records.ts';
import type { Holder } from './row.ts';
import { type Census, Rows } from './rows.ts';
import type { ServiceName } from './service-name.ts';
import { type Service, Services, type Tally } from './services.ts';
import { DEFAULT_SETTINGS, plain, type ServiceSettings } from './settings.ts';
import { Voices } from './voices.ts';
import { walk } from './walk.ts';

/**
 * Who is registered, who is available, what changed and why. The registry is synchronous: it keeps no timer, does no I/O and knows
 * one clock. Whoever owns it calls `sweep` when `nextDue` has come. It never logs and never refuses: names and values are checked by
 * the surfaces. This is its face; what it is made of stands beside it, an idea a file.
 */
export class Registry {
  /** How much there is, in all and by who has brought it. */
  readonly accounts: Pick<Accounts, 'all' | 'of' | 'peerCount'>;
  /** Taking instances out for a time. */
  readonly drains: Draining;
  readonly #parts: Parts;
  readonly #instances: Instances;
  readonly #edits: Edits;
  readonly #durable: Durable;
  readonly #passage: Passage;

  /** `now` is a monotonic clock in milliseconds. */
  constructor(now: () => number, options: RegistryOptions = {}) {
    const { forgetAfterMs, keepEditsMs, maxRemembered, graceMs = 0, riseBeats = 1 } = { ...DEFAULT_MEMORY, ...options };
    const [rows, accounts] = [new Rows(), new Accounts(options.originOf)];
    this.accounts = accounts;
    this.#parts = {
      services: new Services(forgetAfterMs, accounts),
      accounts,
      rows,
      voices: new Voices(),
      lease: new Lease(rows),
      comebacks: new Comebacks(),
      troubles: new Map(),
      riseBeats,
      overlay: new Overlay(keepEditsMs, maxRemembered),
      drains: new Drains(keepEditsMs, maxRemembered),
      departed: new Departed(maxRemembered),
      changes: new Changes(options.onListenerError ?? (() => {})),
      // Whole milliseconds: sums and differences of them are exact, so a deadline and the silence behind it never disagree.
      now: () => Math.floor(now()),
      silenceOf: options.silenceOf ?? (() => DEFAULT_SILENCE),
    };
    this.#instances = new Instances(this.#parts, options.onBeat);
    this.#edits = new Edits(this.#parts, this.#instances);
    this.drains = new Draining(this.#parts, this.#instances);
    this.#durable = new Durable(this.#parts, this.#instances);
    this.#passage = new Passage({ parts: this.#parts, instances: this.#instances, draining: this.drains }, graceMs);
  }

  /**
   * Adds the instance, or replaces what its client said before; the last registration also decides its cluster and its kind. It is a
   * sign of life and heals, unless it says `healthy: false`; a persistent instance keeps the verdict of whoever checks it.
   */
  register(name: ServiceName, registration: Registration, by?: Source): void {
    this.#said(name, registration, undefined, by);
  }

  /**
   * The client says goodbye: edits of the instance end too. One that somebody holds stays, though only for as long as that. `unknown`:
   * it was not here.
   */
  deregister(name: ServiceName, address: Address, by?: Source): 'removed' | 'held' | 'unknown' {
    const { lease, overlay, departed, changes } = this.#parts;
    const { service, id } = this.#find(name, address);
    if (service === undefined || id === undefined) {
      if (overlay.endAbsent(name, address)) this.#instances.telling.ofAway(name, address, 'deregistered', { by });
      this.drains.endAbsent(name, address, 'deregistered', by);
      if (service !== undefined) departed.forget(service, address);
      return 'unknown';
    }
    if (lease.isHeld(id)) {
      lease.beatsNoMore(id);
      return 'held';
    }
    this.#instances.remove(id, 'deregistered', by);
    changes.changed(service.name);
    return 'removed';
  }

  /**
   * Adds an ephemeral instance that lives by its holder, or replaces what was said of it: however silent, it stays until all its
   * holders have let go. It is as healthy as they say.
   */
  hold(name: ServiceName, registration: Registration, holder: Holder, by?: Source): void {
    this.#said(name, registration, holder, by);
  }

  /**
   * The holder lets go, and what the one before it has said is in force again. Without another holder the instance is gone at once,
   * unless it beats too. `deregistered` is a goodbye; `connection-ended` is none, so that edits wait for its return.
   */
  release(name: ServiceName, address: Address, holder: Holder, cause: 'deregistered' | 'connection-ended', by?: Source): void {
    this.#step(name, address, (id) => this.#instances.release(id, holder, cause, by));
  }

  /**
   * Notes that an ephemeral instance is alive, and heals it. Answers what silence it is allowed; undefined: none lives by beats here.
   */
  beat(name: ServiceName, address: Address, by?: Source): Silence | undefined {
    const { service, id } = this.#find(name, address);
    if (service === undefined || id === undefined) return undefined;
    const { ephemeral, silence } = this.#parts.rows.row(id);
    // Whoever beats for what only a connection has registered is to register it too.
    if (ephemeral && !this.#parts.lease.livesByBeats(id)) return undefined;
    if (ephemeral && this.#instances.beat(id, by)) this.#parts.changes.changed(service.name);
    return silence;
  }

  /** Somebody says how the instance is; that it is alive is a sign of life. False when it is not known here. */
  report(name: ServiceName, address: Address, alive: boolean, by?: Source): boolean {
    return this.#step(name, address, (id) => this.#instances.told(id, alive, by));
  }

  /**
   * The verdict of whoever checks the instance actively. A persistent instance is as its check finds it. An ephemeral one is healthy
   * if it is alive and its check does not fail: no beat heals what a check has failed. False when it is not known here.
   */
  checked(name: ServiceName, address: Address, verdict: CheckVerdict): boolean {
    return this.#step(name, address, (id) => this.#instances.checked(id, verdict));
  }

  /** After how many beats in a row an instance of the service that was silent counts again. */
  riseBeatsOf(name: ServiceName): number {
    return this.#parts.services.find(name)?.settings?.riseBeats ?? this.#parts.riseBeats;
  }

  /**
   * Lays an operator's edit over what the client says, now and later; also over one that waits for an instance which has gone. It is
   * no sign of life. False when there is neither, unless `how` it is laid is `ahead`: it waits for an instance to come then.
   */
  edit(name: ServiceName, address: Address, edit: Edit, by?: Source, how: Laying = 'over'): boolean {
    return this.#edits.lay(name, address, edit, { by, how });
  }

  /** What is laid over an instance that has gone, for as long as it waits for its return. */
  awaitedEdit(name: ServiceName, address: Address): Edit | undefined {
    return this.#parts.overlay.absent(name, address, this.#parts.now())?.edit;
  }

  /** All that operators have laid over the instance ends, whether it is here or has gone. False when there is nothing. */
  unedit(name: ServiceName, address: Address, by?: Source): boolean {
    return this.#edits.end(name, address, by);
  }

  /** Every edit that is in force or waits for its instance. */
  edits(): IterableIterator<EditRecord> {
    return this.#durable.edits();
  }

  /** What its client said last; also of one that went without a word, for as long as its service is known. */
  lastRegistration(name: ServiceName, address: Address): Registration | undefined {
    const [{ rows, departed }, { service, id }] = [this.#parts, this.#find(name, address)];
    if (id !== undefined) return saidOf(rows.row(id), rows.isAlive(id));
    return service && departed.of(service, address);
  }

  /** Makes the service known until it is dropped, with or without instances. False when it was created before. */
  create(name: ServiceName, settings: ServiceSettings = DEFAULT_SETTINGS, by?: Source): boolean {
    if (this.#parts.services.find(name)?.settings !== undefined) return false;
    this.configure(name, settings, by, 'created');
    return true;
  }

  /** Puts settings in force, and thereby makes the service known until it is dropped. */
  configure(name: ServiceName, settings: ServiceSettings, by?: Source, cause: 'created' | 'configured' = 'configured'): void {
    const service = this.#parts.services.findOrAdd(name, by?.peer);
    const differences = differencesBetween(plain(service.settings ?? DEFAULT_SETTINGS), plain(settings));
    this.#parts.services.configure(service, settings);
    this.#instances.telling.ofService(service.name, cause, cause === 'created' ? { by } : { by, differences });
    this.#parts.changes.changed(service.name);
  }

  /** The settings in force: the default ones for a service that only its instances have made known. Undefined as for `instances`. */
  settings(name: ServiceName): ServiceSettings | undefined {
    const service = this.#parts.services.find(name);
    return service && (service.settings ?? DEFAULT_SETTINGS);
  }

  /** Forgets the service, all its instances and their edits at once. False when it is not known here. */
  drop(name: ServiceName, by?: Source): boolean {
    for (const address of this.#parts.overlay.dropAbsent(name)) this.#instances.telling.ofAway(name, address, 'dropped', { by });
    this.drains.dropAbsent(name, by);
    const service = this.#parts.services.find(name);
    if (service === undefined) return false;
    for (const id of [...this.#parts.rows.of(service)]) this.#instances.remove(id, 'dropped', by);
    this.#parts.services.delete(service);
    this.#instances.telling.ofService(service.name, 'dropped', { by });
    this.#parts.changes.changed(service.name);
    return true;
  }

  instance(name: ServiceName, address: Address): Instance | undefined {
    const { id } = this.#find(name, address);
    return id === undefined ? undefined : this.#instances.view(id, this.#parts.now());
  }

  /** The last sign of life of the instance: when, from whom, and how often there is one. Undefined: not known here. */
  heardOf(name: ServiceName, address: Address): Heard | undefined {
    const { id } = this.#find(name, address);
    return id === undefined ? undefined : this.#instances.heard(id);
  }

  /** Whoever holds the instance, of several the one that spoke last. */
  holderOf(name: ServiceName, address: Address): Holder | undefined {
    const { id } = this.#find(name, address);
    return id === undefined ? undefined : this.#parts.rows.row(id).holder;
  }

  /** In the order they came. Undefined: never heard of the service, or forgotten. Of very many, `walk` is the way to see all. */
  instances(name: ServiceName): Instance[] | undefined {
    const [service, now] = [this.#parts.services.find(name), this.#parts.now()];
    return service && Array.from(this.#parts.rows.of(service), (id) => this.#instances.view(id, now));
  }

  /** The same, to be looked at some at a time: each as it is when its turn comes; who has gone by then is left out. */
  walk(name: ServiceName): IterableIterator<Instance> | undefined {
    const service = this.#parts.services.find(name);
    return service && walk(this.#parts.rows, service, (id) => this.#instances.view(id, this.#parts.now()));
  }

  /** Which clusters somebody of the service is in, and whether all are ephemeral. Undefined as for `instances`. */
  census(name: ServiceName): Census | undefined {
    const service = this.#parts.services.find(name);
    return service && this.#parts.rows.census(service);
  }

  /** The name by which listeners hear of the service: one object, for as long as it is known. Undefined as for `instances`. */
  known(name: ServiceName): ServiceName | undefined {
    return this.#parts.services.find(name)?.name;
  }

  /** How many instances the service has, without looking at one of them. Undefined as for `instances`. */
  tally(name: ServiceName): Tally | undefined {
    const service = this.#parts.services.find(name);
    return service && { total: service.total, healthy: service.healthy, available: service.available };
  }

  /** Whether that nobody is there may only mean "not back yet": soon after a start, when consumers are often faster than providers. */
  isIgnorantOf(name: ServiceName): boolean {
    return (this.#parts.services.find(name)?.isUnheard ?? true) && this.#passage.isIgnorant;
  }

  /** The namespaces that have a service now. */
  namespaces(): IterableIterator<string> {
    return this.#parts.services.namespaces();
  }

  /** The services of a namespace that are known now, in the order they came. */
  *services(namespace: string): IterableIterator<ServiceName> {
    for (const service of this.#parts.services.in(namespace)) yield service.name;
  }

  get serviceCount(): number {
    return this.#parts.services.count;
  }
  get instanceCount(): number {
    return this.#parts.rows.count;
  }

  /** Whether silence has any effect. While it has none, beats still count, and connections still end. */
  suspendExpiry(suspended: boolean): void {
    this.#passage.isSuspended = suspended;
  }

  /** The clock's time before which a sweep has nothing to do; undefined when there is nothing to wait for. */
  get nextDue(): number | undefined {
    return this.#passage.nextDue;
  }

  /** Applies what time has made due by now, or some of it where that is very much, then names each service once. One scan of all. */
  sweep(): 'done' | 'more' {
    return this.#passage.sweep();
  }

  /** For how long nobody at all has been heard; infinite when nobody ever was. */
  get quietMs(): number {
    return this.#parts.now() - this.#parts.lease.lastHeardAt;
  }

  /** The process was deaf for `ms`, so every deadline moves by as much; but nobody is taken for heard in the future. */
  postpone(ms: number): void {
    this.#passage.postpone(ms);
  }

  /** What is known, as records. */
  get records(): Omit<Durable, 'restore'> {
    return this.#durable;
  }

  /** Gives back what was known; see `Durable.restore`. */
  restore(records: Iterable<DurableRecord>, options: RestoreOptions): void {
    for (const name of this.#durable.restore(records, options)) this.#parts.changes.changed(name);
  }

  /**
   * Calls `listener` with the name of a service whenever an instance of it comes, goes or changes, and when the service itself
   * becomes known or unknown; never for a beat that changes nothing. The state is consistent then. The answer ends it.
   */
  onChange(listener: (service: ServiceName) => void): () => void {
    return this.#parts.changes.onChange(listener);
  }

  /** Calls `listener` with what has happened to whom, and why; `Changes` says what is promised. The answer ends it. */
  onEvent(listener: (event: RegistryEvent) => void): () => void {
    return this.#parts.changes.onEvent(listener);
  }

  #find(name: ServiceName, address: Address): { readonly service: Service | undefined; readonly id: number | undefined } {
    const service = this.#parts.services.find(name);
    return { service, id: service && this.#parts.rows.find(service, address) };
  }

  /** The step answers whether it changes anything. False when the instance is not known here. */
  #step(name: ServiceName, address: Address, step: (id: number) => boolean): boolean {
    const { service, id } = this.#find(name, address);
    if (service === undefined || id === undefined) return false;
    if (step(id)) this.#parts.changes.changed(service.name);
    return true;
  }

  #said(name: ServiceName, registration: Registration, holder: Holder | undefined, by: Source | undefined): void {
    const service = this.#parts.services.findOrAdd(name, by?.peer);
    const known = this.#parts.rows.find(service, registration);
    if (known === undefined) this.#instances.add(service, registration, holder, by);
    else this.#instances.sayAgain(known, registration, holder, by);
    this.#parts.changes.changed(service.name);
  }
}
