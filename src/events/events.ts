import type { Logger } from 'pino';
import type { Source } from '../registry/changes.ts';
import type { Difference } from '../registry/differences.ts';
import type { Registry } from '../registry/registry.ts';
import type { LineBudget } from '../wire/line-budget.ts';
import type { Refused } from '../wire/refused.ts';
import type { Scheduler } from '../wire/scheduler.ts';
import { Shares } from '../wire/shares.ts';
import { CAUSES } from './causes.ts';
import { EventLog } from './event-log.ts';
import { Gathering, type GatheringOptions } from './gathering.ts';
import { History } from './history.ts';
import { KeptEvents } from './kept-events.ts';
import type { Detail, EventCause, NewRecord } from './record.ts';
import { Refusals } from './refusals.ts';
import { changedIn } from './told.ts';

/** What happens, from the moment it is told to this room: the one wiring of it. */
export interface Events {
  readonly history: History;
  /** The same, as it is kept over a restart. */
  readonly kept: KeptEvents;
  /** Who is told of what happens as it does, over HTTP. */
  readonly streams: Shares;
  /** All that there are of what happens. */
  readonly causes: readonly string[];
  /** What happened to the process itself, or to whoever asked something of it. */
  readonly note: (cause: EventCause, said?: Pick<NewRecord, 'by' | 'count' | 'detail'>) => void;
  /** An operator has changed what is of no service. */
  readonly changed: (operated: { readonly by: Source; readonly differences: readonly Difference[] }) => void;
  /** From now on. What there is by then is no news. */
  readonly start: () => void;
  readonly stop: () => void;
}

export interface EventsOptions extends Pick<GatheringOptions, 'standingOf' | 'countsOf' | 'onStanding'> {
  readonly registry: Registry;
  readonly scheduler: Scheduler;
  /** Milliseconds since 1970, never going back. */
  readonly wallClock: () => number;
  readonly log: Logger;
  /** How many lines there is room for, also for what others write. */
  readonly lines: LineBudget;
  readonly limits: EventsLimits;
  /** Who is refused what; and what is to be said of it. */
  readonly refused: Refused;
  readonly saidOfRefusal: (reason: string) => Detail | undefined;
}

export interface EventsLimits {
  readonly maxEvents: number;
  readonly maxEventsPerService: number;
  readonly maxEventStreams: number;
  readonly maxEventStreamsPerPeer: number;
}

export function createEvents(options: EventsOptions): Events {
  const { log, limits, scheduler, wallClock, refused, saidOfRefusal: saidOf } = options;
  const history = new History({
    maxEvents: limits.maxEvents,
    maxEventsOfService: limits.maxEventsPerService,
    wallClock,
    onListenerError: (err) => log.error({ err }, 'a listener of events failed'),
  });
  const kept = new KeptEvents(history, limits.maxEvents);
  const gathering = new Gathering({ ...options, history });
  const lines = new EventLog(history, options.lines, log);
  const note: Events['note'] = (cause, said = {}) => void history.add({ kind: 'bridge', cause, ...said });
  const refusals = new Refusals({ scheduler, saidOf, note: (said) => note('refused', said) });
  refused.follow((refusal) => refusals.note(refusal));
  return {
    history,
    kept,
    streams: new Shares({ inAll: limits.maxEventStreams, ofOne: limits.maxEventStreamsPerPeer }),
    causes: Object.keys(CAUSES),
    note,
    changed: ({ by, differences }) => note('configured', { by, detail: changedIn(differences) }),
    start() {
      // Of a life before, and not there any more.
      for (const service of [...history.services()]) if (options.standingOf(service) === 'unknown') history.forget(service);
      gathering.start();
    },
    stop() {
      gathering.stop();
      refusals.stop();
      lines.stop();
      kept.end();
    },
  };
}
