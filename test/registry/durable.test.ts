import { describe, expect, it } from 'vitest';
import type { DurableRecord } from '../../src/registry/records.ts';
import { Registry } from '../../src/registry/registry.ts';
import { DEFAULT_SETTINGS } from '../../src/registry/settings.ts';
import { orders, registration } from '../support/instances.ts';

const AFRESH = { afresh: true, heldMs: 45_000 };
const holder = {};

/** A registry that was given back what another one knew, and its clock. */
function restarted(fill: (registry: Registry, wait: (ms: number) => void) => void) {
  const clock = { ms: 1_000_000 };
  const waiting = (registry: Registry) => (ms: number) => {
    clock.ms += ms;
    registry.sweep();
  };
  const before = new Registry(() => clock.ms);
  fill(before, waiting(before));
  const records = JSON.parse(JSON.stringify([...before.records.all()])) as DurableRecord[];
  clock.ms += 3_600_000;
  const registry = new Registry(() => clock.ms);
  registry.restore(records, AFRESH);
  return { registry, wait: waiting(registry), seen: () => registry.instance(orders, registration()) };
}

describe('after a restart', () => {
  it('an instance that beat is as it was, remembered, and has its whole patience', () => {
    const { seen, wait } = restarted((registry, wait) => {
      registry.register(orders, registration());
      wait(14_000);
    });
    expect(seen()).toMatchObject({ healthy: true, remembered: true });
    wait(14_999);
    expect(seen()).toMatchObject({ healthy: true, remembered: true });
    wait(1);
    expect(seen()).toMatchObject({ healthy: false, remembered: true });
    wait(15_000);
    expect(seen()).toBeUndefined();
  });

  it('one that was silent is still unhealthy', () => {
    const { seen, registry } = restarted((registry, wait) => {
      registry.register(orders, registration());
      wait(15_000);
    });
    expect(seen()).toMatchObject({ healthy: false, remembered: true });
    registry.beat(orders, registration());
    expect(seen()).toMatchObject({ healthy: true, remembered: false });
  });

  it('one that a connection held is as it was until its client could be back, and is held again by it', () => {
    const { seen, registry, wait } = restarted((registry) => registry.hold(orders, registration(), holder));
    wait(44_999);
    expect(seen()).toMatchObject({ healthy: true, remembered: true });
    registry.hold(orders, registration(), holder);
    wait(60_000);
    expect(seen()).toMatchObject({ healthy: true, remembered: false, silentMs: 0 });
  });

  it('one that is back and whose connection ends once more has time to come back again, as long as others may still come', () => {
    const { seen, registry, wait } = restarted((registry) => registry.hold(orders, registration(), holder));
    wait(44_000);
    registry.hold(orders, registration(), holder);
    registry.release(orders, registration(), holder, 'connection-ended');
    wait(9_999);
    expect(seen()).toMatchObject({ healthy: true });
    registry.hold(orders, registration(), holder);
    registry.release(orders, registration(), holder, 'connection-ended');
    expect(seen()).toBeUndefined();
  });

  it('one whose connection does not come back is gone', () => {
    const { seen, wait } = restarted((registry) => registry.hold(orders, registration(), holder));
    wait(45_000);
    expect(seen()).toBeUndefined();
  });

  it('a persistent one stays as its check had found it, until its check says something', () => {
    const { seen, registry, wait } = restarted((registry) => {
      registry.register(orders, registration({ ephemeral: false }));
      registry.checked(orders, registration(), { verdict: 'failing', type: 'tcp', reason: 'refused' });
    });
    wait(3_600_000);
    expect(seen()).toMatchObject({ healthy: false, remembered: false, trouble: { reason: 'refused' } });
    registry.checked(orders, registration(), 'passing');
    expect(seen()).toMatchObject({ healthy: true, remembered: false, trouble: undefined });
  });
});

describe('a service that nobody is in any more', () => {
  it('may only not be back yet, soon after a restart, and is empty once somebody has been in it', () => {
    const clock = { ms: 0 };
    const registry = new Registry(() => clock.ms, { graceMs: 30_000 });
    registry.restore([{ kind: 'service', service: orders, settings: DEFAULT_SETTINGS, emptyMs: null }], AFRESH);
    expect(registry.isIgnorantOf(orders)).toBe(true);
    registry.register(orders, registration());
    registry.deregister(orders, registration());
    expect(registry.isIgnorantOf(orders)).toBe(false);
  });

  it('is waited for as much longer as nobody could be heard', () => {
    const clock = { ms: 0 };
    const registry = new Registry(() => clock.ms, { graceMs: 30_000 });
    registry.restore([{ kind: 'service', service: orders, settings: DEFAULT_SETTINGS, emptyMs: null }], AFRESH);
    registry.postpone(12_000);
    clock.ms = 41_999;
    expect(registry.isIgnorantOf(orders)).toBe(true);
    clock.ms = 42_000;
    expect(registry.isIgnorantOf(orders)).toBe(false);
  });
});

describe('the records', () => {
  it('of an address are what there is of it now', () => {
    const clock = { ms: 0 };
    const registry = new Registry(() => clock.ms);
    const kinds = () => registry.records.at(orders, registration()).map(({ kind }) => kind);
    expect(kinds()).toEqual([]);
    registry.register(orders, registration());
    registry.edit(orders, registration(), { enabled: false });
    expect(kinds()).toEqual(['instance', 'edit']);
    clock.ms += 30_000;
    registry.sweep();
    expect(kinds()).toEqual(['departed', 'edit']);
    registry.drop(orders);
    expect([kinds(), registry.records.ofService(orders)]).toEqual([[], undefined]);
  });

  it('of all are those of every service and address, each once', () => {
    const registry = new Registry(() => 0);
    registry.register(orders, registration());
    registry.edit(orders, registration(), { weight: 5 });
    registry.register(orders, registration({ port: 1 }));
    const each = [
      registry.records.ofService(orders),
      ...registry.records.at(orders, registration()),
      ...registry.records.at(orders, registration({ port: 1 })),
    ];
    expect([...registry.records.all()].sort(byText)).toEqual(each.sort(byText));
  });
});

function byText(a: unknown, b: unknown): number {
  return JSON.stringify(a) < JSON.stringify(b) ? -1 : 1;
}
