import { atItsTurn, ConnectionClosed, written } from '../wire/answer.ts';
import type { Request, Response } from '../wire/exchange.ts';
import { AT_ONCE, found, Pieces, type Reading } from './reading.ts';
import type { EventRecord } from './record.ts';

/** Places for those who are told the past: each costs a piece of the answer, and some time of each turn. */
export interface Places {
  /** Whether there is one. Else it has been answered. */
  readonly take: (req: Request, res: Response) => boolean;
  readonly leave: () => void;
}

/** The last that are asked for, a line of JSON each, the oldest first: written as fast as it is read, and nothing of it waits in memory. */
export async function answerLines(req: Request, res: Response, reading: Reading, places: Places): Promise<void> {
  // Only then: whoever leaves before that would keep a place for ever.
  await new Promise<void>((resolve) => atItsTurn(res, resolve));
  if (!places.take(req, res)) return;
  reading.openAnswers.add(res);
  try {
    res.statusCode = 200;
    res.setHeader('Content-Type', 'application/x-ndjson');
    res.setHeader('Cache-Control', 'no-store');
    if (req.method !== 'HEAD') await writeLines(res, reading);
    res.end();
  } catch (error) {
    if (!(error instanceof ConnectionClosed)) throw error;
  } finally {
    places.leave();
  }
}

async function writeLines(res: Response, reading: Reading): Promise<void> {
  const { turns, texts, scheduler } = reading;
  // Not the records: those that are kept no more by the time that they are read are left out.
  const seqs = await found(reading, reading.query.limit ?? TOLD, () => res.destroyed);
  const pieces = new Pieces();
  const isWritten = () => seqs.length === 0 && pieces.isEmpty;
  const part = async () => {
    for (let looks = 0; looks < AT_ONCE && !pieces.isFull; looks++) {
      const seq = seqs.pop();
      if (seq === undefined) break;
      const record = recordOf(seq, reading);
      if (record !== undefined) pieces.add(texts.of(record).line);
    }
    if (!pieces.isFull && seqs.length > 0) return;
    const cancel = scheduler.after(TAKEN_WITHIN_MS, () => res.destroy());
    try {
      if (!pieces.isEmpty) await written(res, pieces.take());
    } finally {
      cancel();
    }
  };
  while (!isWritten()) await turns.next(part);
}

function recordOf(seq: number, { history, query: { service } }: Reading): EventRecord | undefined {
  return history.find(seq) ?? (service && history.lastOf(service).find((record) => record.seq === seq));
}

/** Unless it is said how many. */
const TOLD = 1_000;
/** Whoever takes nothing for so long is in the way of others. */
const TAKEN_WITHIN_MS = 30_000;
