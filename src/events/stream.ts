import { atItsTurn, ConnectionClosed, written } from '../wire/answer.ts';
import { headerOf, ipOf, type Request, type Response } from '../wire/exchange.ts';
import type { Cancel } from '../wire/scheduler.ts';
import type { Shares } from '../wire/shares.ts';
import { isAskedFor } from './query.ts';
import { AT_ONCE, found, Pieces, type Reading } from './reading.ts';

export interface StreamReading extends Reading {
  /** How many are under way, and from where. */
  readonly streams: Shares;
  /** Answers whoever is one too many. */
  readonly refuse: (req: Request, res: Response, limit: 'in all' | 'of one address') => void;
  /** Calls `end` once nothing more may be told. */
  readonly follow: (end: () => void) => Cancel;
  /** Aborted when all streams are to end. */
  readonly shutdown: AbortSignal;
}

/** Proxies cut what says nothing for a minute. */
const COMMENT_AFTER_MS = 15_000;

/**
 * What happens, as server-sent events. Nothing queues up for a slow reader: it is told from the history at its own pace. Where that is too
 * slow, and what it is to hear next is kept no more, it is told how much it has missed.
 */
export async function streamEvents(req: Request, res: Response, reading: StreamReading): Promise<void> {
  const { streams, refuse, openAnswers } = reading;
  // Only then: whoever leaves before that would keep a place for ever.
  await new Promise<void>((resolve) => atItsTurn(res, resolve));
  const ip = ipOf(req);
  const limit = streams.limitFor(ip);
  if (limit !== undefined) {
    refuse(req, res, limit);
    return;
  }
  streams.add(ip);
  openAnswers.add(res);
  try {
    await tell(req, res, reading);
  } catch (error) {
    if (!(error instanceof ConnectionClosed)) throw error;
  } finally {
    streams.remove(ip);
  }
}

async function tell(req: Request, res: Response, reading: StreamReading): Promise<void> {
  const { history, turns, scheduler, shutdown, follow } = reading;
  let wake = () => {};
  let isOver = false;
  const end = () => {
    isOver = true;
    wake();
  };
  const unfollow = follow(end);
  const stopHearing = history.onEvent(() => wake());
  let cancelComment = () => {};
  let isWriting = false;
  const say = async (text: Buffer | string) => {
    cancelComment();
    cancelComment = scheduler.after(COMMENT_AFTER_MS, comment);
    isWriting = true;
    await written(res, text);
    isWriting = false;
  };
  const story = new Story(reading);
  const comment = () => {
    // Not within an event that has been written in part.
    if (!isWriting && story.isWhole) void say(':\n\n').catch(() => {});
    else cancelComment = scheduler.after(COMMENT_AFTER_MS, comment);
  };
  res.once('close', end);
  shutdown.addEventListener('abort', end);
  try {
    res.statusCode = 200;
    res.setHeader('Content-Type', 'text/event-stream');
    res.setHeader('Cache-Control', 'no-store');
    await say(': what happens from now on\n\n');
    await story.begin(headerOf(req, 'last-event-id'), () => isOver);
    while (!isOver && !res.destroyed) {
      await turns.next(() => {
        const piece = story.next();
        return piece === undefined ? undefined : say(piece);
      });
      if (story.isTold && !isOver)
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
    }
    res.end();
  } finally {
    cancelComment();
    unfollow();
    stopHearing();
    shutdown.removeEventListener('abort', end);
  }
}

/** What one reader is told, and how far it has come. */
class Story {
  readonly #reading: Reading;
  readonly #pieces = new Pieces();
  /** Up to which record. */
  #last: number;

  /** From now on, until it has begun elsewhere. */
  constructor(reading: Reading) {
    this.#reading = reading;
    this.#last = reading.history.lastSeq;
  }

  /** Where the reader was, or with what it asks for of the past. `said`: its Last-Event-ID, or "". */
  async begin(said: string, hasLeft: () => boolean): Promise<void> {
    const { history, query } = this.#reading;
    if (/^\d{1,30}$/.test(said)) {
      this.#last = Number(said);
      if (this.#last <= history.lastSeq) return;
      // Of a life before, of which nothing is known: nor how much of it the reader has not heard.
      this.#pieces.add(MISSED_SOME);
      this.#last = history.oldestSeq - 1;
    } else if (query.since !== undefined) {
      const past = await found(this.#reading, query.limit ?? Number.POSITIVE_INFINITY, hasLeft);
      // Among the last of all, as what is older is of one service alone.
      const first = past.at(-1);
      if (first !== undefined) this.#last = Math.max(first, history.oldestSeq) - 1;
    }
  }

  /** Nothing is left of an event of which a part has been written. */
  get isWhole(): boolean {
    return this.#pieces.isEmpty;
  }

  get isTold(): boolean {
    return this.#pieces.isEmpty && this.#last >= this.#reading.history.lastSeq;
  }

  /** What is to be said next, undefined when there is nothing. */
  next(): Buffer | undefined {
    const { history, query, mayHear, texts } = this.#reading;
    const missed = history.oldestSeq - 1 - this.#last;
    if (missed > 0) {
      this.#pieces.add(Buffer.from(`event: missed\ndata: {"count":${missed}}\n\n`));
      this.#last += missed;
    }
    let looks = 0;
    for (const record of this.#pieces.isFull ? [] : history.after(this.#last)) {
      this.#last = record.seq;
      if (isAskedFor(record, query) && mayHear(record)) this.#pieces.add(texts.of(record).event);
      if (this.#pieces.isFull || ++looks >= AT_ONCE) break;
    }
    return this.#pieces.isEmpty ? undefined : this.#pieces.take();
  }
}

const MISSED_SOME = Buffer.from('event: missed\ndata: {}\n\n');
