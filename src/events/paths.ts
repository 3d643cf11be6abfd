import { answerJson, answerText, atItsTurn, ConnectionClosed, written } from '../wire/answer.ts';
import { headerOf, queryOf, type Request, type Response, type Serve } from '../wire/exchange.ts';
import type { OpenAnswers } from '../wire/open-answers.ts';
import type { Cancel, Scheduler } from '../wire/scheduler.ts';
import type { History } from './history.ts';
import { type EventQuery, isAskedFor, type QueryDefaults, readQuery } from './query.ts';
import type { EventRecord } from './record.ts';
import { viewOf } from './view.ts';

/**
 * `/events` on the wire: what has happened, a line of JSON each, the oldest first; and the same as server-sent events that go on, from
 * where a reader was when it lost its connection.
 */
export interface EventPathsOptions extends QueryDefaults {
  readonly history: History;
  readonly openAnswers: OpenAnswers;
  readonly scheduler: Pick<Scheduler, 'after'>;
  /** Who asks, and what he may hear of. */
  readonly listenerOf: (req: Request, res: Response) => EventListener;
  /** Aborted when all streams are to end. */
  readonly shutdown: AbortSignal;
}

/** Whether whoever asks may hear of what happened: the composition root says so. */
export interface EventListener {
  /** Why not, once it has been answered; else what of it. */
  readonly admitted: () => Admitted | Promise<Admitted>;
  /** Calls `end` once nothing more may be told. */
  readonly follow: (end: () => void) => Cancel;
}

export type Admitted =
  | { readonly isAnswered: true }
  | { readonly isAnswered: false; readonly mayHear: (record: EventRecord) => boolean };

const PATH = '/events';

/** Who answers on a path, if it is this one. */
export function eventPaths(options: EventPathsOptions): (path: string) => Serve | undefined {
  const serve: Serve = (req, res) => answerEvents(req, res, options);
  return (path) => (path === PATH ? serve : undefined);
}

function answerEvents(req: Request, res: Response, options: EventPathsOptions): void | Promise<void> {
  req.resume();
  if (req.method !== 'GET' && req.method !== 'HEAD') {
    res.setHeader('Allow', 'GET, HEAD');
    answerText(res, 405, 'GET or HEAD\n');
    return;
  }
  const query = readQuery(queryOf(req), options);
  if (typeof query === 'string') {
    answerJson(res, 400, { reason: query });
    return;
  }
  const listener = options.listenerOf(req, res);
  const admitted = listener.admitted();
  const told = (said: Admitted): void | Promise<void> => {
    if (said.isAnswered) return;
    if (req.method === 'GET' && wantsStream(req)) return stream(req, res, { ...options, query, listener, mayHear: said.mayHear });
    answerLines(res, options.history, query, said.mayHear);
  };
  return admitted instanceof Promise ? admitted.then(told) : told(admitted);
}

function wantsStream(req: Request): boolean {
  if (/\btext\/event-stream\b/i.test(headerOf(req, 'accept'))) return true;
  return new URLSearchParams(queryOf(req)).has('follow');
}

/** The last that are asked for, the oldest of them first. */
function found(history: History, query: EventQuery, mayHear: (record: EventRecord) => boolean): readonly EventRecord[] {
  const records: EventRecord[] = [];
  for (const record of history.latest()) {
    if (records.length >= query.limit) break;
    if (isAskedFor(record, query) && mayHear(record)) records.push(record);
  }
  // Of a service more is kept than of all together.
  if (query.service !== undefined && records.length < query.limit) {
    const oldest = records.at(-1)?.seq ?? Number.POSITIVE_INFINITY;
    for (const record of history.lastOf(query.service).toReversed())
      if (record.seq < oldest && records.length < query.limit && isAskedFor(record, query) && mayHear(record))
        records.push(record);
  }
  return records.reverse();
}

function answerLines(res: Response, history: History, query: EventQuery, mayHear: (record: EventRecord) => boolean): void {
  const lines = found(history, query, mayHear).map((record) => `${JSON.stringify(viewOf(record))}\n`);
  res.statusCode = 200;
  res.setHeader('Content-Type', 'application/x-ndjson');
  res.setHeader('Cache-Control', 'no-store');
  res.end(lines.join(''));
}

/** Proxies cut what says nothing for a minute. */
const COMMENT_AFTER_MS = 15_000;
/** What is told at once of what a reader has missed. */
const AT_ONCE = 100;

interface StreamOptions extends EventPathsOptions {
  readonly query: EventQuery;
  readonly listener: EventListener;
  readonly mayHear: (record: EventRecord) => boolean;
}

/**
 * Nothing queues up for a slow reader: it is told from the history at its own pace. Where that is too slow, and what it is to hear next is
 * kept no more, it is told how much it has missed.
 */
async function stream(req: Request, res: Response, options: StreamOptions): Promise<void> {
  const { history, openAnswers, scheduler, shutdown, query, listener, mayHear } = options;
  await new Promise<void>((resolve) => atItsTurn(res, resolve));
  openAnswers.add(res);
  let wake = () => {};
  let isOver = false;
  const end = () => {
    isOver = true;
    wake();
  };
  const unfollow = listener.follow(end);
  const stopHearing = history.onEvent(() => wake());
  let cancelComment = () => {};
  const say = (text: string) => {
    cancelComment();
    cancelComment = scheduler.after(COMMENT_AFTER_MS, () => void say(':\n\n').catch(() => {}));
    return written(res, text);
  };
  res.once('close', end);
  shutdown.addEventListener('abort', end);
  try {
    res.statusCode = 200;
    res.setHeader('Content-Type', 'text/event-stream');
    res.setHeader('Cache-Control', 'no-store');
    let last = lastOf(req, history, query);
    await say(': what happens from now on\n\n');
    while (!isOver && !res.destroyed) {
      const heard = next(history, last);
      if (heard.text === undefined) {
        await new Promise<void>((resolve) => {
          wake = resolve;
          // What came while the last was written.
          if (history.lastSeq > heard.last || isOver) resolve();
        });
      } else await say(heard.text);
      last = heard.last;
    }
    res.end();
  } catch (error) {
    if (!(error instanceof ConnectionClosed)) throw error;
  } finally {
    cancelComment();
    unfollow();
    stopHearing();
    shutdown.removeEventListener('abort', end);
  }

  /** What is to be said next, undefined when there is nothing; and up to which record that is. */
  function next(from: History, after: number): { readonly text: string | undefined; readonly last: number } {
    const missed = from.oldestSeq - 1 - after;
    let [text, to, count] = [missed > 0 ? `event: missed\ndata: {"count":${missed}}\n\n` : '', after, 0];
    for (const record of from.after(after)) {
      to = record.seq;
      if (!isAskedFor(record, query) || !mayHear(record)) continue;
      text += `id: ${record.seq}\ndata: ${JSON.stringify(viewOf(record))}\n\n`;
      if (++count >= AT_ONCE) break;
    }
    return { text: text === '' ? undefined : text, last: to };
  }
}

/** From where it goes on: where the reader was, or what it asks for of the past, or now. */
function lastOf(req: Request, history: History, query: EventQuery): number {
  const said = headerOf(req, 'last-event-id');
  if (/^\d{1,15}$/.test(said) && Number(said) <= history.lastSeq) return Number(said);
  if (query.since === undefined) return history.lastSeq;
  for (const record of history.after(0)) if (record.at >= query.since) return record.seq - 1;
  return history.lastSeq;
}
