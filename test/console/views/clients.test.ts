import { describe, expect, it } from 'vitest';
import { lookAt } from '../../support/console-looks.ts';
import { type Guarded, startGuarded } from '../../support/guarded.ts';
import { failOnLeaks } from '../../support/leaks.ts';
import { NacosGrpc } from '../../support/nacos-grpc.ts';
import { nacos, register, startServer } from '../../support/server.ts';

failOnLeaks();

const JAVA = { clientVersion: 'Nacos-Java-Client:v2.5.1', labels: { module: 'naming', AppName: 'checkout' } };

describe('the page of clients', () => {
  it('has connections first, and then what stands behind addresses', async () => {
    await using server = await startServer();
    using client = await NacosGrpc.connect(server.listeners.grpc, JAVA);
    await client.register('orders', 80);
    await client.register('shop', 81);
    await client.subscribe('orders');
    await client.subscribe('orders', 'c1');
    await register(server, 'orders', { ip: '10.0.0.2' });
    await register(server, 'shop', { ip: '10.0.0.2' });
    await register(server, 'stays', { ip: '10.0.0.3', ephemeral: 'false' });
    const { facts, rows } = await lookAt(server, 'clients');
    expect(facts).toMatchObject({ found: 3, connections: 1, addresses: 2, page: 1, pages: 1, ended: [], endedBy: {} });
    expect(rows).toMatchObject([
      { kind: 'connection', client: JAVA.clientVersion, app: 'checkout', ip: '127.0.0.1', registered: 2, subscribed: 1 },
      { id: '10.0.0.2:80#true', kind: 'address', ip: '10.0.0.2', port: 80, registered: 2, subscribed: 0 },
      { id: '10.0.0.3:80#false', kind: 'address', registered: 1, subscribed: 0 },
    ]);
    expect(rows[0]?.since).toBeGreaterThan(0);
  });

  it('finds them by id, by what they call themselves, and by kind', async () => {
    await using server = await startServer();
    using _ = await NacosGrpc.connect(server.listeners.grpc, JAVA);
    const headers = { 'user-agent': 'Nacos-Go-Client:v1.1.6' };
    await nacos(server, 'POST', '/instance', { serviceName: 'orders', ip: '10.0.0.2', port: 80 }, { headers });
    const ids = async (params: Record<string, string>) => (await lookAt(server, 'clients', params)).rows.map(({ kind }) => kind);
    expect(await ids({ search: 'CHECKOUT' })).toEqual(['connection']);
    expect(await ids({ search: 'go-client' })).toEqual(['address']);
    expect(await ids({ search: '10.0.0.2:80' })).toEqual(['address']);
    expect(await ids({ search: 'nobody' })).toEqual([]);
    expect(await ids({ kind: 'connection' })).toEqual(['connection']);
    expect(await ids({ kind: 'address' })).toEqual(['address']);
    await expect(lookAt(server, 'clients', { kind: 'x' })).rejects.toThrow('kind must be connection or address');
  });

  it('pages', async () => {
    await using server = await startServer();
    for (let port = 1; port <= 101; port++) await register(server, 'orders', { port });
    const first = await lookAt(server, 'clients');
    expect(first.facts).toMatchObject({ found: 101, page: 1, pages: 2 });
    expect(first.rows).toHaveLength(100);
    const last = await lookAt(server, 'clients', { page: 7 });
    expect(last.facts.page).toBe(2);
    expect(last.rows).toMatchObject([{ port: 101 }]);
  });

  it.each([
    ['broke off', 'reset', (client: NacosGrpc) => client[Symbol.dispose]()],
    ['was closed', 'closed', (client: NacosGrpc) => client.closeStream()],
  ])('says of a connection that %s what it held, in one line', async (_, reason, end) => {
    await using server = await startServer();
    using client = await NacosGrpc.connect(server.listeners.grpc, JAVA);
    await client.register('orders', 80);
    await client.register('shop', 81);
    end(client);
    await expect.poll(async () => (await lookAt(server, 'clients')).facts.ended[0]?.count).toBe(2);
    const { facts } = await lookAt(server, 'clients');
    expect(facts.ended).toMatchObject([
      {
        cause: 'connection-ended',
        detail: { reason },
        by: { agent: JAVA.clientVersion },
        instances: [{ port: 80 }, { port: 81 }],
      },
    ]);
    expect(facts.endedBy).toEqual({ [reason]: 1 });
  });
});

describe('a reader of a part of the clients', () => {
  it('knows of those that he may see something of, and of these what he may see', async () => {
    await using server = await startGuarded({ reader: 'reader@team-a' });
    const root = await server.tokenOf('root');
    const [both, hidden] = [await connected(server, root), await connected(server, root)];
    await both.register('team-a', 'orders');
    await both.register('team-b', 'secret');
    await hidden.register('team-b', 'secret-too');
    await nacos(server, 'POST', '/instance', {
      namespaceId: 'team-b',
      serviceName: 'secret',
      ip: '10.0.0.9',
      port: 9,
      accessToken: root,
    });
    const token = await server.tokenOf('reader');
    const { facts, rows } = await lookAt(server, 'clients', {}, token);
    expect(facts).toMatchObject({ found: 1, connections: 1, addresses: 0 });
    expect(facts).not.toHaveProperty('endedBy');
    expect(rows).toMatchObject([{ registered: 1, subscribed: 0 }]);
    expect((await lookAt(server, 'clients', {}, root)).facts).toMatchObject({ found: 3, connections: 2, addresses: 1 });
    both.client[Symbol.dispose]();
    hidden.client[Symbol.dispose]();
    await expect.poll(async () => (await lookAt(server, 'clients', {}, root)).facts.ended.length).toBe(2);
    expect((await lookAt(server, 'clients', {}, token)).facts.ended).toMatchObject([{ service: 'orders', count: 1 }]);
  });
});

async function connected({ listeners }: Guarded, accessToken: string) {
  const client = await NacosGrpc.connect(listeners.grpc, JAVA);
  const register = (namespace: string, serviceName: string) =>
    client.ask(
      'InstanceRequest',
      { namespace, serviceName, type: 'registerInstance', instance: { ip: '10.0.0.1', port: 80 } },
      { headers: { accessToken } },
    );
  return { client, register };
}
