import type { Source } from '../registry/changes.ts';
import type { Address } from '../registry/instance.ts';
import type { ServiceName } from '../registry/service-name.ts';
import type { History } from './history.ts';
import type { Affected, Detail, EventRecord, Standing } from './record.ts';
import { viewOf } from './view.ts';

/**
 * What has happened to one service, for whoever tells how it is: since when, by which events, and what happened last to whom. It keeps no
 * more than the texts of what was asked for, and those for as long as the records are kept.
 */
export class Past {
  readonly wallClock: () => number;
  readonly #history: History;
  readonly #startedAt: number;
  readonly #texts = new WeakMap<EventRecord, { readonly at: string; readonly json: string }>();

  /** What was before now, nobody has seen. */
  constructor(history: History, wallClock: () => number) {
    this.wallClock = wallClock;
    this.#history = history;
    this.#startedAt = wallClock();
  }

  since(service: ServiceName, status: Standing): { readonly at: string; readonly isExact: boolean } {
    const last = this.#history.standingOf(service);
    if (last?.to === status) return { at: this.#textOf(last).at, isExact: true };
    // What a life before has seen is no more what is.
    if (last === undefined || last.at < this.#startedAt) return { at: new Date(this.#startedAt).toISOString(), isExact: false };
    // What changes within this turn of the event loop is told at its end.
    return { at: new Date(this.wallClock()).toISOString(), isExact: true };
  }

  events(service: ServiceName, most: number, isMeant?: (address: Address) => boolean): readonly string[] {
    const texts: string[] = [];
    const records = this.#history.lastOf(service);
    for (let i = records.length - 1; i >= 0 && texts.length < most; i--) {
      const record = records[i];
      if (record === undefined || (isMeant !== undefined && !toWhom(record).some(isMeant))) continue;
      texts.push(this.#textOf(record).json);
    }
    // By what it is as it is, which may be long ago.
    const standing = isMeant === undefined ? this.#history.standingOf(service) : undefined;
    const oldest = records[records.length - most];
    if (standing !== undefined && oldest !== undefined && standing.seq < oldest.seq) texts.push(this.#textOf(standing).json);
    return texts.reverse();
  }

  lastOf(service: ServiceName, wanted: ReadonlyMap<string, ToldBy>): ReadonlyMap<string, LastOf> {
    const found = new Map<string, LastOf>();
    for (const record of this.#history.lastOf(service).toReversed()) {
      for (const subject of found.size < wanted.size ? toWhom(record) : []) {
        const key = `${subject.ip} ${subject.port}`;
        if (!found.has(key) && tells(record, wanted.get(key))) found.set(key, { ...lastFrom(record), subject });
      }
    }
    return found;
  }

  gone(service: ServiceName): readonly (LastOf & Address)[] {
    const gone: (LastOf & Address)[] = [];
    const seen = new Set<string>();
    const earliest = this.wallClock() - LATELY_MS;
    for (const record of this.#history.lastOf(service).toReversed()) {
      if (record.at < earliest || gone.length >= MOST_GONE) break;
      for (const subject of toWhom(record)) {
        const key = `${subject.ip} ${subject.port}`;
        if (seen.has(key)) continue;
        seen.add(key);
        const { ip, port } = subject;
        if (record.to === 'removed' && gone.length < MOST_GONE) gone.push({ ip, port, ...lastFrom(record), subject });
      }
    }
    return gone;
  }

  #textOf(record: EventRecord): { readonly at: string; readonly json: string } {
    const known = this.#texts.get(record);
    if (known !== undefined) return known;
    const { instances } = record;
    const short = instances === undefined ? record : { ...record, instances: instances.slice(0, MOST_NAMED) };
    const text = { at: new Date(record.at).toISOString(), json: JSON.stringify(viewOf(short)) };
    this.#texts.set(record, text);
    return text;
  }
}

interface LastOf {
  readonly cause: string;
  readonly at: number;
  readonly by?: Source;
  readonly detail?: Detail;
  readonly subject: { readonly [key in keyof Address]: Address[key] };
}

/** By which causes something comes to be so; by a change only where it is one of this field. */
interface ToldBy {
  readonly causes: ReadonlySet<string>;
  readonly field?: string;
}

function tells({ cause, detail = {} }: EventRecord, wanted: ToldBy | undefined): boolean {
  if (wanted?.causes.has(cause) !== true) return false;
  const { field, fields } = detail;
  if (wanted.field === undefined || !CHANGES.has(cause)) return true;
  return field === wanted.field || (typeof fields === 'string' && fields.split(', ').includes(wanted.field));
}

const CHANGES: ReadonlySet<string> = new Set(['edited', 're-registered']);

/** Of a service that is another because of them they are named again. */
function toWhom({ kind, instances = [] }: EventRecord): readonly Affected[] {
  return kind === 'instance' ? instances : [];
}

function lastFrom({ cause, at, by, detail }: EventRecord): Omit<LastOf, 'subject'> {
  return { cause, at, ...(by && { by }), ...(detail && { detail }) };
}

/** Of the instances of one event; `/events` has them all. */
const MOST_NAMED = 10;
const MOST_GONE = 100;
/** Who has been away for longer is not missed any more. */
const LATELY_MS = 3_600_000;
