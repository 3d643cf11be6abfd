import type { Heard, RegistryEvent, Source } from '../registry/changes.ts';
import type { Difference } from '../registry/differences.ts';
import type { Affected, Counts, Detail, NewRecord } from './record.ts';

/** What the registry tells, in the words of a record. */

/** To whom it happened; `now` is in milliseconds since 1970. */
export function affectedBy({ instance, heard }: RegistryEvent, now: number): Affected | undefined {
  return instance && heard ? { ...instance, ...lastHeard(heard, now) } : instance;
}

function lastHeard({ silentMs, peer, agent, intervalMs }: Heard, now: number): Omit<Affected, 'ip' | 'port'> {
  return {
    lastBeatAt: Math.floor(now - silentMs),
    ...(peer !== undefined && { heardFrom: peer }),
    ...(agent !== undefined && { client: agent }),
    ...(intervalMs !== undefined && { intervalMs }),
  };
}

/** The record of what happened to all of these at once. */
export function recordOf({ event, affected, count, areAlike }: Gathered, counts: Counts | undefined): NewRecord {
  const { cause, service, from, to, by } = event;
  const detail = detailOf(event, areAlike);
  return {
    kind: service === undefined ? 'registry' : affected.length === 0 ? 'service' : 'instance',
    cause,
    ...(service && { service }),
    ...(affected.length > 0 && { instances: affected, count }),
    ...(from !== undefined && { from }),
    ...(to !== undefined && { to }),
    ...(by !== undefined && { by: withoutReason(by) }),
    ...(detail && { detail }),
    ...(counts && { counts }),
  };
}

export interface Gathered {
  /** The first of them. */
  readonly event: RegistryEvent;
  /** The first of those to whom it happened. */
  readonly affected: Affected[];
  /** All of them, by address: whoever has said the same several times counts once. */
  readonly seen: Set<string>;
  count: number;
  /** Whether what an edit has changed was the same of each before. */
  areAlike: boolean;
}

/** Why a connection has ended is of what happened, and not of who it was. */
export function withoutReason({ reason: _, ...by }: Source): Source {
  return by;
}

function detailOf(event: RegistryEvent, areAlike: boolean): Detail | undefined {
  const { silentMs, trouble, drain, wasPersistent, count, by, differences = [] } = event;
  const detail: Detail = {
    ...(by?.reason !== undefined && { reason: by.reason }),
    ...(silentMs !== undefined && { silentMs }),
    ...(trouble !== undefined && { check: trouble.type, reason: trouble.reason }),
    ...(drain && { ...drain, until: new Date(drain.until).toISOString() }),
    ...(wasPersistent === true && { wasPersistent }),
    ...(count !== undefined && { count }),
    ...changedIn(differences, areAlike),
  };
  return Object.keys(detail).length === 0 ? undefined : detail;
}

/** Of one field its values, of several a text of each; and no more of it than whoever reads takes in. */
export function changedIn(differences: readonly Difference[], areAlike = true): Detail {
  const [only, ...more] = differences;
  if (only === undefined) return {};
  if (more.length === 0) {
    const { field, before, after } = only;
    return {
      field: bounded(field),
      ...(before !== undefined && areAlike && { before: bounded(before) }),
      ...(after !== undefined && { after: bounded(after) }),
    };
  }
  const shown = differences.slice(0, MOST_FIELDS);
  const rest = differences.length - shown.length;
  return {
    fields: `${shown.map(({ field }) => bounded(field)).join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`,
    ...(areAlike && { before: valuesOf(shown, 'before') }),
    after: valuesOf(shown, 'after'),
  };
}

function valuesOf(differences: readonly Difference[], side: 'before' | 'after'): string {
  const known = differences.filter((difference) => difference[side] !== undefined);
  return known.map((difference) => `${bounded(difference.field)}=${bounded(difference[side] ?? '')}`).join(', ');
}

const MOST_FIELDS = 8;
const MOST_SHOWN = 64;

function bounded<T extends string | number | boolean>(value: T): T | string {
  return typeof value === 'string' && value.length > MOST_SHOWN ? `${value.slice(0, MOST_SHOWN)}...` : value;
}

/** What tells events apart that could be told as one: who edits others in one go means the same by it, whatever was there before. */
export function sameKey({ cause, from, to, by, drain, differences = [] }: RegistryEvent): string {
  const after = differences.map(({ field, after: value }) => `${field}=${value}`).join('&');
  return `${cause} ${from} ${to} ${by?.connection ?? by?.peer ?? ''} ${by?.user ?? ''} ${by?.agent ?? ''} ${by?.reason ?? ''} ${after} ${drain === undefined ? '' : JSON.stringify(drain)}`;
}

/** Whether both have changed the same, and from the same. */
export function haveChangedAlike(one: RegistryEvent, other: RegistryEvent): boolean {
  const [some = [], others = []] = [one.differences, other.differences];
  return some.length === others.length && some.every(({ before }, i) => before === others[i]?.before);
}
