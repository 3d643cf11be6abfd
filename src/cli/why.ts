import { adviceFor } from './client/advice.ts';
import type { Client, ClientFlags } from './client/connection-flags.ts';
import { inWords } from './client/duration.ts';
import { eventLine } from './client/event-line.ts';
import { CallError, EXIT, type ExitCode } from './client/failures.ts';
import { addressIn, type Fields, fieldsOf, listIn, numberIn, textIn, timeIn, withoutUsualGroup } from './client/fields.ts';
import { pastEvents } from './client/following.ts';
import { ask, refusalOf } from './client/http.ts';
import { type Named, partsOf } from './client/names.ts';
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
  const word = status === 'SERVICE_UNKNOWN' ? 'is not known' : `is ${status}`;
  output.line(
    `${named.service === '' ? 'the server' : named.service} ${word}: ${textIn(told, 'reason') ?? ''}`,
    colourOf(status),
  );
  for (const service of services) sinceOf(client, service, services.length > 1);
  const failing = listIn(told, 'failing');
  if (failing.length > 0) {
    output.line();
    output.table(
      COLUMNS,
      failing.map((one) => rowOf(one, now())),
    );
    const more = (numberIn(told, 'failingCount') ?? 0) - failing.length;
    if (more > 0) output.line(`and ${more} more`);
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
  const advice = adviceOf(status, failing, services);
  if (advice.length === 0) return;
  output.line();
  output.line('what to do:', 'bold');
  for (const one of advice) output.line(`  ${one}`);
}

function sinceOf({ output, now }: Client, service: Fields, isOneOfMany: boolean): void {
  const exact = timeIn(service, 'since');
  const at = exact ?? timeIn(service, 'atLeastSince');
  const [event] = listIn(service, 'events')
    .toReversed()
    .filter((one) => textIn(one, 'kind') === 'service' && textIn(one, 'to') !== undefined);
  const counts = fieldsOf(service.instances);
  const name = isOneOfMany ? `${withoutUsualGroup(textIn(service, 'service') ?? '')} is ${textIn(service, 'status') ?? ''} ` : '';
  const cause = event === undefined ? '' : `, by ${textIn(event, 'cause') ?? ''}`;
  if (at !== undefined)
    output.line(
      `${name}${exact === undefined ? 'since before' : 'since'} ${new Date(at).toISOString()} (${inWords(now() - at)})${cause}`,
    );
  const [available, total, needed] = ['available', 'total', 'needed'].map((key) => numberIn(counts, key));
  if (total !== undefined) output.line(`${name}has ${total} instances, ${available} of them available; ${needed} must be`);
}

const COLUMNS = [
  { name: 'INSTANCE' },
  { name: 'CAUSE' },
  { name: 'FOR', isNumber: true },
  { name: 'LAST BEAT', isNumber: true },
  { name: 'FROM' },
  { name: 'CLIENT' },
  { name: 'REASON' },
] as const;

function rowOf(failing: Fields, now: number) {
  const ago = (key: string) => {
    const at = timeIn(failing, key);
    return at === undefined ? '-' : inWords(now - at);
  };
  const [cause, from, agent, reason] = ['cause', 'heardFrom', 'client', 'reason'].map((key) => textIn(failing, key) ?? '');
  return [
    addressIn(failing),
    { text: cause ?? '', colour: 'red' as const },
    ago('since'),
    ago('lastBeatAt'),
    from ?? '',
    agent ?? '',
    reason ?? '',
  ];
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
function adviceOf(status: string, failing: readonly Fields[], services: readonly Fields[]): readonly string[] {
  if (status === 'SERVICE_UNKNOWN')
    return [
      'see whether the name is right (beatbridge list), and whether namespace and group are: NAME?namespace=N&group=G',
      'see whether its instances register here, and are let in: beatbridge events --cause refused',
    ];
  const causes = new Map<string, number>();
  for (const one of failing) causes.set(textIn(one, 'cause') ?? '', (causes.get(textIn(one, 'cause') ?? '') ?? 0) + 1);
  const advice = [...causes]
    .sort(([, a], [, b]) => b - a)
    .flatMap(([cause, count]) => {
      const said = adviceFor(cause);
      return said === undefined ? [] : [`${cause} (${count}): ${said}`];
    });
  if (advice.length > 0 || status === 'SERVING') return advice;
  // As far as counts tell, where nobody says who fails.
  return services.flatMap((service) => adviceByCounts(service));
}

function adviceByCounts(service: Fields): readonly string[] {
  const counts = fieldsOf(service.instances);
  const [total = 0, healthy = 0, enabled = 0, available = 0, needed = 1] = [
    'total',
    'healthy',
    'enabled',
    'available',
    'needed',
  ].map((key) => numberIn(counts, key));
  if (total === 0) return ['it has no instance: start one, or see whether it registers elsewhere (another namespace or group)'];
  return [
    ...(healthy < total ? [`${total - healthy} are unhealthy: ${adviceFor('silent')}`] : []),
    ...(enabled < total ? [`${total - enabled} are disabled: ${adviceFor('disabled')}`] : []),
    ...(available > 0 && available < needed
      ? [`${needed} must be available (health.min-available): start more, or ask for fewer`]
      : []),
  ];
}
