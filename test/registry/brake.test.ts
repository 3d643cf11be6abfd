import { describe, expect, it } from 'vitest';
import type { RegistryEvent } from '../../src/registry/changes.ts';
import type { RegistryOptions } from '../../src/registry/options.ts';
import { Registry } from '../../src/registry/registry.ts';
import { orders, registration } from '../support/instances.ts';
import { passSweeping } from '../support/sweeping.ts';

function setUp(count: number, options: RegistryOptions = {}) {
  const clock = { ms: 0 };
  const registry = new Registry(() => clock.ms, options);
  const masses: RegistryEvent[] = [];
  registry.onEvent((event) => {
    if (event.cause === 'mass-silence') masses.push(event);
  });
  for (let port = 1; port <= count; port++) registry.register(orders, registration({ port }));
  return {
    registry,
    masses,
    beat(from: number, to: number) {
      for (let port = from; port <= to; port++) registry.beat(orders, registration({ port }));
    },
    wait: (ms: number) => passSweeping(registry, clock, ms),
    tally: () => registry.tally(orders) ?? { total: 0, healthy: 0, available: 0 },
  };
}

describe('mass silence', () => {
  it('is seen by health at once, and slows removals to one in a hundred a second', () => {
    const { wait, tally, masses, registry } = setUp(3_000);
    wait(15_000);
    expect(tally()).toEqual({ total: 3_000, healthy: 0, available: 0 });
    expect(masses).toMatchObject([{ cause: 'mass-silence', count: 601, at: 15_000 }]);
    wait(15_000);
    expect(tally().total).toBe(2_999);
    wait(1_000);
    expect(tally().total).toBe(2_969);
    wait(98_000);
    expect(tally().total).toBe(29);
    wait(1_000);
    expect(tally().total).toBe(0);
    expect(masses).toHaveLength(1);
    wait(60_000);
    expect(registry.serviceCount).toBe(0);
  });

  it('takes no more than fifty, or a fifth of all, for nothing out of the ordinary', () => {
    const few = setUp(50);
    few.wait(30_000);
    expect([few.tally().total, few.masses.length]).toEqual([0, 0]);
    const share = setUp(1_000);
    share.wait(10_000);
    share.beat(201, 1_000);
    share.wait(10_000);
    share.beat(201, 1_000);
    share.wait(10_000);
    expect([share.tally().total, share.masses.length]).toEqual([800, 0]);
  });

  it('is told apart from instances that go one after the other', () => {
    const { wait, beat, tally, masses } = setUp(100);
    // Ten a minute.
    for (let gone = 0; gone < 100; gone += 10) {
      for (let i = 0; i < 6; i++) {
        wait(10_000);
        beat(gone + 11, 100);
      }
    }
    expect([tally().total, masses.length]).toEqual([0, 0]);
  });

  it('forgets the turn of an instance that beats again', () => {
    const { wait, beat, tally } = setUp(200);
    wait(30_000);
    expect(tally().total).toBe(199);
    beat(100, 200);
    expect(tally()).toEqual({ total: 199, healthy: 101, available: 101 });
    for (let i = 0; i < 4; i++) {
      wait(14_000);
      beat(100, 200);
    }
    // The other 98 have had their turns, two a second.
    expect(tally()).toEqual({ total: 101, healthy: 101, available: 101 });
  });

  it('makes unhealthy at once also those that would be removed before', () => {
    const silenceOf = () => ({ beatIntervalMs: 1_000, unhealthyAfterMs: 20_000, removedAfterMs: 10_000 });
    const { wait, tally } = setUp(1_000, { silenceOf });
    wait(10_000);
    // Until it is seen to be a mass, a fifth of those that are left have gone.
    expect(tally()).toEqual({ total: 833, healthy: 0, available: 0 });
    wait(1_000);
    expect(tally().total).toBe(825);
  });

  it('goes on at the same pace however often deadlines are postponed', () => {
    const { wait, tally, registry } = setUp(10_000);
    wait(30_000);
    const totals = [];
    for (let i = 0; i < 5; i++) {
      wait(18_000);
      registry.postpone(2_000);
      wait(2_000);
      totals.push(tally().total);
    }
    // A hundred a second, but for the two of each twenty in which nobody could be heard.
    expect(totals).toEqual([8_199, 6_399, 4_599, 2_799, 999]);
  });

  it('leaves nobody waiting for the turns of those that have come back', () => {
    const { wait, beat, tally } = setUp(1_000);
    for (let i = 0; i < 5; i++) {
      wait(30_000);
      // One of them has gone, the others have been given their turns.
      expect(tally().total).toBe(999 - i);
      beat(1, 1_000);
    }
    wait(30_000);
    wait(10_000);
    expect(tally().total).toBeLessThan(900);
    wait(91_000);
    expect(tally().total).toBe(0);
  });
});
