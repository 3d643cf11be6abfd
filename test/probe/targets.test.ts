import { expect, it } from 'vitest';
import { Targets } from '../../src/probe/targets.ts';
import { Registry } from '../../src/registry/registry.ts';
import { orders, registration } from '../support/instances.ts';

function setUp() {
  const registry = new Registry(() => 0);
  const said: string[] = [];
  const targets = new Targets(registry, {
    begun: ({ port, cluster }, soon) => said.push(`begun ${cluster} ${port}${soon ? ' soon' : ''}`),
    ended: ({ port }) => said.push(`ended ${port}`),
    left: (_, { port }) => said.push(`left ${port}`),
  });
  return { registry, targets, said };
}

const persistent = registration({ ephemeral: false });

it('a registration that changes nothing of the check is no change, in another cluster neither', () => {
  const { registry, targets, said } = setUp();
  targets.start(() => true);
  registry.register(orders, persistent);
  registry.register(orders, { ...persistent, weight: 5, metadata: { version: '2' } });
  registry.register(orders, { ...persistent, cluster: 'B' });
  expect(said).toEqual(['begun DEFAULT 8080']);
  expect([...targets.of(orders)].map(({ cluster }) => cluster)).toEqual(['B']);
});

it('an instance that goes leaves nothing behind, nor does its address', () => {
  const { registry, targets, said } = setUp();
  targets.start(() => true);
  for (const port of [1, 2]) registry.register(orders, { ...persistent, port });
  registry.register(orders, { ...persistent, ip: '::ffff:a00:1', port: 3 });
  registry.register(orders, { ...persistent, ip: 'Host', port: 4 });
  expect([targets.count, targets.addressCount]).toEqual([4, 2]);
  registry.deregister(orders, { ...persistent, port: 1 });
  registry.register(orders, registration({ port: 2 }));
  registry.deregister(orders, { ip: '::ffff:a00:1', port: 3 });
  expect([targets.count, targets.addressCount]).toEqual([1, 1]);
  registry.drop(orders);
  expect([targets.count, targets.addressCount, [...targets.of(orders)]]).toEqual([0, 0, []]);
  expect(said.slice(4)).toEqual(['ended 1', 'ended 2', 'ended 3', 'ended 4']);
});

it('what is off is remembered and not checked, also where it changes meanwhile', () => {
  const { registry, targets, said } = setUp();
  let isOn = false;
  registry.register(orders, persistent);
  targets.start(() => isOn);
  registry.register(orders, registration({ metadata: { 'health.check': 'tcp' }, port: 1 }));
  expect([targets.count, targets.has(orders, persistent), said]).toEqual([0, false, []]);
  isOn = true;
  targets.switched();
  targets.switched();
  expect([targets.count, targets.has(orders, persistent), said]).toEqual([2, true, ['begun DEFAULT 8080', 'begun DEFAULT 1']]);
  registry.deregister(orders, { ...persistent, port: 1 });
  isOn = false;
  targets.switched();
  expect([targets.count, said.slice(2)]).toEqual([0, ['ended 1', 'ended 8080', 'left 8080']]);
});

it('what a check has left of an instance that was restored, and is not checked, is told', () => {
  const { registry, targets, said } = setUp();
  registry.register(orders, registration());
  registry.checked(orders, registration(), { verdict: 'failing', type: 'tcp', reason: 'refused' });
  targets.start(() => true);
  expect(said).toEqual(['left 8080']);
});
