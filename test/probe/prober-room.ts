import { type Logger, pino } from 'pino';
import type { Target } from '../../src/probe/check.ts';
import type { ActiveType } from '../../src/probe/probed.ts';
import { type ProbeLimits, Prober } from '../../src/probe/prober.ts';
import type { ProbeRules } from '../../src/probe/rules.ts';
import { Registry } from '../../src/registry/registry.ts';
import type { ServiceName } from '../../src/registry/service-name.ts';
import { ManualScheduler } from '../support/scheduler.ts';

/** A check that a prober has begun, and that ends as the test says. */
export interface Begun extends Target {
  readonly at: number;
  readonly signal: AbortSignal;
  pass: () => void;
  fail: (error: unknown) => void;
}

export type Answer = (begun: Begun) => void;

/** Figures of Nacos. */
const PACES = {
  tcp: { min: 1_000, max: 5_000, factor: 0.75 },
  http: { min: 500, max: 5_000, factor: 0.85 },
  mysql: { min: 2_000, max: 3_000, factor: 0.65 },
  grpc: { min: 500, max: 5_000, factor: 0.85 },
} as const;

export class Rules implements ProbeRules {
  times = 3;
  isOn: (service: ServiceName) => boolean = () => true;
  readonly #listeners: (() => void)[] = [];

  paceOf(type: ActiveType) {
    return PACES[type];
  }

  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  switch(isOn: (service: ServiceName) => boolean): void {
    this.isOn = isOn;
    for (const listener of this.#listeners) listener();
  }
}

export const NO_LIMITS: ProbeLimits = { maxProbes: 100_000, maxProbesPerAddress: 100_000, maxProbesPerSecond: 100_000_000 };

/** A prober of a registry, a clock, and checks that end as `answer` says; one that is left alone hangs. */
export class ProberRoom implements Disposable {
  readonly scheduler = new ManualScheduler();
  readonly registry = new Registry(this.scheduler.now);
  readonly rules = new Rules();
  readonly begun: Begun[] = [];
  readonly lines: Record<string, unknown>[] = [];
  readonly prober: Prober;
  answer: Answer = () => {};
  /** For how much of its time the event loop is. */
  busy = 0;

  constructor(limits: Partial<ProbeLimits> = {}, random: () => number = () => 0.5) {
    const log: Logger = pino({}, { write: (line: string) => this.lines.push(JSON.parse(line)) });
    this.prober = new Prober({
      registry: this.registry,
      scheduler: this.scheduler,
      now: this.scheduler.now,
      random,
      busy: () => this.busy,
      limits: { ...NO_LIMITS, ...limits },
      log,
      check: (target, signal) =>
        new Promise((resolve, reject) => {
          const begun: Begun = { ...target, signal, at: this.scheduler.now(), pass: resolve, fail: reject };
          this.begun.push(begun);
          this.answer(begun);
        }),
    });
  }

  start(): this {
    this.prober.start(this.rules);
    return this;
  }

  /** Time passes in small steps; what a check says is heard after each. */
  async pass(ms: number, step = 10): Promise<void> {
    const end = this.scheduler.now() + ms;
    while (this.scheduler.now() < end) {
      this.scheduler.advance(Math.min(step, end - this.scheduler.now()));
      await heard();
    }
  }

  [Symbol.dispose](): void {
    this.prober.stop();
    // What was to come around with the event loop.
    this.scheduler.advance(0);
  }
}

/** What checks have said has been heard. */
export function heard(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
