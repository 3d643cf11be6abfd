import fc from 'fast-check';
import { expect, it } from 'vitest';
import { sizeOf } from '../../src/registry/accounts.ts';
import type { Instance } from '../../src/registry/instance.ts';
import { type DurableRecord, recordKey } from '../../src/registry/records.ts';
import { Registry } from '../../src/registry/registry.ts';
import { orders } from '../support/instances.ts';
import { randomRuns } from '../support/random.ts';
import { FORGET_AFTER_MS, KEEP_EDITS_MS, Model, type Step, steps, take, unheldSteps } from './model.ts';

/** Silence goes on where it was. */
const EXACT = { afresh: false, heldMs: 45_000 };

const RUNS = randomRuns(1_000);

const OPTIONS = { forgetAfterMs: FORGET_AFTER_MS, keepEditsMs: KEEP_EDITS_MS };

/** What clients have said of all that are here. */
function registrations(registry: Registry) {
  return (registry.instances(orders) ?? []).flatMap((instance) => registry.lastRegistration(orders, instance) ?? []);
}

function seen(instances: readonly Instance[] | undefined) {
  return (instances ?? [])
    .map(({ port, cluster, ephemeral, healthy, enabled, weight, metadata }) => ({
      port,
      cluster,
      ephemeral,
      healthy,
      enabled,
      weight,
      metadata,
    }))
    .sort((a, b) => a.port - b.port);
}

it(`after any sequence of steps and waits the registry agrees with the model ${RUNS.title}`, { timeout: RUNS.timeoutMs }, () => {
  fc.assert(
    fc.property(steps, (sequence) => {
      const model = new Model();
      const registry = new Registry(() => model.now, OPTIONS);
      for (const step of sequence) {
        model.apply(step);
        take(registry, step);
        const expected = model.seen();
        expect(seen(registry.instances(orders))).toEqual(expected);
        const healthy = expected.filter((instance) => instance.healthy);
        expect(registry.tally(orders) ?? { total: 0, healthy: 0, available: 0 }).toEqual({
          total: expected.length,
          healthy: healthy.length,
          available: healthy.filter(({ enabled, weight }) => enabled && weight > 0).length,
        });
        const metadataSize = registrations(registry).reduce((sum, { metadata }) => sum + sizeOf(metadata), 0);
        const { instances } = registry.accounts.all;
        expect({ instances, metadataSize: registry.accounts.all.metadataSize }).toEqual({
          instances: expected.length,
          metadataSize,
        });
        expect(registry.accounts.of('')?.instances ?? 0).toBe(instances);
        expect([...registry.edits()].map(({ port }) => port).sort()).toEqual([...model.laid.keys()].sort());
        expect([...registry.drains.all()].map(({ port }) => port).sort()).toEqual([...model.drained.keys()].sort());
        for (const [port, said] of model.departed)
          expect(registry.lastRegistration(orders, { ip: '10.0.0.1', port })).toMatchObject({ weight: said.weight });
        // Whatever is next to happen is not missed.
        for (const { endsAt } of model.drained.values()) expect(registry.nextDue).toBeLessThanOrEqual(endsAt);
        for (const { said, heard, healthy, holders } of model.instances.values())
          if (said.ephemeral && holders.size === 0)
            expect(registry.nextDue).toBeLessThanOrEqual(heard + (healthy ? 15_000 : 30_000));
      }
    }),
    RUNS.parameters,
  );
});

it(`a registry made of the records of another is indistinguishable from it, now and after any steps ${RUNS.title}`, {
  timeout: RUNS.timeoutMs,
}, () => {
  fc.assert(
    fc.property(unheldSteps, unheldSteps, fc.integer({ min: 0, max: 1_000_000 }), (before, after, offset) => {
      let now = 0;
      const one = new Registry(() => now, OPTIONS);
      const walk = (registry: Registry, sequence: readonly Step[]) =>
        sequence.map((step) => {
          if (step.do === 'wait') now += step.ms;
          take(registry, step);
          return told(registry);
        });
      walk(one, before);
      const records = JSON.parse(JSON.stringify([...one.records.all()])) as DurableRecord[];
      expect(new Set(records.map(recordKey)).size).toBe(records.length);

      const start = now;
      const expected = [told(one), ...walk(one, after)];
      // The clock of another process is another one, and a store gives records back in an order of its own.
      now = start;
      const other = new Registry(() => now + offset, OPTIONS);
      other.restore(records, EXACT);
      expect([told(other), ...walk(other, after)]).toEqual(expected);
    }),
    RUNS.parameters,
  );
});

/** All that can be seen of a registry from outside, in terms of ages. */
function told(registry: Registry) {
  return {
    // Sorted: two that go at the same instant go in an order of their own.
    records: [...registry.records.all()].sort((a, b) => (recordKey(a) < recordKey(b) ? -1 : 1)),
    tally: registry.tally(orders),
    // That it is only remembered is what sets it apart.
    instances: registry.instances(orders)?.map(({ remembered: _, ...seen }) => seen),
    counts: [registry.serviceCount, registry.instanceCount],
  };
}
