import type { Logger } from 'pino';
import type { Registry } from '../registry/registry.ts';
import type { Cancel, Scheduler } from '../wire/scheduler.ts';

/**
 * Calls the registry's sweep when something is due, and never for silence that the process itself is to blame for: after a stall,
 * deadlines move by the time nobody listened, and nothing expires until the process keeps time again.
 */
export class Sweeper {
  readonly #options: SweeperOptions;
  #stopTicking: Cancel | undefined;
  #lastTick: number;
  #sweepPending = false;
  /** How many ticks in a row came late. */
  #lateTicks = 0;

  constructor(options: SweeperOptions) {
    this.#options = options;
    this.#lastTick = options.now();
  }

  start(): void {
    const { scheduler, now } = this.#options;
    this.#lastTick = now();
    this.#stopTicking = scheduler.every(TICK_MS, () => this.#tick());
  }

  stop(): void {
    this.#stopTicking?.();
  }

  #tick(): void {
    const { registry, scheduler, now, log } = this.#options;
    const at = now();
    const gapMs = at - this.#lastTick;
    this.#lastTick = at;
    this.#lateTicks = gapMs > LATE_MS ? this.#lateTicks + 1 : 0;
    if (this.#isTooLong(gapMs)) {
      registry.postpone(gapMs + HEAR_WITHIN_MS);
      if (gapMs > STALL_MS) log.warn({ gapMs: Math.round(gapMs) }, 'the process was stalled, deadlines are postponed');
      return;
    }
    if (this.#sweepPending || (registry.nextDue ?? Number.POSITIVE_INFINITY) > at) return;
    this.#sweepPending = true;
    // Two rounds of the event loop: the first accepts a connection that waits, the second reads what came over it.
    scheduler.soon(() => scheduler.soon(() => this.#sweep()));
  }

  #sweep(): void {
    const { registry, now } = this.#options;
    this.#sweepPending = false;
    // Nobody was heard since the tick either, when it is so long ago: the next one says how long that was.
    if (!this.#isTooLong(now() - this.#lastTick)) registry.sweep();
  }

  /** Whether silence in a pause of this length between two ticks may be the process's own. */
  #isTooLong(gapMs: number): boolean {
    return gapMs > STALL_MS || (gapMs > LATE_MS && this.#lateTicks <= MAX_LATE_TICKS);
  }
}

export interface SweeperOptions {
  readonly registry: Registry;
  readonly scheduler: Scheduler;
  /** The registry's clock. */
  readonly now: () => number;
  readonly log: Logger;
}

/** Half of the promised exactness of 100 ms. */
const TICK_MS = 50;
/** A longer pause between two ticks: a blocked loop, a stopped process, a starved machine. Nobody was heard meanwhile. */
const LATE_MS = 2 * TICK_MS;
/** Under a load that makes every tick a little late the dead must be found all the same. */
const MAX_LATE_TICKS = 20;
/** A pause that is no load any more, however often it comes; and worth a line in the log. */
const STALL_MS = 1_000;
/** What waits after a pause takes many rounds of the event loop to be heard: each accepts one connection. */
const HEAR_WITHIN_MS = 250;
