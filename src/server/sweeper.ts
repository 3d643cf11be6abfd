import type { Logger } from 'pino';
import type { Registry, Transition } from '../registry/registry.ts';
import { groupedName } from '../registry/service-name.ts';

/**
 * Calls the registry's sweep when something is due, and never for silence that the process itself is to blame for: after a stall,
 * deadlines move by the time nobody listened, and input that waits is let in before anything expires.
 */
export class Sweeper {
  readonly #registry: Registry;
  readonly #now: () => number;
  readonly #log: Logger;
  #timer: NodeJS.Timeout | undefined;
  #lastTick: number;
  #sweepPending = false;

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
    if (gapMs > DEAF_AFTER_MS) {
      this.#registry.postpone(gapMs);
      this.#log.warn({ gapMs: Math.round(gapMs) }, 'the process was stalled, deadlines are postponed');
    }
    if (this.#sweepPending || (this.#registry.nextDue ?? Number.POSITIVE_INFINITY) > now) return;
    this.#sweepPending = true;
    // Two rounds of the event loop: the first accepts connections that wait, the second reads what came over them.
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
/** A longer pause between two ticks is a stall: a blocked loop, a stopped process, a starved machine. */
const DEAF_AFTER_MS = 1_000;
const MAX_LINES_A_SWEEP = 50;
