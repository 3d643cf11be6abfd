import type { DrainEnd } from './changes.ts';
import { toldOf } from './drains.ts';
import type { Address, Drain } from './instance.ts';
import type { Instances } from './instances.ts';
import type { Parts } from './parts.ts';
import type { ServiceName } from './service-name.ts';
import type { Source } from './source.ts';

/** Taking instances out for a time, and back in: by whoever asks for it, by the clock, or by a goodbye. Each is an event. */
export class Draining {
  readonly #parts: Parts;
  readonly #instances: Instances;

  constructor(parts: Parts, instances: Instances) {
    this.#parts = parts;
    this.#instances = instances;
  }

  /**
   * Takes an instance out until then, in place of an earlier drain; also one that has gone and whose drain waits for its return. False
   * when there is neither.
   */
  drain(name: ServiceName, address: Address, drain: Drain): boolean {
    const { services, rows, drains, changes, now } = this.#parts;
    const service = services.find(name);
    const id = service && rows.find(service, address);
    const endsAt = now() + Math.max(0, drain.until - drain.since);
    if (service === undefined || id === undefined) {
      const waiting = drains.absent(name, address);
      if (waiting === undefined) return false;
      drains.putAbsent({ ...waiting, drain, endsAt });
      this.#instances.telling.ofAway(name, address, 'drained', { by: drain.by, drain: toldOf(drain) });
      return true;
    }
    drains.put(id, drain, endsAt);
    this.#instances.putEditInForce(id);
    this.#instances.happened('drained', id, this.#instances.condition(id), drain.by, { drain: toldOf(drain) });
    changes.changed(service.name);
    return true;
  }

  /** Ends it, whether its instance is here or has gone. False when there is none. */
  resume(name: ServiceName, address: Address, by?: Source): boolean {
    const { services, rows, changes } = this.#parts;
    const service = services.find(name);
    const id = service && rows.find(service, address);
    if (service === undefined || id === undefined) return this.endAbsent(name, address, 'asked', by);
    if (!this.#instances.resume(id, 'asked', by)) return false;
    changes.changed(service.name);
    return true;
  }

  /** What is drained, of those that are here and of those that may return. */
  *all(): IterableIterator<Drained> {
    const { rows, drains } = this.#parts;
    for (const [id, { drain }] of drains.present()) {
      const { service, ip, port } = rows.row(id);
      yield { service: service.name, ip, port, drain, isAway: false };
    }
    for (const { service, ip, port, drain } of drains.waiting()) yield { service, ip, port, drain, isAway: true };
  }

  /**
   * Who is at the port of an address that is the right one, in any service; also those that have gone and whose drain waits. A million
   * are looked through: undefined now and then is for others to have their turn.
   */
  *at(port: number, isRight: (ip: string) => boolean): IterableIterator<Located | undefined> {
    const { rows, drains } = this.#parts;
    for (const { service, ip, port: its } of drains.waiting()) if (its === port && isRight(ip)) yield { service, ip, port };
    for (let id = 0; id < rows.highest; id++) {
      if (id % LOOKED_AT_ONCE === LOOKED_AT_ONCE - 1) yield undefined;
      const row = rows.rowIfAny(id);
      if (row !== undefined && row.port === port && isRight(row.ip)) yield { service: row.service.name, ip: row.ip, port };
    }
  }

  /** Ends one that waits for its instance. False when there is none. */
  endAbsent(name: ServiceName, address: Address, why: DrainEnd, by?: Source): boolean {
    const drain = this.#parts.drains.endAbsent(name, address);
    if (drain === undefined) return false;
    this.#instances.telling.ofAway(name, address, 'resumed', { by, drain: toldOf(drain, why) });
    return true;
  }

  /** Ends those that wait for instances of a service that is dropped. */
  dropAbsent(name: ServiceName, by: Source | undefined): void {
    for (const absent of this.#parts.drains.waitingFor(name)) this.endAbsent(name, absent, 'dropped', by);
  }

  /** Tells of those that were over when they were given back: whoever is to hear of them listens by now. */
  tellOver(): void {
    for (const { service, ip, port, drain } of this.#parts.drains.takeOver())
      this.#instances.telling.ofAway(service, { ip, port }, 'resumed', { drain: toldOf(drain, 'over') });
  }

  /** Ends what is over by now, and names the services. */
  *fallDue(now: number): IterableIterator<ServiceName> {
    const { rows, drains } = this.#parts;
    const { present, absent } = drains.due(now);
    for (const id of present) {
      const { name } = rows.row(id).service;
      if (this.#instances.resume(id, 'over')) yield name;
    }
    for (const one of absent) this.endAbsent(one.service, one, 'over');
  }
}

/** One that is drained. */
export interface Drained extends Address {
  readonly service: ServiceName;
  readonly drain: Drain;
  /** It has gone, and is drained should it come back. */
  readonly isAway: boolean;
}

export interface Located extends Address {
  readonly service: ServiceName;
}

/** It takes less than a millisecond. */
const LOOKED_AT_ONCE = 8_192;
