import { expect, it } from 'vitest';
import { Slots } from '../../../src/nacos/grpc/slots.ts';
import type { RegistryEvent } from '../../../src/registry/changes.ts';
import { Registry } from '../../../src/registry/registry.ts';
import { orders, registration } from '../../support/instances.ts';

const BY = { connection: 'c1', peer: '127.0.0.1', agent: 'Test:v1' };

function setUp() {
  const registry = new Registry(() => 0);
  const events: RegistryEvent[] = [];
  registry.onEvent((event) => events.push(event));
  const ports = () => registry.instances(orders)?.map(({ port }) => port);
  return { registry, events, ports, slots: new Slots(registry, BY) };
}

it('what a slot is filled with replaces all that was in it, the new before the old goes', () => {
  const { registry, events, ports, slots } = setUp();
  slots.put(orders, [registration({ port: 1 }), registration({ port: 2 })]);
  slots.put(orders, [registration({ port: 2 }), registration({ port: 3 })]);
  expect(ports()).toEqual([2, 3]);
  expect(events.map(({ cause, instance, by }) => [cause, instance?.port, by])).toEqual([
    ['registered', 1, BY],
    ['registered', 2, BY],
    ['re-registered', 2, BY],
    ['registered', 3, BY],
    ['deregistered', 1, BY],
  ]);
  slots.put(orders, []);
  expect([registry.tally(orders)?.total, [...slots.all()]]).toEqual([0, []]);
});

it('of an address that is named twice the last word counts, and it is there once', () => {
  const { registry, slots } = setUp();
  slots.put(orders, [registration({ cluster: 'C1' }), registration({ cluster: 'C2' })]);
  expect(registry.instances(orders)).toMatchObject([{ cluster: 'C2' }]);
  expect([...slots.all()]).toMatchObject([{ service: orders, instances: [{ cluster: 'C2' }] }]);
  expect(slots.end()).toBe(1);
});

it('an address that moves to another cluster is not taken back', () => {
  const { registry, slots } = setUp();
  slots.put(orders, [registration({ cluster: 'C1' })]);
  slots.put(orders, [registration({ cluster: 'C2' })]);
  expect(registry.instances(orders)).toMatchObject([{ cluster: 'C2' }]);
});

it('the end lets go of all, says that it was the end of a connection, and is for good', () => {
  const { events, ports, slots } = setUp();
  slots.put(orders, [registration({ port: 1 })]);
  slots.put({ ...orders, name: 'payments' }, [registration({ port: 2 }), registration({ port: 3 })]);
  expect(slots.end()).toBe(3);
  expect(events.slice(3).map(({ cause, by }) => [cause, by])).toEqual(Array(3).fill(['connection-ended', BY]));
  slots.put(orders, [registration({ port: 4 })]);
  expect([ports(), slots.end()]).toEqual([[], 0]);
});

it('what a batch costs grows with its length, not with its square', () => {
  const { ports, slots } = setUp();
  let reads = 0;
  const batch = (first: number) =>
    Array.from({ length: 1_000 }, (_, i) => ({
      ...registration({ port: first + i }),
      get ip() {
        reads++;
        return '10.0.0.1';
      },
    }));
  slots.put(orders, batch(0));
  slots.put(orders, batch(500));
  expect(ports()).toHaveLength(1_000);
  expect(reads).toBeLessThan(100_000);
});
