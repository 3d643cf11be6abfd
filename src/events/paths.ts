import { answerJson, answerText } from '../wire/answer.ts';
import { headerOf, ipOf, queryOf, type Request, type Response, type Serve } from '../wire/exchange.ts';
import type { OpenAnswers } from '../wire/open-answers.ts';
import type { Refused } from '../wire/refused.ts';
import type { Cancel, Scheduler } from '../wire/scheduler.ts';
import { SharedTurns } from '../wire/shared-turns.ts';
import type { Shares } from '../wire/shares.ts';
import { answerTooMany, refuserOfStreams } from '../wire/too-many.ts';
import type { History } from './history.ts';
import { answerLines, type Places } from './lines.ts';
import { type EventQuery, type QueryDefaults, readQuery } from './query.ts';
import type { EventRecord } from './record.ts';
import { RecordTexts } from './record-texts.ts';
import { streamEvents } from './stream.ts';

/**
 * `/events` on the wire: what has happened, a line of JSON each, the oldest first; and the same as server-sent events that go on, from
 * where a reader was when it lost its connection.
 */
export interface EventPathsOptions extends QueryDefaults {
  readonly history: History;
  readonly openAnswers: OpenAnswers;
  readonly scheduler: Pick<Scheduler, 'after' | 'soon'>;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  readonly refused: Refused;
  /** Those that go on. */
  readonly streams: Shares;
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
  const room: Room = { ...options, texts: new RecordTexts(), turns: new SharedTurns(options), places: placesOf(options) };
  const serve: Serve = (req, res) => answerEvents(req, res, room);
  return (path) => (path === PATH ? serve : undefined);
}

interface Room extends EventPathsOptions {
  readonly texts: RecordTexts;
  readonly turns: SharedTurns;
  readonly places: Places;
}

function answerEvents(req: Request, res: Response, room: Room): void | Promise<void> {
  req.resume();
  if (req.method !== 'GET' && req.method !== 'HEAD') {
    res.setHeader('Allow', 'GET, HEAD');
    answerText(res, 405, 'GET or HEAD\n');
    return;
  }
  const query = readQuery(queryOf(req), room);
  if (typeof query === 'string') {
    answerJson(res, 400, { reason: query });
    return;
  }
  const listener = room.listenerOf(req, res);
  const admitted = listener.admitted();
  const told = (said: Admitted): void | Promise<void> => {
    if (said.isAnswered) return;
    const reading = { ...room, query, mayHear: said.mayHear };
    if (req.method !== 'GET' || !wantsStream(req, query)) return answerLines(req, res, reading, room.places);
    return streamEvents(req, res, { ...reading, follow: listener.follow, refuse: refuserOfStreams(room.refused) });
  };
  return admitted instanceof Promise ? admitted.then(told) : told(admitted);
}

function wantsStream(req: Request, { follow }: EventQuery): boolean {
  return follow ?? /\btext\/event-stream\b/i.test(headerOf(req, 'accept'));
}

function placesOf({ refused }: EventPathsOptions): Places {
  let open = 0;
  return {
    take(req, res) {
      if (open < MOST_LISTED) open++;
      else {
        refused.count('readers of events', ipOf(req));
        answerTooMany(res, `more than ${MOST_LISTED} read events at once: ask again later`);
        return false;
      }
      return true;
    },
    leave: () => void open--,
  };
}

/** Each is soon done, and has a piece of its answer in memory. */
const MOST_LISTED = 16;
