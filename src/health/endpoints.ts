import type { TroubleReason } from '../registry/checks.ts';
import { groupedName, serviceKey } from '../registry/service-name.ts';
import { type Failing, failingOf, goneOf } from './failing.ts';
import { type Checker, type Drained, type Explanation, healthKeys, type Troubled } from './health.ts';
import { MAX_NAME_BYTES, NAME_FORM, type ServiceSelector } from './names.ts';
import type { Hearing, Past } from './past.ts';
import type { Status } from './status.ts';

/**
 * Status as a code, for callers that read no body: what `/health/NAME` answers over HTTP, and what the same path answers as gRPC.
 */
export interface Endpoint {
  readonly http: 200 | 400 | 404 | 503;
  /** OK, INVALID_ARGUMENT, NOT_FOUND or UNAVAILABLE. */
  readonly grpc: 0 | 3 | 5 | 14;
  readonly message: string;
  /** The same for whoever reads on, the status and why, as JSON and the end of its line. */
  readonly json: string;
}

/** Of how many services the counts are given, and of how many instances the edits and the checks: a bare Dubbo interface can have any number of versions. */
export interface EndpointLimits {
  readonly maxExplained: number;
}

/** What is said of a name; with what has happened, and to whom, as far as whoever asks may hear of it. */
export function endpointOf(checker: Checker, text: string, { maxExplained }: EndpointLimits, heard?: Hearing): Endpoint {
  const kept = heard?.kept?.of(text);
  if (kept !== undefined) return kept;
  const name = checker.nameFrom(text);
  if (name === undefined) return { http: 400, grpc: 3, message: BAD_NAME, json: jsonOf('INVALID', BAD_NAME) };
  const status = checker.statusOf(name);
  const { http, grpc, word } = CODES[status];
  if (name === 'bridge') {
    const reason = status === 'serving' ? 'the bridge is serving' : 'the bridge is shutting down';
    return { http, grpc, message: reason, json: jsonOf(word, reason) };
  }
  const services = checker.explain(name).filter(isKnown);
  const explained = services.slice(0, maxExplained);
  const reason = services.length === 0 ? unknownReason(checker, name) : explained.map(reasonOf).join('; ');
  const json = jsonOf(word, reason, explained, maxExplained, heard);
  if (http !== 503 || heard?.kept === undefined || services.length > maxExplained) return { http, grpc, message: reason, json };
  const answer = { http, grpc: 14, message: reason, json } as const;
  heard.kept.keep(text, answer, [...healthKeys(name), ...services.map(({ service }) => serviceKey(service))]);
  return answer;
}

/** Written by hand: balancers ask for it without end, and a serializer has to find out each time what is in it. */
function jsonOf(word: string, reason: string, explained?: readonly Explanation[], most = 0, heard?: Hearing): string {
  if (explained === undefined) return `{"status":"${word}","reason":${quoted(reason)}}\n`;
  const services = explained.map((each) => viewOf(each, most, heard)).join(',');
  const failing = heard === undefined ? '' : failingIn(explained, heard);
  return `{"status":"${word}","reason":${quoted(reason)},"services":[${services}]${failing}}\n`;
}

/** Who cannot be called, and who has gone lately, each with why. */
function failingIn(explained: readonly Explanation[], { past, mayHear }: Hearing): string {
  const told: Failing[] = [];
  let count = 0;
  for (const explanation of explained) {
    const { service, status, failing, isMeant } = explanation;
    if (!mayHear(service)) continue;
    const gone = isMeant === undefined ? goneOf(service, status === 'serving', past) : [];
    count += failing.length + gone.length;
    const room = MOST_FAILING - told.length;
    if (failing.length > 0) told.push(...failingOf(explanation, room, past));
    told.push(...gone.slice(0, Math.max(0, room - failing.length)));
  }
  return count === 0 ? '' : `,"failing":${JSON.stringify(told)},"failingCount":${count}`;
}

const MOST_FAILING = 100;
/** Of a service that serves only the last one is told, as balancers ask for it without end. */
const MOST_EVENTS = 5;

function isKnown({ status }: Explanation): boolean {
  return status !== 'unknown';
}

/** What a status is called on the wire of health. */
export function wordOf(status: Status): (typeof CODES)[Status]['word'] {
  return CODES[status].word;
}

const CODES = {
  serving: { http: 200, grpc: 0, word: 'SERVING' },
  'not-serving': { http: 503, grpc: 14, word: 'NOT_SERVING' },
  unknown: { http: 404, grpc: 5, word: 'SERVICE_UNKNOWN' },
} as const satisfies Record<Status, object>;

/** Said of a name that is none. */
export const BAD_NAME = `the name must be ${NAME_FORM}, of at most ${MAX_NAME_BYTES} bytes`;

function unknownReason(checker: Checker, name: ServiceSelector): string {
  return checker.isIgnorantOf(name)
    ? 'unknown service: the bridge has started only lately, its instances may not be back yet'
    : 'unknown service';
}

function reasonOf({ service, total, available, needed, edited, drained, remembered, troubled, pending }: Explanation): string {
  const counts = `${service.name}: ${available} of ${total} instances available, ${needed} needed`;
  const edits = edited.length === 0 ? '' : `, ${edited.length} edited by an operator`;
  const drains = drained.length === 0 ? '' : `, ${drained.length} drained`;
  const unheard = remembered === 0 ? '' : `, ${remembered} not heard of since a restart`;
  const wait = pending === undefined ? '' : `; ${wordOf(pending.status)} is told in ${pending.inMs} ms, if it lasts`;
  return counts + edits + drains + unheard + troubleOf(troubled) + wait;
}

/** How many fail their check, or have none, and why: each pair of kind and reason once, the most frequent first. */
function troubleOf(troubled: readonly Troubled[]): string {
  if (troubled.length === 0) return '';
  const parts = (['failing', 'unchecked'] as const).map((verdict) => {
    const reasons = new Map<string, number>();
    let count = 0;
    for (const { trouble } of troubled) {
      if (trouble.verdict !== verdict) continue;
      count++;
      const hint = HINTS.get(trouble.reason);
      const reason = `${trouble.type}: ${trouble.reason}${hint === undefined ? '' : `, see ${hint}`}`;
      reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
    }
    if (count === 0) return '';
    const sorted = [...reasons].sort(([, a], [, b]) => b - a);
    const said = sorted.map(([reason, times]) => (sorted.length === 1 ? reason : `${times} ${reason}`)).slice(0, REASONS_SAID);
    const more = sorted.length > REASONS_SAID ? '; and others' : '';
    const what = verdict === 'unchecked' ? 'not checked' : count === 1 ? 'fails its check' : 'fail their check';
    return `; ${count} ${what} (${said.join('; ')}${more})`;
  });
  return parts.join('');
}

const REASONS_SAID = 3;

/** What lets a check be made that cannot be made. */
const HINTS: ReadonlyMap<TroubleReason, string> = new Map([
  ['address not allowed', '--probe-allow'],
  ['host names are not resolved', '--probe-names'],
]);

function viewOf(explanation: Explanation, most: number, heard: Hearing | undefined): string {
  const { service, status, pending, total, healthy, enabled, available, needed, silentMs, remembered } = explanation;
  const unheard = remembered === 0 ? '' : `,"remembered":${remembered}`;
  const counts = `{"total":${total},"healthy":${healthy},"enabled":${enabled},"available":${available},"needed":${needed}${unheard}}`;
  // What it is already, and will be told if it lasts.
  const wait = pending === undefined ? '' : `,"pending":{"status":"${wordOf(pending.status)}","inMs":${pending.inMs}}`;
  // Milliseconds since the instance was heard of that was heard of last, and first.
  const age = total === 0 ? 'null' : JSON.stringify({ newest: least(silentMs), oldest: greatest(silentMs) });
  return (
    `{"namespace":${quoted(service.namespace)},"service":${quoted(groupedName(service))},"status":"${wordOf(status)}"${wait},` +
    `"instances":${counts},"lastBeatAgeMs":${age}${namedIn(explanation, most, heard)}${heard === undefined ? '' : pastOf(explanation, heard)}}`
  );
}

/** Who is edited, drained or failing its check, as far as whoever asks may hear of it: nobody would know why an instance that beats is offline else. */
function namedIn({ service, edited, drained, troubled }: Explanation, most: number, heard: Hearing | undefined): string {
  if (heard?.mayHear(service) === false) return '';
  const edits = edited.length === 0 ? '' : `,"edits":${JSON.stringify(edited.slice(0, most).map(editView))}`;
  const drains = drained.length === 0 ? '' : `,"drains":${JSON.stringify(drained.slice(0, most).map(drainView))}`;
  const checks = troubled.length === 0 ? '' : `,"checks":${JSON.stringify(troubled.slice(0, most).map(checkView))}`;
  return edits + drains + checks;
}

/** Since when it is so, why a service has too few that has some, and what has happened lately. Of a part of one nobody keeps since when. */
function pastOf({ service, status, total, available, needed, isMeant }: Explanation, { past, mayHear }: Hearing): string {
  const because = status === 'serving' ? '' : `,"because":"${becauseOf(total, available, needed)}"`;
  const since = isMeant === undefined ? sinceOf(past.since(service, status)) : '';
  const events = mayHear(service)
    ? `,"events":[${past.events(service, status === 'serving' ? 1 : MOST_EVENTS, isMeant).join(',')}]`
    : '';
  return since + because + events;
}

function sinceOf({ at, isExact }: ReturnType<Past['since']>): string {
  return `,"${isExact ? 'since' : 'atLeastSince'}":"${at}"`;
}

/** What a service lacks that is not serving: `lasting` where it has enough, and has not had for long. */
export function becauseOf(total: number, available: number, needed: number): string {
  if (total === 0) return 'no-instances';
  if (available >= needed) return 'lasting';
  return available === 0 ? 'none-available' : 'min-available';
}

/** As JSON writes it. */
function quoted(text: string): string {
  return PLAIN.test(text) ? `"${text}"` : JSON.stringify(text);
}

/** Printable ASCII, and nothing in it that is to be escaped. */
const PLAIN = /^[ !#-[\]-~]*$/;

function editView({ ip, port, edit }: Explanation['edited'][number]) {
  return { ip, port, edit };
}

function drainView({ ip, port, drain: { reason, since, until } }: Drained) {
  return { ip, port, reason, since: new Date(since).toISOString(), until: new Date(until).toISOString() };
}

function checkView({ ip, port, trouble }: Troubled) {
  const { type, verdict, reason } = trouble;
  return { ip, port, check: type, verdict, reason };
}

// Not by way of arguments, here and below: there may be more instances than a call can have.
function greatest(numbers: readonly number[]): number {
  return numbers.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
}

function least(numbers: readonly number[]): number {
  return numbers.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
}
