import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { CheckVerdict } from '../../src/registry/checks.ts';
import { Registry } from '../../src/registry/registry.ts';
import { orders, registration } from '../support/instances.ts';
import { randomRuns } from '../support/random.ts';

const RUNS = randomRuns(300);

/** Enough for a crowd: mass silence, and connections that end at once. */
const MANY = 150;
const HOLDERS = [{}, {}, {}] as const;
const END_MS = 1_000_000;

type Step = (registry: Registry, clock: { ms: number }) => void;

/** What is done to one instance, or to all that there may be. */
function toEach(ports: readonly number[], act: (registry: Registry, port: number) => void): Step {
  return (registry) => {
    for (const port of ports) act(registry, port);
  };
}

const REFUSED = { verdict: 'failing', type: 'tcp', reason: 'refused' } as const;
const TIMED_OUT = { verdict: 'failing', type: 'tcp', reason: 'timed out' } as const;
const all = Array.from({ length: MANY }, (_, port) => port);
const ports = fc.oneof({ weight: 3, arbitrary: fc.nat(5).map((port) => [port]) }, { weight: 1, arbitrary: fc.constant(all) });
const holder = fc.constantFrom(...HOLDERS);
const said = fc.record({ healthy: fc.boolean(), enabled: fc.boolean(), weight: fc.nat(1) });
const goodbye = fc.constantFrom('deregistered' as const, 'connection-ended' as const);

const step: fc.Arbitrary<Step> = fc.oneof(
  fc
    .tuple(ports, said, fc.boolean())
    .map(([ports, what, ephemeral]) =>
      toEach(ports, (registry, port) => registry.register(orders, registration({ ...what, ephemeral, port }))),
    ),
  fc
    .tuple(ports, said, holder)
    .map(([ports, what, by]) => toEach(ports, (registry, port) => registry.hold(orders, registration({ ...what, port }), by))),
  fc
    .tuple(ports, holder, goodbye)
    .map(([ports, by, how]) => toEach(ports, (registry, port) => registry.release(orders, registration({ port }), by, how))),
  ports.map((ports) => toEach(ports, (registry, port) => registry.beat(orders, registration({ port })))),
  ports.map((ports) => toEach(ports, (registry, port) => registry.deregister(orders, registration({ port })))),
  fc
    .tuple(ports, fc.boolean())
    .map(([ports, passing]) => toEach(ports, (registry, port) => registry.report(orders, registration({ port }), passing))),
  fc
    .tuple(ports, fc.constantFrom<CheckVerdict>('passing', 'unchecked', REFUSED, TIMED_OUT))
    .map(([ports, verdict]) => toEach(ports, (registry, port) => registry.checked(orders, registration({ port }), verdict))),
  fc
    .tuple(ports, fc.boolean())
    .map(([ports, enabled]) => toEach(ports, (registry, port) => registry.edit(orders, registration({ port }), { enabled }))),
  fc
    .tuple(ports, fc.constantFrom(1_000, 40_000))
    .map(([ports, until]) =>
      toEach(ports, (registry, port) => registry.drains.drain(orders, registration({ port }), { reason: '', since: 0, until })),
    ),
  ports.map((ports) => toEach(ports, (registry, port) => registry.drains.resume(orders, registration({ port })))),
  fc.constantFrom(100, 300, 5_000, 15_000, 30_000).map((ms) => (registry: Registry, clock: { ms: number }) => {
    clock.ms += ms;
    registry.sweep();
  }),
  fc.nat(3_000).map((ms) => (registry: Registry) => registry.postpone(ms)),
  fc.boolean().map((suspended) => (registry: Registry) => registry.suspendExpiry(suspended)),
  fc.constant((registry: Registry) => void registry.drop(orders)),
);

/** By address, how it is. */
function seen(registry: Registry): ReadonlyMap<number, string> {
  return new Map((registry.instances(orders) ?? []).map(({ port, healthy }) => [port, healthy ? 'healthy' : 'unhealthy']));
}

/** All that a level listener may want to know of, but for what time alone changes. */
function state(registry: Registry): string {
  const instances = registry.instances(orders)?.map(({ silentMs: _, ...rest }) => rest);
  return JSON.stringify([registry.tally(orders), instances]);
}

it(`whoever hears the events knows how each instance is, whoever hears the names misses no change, and nothing stays for ever ${RUNS.title}`, {
  timeout: RUNS.timeoutMs,
}, () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), (sequence) => {
      const clock = { ms: 0 };
      const registry = new Registry(() => clock.ms);
      const told = new Map<number, string>();
      let isNamed = false;
      // What a listener throws, the registry keeps to itself.
      const wrong: string[] = [];
      registry.onEvent(({ instance, cause, from, to }) => {
        if (instance === undefined) return;
        if (from !== told.get(instance.port)) wrong.push(`${cause} from ${from}, was ${told.get(instance.port)}`);
        if (to === 'removed') told.delete(instance.port);
        else if (to !== undefined) told.set(instance.port, to);
      });
      registry.onChange(() => {
        isNamed = true;
      });
      let before = state(registry);
      for (const act of sequence) {
        isNamed = false;
        act(registry, clock);
        expect([seen(registry), wrong]).toEqual([told, []]);
        const after = state(registry);
        if (after !== before) expect(isNamed).toBe(true);
        before = after;
      }
      registry.suspendExpiry(false);
      for (const port of all) {
        for (const by of HOLDERS) registry.release(orders, registration({ port }), by, 'connection-ended');
        if (registry.instance(orders, registration({ port }))?.ephemeral === false)
          registry.deregister(orders, registration({ port }));
      }
      for (const end = clock.ms + END_MS; clock.ms < end; clock.ms += 1_000) registry.sweep();
      expect([registry.instanceCount, registry.serviceCount, registry.nextDue]).toEqual([0, 0, undefined]);
    }),
    RUNS.parameters,
  );
});
