import { describe, expect, it } from 'vitest';
import type { Registration } from '../../src/registry/instance.ts';
import type { RegistryOptions } from '../../src/registry/options.ts';
import { Registry } from '../../src/registry/registry.ts';
import { orders, registration } from '../support/instances.ts';

/** Silence goes on where it was. */
const EXACT = { afresh: false, heldMs: 45_000 };

const holder = { name: 'connection' };

function setUp(options: RegistryOptions = {}) {
  const clock = { ms: 0 };
  const registry = new Registry(() => clock.ms, options);
  return {
    registry,
    register: (said: Partial<Registration> = {}) => registry.register(orders, registration(said)),
    wait(ms: number) {
      clock.ms += ms;
      registry.sweep();
    },
    now: () => registry.instance(orders, registration()),
  };
}

describe('an edit that is laid ahead', () => {
  it('lies over its instance when that comes, and is told as an edit', () => {
    const { registry, register, now } = setUp();
    const causes: string[] = [];
    registry.onEvent(({ cause }) => void causes.push(cause));
    expect(registry.edit(orders, registration(), { enabled: false })).toBe(false);
    expect(registry.edit(orders, registration(), { enabled: false }, undefined, 'ahead')).toBe(true);
    register();
    expect(now()).toMatchObject({ enabled: false, edit: { enabled: false } });
    expect(causes).toEqual(['edited', 'registered']);
  });

  it('waits no longer than one whose instance has gone, and of too many the latest wait', () => {
    const { registry, register, wait, now } = setUp({ keepEditsMs: 1_000, maxRemembered: 2 });
    for (const port of [80, 81, 82]) registry.edit(orders, registration({ port }), { weight: 5 }, undefined, 'ahead');
    expect([...registry.edits()].map(({ port }) => port)).toEqual([81, 82]);
    wait(1_000);
    expect([...registry.edits()]).toEqual([]);
    register({ port: 82 });
    expect(registry.instance(orders, registration({ port: 82 }))?.edit).toBeUndefined();
    expect(now()).toBeUndefined();
  });
});

describe('an edit that is laid instead', () => {
  const KEPT = { enabled: true, metadata: { zone: 'a' } };

  it('takes the place of what there is, to the letter, and is told as one edit', () => {
    const { registry, register, now } = setUp();
    register({ metadata: { zone: 'a' } });
    registry.edit(orders, registration(), { weight: 5, enabled: false });
    const told: unknown[] = [];
    registry.onEvent(({ cause, differences }) => void told.push([cause, differences?.map(({ field }) => field)]));
    // What the client says anyway is the operator's word all the same.
    registry.edit(orders, registration(), KEPT, undefined, 'instead');
    expect(now()?.edit).toEqual(KEPT);
    register({ enabled: false, metadata: { zone: 'b' } });
    expect(now()).toMatchObject({ enabled: true, weight: 1, metadata: { zone: 'a' } });
    registry.edit(orders, registration(), {}, undefined, 'instead');
    expect(now()).toMatchObject({ enabled: false, metadata: { zone: 'b' }, edit: undefined });
    expect(told[0]).toEqual(['edited', ['enabled', 'weight']]);
  });

  it('is of one that has gone too, and not of one that nothing waits for', () => {
    const { registry, register, wait, now } = setUp();
    expect(registry.edit(orders, registration(), KEPT, undefined, 'instead')).toBe(false);
    register();
    registry.edit(orders, registration(), { weight: 5 });
    wait(30_000);
    expect(now()).toBeUndefined();
    expect(registry.edit(orders, registration(), KEPT, undefined, 'instead')).toBe(true);
    register();
    expect(now()?.edit).toEqual(KEPT);
  });
});

describe('an edit of metadata', () => {
  it('lies over what the client says key by key, and what was not edited follows the client', () => {
    const { registry, register, now } = setUp();
    register({ metadata: { version: '1', old: 'yes' } });
    registry.edit(orders, registration(), { metadata: { gray: 'true', old: null } });
    expect(now()?.metadata).toEqual({ version: '1', gray: 'true' });
    register({ metadata: { version: '2', old: 'yes', revision: 'b' } });
    expect(now()?.metadata).toEqual({ version: '2', revision: 'b', gray: 'true' });
    expect(now()?.edit).toEqual({ metadata: { gray: 'true', old: null } });
  });

  it('ends for a key that is edited back, and leaves the others', () => {
    const { registry, register, now } = setUp();
    register({ metadata: { zone: 'a' } });
    registry.edit(orders, registration(), { metadata: { zone: 'b', gray: 'true' } });
    registry.edit(orders, registration(), { metadata: { zone: 'a' } });
    expect(now()?.edit).toEqual({ metadata: { gray: 'true' } });
    registry.edit(orders, registration(), { metadata: { gray: null } });
    expect(now()?.edit).toBeUndefined();
    expect([...registry.edits()]).toEqual([]);
  });

  it('that takes keys away is remembered for the latest of those that the client does not say any more', () => {
    const { registry, register, now } = setUp();
    for (let release = 0; release < 1_000; release++) {
      register({ metadata: { [`only-${release}`.padEnd(100)]: '1', always: '1' } });
      registry.edit(orders, registration(), { metadata: { [`only-${release}`.padEnd(100)]: null, always: null } });
    }
    const keys = Object.keys(now()?.edit?.metadata ?? {});
    // One more is what the client says now.
    expect(keys).toHaveLength(1 + 163 + 1);
    register({ metadata: { [keys.at(-2) ?? '']: '1', always: '1' } });
    expect(now()?.metadata).toEqual({});
  });

  it('may be of any key, also one that JavaScript knows', () => {
    const { registry, register, now } = setUp();
    register();
    registry.edit(orders, registration(), { metadata: JSON.parse('{"__proto__":"x","constructor":"y"}') });
    expect(JSON.stringify(now()?.metadata)).toBe('{"__proto__":"x","constructor":"y"}');
  });
});

describe('an edit', () => {
  it('of a part that the client comes to agree with stays an edit', () => {
    const { registry, register, now } = setUp();
    register();
    registry.edit(orders, registration(), { enabled: false });
    register({ enabled: false });
    registry.edit(orders, registration(), { weight: 3 });
    register();
    expect(now()).toMatchObject({ enabled: false, weight: 3 });
  });

  it('ends when the instance says goodbye, over whatever way, here or already gone', () => {
    const { registry, register, wait, now } = setUp();
    const disable = () => registry.edit(orders, registration(), { enabled: false });
    register();
    disable();
    registry.deregister(orders, registration());
    register();
    expect(now()).toMatchObject({ enabled: true, edit: undefined });
    disable();
    wait(30_000);
    registry.deregister(orders, registration());
    register();
    expect(now()).toMatchObject({ enabled: true });
    registry.deregister(orders, registration());
    registry.hold(orders, registration(), holder);
    disable();
    registry.release(orders, registration(), holder, 'deregistered');
    register();
    expect(now()).toMatchObject({ enabled: true });
  });

  it('waits for an instance that silence or a lost connection took, for as long as it is told to', () => {
    const { registry, register, wait, now } = setUp({ keepEditsMs: 100_000 });
    registry.hold(orders, registration(), holder);
    registry.edit(orders, registration(), { enabled: false });
    registry.release(orders, registration(), holder, 'connection-ended');
    wait(99_999);
    expect([...registry.edits()]).toEqual([
      { kind: 'edit', service: orders, ip: '10.0.0.1', port: 8080, edit: { enabled: false }, awayMs: 99_999 },
    ]);
    register();
    expect(now()).toMatchObject({ enabled: false });
    wait(30_000);
    wait(100_000);
    expect([...registry.edits()]).toEqual([]);
    register();
    expect(now()).toMatchObject({ enabled: true });
  });

  it('reaches one that waits: what is edited back there has ended when the instance returns', () => {
    const { registry, register, wait, now } = setUp();
    register();
    registry.edit(orders, registration(), { enabled: false });
    wait(30_000);
    expect(registry.edit(orders, registration(), { enabled: true, weight: 4 })).toBe(true);
    register();
    expect(now()).toMatchObject({ enabled: true, weight: 4, edit: { weight: 4 } });
    expect(registry.unedit(orders, registration())).toBe(true);
    expect(registry.unedit(orders, registration())).toBe(false);
    expect(now()).toMatchObject({ weight: 1, edit: undefined });
  });
});

describe('what a client said last', () => {
  it('is remembered of an instance that went without a word, for as long as its service is known', () => {
    const { registry, register, wait } = setUp();
    const last = () => registry.lastRegistration(orders, registration());
    register({ weight: 5, metadata: { a: '1' } });
    registry.edit(orders, registration(), { weight: 9 });
    expect(last()).toMatchObject({ weight: 5 });
    wait(30_000);
    expect(last()).toMatchObject({ weight: 5, metadata: { a: '1' } });
    wait(60_000);
    expect(last()).toBeUndefined();
    register();
    registry.deregister(orders, registration());
    expect(last()).toBeUndefined();
  });
});

describe('identity', () => {
  it('is the address: the last registration decides cluster and kind, and nothing is there twice', () => {
    const { registry, register, wait, now } = setUp();
    register({ cluster: 'A' });
    register({ cluster: 'B' });
    expect(registry.instances(orders)).toMatchObject([{ cluster: 'B', ephemeral: true }]);
    register({ ephemeral: false });
    wait(3_600_000);
    expect(registry.instances(orders)).toMatchObject([{ ephemeral: false, healthy: true }]);
    register();
    wait(15_000);
    expect(now()).toMatchObject({ ephemeral: true, healthy: false });
    expect(registry.tally(orders)).toEqual({ total: 1, healthy: 0, available: 0 });
  });

  it('of a persistent instance that registers again keeps the verdict of its checks', () => {
    const { registry, register, now } = setUp();
    register({ ephemeral: false });
    registry.report(orders, registration(), false);
    register({ ephemeral: false, weight: 2 });
    expect(now()).toMatchObject({ healthy: false, weight: 2 });
  });

  it('of a held instance that registers as persistent frees it from its holder', () => {
    const { registry, register, now } = setUp();
    registry.hold(orders, registration(), holder);
    register({ ephemeral: false });
    registry.release(orders, registration(), holder, 'connection-ended');
    expect(now()).toMatchObject({ ephemeral: false });
    expect(registry.deregister(orders, registration())).toBe('removed');
  });
});

describe('a restart', () => {
  it('leaves the registry ignorant of what nobody has spoken of, for a while', () => {
    const { registry, register, wait } = setUp({ graceMs: 30_000 });
    expect(registry.isIgnorantOf(orders)).toBe(true);
    register();
    registry.deregister(orders, registration());
    expect(registry.isIgnorantOf(orders)).toBe(false);
    expect(registry.isIgnorantOf({ ...orders, name: 'other' })).toBe(true);
    wait(30_000);
    expect(registry.isIgnorantOf({ ...orders, name: 'other' })).toBe(false);
  });

  it('gives back what was held for as long as its client may take to come back, and leaves alone what has been heard since', () => {
    const { registry } = setUp();
    registry.hold(orders, registration({ weight: 2 }), holder);
    registry.edit(orders, registration(), { enabled: false });
    const records = [...registry.records.all()];
    const { registry: other, wait } = setUp();
    other.restore(records, EXACT);
    expect(other.instances(orders)).toMatchObject([{ weight: 2, enabled: false, healthy: true, silentMs: 0 }]);
    wait(44_999);
    expect(other.tally(orders)).toEqual({ total: 1, healthy: 1, available: 0 });
    wait(1);
    expect(other.tally(orders)).toEqual({ total: 0, healthy: 0, available: 0 });
    other.register(orders, registration({ weight: 7 }));
    other.restore(records, EXACT);
    expect(other.instances(orders)).toMatchObject([{ weight: 7, healthy: true }]);
  });
});
