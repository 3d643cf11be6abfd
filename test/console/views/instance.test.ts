import { describe, expect, it } from 'vitest';
import { createTestClock } from '../../../src/wire/test-clock.ts';
import { lookAt } from '../../support/console-looks.ts';
import { ConsoleStream } from '../../support/console-streams.ts';
import { startGuarded } from '../../support/guarded.ts';
import { failOnLeaks } from '../../support/leaks.ts';
import { NacosGrpc } from '../../support/nacos-grpc.ts';
import { deregister, nacos, register, startServer } from '../../support/server.ts';

failOnLeaks();

const ONE = { namespace: 'public', group: 'DEFAULT_GROUP', service: 'orders', ip: '10.0.0.1', port: 80 };
const BEAT = { serviceName: 'orders', ip: '10.0.0.1', port: 80 };

describe('the page of an instance', () => {
  it('says how it is, of which service, and what has happened to it alone', async () => {
    await using server = await startServer();
    await register(server, 'orders');
    await register(server, 'orders', { ip: '10.0.0.2' });
    const { facts } = await lookAt(server, 'instance', ONE);
    expect(facts.instance).toMatchObject({ ip: '10.0.0.1', port: 80, kind: 'beat', healthy: true, available: true });
    expect(facts.service).toMatchObject({ service: 'orders', available: 2, total: 2, needed: 1 });
    expect(facts.events.map(({ cause, kind }) => [cause, kind])).toEqual([
      ['registered', 'instance'],
      ['registered', 'service'],
    ]);
    expect(facts.events.flatMap(({ instances }) => instances?.map(({ ip }) => ip))).toEqual(['10.0.0.1', '10.0.0.1']);
  });

  it('is of one that has gone what happened to it, and of one that never was nothing', async () => {
    await using server = await startServer();
    await register(server, 'orders');
    await deregister(server, 'orders');
    const { facts } = await lookAt(server, 'instance', ONE);
    expect(facts.instance).toBeNull();
    expect(facts.ifStopped).toBeNull();
    expect(facts.events.at(-1)).toMatchObject({ cause: 'deregistered', to: 'not-serving' });
    const other = await lookAt(server, 'instance', { ...ONE, service: 'nobody' });
    expect(other.facts).toMatchObject({ instance: null, service: null, events: [] });
  });

  it('names every other service at the address', async () => {
    await using server = await startServer();
    for (const service of ['orders', 'shop', 'billing']) await register(server, service);
    await register(server, 'elsewhere', { port: 81 });
    await nacos(server, 'PATCH', '/instance', { serviceName: 'shop', ip: '10.0.0.1', port: 80, enabled: 'false' });
    const { facts } = await lookAt(server, 'instance', ONE);
    expect(facts.elsewhere).toEqual([
      { namespace: 'public', group: 'DEFAULT_GROUP', service: 'shop', healthy: true, available: false },
      { namespace: 'public', group: 'DEFAULT_GROUP', service: 'billing', healthy: true, available: true },
    ]);
  });

  it('shows when it was heard since somebody looks', async () => {
    const clock = createTestClock();
    await using server = await startServer({ clock });
    await register(server, 'orders');
    using stream = await ConsoleStream.open(
      server.listeners.main,
      `view=instance&${new URLSearchParams({ ...ONE, port: '80' })}`,
    );
    const beats = async (count: number) => {
      const { data } = await stream.heard((told) => told.data.facts?.beats?.length === count);
      return data.facts.beats as number[];
    };
    const [registered = 0] = await beats(1);
    for (const n of [2, 3]) {
      await clock.advance(4_000);
      await nacos(server, 'PUT', '/instance/beat', BEAT);
      await clock.advance(1_000);
      await beats(n);
    }
    expect(await beats(3)).toEqual([registered, registered + 4_000, registered + 9_000]);
  });

  it.each([
    ['view=instance', /namespace, group, service, ip and port are needed/],
    ['view=instance&namespace=n&group=g&service=a&ip=10.0.0.1&port=x', /port must be 0\.\.65535, got "x"/],
    ['view=instance&service=a&ip=10.0.0.1&port=80&name=x', /"name" is not known/],
  ])('is refused as %s', async (query, says) => {
    await using server = await startServer();
    const response = await fetch(`http://${server.listeners.main}/console/api/snapshot?${query}`);
    expect(response.status).toBe(400);
    expect(await response.json()).toEqual({ reason: expect.stringMatching(says) });
  });

  it('is for who may see the service, and of other services names none that he may not', async () => {
    await using server = await startGuarded({ reader: 'reader@team-a', other: 'reader@team-b' });
    const root = await server.tokenOf('root');
    for (const [namespaceId, serviceName] of [
      ['team-a', 'orders'],
      ['team-a', 'shop'],
      ['team-b', 'secret'],
    ] as const)
      await nacos(server, 'POST', '/instance', { namespaceId, serviceName, ip: '10.0.0.1', port: 80, accessToken: root });
    const asked = { ...ONE, namespace: 'team-a' };
    const { facts } = await lookAt(server, 'instance', asked, await server.tokenOf('reader'));
    expect(facts.elsewhere.map(({ service }) => service)).toEqual(['shop']);
    expect(facts).toMatchObject({ instance: { available: true }, mayOperate: false });
    const hidden = await lookAt(server, 'instance', asked, await server.tokenOf('other'));
    expect(hidden.facts).toEqual({
      instance: null,
      service: null,
      beats: [],
      events: [],
      elsewhere: [],
      ifStopped: null,
      mayOperate: false,
    });
  });
});

describe('if it stopped', () => {
  it('one that beats is unhealthy after 15 s and gone after 30, and the service is what is left', async () => {
    await using server = await startServer();
    await register(server, 'orders');
    const alone = await lookAt(server, 'instance', ONE);
    expect(alone.facts.ifStopped).toEqual({
      unhealthyAfterMs: 15_000,
      removedAfterMs: 30_000,
      available: 0,
      needed: 1,
      status: 'NOT_SERVING',
      watchers: 0,
      subscribers: 0,
    });
    await register(server, 'orders', { ip: '10.0.0.2' });
    expect((await lookAt(server, 'instance', ONE)).facts.ifStopped).toMatchObject({ available: 1, status: 'SERVING' });
  });

  it('its service needs what health says that it needs', async () => {
    await using server = await startServer();
    const metadata = JSON.stringify({ 'health.min-available': '2' });
    await nacos(server, 'POST', '/service', { serviceName: 'orders', metadata });
    await register(server, 'orders');
    await register(server, 'orders', { ip: '10.0.0.2' });
    expect((await lookAt(server, 'instance', ONE)).facts.ifStopped).toMatchObject({
      available: 1,
      needed: 2,
      status: 'NOT_SERVING',
    });
  });

  it('one that is not available is missed by nobody', async () => {
    await using server = await startServer();
    await register(server, 'orders');
    await register(server, 'orders', { ip: '10.0.0.2' });
    await nacos(server, 'PATCH', '/instance', { serviceName: 'orders', ip: '10.0.0.1', port: 80, enabled: 'false' });
    expect((await lookAt(server, 'instance', ONE)).facts.ifStopped).toMatchObject({ available: 1, status: 'SERVING' });
  });

  it('one that a connection holds goes with it, and a persistent one never by itself', async () => {
    await using server = await startServer();
    using client = await NacosGrpc.connect(server.listeners.grpc, { clientVersion: 'Nacos-Java-Client:v2.5.1' });
    await client.register('orders', 80);
    await client.subscribe('orders');
    const held = await lookAt(server, 'instance', ONE);
    expect(held.facts).toMatchObject({
      instance: { kind: 'connection', client: 'Nacos-Java-Client:v2.5.1' },
      beats: [],
      ifStopped: { unhealthyAfterMs: 0, removedAfterMs: 0, available: 0, status: 'NOT_SERVING', subscribers: 1 },
    });
    await register(server, 'stays', { ephemeral: 'false' });
    const { ifStopped } = (await lookAt(server, 'instance', { ...ONE, service: 'stays' })).facts;
    expect(ifStopped).toEqual({ available: 0, needed: 1, status: 'NOT_SERVING', watchers: 0, subscribers: 0 });
  });
});
