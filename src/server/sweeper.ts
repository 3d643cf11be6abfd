import type { Logger } from 'pino';
import type { Registry } from '../registry/registry.ts';
import type { Cancel, Scheduler } from '../wire/scheduler.ts';
import type { Taps } from '../wire/taps.ts';

/**
 * Calls the registry's sweep when something is due, and never for silence that the process itself is to blame for. After a pause that
 * is a load, what was sent meanwhile waits at the sockets: it is read first, and nothing is postponed by that. After a stall it may be
 * lost, as its senders have given up: deadlines move by the time in which nobody was heard.
 */
export class Sweeper {
  readonly #options: SweeperOptions;
  #stopTicking: Cancel | undefined;
  #cancelSummary: Cancel | undefined;
  #lastTick: number;
  #sweepPending = false;
  /** Until then what waits is read, and nothing expires. */
  #heldUntil = Number.NEGATIVE_INFINITY;
  /** Of this minute. */
  #lateTicks = 0;
  #worstGapMs = 0;

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
    this.#stopTicking = undefined;
    this.#cancelSummary?.();
  }

  /** For how long it has been due to look: 0 as long as all is well. */
  get lateMs(): number {
    return Math.max(0, this.#options.now() - this.#lastTick - TICK_MS);
  }

  /** As long as nobody was heard, nothing is due. */
  get isStalled(): boolean {
    return this.lateMs > STALL_MS;
  }

  #tick(): void {
    const { registry, now } = this.#options;
    const at = now();
    const gapMs = at - this.#lastTick;
    this.#lastTick = at;
    if (gapMs > STALL_MS) {
      this.#stalled(gapMs);
      return;
    }
    if (gapMs > LATE_MS) this.#late(at, gapMs);
    if (this.#sweepPending || at <= this.#heldUntil || (registry.nextDue ?? Number.POSITIVE_INFINITY) > at) return;
    this.#sweepSoon();
  }

  /** Two rounds of the event loop: the first accepts a connection that waits, the second reads what came over it. */
  #sweepSoon(): void {
    const { scheduler } = this.#options;
    this.#sweepPending = true;
    scheduler.soon(() => scheduler.soon(() => this.#sweep()));
  }

  /** Whoever was heard meanwhile was not the only one who could be: deadlines move by no more than the silence of everybody. */
  #stalled(gapMs: number): void {
    const { registry, stalled, taps } = this.#options;
    const unheardMs = Math.min(gapMs, registry.quietMs);
    registry.postpone(unheardMs + HEAR_WITHIN_MS);
    taps?.stalls.observe(gapMs / 1_000);
    stalled({ gapMs: Math.round(gapMs), unheardMs: Math.round(unheardMs) });
  }

  /**
   * Holds the sweep until what waits has been read. What was due before this pause has been held after an earlier one: under a load
   * that makes every tick late the dead must be found all the same.
   */
  #late(at: number, gapMs: number): void {
    const { registry, scheduler } = this.#options;
    const due = registry.nextDue ?? Number.POSITIVE_INFINITY;
    const until = at + Math.max(HEAR_WITHIN_MS, gapMs / 4);
    this.#heldUntil = Math.max(this.#heldUntil, due <= at - gapMs ? Math.min(until, due + HOLD_AT_MOST_MS) : until);
    this.#lateTicks++;
    this.#worstGapMs = Math.max(this.#worstGapMs, gapMs);
    this.#cancelSummary ??= scheduler.after(SUMMARY_EVERY_MS, () => this.#summarize());
  }

  /** A tick or two that are late are anybody's; many are a machine that does too much. */
  #summarize(): void {
    const facts = { lateTicks: this.#lateTicks, worstGapMs: Math.round(this.#worstGapMs) };
    if (this.#lateTicks >= WORTH_A_LINE)
      this.#options.log.warn(facts, 'the machine is starved, what is due waits for what is to be read');
    this.#cancelSummary = undefined;
    this.#lateTicks = 0;
    this.#worstGapMs = 0;
  }

  #sweep(): void {
    const { registry, now, taps } = this.#options;
    this.#sweepPending = false;
    // Nobody was heard since the tick either, when it is so long ago: the next one says how long that was.
    const began = now();
    if (began - this.#lastTick > STALL_MS) return;
    const left = registry.sweep();
    taps?.sweeps.observe((now() - began) / 1_000);
    // The rest of very many does not wait for a tick; whoever has something to say comes in between.
    if (left === 'more' && now() > this.#heldUntil && this.#stopTicking !== undefined) this.#sweepSoon();
  }
}

export interface SweeperOptions {
  readonly registry: Registry;
  readonly scheduler: Scheduler;
  /** The registry's clock. */
  readonly now: () => number;
  /** Told of each stall: how long it was, and for how much of it nobody was heard. */
  readonly stalled: (facts: { readonly gapMs: number; readonly unheardMs: number }) => void;
  readonly log: Logger;
  /** Where sweeps and stalls are counted; nowhere when left out. */
  readonly taps?: Pick<Taps, 'sweeps' | 'stalls'> | undefined;
}

/** Half of the promised exactness of 100 ms. */
const TICK_MS = 50;
/** A longer pause between two ticks: a load, a long collection of garbage. Nobody was heard meanwhile, but all of it still can be. */
const LATE_MS = 2 * TICK_MS;
/** A longer one is a blocked loop or a stopped process: clients have given up (Nacos's after 3 s), and what they sent is lost. */
const STALL_MS = 2_000;
/** What waits after a pause takes many rounds of the event loop to be heard: each accepts one connection. */
const HEAR_WITHIN_MS = 250;
/** With the pause in which something becomes due, and the one after that, less than a second. */
const HOLD_AT_MOST_MS = 650;
const SUMMARY_EVERY_MS = 60_000;
const WORTH_A_LINE = 60;
