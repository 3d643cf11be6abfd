import { isAvailable } from '../registry/available.ts';
import type { Address, Instance } from '../registry/instance.ts';
import type { ServiceName } from '../registry/service-name.ts';
import type { FailingInstance, InstanceRow, Keyed } from './api.ts';
import type { Sources } from './sources.ts';

/** An instance as it stands in the list of its service, and on its own page. */

export type InstanceSources = Pick<Sources, 'registry' | 'health' | 'nacos' | 'wallClock'>;

/**
 * The row of one instance: how it is, what keeps it alive and until when, who was heard last, what of it is an operator's word beside
 * what its client has said, and, where it cannot be called, by which cause and since when. `steady` is kept from one look to the next,
 * so that a row in which nothing has happened is the same text; `failing` is what health says of it, where it was asked of several at once.
 */
export function instanceRowOf(
  service: ServiceName,
  instance: Instance,
  sources: InstanceSources,
  { steady = new Steady(), failing }: Known = {},
): InstanceRow & Keyed {
  const heard = sources.registry.heardOf(service, instance);
  const { ip, port, cluster, healthy, enabled, weight, metadata, silence, remembered, trouble, edit, drain } = instance;
  const { unhealthyAfterMs, removedAfterMs } = silence;
  const key = keyOf(instance);
  const kind = kindOf(service, instance, sources);
  const lastBeatAt = kind === 'beat' ? steady.of(key, sources.wallClock() - instance.silentMs) : undefined;
  const connection = kind === 'connection' ? sources.nacos.holderOf(service, instance) : undefined;
  const said = edit && sources.registry.lastRegistration(service, instance);
  const available = isAvailable(instance);
  const told = available ? undefined : (failing ?? sources.health.failing(service, [instance])[0]);
  return {
    key,
    ip,
    port,
    cluster,
    healthy,
    enabled,
    weight,
    available,
    kind,
    ...(connection !== undefined && { connection }),
    ...(lastBeatAt !== undefined && { lastBeatAt }),
    ...(heard?.intervalMs !== undefined && kind === 'beat' && { intervalMs: settled(heard.intervalMs) }),
    ...(lastBeatAt !== undefined && healthy && { unhealthyAt: lastBeatAt + unhealthyAfterMs }),
    ...(lastBeatAt !== undefined && { removedAt: lastBeatAt + removedAfterMs }),
    unhealthyAfterMs,
    removedAfterMs,
    ...(heard?.peer !== undefined && { heardFrom: heard.peer }),
    ...(heard?.agent !== undefined && { client: heard.agent }),
    ...(remembered && { remembered }),
    ...(trouble !== undefined && { trouble }),
    ...(edit !== undefined && { edit }),
    ...(said !== undefined && { registered: { enabled: said.enabled, weight: said.weight, metadata: said.metadata } }),
    ...(drain !== undefined && { drain }),
    metadata,
    ...(told !== undefined && { cause: told.cause }),
    ...(told?.since !== undefined && { since: Date.parse(told.since) }),
  };
}

interface Known {
  readonly steady?: Steady;
  readonly failing?: FailingInstance | undefined;
}

/** Unique among the instances of a service. */
export function keyOf({ ip, port }: Address): string {
  return `${ip}:${port}`;
}

/**
 * Times that are computed anew at each look, from two clocks that do not tick together: what is another by less than anybody sees is told
 * as it was told before.
 */
export class Steady {
  #told = new Map<string, number>();
  #telling = new Map<string, number>();

  /** The time, by whatever tells it from the others that are looked at. */
  of(key: string, at: number): number {
    const before = this.#told.get(key);
    const told = before !== undefined && Math.abs(at - before) <= UNSEEN_MS ? before : Math.round(at);
    this.#telling.set(key, told);
    return told;
  }

  /** The look is over: what has not been looked at in it is forgotten. */
  done(): void {
    this.#told = this.#telling;
    this.#telling = new Map();
  }
}

const UNSEEN_MS = 50;

function kindOf(service: ServiceName, instance: Instance, { registry }: InstanceSources): InstanceRow['kind'] {
  if (!instance.ephemeral) return 'persistent';
  return registry.holderOf(service, instance) === undefined ? 'beat' : 'connection';
}

/** As measured it is a little another after each beat. */
function settled(intervalMs: number): number {
  return Math.round(intervalMs / INTERVAL_STEP_MS) * INTERVAL_STEP_MS || intervalMs;
}

const INTERVAL_STEP_MS = 100;
