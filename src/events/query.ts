import { parseServiceName, type ServiceName } from '../registry/service-name.ts';
import { CAUSES } from './causes.ts';
import type { EventRecord } from './record.ts';

/** What somebody wants to hear of what has happened. */
export interface EventQuery {
  readonly service: ServiceName | undefined;
  readonly namespace: string | undefined;
  readonly causes: ReadonlySet<string> | undefined;
  /** Not what happened before: milliseconds since 1970. */
  readonly since: number | undefined;
  readonly limit: number;
}

export interface QueryDefaults {
  readonly namespace: string;
  readonly group: string;
  readonly wallClock: () => number;
}

/** In one answer. */
export const MOST_TOLD = 10_000;
const TOLD = 1_000;
const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Reads `service=[GROUP@@]NAME&namespace=ID&cause=A,B&since=1h|TIME&limit=N`. A text: why it cannot. */
export function readQuery(query: string, { namespace: home, group, wallClock }: QueryDefaults): EventQuery | string {
  const params = new URLSearchParams(query);
  for (const name of params.keys())
    if (!KNOWN.has(name)) return `${JSON.stringify(name.slice(0, 100))} is not known: ${[...KNOWN].join(', ')}`;
  const namespace = params.get('namespace') ?? undefined;
  const said = params.get('service');
  const service = said === null ? undefined : parseServiceName(said, namespace ?? home, group);
  if (said !== null && service === undefined) return 'service must be NAME or GROUP@@NAME';
  const when = params.get('since');
  const since = when === null ? undefined : timeSaid(when, wallClock());
  if (when !== null && since === undefined)
    return 'since must be a time such as 2026-01-31T12:00:00Z, or how long ago: 90s, 15m, 1h';
  const limit = Number(params.get('limit') ?? TOLD);
  if (!Number.isInteger(limit) || limit < 1 || limit > MOST_TOLD) return `limit must be 1..${MOST_TOLD}`;
  const causes = params.get('cause')?.split(',');
  const odd = causes?.find((cause) => !Object.hasOwn(CAUSES, cause));
  if (odd !== undefined) return `cause ${JSON.stringify(odd.slice(0, 100))} is not known: ${Object.keys(CAUSES).join(', ')}`;
  return { service, namespace, causes: causes && new Set(causes), since, limit };
}

const KNOWN: ReadonlySet<string> = new Set(['service', 'namespace', 'cause', 'since', 'limit', 'follow']);

/** A time, or how long before `now`; undefined: it is neither. */
export function timeSaid(said: string, now: number): number | undefined {
  const [, count = '', unit = ''] = /^(\d{1,9})(ms|s|m|h|d)$/.exec(said) ?? [];
  const ago = UNITS[unit];
  if (ago !== undefined) return now - Number(count) * ago;
  const time = /^\d{4}-\d\d-\d\d/.test(said) ? Date.parse(said) : Number.NaN;
  return Number.isNaN(time) ? undefined : time;
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
