import { CAUSES } from '../events/causes.ts';
import { adviceFor } from './client/advice.ts';
import type { Client, ClientFlags } from './client/connection-flags.ts';
import { byOf, eventLine, whoOf } from './client/event-line.ts';
import { adviceOn, failingIn, linesOf, pastText } from './client/failing-lines.ts';
import { CallError, EXIT, type ExitCode } from './client/failures.ts';
import { addressIn, type Fields, fieldsOf, listIn, numberIn, textIn, timeIn, withoutUsualGroup } from './client/fields.ts';
import { pastEvents } from './client/following.ts';
import { ask, refusalOf } from './client/http.ts';
import { healthName, type Named, partsOf } from './client/names.ts';
import { colourOf } from './client/status-cell.ts';

/** What `beatbridge why` is told. */
export interface WhyFlags extends ClientFlags {
  readonly namespace?: string;
  readonly group?: string;
}

/** Why a service is what it is: since when, by what, who fails by which cause, what is needed, and what to do. */
export async function why(client: Client, name: string, flags: WhyFlags): Promise<ExitCode> {
  const { output } = client;
  const named = partsOf(name, flags);
  const told = await healthOf(client, named);
  const status = textIn(told, 'status') ?? '';
  if (output.isJson) output.json(told);
  else await explain(client, named, told);
  if (status === 'SERVING') return EXIT.ok;
  return status === 'NOT_SERVING' ? EXIT.notServing : EXIT.failed;
}

async function healthOf({ target }: Client, { service, namespace, group, others }: Named): Promise<Fields> {
  const query = { ...Object.fromEntries(others), namespace, group: service.includes('@@') ? undefined : group };
  const call = { method: 'GET', path: `/health/${encodeURIComponent(service)}`, query } as const;
  const answer = await ask(target, call);
  const text = await answer.text();
  const told = fieldsOf(parsed(text));
  // Whether it serves is said by the status of HTTP too, which is no failure of the call.
  if (![200, 404, 503].includes(answer.status) || textIn(told, 'status') === undefined)
    throw refusalOf(target, call, answer, text);
  return told;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

async function explain(client: Client, named: Named, told: Fields): Promise<void> {
  const { output, now } = client;
  const status = textIn(told, 'status') ?? '';
  const services = listIn(told, 'services');
  output.line(verdictOf(status, named, told), colourOf(status));
  for (const service of services) tellService(client, service, services.length > 1);
  const failing = failingIn(told);
  if (failing.length > 0) {
    const [shown, count] = [failing.slice(0, MOST_SHOWN), Math.max(numberIn(told, 'failingCount') ?? 0, failing.length)];
    const width = shown.reduce((most, one) => Math.max(most, addressIn(one).length), 0);
    output.line();
    output.line('who fails:', 'bold');
    for (const one of shown) for (const line of linesOf(one, width, now(), services.length > 1)) output.line(line);
    if (count > shown.length) output.line(`  and ${count - shown.length} more`);
  }
  const events = await lastEvents(client, named, services);
  if (events.length > 0) {
    output.line();
    output.line('what happened last:', 'bold');
    for (const event of events) {
      const { text, colour } = eventLine(event);
      output.line(`  ${text}`, colour);
    }
  }
  const advice = adviceOf(status, failing, services, now());
  if (advice.length === 0) return;
  output.line();
  output.line('what to do:', 'bold');
  for (const one of advice) output.line(`  ${one}`);
}

const MOST_SHOWN = 20;

/** In one line, what it is and how far it is from serving. */
function verdictOf(status: string, named: Named, told: Fields): string {
  const reason = textIn(told, 'reason') ?? '';
  const services = listIn(told, 'services');
  const [one] = services;
  if (named.service === '') return `the server is ${status}${status === 'SERVING' ? '' : `: ${reason}`}`;
  const name = healthName(named);
  if (one === undefined)
    return `${name} ${status === 'SERVICE_UNKNOWN' ? 'is not known here' : `is ${status}`}${detailOf(reason, 'unknown service')}`;
  if (services.length === 1) return `${name} is ${status}${detailOf(reason, bareName(one))}`;
  const serving = services.filter((service) => textIn(service, 'status') === 'SERVING').length;
  return `${name} is ${status}: it means ${services.length} services, of which ${serving === 0 ? 'none serves' : `${serving} serve${serving === 1 ? 's' : ''}`}`;
}

/** Without what it begins with, which is said already. */
function detailOf(reason: string, name: string): string {
  const detail = reason.startsWith(name) ? reason.slice(name.length).replace(/^:? */, '') : reason;
  return detail === '' ? '' : `: ${detail}`;
}

function bareName(service: Fields): string {
  const name = textIn(service, 'service') ?? '';
  return name.slice(name.indexOf('@@') < 0 ? 0 : name.indexOf('@@') + 2);
}

function tellService({ output, now }: Client, service: Fields, isOneOfMany: boolean): void {
  const exact = timeIn(service, 'since');
  const at = exact ?? timeIn(service, 'atLeastSince');
  const [available, total, needed] = ['available', 'total', 'needed'].map((key) => numberIn(fieldsOf(service.instances), key));
  if (isOneOfMany) {
    const status = textIn(service, 'status') ?? '';
    const counts = total === undefined ? '' : `: ${available} of ${total} instances available, ${needed} needed`;
    output.line();
    output.line(`${withoutUsualGroup(textIn(service, 'service') ?? '')} is ${status}${counts}`, colourOf(status));
  }
  if (at === undefined) return;
  const since = exact === undefined ? 'as far back as is known, since' : 'since';
  output.line(`${since} ${pastText(at, now())}${byWhat(service)}`);
}

/** By which event it came to be as it is. */
function byWhat(service: Fields): string {
  const event = listIn(service, 'events').findLast((one) => textIn(one, 'kind') === 'service' && textIn(one, 'to') !== undefined);
  const cause = event && textIn(event, 'cause');
  if (event === undefined || cause === undefined) return '';
  // Of another version there may be others.
  const words = Object.entries(CAUSES).find(([name]) => name === cause)?.[1].words ?? '';
  const more = words.startsWith(cause) ? words.slice(cause.length).trim() : words;
  const [who, by] = [whoOf(event), byOf(fieldsOf(event.by))];
  return `, by ${cause}${more === '' ? '' : ` (${more})`}${who === '' ? '' : `: ${who}`}${by === '' ? '' : `, ${by}`}`;
}

const EVENTS = 5;

/** As health tells them; a server that does not is asked for them. */
async function lastEvents(
  client: Client,
  { service, namespace, group }: Named,
  services: readonly Fields[],
): Promise<readonly Fields[]> {
  const told = services.flatMap((one) => listIn(one, 'events'));
  if (told.length > 0 || service === '') return told.slice(-EVENTS);
  const found: Fields[] = [];
  const grouped = group === undefined || service.includes('@@') ? service : `${group}@@${service}`;
  try {
    for await (const record of pastEvents(client, { service: grouped, namespace, limit: String(EVENTS) })) found.push(record);
  } catch (error) {
    // Of an older server, or for want of a right: it is explained without.
    if (!(error instanceof CallError)) throw error;
  }
  return found;
}

/** By what is wrong, each once; of one that serves only where something fails. */
function adviceOf(status: string, failing: readonly Fields[], services: readonly Fields[], now: number): readonly string[] {
  if (status === 'SERVICE_UNKNOWN')
    return [
      'see whether the name is right (beatbridge list), and whether namespace and group are: NAME?namespace=N&group=G',
      'see whether its instances register here, and are let in: beatbridge events --cause refused',
    ];
  const advice = adviceOn(failing, now);
  if (status === 'SERVING') return advice;
  // As far as counts tell, of those whom nobody names.
  return [...advice, ...services.flatMap((service) => adviceByCounts(service, failing))];
}

function adviceByCounts(service: Fields, failing: readonly Fields[]): readonly string[] {
  const counts = fieldsOf(service.instances);
  const [total = 0, healthy = 0, enabled = 0, available = 0, needed = 1] = [
    'total',
    'healthy',
    'enabled',
    'available',
    'needed',
  ].map((key) => numberIn(counts, key));
  if (total === 0) return ['it has no instance: start one, or see whether it registers elsewhere (another namespace or group)'];
  // Whoever is drained counts as one that is not enabled.
  const out = Math.max(0, total - enabled - listIn(service, 'drains').length);
  return [
    ...(failing.length === 0 && healthy < total ? [`${total - healthy} are unhealthy: ${adviceFor('silent')}`] : []),
    ...(failing.length === 0 && out > 0
      ? [`${out} are disabled, by an operator or by their own client: beatbridge instances shows which`]
      : []),
    ...(available > 0 && available < needed
      ? [
          `${needed} of ${total} must be available, and ${available} ${available === 1 ? 'is' : 'are'}: ${needed - available} more will do, or ask for fewer (health.min-available)`,
        ]
      : []),
  ];
}
