import type { CheckTrouble } from './checks.ts';
import type { Difference } from './differences.ts';
import type { Address } from './instance.ts';
import type { ServiceName } from './service-name.ts';
import type { Source } from './source.ts';

export type { Source };

/**
 * The two feeds of the registry. The level feed names a service whose state may be another now: whoever hears it reads the present
 * state, filters repeats and coalesces for free. The event feed says what happened to whom, by which cause and on whose word.
 *
 * What is promised: each listener hears the events of the registry in the order in which they happened, each after the state of its
 * instance and service is consistent, and before the level feed names the service. A listener reads the registry and never writes
 * to it. One that throws is reported and hurts nobody else.
 */
export class Changes {
  readonly #level = new Set<(service: ServiceName) => void>();
  readonly #events = new Set<(event: RegistryEvent) => void>();
  /** Listeners whose failure has been reported, and that have not worked since. */
  readonly #failing = new Set<unknown>();
  readonly #onListenerError: (error: unknown) => void;

  constructor(onListenerError: (error: unknown) => void) {
    this.#onListenerError = onListenerError;
  }

  onChange(listener: (service: ServiceName) => void): () => void {
    return this.#joined(this.#level, listener);
  }

  onEvent(listener: (event: RegistryEvent) => void): () => void {
    return this.#joined(this.#events, listener);
  }

  changed(service: ServiceName): void {
    this.#tell(this.#level, service);
  }

  happened(event: RegistryEvent): void {
    this.#tell(this.#events, event);
  }

  /** Whether anybody hears of events: where nobody does, none need be made. */
  get areHeard(): boolean {
    return this.#events.size > 0;
  }

  #joined<T>(listeners: Set<T>, listener: T): () => void {
    listeners.add(listener);
    return () => {
      listeners.delete(listener);
      this.#failing.delete(listener);
    };
  }

  #tell<T>(listeners: ReadonlySet<(said: T) => void>, said: T): void {
    for (const listener of listeners) {
      try {
        listener(said);
        if (this.#failing.size > 0) this.#failing.delete(listener);
      } catch (error) {
        // A listener that is broken fails at every change: one report tells as much as a million.
        if (this.#failing.has(listener)) continue;
        this.#failing.add(listener);
        this.#onListenerError(error);
      }
    }
  }
}

/** Why something changed. */
export type Cause =
  /** An instance that was not there, and was not remembered, has registered. */
  | 'registered'
  /** One that was there has registered again. */
  | 're-registered'
  /** One that had gone, and whose service is still known, has registered. */
  | 'returned'
  /** A beat has healed it. A beat that changes nothing is no event. */
  | 'beat'
  /** It has been silent for too long, and is unhealthy. */
  | 'silent'
  /** It has been silent for even longer, and is gone. */
  | 'removed'
  | 'deregistered'
  /** Its holder has let go of it without a word: a connection has ended. */
  | 'connection-ended'
  /** An operator's edit was laid over it, changed or taken away. */
  | 'edited'
  /** An operator has taken it out for a time. */
  | 'drained'
  /** That is over: by then, or before. */
  | 'resumed'
  /** A check, or an explicit call, has said how it is. */
  | 'probe'
  /** It was given back by a store or a replica. */
  | 'restored'
  /** A service was created explicitly. */
  | 'created'
  /** Settings of a service were put in force. */
  | 'configured'
  /** A service has been without instances for too long. */
  | 'forgotten'
  /** A service was dropped by an operator. */
  | 'dropped'
  /** So many have fallen silent at once that removals are slowed from now on. */
  | 'mass-silence'
  /** So many connections have ended at once that their instances keep their last status for a while. */
  | 'mass-loss'
  /** Nobody could be heard: every deadline has moved. */
  | 'postponed';

export type Condition = 'healthy' | 'unhealthy' | 'removed';

/** Who an event is about, as registered. */
export interface Subject extends Address {
  /** Left out, as the kind is, for an instance that is away, and of which only an edit waits. */
  readonly cluster?: string;
  readonly ephemeral?: boolean;
}

/** The last sign of life of an instance. */
export interface Heard {
  /** So long ago, in milliseconds; 0 as long as somebody holds it. */
  readonly silentMs: number;
  /** From which address; left out where that is not known. */
  readonly peer?: string;
  /** What its client calls itself. */
  readonly agent?: string;
  /** How far apart its beats have been, or, until there were some, how far apart it has said that they will be. */
  readonly intervalMs?: number;
}

/** One thing that happened. */
export interface RegistryEvent {
  /** The registry's clock, in milliseconds. */
  readonly at: number;
  readonly cause: Cause;
  /** Left out where all of the registry is meant. */
  readonly service?: ServiceName;
  /** Left out where a service, or all of the registry, is meant. */
  readonly instance?: Subject;
  /**
   * Left out for an instance that was not there; like `to` also for one that is away, whose edit is another or has ended. Edits that have
   * waited for too long end without an event, as everybody knows when.
   */
  readonly from?: Condition;
  readonly to?: Condition;
  readonly by?: Source;
  /** For silence: how long it lasted. For `postponed`: how long nobody could be heard. In milliseconds. */
  readonly silentMs?: number;
  /** For `silent` and `removed`: its last sign of life. */
  readonly heard?: Heard;
  /** For `edited`, `configured` and `re-registered`: what is another now. */
  readonly differences?: readonly Difference[];
  /** For `probe`, of an instance that its check takes out: which check, and why. */
  readonly trouble?: CheckTrouble;
  /** For `drained` and `resumed`. */
  readonly drain?: {
    readonly reason: string;
    /** Milliseconds since 1970. */
    readonly until: number;
    /** For how long it was asked for. */
    readonly forMs: number;
    /** For `resumed`. */
    readonly why?: DrainEnd;
  };
  /** For `re-registered`: it is ephemeral now, and was not. */
  readonly wasPersistent?: true;
  /** For `mass-silence`: how many fell silent within 10 s. For `mass-loss`: how many were lost within a second. */
  readonly count?: number;
}

/** Why one is drained no more: somebody has asked for it, its time is over, it has said goodbye, or its service was dropped. */
export type DrainEnd = 'asked' | 'over' | 'deregistered' | 'dropped';
