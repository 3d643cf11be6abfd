import type { Logger } from 'pino';
import type { Registry } from '../registry/registry.ts';
import type { Scheduler } from '../wire/scheduler.ts';
import { CAUSES } from './causes.ts';
import { EventLog } from './event-log.ts';
import { Gathering, type GatheringOptions } from './gathering.ts';
import { History } from './history.ts';
import type { EventCause, NewRecord } from './record.ts';

/** What happens, from the moment it is told to this room: the one wiring of it. */
export interface Events {
  readonly history: History;
  /** All that there are of what happens. */
  readonly causes: readonly string[];
  /** What happened to the process itself, or to whoever asked something of it. */
  readonly note: (cause: EventCause, said?: Pick<NewRecord, 'by' | 'count' | 'detail'>) => void;
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
  readonly limits: EventsLimits;
}

export interface EventsLimits {
  readonly maxEvents: number;
  readonly maxEventsPerService: number;
}

export function createEvents(options: EventsOptions): Events {
  const { log, limits, scheduler, wallClock } = options;
  const history = new History({
    maxEvents: limits.maxEvents,
    maxEventsOfService: limits.maxEventsPerService,
    wallClock,
    onListenerError: (err) => log.error({ err }, 'a listener of events failed'),
  });
  const gathering = new Gathering({ ...options, history });
  const lines = new EventLog(history, scheduler, log);
  return {
    history,
    causes: Object.keys(CAUSES),
    note: (cause, said = {}) => void history.add({ kind: 'bridge', cause, ...said }),
    start: () => gathering.start(),
    stop() {
      gathering.stop();
      lines.stop();
    },
  };
}
