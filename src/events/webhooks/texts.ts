import { levelOf, wordsOf } from '../causes.ts';
import type { Affected, EventRecord } from '../record.ts';
import { sentenceOf } from '../view.ts';

/** What is told in a chat: lines, of which as many are said as there is room for. */
export interface TextRoom {
  /** Which bridge this is. */
  readonly bridge: string;
  /** To whom it happened. */
  readonly behind: (record: EventRecord) => readonly Affected[];
  /** Whether so much fits. */
  readonly fits: (text: string) => boolean;
}

/** How many names a line has. */
const MOST_NAMES = 8;
const MOST_CHARACTERS_OF_NAME = 80;

/** Grouped: of many services with the same fate there is one line. What does not fit is counted. */
export function textOf(records: readonly EventRecord[], missed: number, room: TextRoom): string {
  const lines = [...grouped(records).values()].map((group) => lineOf(group, room));
  if (missed > 0) lines.unshift(`[!] up to ${missed} events were kept no longer, and are not told here`);
  let text = `beatbridge (${plain(room.bridge)})`;
  let toldOf = 0;
  for (const line of lines) {
    const next = `${text}\n${line}`;
    const left = lines.length - toldOf - 1;
    if (!room.fits(left === 0 ? next : `${next}\n${moreOf(left)}`)) break;
    text = next;
    toldOf++;
  }
  return toldOf < lines.length ? `${text}\n${moreOf(lines.length - toldOf)}` : text;
}

function moreOf(count: number): string {
  return `... and ${count} more: see /events`;
}

function grouped(records: readonly EventRecord[]): ReadonlyMap<string, readonly EventRecord[]> {
  const groups = new Map<string, EventRecord[]>();
  for (const record of records) {
    // What the bridge, or all there is, had to say is a line each.
    const key =
      record.kind === 'service' || record.kind === 'instance' ? `${record.kind} ${record.cause} ${record.to}` : `${record.seq}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [record]);
    else group.push(record);
  }
  return groups;
}

function lineOf(group: readonly EventRecord[], room: TextRoom): string {
  const [first] = group;
  if (first === undefined) return '';
  if (group.length === 1) return oneLine(first, room);
  const names = new Set(group.map(({ service }) => service?.name ?? ''));
  const what = first.kind === 'service' ? 'services' : 'services, by instances';
  return `${markOf(first)} ${names.size} ${what}: ${wordsOf(first)}: ${listOf([...names])} (since ${timeOf(first)})`;
}

function oneLine(record: EventRecord, { behind }: TextRoom): string {
  const { service, counts, by } = record;
  const who = behind(record);
  const heard =
    who.length === 1 && who[0]?.lastBeatAt !== undefined ? `, last beat ${new Date(who[0].lastBeatAt).toISOString()}` : '';
  const whom =
    record.kind === 'service' && who.length > 0 ? `: ${listOf(who.map(({ ip, port }) => `${ip}:${port}`))}${heard}` : '';
  const inAll = counts === undefined ? '' : `; ${counts.available} of ${counts.total} available, ${counts.needed} needed`;
  const source = by?.user ?? by?.peer;
  const from = source === undefined ? '' : `, by ${plain(source)}`;
  const where = service === undefined ? '' : ` in ${plain(service.namespace)}`;
  return `${markOf(record)} ${plain(sentenceOf(record), 300)}${where}${whom}${inAll}${factsOf(record)} (since ${timeOf(record)}${from})`;
}

/** Of the bridge itself, what else there is to know. */
function factsOf({ kind, detail = {} }: EventRecord): string {
  if (kind !== 'bridge') return '';
  const facts = Object.entries(detail).filter(([name]) => name !== 'form');
  return facts.length === 0 ? '' : `: ${facts.map(([name, value]) => `${name} ${plain(String(value), 200)}`).join(', ')}`;
}

function markOf(record: EventRecord): string {
  if (record.kind === 'service' && record.to !== undefined) return MARKS[record.to] ?? '[i]';
  const level = levelOf(record);
  return level === 'warn' || level === 'error' ? '[!]' : '[i]';
}

const MARKS: Readonly<Record<string, string>> = { serving: '[UP]', 'not-serving': '[DOWN]', unknown: '[GONE]' };

function listOf(names: readonly string[]): string {
  const shown = names.slice(0, MOST_NAMES).map((name) => plain(name));
  return names.length > MOST_NAMES ? `${shown.join(', ')} and ${names.length - MOST_NAMES} more` : shown.join(', ');
}

function timeOf({ at }: EventRecord): string {
  return new Date(at).toISOString();
}

/** Names are whatever somebody registered: no mention of anybody, no link, and no second line. */
function plain(text: string, most = MOST_CHARACTERS_OF_NAME): string {
  const short = text.length > most ? `${text.slice(0, most)}…` : text;
  return short
    .replaceAll(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, '?')
    .replaceAll('<', '‹')
    .replaceAll('>', '›')
    .replaceAll('@', '＠');
}
