import type { RegistryEvent } from '../registry/changes.ts';
import type { Address } from '../registry/instance.ts';
import type { Registry } from '../registry/registry.ts';
import { type ServiceName, serviceKey } from '../registry/service-name.ts';
import type { Scheduler } from '../wire/scheduler.ts';
import { becauseOf } from './because.ts';
import type { History } from './history.ts';
import type { Counts, NewRecord, Standing } from './record.ts';
import { affectedBy, type Gathered, haveChangedAlike, recordOf, sameKey, withoutReason } from './told.ts';
import { type Last, Touched } from './touched.ts';
import { Wholes } from './wholes.ts';

/**
 * Makes records of what the registry tells: those to whom the same happened at once are in one record, a service each, so that a connection
 * that ends names all that it held, and thousands who fall silent are a record a service. What a service is because of it comes behind, with
 * the cause of what happened last to its instances. At once is within one turn of the event loop, or, for very many, within as many as it
 * takes the registry to get through with them. To tell of very many services takes several turns too, a little of each.
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
  /** What is being told, as far as it has not been; and whether that is so at this moment. */
  #telling: Iterator<void> | undefined;
  #isTelling = false;
  #hasStopped = false;
  /** Of all together; and since when that waits, as it is not over yet. */
  #wholes = new Wholes();
  #wholesSince: number | undefined;
  #stop: (() => void)[] = [];

  constructor(options: GatheringOptions) {
    this.#options = options;
  }

  /** From now on. What there is already is no news. */
  start(): void {
    const { registry, onStanding } = this.#options;
    this.#hasStopped = false;
    for (const namespace of registry.namespaces())
      for (const service of registry.services(namespace))
        this.#standings.set(serviceKey(service), this.#options.standingOf(service));
    this.#stop = [registry.onEvent((event) => this.#note(event)), onStanding((service) => this.#touch(service))];
  }

  stop(): void {
    for (const stop of this.#stop.splice(0)) stop();
    this.#hasStopped = true;
    // Whoever tells right now goes on until all is told.
    if (!this.#isTelling) this.#goOn();
  }

  #note(event: RegistryEvent): void {
    const { service } = event;
    if (isNoNews(event)) {
      // Of itself; but the service may be another by it.
      if (service !== undefined) this.#touch(service, { event });
      return;
    }
    const key = `${sameKey(event)} ${service === undefined ? '' : serviceKey(service)}`;
    const gathered = this.#gathered.get(key) ?? { event, affected: [], seen: new Set(), count: 0, areAlike: true };
    this.#gathered.set(key, gathered);
    if (event.instance !== undefined && isNew(gathered.seen, event.instance)) {
      gathered.count++;
      gathered.areAlike &&= haveChangedAlike(gathered.event, event);
      const affected = gathered.count > MOST_NAMED ? undefined : affectedBy(event, this.#options.wallClock());
      if (affected !== undefined) gathered.affected.push(affected);
    }
    this.#come++;
    if (service !== undefined) this.#touch(service, { event, gathered });
    this.#lookSoon();
  }

  #touch(service: ServiceName, last?: Last): void {
    const key = serviceKey(service);
    const touched = this.#touched.get(key) ?? new Touched(service);
    if (last !== undefined) touched.by(last);
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
    if (!this.#hasMore && this.#telling === undefined) {
      this.#isDue = false;
      return;
    }
    this.#areMany ||= this.#come >= MANY_AT_ONCE;
    this.#quietTurns = this.#come === 0 ? this.#quietTurns + 1 : 0;
    this.#come = 0;
    const isQuiet = !this.#areMany || this.#quietTurns >= QUIET_TURNS;
    const isOver = isQuiet || this.#options.wallClock() - this.#since >= WAITED_FOR_MS;
    // One after the other, so that all is told in order.
    if (!isOver || this.#telling !== undefined) this.#options.scheduler.soon(() => this.#look());
    else {
      this.#begin(isQuiet);
      this.#goOn();
    }
  }

  /** Tells for as long as nobody notices, and goes on in the next turn. */
  #goOn(): void {
    const { scheduler, wallClock } = this.#options;
    const began = wallClock();
    for (;;) {
      if (this.#telling === undefined && this.#hasStopped && this.#hasMore) this.#begin(true);
      if (this.#telling === undefined) return;
      this.#isTelling = true;
      const isDone = this.#telling.next().done === true;
      this.#isTelling = false;
      if (isDone) this.#telling = undefined;
      else if (!this.#hasStopped && wallClock() - began >= TURN_MS) {
        scheduler.soon(() => this.#goOn());
        return;
      }
    }
  }

  /** Whatever has been gathered is told now; of all together only once it is over. */
  #begin(isOver: boolean): void {
    this.#telling = this.#tell(this.#gathered, this.#touched, isOver);
    this.#gathered = new Map();
    this.#touched = new Map();
    this.#isDue = false;
    this.#come = 0;
    if (isOver) return;
    this.#wholesSince ??= this.#options.wallClock();
    this.#lookSoon();
    this.#areMany = true;
  }

  get #hasMore(): boolean {
    return this.#gathered.size > 0 || this.#touched.size > 0 || this.#wholesSince !== undefined;
  }

  *#tell(gathered: ReadonlyMap<string, Gathered>, touched: ReadonlyMap<string, Touched>, isOver: boolean): Iterator<void> {
    const { history, countsOf, wallClock } = this.#options;
    const records = new Map<Gathered, NewRecord>();
    for (const one of gathered.values()) {
      const { service } = one.event;
      const record = recordOf(one, service && countsOf(service));
      const isLast = service !== undefined && touched.get(serviceKey(service))?.last?.gathered === one;
      records.set(one, record);
      // What happened to a service itself, and makes it another, is one record with that.
      if (record.kind !== 'service' || !isLast) history.add(record);
      this.#wholes.add(one);
      yield;
    }
    if (isOver || wallClock() - (this.#wholesSince ?? 0) >= WHOLE_FOR_MS) {
      const wholes = this.#wholes;
      this.#wholes = new Wholes();
      this.#wholesSince = undefined;
      for (const whole of wholes.records()) history.add(whole);
    }
    for (const one of touched.values()) {
      this.#tellStanding(one, records);
      yield;
    }
  }

  #tellStanding(touched: Touched, records: ReadonlyMap<Gathered, NewRecord>): void {
    const { registry, history, standingOf, countsOf } = this.#options;
    const { service } = touched;
    const key = serviceKey(service);
    const from = this.#standings.get(key) ?? 'unknown';
    const to = standingOf(service);
    if (to === 'unknown') this.#standings.delete(key);
    else this.#standings.set(key, to);
    const recordBehind = (one: Last | undefined) => one?.gathered && records.get(one.gathered);
    const [why, last] = [touched.whyOf(to), recordBehind(touched.last)];
    if (last?.kind === 'service' && (from === to || why !== touched.last)) history.add(last);
    if (from === to) return;
    const counts = countsOf(service);
    const because = to === 'not-serving' && counts ? becauseOf(registry, service, counts) : undefined;
    const detail = { ...recordBehind(why)?.detail, ...(because && { because }) };
    history.add({
      kind: 'service',
      service,
      from,
      to,
      ...causeOf(why),
      ...byWhom(recordBehind(touched.whomOf(why)), why),
      ...(Object.keys(detail).length > 0 && { detail }),
      ...(counts && { counts }),
    });
    if (to === 'unknown') history.forget(service);
  }
}

/** The instances by which a service is another; all of them are in the record before. */
function byWhom(behind: NewRecord | undefined, why: Last | undefined): Pick<NewRecord, 'instances' | 'count'> {
  const instance = why?.gathered === undefined ? why?.event.instance : undefined;
  if (behind?.instances === undefined) return instance === undefined ? {} : { instances: [instance], count: 1 };
  const instances = behind.instances.slice(0, MOST_NAMED_AGAIN);
  return behind.count === undefined ? { instances } : { instances, count: behind.count };
}

/** False for one that is among them already. */
function isNew(seen: Set<string>, { ip, port }: Address): boolean {
  const before = seen.size;
  return seen.add(`${port} ${ip}`).size > before;
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

/** Enough to say who; whoever wants all of thousands asks for the instances of the service. */
const MOST_NAMED = 1_000;
const MOST_NAMED_AGAIN = 20;
/** Whoever has more than that to do does it some at a time. */
const MANY_AT_ONCE = 500;
/** A sweep of very many goes on two turns later, and others may be busy in between. */
const QUIET_TURNS = 4;
const WAITED_FOR_MS = 1_000;
/** What goes on for longer is told of all together in parts. */
const WHOLE_FOR_MS = 10_000;
/** As much of each turn as nobody notices who is answered in it. */
const TURN_MS = 2;

/** Some clients, and some operators' scripts, say again and again what they have said before. */
function isNoNews({ cause, from, to, wasPersistent, differences }: RegistryEvent): boolean {
  if (cause === 're-registered') return from === to && wasPersistent === undefined && differences === undefined;
  return differences !== undefined && differences.length === 0;
}

function causeOf(why: Last | undefined): Pick<NewRecord, 'cause' | 'by'> {
  if (why === undefined) return { cause: 'lasted' };
  const { cause, by } = why.event;
  return by === undefined ? { cause } : { cause, by: withoutReason(by) };
}
