import type { Draining } from './draining.ts';
import type { Instances } from './instances.ts';
import type { Parts } from './parts.ts';
import type { ServiceName } from './service-name.ts';

/** What the passing of time does to what is known, and what it must not do where nobody could be heard meanwhile. */
export class Passage {
  /** Whether silence has any effect. */
  isSuspended = false;
  readonly #parts: Parts;
  readonly #instances: Instances;
  readonly #draining: Draining;
  #ignorantUntil: number;

  constructor({ parts, instances, draining }: Within, graceMs: number) {
    this.#parts = parts;
    this.#instances = instances;
    this.#draining = draining;
    this.#ignorantUntil = parts.now() + graceMs;
  }

  /** Whether what has not been spoken of yet may only not be back. */
  get isIgnorant(): boolean {
    return this.#parts.now() < this.#ignorantUntil;
  }

  /** See `Registry.nextDue`. */
  get nextDue(): number | undefined {
    const { lease, services, drains } = this.#parts;
    const ofSilence = this.isSuspended ? lease.nextLost : Math.min(lease.nextDue, services.nextDue);
    const next = Math.min(ofSilence, drains.nextDue);
    return next === Number.POSITIVE_INFINITY ? undefined : next;
  }

  /** See `Registry.sweep`. */
  sweep(): 'done' | 'more' {
    const { lease, rows, services } = this.#parts;
    const now = this.#parts.now();
    const changed = new Set<ServiceName>(this.#draining.fallDue(now));
    for (const due of this.isSuspended ? lease.lost(now) : lease.due(now)) {
      const { name } = rows.row(due.id).service;
      if (this.#instances.fallDue(due)) changed.add(name);
    }
    for (const service of this.isSuspended ? [] : services.forgetEmptied(now)) {
      this.#instances.telling.ofService(service.name, 'forgotten');
      changed.add(service.name);
    }
    for (const name of changed) this.#parts.changes.changed(name);
    return lease.hasMore ? 'more' : 'done';
  }

  /** See `Registry.postpone`. */
  postpone(ms: number): void {
    const [now, by] = [this.#parts.now(), Math.ceil(ms)];
    this.#ignorantUntil += by;
    this.#parts.lease.postpone(by, now);
    this.#parts.services.postpone(by, now);
    this.#instances.telling.ofPostponed(by);
  }
}

/** What it acts on. */
export interface Within {
  readonly parts: Parts;
  readonly instances: Instances;
  readonly draining: Draining;
}
