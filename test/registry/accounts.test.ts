import { expect, it } from 'vitest';
import { sizeOf } from '../../src/registry/accounts.ts';
import { Registry } from '../../src/registry/registry.ts';
import { DEFAULT_SETTINGS } from '../../src/registry/settings.ts';
import { orders, registration } from '../support/instances.ts';

function setUp() {
  const clock = { ms: 1_000_000 };
  return { clock, registry: new Registry(() => clock.ms, { forgetAfterMs: 60_000 }) };
}

const A = { peer: '10.0.0.1' };
const B = { peer: '10.0.0.2' };
const METADATA = { zone: 'a' };

it('metadata count for their characters, and for 32 more each pair', () => {
  expect(sizeOf({})).toBe(0);
  expect(sizeOf(METADATA)).toBe(5 + 32);
  expect(sizeOf({ a: '', b: 'xyz' })).toBe(5 + 64);
});

it('an instance is counted for whoever registered it last, and a service for whoever made it known', () => {
  const { registry } = setUp();
  registry.register(orders, registration({ metadata: METADATA }), A);
  expect(registry.accounts.of('10.0.0.1')).toMatchObject({ services: 1, instances: 1, metadataSize: 37 });
  registry.register(orders, registration({ metadata: {} }), B);
  expect(registry.accounts.of('10.0.0.1')).toMatchObject({ services: 1, instances: 0, metadataSize: 0 });
  expect(registry.accounts.of('10.0.0.2')).toMatchObject({ services: 0, instances: 1, metadataSize: 0 });
  expect(registry.accounts.all).toMatchObject({ services: 1, instances: 1, metadataSize: 0 });
});

it('whoever has nothing left leaves no account behind', () => {
  const { registry, clock } = setUp();
  registry.register(orders, registration(), A);
  registry.register(orders, registration({ port: 2, metadata: METADATA }), B);
  expect(registry.accounts.peerCount).toBe(2);
  registry.deregister(orders, registration({ port: 2 }), B);
  expect(registry.accounts.of('10.0.0.2')).toBeUndefined();
  clock.ms += 30_000;
  while (registry.sweep() === 'more');
  // The service is still known, and is its own.
  expect(registry.accounts.of('10.0.0.1')).toMatchObject({ services: 1, instances: 0 });
  clock.ms += 60_000;
  while (registry.sweep() === 'more');
  expect(registry.accounts.peerCount).toBe(0);
  expect(registry.accounts.all).toMatchObject({ services: 0, instances: 0, metadataSize: 0 });
});

it('one that is said again by the only one who had anything is counted for him', () => {
  const { registry } = setUp();
  registry.create(orders, DEFAULT_SETTINGS, B);
  registry.register(orders, registration(), A);
  registry.register(orders, registration({ metadata: METADATA }), A);
  expect(registry.accounts.of('10.0.0.1')).toMatchObject({ services: 0, instances: 1, metadataSize: 37 });
  registry.drop(orders, B);
  expect(registry.accounts.peerCount).toBe(0);
});

it('what a holder has said counts until he lets go', () => {
  const { registry } = setUp();
  const [one, other] = [{}, {}];
  registry.hold(orders, registration({ metadata: METADATA }), one, A);
  registry.hold(orders, registration(), other, B);
  registry.release(orders, registration(), other, 'deregistered', B);
  expect(registry.accounts.all).toMatchObject({ instances: 1, metadataSize: 37 });
  registry.release(orders, registration(), one, 'deregistered', A);
  expect(registry.accounts.all).toMatchObject({ instances: 0, metadataSize: 0 });
});

it('who has said it before is counted for it again when the one after him has let go', () => {
  const { registry } = setUp();
  const [one, other] = [{}, {}];
  registry.hold(orders, registration(), one, A);
  registry.hold(orders, registration({ metadata: METADATA }), other, B);
  expect(registry.accounts.of('10.0.0.2')).toMatchObject({ instances: 1, metadataSize: 37 });
  registry.release(orders, registration(), other, 'connection-ended', B);
  expect(registry.accounts.of('10.0.0.2')).toBeUndefined();
  expect(registry.accounts.of('10.0.0.1')).toMatchObject({ instances: 1, metadataSize: 0 });
});

it('of what is remembered of those that have gone there is not too much', () => {
  const { registry, clock } = setUp();
  const metadata = { a: 'x'.repeat(1 << 20) };
  const COUNT = 30;
  for (let port = 1; port <= COUNT; port++) {
    registry.register(orders, registration({ port, metadata }), A);
    clock.ms += 1;
  }
  clock.ms += 30_000;
  while (registry.sweep() === 'more');
  const remembered = Array.from({ length: COUNT }, (_, i) => registry.lastRegistration(orders, registration({ port: i + 1 })));
  expect(remembered.map((said) => said !== undefined)).toEqual([...Array(15).fill(false), ...Array(15).fill(true)]);
});

it('settings of a service count as metadata, as long as it is there', () => {
  const { registry } = setUp();
  const settings = { ...DEFAULT_SETTINGS, surfaces: { nacos: { metadata: { a: 'x'.repeat(1_000) } } } };
  registry.create(orders, settings, A);
  const { metadataSize } = registry.accounts.all;
  expect(metadataSize).toBeGreaterThan(1_000);
  expect(metadataSize).toBeLessThan(2_000);
  registry.configure(orders, DEFAULT_SETTINGS, A);
  expect(registry.accounts.all.metadataSize).toBeLessThan(metadataSize - 1_000);
  registry.drop(orders, A);
  expect(registry.accounts.all.metadataSize).toBe(0);
});

it('what is given back by a store is of nobody until it is said again', () => {
  const { registry } = setUp();
  registry.register(orders, registration({ metadata: METADATA }), A);
  const records = [...registry.records.all()];
  const { registry: other } = setUp();
  other.restore(records, { afresh: true, heldMs: 0 });
  expect(other.accounts.of('')).toMatchObject({ services: 1, instances: 1, metadataSize: 37 });
  other.register(orders, registration({ metadata: METADATA }), A);
  expect(other.accounts.of('10.0.0.1')).toMatchObject({ services: 0, instances: 1, metadataSize: 37 });
});

it('peers of one origin have one account', () => {
  const registry = new Registry(() => 0, { originOf: (peer) => peer.replace(/ .*/, '') });
  registry.register(orders, registration({ metadata: METADATA }), { peer: 'A 1' });
  registry.register(orders, registration({ port: 2 }), { peer: 'A 2' });
  registry.register(orders, registration({ metadata: METADATA }), { peer: 'A 2' });
  expect(registry.accounts.of('A 3')).toMatchObject({ services: 1, instances: 2, metadataSize: 37 });
  expect(registry.accounts.peerCount).toBe(1);
});
