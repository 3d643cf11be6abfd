import { expect, it } from 'vitest';
import type { RegistryEvent } from '../../src/registry/changes.ts';
import { Registry } from '../../src/registry/registry.ts';
import { NOBODY, Voices } from '../../src/registry/voices.ts';
import { orders, registration } from '../support/instances.ts';

const JAVA = 'Nacos-Java-Client:v1.4.2';

function setUp() {
  const clock = { ms: 1_000 };
  const registry = new Registry(() => clock.ms);
  const events: RegistryEvent[] = [];
  registry.onEvent((event) => events.push(event));
  return {
    registry,
    events,
    wait(ms: number) {
      clock.ms += ms;
      registry.sweep();
    },
  };
}

it('who speaks for his own address is one with all who call themselves the same, and gone with the last of them', () => {
  const voices = new Voices();
  const numbers = ['10.0.0.1', '10.0.0.2', '10.0.0.3'].map((ip) => voices.heard(NOBODY, ip, { peer: ip, agent: JAVA }));
  expect([new Set(numbers).size, voices.count]).toEqual([1, 1]);
  const [number = NOBODY] = numbers;
  expect(voices.of(number, '10.0.0.2')).toEqual({ peer: '10.0.0.2', agent: JAVA });
  const other = voices.heard(number, '10.0.0.3', { peer: '10.9.9.9', agent: JAVA });
  expect([voices.of(other, '10.0.0.3'), voices.count]).toEqual([{ peer: '10.9.9.9', agent: JAVA }, 2]);
  for (const each of [number, number, other]) voices.release(each);
  expect([voices.count, voices.of(number, '10.0.0.1')]).toEqual([0, {}]);
});

it('who calls himself something else each time fills no memory: of more than 65,536 it is not known who was heard', () => {
  const voices = new Voices();
  const numbers = Array.from({ length: 70_000 }, (_, i) => voices.heard(NOBODY, 'x', { peer: 'y', agent: `a${i}` }));
  expect([voices.count, numbers.filter((number) => number === NOBODY).length]).toEqual([65_536, 70_000 - 65_536]);
  const long = new Voices();
  expect(long.of(long.heard(NOBODY, 'x', { peer: 'y', agent: 'a'.repeat(1_000) }), 'x').agent).toHaveLength(128);
});

it('silence and removal tell when an instance was heard last, from whom, and how often it was', () => {
  const { registry, events, wait } = setUp();
  registry.register(orders, registration(), { peer: '10.9.9.9', agent: JAVA });
  expect(registry.heardOf(orders, registration())).toEqual({ silentMs: 0, peer: '10.9.9.9', agent: JAVA });
  for (let i = 0; i < 3; i++) {
    wait(5_000);
    registry.beat(orders, registration(), { peer: '10.9.9.8', agent: JAVA });
  }
  wait(15_000);
  wait(15_000);
  const heard = { peer: '10.9.9.8', agent: JAVA, intervalMs: 5_000 };
  expect(events.slice(-2)).toMatchObject([
    { cause: 'silent', heard: { silentMs: 15_000, ...heard } },
    { cause: 'removed', heard: { silentMs: 30_000, ...heard } },
  ]);
  expect(registry.heardOf(orders, registration())).toBeUndefined();
});

it('an outage counts for no interval, and who has never beaten means to beat as he has said', () => {
  const { registry, wait } = setUp();
  const options = { silenceOf: () => ({ beatIntervalMs: 7_000, unhealthyAfterMs: 15_000, removedAfterMs: 90_000 }) };
  const said = new Registry(() => 0, options);
  said.register(orders, registration());
  expect(said.heardOf(orders, registration())).toEqual({ silentMs: 0, intervalMs: 7_000 });
  registry.register(orders, registration());
  for (const gapMs of [4_000, 20_000, 4_000, 8_000]) {
    wait(gapMs);
    registry.beat(orders, registration());
  }
  expect(registry.heardOf(orders, registration())?.intervalMs).toBe(5_000);
});

it('one that somebody holds is heard of as long as that', () => {
  const { registry, wait } = setUp();
  registry.hold(orders, registration(), {}, { peer: registration().ip, agent: 'Nacos-Java-Client:v2.5.1', connection: 'c' });
  wait(60_000);
  expect(registry.heardOf(orders, registration())).toEqual({
    silentMs: 0,
    peer: registration().ip,
    agent: 'Nacos-Java-Client:v2.5.1',
  });
});

it('who was heard last outlives a restart, and so can be told of whoever does not come back', () => {
  const { registry } = setUp();
  registry.register(orders, registration({ port: 1 }), { peer: '10.9.9.9', agent: JAVA });
  registry.register(orders, registration({ port: 2 }));
  const clock = { ms: 500_000 };
  const next = new Registry(() => clock.ms);
  const events: RegistryEvent[] = [];
  next.onEvent((event) => events.push(event));
  next.restore(JSON.parse(JSON.stringify([...registry.records.all()])), { afresh: true, heldMs: 1_000 });
  clock.ms += 15_000;
  next.sweep();
  expect(events.filter(({ cause }) => cause === 'silent').map(({ heard }) => heard)).toEqual([
    { silentMs: 15_000, peer: '10.9.9.9', agent: JAVA },
    { silentMs: 15_000 },
  ]);
});
