import { describe, expect, it } from 'vitest';
import { lookAt } from '../../support/console-looks.ts';
import { startGuarded } from '../../support/guarded.ts';
import { failOnLeaks } from '../../support/leaks.ts';
import { NacosGrpc } from '../../support/nacos-grpc.ts';
import { deregister, nacos, register, startServer } from '../../support/server.ts';

failOnLeaks();

const JAVA = { clientVersion: 'Nacos-Java-Client:v2.5.1', labels: { module: 'naming', AppName: 'checkout' } };

describe('the page of a client', () => {
  it('says what a connection has registered and subscribed to, and what it says of itself', async () => {
    await using server = await startServer();
    using client = await NacosGrpc.connect(server.listeners.grpc, JAVA);
    await client.register('orders', 80);
    await client.subscribe('orders');
    await client.subscribe('shop');
    const [row] = (await lookAt(server, 'clients')).rows;
    const { facts } = await lookAt(server, 'client', { id: row?.id ?? '' });
    expect(facts).toMatchObject({
      client: { kind: 'connection', client: JAVA.clientVersion, app: 'checkout', registered: 1, subscribed: 2 },
      labels: { AppName: 'checkout' },
      registered: [{ service: 'orders', ip: '10.0.0.1', port: 80, healthy: true, available: true }],
      subscribed: [{ service: 'orders' }, { service: 'shop' }],
      ended: null,
    });
    expect(facts.events.map(({ cause }) => cause)).toContain('registered');
  });

  it('says of one that was killed why it ended, and what it held', async () => {
    await using server = await startServer();
    const client = await NacosGrpc.connect(server.listeners.grpc, JAVA);
    await client.register('orders', 80);
    await client.register('shop', 81);
    const [row] = (await lookAt(server, 'clients')).rows;
    client[Symbol.dispose]();
    const look = async () => (await lookAt(server, 'client', { id: row?.id ?? '' })).facts;
    await expect.poll(async () => (await look()).ended?.count).toBe(2);
    const facts = await look();
    expect(facts).toMatchObject({ client: null, labels: {}, registered: [], subscribed: [] });
    expect(facts.ended).toMatchObject({ detail: { reason: 'reset' }, instances: [{ port: 80 }, { port: 81 }] });
  });

  it('is of an address what was registered there, and what happened there', async () => {
    await using server = await startServer();
    await register(server, 'orders', { ip: '10.0.0.2' });
    await register(server, 'shop', { ip: '10.0.0.2' });
    await deregister(server, 'shop', { ip: '10.0.0.2' });
    const { facts } = await lookAt(server, 'client', { id: '10.0.0.2:80#true' });
    expect(facts).toMatchObject({ client: { kind: 'address', registered: 1 }, registered: [{ service: 'orders' }], ended: null });
    expect(facts.events.map(({ service, cause }) => `${service} ${cause}`)).toContain('shop deregistered');
  });

  it('is nothing of one that nobody knows', async () => {
    await using server = await startServer();
    const nothing = { client: null, labels: {}, registered: [], subscribed: [], ended: null, events: [] };
    expect((await lookAt(server, 'client', { id: '1_10.0.0.1_80' })).facts).toEqual(nothing);
    await expect(lookAt(server, 'client')).rejects.toThrow('id says which client is meant');
  });

  it('is of his services alone for a reader of a part', async () => {
    await using server = await startGuarded({ reader: 'reader@team-a', other: 'reader@team-c' });
    const root = await server.tokenOf('root');
    for (const namespaceId of ['team-a', 'team-b'])
      await nacos(server, 'POST', '/instance', {
        namespaceId,
        serviceName: 'orders',
        ip: '10.0.0.1',
        port: 80,
        accessToken: root,
      });
    const id = '10.0.0.1:80#true';
    const seen = await lookAt(server, 'client', { id }, await server.tokenOf('reader'));
    expect(seen.facts).toMatchObject({ client: { registered: 1 }, registered: [{ namespace: 'team-a' }] });
    expect(new Set(seen.facts.events.map(({ namespace }) => namespace))).toEqual(new Set(['team-a']));
    const hidden = await lookAt(server, 'client', { id }, await server.tokenOf('other'));
    expect(hidden.facts).toMatchObject({ client: null, registered: [], events: [] });
  });
});
