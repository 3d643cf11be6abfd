import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Registry } from '../../src/registry/registry.ts';
import { orders, registration } from '../support/instances.ts';

type Step =
  | { readonly do: 'register' | 'beat' | 'deregister'; readonly port: number }
  | { readonly do: 'edit'; readonly port: number; readonly weight: 0 | 1; readonly enabled: boolean }
  | { readonly do: 'report'; readonly port: number; readonly passing: boolean }
  | { readonly do: 'hold' | 'release'; readonly port: number; readonly holder: number }
  | { readonly do: 'wait'; readonly ms: number };

const port = fc.integer({ min: 1, max: 4 });
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom('register', 'beat', 'deregister'), port }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 20_000 }) }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('edit' as const), port, weight: fc.constantFrom(0, 1), enabled: fc.boolean() }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('report' as const), port, passing: fc.boolean() }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constantFrom('hold', 'release'),
      port: fc.integer({ min: 1, max: 3 }),
      holder: fc.integer({ min: 0, max: 2 }),
    }),
  },
);

const HOLDERS = [{}, {}, {}] as const;

/** Port 4 is a persistent instance. */
const at = (port: number) => registration({ port, ephemeral: port < 4 });

interface Modelled {
  /** Undefined: it does not beat. */
  heard: number | undefined;
  healthy: boolean;
  /** The one that spoke last comes last. With what was true of it when the next one spoke. */
  readonly holders: Map<number, boolean>;
}

/**
 * The rules of silence in ten lines, those of holders in ten and those of edits in three: for each port when it was heard, by whom
 * it is held, and what an operator laid over it.
 */
class Model {
  now = 0;
  readonly instances = new Map<number, Modelled>();
  readonly edits = new Map<number, { weight: number; enabled: boolean }>();

  apply(step: Step): void {
    const here = step.do === 'wait' ? undefined : this.instances.get(step.port);
    const holders = here?.holders ?? new Map();
    const [last] = [...holders.keys()].slice(-1);
    if (step.do === 'wait') this.now += step.ms;
    else if (step.do === 'deregister' && here) here.heard = undefined;
    else if (step.do === 'register') this.instances.set(step.port, { heard: this.now, healthy: here?.healthy ?? true, holders });
    else if (step.do === 'edit' && here) this.edits.set(step.port, step);
    else if (step.do === 'report' && here) {
      here.healthy = step.passing;
      if (step.passing && here.heard !== undefined) here.heard = this.now;
    } else if (step.do === 'beat' && here?.heard !== undefined && step.port < 4)
      Object.assign(here, { healthy: true, heard: this.now });
    else if (step.do === 'hold') {
      if (here !== undefined && last !== undefined) holders.set(last, here.healthy);
      holders.delete(step.holder);
      this.instances.set(step.port, { heard: here?.heard, healthy: true, holders: holders.set(step.holder, true) });
    } else if (step.do === 'release' && here !== undefined) {
      holders.delete(step.holder);
      const [previous] = [...holders.values()].slice(-1);
      if (step.holder === last && previous !== undefined) here.healthy = previous;
    }
    for (const [port, { heard, holders }] of this.instances)
      if (heard === undefined && holders.size === 0) this.instances.delete(port);
    for (const [port, instance] of this.instances) {
      if (port === 4 || instance.holders.size > 0 || instance.heard === undefined) continue;
      if (this.now - instance.heard >= 30_000) this.instances.delete(port);
      else if (this.now - instance.heard >= 15_000) instance.healthy = false;
    }
  }
}

it('after any sequence of steps and waits the registry agrees with the model', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const model = new Model();
      const registry = new Registry(() => model.now);
      for (const step of steps) {
        model.apply(step);
        if (step.do === 'wait') registry.sweep();
        else if (step.do === 'register') registry.register(orders, at(step.port));
        else if (step.do === 'edit') registry.edit(orders, at(step.port), { weight: step.weight, enabled: step.enabled });
        else if (step.do === 'report') registry.report(orders, at(step.port), step.passing);
        else if (step.do === 'hold' || step.do === 'release')
          registry[step.do](orders, at(step.port), HOLDERS[step.holder] ?? {});
        else registry[step.do](orders, at(step.port));
        // A report may be the end of one that has been silent for long: the model says so at once.
        registry.sweep();

        const expected = [...model.instances]
          .map(([port, { healthy }]) => ({ port, healthy, ...(model.edits.get(port) ?? { weight: 1, enabled: true }) }))
          .map(({ port, healthy, weight, enabled }) => ({ port, healthy, weight, enabled }))
          .sort((a, b) => a.port - b.port);
        const seen = (registry.instances(orders) ?? [])
          .map(({ port, healthy, weight, enabled }) => ({ port, healthy, weight, enabled }))
          .sort((a, b) => a.port - b.port);
        expect(seen).toEqual(expected);
        const healthy = expected.filter((instance) => instance.healthy);
        expect(registry.tally(orders) ?? { total: 0, healthy: 0, available: 0 }).toMatchObject({
          total: expected.length,
          healthy: healthy.length,
          available: healthy.filter(({ enabled, weight }) => enabled && weight > 0).length,
        });
        // Whatever is next to happen is not missed.
        for (const [port, { heard, healthy, holders }] of model.instances)
          if (port < 4 && heard !== undefined && holders.size === 0)
            expect(registry.nextDue).toBeLessThanOrEqual(heard + (healthy ? 15_000 : 30_000));
      }
    }),
    { numRuns: 1_000 },
  );
});
