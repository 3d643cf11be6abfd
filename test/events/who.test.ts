import { describe, expect, it } from 'vitest';
import { startGuarded } from '../support/guarded.ts';
import { failOnLeaks } from '../support/leaks.ts';
import { NacosGrpc } from '../support/nacos-grpc.ts';
import { nacos, register, startServer, unhealthyAfter } from '../support/server.ts';

failOnLeaks();

/** A record, as JSON has it. */
// biome-ignore lint/suspicious/noExplicitAny: the tests say what has to be in it.
type Told = any;

async function events(address: string, query: string, headers: Record<string, string> = {}): Promise<readonly Told[]> {
  const text = await (await fetch(`http://${address}/events?${query}`, { headers })).text();
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
}

describe('who', () => {
  it('fell silent: when it was heard last, from where, by which client, and how often', async () => {
    await using server = await startServer();
    const { main } = server.listeners;
    const headers = { 'user-agent': 'Nacos-Java-Client:v1.4.2' };
    const instance = { serviceName: 'orders', ip: '10.0.0.1', port: 80, metadata: unhealthyAfter(150) };
    await nacos(server, 'POST', '/instance', instance, { headers });
    await expect.poll(() => events(main, 'cause=silent')).not.toHaveLength(0);
    const [silent] = await events(main, 'service=orders&cause=silent');
    const [one] = silent.instances;
    expect(one).toMatchObject({
      ip: '10.0.0.1',
      heardFrom: '127.0.0.1',
      client: 'Nacos-Java-Client:v1.4.2',
      intervalMs: 75,
    });
    expect(Date.parse(silent.at) - Date.parse(one.lastBeatAt)).toBeGreaterThanOrEqual(150);
  });

  it.each([
    ['broke off', 'reset', (client: NacosGrpc) => client[Symbol.dispose]()],
    ['was closed', 'closed', (client: NacosGrpc) => client.closeStream()],
  ])('held what a connection held that %s: each service, and the connection as a whole', async (_, reason, end) => {
    await using server = await startServer();
    const { main, grpc } = server.listeners;
    using client = await NacosGrpc.connect(grpc, { clientVersion: 'Nacos-Java-Client:v2.5.1' });
    const hold = (serviceName: string, ip: string) =>
      client.ask('InstanceRequest', { type: 'registerInstance', serviceName, instance: { ip, port: 80 } });
    await hold('orders', '10.0.0.1');
    await hold('shop', '10.0.0.2');
    end(client);
    await expect.poll(() => events(main, 'cause=connection-ended')).toHaveLength(5);
    const told = await events(main, 'cause=connection-ended');
    const by = { peer: '127.0.0.1', agent: 'Nacos-Java-Client:v2.5.1', connection: expect.stringContaining('127.0.0.1') };
    expect(told).toMatchObject([
      { kind: 'instance', service: 'orders', by, detail: { reason }, instances: [{ ip: '10.0.0.1' }] },
      { kind: 'instance', service: 'shop', by, detail: { reason }, instances: [{ ip: '10.0.0.2' }] },
      { kind: 'registry', by, count: 2, detail: { services: 2, reason } },
      { kind: 'service', service: 'orders', to: 'not-serving', by },
      { kind: 'service', service: 'shop', to: 'not-serving', by },
    ]);
  });

  it('held nothing is nobody', async () => {
    await using server = await startServer();
    using client = await NacosGrpc.connect(server.listeners.grpc);
    client[Symbol.dispose]();
    // What happens later is told later.
    await register(server, 'orders');
    await expect.poll(() => events(server.listeners.main, '')).not.toHaveLength(0);
    expect(await events(server.listeners.main, 'cause=connection-ended')).toEqual([]);
  });

  it('acted, where operators log in: of instances, services, switches and namespaces', async () => {
    await using server = await startGuarded({});
    const { main } = server.listeners;
    const headers = { authorization: `Bearer ${await server.tokenOf('root')}`, 'user-agent': 'curl/8' };
    const ask = async (method: string, path: string, params: Readonly<Record<string, string | number>>) => {
      const { status } = await nacos(server, method, path, params, { headers });
      expect(status).toBe(200);
    };
    const instance = { serviceName: 'orders', ip: '10.0.0.1', port: 80 };
    await ask('POST', '/instance', instance);
    await ask('PUT', '/instance', { ...instance, weight: 0 });
    await ask('PUT', '/service', { serviceName: 'orders', protectThreshold: 0.5 });
    await ask('PUT', '/operator/switches', { entry: 'clientBeatInterval', value: 6_000 });
    await ask('POST', '/nacos/v1/console/namespaces', { customNamespaceId: 'dev', namespaceName: 'Dev', namespaceDesc: 'd' });
    await ask('DELETE', '/nacos/v1/console/namespaces', { namespaceId: 'dev' });
    await ask('DELETE', '/instance', instance);
    await ask('DELETE', '/service', { serviceName: 'orders' });
    const by = { peer: '127.0.0.1', user: 'root', agent: 'curl/8' };
    await expect.poll(() => events(main, 'cause=dropped', headers)).toHaveLength(1);
    const told = await events(main, 'cause=edited,configured,deregistered,dropped', headers);
    expect(told.filter(({ kind, cause }) => kind !== 'service' || cause !== 'edited')).toMatchObject([
      { kind: 'instance', cause: 'edited', by, detail: { field: 'weight', before: 1, after: 0 } },
      { kind: 'service', cause: 'configured', by, detail: { fields: expect.stringContaining('protectThreshold') } },
      { kind: 'bridge', cause: 'configured', by, detail: { field: 'switches.clientBeatInterval', before: 5_000, after: 6_000 } },
      { kind: 'bridge', cause: 'configured', by, detail: { after: 'namespaces.dev.name=Dev, namespaces.dev.description=d' } },
      { kind: 'bridge', cause: 'configured', by, detail: { before: 'namespaces.dev.name=Dev, namespaces.dev.description=d' } },
      { kind: 'instance', cause: 'deregistered', by },
      { kind: 'service', cause: 'dropped', by, from: 'not-serving', to: 'unknown' },
    ]);
  });

  it('registered over a connection of 2.x, where clients log in', async () => {
    await using server = await startGuarded({});
    const { main, grpc } = server.listeners;
    const accessToken = await server.tokenOf('root');
    const headers = { accessToken };
    using client = await NacosGrpc.connect(grpc, { clientVersion: 'Nacos-Java-Client:v2.5.1' });
    const say = (type: string) =>
      client.ask('InstanceRequest', { type, serviceName: 'orders', instance: { ip: '10.0.0.1', port: 80 } }, { headers });
    await say('registerInstance');
    await say('deregisterInstance');
    const by = { peer: '127.0.0.1', user: 'root', agent: 'Nacos-Java-Client:v2.5.1', connection: expect.any(String) };
    await expect
      .poll(async () => (await events(main, 'service=orders', headers)).filter(({ kind }) => kind === 'instance'))
      .toMatchObject([
        { cause: 'registered', by },
        { cause: 'deregistered', by },
      ]);
  });
});
