import fc from 'fast-check';
import { expect, it } from 'vitest';
import { CheckError } from '../../src/probe/check.ts';
import type { ProbeLimits } from '../../src/probe/prober.ts';
import { askedCheckOf } from '../../src/registry/check-metadata.ts';
import type { Check } from '../../src/registry/checks.ts';
import type { Registration } from '../../src/registry/instance.ts';
import { DEFAULT_SETTINGS } from '../../src/registry/settings.ts';
import { orders, registration } from '../support/instances.ts';
import { failOnLeaks } from '../support/leaks.ts';
import { randomRuns } from '../support/random.ts';
import { type Begun, heard, ProberRoom } from './prober-room.ts';

failOnLeaks();

const RUNS = randomRuns(300);

const SERVICES = [orders, { ...orders, name: 'stock' }] as const;
const CHECKS: readonly Check[] = [
  { type: 'tcp', port: undefined },
  { type: 'http', path: '/', headers: '', expectedResponseCode: 200, tls: false, verify: true, port: undefined },
  { type: 'none', port: undefined },
];
const METADATA: readonly Record<string, string>[] = [
  {},
  { 'health.check': 'tcp' },
  { 'health.check': 'grpc:x', 'health.check.interval': '500ms' },
  { 'health.check': 'nonsense' },
];

/** No two instances have an address in common, so that a check tells whose it is. */
const who = fc
  .record({
    service: fc.constantFrom(...SERVICES),
    ip: fc.constantFrom('10.0.0.1', '::ffff:10.0.0.1', '10.0.0.2'),
    port: fc.integer({ min: 1, max: 3 }),
  })
  .map(({ service, ip, port }) => ({ service, address: { ip, port: service === orders ? port : 10 + port } }));
const metadata = fc.constantFrom(...METADATA);
const said = fc.record({ cluster: fc.constantFrom('A', 'B'), ephemeral: fc.boolean(), metadata });

const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('register' as const), who, said }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constantFrom('deregister' as const, 'beat' as const, 'unedit' as const), who }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('edit' as const), who, metadata }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('configure' as const),
      service: fc.constantFrom(...SERVICES),
      check: fc.constantFrom(...CHECKS),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('drop' as const), service: fc.constantFrom(...SERVICES) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('switch' as const), on: fc.subarray([...SERVICES]) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('answer' as const),
      which: fc.nat(20),
      how: fc.constantFrom('passes' as const, 'refused' as const, 'counted' as const, 'impossible' as const),
    }),
  },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 6_000 }) }) },
);
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

const LIMITS = fc.record({
  maxProbes: fc.integer({ min: 1, max: 5 }),
  maxProbesPerAddress: fc.integer({ min: 1, max: 3 }),
  maxProbesPerSecond: fc.constantFrom(1, 3, 10, 1_000),
});

/** Who is to be checked, of all there are. */
function expectedIn({ registry, rules }: ProberRoom): string[] {
  const isChecked = ({ metadata, ephemeral, cluster }: Registration, checks: Readonly<Record<string, Check>>) => {
    const own = askedCheckOf(metadata);
    if (own !== undefined && 'check' in own) return true;
    return !ephemeral && checks[cluster]?.type !== 'none';
  };
  return SERVICES.filter(rules.isOn).flatMap((name) =>
    (registry.instances(name) ?? [])
      .filter((instance) => isChecked(instance, registry.settings(name)?.checks ?? {}))
      .map(({ ip, port }) => `${ip} ${port}`),
  );
}

function take(room: ProberRoom, step: Step): void {
  const { registry } = room;
  if (step.do === 'register') registry.register(step.who.service, registration({ ...step.who.address, ...step.said }));
  else if (step.do === 'edit') registry.edit(step.who.service, step.who.address, { metadata: step.metadata });
  else if (step.do === 'configure') registry.configure(step.service, { ...DEFAULT_SETTINGS, checks: { A: step.check } });
  else if (step.do === 'drop') registry.drop(step.service);
  else if (step.do === 'switch') room.rules.switch((name) => step.on.some((on) => on.name === name.name));
  else if (step.do === 'answer') {
    const open = room.begun.filter(({ signal }) => !signal.aborted);
    const begun = open[step.which % Math.max(1, open.length)];
    if (step.how === 'passes') begun?.pass();
    else begun?.fail(new CheckError('refused', step.how === 'refused' ? 'at-once' : step.how));
  } else if (step.do !== 'wait') registry[step.do](step.who.service, step.who.address);
}

it(`after any changes, verdicts and waits those are checked who should be, within the bounds ${RUNS.title}`, {
  timeout: RUNS.timeoutMs,
}, async () => {
  const property = fc.asyncProperty(fc.array(step, { maxLength: 60 }), LIMITS, async (sequence, limits) => {
    using room = new ProberRoom(limits, () => 0.3).start();
    const { open, faults } = watched(room, limits);
    for (const step of sequence) {
      take(room, step);
      await heard();
      if (step.do === 'wait') await room.pass(step.ms, 250);
      room.registry.sweep();
      expect(room.prober.targetCount).toBe(expectedIn(room).length);
      expect(room.prober.underWay).toBe(open.size);
      if (room.prober.targetCount > 0) continue;
      // What has failed is told to be as it says, and then there is nothing to do.
      room.scheduler.advance(1);
      expect(room.scheduler.open).toBe(0);
    }
    // None is forgotten: even where they hang, and one a second may begin, each has its turn.
    const since = room.begun.length;
    await room.pass(60_000, 250);
    const expected = expectedIn(room);
    const turns = room.begun.slice(since).map(({ ip, port }) => `${ip} ${port}`);
    expect(turns).toEqual(expect.arrayContaining(expected));
    const troubled = SERVICES.flatMap((name) => room.registry.instances(name) ?? []).filter(
      ({ trouble }) => trouble !== undefined,
    );
    expect(expected).toEqual(expect.arrayContaining(troubled.map(({ ip, port }) => `${ip} ${port}`)));
    expect(faults).toEqual([]);
  });
  await fc.assert(property, RUNS.parameters);
});

/** Notes which checks are under way, and where that is more than may be. */
function watched(room: ProberRoom, limits: ProbeLimits) {
  const open = new Set<Begun>();
  const faults: string[] = [];
  room.answer = (begun) => {
    const { pass, fail } = begun;
    if ([...open].some(({ ip, port }) => ip === begun.ip && port === begun.port)) faults.push('one is checked twice at once');
    open.add(begun);
    begun.signal.addEventListener('abort', () => open.delete(begun));
    begun.pass = () => open.delete(begun) && pass();
    begun.fail = (error) => open.delete(begun) && fail(error);
    const sameAddress = [...open].filter(({ ip }) => ip.endsWith(begun.ip.slice(-8)));
    const before = room.begun.at(-1 - limits.maxProbesPerSecond);
    if (open.size > limits.maxProbes) faults.push('too many');
    if (sameAddress.length > limits.maxProbesPerAddress) faults.push('too many at an address');
    if (before !== undefined && begun.at - before.at < 1_000) faults.push('too many in a second');
  };
  return { open, faults };
}
