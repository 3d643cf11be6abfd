import { BEGUN } from './again.ts';
import type { Client } from './connection-flags.ts';
import { CallError } from './failures.ts';
import { type Fields, fieldsOf, numberIn, textIn } from './fields.ts';
import { ask, jsonLinesFrom, refusalOf } from './http.ts';
import { serverEvents } from './server-events.ts';

/** `/events` of a server, as a client reads it. */

export type EventQuery = Readonly<Record<string, string | undefined>>;

const PATH = '/events';

/** What happened, as far as it is asked for and kept, the oldest first. */
export async function* pastEvents({ target }: Client, query: EventQuery): AsyncGenerator<Fields, void> {
  for await (const line of jsonLinesFrom(target, { method: 'GET', path: PATH, query })) yield fieldsOf(line);
}

/** The number of whatever has happened last: what comes after it is not missed, while what came before is told. */
export async function lastNumber(client: Client): Promise<number> {
  let last = 0;
  for await (const record of pastEvents(client, { limit: '1' })) last = numberIn(record, 'seq') ?? last;
  return last;
}

/** How far a reader of events has come. */
export class Place {
  last: number;
  /** Of the last that was heard of; of none before, when it began to listen. */
  #at: string;
  #isBegun = false;

  constructor(last: number, now: number) {
    this.last = last;
    this.#at = new Date(now).toISOString();
  }

  /** A server that counts anew does not know the number: then it goes on from the time. */
  begin(): EventQuery {
    const query = this.#isBegun ? { since: this.#at } : {};
    this.#isBegun = true;
    return query;
  }

  note(record: Fields, id: string | undefined): void {
    this.last = Number(id ?? numberIn(record, 'seq') ?? this.last);
    this.#at = textIn(record, 'at') ?? this.#at;
  }
}

/** What happens from that place on, which moves on with it, until the connection ends. */
export async function* eventsFrom(
  { target, output }: Client,
  query: EventQuery,
  place: Place,
  signal: AbortSignal,
): AsyncGenerator<Fields | typeof BEGUN, void> {
  const call = {
    method: 'GET',
    path: PATH,
    query: { ...query, follow: '', ...place.begin() },
    headers: { accept: 'text/event-stream', 'last-event-id': String(place.last) },
    isEndless: true,
    signal,
  } as const;
  const answer = await ask(target, call);
  if (answer.status !== 200) throw refusalOf(target, call, answer, await answer.text());
  yield BEGUN;
  for await (const { event, id, data } of serverEvents(answer)) {
    const record = parsed(data);
    if (event === 'missed') output.note(`${numberIn(record, 'count') ?? 'some'} events were missed: they are kept no more`);
    if (event !== 'message') continue;
    place.note(record, id);
    yield record;
  }
}

function parsed(data: string): Fields {
  try {
    return fieldsOf(JSON.parse(data));
  } catch {
    throw new CallError('an event is no JSON');
  }
}
