import type { Logger } from 'pino';
import type { Registry, Transition } from '../registry/registry.ts';
import { groupedName } from '../registry/service-name.ts';

/**
 * Calls the registry's sweep when something is due, and never for silence that the process itself is to blame for: after a stall,
 * deadlines move by the time nobody listened, and nothing expires until the process keeps time again.
 */
export class Sweeper {
  readonly #registry: Registry;
  readonly #now: () => number;
  readonly #log: Logger;
  #timer: NodeJS.Timeout | undefined;
  #lastTick: number;
  #sweepPending = false;
  /** How many ticks in a row came late. */
  #lateTicks = 0;

  /** `now` is the registry's clock. */
  constructor(registry: Registry, now: () => number, log: Logger) {
    this.#registry = registry;
    this.#now = now;
    this.#log = log;
    this.#lastTick = now();
  }

  start(): void {
    this.#lastTick = this.#now();
    this.#timer = setInterval(() => this.tick(), TICK_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  tick(): void {
    const now = this.#now();
    const gapMs = now - this.#lastTick;
    this.#lastTick = now;
    this.#lateTicks = gapMs > LATE_MS ? this.#lateTicks + 1 : 0;
    if (gapMs > STALL_MS || (gapMs > LATE_MS && this.#lateTicks <= MAX_LATE_TICKS)) {
      this.#registry.postpone(gapMs + HEAR_WITHIN_MS);
      if (gapMs > STALL_MS) this.#log.warn({ gapMs: Math.round(gapMs) }, 'the process was stalled, deadlines are postponed');
      return;
    }
    if (this.#sweepPending || (this.#registry.nextDue ?? Number.POSITIVE_INFINITY) > now) return;
    this.#sweepPending = true;
    // Two rounds of the event loop: the first accepts a connection that waits, the second reads what came over it.
    setImmediate(() => setImmediate(() => this.#sweep()));
  }

  #sweep(): void {
    this.#sweepPending = false;
    let count = 0;
    this.#registry.sweep((transition) => {
      if (++count <= MAX_LINES_A_SWEEP) this.#report(transition);
    });
    if (count > MAX_LINES_A_SWEEP) this.#log.info({ count }, 'many instances fell silent at once, not all are logged');
  }

  #report({ service, ip, port, cluster, to, silentMs }: Transition): void {
    const facts = { namespace: service.namespace, service: groupedName(service), ip, port, cluster, silentMs };
    this.#log.info(facts, to === 'removed' ? 'instance removed' : 'instance unhealthy');
  }
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
const MAX_LINES_A_SWEEP = 50;
