import { becauseWords } from './because.ts';
import { wordsOf } from './causes.ts';
import type { Affected, Counts, Detail, EventCause, EventRecord, Kind } from './record.ts';

/** A record as programs see it: in the lines of `/events`, and as `server.on('event')` gives it. */
export interface EventView {
  readonly seq: number;
  /** In ISO 8601. */
  readonly at: string;
  readonly kind: Kind;
  readonly cause: EventCause;
  readonly namespace?: string;
  readonly group?: string;
  readonly service?: string;
  readonly instances?: readonly AffectedView[];
  readonly count?: number;
  readonly from?: NonNullable<EventRecord['from']>;
  readonly to?: NonNullable<EventRecord['to']>;
  readonly by?: NonNullable<EventRecord['by']>;
  readonly detail?: Detail;
  readonly counts?: Counts;
}

export interface AffectedView extends Omit<Affected, 'lastBeatAt'> {
  /** In ISO 8601. */
  readonly lastBeatAt?: string;
}

/** A record as it is told to programs: one object of JSON, with the parts of a service's name beside each other, and a time in ISO 8601. */
export function viewOf({ seq, at, kind, cause, service, instances, ...rest }: EventRecord): EventView {
  const named = service && { namespace: service.namespace, group: service.group, service: service.name };
  const whom = instances && { instances: instances.map(affectedView) };
  return { seq, at: new Date(at).toISOString(), kind, cause, ...named, ...whom, ...rest };
}

function affectedView({ lastBeatAt, ...affected }: Affected): AffectedView {
  return lastBeatAt === undefined ? affected : { ...affected, lastBeatAt: new Date(lastBeatAt).toISOString() };
}

/** The same in a few words, for whoever reads: what happened to whom, and why. */
export function sentenceOf(record: EventRecord): string {
  const { kind, service, to, detail, counts } = record;
  const name = service === undefined ? '' : service.name;
  if (kind === 'service' && to !== undefined)
    return `${name} is ${STANDINGS[to] ?? to}: ${whyOf(record)}${becauseWords(detail?.because, counts)}`;
  if (kind === 'service') return `${name}: ${wordsOf(record)}`;
  if (kind !== 'instance') return sentenceOfAll(record);
  const whose = name === '' ? '' : ` of ${name}`;
  return `${whomOf(record)}${whose}: ${wordsOf(record)}`;
}

/** Who made a service what it is, and how: of one that has fallen silent also what was heard of it last. */
function whyOf(record: EventRecord): string {
  const { at, cause, instances = [], count = instances.length } = record;
  const [first] = instances;
  if (first === undefined) return wordsOf(record);
  const { lastBeatAt, heardFrom } = first;
  if (count !== 1 || lastBeatAt === undefined || !SILENCES.has(cause)) return `${whomOf(record)}: ${wordsOf(record)}`;
  const from = heardFrom === undefined ? '' : ` from ${heardFrom}`;
  const [, time] = /T(.*?)\./.exec(new Date(lastBeatAt).toISOString()) ?? [];
  const gone = cause === 'removed' ? ', and so removed' : '';
  return `${whomOf(record)} silent for ${((at - lastBeatAt) / 1_000).toFixed(1)} s${gone} (last beat ${time}${from})`;
}

const SILENCES: ReadonlySet<string> = new Set(['silent', 'removed']);

function whomOf({ count, instances = [] }: EventRecord): string {
  const [first] = instances;
  if (first === undefined) return `${count ?? ''} instances`.trimStart();
  const one = `${first.ip}:${first.port}`;
  const others = (count ?? instances.length) - 1;
  return others === 0 ? one : `${one} and ${others} more`;
}

function sentenceOfAll(record: EventRecord): string {
  // What the process itself has to say is the same text each time: its figures are in the record.
  const many = record.kind === 'bridge' ? undefined : (record.count ?? record.detail?.count);
  return many === undefined ? wordsOf(record) : `${wordsOf(record)}: ${many}`;
}

const STANDINGS: Readonly<Record<string, string>> = {
  serving: 'SERVING',
  'not-serving': 'NOT_SERVING',
  unknown: 'SERVICE_UNKNOWN',
};
