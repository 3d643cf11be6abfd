import type { Client, ClientFlags } from './client/connection-flags.ts';
import { inWords } from './client/duration.ts';
import { EXIT, type ExitCode } from './client/failures.ts';
import { addressIn, type Fields, fieldsOf, numberIn, textIn, timeIn, truthIn } from './client/fields.ts';
import { jsonLinesFrom } from './client/http.ts';
import { plainName } from './client/instance-place.ts';
import type { Cell } from './client/table.ts';

/** What `beatbridge instances` is told. */
export interface InstancesFlags extends ClientFlags {
  readonly namespace?: string;
  readonly group?: string;
  readonly wide?: boolean;
}

/** Every instance of a service, and how it is. */
export async function instances({ target, output, now }: Client, name: string, flags: InstancesFlags): Promise<ExitCode> {
  const named = plainName(name, flags);
  const found: Fields[] = [];
  const query = { service: named.service, namespace: named.namespace, group: named.group };
  for await (const line of jsonLinesFrom(target, { method: 'GET', path: '/instances', query })) found.push(fieldsOf(line));
  if (output.isJson) output.json(found);
  else if (found.length === 0) output.note(`${name} has no instances`);
  else
    output.table(
      flags.wide ? [...COLUMNS, { name: 'METADATA' }] : COLUMNS,
      found.map((one) => rowOf(one, now())),
    );
  return EXIT.ok;
}

const COLUMNS = [
  { name: 'INSTANCE' },
  { name: 'HEALTHY' },
  { name: 'ENABLED' },
  { name: 'WEIGHT', isNumber: true },
  { name: 'CLUSTER' },
  { name: 'KIND' },
  { name: 'LAST BEAT', isNumber: true },
  { name: 'CLIENT' },
  { name: 'FROM' },
] as const;

function rowOf(instance: Fields, now: number): readonly Cell[] {
  const metadata = Object.entries(fieldsOf(instance.metadata)).map(([key, value]) => `${key}=${String(value)}`);
  const edit = fieldsOf(instance.edit);
  const from = textIn(instance, 'heardFrom') ?? '';
  return [
    addressIn(instance),
    yesOrNo(truthIn(instance, 'healthy')),
    'drain' in instance
      ? { text: 'drained', colour: 'yellow' }
      : marked(yesOrNo(truthIn(instance, 'enabled')), 'enabled' in edit),
    marked(String(numberIn(instance, 'weight') ?? ''), 'weight' in edit),
    textIn(instance, 'cluster') ?? '',
    kindOf(instance),
    beatOf(instance, now),
    textIn(instance, 'client') ?? '',
    from === textIn(instance, 'ip') ? '' : from,
    metadata.join(' '),
  ];
}

function yesOrNo(is: boolean | undefined): Cell {
  if (is === undefined) return '';
  return is ? 'yes' : { text: 'no', colour: 'red' };
}

/** An operator's word, and not the client's. */
function marked(cell: Cell, isEdited: boolean): Cell {
  if (!isEdited) return cell;
  return typeof cell === 'string' ? `${cell}*` : { ...cell, text: `${cell.text}*` };
}

function kindOf(instance: Fields): string {
  if (truthIn(instance, 'ephemeral') === false) return 'persistent';
  return truthIn(instance, 'held') ? 'connection' : 'beats';
}

function beatOf(instance: Fields, now: number): string {
  if (truthIn(instance, 'held')) return 'held';
  const at = timeIn(instance, 'lastBeatAt');
  return at === undefined ? '-' : inWords(now - at);
}
