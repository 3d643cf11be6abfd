import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { describe, expect, it } from 'vitest';
import { startGuarded } from '../support/guarded.ts';
import { failOnLeaks } from '../support/leaks.ts';
import { nacos, register, startServer } from '../support/server.ts';

failOnLeaks();

type Told = Readonly<Record<string, unknown>>;

async function lines(address: string, path: string, headers: Record<string, string> = {}): Promise<readonly Told[]> {
  const answer = await fetch(`http://${address}${path}`, { headers });
  expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'application/x-ndjson']);
  return (await answer.text())
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Told);
}

const ISO = expect.stringMatching(/^\d{4}-.*Z$/);

describe('/services', () => {
  it('tells of every service what it is, since when and why', async () => {
    await using server = await startServer();
    const { main } = server.listeners;
    await register(server, 'orders');
    await register(server, 'billing', { enabled: 'false', groupName: 'G1', namespaceId: 'dev' });
    await expect
      .poll(() => lines(main, '/services'))
      .toEqual([
        {
          namespace: 'public',
          group: 'DEFAULT_GROUP',
          service: 'orders',
          status: 'SERVING',
          instances: { available: 1, total: 1, needed: 1, healthy: 1 },
          since: ISO,
          cause: 'registered',
        },
        {
          namespace: 'dev',
          group: 'G1',
          service: 'billing',
          status: 'NOT_SERVING',
          instances: { available: 0, total: 1, needed: 1, healthy: 1 },
          since: ISO,
          cause: 'registered',
        },
      ]);
    const names = async (query: string) => (await lines(main, `/services?${query}`)).map(({ service }) => service);
    expect(await names('status=NOT_SERVING')).toEqual(['billing']);
    expect(await names('status=SERVING,NOT_SERVING&group=G1')).toEqual(['billing']);
    expect(await names('namespace=public')).toEqual(['orders']);
    expect(await names('namespace=elsewhere')).toEqual([]);
  });

  it('tells whoever may read a part only that part', async () => {
    await using server = await startGuarded({ dev: 'reader@dev', all: 'reader' });
    const { main } = server.listeners;
    const login = async (name: string) => ({ accessToken: await server.tokenOf(name) });
    await register(server, 'orders', { accessToken: await server.tokenOf('root') });
    await register(server, 'billing', { namespaceId: 'dev', accessToken: await server.tokenOf('root') });
    const names = async (name: string) => (await lines(main, '/services', await login(name))).map(({ service }) => service);
    expect(await names('all')).toEqual(['orders', 'billing']);
    expect(await names('dev')).toEqual(['billing']);
    const asked = (path: string, headers = {}) => fetch(`http://${main}${path}`, { headers }).then(({ status }) => status);
    expect(await asked('/services')).toBe(403);
    expect(await asked('/instances?service=orders', await login('dev'))).toBe(404);
    expect(await asked('/instances?service=orders', await login('all'))).toBe(200);
  });

  it('of very many is written as fast as it is read, and whoever goes away in between leaves nothing behind', {
    timeout: 60_000,
  }, async () => {
    await using server = await startServer();
    const { main } = server.listeners;
    const form = (i: number) => new URLSearchParams({ serviceName: `service-${i}`, ip: '10.0.0.1', port: '80' });
    for (let i = 0; i < 800; i += 100)
      await Promise.all(
        Array.from({ length: 100 }, (_, j) =>
          fetch(`http://${main}/nacos/v1/ns/instance`, { method: 'POST', body: form(i + j) }).then((answer) => answer.text()),
        ),
      );
    expect(new Set((await lines(main, '/services')).map(({ service }) => service)).size).toBe(800);
    const req = get(`http://${main}/services`, { agent: false });
    const [res] = (await once(req, 'response')) as [IncomingMessage];
    await once(res, 'readable');
    req.destroy();
    expect((await lines(main, '/services?status=NOT_SERVING')).length).toBe(0);
  });
});

describe('/instances', () => {
  it('tells of every instance of a service how it is', async () => {
    await using server = await startServer();
    const { main } = server.listeners;
    await register(server, 'orders', { metadata: JSON.stringify({ zone: 'a' }) });
    await register(server, 'orders', { ip: '10.0.0.2', ephemeral: 'false', enabled: 'false', weight: 2 });
    expect(await lines(main, '/instances?service=orders')).toEqual([
      {
        ip: '10.0.0.1',
        port: 80,
        cluster: 'DEFAULT',
        ephemeral: true,
        healthy: true,
        enabled: true,
        weight: 1,
        available: true,
        lastBeatAt: ISO,
        heardFrom: '127.0.0.1',
        client: 'node',
        metadata: { zone: 'a' },
      },
      expect.objectContaining({ ip: '10.0.0.2', ephemeral: false, enabled: false, weight: 2, available: false }),
    ]);
    const beat = { serviceName: 'orders', ip: '10.0.0.1', port: 80 };
    await nacos(server, 'PUT', '/instance/beat', beat, { headers: { 'user-agent': 'Nacos-Go-Client:v1.1.6' } });
    expect((await lines(main, '/instances?service=orders'))[0]).toMatchObject({ client: 'Nacos-Go-Client:v1.1.6' });
    expect(await lines(main, '/instances?service=DEFAULT_GROUP@@orders&namespace=public')).toHaveLength(2);
  });
});

it.each([
  ['/services?statu=a', 400, '"statu" is not known: namespace, group, status'],
  ['/services?status=UP', 400, 'status must be of SERVING, NOT_SERVING, SERVICE_UNKNOWN'],
  ['/instances', 400, 'service must be NAME or GROUP@@NAME'],
  ['/instances?service=nobody', 404, 'unknown service'],
])('%s is refused, and it is said why', async (path, status, reason) => {
  await using server = await startServer();
  const answer = await fetch(`http://${server.listeners.main}${path}`);
  expect([answer.status, await answer.json()]).toEqual([status, { reason }]);
});

it('neither is served where only health is, and neither takes anything', async () => {
  await using server = await startServer();
  const { main, health } = server.listeners;
  for (const path of ['/services', '/instances?service=a']) {
    expect((await fetch(`http://${health}${path}`)).status).toBe(404);
    expect((await fetch(`http://${main}${path}`, { method: 'POST' })).status).toBe(405);
  }
});
