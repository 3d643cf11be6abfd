import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Registry } from '../../src/registry/registry.ts';
import { orders, registration } from '../support/instances.ts';

type Step =
  | { readonly do: 'register' | 'beat' | 'deregister'; readonly port: number }
  | { readonly do: 'wait'; readonly ms: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ do: fc.constantFrom('register', 'beat', 'deregister'), port: fc.integer({ min: 1, max: 4 }) }),
  fc.record({ do: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 20_000 }) }),
);

/** The rules of silence in ten lines: for each instance when it was last heard, and whether that was a beat's healing. */
class Model {
  now = 0;
  readonly instances = new Map<number, { heard: number; healthy: boolean }>();

  apply(step: Step): void {
    if (step.do === 'wait') this.now += step.ms;
    else if (step.do === 'deregister') this.instances.delete(step.port);
    else if (step.do === 'register' || this.instances.has(step.port)) {
      const healthy = step.do === 'beat' || (this.instances.get(step.port)?.healthy ?? true);
      this.instances.set(step.port, { heard: this.now, healthy });
    }
    for (const [port, instance] of this.instances) {
      if (this.now - instance.heard >= 30_000) this.instances.delete(port);
      else if (this.now - instance.heard >= 15_000) instance.healthy = false;
    }
  }
}

it('after any sequence of registrations, beats and waits the registry agrees with the model', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const model = new Model();
      const registry = new Registry(() => model.now);
      for (const step of steps) {
        model.apply(step);
        if (step.do === 'wait') registry.sweep();
        else if (step.do === 'register') registry.register(orders, registration({ port: step.port }));
        else registry[step.do](orders, registration({ port: step.port }));

        const seen = registry.instances(orders) ?? [];
        const expected = [...model.instances].map(([port, { healthy }]) => ({ port, healthy }));
        expect(seen.map(({ port, healthy }) => ({ port, healthy })).sort((a, b) => a.port - b.port)).toEqual(
          expected.sort((a, b) => a.port - b.port),
        );
        const healthy = expected.filter((instance) => instance.healthy).length;
        expect(registry.tally(orders) ?? { total: 0, healthy: 0, available: 0 }).toMatchObject({
          total: expected.length,
          healthy,
          available: healthy,
        });
        // Nothing is due in the past, and nothing that the model still waits for is missed.
        for (const { heard, healthy } of model.instances.values())
          expect(registry.nextDue).toBeLessThanOrEqual(heard + (healthy ? 15_000 : 30_000));
      }
    }),
    { numRuns: 1_000 },
  );
});
