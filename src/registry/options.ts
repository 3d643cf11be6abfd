import type { Metadata, Silence } from './instance.ts';

/** How a registry is to behave. */
export interface RegistryOptions {
  /** How long an instance with this metadata may be silent; the default figures for all when left out. */
  readonly silenceOf?: (metadata: Metadata) => Silence;
  /** How long a service stays known after its last instance has gone. */
  readonly forgetAfterMs?: number;
  /** For how long after the start what nobody has spoken of may only not be back yet; default 0. */
  readonly graceMs?: number;
  /** How long an edit waits for an instance that silence or a lost connection took. */
  readonly keepEditsMs?: number;
  /** Of how many instances that have gone edits are kept, and what their clients said, of each. */
  readonly maxRemembered?: number;
  /** Who a peer counts as where it is counted what each has brought; himself when left out. It is the same of what it answers. */
  readonly originOf?: (peer: string) => string;
  /** After how many beats in a row an instance that was silent counts again, where its service does not say it; default 1. */
  readonly riseBeats?: number;
  /** Hears of each beat of an instance that lives by them: for how long it was silent before, and what it is allowed. */
  readonly onBeat?: ((silentMs: number, silence: Silence) => void) | undefined;
  /** Hears of a listener that has thrown, once until it works again. */
  readonly onListenerError?: (error: unknown) => void;
}

/** For how long, and of how many, a registry remembers what is gone, unless it is told otherwise. */
export const DEFAULT_MEMORY = { forgetAfterMs: 60_000, keepEditsMs: 3_600_000, maxRemembered: 10_000 } as const;
