import { parseServiceName, type ServiceName } from '../registry/service-name.ts';
import { suggestion } from '../suggestion.ts';
import { CAUSES } from './causes.ts';
import type { EventRecord } from './record.ts';

/** What somebody wants to hear of what has happened. */
export interface EventQuery {
  readonly service: ServiceName | undefined;
  readonly namespace: string | undefined;
  readonly causes: ReadonlySet<string> | undefined;
  /** Not what happened before: milliseconds since 1970. */
  readonly since: number | undefined;
  /** At most so many of what has happened already, the latest; undefined: it has not been said. */
  readonly limit: number | undefined;
  /** Whether it is to go on; undefined: it has not been said. */
  readonly follow: boolean | undefined;
}

export interface QueryDefaults {
  readonly namespace: string;
  readonly group: string;
  readonly wallClock: () => number;
}

const MOST_TOLD = 10_000;
const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Reads `service=[GROUP@@]NAME&namespace=ID&cause=A,B&since=1h|TIME&limit=N&follow`. A text: why it cannot. */
export function readQuery(query: string, { namespace: home, group, wallClock }: QueryDefaults): EventQuery | string {
  const params = new URLSearchParams(query);
  for (const name of params.keys())
    if (!KNOWN.has(name)) return `${JSON.stringify(name.slice(0, 100))} is not known: ${[...KNOWN].join(', ')}`;
  // As in the lists of services: left blank, it is not said.
  const namespace = params.get('namespace') || undefined;
  const said = params.get('service');
  const service = said === null ? undefined : parseServiceName(said, namespace ?? home, group);
  if (said !== null && service === undefined) return 'service must be NAME or GROUP@@NAME';
  const since = sinceOf(params.get('since'), wallClock());
  if (since === null) return 'since must be a time such as 2026-01-31T12:00:00Z, or how long ago: 90s, 15m, 1h';
  const limit = limitOf(params.get('limit'));
  if (limit === null) return `limit must be 1..${MOST_TOLD}`;
  const causes = params.get('cause')?.split(',');
  const unknown = causes?.find((cause) => !CAUSE_NAMES.includes(cause));
  if (unknown !== undefined)
    return `cause must not be ${JSON.stringify(unknown.slice(0, 100))}${suggestion(unknown, CAUSE_NAMES) || `: ${CAUSE_NAMES.join(', ')}`}`;
  const follow = params.get('follow') ?? undefined;
  if (follow !== undefined && !FOLLOWS.includes(follow)) return 'follow must be true, false, or nothing, which is true';
  return {
    service,
    namespace,
    causes: causes && new Set(causes),
    since,
    limit,
    follow: follow === undefined ? undefined : follow !== 'false',
  };
}

const FOLLOWS: readonly string[] = ['', 'true', 'false'];
const CAUSE_NAMES: readonly string[] = Object.keys(CAUSES);
const KNOWN: ReadonlySet<string> = new Set(['service', 'namespace', 'cause', 'since', 'limit', 'follow']);

/** Null: it is neither. */
function sinceOf(said: string | null, now: number): number | undefined | null {
  if (said === null) return undefined;
  const [, count = '', unit = ''] = /^(\d{1,9})(ms|s|m|h|d)$/.exec(said) ?? [];
  const ago = UNITS[unit];
  return ago === undefined ? timeOf(said) : now - Number(count) * ago;
}

/** Null: it is no time that there has been or will be. */
function timeOf(said: string): number | null {
  const [, date = '', rest = ''] = TIME.exec(said) ?? [];
  // The 31st of February would be another day, in a month that nobody has asked for.
  const day = Date.parse(`${date}T00:00:00Z`);
  if (Number.isNaN(day) || !new Date(day).toISOString().startsWith(date)) return null;
  // A plus that was not escaped has come as a blank.
  const time = Date.parse(rest === '' ? date : `${date}T${rest.replace(' ', '+')}`);
  return Number.isNaN(time) ? null : time;
}

const TIME = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+ -]\d\d:\d\d)?))?$/;

/** Null: it is no such number. */
function limitOf(said: string | null): number | undefined | null {
  if (said === null) return undefined;
  const limit = /^\d{1,9}$/.test(said) ? Number(said) : 0;
  return limit < 1 || limit > MOST_TOLD ? null : limit;
}

/** Whether it is one of those that are asked for; how many, the caller counts. */
export function isAskedFor(record: EventRecord, { service, namespace, causes, since }: EventQuery): boolean {
  if (since !== undefined && record.at < since) return false;
  if (causes !== undefined && !causes.has(record.cause)) return false;
  if (namespace !== undefined && record.service?.namespace !== namespace) return false;
  if (service === undefined) return true;
  const { service: of } = record;
  return of !== undefined && of.namespace === service.namespace && of.group === service.group && of.name === service.name;
}
