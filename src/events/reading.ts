import type { OpenAnswers } from '../wire/open-answers.ts';
import type { Scheduler } from '../wire/scheduler.ts';
import type { SharedTurns } from '../wire/shared-turns.ts';
import type { History } from './history.ts';
import { type EventQuery, isAskedFor } from './query.ts';
import type { EventRecord } from './record.ts';
import type { RecordTexts } from './record-texts.ts';

/** What whoever is told of events has in common with others who are. */
export interface Reading {
  readonly history: History;
  readonly texts: RecordTexts;
  readonly turns: SharedTurns;
  readonly openAnswers: OpenAnswers;
  readonly scheduler: Pick<Scheduler, 'after'>;
  readonly query: EventQuery;
  readonly mayHear: (record: EventRecord) => boolean;
}

/** Records that are looked at, or told, before others have their turn. */
export const AT_ONCE = 500;

/** The numbers of the last that are asked for, at most so many, the newest first. Nothing more, where nobody waits for it any more. */
export async function found(reading: Reading, limit: number, hasLeft: () => boolean): Promise<number[]> {
  const { history, turns, query, mayHear } = reading;
  const seqs: number[] = [];
  const look = (record: EventRecord) => {
    if (isAskedFor(record, query) && mayHear(record)) seqs.push(record.seq);
  };
  let before = Number.POSITIVE_INFINITY;
  // Whether there is more to look at.
  const part = () => {
    let looks = 0;
    for (const record of history.latest(before)) {
      if (seqs.length >= limit || hasLeft()) return false;
      if (looks++ >= AT_ONCE) return true;
      before = record.seq;
      look(record);
    }
    return false;
  };
  while (await turns.next(part));
  // Of a service more is kept than of all together.
  if (query.service !== undefined)
    for (const record of history.lastOf(query.service).toReversed()) if (record.seq < before && seqs.length < limit) look(record);
  return seqs;
}

/** Bytes that are to be written, some at a time, however long one of the texts is. */
export class Pieces {
  #texts: Buffer[] = [];
  #bytes = 0;

  get isEmpty(): boolean {
    return this.#bytes === 0;
  }

  /** Whether there is enough for a piece. */
  get isFull(): boolean {
    return this.#bytes >= PIECE_BYTES;
  }

  add(text: Buffer): void {
    this.#texts.push(text);
    this.#bytes += text.length;
  }

  take(): Buffer {
    const [first] = this.#texts;
    const all = first !== undefined && this.#texts.length === 1 ? first : Buffer.concat(this.#texts);
    const rest = all.subarray(PIECE_BYTES);
    this.#texts = rest.length === 0 ? [] : [rest];
    this.#bytes = rest.length;
    return all.subarray(0, PIECE_BYTES);
  }
}

const PIECE_BYTES = 64 << 10;
