/** What one process of a service is, how it is told from others, and what silence makes of it. */

/** Tells instances of one service apart: the same ip and port may be there in two clusters, and both ephemeral and persistent. */
export interface InstanceId {
  readonly ip: string;
  readonly port: number;
  /** Holds no white space. */
  readonly cluster: string;
  /** Ephemeral instances live by beats and vanish without them; persistent ones stay until they are deregistered. */
  readonly ephemeral: boolean;
}

export type Metadata = Readonly<Record<string, string>>;

/** What an operator may change of a registered instance, beside what its client says. */
export interface Edit {
  readonly enabled?: boolean;
  readonly weight?: number;
  /** Replaces the whole map. */
  readonly metadata?: Metadata;
}

/** What a client says of itself when it registers. */
export interface Registration extends InstanceId {
  readonly weight: number;
  readonly enabled: boolean;
  /** Counts for a new instance only: registering again does not heal. */
  readonly healthy: boolean;
  readonly metadata: Metadata;
}

/** An instance as the registry sees it now, operator edits applied. */
export interface Instance extends Registration {
  readonly silence: Silence;
  /** Milliseconds since it was last heard of, by a beat or a registration; 0 as long as somebody holds it. */
  readonly silentMs: number;
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

/** The silence after which the verdict next changes for an ephemeral instance that is now `healthy`. */
export function patienceOf(healthy: boolean, silence: Silence): number {
  return healthy ? Math.min(silence.unhealthyAfterMs, silence.removedAfterMs) : silence.removedAfterMs;
}

/** Whether a healthy instance is fit to be called: enabled, and given any share of the load. */
export function isAvailable(enabled: boolean, weight: number): boolean {
  return enabled && weight > 0;
}
