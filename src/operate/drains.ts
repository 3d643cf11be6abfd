import type { Source } from '../registry/changes.ts';
import type { Drained, Located } from '../registry/draining.ts';
import { flat } from '../registry/flat.ts';
import type { Registry } from '../registry/registry.ts';
import type { ServiceName } from '../registry/service-name.ts';
import type { Permit } from '../rights/admission.ts';
import type { Scheduler } from '../wire/scheduler.ts';
import type { DrainAsked, Target, Wanted } from './drain-query.ts';

/**
 * Drains and resumes whoever is at an address, in all services that the caller may operate on. Of a million instances some are looked
 * at in a turn: whoever has something else to say comes in between.
 */
export class Drains {
  readonly #registry: Registry;
  readonly #scheduler: Pick<Scheduler, 'soon'>;
  readonly #wallClock: () => number;

  constructor({ registry, scheduler, wallClock }: DrainsRoom) {
    this.#registry = registry;
    this.#scheduler = scheduler;
    this.#wallClock = wallClock;
  }

  /** Answers whom it has drained, and until when: milliseconds since 1970. */
  async drain({ forMs, reason, ...target }: DrainAsked, by: Source, permit: Permit): Promise<Done> {
    const since = this.#wallClock();
    const drain = { reason: flat(reason), since, until: since + forMs, by };
    const done = await this.#each(target, permit, (one) => this.#registry.drains.drain(one.service, one, drain));
    return { ...done, until: drain.until };
  }

  /** Answers whom it has resumed. */
  resume(target: Target, by: Source, permit: Permit): Promise<Omit<Done, 'until'>> {
    return this.#each(target, permit, (one) => this.#registry.drains.resume(one.service, one, by));
  }

  /** What is drained, of what the caller may read: those first that are over first. */
  async list(wanted: Wanted, permit: Permit): Promise<readonly Drained[]> {
    const found: Drained[] = [];
    let looked = 0;
    for (const one of this.#registry.drains.all()) {
      if (isWanted(one.service, wanted) && covers(permit, one.service)) found.push(one);
      if (++looked % AT_ONCE === 0) await this.#pause();
    }
    return found.sort((a, b) => a.drain.until - b.drain.until);
  }

  async #each(target: Target, permit: Permit, act: (one: Located) => boolean): Promise<Omit<Done, 'until'>> {
    const found: Located[] = [];
    for (const one of this.#registry.drains.at(target.port, target.isRight)) {
      if (one === undefined) await this.#pause();
      else if (isWanted(one.service, target) && covers(permit, one.service)) found.push(one);
    }
    const named: Located[] = [];
    let count = 0;
    for (const [i, one] of found.entries()) {
      if (act(one) && count++ < MOST_NAMED) named.push(one);
      if (i % AT_ONCE === AT_ONCE - 1) await this.#pause();
    }
    return { named, count };
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => this.#scheduler.soon(resolve));
  }
}

export interface DrainsRoom {
  readonly registry: Registry;
  readonly scheduler: Pick<Scheduler, 'soon'>;
  /** Milliseconds since 1970. */
  readonly wallClock: () => number;
}

interface Done {
  /** Of very many the first. */
  readonly named: readonly Located[];
  readonly count: number;
  readonly until: number;
}

const AT_ONCE = 1_000;
const MOST_NAMED = 1_000;

function covers(permit: Permit, service: ServiceName): boolean {
  return permit.covers({ kind: 'naming', ...service });
}

function isWanted(one: ServiceName, { namespace, service }: Wanted): boolean {
  if (service !== undefined)
    return one.name === service.name && one.group === service.group && one.namespace === service.namespace;
  return namespace === undefined || one.namespace === namespace;
}
