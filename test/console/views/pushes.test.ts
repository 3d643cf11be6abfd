import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { lookAt } from '../../support/console-looks.ts';
import { startGuarded } from '../../support/guarded.ts';
import { failOnLeaks } from '../../support/leaks.ts';
import { NacosGrpc } from '../../support/nacos-grpc.ts';
import { nacos, register, startServer } from '../../support/server.ts';

failOnLeaks();

const JAVA = { clientVersion: 'Nacos-Java-Client:v2.5.1', labels: { module: 'naming', AppName: 'checkout' } };

describe('the page of subscribers and pushes', () => {
  it('says who is told of which service, by which way, and what became of it', async () => {
    await using server = await startServer({ pushDelayMs: 0 });
    await register(server, 'orders');
    using client = await NacosGrpc.connect(server.listeners.grpc, JAVA);
    await client.subscribe('orders');
    await client.pushed('orders', (ports) => ports.includes(80));
    using _ = await listening(server, 'orders');
    await expect
      .poll(async () => (await lookAt(server, 'pushes')).facts.overConnections)
      .toMatchObject({ subscribers: 1, sent: 1, acknowledged: 1, failed: 0 });
    const { facts, rows } = await lookAt(server, 'pushes');
    expect(facts).toMatchObject({ found: 2, page: 1, pages: 1, byDatagrams: { subscribers: 1, failed: 0 } });
    expect(rows).toMatchObject([
      { service: 'orders', by: 'datagrams', client: 'Nacos-Java-Client:v1.4.2', ip: '127.0.0.1' },
      { service: 'orders', by: 'connection', client: JAVA.clientVersion, app: 'checkout' },
    ]);
    const found = async (params: Record<string, string>) => (await lookAt(server, 'pushes', params)).rows.map(({ by }) => by);
    expect(await found({ by: 'datagrams' })).toEqual(['datagrams']);
    expect(await found({ search: 'CheckOut' })).toEqual(['connection']);
    expect(await found({ search: 'order' })).toEqual(['datagrams', 'connection']);
    expect(await found({ search: 'nobody' })).toEqual([]);
    await expect(lookAt(server, 'pushes', { by: 'x' })).rejects.toThrow('by must be connection or datagrams');
  });

  it('tells a reader of a part of his services, and not how much is pushed in all', async () => {
    await using server = await startGuarded({ reader: 'reader@team-a' });
    const accessToken = await server.tokenOf('root');
    using client = await NacosGrpc.connect(server.listeners.grpc, JAVA);
    for (const namespace of ['team-a', 'team-b'])
      await client.ask(
        'SubscribeServiceRequest',
        { namespace, serviceName: 'orders', groupName: 'DEFAULT_GROUP', subscribe: true, clusters: '' },
        { headers: { accessToken } },
      );
    const { facts, rows } = await lookAt(server, 'pushes', {}, await server.tokenOf('reader'));
    expect(facts).toMatchObject({ found: 1, overConnections: { subscribers: 1 }, byDatagrams: { subscribers: 0 } });
    expect(facts.overConnections).not.toHaveProperty('sent');
    expect(rows).toMatchObject([{ namespace: 'team-a', service: 'orders' }]);
    expect((await lookAt(server, 'pushes', {}, accessToken)).facts).toMatchObject({ found: 2, overConnections: { failed: 0 } });
  });
});

/** A client of 1.x that polls once, and listens. */
async function listening(server: Parameters<typeof nacos>[0], serviceName: string): Promise<Disposable> {
  const socket: Socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const headers = { 'user-agent': 'Nacos-Java-Client:v1.4.2' };
  await nacos(
    server,
    'GET',
    '/instance/list',
    { serviceName, udpPort: socket.address().port, clientIP: '127.0.0.1' },
    { headers },
  );
  return { [Symbol.dispose]: () => socket.close() };
}
