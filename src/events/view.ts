import { CAUSES } from './causes.ts';
import type { Affected, EventRecord } from './record.ts';

/** A record as it is told to programs: one object of JSON, with the parts of a service's name beside each other, and a time in ISO 8601. */
export function viewOf({ seq, at, kind, cause, service, instances, ...rest }: EventRecord): object {
  const named = service && { namespace: service.namespace, group: service.group, service: service.name };
  const whom = instances && { instances: instances.map(affectedView) };
  return { seq, at: new Date(at).toISOString(), kind, cause, ...named, ...whom, ...rest };
}

function affectedView(affected: Affected): object {
  const { lastBeatAt } = affected;
  return lastBeatAt === undefined ? affected : { ...affected, lastBeatAt: new Date(lastBeatAt).toISOString() };
}

/** The same in a few words, for whoever reads: what happened to whom, and why. */
export function sentenceOf(record: EventRecord): string {
  const { kind, cause, service, to, count, instances = [] } = record;
  const name = service === undefined ? '' : service.name;
  if (kind === 'service' && to !== undefined) return `${name} is ${STANDINGS[to] ?? to}: ${CAUSES[cause].words}`;
  if (kind === 'service') return `${name}: ${CAUSES[cause].words}`;
  const [first] = instances;
  const who = count === 1 && first !== undefined ? `${first.ip}:${first.port}` : `${count ?? ''} instances`.trimStart();
  const whose = name === '' ? '' : ` of ${name}`;
  return kind === 'instance' ? `${who}${whose}: ${CAUSES[cause].words}` : sentenceOfAll(record);
}

function sentenceOfAll({ cause, count, detail = {} }: EventRecord): string {
  const many = count ?? detail.count;
  return many === undefined ? CAUSES[cause].words : `${CAUSES[cause].words}: ${many}`;
}

const STANDINGS: Readonly<Record<string, string>> = {
  serving: 'SERVING',
  'not-serving': 'NOT_SERVING',
  unknown: 'SERVICE_UNKNOWN',
};
