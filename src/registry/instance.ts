import type { CheckTrouble } from './checks.ts';
import type { Source } from './source.ts';

/** What one process of a service is, how it is told from others, and what silence makes of it. */

/** Tells the instances of one service apart. Its cluster and its kind are attributes: the last registration decides them. */
export interface Address {
  readonly ip: string;
  readonly port: number;
}

export type Metadata = Readonly<Record<string, string>>;

/** What a client says of itself when it registers. */
export interface Registration extends Address {
  readonly cluster: string;
  /** Ephemeral instances live by beats or by a holder and vanish without; persistent ones stay until they are deregistered. */
  readonly ephemeral: boolean;
  readonly weight: number;
  readonly enabled: boolean;
  /** Whoever registers is alive: false is for one who says otherwise, until its next beat. */
  readonly healthy: boolean;
  readonly metadata: Metadata;
}

/** What an operator lays over an instance. Anything left out stays as its client says, now and later. */
export interface Edit {
  readonly enabled?: boolean;
  readonly weight?: number;
  /** Key by key; null takes a key away. */
  readonly metadata?: Readonly<Record<string, string | null>>;
}

/** That an instance is taken out for a time, whatever else is said of it. Times are milliseconds since 1970: they outlive a process. */
export interface Drain {
  readonly reason: string;
  readonly since: number;
  readonly until: number;
  readonly by?: Source;
}

/** An instance as the registry sees it now, the operator's edit applied; one that is drained is not enabled. */
export interface Instance extends Registration {
  /** What of it is an operator's word. */
  readonly edit: Edit | undefined;
  readonly drain: Drain | undefined;
  readonly silence: Silence;
  /** Milliseconds since it was last heard of, by a beat or a registration; 0 as long as somebody holds it. */
  readonly silentMs: number;
  /** What its check has found last, if that is not that all is well. */
  readonly trouble: CheckTrouble | undefined;
  /** It was given back by a store or a replica, and nobody has heard of it since: it is as it was then. */
  readonly remembered: boolean;
}

/** How long an ephemeral instance may be silent, in milliseconds, and how often it means to beat, if it has said so. */
export interface Silence {
  readonly beatIntervalMs: number | undefined;
  readonly unhealthyAfterMs: number;
  readonly removedAfterMs: number;
}

/** Nacos's figures, for a beat every 5 s: unhealthy after three missed, gone after six. */
export const DEFAULT_SILENCE: Silence = { beatIntervalMs: undefined, unhealthyAfterMs: 15_000, removedAfterMs: 30_000 };

export type Verdict = 'present' | 'unhealthy' | 'removed';

/** What `silentMs` of silence make of an ephemeral instance. Removal wins when it is due, even where it is due first. */
export function verdictOf(silentMs: number, silence: Silence): Verdict {
  if (silentMs >= silence.removedAfterMs) return 'removed';
  return silentMs >= silence.unhealthyAfterMs ? 'unhealthy' : 'present';
}

/** The silence after which the verdict next changes for an ephemeral instance that is now `alive`. */
export function patienceOf(alive: boolean, silence: Silence): number {
  return alive ? Math.min(silence.unhealthyAfterMs, silence.removedAfterMs) : silence.removedAfterMs;
}
