import { addressIn, type Fields, fieldsOf, listIn, numberIn, serviceIn, textIn } from './fields.ts';
import type { Colour } from './terminal.ts';

/** An event as it is told to people, in one line: when, what, to whom, why, and on whose word. */
export function eventLine(record: Fields): { readonly text: string; readonly colour: Colour | undefined } {
  const to = textIn(record, 'to');
  const from = textIn(record, 'from');
  const parts = [
    textIn(record, 'at') ?? '',
    subjectOf(record),
    changeOf(from, to),
    textIn(record, 'cause') ?? '',
    whoOf(record),
    countsOf(fieldsOf(record.counts)),
    detailOf(fieldsOf(record.detail)),
    byOf(fieldsOf(record.by)),
  ];
  return { text: parts.filter((part) => part !== '').join('  '), colour: colourOf(record, to) };
}

/** By its words in health, where it is a service. */
const WORDS: Readonly<Record<string, string>> = {
  serving: 'SERVING',
  'not-serving': 'NOT_SERVING',
  unknown: 'SERVICE_UNKNOWN',
};

function changeOf(from: string | undefined, to: string | undefined): string {
  if (to === undefined) return '';
  const word = WORDS[to] ?? to;
  // Of a service that is there for the first time nobody asks what it was.
  return from === undefined || from === 'unknown' ? word : `${WORDS[from] ?? from} -> ${word}`;
}

function colourOf(record: Fields, to: string | undefined): Colour | undefined {
  if (textIn(record, 'kind') !== 'service') return textIn(record, 'kind') === 'instance' ? undefined : 'yellow';
  if (to === 'serving') return 'green';
  return to === 'not-serving' ? 'red' : undefined;
}

function subjectOf(record: Fields): string {
  const service = textIn(record, 'service');
  if (service === undefined) return textIn(record, 'kind') === 'registry' ? '(all)' : '(bridge)';
  const namespace = textIn(record, 'namespace') ?? 'public';
  return namespace === 'public' ? serviceIn(record) : `${namespace}/${serviceIn(record)}`;
}

const MOST_NAMED = 5;

/** Of many, the first few. */
export function whoOf(record: Fields): string {
  const instances = listIn(record, 'instances');
  const count = numberIn(record, 'count') ?? instances.length;
  const named = instances.slice(0, MOST_NAMED).map(addressIn).join(', ');
  if (named === '') return count > 0 ? `${count} instances` : '';
  return count > MOST_NAMED ? `${named} and ${count - MOST_NAMED} more` : named;
}

function countsOf(counts: Fields): string {
  const [available, total, needed] = ['available', 'total', 'needed'].map((key) => numberIn(counts, key));
  return total === undefined ? '' : `${available}/${total} available, ${needed} needed`;
}

function detailOf(detail: Fields): string {
  return Object.entries(detail)
    .map(([key, value]) => `${key}=${typeof value === 'object' ? JSON.stringify(value) : String(value)}`)
    .join(' ');
}

export function byOf(by: Fields): string {
  const parts = ['user', 'peer', 'agent', 'connection'].map((key) => textIn(by, key)).filter((part) => part !== undefined);
  return parts.length === 0 ? '' : `by ${parts.join(' ')}`;
}
