import type { RegistryEvent, Source } from '../registry/changes.ts';
import { serviceKey } from '../registry/service-name.ts';
import type { EventCause, NewRecord } from './record.ts';
import { type Gathered, withoutReason } from './told.ts';

/** What happened to the instances of several services at once, and is told of all of them once more. */
export class Wholes {
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

/** Beyond, what happened to services is something that happened to all. */
const MANY_SERVICES = 10;
