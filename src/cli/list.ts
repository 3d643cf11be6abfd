import type { Client, ClientFlags } from './client/connection-flags.ts';
import { inWords } from './client/duration.ts';
import { EXIT, type ExitCode } from './client/failures.ts';
import { type Fields, fieldsOf, numberIn, serviceIn, textIn, timeIn } from './client/fields.ts';
import { jsonLinesFrom } from './client/http.ts';
import { statusCell } from './client/status-cell.ts';

/** What `beatbridge list` is told. */
export interface ListFlags extends ClientFlags {
  readonly failing?: boolean;
  readonly namespace?: string;
  readonly group?: string;
  readonly sort: Order;
}

type Order = 'status' | 'name' | 'since' | 'instances';

/** Every service, with what it is, since when and why. */
export async function list({ target, output, now }: Client, flags: ListFlags): Promise<ExitCode> {
  const { failing, namespace, group, sort } = flags;
  const query = { namespace, group, status: failing ? 'NOT_SERVING' : undefined };
  const found: Fields[] = [];
  for await (const line of jsonLinesFrom(target, { method: 'GET', path: '/services', query })) found.push(fieldsOf(line));
  found.sort(ORDER[sort]);
  if (output.isJson) output.json(found);
  else if (found.length === 0) output.note(failing ? 'no service is failing' : 'there are no services');
  else
    output.table(
      COLUMNS,
      found.map((one) => rowOf(one, now())),
    );
  return EXIT.ok;
}

const COLUMNS = [
  { name: 'NAMESPACE' },
  { name: 'SERVICE' },
  { name: 'STATUS' },
  { name: 'AVAILABLE', isNumber: true },
  { name: 'NEEDED', isNumber: true },
  { name: 'SINCE', isNumber: true },
  { name: 'CAUSE' },
] as const;

function rowOf(service: Fields, now: number) {
  const counts = fieldsOf(service.instances);
  const since = timeIn(service, 'since');
  return [
    textIn(service, 'namespace') ?? '',
    serviceIn(service),
    statusCell(textIn(service, 'status') ?? ''),
    `${numberIn(counts, 'available') ?? '?'}/${numberIn(counts, 'total') ?? '?'}`,
    String(numberIn(counts, 'needed') ?? '?'),
    since === undefined ? '' : inWords(now - since),
    textIn(service, 'cause') ?? '',
  ];
}

type Compare = (a: Fields, b: Fields) => number;

const byName: Compare = (a, b) => compare(textIn(a, 'namespace'), textIn(b, 'namespace')) || compare(serviceIn(a), serviceIn(b));
/** What fails first. */
const byStatus: Compare = (a, b) => rank(a) - rank(b);

/** What is alike in that is by name. */
const ORDER: Readonly<Record<Order, Compare>> = {
  status: (a, b) => byStatus(a, b) || byName(a, b),
  name: byName,
  // What has changed last comes first.
  since: (a, b) => (timeIn(b, 'since') ?? 0) - (timeIn(a, 'since') ?? 0) || byName(a, b),
  instances: (a, b) => totalOf(b) - totalOf(a) || byName(a, b),
};

function rank(service: Fields): number {
  return ['NOT_SERVING', 'SERVICE_UNKNOWN', 'SERVING'].indexOf(textIn(service, 'status') ?? '');
}

function totalOf(service: Fields): number {
  return numberIn(fieldsOf(service.instances), 'total') ?? 0;
}

function compare(a = '', b = ''): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
