import { describe, expect, it } from 'vitest';
import { RequestError } from '../../../src/nacos/errors.ts';
import { Slots } from '../../../src/nacos/grpc/slots.ts';
import { each, type Paused } from '../../../src/nacos/turns.ts';
import { Walks } from '../../../src/nacos/walks.ts';
import type { RegistryEvent } from '../../../src/registry/changes.ts';
import type { Registration } from '../../../src/registry/instance.ts';
import { Registry } from '../../../src/registry/registry.ts';
import { orders, registration } from '../../support/instances.ts';
import { LIMITS } from '../../support/limits.ts';

const BY = { connection: 'c1', peer: '127.0.0.1', agent: 'Test:v1' };

function setUp() {
  let now = 0;
  const registry = new Registry(() => now);
  const events: RegistryEvent[] = [];
  registry.onEvent((event) => events.push(event));
  const ports = () => registry.instances(orders)?.map(({ port }) => port);
  const soon: (() => void)[] = [];
  /** False: there was nothing to be done. */
  const turn = () => {
    const run = soon.shift();
    run?.();
    return run !== undefined;
  };
  const pass = (ms: number) => {
    now += ms;
  };
  const walks = new Walks({ scheduler: { soon: (run) => void soon.push(run) }, now: () => now, limits: LIMITS });
  return { registry, events, ports, turn, pass, slots: new Slots(registry, BY, walks) };
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
  expect(slots.end('closed')).toBe(1);
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
  expect(slots.end('closed')).toBe(3);
  expect(events.slice(3).map(({ cause, by }) => [cause, by])).toEqual(
    Array(3).fill(['connection-ended', { ...BY, reason: 'closed' }]),
  );
  slots.put(orders, [registration({ port: 4 })]);
  expect([ports(), slots.end('closed')]).toEqual([[], 0]);
});

it('what a batch costs grows with its length, not with its square', async () => {
  const { ports, slots, turn } = setUp();
  let reads = 0;
  const batch = (first: number) =>
    Array.from({ length: 1_000 }, (_, i) => ({
      ...registration({ port: first + i }),
      get ip() {
        reads++;
        return '10.0.0.1';
      },
    }));
  for (const first of [0, 500]) {
    const done = slots.put(orders, batch(first));
    while (turn());
    await done;
  }
  expect(ports()).toHaveLength(1_000);
  expect(reads).toBeLessThan(100_000);
});

describe('of very many instances', () => {
  const many = (from: number, count: number) => Array.from({ length: count }, (_, i) => registration({ port: from + i }));
  const total = ({ registry }: ReturnType<typeof setUp>) => registry.tally(orders)?.total;

  it('some are put in a turn, the old of them last', async () => {
    const room = setUp();
    const { slots, turn } = room;
    const first = slots.put(orders, many(0, 1_200));
    const totals = [total(room)];
    while (turn()) totals.push(total(room));
    expect(totals).toEqual([500, 1_000, 1_200]);
    await first;
    const second = slots.put(orders, many(1_200, 1_200));
    const further = [total(room)];
    while (turn()) further.push(total(room));
    expect(further).toEqual([1_700, 2_200, 2_400 - 500, 2_400 - 1_000, 1_200]);
    await second;
    expect(slots.of(orders)).toHaveLength(1_200);
  });

  it('what comes for the same slot meanwhile waits, and what comes for another does not', async () => {
    const { registry, ports, slots, turn } = setUp();
    const puts = [many(0, 1_200), many(7, 1), many(8, 1)].map((instances) => slots.put(orders, instances));
    const payments = { ...orders, name: 'payments' };
    expect(slots.put(payments, [registration()])).toBeUndefined();
    expect(registry.tally(payments)?.total).toBe(1);
    let isDone = false;
    const done = Promise.all(puts).then(() => {
      isDone = true;
    });
    for (; !isDone; await Promise.resolve()) turn();
    await done;
    expect(ports()).toEqual([8]);
    // Nothing is under way any more.
    expect(slots.put(orders, many(9, 1))).toBeUndefined();
    expect(slots.end('closed')).toBe(2);
  });

  it('a fault in those that have yet to be read leaves the slot as it was', async () => {
    const { ports, slots, turn } = setUp();
    slots.put(orders, many(1, 2));
    function* reading(count: number): Paused<readonly Registration[]> {
      yield* each(Array(count).fill(0), () => {});
      throw new RequestError('invalid', 'no instance');
    }
    expect(() => slots.put(orders, reading(1))).toThrow('no instance');
    const late = slots.put(orders, reading(600));
    const later = slots.put(orders, many(1, 3));
    while (turn());
    await expect(late).rejects.toThrow('no instance');
    await later;
    expect(ports()).toEqual([1, 2, 3]);
  });

  it('an end meanwhile lets go of all, those that were to go too, and nothing is put any more', async () => {
    const room = setUp();
    const { registry, slots, turn, pass } = room;
    const first = slots.put(orders, many(0, 600));
    while (turn());
    await first;
    const second = slots.put(orders, many(600, 1_200));
    turn();
    expect(slots.end('closed')).toBe(1_800);
    while (turn());
    await second;
    // So many at once are kept for a moment, as their client may be back.
    pass(60_000);
    registry.sweep();
    expect(total(room)).toBe(0);
    expect([...slots.all()]).toEqual([]);
  });
});
