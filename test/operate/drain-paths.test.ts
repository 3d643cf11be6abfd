import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { failOnLeaks } from '../support/leaks.ts';
import { NacosGrpc } from '../support/nacos-grpc.ts';
import { answerOf, deregister, nacos, register, setEnabled, startServer } from '../support/server.ts';

failOnLeaks();

type Server = Awaited<ReturnType<typeof startServer>>;

async function drains(server: Server, method: string, path = '', init: RequestInit = {}) {
  return answerOf(fetch(`http://${server.listeners.main}/drains${path}`, { method, ...init }));
}

const health = async (server: Server, name: string) => {
  const answer = await fetch(`http://${server.listeners.main}/health/${name}`);
  return { status: answer.status, json: (await answer.json()) as Record<string, unknown> };
};

async function hosts(server: Server, serviceName: string) {
  const { body } = await answerOf(
    nacos(server, 'GET', '/catalog/instances', { serviceName, clusterName: 'DEFAULT', pageNo: 1, pageSize: 10 }),
  );
  return (body as { list: { enabled: boolean; drain?: object }[] }).list;
}

/** Told by `/events`, one by one. */
async function happened(server: Server, query: string) {
  const answer = await fetch(`http://${server.listeners.main}/events${query}`);
  return (await answer.text())
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

const ISO = /^\d{4}-\d\d-\d\dT.*Z$/;
const orders = { namespace: 'public', group: 'DEFAULT_GROUP', service: 'orders' };

describe('/drains', () => {
  it('takes whoever is at an address out in all services, says who, and puts them back', async () => {
    await using server = await startServer();
    await register(server, 'orders');
    await register(server, 'shop', { namespaceId: 'dev', groupName: 'G1' });
    await register(server, 'other', { port: 81 });
    expect(await drains(server, 'PUT', '/10.0.0.1:80?for=5m&reason=a%20release')).toEqual({
      status: 200,
      body: {
        address: '10.0.0.1:80',
        until: expect.stringMatching(ISO),
        reason: 'a release',
        count: 2,
        instances: [
          { ...orders, ip: '10.0.0.1', port: 80 },
          { namespace: 'dev', group: 'G1', service: 'shop', ip: '10.0.0.1', port: 80 },
        ],
      },
    });
    expect((await health(server, 'orders')).status).toBe(503);
    expect((await health(server, 'shop?namespace=dev&group=G1')).status).toBe(503);
    expect((await health(server, 'other')).status).toBe(200);
    const { body } = await drains(server, 'GET');
    expect(body).toMatchObject([
      {
        ...orders,
        ip: '10.0.0.1',
        port: 80,
        reason: 'a release',
        since: expect.stringMatching(ISO),
        until: expect.stringMatching(ISO),
        by: { peer: '127.0.0.1' },
      },
      { service: 'shop' },
    ]);
    expect(await drains(server, 'GET', '?namespace=dev')).toMatchObject({ body: [{ service: 'shop' }] });
    expect(await drains(server, 'DELETE', '/10.0.0.1:80')).toMatchObject({
      status: 200,
      body: { address: '10.0.0.1:80', count: 2 },
    });
    expect((await health(server, 'orders')).status).toBe(200);
    expect(await drains(server, 'GET')).toEqual({ status: 200, body: [] });
  });

  it('is for one service where one is named', async () => {
    await using server = await startServer();
    await register(server, 'orders');
    await register(server, 'shop');
    expect(await drains(server, 'PUT', '/10.0.0.1:80?service=shop')).toMatchObject({
      body: { count: 1, instances: [{ service: 'shop' }] },
    });
    expect(await drains(server, 'DELETE', '/10.0.0.1:80?service=orders')).toEqual({
      status: 404,
      body: { reason: 'nothing is drained at 10.0.0.1:80' },
    });
    expect(await drains(server, 'DELETE', '/10.0.0.1:80?service=shop')).toMatchObject({ status: 200, body: { count: 1 } });
  });

  it('finds an address of IPv6 in whatever way it was registered', async () => {
    await using server = await startServer();
    await register(server, 'orders', { ip: '2001:0DB8:0:0:0:0:0:1' });
    expect(await drains(server, 'PUT', '/[2001:db8::1]:80')).toMatchObject({ status: 200, body: { count: 1 } });
    expect(await drains(server, 'DELETE', '/%5B2001:db8::1%5D:80')).toMatchObject({ status: 200, body: { count: 1 } });
  });

  it('leaves nothing behind where nobody is', async () => {
    await using server = await startServer();
    expect(await drains(server, 'PUT', '/10.0.0.1:80')).toEqual({
      status: 404,
      body: { reason: 'no instance is at 10.0.0.1:80' },
    });
    await register(server, 'orders');
    expect((await health(server, 'orders')).status).toBe(200);
    expect(await drains(server, 'GET')).toEqual({ status: 200, body: [] });
  });

  it.each([
    ['PUT', '/10.0.0.1:80?for=1y', 400, 'for must be 1s..7d, such as 90s, 10m or 2h, got "1y"'],
    ['PUT', '/10.0.0.1', 400, 'the address must be IP:PORT, of IPv6 [IP]:PORT, got "10.0.0.1"'],
    ['PUT', '/', 400, 'the address must be IP:PORT, of IPv6 [IP]:PORT, got ""'],
    ['PUT', '/%zz:80', 400, 'the address must be IP:PORT, of IPv6 [IP]:PORT, got "%zz:80"'],
    ['DELETE', '/10.0.0.1:80?for=1m', 400, '"for" is not known: service, namespace'],
    ['GET', '?servic=a', 400, '"servic" is not known: service, namespace'],
    ['GET', '/10.0.0.1:80', 405, '/drains/IP:PORT takes PUT, DELETE'],
    ['POST', '', 405, '/drains takes GET, HEAD'],
  ])('refuses %s %s, and says what would be right', async (method, path, status, reason) => {
    await using server = await startServer();
    await register(server, 'orders');
    expect(await drains(server, method, path)).toEqual({ status, body: { reason } });
    expect(await drains(server, 'GET')).toEqual({ status: 200, body: [] });
  });

  it('reads nothing of a body, and says so', async () => {
    await using server = await startServer();
    await register(server, 'orders');
    expect(await drains(server, 'PUT', '/10.0.0.1:80', { body: new URLSearchParams({ for: '1h' }) })).toEqual({
      status: 400,
      body: { reason: 'parameters go into the query: nothing is read of a body' },
    });
  });

  it('is not there on the health port', async () => {
    await using server = await startServer();
    expect((await fetch(`http://${server.listeners.health}/drains`)).status).toBe(404);
  });

  it('refuses a web page of another site, and a name that is not ours', async () => {
    await using server = await startServer();
    await register(server, 'orders');
    for (const headers of [
      { origin: 'http://evil.example', 'sec-fetch-site': 'cross-site' },
      { origin: `http://${server.listeners.main}`, 'sec-fetch-site': 'same-site' },
    ])
      expect((await drains(server, 'PUT', '/10.0.0.1:80', { headers })).status).toBe(403);
    expect(await drains(server, 'GET')).toEqual({ status: 200, body: [] });
  });
});

describe('an instance that is drained', () => {
  it('is told as one that is not enabled, and why, to whoever looks', async () => {
    await using server = await startServer();
    await register(server, 'orders');
    await register(server, 'orders', { port: 81 });
    await drains(server, 'PUT', '/10.0.0.1:80?reason=a%20release');
    const listed = await answerOf(nacos(server, 'GET', '/instance/list', { serviceName: 'orders' }));
    expect(listed.body).toMatchObject({ hosts: [{ port: 81, enabled: true }] });
    expect(await hosts(server, 'orders')).toMatchObject([{ enabled: false, drain: { reason: 'a release' } }, { enabled: true }]);
    const { status, json } = await health(server, 'orders');
    expect([status, json.reason]).toEqual([200, 'orders: 1 of 2 instances available, 1 needed, 1 drained']);
    expect(json).toMatchObject({
      services: [{ drains: [{ ip: '10.0.0.1', port: 80, reason: 'a release', until: expect.stringMatching(ISO) }] }],
    });
  });

  it('is pushed to who has subscribed to it over gRPC, and pushed again when it is back', async () => {
    await using server = await startServer();
    await register(server, 'orders');
    using client = await NacosGrpc.connect(server.listeners.grpc);
    await client.subscribe('orders');
    await drains(server, 'PUT', '/10.0.0.1:80');
    await client.pushed('orders', (ports) => ports.length === 0);
    await drains(server, 'DELETE', '/10.0.0.1:80');
    await client.pushed('orders', (ports) => ports.includes(80));
  });

  it('stays out whatever its client and an operator say, and is then what was said', async () => {
    await using server = await startServer();
    await register(server, 'orders');
    await drains(server, 'PUT', '/10.0.0.1:80');
    await register(server, 'orders', { enabled: 'true', metadata: '{"release":"2"}' });
    await nacos(server, 'PUT', '/instance/beat', { serviceName: 'orders', ip: '10.0.0.1', port: 80 });
    await setEnabled(server, 'orders', false);
    expect((await health(server, 'orders')).status).toBe(503);
    await drains(server, 'DELETE', '/10.0.0.1:80');
    expect(await hosts(server, 'orders')).toMatchObject([{ enabled: false, edit: { enabled: false } }]);
    await setEnabled(server, 'orders', true);
    expect((await health(server, 'orders')).status).toBe(200);
  });

  it('is back by itself once its time is over', async () => {
    await using server = await startServer();
    await register(server, 'orders', { ephemeral: 'false' });
    await drains(server, 'PUT', '/10.0.0.1:80?for=1s');
    expect((await health(server, 'orders')).status).toBe(503);
    await expect.poll(async () => (await health(server, 'orders')).status, { timeout: 10_000 }).toBe(200);
    await expect
      .poll(() => happened(server, '?cause=resumed'))
      .toMatchObject([
        { kind: 'instance', detail: { why: 'over' } },
        { kind: 'service', from: 'not-serving', to: 'serving' },
      ]);
  });

  it('has its story told by events: by whom, why, until when, and what became of the service', async () => {
    await using server = await startServer();
    await register(server, 'orders');
    await drains(server, 'PUT', '/10.0.0.1:80?for=5m&reason=a%20release', { headers: { 'user-agent': 'kubelet' } });
    await drains(server, 'DELETE', '/10.0.0.1:80');
    await drains(server, 'PUT', '/10.0.0.1:80');
    await deregister(server, 'orders');
    await expect.poll(async () => (await happened(server, '?cause=deregistered')).length).toBe(1);
    const by = { peer: '127.0.0.1' };
    const instances = [{ ip: '10.0.0.1', port: 80 }];
    const told = await happened(server, '?cause=drained,resumed,deregistered');
    expect(told.slice(0, 4)).toMatchObject([
      {
        ...orders,
        kind: 'instance',
        cause: 'drained',
        instances,
        by: { ...by, agent: 'kubelet' },
        detail: { reason: 'a release', until: expect.stringMatching(ISO), forMs: 300_000 },
        counts: { available: 0, total: 1, needed: 1 },
      },
      { kind: 'service', cause: 'drained', from: 'serving', to: 'not-serving' },
      { kind: 'instance', cause: 'resumed', instances, by, detail: { reason: 'a release', why: 'asked' } },
      { kind: 'service', cause: 'resumed', from: 'not-serving', to: 'serving' },
    ]);
    expect(told.at(-1)).toMatchObject({ kind: 'instance', cause: 'deregistered' });
    expect(told.find(({ detail }) => (detail as { why?: string } | undefined)?.why === 'deregistered')).toMatchObject({
      instances,
    });
  });

  it('is so after a restart too, which its caller is told no sooner than it is true', async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'beatbridge-drains-'));
    try {
      let until = 0;
      {
        await using server = await startServer({ dataDir });
        await register(server, 'orders', { ephemeral: 'false' });
        await register(server, 'shop', { ephemeral: 'false' });
        await drains(server, 'PUT', '/10.0.0.1:80?for=1h&reason=a%20release&service=orders');
        const { body } = await drains(server, 'PUT', '/10.0.0.1:80?for=1s&service=shop');
        until = Date.parse((body as { until: string }).until);
      }
      // It is over before the next one begins.
      await expect.poll(() => Date.now(), { timeout: 10_000 }).toBeGreaterThan(until);
      await using server = await startServer({ dataDir });
      expect((await health(server, 'shop')).status).toBe(200);
      expect((await health(server, 'orders')).status).toBe(503);
      expect(await drains(server, 'GET')).toMatchObject({
        body: [{ service: 'orders', reason: 'a release', by: { peer: '127.0.0.1' } }],
      });
      await drains(server, 'DELETE', '/10.0.0.1:80');
      await server.close();
      await using again = await startServer({ dataDir });
      expect(await drains(again, 'GET')).toEqual({ status: 200, body: [] });
    } finally {
      rmSync(dataDir, { recursive: true, force: true });
    }
  });
});
