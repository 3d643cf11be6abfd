import { BEGUN } from './again.ts';
import type { Client } from './connection-flags.ts';
import { type Fields, fieldsOf, serviceIn, textIn } from './fields.ts';
import { eventsFrom, lastNumber, Place } from './following.ts';
import { jsonLinesFrom } from './http.ts';

/** The status of a service, as it is told. */
export interface Told {
  readonly name: string;
  /** `gone`: it is not known any more. */
  readonly status: string;
  readonly at?: string | undefined;
  readonly cause?: string | undefined;
}

/** All there are: who waits for something of all of them has to have heard of each. */
export interface Listed {
  readonly listed: readonly Told[];
}

interface Part {
  readonly namespace: string | undefined;
  readonly group: string | undefined;
}

const WORDS: Readonly<Record<string, string>> = { serving: 'SERVING', 'not-serving': 'NOT_SERVING', unknown: 'gone' };

/** Of every service what it is, and then what becomes of each, and of those that come, until the connection ends. */
export async function* everyStatus(
  client: Client,
  part: Part,
  signal: AbortSignal,
): AsyncGenerator<Told | Listed | typeof BEGUN, void> {
  // What happens while they are listed is told twice rather than never.
  const place = new Place(await lastNumber(client), client.now());
  const { namespace, group } = part;
  const call = { method: 'GET', path: '/services', query: { namespace, group }, signal } as const;
  const listed: Told[] = [];
  for await (const line of jsonLinesFrom(client.target, call)) {
    const service = fieldsOf(line);
    const [status, at, cause] = ['status', 'since', 'cause'].map((key) => textIn(service, key));
    if (status !== undefined) listed.push({ name: nameOf(service), status, at, cause });
  }
  yield { listed };
  for await (const record of eventsFrom(client, { namespace }, place, signal)) {
    if (record === BEGUN) yield BEGUN;
    else if (textIn(record, 'kind') === 'service' && (group === undefined || textIn(record, 'group') === group)) {
      const status = WORDS[textIn(record, 'to') ?? ''];
      const [at, cause] = ['at', 'cause'].map((key) => textIn(record, key));
      if (status !== undefined) yield { name: nameOf(record), status, at, cause };
    }
  }
}

function nameOf(service: Fields): string {
  const namespace = textIn(service, 'namespace') ?? 'public';
  return namespace === 'public' ? serviceIn(service) : `${namespace}/${serviceIn(service)}`;
}
