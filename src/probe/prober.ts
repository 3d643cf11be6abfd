import type { Logger } from 'pino';
import type { Address } from '../registry/instance.ts';
import type { Registry } from '../registry/registry.ts';
import { type ServiceName, serviceKey } from '../registry/service-name.ts';
import type { Cancel, Scheduler } from '../wire/scheduler.ts';
import { CheckError, type MakeCheck } from './check.ts';
import { DueQueue } from './due-queue.ts';
import { initialMs, jitteredMs, normalizedMs, type Pace, type Portions, portionsOf, soonMs, yieldMs } from './pace.ts';
import type { ActiveType, Peer, Probed, Run } from './probed.ts';
import type { CheckTimes, ProbeRules } from './rules.ts';
import { type Failure, isNews, type Outcome, streakAfter, verdictAfter } from './streak.ts';
import { Targets } from './targets.ts';

export interface ProberOptions {
  readonly registry: Registry;
  readonly scheduler: Scheduler;
  /** Monotonic, in milliseconds. */
  readonly now: () => number;
  /** From 0 to below 1. */
  readonly random: () => number;
  /** For how much of its time the event loop was busy lately, 0 to 1. */
  readonly busy: () => number;
  readonly check: MakeCheck;
  readonly limits: ProbeLimits;
  readonly log?: Logger;
}

export interface ProbeLimits {
  /** Checks that may be under way. */
  readonly maxProbes: number;
  /** The same to one address. */
  readonly maxProbesPerAddress: number;
  /** Checks that are begun within a second. */
  readonly maxProbesPerSecond: number;
}

/**
 * Checks instances actively: one loop for all of them, over one queue by due time. It makes no check itself, never makes two at once of
 * one instance, and tells the registry what they come to. Its state is of the check: a check that changes begins anew, and what an
 * instance registers again does not. A check that is over its time is over, whether or not it lets go.
 */
export class Prober {
  /** How long the checks of a cluster take. */
  readonly times: CheckTimes = { of: (service, cluster) => this.#timesOf(service, cluster) };
  readonly #options: ProberOptions;
  readonly #portions: Portions;
  readonly #targets: Targets;
  readonly #due = new DueQueue<Probed>();
  #underWay = 0;
  /** How many of them may take longer than others: half of the room at most, or a few that hang would stop all. */
  #patient = 0;
  /** Instances that are checked no more, and of which the registry still has to be told so. */
  readonly #left = new Map<string, { readonly service: ServiceName; readonly address: Address }>();
  #rules: ProbeRules | undefined;
  #timer: { readonly at: number; readonly cancel: Cancel } | undefined;
  #cancelForgetting: Cancel | undefined;
  #nextPortionAt = Number.NEGATIVE_INFINITY;
  /** Since when there has been more to check than was allowed, without a break. */
  #behindSince: number | undefined;
  #warnedAt = Number.NEGATIVE_INFINITY;
  #blamedAt = Number.NEGATIVE_INFINITY;

  constructor(options: ProberOptions) {
    this.#options = options;
    this.#portions = portionsOf(options.limits.maxProbesPerSecond);
    this.#targets = new Targets(options.registry, {
      begun: (probed, soon) => this.#begun(probed, soon),
      ended: (probed) => this.#ended(probed),
      left: (service, { ip, port }) => this.#leave(service, { ip, port }),
    });
  }

  start(rules: ProbeRules): void {
    this.#rules = rules;
    rules.onChange(() => this.#targets.switched());
    this.#targets.start((service) => rules.isOn(service));
  }

  /** Aborts what is under way. The registry keeps what was found. */
  stop(): void {
    this.#rules = undefined;
    this.#targets.stop();
    this.#left.clear();
    this.#cancelForgetting?.();
    this.#cancelForgetting = undefined;
  }

  get targetCount(): number {
    return this.#targets.count;
  }

  get underWay(): number {
    return this.#underWay;
  }

  #begun(probed: Probed, soon: boolean): void {
    const { now, random } = this.#options;
    const rules = this.#rules;
    if (rules === undefined) return;
    const firstMs = soon ? soonMs(random) : initialMs(rules.paceOf('tcp').max, random);
    // Whoever waits for a verdict is not to wait for a slow start as well.
    probed.normMs = soon ? rules.paceOf(probed.check.type).min : firstMs;
    this.#enqueue(probed, now() + firstMs);
  }

  #enqueue(probed: Probed, due: number): void {
    probed.due = due;
    this.#due.add(probed);
    this.#arm();
  }

  #ended(probed: Probed): void {
    const { run, peer } = probed;
    if (run !== undefined) {
      this.#free(run);
      run.controller.abort(new CheckError('check failed', 'impossible'));
    } else if (this.#due.remove(probed)) {
      // It may have been the one for which there was room.
      this.#offer(peer);
    } else {
      peer.waiting?.remove(probed);
    }
    this.#arm();
  }

  /** Wakes the loop when there is next something that it may do, and not at all when there is nothing. */
  #arm(): void {
    const { now, scheduler, limits } = this.#options;
    const { first } = this.#due;
    if (first === undefined) this.#behindSince = undefined;
    if (first === undefined || this.#underWay >= limits.maxProbes) {
      this.#timer?.cancel();
      this.#timer = undefined;
      return;
    }
    const at = Math.max(now(), first.due, this.#nextPortionAt);
    // Too early does no harm.
    if (this.#timer !== undefined && this.#timer.at <= at) return;
    this.#timer?.cancel();
    this.#timer = { at, cancel: scheduler.after(Math.ceil(at - now()), () => this.#tick()) };
  }

  /** Begins a portion of what is due. */
  #tick(): void {
    const { limits, now, busy } = this.#options;
    const { size, everyMs } = this.#portions;
    const at = now();
    this.#timer = undefined;
    let room = at >= this.#nextPortionAt ? size : 0;
    let next = this.#firstDue(at);
    while (next !== undefined && room > 0 && this.#underWay < limits.maxProbes) {
      this.#due.remove(next);
      if (next.peer.underWay >= limits.maxProbesPerAddress) {
        next.peer.waiting ??= new DueQueue();
        next.peer.waiting.add(next);
      } else if (isPatient(next) && this.#patient >= limits.maxProbes / 2) {
        // Others at its address may be less patient.
        this.#offer(next.peer);
        this.#enqueue(next, at + PATIENT_AGAIN_MS);
      } else {
        this.#nextPortionAt = at + everyMs + yieldMs(busy(), everyMs);
        this.#begin(next);
        room--;
      }
      next = this.#firstDue(at);
    }
    this.#noteBehind(at, next);
    this.#arm();
  }

  #firstDue(at: number): Probed | undefined {
    const { first } = this.#due;
    return first !== undefined && first.due <= at ? first : undefined;
  }

  #begin(probed: Probed): void {
    const { now, scheduler } = this.#options;
    const timeoutMs = probed.timeoutMs ?? TIMEOUT_MS[probed.check.type];
    const run: Run = {
      probed,
      controller: new AbortController(),
      startedAt: now(),
      cancelTimeout: scheduler.after(timeoutMs, () => this.#timeOut(run, timeoutMs)),
    };
    probed.run = run;
    probed.peer.underWay++;
    if (isPatient(probed)) this.#patient++;
    this.#underWay++;
    void this.#outcomeOf(run).then((outcome) => this.#over(run, outcome));
  }

  async #outcomeOf(run: Run): Promise<Outcome> {
    const { ip, port, check } = run.probed;
    const { signal } = run.controller;
    try {
      // Nacos has no other port for MySQL than that of the instance.
      const at = check.type === 'mysql' ? port : (check.port ?? port);
      await this.#options.check({ ip, port: at, check }, signal);
      return 'passes';
    } catch (error) {
      if (error instanceof CheckError) {
        const { weight, reason } = error;
        if (weight !== 'unheard') return { weight, reason };
      } else if (signal.aborted) return TIMED_OUT;
      if (isUnderWay(run)) this.#blame(error, { ip, port });
      return 'unheard';
    }
  }

  /** The fault is that of this process or of the check itself, and no instance is to fall or heal by it. */
  #blame(err: unknown, address: Address): void {
    const at = this.#options.now();
    if (at - this.#blamedAt < WARN_EVERY_MS) return;
    this.#blamedAt = at;
    this.#options.log?.error({ err, ...address }, 'a check could not be made');
  }

  #timeOut(run: Run, timeoutMs: number): void {
    const { now, scheduler } = this.#options;
    const isDeaf = now() - run.startedAt > timeoutMs + DEAF_MS;
    // An answer that has come while this process did something else is read first.
    scheduler.soon(() =>
      scheduler.soon(() => {
        if (isDeaf) this.#over(run, 'unheard');
        // Only the check knows what it has waited for; but not every one lets go.
        run.controller.abort(new CheckError(TIMED_OUT.reason, TIMED_OUT.weight));
        scheduler.soon(() => this.#over(run, TIMED_OUT));
      }),
    );
  }

  /** Whatever it says later, once it is over, means nothing. */
  #over(run: Run, outcome: Outcome): void {
    const { now, random } = this.#options;
    const rules = this.#rules;
    if (rules === undefined || !isUnderWay(run)) return;
    this.#free(run);
    const { probed } = run;
    this.#note(probed, outcome, { tookMs: now() - run.startedAt, pace: rules.paceOf(probed.check.type) });
    this.#judge(probed, outcome, rules.times);
    this.#enqueue(probed, now() + jitteredMs(probed.intervalMs ?? probed.normMs, random));
  }

  #free(run: Run): void {
    const { probed } = run;
    run.cancelTimeout();
    this.#underWay--;
    probed.run = undefined;
    probed.peer.underWay--;
    if (isPatient(probed)) this.#patient--;
    this.#offer(probed.peer);
  }

  /** There may be room at the address again: the one that was due first goes back to where it is taken from. */
  #offer(peer: Peer): void {
    const next = peer.waiting?.first;
    if (next === undefined) return;
    peer.waiting?.remove(next);
    if (peer.waiting?.size === 0) peer.waiting = undefined;
    this.#due.add(next);
  }

  /** What the check says of the pace; as in Nacos a failed one says that there is no hurry. */
  #note(probed: Probed, outcome: Outcome, { tookMs, pace }: { readonly tookMs: number; readonly pace: Pace }): void {
    if (outcome === 'unheard') return;
    const weight = outcome === 'passes' ? undefined : outcome.weight;
    if (weight === 'impossible') {
      probed.normMs = pace.max;
      return;
    }
    const countedMs = weight === undefined ? tookMs : weight === 'slow' ? 2 * probed.normMs : pace.max;
    const rounded = Math.max(1, Math.round(countedMs));
    probed.bestMs = probed.bestMs === 0 ? rounded : Math.min(probed.bestMs, rounded);
    probed.worstMs = Math.max(probed.worstMs, rounded);
    probed.normMs = normalizedMs(probed.normMs, countedMs, pace);
  }

  #judge(probed: Probed, outcome: Outcome, times: number): void {
    const { registry } = this.#options;
    probed.streak = streakAfter(probed.streak, outcome);
    const verdict = verdictAfter(probed.streak, outcome, { times, type: probed.check.type });
    if (verdict === undefined) return;
    const instance = registry.instance(probed.service, probed);
    if (instance !== undefined && isNews(verdict, instance)) registry.checked(probed.service, probed, verdict);
  }

  #leave(service: ServiceName, address: Address): void {
    this.#left.set(`${serviceKey(service)} ${address.port}:${address.ip}`, { service, address });
    this.#cancelForgetting ??= this.#options.scheduler.after(0, () => this.#forget());
  }

  /** Those that are checked no more are as they say themselves, unless they are checked again by now. */
  #forget(): void {
    const { registry, scheduler } = this.#options;
    let room = FORGOTTEN_AT_ONCE;
    for (const [key, { service, address }] of this.#left) {
      if (room-- === 0) break;
      this.#left.delete(key);
      if (this.#targets.has(service, address) || registry.instance(service, address)?.trouble === undefined) continue;
      registry.checked(service, address, 'unchecked');
    }
    this.#cancelForgetting = this.#left.size === 0 ? undefined : scheduler.after(1, () => this.#forget());
  }

  /** `next`: what is due, and had to be left. */
  #noteBehind(at: number, next: Probed | undefined): void {
    this.#behindSince = next === undefined ? undefined : (this.#behindSince ?? at);
    if (next === undefined || at - (this.#behindSince ?? at) < BEHIND_MS || at - this.#warnedAt < WARN_EVERY_MS) return;
    this.#warnedAt = at;
    const { maxProbes, maxProbesPerSecond } = this.#options.limits;
    const facts = { lateMs: Math.round(at - next.due), targets: this.targetCount, underWay: this.underWay };
    this.#options.log?.warn({ ...facts, maxProbes, maxProbesPerSecond }, 'checks fall behind: more is due than is begun');
  }

  #timesOf(service: ServiceName, cluster: string): ReturnType<CheckTimes['of']> {
    let best = 0;
    let worst = 0;
    let sum = 0;
    let count = 0;
    for (const probed of this.#targets.of(service)) {
      if (probed.cluster !== cluster) continue;
      if (probed.bestMs > 0) best = best === 0 ? probed.bestMs : Math.min(best, probed.bestMs);
      worst = Math.max(worst, probed.worstMs);
      sum += probed.normMs;
      count++;
    }
    return { best, worst, normalized: count === 0 ? 0 : Math.round(sum / count) };
  }
}

/** How long a check may take. */
const TIMEOUT_MS: Readonly<Record<ActiveType, number>> = { tcp: 500, http: 500, mysql: 1_500, grpc: 1_000 };
function isPatient({ timeoutMs, check }: Probed): boolean {
  return timeoutMs !== undefined && timeoutMs > TIMEOUT_MS[check.type];
}
function isUnderWay(run: Run): boolean {
  return run.probed.run === run;
}
/** When one of these that finds no room looks again. */
const PATIENT_AGAIN_MS = 1_000;
const TIMED_OUT: Failure = { weight: 'slow', reason: 'timed out' };
/** So much later than it should be a timeout says more of this process than of its target. */
const DEAF_MS = 1_000;
/** For so long what waits may only be a crowd that came at once. */
const BEHIND_MS = 10_000;
const WARN_EVERY_MS = 60_000;
/** Each is a change that others hear of. */
const FORGOTTEN_AT_ONCE = 100;
