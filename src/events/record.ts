import type { Cause, Condition, Source, Subject } from '../registry/changes.ts';
import type { ServiceName } from '../registry/service-name.ts';

/**
 * What happened, in the one form that everybody reads who tells of it: the log, `/events`, metrics, whoever embeds a bridge. One record is
 * one thing that happened to one service, or to the bridge: instances that shared a fate in one moment are in one record.
 */
export interface EventRecord {
  /** Rising by one, so that whoever has missed some knows it. */
  readonly seq: number;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly kind: Kind;
  readonly cause: EventCause;
  /** Left out where the bridge, or all there is, is meant. */
  readonly service?: ServiceName;
  /** To whom it happened; of a service, by whom it is another. Of very many only the first are named. */
  readonly instances?: readonly Affected[];
  /** To how many. */
  readonly count?: number;
  /** Of an instance its condition, of a service its status; left out where there was none. */
  readonly from?: Condition | Standing;
  readonly to?: Condition | Standing;
  /** On whose word. */
  readonly by?: Source;
  /** What else is to be known, in figures and short texts. */
  readonly detail?: Detail;
  /** Of the service, once it had happened. */
  readonly counts?: Counts;
}

/** Somebody to whom something happened; of one that has fallen silent also what was heard of it last. */
export interface Affected extends Subject {
  /** When there was a sign of life of it last: milliseconds since 1970. */
  readonly lastBeatAt?: number;
  /** The address that it came from. */
  readonly heardFrom?: string;
  /** What its client calls itself. */
  readonly client?: string;
  /** How far apart its beats have been, or were to be. */
  readonly intervalMs?: number;
}

/** `instance`: what happened to instances; `service`: its status, or what is known of it; `registry`: to very many; `bridge`: to the process. */
export type Kind = 'instance' | 'service' | 'registry' | 'bridge';

/** What is told of a service, in the words of health. */
export type Standing = 'serving' | 'not-serving' | 'unknown';

/** Why. A service changes by the cause of what happened to its instances; `lasted` where that was a while ago. */
export type EventCause =
  | Cause
  | 'lasted'
  /** A limit or a rule of access has said no, to somebody, so often. */
  | 'refused'
  | 'started'
  | 'stalled'
  | 'draining'
  | 'store-failing'
  | 'store-recovered'
  /** It ends soon, has ended, was renewed, or could not be. */
  | 'certificate';

export type Detail = Readonly<Record<string, string | number | boolean>>;

/** How many instances can be called, there are, and have to be. */
export interface Counts {
  readonly available: number;
  readonly total: number;
  readonly needed: number;
}

/** One that has no number yet. */
export type NewRecord = Omit<EventRecord, 'seq' | 'at'>;
