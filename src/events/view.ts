import type { EventRecord } from './record.ts';

/** A record as it is told to programs: one object of JSON, with the parts of a service's name beside each other, and a time in ISO 8601. */
export function viewOf({ seq, at, kind, cause, service, ...rest }: EventRecord): object {
  const named = service && { namespace: service.namespace, group: service.group, service: service.name };
  return { seq, at: new Date(at).toISOString(), kind, cause, ...named, ...rest };
}

/** The same in a few words, for whoever reads: what happened to whom, and why. */
export function sentenceOf(record: EventRecord): string {
  const { kind, cause, service, to, count, instances = [] } = record;
  const name = service === undefined ? '' : service.name;
  if (kind === 'service' && to !== undefined) return `${name} is ${STANDINGS[to] ?? to}: ${WHY[cause] ?? cause}`;
  if (kind === 'service') return `${name}: ${WHY[cause] ?? cause}`;
  const [first] = instances;
  const who = count === 1 && first !== undefined ? `${first.ip}:${first.port}` : `${count ?? ''} instances`.trimStart();
  const whose = name === '' ? '' : ` of ${name}`;
  return kind === 'instance' ? `${who}${whose}: ${WHY[cause] ?? cause}` : sentenceOfAll(record);
}

function sentenceOfAll({ cause, count, detail = {} }: EventRecord): string {
  const many = count ?? detail.count;
  return many === undefined ? (WHY[cause] ?? cause) : `${WHY[cause] ?? cause}: ${many}`;
}

const STANDINGS: Readonly<Record<string, string>> = {
  serving: 'SERVING',
  'not-serving': 'NOT_SERVING',
  unknown: 'SERVICE_UNKNOWN',
};

/** By cause. One that is not here speaks for itself. */
const WHY: Readonly<Record<string, string>> = {
  registered: 'registered',
  're-registered': 'registered again',
  returned: 'registered again after it had gone',
  beat: 'beats again',
  silent: 'no beat for too long',
  removed: 'no beat for even longer, and so removed',
  deregistered: 'said goodbye',
  'connection-ended': 'its connection ended',
  edited: 'edited by an operator',
  probe: 'as its check found',
  restored: 'as it was before the restart',
  created: 'created',
  configured: 'settings were changed',
  forgotten: 'without instances for too long, and so forgotten',
  dropped: 'dropped by an operator',
  'mass-silence': 'very many fell silent at once, removals are slowed',
  'mass-loss': 'very many connections ended at once, their instances are kept for now',
  postponed: 'nobody could be heard for a while, deadlines are postponed',
  lasted: 'what had changed has lasted',
  started: 'the bridge has started',
  stalled: 'the bridge was stalled',
  draining: 'the bridge goes',
};
