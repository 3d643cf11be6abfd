import { describe, expect, it } from 'vitest';
import type { RegistryEvent } from '../../src/registry/changes.ts';
import type { RegistryOptions } from '../../src/registry/options.ts';
import { Registry } from '../../src/registry/registry.ts';
import { DEFAULT_SETTINGS } from '../../src/registry/settings.ts';
import { orders, registration } from '../support/instances.ts';

/** Silence goes on where it was. */
const EXACT = { afresh: false, heldMs: 45_000 };

const holder = { name: 'connection' };
const by = { peer: '10.9.9.9', agent: 'curl' };

function setUp(options: RegistryOptions = {}) {
  const clock = { ms: 1_000 };
  const registry = new Registry(() => clock.ms, options);
  const events: RegistryEvent[] = [];
  registry.onEvent((event) => events.push(event));
  return {
    registry,
    events,
    wait(ms: number) {
      clock.ms += ms;
      registry.sweep();
    },
    /** What has happened since the last time, as `cause from>to`. */
    told: () => events.splice(0).map(({ cause, from = '', to = '' }) => `${cause} ${from}>${to}`),
  };
}

describe('the cause of a change', () => {
  it('is told for every step in the life of an instance', () => {
    const { registry, wait, told } = setUp();
    registry.register(orders, registration());
    registry.register(orders, registration({ healthy: false }));
    registry.beat(orders, registration());
    registry.beat(orders, registration());
    registry.report(orders, registration(), false);
    registry.report(orders, registration(), false);
    expect(told()).toEqual([
      'registered >healthy',
      're-registered healthy>unhealthy',
      'beat unhealthy>healthy',
      'probe healthy>unhealthy',
    ]);
    registry.beat(orders, registration());
    registry.edit(orders, registration(), { enabled: false });
    registry.unedit(orders, registration());
    expect(told()).toEqual(['beat unhealthy>healthy', 'edited healthy>healthy', 'edited healthy>healthy']);
    wait(15_000);
    wait(15_000);
    registry.register(orders, registration());
    registry.deregister(orders, registration());
    registry.register(orders, registration());
    expect(told()).toEqual([
      'silent healthy>unhealthy',
      'removed unhealthy>removed',
      'returned >healthy',
      'deregistered healthy>removed',
      'registered >healthy',
    ]);
  });

  it('is told for holders, and names those that the end of a connection took', () => {
    const { registry, told, events } = setUp();
    registry.hold(orders, registration(), holder, { connection: 'c1' });
    registry.release(orders, registration(), holder, 'connection-ended', { connection: 'c1' });
    expect(events[1]).toMatchObject({ service: orders, instance: { ip: '10.0.0.1', port: 8080 }, by: { connection: 'c1' } });
    registry.hold(orders, registration(), holder);
    registry.release(orders, registration(), holder, 'deregistered');
    expect(told()).toEqual([
      'registered >healthy',
      'connection-ended healthy>removed',
      'returned >healthy',
      'deregistered healthy>removed',
    ]);
  });

  it('is told for services, and for the registry as a whole', () => {
    const { registry, wait, told } = setUp();
    registry.create(orders);
    registry.configure(orders, DEFAULT_SETTINGS);
    registry.register(orders, registration());
    registry.drop(orders);
    registry.register(orders, registration());
    registry.deregister(orders, registration());
    wait(60_000);
    registry.postpone(500);
    registry.restore(
      [
        {
          kind: 'instance',
          service: orders,
          registration: registration({ healthy: false }),
          silentMs: 5,
          held: false,
          trouble: null,
        },
      ],
      EXACT,
    );
    expect(told().map((line) => line.split(' ', 1)[0])).toEqual([
      'created',
      'configured',
      'registered',
      'dropped',
      'dropped',
      'registered',
      'deregistered',
      'forgotten',
      'postponed',
      'restored',
    ]);
  });

  it('tells of what is restored once, with its edit, and names the service of an edit that comes to lie over what is here', () => {
    const other = setUp().registry;
    other.register(orders, registration());
    other.edit(orders, registration(), { enabled: false });
    const records = [...other.records.all()];
    const { registry, told } = setUp();
    registry.restore(records, EXACT);
    expect(told()).toEqual(['restored >healthy']);

    const { registry: known, told: toldHere } = setUp();
    known.register(orders, registration());
    const available: (number | undefined)[] = [];
    known.onChange((service) => available.push(known.tally(service)?.available));
    known.restore(records, EXACT);
    expect(toldHere()).toEqual(['registered >healthy', 'restored healthy>healthy']);
    expect(available).toEqual([0]);
  });

  it('is told for an edit whose instance is away', () => {
    const { registry, wait, events, told } = setUp();
    registry.register(orders, registration());
    registry.edit(orders, registration(), { weight: 2 });
    wait(30_000);
    told();
    registry.edit(orders, registration(), { enabled: false }, by);
    registry.edit(orders, registration({ port: 1 }), { enabled: false });
    const differences = [{ field: 'enabled', after: false }];
    const instance = { ip: '10.0.0.1', port: 8080 };
    expect(events).toEqual([{ at: 31_000, cause: 'edited', service: orders, instance, by, differences }]);
    registry.unedit(orders, registration());
    registry.unedit(orders, registration());
    registry.deregister(orders, registration());
    expect(told()).toEqual(['edited >', 'edited >']);
  });

  it('comes with who said so, where and when', () => {
    const { registry, events } = setUp();
    registry.register(orders, registration({ cluster: 'C1' }), by);
    expect(events).toEqual([
      {
        at: 1_000,
        cause: 'registered',
        service: orders,
        instance: { ip: '10.0.0.1', port: 8080, cluster: 'C1', ephemeral: true },
        to: 'healthy',
        by,
      },
    ]);
  });

  it('is told when the state is consistent, and before the service is named', () => {
    const { registry } = setUp();
    const order: unknown[] = [];
    registry.onEvent(({ cause }) => order.push(cause, registry.tally(orders)?.available));
    registry.onChange(({ name }) => order.push(name));
    registry.register(orders, registration());
    registry.deregister(orders, registration());
    expect(order).toEqual(['registered', 1, 'orders', 'deregistered', 0, 'orders']);
  });
});

describe('a listener that throws', () => {
  it('hurts no other and no sweep, and is reported once until it works again', () => {
    const errors: unknown[] = [];
    const { registry, wait } = setUp({ onListenerError: (error) => errors.push(error) });
    let broken = true;
    const heard: string[] = [];
    registry.onChange(() => {
      if (broken) throw new Error('level');
    });
    registry.onChange(() => heard.push('level'));
    registry.onEvent(({ cause }) => {
      if (broken) throw new Error('event');
      heard.push(cause);
    });
    registry.register(orders, registration());
    wait(15_000);
    expect(registry.tally(orders)).toEqual({ total: 1, healthy: 0, available: 0 });
    expect(heard).toEqual(['level', 'level']);
    expect(errors).toEqual([new Error('event'), new Error('level')]);
    broken = false;
    registry.beat(orders, registration());
    expect(heard.slice(2)).toEqual(['beat', 'level']);
    broken = true;
    wait(15_000);
    expect(errors).toHaveLength(4);
  });
});
