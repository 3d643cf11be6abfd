import type { RegistryEvent, Source } from '../registry/changes.ts';
import type { Registry } from '../registry/registry.ts';
import { type ServiceName, serviceKey } from '../registry/service-name.ts';
import type { Scheduler } from '../wire/scheduler.ts';
import { becauseOf } from './because.ts';
import type { History } from './history.ts';
import type { Affected, Counts, EventCause, NewRecord, Standing } from './record.ts';
import { affectedBy, type Gathered, haveChangedAlike, recordOf, sameKey, withoutReason } from './told.ts';

/**
 * Makes records of what the registry tells: those to whom the same happened at once are in one record, a service each, so that a connection
 * that ends names all that it held, and thousands who fall silent are a record a service. What a service is because of it comes behind, with
 * the cause of what happened last to its instances. At once is within one turn of the event loop, or, for very many, within as many as it
 * takes the registry to get through with them.
 */
export class Gathering {
  readonly #options: GatheringOptions;
  #gathered = new Map<string, Gathered>();
  /** Of which the status may be another; with what happened last to one of their instances. */
  #touched = new Map<string, Touched>();
  /** What was told last of each service. */
  readonly #standings = new Map<string, Standing>();
  #isDue = false;
  /** Since when that is waited for which is of the same; how much has come since the last look, and in how many turns nothing has. */
  #areMany = false;
  #come = 0;
  #quietTurns = 0;
  #since = 0;
  #stop: (() => void)[] = [];

  constructor(options: GatheringOptions) {
    this.#options = options;
  }

  /** From now on. What there is already is no news. */
  start(): void {
    const { registry, onStanding } = this.#options;
    for (const namespace of registry.namespaces())
      for (const service of registry.services(namespace))
        this.#standings.set(serviceKey(service), this.#options.standingOf(service));
    this.#stop = [registry.onEvent((event) => this.#note(event)), onStanding((service) => this.#touch(service))];
  }

  stop(): void {
    for (const stop of this.#stop.splice(0)) stop();
    this.flush();
  }

  #note(event: RegistryEvent): void {
    const { service, cause, by } = event;
    if (isNoNews(event)) {
      // Of itself; but the service may be another by it, as by a weight of 0.
      if (service !== undefined) this.#touch(service, { cause, by, instance: event.instance });
      return;
    }
    const key = `${sameKey(event)} ${service === undefined ? '' : serviceKey(service)}`;
    const gathered = this.#gathered.get(key) ?? { event, affected: [], count: 0, areAlike: true };
    this.#gathered.set(key, gathered);
    if (event.instance !== undefined) {
      gathered.count++;
      gathered.areAlike &&= haveChangedAlike(gathered.event, event);
      const affected = gathered.count > MOST_NAMED ? undefined : affectedBy(event, this.#options.wallClock());
      if (affected !== undefined) gathered.affected.push(affected);
    }
    this.#come++;
    if (service !== undefined) this.#touch(service, { cause, by });
    this.#lookSoon();
  }

  #touch(service: ServiceName, last?: Touched['last']): void {
    const key = serviceKey(service);
    const touched = this.#touched.get(key) ?? { service, last };
    if (last !== undefined) touched.last = last;
    this.#touched.set(key, touched);
    this.#lookSoon();
  }

  #lookSoon(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    this.#since = this.#options.wallClock();
    this.#quietTurns = 0;
    this.#areMany = false;
    this.#options.scheduler.soon(() => this.#look());
  }

  /** Whoever has much to do does some of it, and then others have their turn: what comes in the turns behind is of the same. */
  #look(): void {
    if (this.#gathered.size === 0 && this.#touched.size === 0) {
      this.#isDue = false;
      return;
    }
    this.#areMany ||= this.#come >= MANY_AT_ONCE;
    this.#quietTurns = this.#come === 0 ? this.#quietTurns + 1 : 0;
    this.#come = 0;
    const isOver = this.#quietTurns >= QUIET_TURNS || this.#options.wallClock() - this.#since >= WAITED_FOR_MS;
    if (this.#areMany && !isOver) this.#options.scheduler.soon(() => this.#look());
    else this.flush();
  }

  /** Whatever has been gathered is told now. */
  flush(): void {
    const [gathered, touched] = [this.#gathered, this.#touched];
    this.#gathered = new Map();
    this.#touched = new Map();
    this.#isDue = false;
    this.#come = 0;
    /** What happened to services themselves: where one is another because of that, both are one record. */
    const ofServices = new Map<string, NewRecord>();
    /** What happened last to instances of each, by the cause by which it is another, if it is. */
    const behind = new Map<string, NewRecord>();
    const wholes = new Wholes();
    for (const one of gathered.values()) {
      const { service, cause } = one.event;
      const record = recordOf(one, service && this.#options.countsOf(service));
      const key = service === undefined ? '' : serviceKey(service);
      const isTold = record.kind !== 'service' || touched.get(key)?.last?.cause !== cause || ofServices.has(key);
      if (isTold) this.#options.history.add(record);
      else ofServices.set(key, record);
      if (record.kind === 'instance' && touched.get(key)?.last?.cause === cause) behind.set(key, record);
      wholes.add(one);
    }
    for (const whole of wholes.records()) this.#options.history.add(whole);
    for (const [key, one] of touched) this.#tellStanding(one, ofServices.get(key), behind.get(key));
  }

  #tellStanding({ service, last }: Touched, own: NewRecord | undefined, behind: NewRecord | undefined): void {
    const { registry, history, standingOf, countsOf } = this.#options;
    const key = serviceKey(service);
    const from = this.#standings.get(key) ?? 'unknown';
    const to = standingOf(service);
    if (to === 'unknown') this.#standings.delete(key);
    else this.#standings.set(key, to);
    if (from === to) {
      if (own !== undefined) history.add(own);
      return;
    }
    const counts = countsOf(service);
    const why: Pick<NewRecord, 'cause' | 'by'> = last === undefined ? { cause: 'lasted' } : withoutNothing(last);
    const because = to === 'not-serving' && counts ? becauseOf(registry, service, counts) : undefined;
    const detail = { ...(own?.detail ?? behind?.detail), ...(because && { because }) };
    history.add({
      kind: 'service',
      service,
      from,
      to,
      ...why,
      ...byWhom(behind, last),
      ...(Object.keys(detail).length > 0 && { detail }),
      ...(counts && { counts }),
    });
    if (to === 'unknown') history.forget(service);
  }
}

/** The instances by which a service is another; all of them are in the record before. */
function byWhom(behind: NewRecord | undefined, last: Touched['last']): Pick<NewRecord, 'instances' | 'count'> {
  if (behind?.instances === undefined) return last?.instance === undefined ? {} : { instances: [last.instance], count: 1 };
  const instances = behind.instances.slice(0, MOST_NAMED_AGAIN);
  return behind.count === undefined ? { instances } : { instances, count: behind.count };
}

/** What happened to the instances of several services at once, and is told of all of them once more. */
class Wholes {
  readonly #byKey = new Map<string, Whole>();

  add({ event, count }: Gathered): void {
    const { service, cause, by } = event;
    if (service === undefined || count === 0) return;
    const isOfConnection = cause === 'connection-ended' && by?.connection !== undefined;
    this.#add(cause, { cause }, event, count);
    if (isOfConnection) this.#add(`${cause} ${by.connection}`, { cause, by }, event, count);
  }

  #add(key: string, { cause, by }: Pick<Whole, 'cause' | 'by'>, { service }: RegistryEvent, count: number): void {
    const whole = this.#byKey.get(key) ?? { cause, by, count: 0, services: new Set() };
    whole.count += count;
    if (service !== undefined) whole.services.add(serviceKey(service));
    this.#byKey.set(key, whole);
  }

  *records(): IterableIterator<NewRecord> {
    for (const {
      cause,
      by,
      count,
      services: { size: services },
    } of this.#byKey.values()) {
      if (services <= (by === undefined ? MANY_SERVICES : 1)) continue;
      const reason = by?.reason;
      const detail = { services, ...(reason !== undefined && { reason }) };
      yield { kind: 'registry', cause, count, ...(by && { by: withoutReason(by) }), detail };
    }
  }
}

interface Whole {
  readonly cause: EventCause;
  /** Undefined: whoever it was. */
  readonly by?: Source | undefined;
  count: number;
  readonly services: Set<string>;
}

export interface GatheringOptions {
  readonly registry: Registry;
  readonly history: History;
  readonly scheduler: Pick<Scheduler, 'soon'>;
  /** Milliseconds since 1970, never going back. */
  readonly wallClock: () => number;
  /** What is told of the service now. */
  readonly standingOf: (service: ServiceName) => Standing;
  /** Undefined: it is not known. */
  readonly countsOf: (service: ServiceName) => Counts | undefined;
  /** Calls the listener with each service of which something else may be told now. */
  readonly onStanding: (listener: (service: ServiceName) => void) => () => void;
}

interface Last {
  readonly cause: EventCause;
  readonly by: Source | undefined;
  /** Where nothing else is told of it. */
  readonly instance?: Affected | undefined;
}

interface Touched {
  readonly service: ServiceName;
  last: Last | undefined;
}

/** Enough to say who; whoever wants all of thousands asks for the instances of the service. */
const MOST_NAMED = 1_000;
const MOST_NAMED_AGAIN = 20;
/** Beyond, what happened to services is something that happened to all. */
const MANY_SERVICES = 10;
/** Whoever has more than that to do does it some at a time. */
const MANY_AT_ONCE = 500;
/** A sweep of very many goes on two turns later, and others may be busy in between. */
const QUIET_TURNS = 4;
const WAITED_FOR_MS = 1_000;

/** Some clients, and some operators' scripts, say again and again what they have said before. */
function isNoNews({ cause, from, to, wasPersistent, differences }: RegistryEvent): boolean {
  if (cause === 're-registered') return from === to && wasPersistent === undefined && differences === undefined;
  return differences !== undefined && differences.length === 0;
}

function withoutNothing({ cause, by }: NonNullable<Touched['last']>): Pick<NewRecord, 'cause' | 'by'> {
  return by === undefined ? { cause } : { cause, by: withoutReason(by) };
}
