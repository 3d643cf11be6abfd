import type { Logger } from 'pino';
import type { Options } from '../options.ts';
import type { Registry } from '../registry/registry.ts';
import type { Clock } from '../wire/clock.ts';
import type { HeldBodies } from '../wire/held-bodies.ts';
import type { Totals } from '../wire/http2/totals.ts';
import type { LineBudget } from '../wire/line-budget.ts';
import type { OpenAnswers } from '../wire/open-answers.ts';
import type { Refused } from '../wire/refused.ts';
import type { RisingClock } from '../wire/rising-clock.ts';
import type { Scheduler } from '../wire/scheduler.ts';
import type { Seats } from '../wire/seats.ts';
import type { Taps } from '../wire/taps.ts';

/** What all rooms are given. */
export interface House {
  readonly options: Options;
  /** A port speaks TLS. */
  readonly hasTls: boolean;
  readonly registry: Registry;
  readonly scheduler: Scheduler;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  readonly risingClock: RisingClock;
  /** Milliseconds since 1970, never going back. */
  readonly wallClock: () => number;
  /** The same as the machine has it, which is put right now and then. */
  readonly machineTime: () => number;
  /** The clock of whoever embeds this, instead of the machine's. */
  readonly clock: Clock | undefined;
  readonly log: Logger;
  /** Of those lines of it of which others decide how many there are. */
  readonly lines: LineBudget;
  readonly openAnswers: OpenAnswers;
  readonly bodies: HeldBodies;
  /** Aborted with the error that calls are to end with. */
  readonly shutdown: AbortController;
  /** Who may be connected. */
  readonly seats: Seats;
  /** What all ports have waiting on HTTP/2, and how often something was refused or ended there. */
  readonly http2Totals: Totals;
  /** How often something else was refused for a limit. */
  readonly refused: Refused;
  /** What is counted where it happens. */
  readonly taps: Taps;
}
