import type { RegistryEvent } from '../registry/changes.ts';
import type { ServiceName } from '../registry/service-name.ts';
import type { Standing } from './record.ts';
import type { Gathered } from './told.ts';

/** Something that happened to a service or one of its instances; with what is told of it, if that is news. */
export interface Last {
  readonly event: RegistryEvent;
  readonly gathered?: Gathered;
}

/** A service whose status may be another, and by what: of several things that happened to it the last one that can have made it so. */
export class Touched {
  readonly service: ServiceName;
  #last: Last | undefined;
  #ofInstances: Last | undefined;
  #raising: Last | undefined;
  #lowering: Last | undefined;

  constructor(service: ServiceName) {
    this.service = service;
  }

  get last(): Last | undefined {
    return this.#last;
  }

  by(last: Last): void {
    const { mayRaise, mayLower } = effectOf(last.event);
    this.#last = last;
    if (last.event.instance !== undefined) this.#ofInstances = last;
    if (mayRaise) this.#raising = last;
    if (mayLower) this.#lowering = last;
  }

  /** By which of them it is this now. */
  whyOf(to: Standing): Last | undefined {
    if (to === 'unknown') return this.#last;
    return (to === 'serving' ? this.#raising : this.#lowering) ?? this.#last;
  }

  /** What names the instances by which it is so: of what happened to the service itself, what happened by that to them. */
  whomOf(why: Last | undefined): Last | undefined {
    if (why === undefined || why.event.instance !== undefined) return why;
    return this.#ofInstances?.event.cause === why.event.cause ? this.#ofInstances : why;
  }
}

interface Effect {
  readonly mayRaise: boolean;
  readonly mayLower: boolean;
}

/** Whether more, or fewer, can be called by it. How many are needed may be another by each: that is looked for last. */
function effectOf({ cause, instance, from, to, differences = [] }: RegistryEvent): Effect {
  if (instance === undefined) return { mayRaise: true, mayLower: true };
  if (from !== to) return { mayRaise: to === 'healthy', mayLower: from === 'healthy' };
  const changed = new Map(differences.map((difference) => [difference.field, difference]));
  const [enabled, weight] = [changed.get('enabled'), changed.get('weight')];
  return {
    mayRaise: cause === 'resumed' || enabled?.after === true || weight?.before === 0,
    mayLower: cause === 'drained' || enabled?.after === false || weight?.after === 0,
  };
}
