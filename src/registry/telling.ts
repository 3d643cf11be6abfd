import type { Cause, Condition, Heard, RegistryEvent, Source } from './changes.ts';
import type { CheckTrouble } from './checks.ts';
import type { Difference } from './differences.ts';
import type { Address } from './instance.ts';
import type { Parts } from './parts.ts';
import type { Row } from './row.ts';
import type { ServiceName } from './service-name.ts';

/** Says to the event feed what has happened, in its form. Nothing is made where nobody listens. */
export class Telling {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** To an instance that is here, or was until now. */
  of(row: Row, cause: Cause, from: Condition | undefined, to: Condition, more: Circumstances): void {
    if (!this.#parts.changes.areHeard) return;
    const { ip, port, cluster, ephemeral } = row;
    const { by, silentMs, heard, differences, trouble, drain, wasPersistent = false } = more;
    this.#say({
      cause,
      service: row.service.name,
      instance: { ip, port, cluster, ephemeral },
      ...(from !== undefined && { from }),
      to,
      ...(by !== undefined && { by }),
      ...(silentMs !== undefined && { silentMs }),
      ...(heard !== undefined && { heard }),
      ...(differences !== undefined && { differences }),
      ...(trouble !== undefined && { trouble }),
      ...(drain !== undefined && { drain }),
      ...(wasPersistent && ephemeral && ({ wasPersistent: true } as const)),
    });
  }

  /** The edit of an instance that is away is another now. */
  ofAway(service: ServiceName, { ip, port }: Address, cause: CauseAway, more: SaidOf): void {
    this.#say({ cause, service, instance: { ip, port }, ...given(more) });
  }

  ofService(service: ServiceName, cause: 'created' | 'configured' | 'forgotten' | 'dropped', more: SaidOf = {}): void {
    this.#say({ cause, service, ...given(more) });
  }

  /** So many fell silent, or were lost, at once. */
  ofMany(cause: 'mass-silence' | 'mass-loss', count: number): void {
    this.#say({ cause, count });
  }

  /** Nobody could be heard for so long. */
  ofPostponed(silentMs: number): void {
    this.#say({ cause: 'postponed', silentMs });
  }

  #say(event: Omit<RegistryEvent, 'at'>): void {
    const { changes, now } = this.#parts;
    if (changes.areHeard) changes.happened({ at: now(), ...event });
  }
}

type CauseAway = 'edited' | 'deregistered' | 'dropped' | 'drained' | 'resumed';

/** What is told of an event beside what has changed. */
export interface Circumstances {
  readonly by?: Source | undefined;
  readonly silentMs?: number | undefined;
  readonly heard?: Heard | undefined;
  readonly differences?: readonly Difference[] | undefined;
  readonly trouble?: CheckTrouble | undefined;
  readonly drain?: RegistryEvent['drain'];
  readonly wasPersistent?: boolean;
}

type SaidOf = Pick<Circumstances, 'by' | 'differences' | 'drain'>;

function given({ by, differences, drain }: SaidOf): Pick<RegistryEvent, 'by' | 'differences' | 'drain'> {
  return { ...(by !== undefined && { by }), ...(differences !== undefined && { differences }), ...(drain && { drain }) };
}
