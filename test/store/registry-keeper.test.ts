import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { pino } from 'pino';
import { afterEach, describe, expect, it } from 'vitest';
import { type DurableRecord, recordKey } from '../../src/registry/records.ts';
import { Registry } from '../../src/registry/registry.ts';
import { DEFAULT_SETTINGS } from '../../src/registry/settings.ts';
import { keepRegistry, restoreRegistry, tidy } from '../../src/store/registry-keeper.ts';
import { Store } from '../../src/store/store.ts';
import { systemScheduler } from '../../src/wire/scheduler.ts';
import { orders, registration } from '../support/instances.ts';
import { randomRuns } from '../support/random.ts';

const RUNS = randomRuns(40);
const HOW = { wallClock: () => 0, seenAt: 0, isStale: false, heldMs: 45_000 };
const holder = {};

const dir = mkdtempSync(join(tmpdir(), 'beatbridge-keeper-'));
let made = 0;
const open: Store[] = [];

afterEach(async () => {
  for (const store of open.splice(0)) await store.close();
  rmSync(dir, { recursive: true, force: true });
});

async function opened(path: string): Promise<Store> {
  const options = { scheduler: systemScheduler, wallClock: () => 0, log: pino({ enabled: false }) };
  const store = await Store.open(path, options);
  open.push(store);
  return store;
}

/** A registry that is kept, and what another one is like that is given back what was kept of it. */
async function kept() {
  const clock = { ms: 1_000_000 };
  const registry = new Registry(() => clock.ms);
  const path = join(dir, String(++made));
  const store = await opened(path);
  keepRegistry(store, registry);
  return {
    registry,
    store,
    clock,
    wait(ms: number) {
      clock.ms += ms;
      registry.sweep();
    },
    async restarted(how = HOW, watch: (other: Registry) => void = () => {}) {
      await store.close();
      const other = new Registry(() => clock.ms);
      watch(other);
      const again = await opened(path);
      await restoreRegistry(again, other, how);
      return { other, again, path };
    },
  };
}

describe('a registry that is kept', () => {
  it('comes back with its services, instances, edits and what silence took', async () => {
    const { registry, wait, restarted } = await kept();
    registry.configure({ ...orders, name: 'made' }, { ...DEFAULT_SETTINGS, fallAfterMs: 5_000 });
    registry.register(orders, registration({ port: 1, ephemeral: false }));
    registry.hold(orders, registration({ port: 2 }), holder);
    registry.register(orders, registration({ port: 3, metadata: { a: 'b' } }));
    registry.edit(orders, registration({ port: 3 }), { enabled: false });
    registry.checked(orders, registration({ port: 1 }), { verdict: 'failing', type: 'tcp', reason: 'refused' });
    wait(30_000);
    const { other } = await restarted();
    expect(other.settings({ ...orders, name: 'made' })?.fallAfterMs).toBe(5_000);
    expect(other.instance(orders, registration({ port: 1 }))).toMatchObject({ healthy: false, trouble: { reason: 'refused' } });
    expect(other.instance(orders, registration({ port: 2 }))).toMatchObject({ healthy: true, remembered: true });
    expect(other.instance(orders, registration({ port: 3 }))).toBeUndefined();
    expect(other.awaitedEdit(orders, registration({ port: 3 }))).toEqual({ enabled: false });
    expect(other.lastRegistration(orders, registration({ port: 3 }))?.metadata).toEqual({ a: 'b' });
  });

  it('leaves out what only lived when nobody has looked for too long', async () => {
    const { registry, restarted } = await kept();
    registry.register(orders, registration({ port: 1 }));
    registry.edit(orders, registration({ port: 1 }), { weight: 7 });
    registry.register({ ...orders, name: 'other' }, registration({ port: 2, ephemeral: false }));
    const { other } = await restarted({ ...HOW, isStale: true });
    expect(other.tally(orders)).toBeUndefined();
    expect(other.awaitedEdit(orders, registration({ port: 1 }))).toEqual({ weight: 7 });
    expect(other.tally({ ...orders, name: 'other' })).toMatchObject({ total: 1 });
  });

  it('owes what is persistent or an operator has said, and nothing for what is said again anyway', async () => {
    const { registry, store, wait } = await kept();
    const owes = (act: () => void) => {
      const before = store.owed;
      act();
      return store.owed > before;
    };
    const persistent = registration({ port: 1, ephemeral: false });
    expect(owes(() => registry.register(orders, registration()))).toBe(false);
    expect(owes(() => registry.beat(orders, registration()))).toBe(false);
    expect(owes(() => wait(15_000))).toBe(false);
    expect(owes(() => registry.edit(orders, registration(), { enabled: false }))).toBe(true);
    const drain = { reason: 'a release', since: 0, until: 10_000 };
    expect(owes(() => registry.drains.drain(orders, registration(), drain))).toBe(true);
    expect(owes(() => registry.drains.resume(orders, registration()))).toBe(true);
    registry.drains.drain(orders, registration(), drain);
    expect(owes(() => wait(10_000))).toBe(false);
    expect(owes(() => registry.deregister(orders, registration()))).toBe(false);
    expect(owes(() => registry.register(orders, persistent))).toBe(true);
    expect(owes(() => registry.checked(orders, persistent, 'passing'))).toBe(false);
    expect(owes(() => registry.deregister(orders, persistent))).toBe(true);
    expect(owes(() => registry.create(orders))).toBe(true);
    expect(owes(() => registry.drop(orders))).toBe(true);
  });

  it('has what was drained drained until the time of day that was said, and not a moment longer', async () => {
    const until = 1_700_000_600_000;
    const drain = { reason: 'a release', since: until - 600_000, until, by: { user: 'ann' } };
    for (const [now, left] of [
      [until - 1, 1],
      [until, 0],
      [until + 86_400_000, 0],
      // The clock was put back: it has been drained for a while all the same.
      [until - 86_400_000, 600_000],
    ] as const) {
      const { registry, restarted } = await kept();
      registry.register(orders, registration({ port: 1, ephemeral: false }));
      registry.drains.drain(orders, registration({ port: 1 }), drain);
      const { other, again, path } = await restarted({ ...HOW, wallClock: () => now });
      const drained = [...other.records.all()].filter(({ kind }) => kind === 'drain');
      expect(drained).toMatchObject(left === 0 ? [] : [{ drain, leftMs: left }]);
      expect(other.instance(orders, registration({ port: 1 }))?.enabled).toBe(left === 0);
      await again.close();
      const written: string[] = [];
      for await (const { value } of (await opened(path)).entries('registry ')) written.push(JSON.stringify(value));
      expect(written.join().includes('a release')).toBe(left > 0);
    }
  });

  it('leaves nothing of what time alone has ended, once it is tidied', async () => {
    const { registry, store, wait } = await kept();
    registry.register(orders, registration());
    registry.edit(orders, registration(), { enabled: false });
    wait(30_000);
    wait(60_000);
    wait(3_600_000);
    await tidy(store, registry);
    await store.close();
    const again = await opened(join(dir, String(made)));
    const keys = [];
    for await (const { key } of again.entries('registry')) keys.push(key);
    expect(keys).toEqual([]);
  });
});

it('a service that is larger than what is read at a time comes back whole: nothing is told of a part of it', async () => {
  const { registry, restarted } = await kept();
  for (let i = 0; i < 1_300; i++) registry.register(orders, registration({ port: i + 1 }));
  for (let i = 0; i < 40; i++) registry.register({ ...orders, name: `other-${i}` }, registration());
  const totals = new Map<string, Set<number | undefined>>();
  await restarted(HOW, (other) =>
    other.onChange((service) => {
      const told = totals.get(service.name) ?? new Set();
      totals.set(service.name, told.add(other.tally(service)?.total));
    }),
  );
  expect(totals.get('orders')).toEqual(new Set([1_300]));
  expect(totals.size).toBe(41);
});

it('that a persistent instance has become ephemeral must survive: nobody would miss its beats', async () => {
  const { registry, store } = await kept();
  registry.register(orders, registration({ ephemeral: false }));
  const before = store.owed;
  registry.register(orders, registration());
  expect(store.owed).toBe(before + 1);
});

const port = fc.integer({ min: 1, max: 4 });
const step = fc.oneof(
  fc.tuple(port, fc.boolean()).map(
    ([port, ephemeral]) =>
      (registry: Registry) =>
        registry.register(orders, registration({ port, ephemeral })),
  ),
  port.map((port) => (registry: Registry) => registry.hold(orders, registration({ port }), holder)),
  port.map((port) => (registry: Registry) => registry.release(orders, registration({ port }), holder, 'connection-ended')),
  port.map((port) => (registry: Registry) => void registry.deregister(orders, registration({ port }))),
  fc.tuple(port, fc.boolean()).map(
    ([port, enabled]) =>
      (registry: Registry) =>
        void registry.edit(orders, registration({ port }), { enabled }),
  ),
  port.map((port) => (registry: Registry) => void registry.unedit(orders, registration({ port }))),
  fc.constant((registry: Registry) => void registry.create(orders)),
  fc.constant((registry: Registry) => void registry.drop(orders)),
);
const wait = fc.constantFrom(5_000, 15_000, 30_000);

it(`after any steps and waits what is kept is what is known ${RUNS.title}`, { timeout: RUNS.timeoutMs }, async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.oneof({ weight: 4, arbitrary: step }, { weight: 1, arbitrary: wait }), { maxLength: 30 }),
      async (sequence) => {
        const { registry, wait, restarted } = await kept();
        for (const act of sequence) {
          if (typeof act === 'number') wait(act);
          else act(registry);
        }
        const expected = seen(registry);
        expect(seen((await restarted()).other)).toEqual(expected);
      },
    ),
    RUNS.parameters,
  );
});

/** All that does not depend on how long ago it was. */
function seen(registry: Registry) {
  return [...registry.records.all()]
    .map((record: DurableRecord) => ({ ...record, emptyMs: 0, silentMs: 0, awayMs: 0 }))
    .sort((a, b) => (recordKey(a) < recordKey(b) ? -1 : 1));
}
