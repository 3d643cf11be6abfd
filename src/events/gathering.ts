import type { RegistryEvent, Source } from '../registry/changes.ts';
import type { Registry } from '../registry/registry.ts';
import { type ServiceName, serviceKey } from '../registry/service-name.ts';
import type { Scheduler } from '../wire/scheduler.ts';
import type { History } from './history.ts';
import type { Counts, EventCause, NewRecord, Standing } from './record.ts';

/**
 * Makes records of what the registry tells: those to whom the same happened within one turn of the event loop are in one record, a service
 * each, so that a connection that ends names all that it held, and thousands who fall silent at once are a record a service. What a service
 * is because of it comes behind, with the cause of what happened last to its instances.
 */
export class Gathering {
  readonly #options: GatheringOptions;
  #gathered = new Map<string, Gathered>();
  /** Of which the status may be another; with what happened last to one of their instances. */
  #touched = new Map<string, Touched>();
  /** What was told last of each service. */
  readonly #standings = new Map<string, Standing>();
  #isDue = false;
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
    const { service, cause, from, to, by, instance, drain } = event;
    if (isNoNews(event)) return;
    const key = `${cause} ${from} ${to} ${by?.connection ?? by?.peer ?? ''} ${drain === undefined ? '' : JSON.stringify(drain)} ${service === undefined ? '' : serviceKey(service)}`;
    const gathered = this.#gathered.get(key) ?? { event, instances: [], count: 0 };
    this.#gathered.set(key, gathered);
    if (instance !== undefined) {
      gathered.count++;
      if (gathered.instances.length < MOST_NAMED) gathered.instances.push(instance);
    }
    if (service !== undefined) this.#touch(service, { cause, by });
    this.#flushSoon();
  }

  #touch(service: ServiceName, last?: Touched['last']): void {
    const key = serviceKey(service);
    const touched = this.#touched.get(key) ?? { service, last };
    if (last !== undefined) touched.last = last;
    this.#touched.set(key, touched);
    this.#flushSoon();
  }

  #flushSoon(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    this.#options.scheduler.soon(() => this.flush());
  }

  /** Whatever has been gathered is told now. */
  flush(): void {
    const [gathered, touched] = [this.#gathered, this.#touched];
    this.#gathered = new Map();
    this.#touched = new Map();
    this.#isDue = false;
    const many = new Map<EventCause, { count: number; services: number }>();
    for (const one of gathered.values()) {
      this.#options.history.add(recordOf(one, this.#options.countsOf));
      if (one.event.service === undefined) continue;
      const sum = many.get(one.event.cause) ?? { count: 0, services: 0 };
      many.set(one.event.cause, { count: sum.count + one.count, services: sum.services + 1 });
    }
    for (const [cause, { count, services }] of many)
      if (services > MANY_SERVICES) this.#options.history.add({ kind: 'registry', cause, count, detail: { services } });
    for (const one of touched.values()) this.#tellStanding(one);
  }

  #tellStanding({ service, last }: Touched): void {
    const { history, standingOf, countsOf } = this.#options;
    const key = serviceKey(service);
    const from = this.#standings.get(key) ?? 'unknown';
    const to = standingOf(service);
    if (to === 'unknown') this.#standings.delete(key);
    else this.#standings.set(key, to);
    if (from === to) return;
    const counts = countsOf(service);
    const because: Pick<NewRecord, 'cause' | 'by'> = last === undefined ? { cause: 'lasted' } : withoutNothing(last);
    history.add({ kind: 'service', service, from, to, ...because, ...(counts && { counts }) });
    if (to === 'unknown') history.forget(service);
  }
}

export interface GatheringOptions {
  readonly registry: Registry;
  readonly history: History;
  readonly scheduler: Pick<Scheduler, 'soon'>;
  /** What is told of the service now. */
  readonly standingOf: (service: ServiceName) => Standing;
  /** Undefined: it is not known. */
  readonly countsOf: (service: ServiceName) => Counts | undefined;
  /** Calls the listener with each service of which something else may be told now. */
  readonly onStanding: (listener: (service: ServiceName) => void) => () => void;
}

interface Gathered {
  readonly event: RegistryEvent;
  readonly instances: NonNullable<RegistryEvent['instance']>[];
  count: number;
}

interface Touched {
  readonly service: ServiceName;
  last: { readonly cause: EventCause; readonly by: Source | undefined } | undefined;
}

/** Enough to say who; whoever wants all of thousands asks for the instances of the service. */
const MOST_NAMED = 1_000;
/** Beyond, what happened to services is something that happened to all. */
const MANY_SERVICES = 10;

/** Some clients say again and again what they have said before. */
function isNoNews({ cause, from, to, wasPersistent }: RegistryEvent): boolean {
  return cause === 're-registered' && from === to && wasPersistent === undefined;
}

function recordOf({ event, instances, count }: Gathered, countsOf: GatheringOptions['countsOf']): NewRecord {
  const { cause, service, from, to, by, silentMs, trouble, drain, wasPersistent } = event;
  const counts = service && countsOf(service);
  const detail = {
    ...(silentMs !== undefined && { silentMs }),
    ...(trouble !== undefined && { check: trouble.type, reason: trouble.reason }),
    ...(drain && { ...drain, until: new Date(drain.until).toISOString() }),
    ...(wasPersistent === true && { wasPersistent }),
    ...(event.count !== undefined && { count: event.count }),
  };
  return {
    kind: service === undefined ? 'registry' : instances.length === 0 ? 'service' : 'instance',
    cause,
    ...(service && { service }),
    ...(instances.length > 0 && { instances, count }),
    ...(from !== undefined && { from }),
    ...(to !== undefined && { to }),
    ...(by !== undefined && { by }),
    ...(Object.keys(detail).length > 0 && { detail }),
    ...(counts && { counts }),
  };
}

function withoutNothing({ cause, by }: NonNullable<Touched['last']>): Pick<NewRecord, 'cause' | 'by'> {
  return by === undefined ? { cause } : { cause, by };
}
