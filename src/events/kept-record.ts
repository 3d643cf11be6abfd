import type { ServiceName } from '../registry/service-name.ts';
import { CAUSES } from './causes.ts';
import type { EventRecord } from './record.ts';

/** Of very many instances only the first are kept over a restart. */
const MOST_KEPT = 20;

/** A record as it is written down. */
export function storedOf(record: EventRecord): EventRecord {
  const { instances } = record;
  return instances === undefined || instances.length <= MOST_KEPT
    ? record
    : { ...record, instances: instances.slice(0, MOST_KEPT) };
}

/** One that was written down, by this version or another. Undefined: it cannot be read, or says what is not known here. */
export function readRecord(value: unknown): EventRecord | undefined {
  if (!isObject(value)) return undefined;
  const { seq, at, kind, cause, service, instances, count, from, to, by, detail, counts } = value;
  const isRead =
    Number.isSafeInteger(seq) &&
    Number(seq) > 0 &&
    isTime(at) &&
    KINDS.has(kind) &&
    typeof cause === 'string' &&
    Object.hasOwn(CAUSES, cause) &&
    (service === undefined || isService(service)) &&
    (instances === undefined || (Array.isArray(instances) && instances.every(isSubject))) &&
    (count === undefined || typeof count === 'number') &&
    [from, to].every((one) => one === undefined || typeof one === 'string') &&
    [by, counts, detail].every((one) => one === undefined || isObject(one));
  // All that whoever reads a record relies on has been looked at.
  return isRead ? (value as unknown as EventRecord) : undefined;
}

/** What a date can be. */
const MOST_MS = 8.64e15;
const KINDS: ReadonlySet<unknown> = new Set(['instance', 'service', 'registry', 'bridge']);

function isTime(value: unknown): boolean {
  return Number.isFinite(value) && Math.abs(Number(value)) <= MOST_MS;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isService(value: unknown): value is ServiceName {
  return isObject(value) && [value.namespace, value.group, value.name].every((part) => typeof part === 'string');
}

function isSubject(value: unknown): boolean {
  if (!isObject(value) || typeof value.ip !== 'string' || typeof value.port !== 'number') return false;
  return value.lastBeatAt === undefined || isTime(value.lastBeatAt);
}
