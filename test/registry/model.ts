import fc from 'fast-check';
import type { CheckVerdict } from '../../src/registry/checks.ts';
import type { Registration } from '../../src/registry/instance.ts';
import type { Registry } from '../../src/registry/registry.ts';
import { orders, registration } from '../support/instances.ts';

/** Steps that anybody may take with the instances of one service, in any order; ports tell the instances apart. */
export type Step =
  | { readonly do: 'register'; readonly said: Registration }
  | { readonly do: 'hold'; readonly said: Registration; readonly holder: number }
  | { readonly do: 'release'; readonly port: number; readonly holder: number; readonly goodbye: boolean }
  | { readonly do: 'beat' | 'deregister' | 'unedit' | 'resume'; readonly port: number }
  | { readonly do: 'drain'; readonly port: number; readonly ms: number }
  | { readonly do: 'report'; readonly port: number; readonly passing: boolean }
  | { readonly do: 'check'; readonly port: number; readonly verdict: CheckVerdict }
  | {
      readonly do: 'edit';
      readonly port: number;
      readonly edit: { enabled?: boolean; weight?: number; metadata?: { k: string | null } };
    }
  | { readonly do: 'wait'; readonly ms: number };

const port = fc.integer({ min: 1, max: 3 });
const said = (ephemeral: fc.Arbitrary<boolean>) =>
  fc
    .record({
      port,
      ephemeral,
      healthy: fc.oneof({ weight: 4, arbitrary: fc.constant(true) }, { weight: 1, arbitrary: fc.constant(false) }),
      cluster: fc.constantFrom('A', 'B'),
      weight: fc.constantFrom(0, 1, 2),
      enabled: fc.oneof({ weight: 3, arbitrary: fc.constant(true) }, { weight: 1, arbitrary: fc.constant(false) }),
      metadata: fc.constantFrom<Record<string, string>>({}, { k: 'a' }, { k: 'b' }),
    })
    .map((fields) => registration(fields));
const edit = fc.record(
  { enabled: fc.boolean(), weight: fc.constantFrom(0, 1, 2), metadata: fc.record({ k: fc.constantFrom('a', 'b', null) }) },
  { requiredKeys: [] },
);

const VERDICTS: readonly CheckVerdict[] = [
  'passing',
  'unchecked',
  { verdict: 'failing', type: 'tcp', reason: 'refused' },
  { verdict: 'failing', type: 'tcp', reason: 'timed out' },
  { verdict: 'unchecked', type: 'tcp', reason: 'address not allowed' },
];

/** Steps without holders, which no record tells of. */
const unheld = [
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('register' as const),
      said: said(fc.oneof({ weight: 4, arbitrary: fc.constant(true) }, { weight: 1, arbitrary: fc.constant(false) })),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom('beat' as const, 'deregister' as const), port }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 20_000 }) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('edit' as const), port, edit }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('report' as const), port, passing: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('check' as const), port, verdict: fc.constantFrom(...VERDICTS) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('unedit' as const, 'resume' as const), port }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('drain' as const), port, ms: fc.integer({ min: 1, max: 90_000 }) }) },
] as const;

export const unheldSteps: fc.Arbitrary<Step[]> = fc.array(fc.oneof(...unheld), { maxLength: 60 });

const holder = fc.integer({ min: 0, max: 2 });
export const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    ...unheld,
    { weight: 2, arbitrary: fc.record({ do: fc.constant('hold' as const), said: said(fc.constant(true)), holder }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('release' as const), port, holder, goodbye: fc.boolean() }) },
  ),
  { maxLength: 60 },
);

const HOLDERS = [{}, {}, {}] as const;

/** A wait needs no more than the sweep that follows every step, as an owner's timer does. */
export function take(registry: Registry, step: Step): void {
  const address = (port: number) => ({ ip: '10.0.0.1', port });
  if (step.do === 'register') registry.register(orders, step.said);
  else if (step.do === 'hold') registry.hold(orders, step.said, HOLDERS[step.holder] ?? {});
  else if (step.do === 'release') {
    const cause = step.goodbye ? 'deregistered' : 'connection-ended';
    registry.release(orders, address(step.port), HOLDERS[step.holder] ?? {}, cause);
  } else if (step.do === 'edit') registry.edit(orders, address(step.port), step.edit);
  else if (step.do === 'report') registry.report(orders, address(step.port), step.passing);
  else if (step.do === 'check') registry.checked(orders, address(step.port), step.verdict);
  else if (step.do === 'drain') registry.drains.drain(orders, address(step.port), { reason: '', since: 0, until: step.ms });
  else if (step.do === 'resume') registry.drains.resume(orders, address(step.port));
  else if (step.do !== 'wait') registry[step.do](orders, address(step.port));
  registry.sweep();
}

export const FORGET_AFTER_MS = 60_000;
export const KEEP_EDITS_MS = 45_000;

type Laid = { enabled?: boolean; weight?: number; k?: string | null };

interface Modelled {
  said: Registration;
  healthy: boolean;
  /** Its check takes it out, and it is ephemeral. */
  failing: boolean;
  /** When it gave a sign of life: it registered, by whatever way, it beat, or a check passed. Being held or let go is none. */
  heard: number;
  /** It has registered by itself, and beats or could. */
  beats: boolean;
  /** The one that spoke last comes last, with what was in force when the next one spoke. */
  readonly holders: Map<number, { said: Registration; healthy: boolean } | undefined>;
}

/** The rules of the registry for one service, as plainly as they can be written. */
export class Model {
  now = 0;
  readonly instances = new Map<number, Modelled>();
  readonly laid = new Map<number, { readonly laid: Laid; awaySince: number | undefined }>();
  readonly drained = new Map<number, { readonly endsAt: number; awaySince: number | undefined }>();
  readonly departed = new Map<number, Registration>();
  emptySince: number | undefined;

  apply(step: Step): void {
    switch (step.do) {
      case 'wait':
        this.now += step.ms;
        break;
      case 'register':
      case 'hold':
        this.#said(step.said, step.do === 'hold' ? step.holder : undefined);
        break;
      case 'release':
        this.#release(step.port, step.holder, step.goodbye);
        break;
      case 'deregister':
        this.#deregister(step.port);
        break;
      case 'unedit':
        this.laid.delete(step.port);
        break;
      case 'resume':
        this.drained.delete(step.port);
        break;
      case 'drain': {
        const awaySince = this.drained.get(step.port)?.awaySince;
        if (this.instances.has(step.port) || awaySince !== undefined)
          this.drained.set(step.port, { endsAt: this.now + step.ms, awaySince });
        break;
      }
      case 'edit':
        this.#edit(step.port, step.edit);
        break;
      case 'beat':
        this.#found(step.port, undefined);
        break;
      case 'report':
        this.#found(step.port, step.passing);
        break;
      case 'check':
        this.#check(step.port, step.verdict);
    }
    this.#pass();
  }

  #said(said: Registration, holder: number | undefined): void {
    const { port } = said;
    const here = this.instances.get(port);
    const holders = here !== undefined && said.ephemeral ? here.holders : new Map();
    if (here !== undefined && holder !== undefined) {
      const [last] = [...holders.keys()].slice(-1);
      if (last !== undefined && last !== holder) holders.set(last, { said: here.said, healthy: here.healthy });
    }
    if (holder !== undefined) {
      holders.delete(holder);
      holders.set(holder, undefined);
    }
    const keeps = here !== undefined && !here.said.ephemeral && !said.ephemeral;
    const beats = holder === undefined || (here?.said.ephemeral === true && here.beats);
    const failing = here?.failing === true && said.ephemeral && here.said.ephemeral;
    this.instances.set(port, { said, healthy: keeps ? here.healthy : said.healthy, failing, heard: this.now, beats, holders });
    this.departed.delete(port);
    const waiting = this.laid.get(port);
    if (waiting !== undefined) waiting.awaySince = undefined;
    const drained = this.drained.get(port);
    if (drained !== undefined) drained.awaySince = undefined;
    this.emptySince = undefined;
  }

  #release(port: number, holder: number, goodbye: boolean): void {
    const here = this.instances.get(port);
    if (here === undefined || !here.holders.has(holder)) return;
    const isLast = [...here.holders.keys()].at(-1) === holder;
    here.holders.delete(holder);
    const [previous] = [...here.holders].slice(-1);
    if (isLast && previous?.[1] !== undefined) {
      here.said = previous[1].said;
      here.healthy = previous[1].healthy;
      here.holders.set(previous[0], undefined);
    }
    if (here.holders.size === 0 && !here.beats) this.#gone(port, goodbye);
  }

  #deregister(port: number): void {
    const here = this.instances.get(port);
    if (here !== undefined && here.holders.size > 0) here.beats = false;
    else this.#gone(port, true);
  }

  #edit(
    port: number,
    { enabled, weight, metadata }: { enabled?: boolean; weight?: number; metadata?: { k: string | null } },
  ): void {
    const before = this.laid.get(port);
    const said = this.instances.get(port)?.said ?? this.departed.get(port);
    if (!this.instances.has(port) && before === undefined) return;
    const laid: Laid = { ...before?.laid };
    if (enabled !== undefined) laid.enabled = enabled;
    if (weight !== undefined) laid.weight = weight;
    if (metadata !== undefined) laid.k = metadata.k;
    if (said !== undefined && enabled === said.enabled) delete laid.enabled;
    if (said !== undefined && weight === said.weight) delete laid.weight;
    if (said !== undefined && metadata !== undefined && (said.metadata.k ?? null) === metadata.k) delete laid.k;
    if (Object.keys(laid).length === 0) this.laid.delete(port);
    else this.laid.set(port, { laid, awaySince: before?.awaySince });
  }

  /** Undefined: it beats, which says nothing of a persistent one, nor of one that only holders have registered. */
  #found(port: number, passing: boolean | undefined): void {
    const here = this.instances.get(port);
    if (here === undefined) return;
    if (passing === undefined && (!here.said.ephemeral || (here.holders.size > 0 && !here.beats))) return;
    here.healthy = passing ?? true;
    if (here.healthy) here.heard = this.now;
  }

  #check(port: number, verdict: CheckVerdict): void {
    const here = this.instances.get(port);
    if (here === undefined) return;
    const fails = typeof verdict !== 'string' && verdict.verdict === 'failing';
    if (here.said.ephemeral) here.failing = fails;
    else if (fails || verdict === 'passing') this.#found(port, !fails);
  }

  #gone(port: number, goodbye: boolean): void {
    const here = this.instances.get(port);
    const [laid, drained] = [this.laid.get(port), this.drained.get(port)];
    if (goodbye) {
      this.laid.delete(port);
      this.drained.delete(port);
      this.departed.delete(port);
    } else if (here !== undefined) {
      this.departed.set(port, here.said);
      if (laid !== undefined) laid.awaySince = this.now;
      if (drained !== undefined) drained.awaySince = this.now;
    }
    if (this.instances.delete(port) && this.instances.size === 0) this.emptySince = this.now;
  }

  #pass(): void {
    for (const [port, here] of this.instances) {
      if (!here.said.ephemeral || here.holders.size > 0) continue;
      if (this.now - here.heard >= 30_000) this.#gone(port, false);
      else if (this.now - here.heard >= 15_000) here.healthy = false;
    }
    for (const [port, { awaySince }] of this.laid)
      if (awaySince !== undefined && this.now - awaySince >= KEEP_EDITS_MS) this.laid.delete(port);
    for (const [port, { endsAt, awaySince = Number.POSITIVE_INFINITY }] of this.drained)
      if (this.now >= Math.min(endsAt, awaySince + KEEP_EDITS_MS)) this.drained.delete(port);
    if (this.emptySince !== undefined && this.now - this.emptySince >= FORGET_AFTER_MS) {
      this.departed.clear();
      this.emptySince = undefined;
    }
  }

  /** As lists show them. */
  seen() {
    return [...this.instances]
      .map(([port, { said, healthy, failing }]) => {
        const { enabled = said.enabled, weight = said.weight, k = said.metadata.k ?? null } = this.laid.get(port)?.laid ?? {};
        return {
          port,
          cluster: said.cluster,
          ephemeral: said.ephemeral,
          healthy: healthy && !failing,
          enabled: enabled && !this.drained.has(port),
          weight,
          metadata: k === null ? {} : { k },
        };
      })
      .sort((a, b) => a.port - b.port);
  }
}
