import { again } from './client/again.ts';
import type { Client, ClientFlags } from './client/connection-flags.ts';
import { eventLine } from './client/event-line.ts';
import { EXIT, type ExitCode, UsageError } from './client/failures.ts';
import { type Fields, numberIn } from './client/fields.ts';
import { eventsFrom, lastNumber, Place, pastEvents } from './client/following.ts';
import { endWhenUnread } from './streams.ts';

/** What `beatbridge events` is told. */
export interface EventsFlags extends ClientFlags {
  readonly follow?: boolean;
  readonly since?: string;
  readonly cause?: string;
  readonly service?: string;
  readonly namespace?: string;
  readonly limit?: string;
}

/** Of the past, before what happens from now on: as tail(1). */
const LAST_FEW = '10';

/** What happened, the oldest first; and what happens from now on, until it is interrupted. */
export async function events(client: Client, flags: EventsFlags): Promise<ExitCode> {
  const { since, cause, service, namespace, limit, follow } = flags;
  if (limit !== undefined && !/^\d{1,5}$/.test(limit))
    throw new UsageError([`--limit must be a number, got ${JSON.stringify(limit.slice(0, 100))}`]);
  if (follow) endWhenUnread();
  const query = { cause, service, namespace };
  const few = follow && since === undefined ? LAST_FEW : undefined;
  const last = follow ? await lastNumber(client) : 0;
  // Those that happened in between are in the past and in the stream.
  const told = new Set<number>();
  if (limit !== '0')
    for await (const record of pastEvents(client, { ...query, since, limit: limit ?? few })) {
      tell(client, record);
      const seq = numberIn(record, 'seq') ?? 0;
      if (seq > last) told.add(seq);
    }
  if (!follow) return EXIT.ok;
  const place = new Place(last, client.now());
  const { signal } = new AbortController();
  const begin = () => eventsFrom(client, query, place, signal);
  for await (const record of again(begin, { note: client.output.note, signal, random: Math.random }))
    if (!told.delete(numberIn(record, 'seq') ?? 0)) tell(client, record);
  return EXIT.ok;
}

function tell({ output }: Client, record: Fields): void {
  if (output.isJson) output.json(record);
  else {
    const { text, colour } = eventLine(record);
    output.line(text, colour);
  }
}
