import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { Pieces } from '../../src/metrics/exposition.ts';
import { metricsPaths } from '../../src/metrics/paths.ts';
import { OpenAnswers } from '../../src/wire/open-answers.ts';
import { Refused } from '../../src/wire/refused.ts';
import { systemScheduler } from '../../src/wire/scheduler.ts';
import { startGuarded } from '../support/guarded.ts';
import { TLS_CERT, TLS_KEY, WATCHING_CLIENTS } from '../support/health-clients.ts';
import { failOnLeaks } from '../support/leaks.ts';
import { NacosGrpc } from '../support/nacos-grpc.ts';
import { nacos, register, startServer, unhealthyAfter } from '../support/server.ts';

failOnLeaks();

async function scraped(address: string, headers: Record<string, string> = {}, path = '/metrics') {
  const answer = await fetch(`http://${address}${path}`, { headers });
  const text = await answer.text();
  return { status: answer.status, type: answer.headers.get('content-type'), text, value: (name: string) => valueIn(text, name) };
}

/** Of the line that begins so; undefined where there is none. */
function valueIn(text: string, name: string): number | undefined {
  const line = text.split('\n').find((each) => each.startsWith(`${name} `));
  return line === undefined ? undefined : Number(line.slice(name.length + 1));
}

const ORDERS = 'namespace="public",group="DEFAULT_GROUP",service="orders"';

describe('/metrics', () => {
  it.each(['main', 'grpc'] as const)('is told on the port %s, also where Nacos has it, in both formats', async (port) => {
    await using server = await startServer();
    const address = server.listeners[port];
    for (const path of ['/metrics', '/nacos/actuator/prometheus']) {
      const text = await scraped(address, {}, path);
      expect([text.status, text.type]).toEqual([200, 'text/plain; version=0.0.4; charset=utf-8']);
      expect(text.value('beatbridge_serving')).toBe(1);
      const open = await scraped(address, { accept: 'application/openmetrics-text' }, path);
      expect([open.status, open.type]).toEqual([200, 'application/openmetrics-text; version=1.0.0; charset=utf-8']);
      expect(open.text).toMatch(/^# TYPE beatbridge_stalls counter$/m);
      expect(open.text.endsWith('\n# EOF\n')).toBe(true);
    }
  });

  it('is below a context path that is the root, and not on the port for health', async () => {
    await using server = await startServer({ contextPath: '/' });
    expect((await scraped(server.listeners.main, {}, '/actuator/prometheus')).status).toBe(200);
    expect((await scraped(server.listeners.health)).status).toBe(404);
  });

  it('is told by GET and HEAD alone', async () => {
    await using server = await startServer();
    const head = await fetch(`http://${server.listeners.main}/metrics`, { method: 'HEAD' });
    expect([head.status, Number(head.headers.get('content-length')) > 1_000, await head.text()]).toEqual([200, true, '']);
    const posted = await fetch(`http://${server.listeners.main}/metrics`, { method: 'POST', body: 'x' });
    expect([posted.status, posted.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
  });

  it('those who ask at once are told the same', async () => {
    await using server = await startServer();
    const all = await Promise.all(Array.from({ length: 8 }, () => scraped(server.listeners.main)));
    expect(all.map(({ status }) => status)).toEqual(Array.from(all, () => 200));
  });

  it('no more than sixteen are told at once, and whoever else asks is refused until one of them has been', async () => {
    const text = new Pieces();
    text.add('a 1\n');
    text.end();
    let told = (_: Pieces) => {};
    const made = new Promise<Pieces>((resolve) => {
      told = resolve;
    });
    const refused = new Refused();
    const metrics = { text: () => made };
    const serve = metricsPaths({
      metrics,
      mayRead: () => true,
      openAnswers: new OpenAnswers(),
      refused,
      scheduler: systemScheduler,
    })('/metrics');
    await using server = createServer((req, res) => void serve?.(req, res)).listen(0, '127.0.0.1');
    await once(server, 'listening');
    // It listens on a port, not on a pipe.
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/metrics`;
    const waiting = Array.from({ length: 16 }, () => fetch(url));
    await expect
      .poll(async () => (await fetch(url, { method: 'HEAD', signal: AbortSignal.timeout(200) }).catch(() => undefined))?.status)
      .toBe(503);
    expect(refused.counts.get('readers of metrics')).toBeGreaterThan(0);
    told(text);
    expect((await Promise.all(waiting)).map(({ status }) => status)).toEqual(Array.from(waiting, () => 200));
    await Promise.all(waiting.map(async (answer) => (await answer).text()));
    await expect.poll(async () => (await fetch(url)).status).toBe(200);
  });

  it('whoever leaves before it is its turn keeps no place', async () => {
    const text = new Pieces();
    text.add('a 1\n');
    text.end();
    const serve = metricsPaths({
      metrics: { text: () => Promise.resolve(text) },
      mayRead: () => true,
      openAnswers: new OpenAnswers(),
      refused: new Refused(),
      scheduler: systemScheduler,
    })('/metrics');
    let asked = 0;
    await using server = createServer((req, res) => {
      asked++;
      // The first of a connection is never answered, and so it is nobody's turn.
      if (req.url === '/metrics') void serve?.(req, res);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    // It listens on a port, not on a pipe.
    const { port } = server.address() as AddressInfo;
    const one = connect(port, '127.0.0.1');
    one.write(
      ['/never', ...Array.from({ length: 20 }, () => '/metrics')]
        .map((path) => `GET ${path} HTTP/1.1\r\nhost: a\r\n\r\n`)
        .join(''),
    );
    await expect.poll(() => asked).toBe(21);
    const gone = once(one, 'close');
    one.destroy();
    await gone;
    expect((await fetch(`http://127.0.0.1:${port}/metrics`)).status).toBe(200);
  });
});

describe('who may read metrics', () => {
  it('is who may read everything, by a token as Prometheus sends it', async () => {
    await using server = await startGuarded({ reader: 'reader', foreign: 'writer@elsewhere' });
    const { main } = server.listeners;
    const as = async (name: string) => ({ authorization: `Bearer ${await server.tokenOf(name)}` });
    for (const path of ['/metrics', '/nacos/actuator/prometheus', '/prometheus']) {
      expect([path, (await scraped(main, {}, path)).status]).toEqual([path, 403]);
      expect([path, (await scraped(main, { authorization: 'Bearer x' }, path)).status]).toEqual([path, 403]);
      expect([path, (await scraped(main, await as('reader'), path)).status]).toEqual([path, 200]);
    }
    expect((await scraped(main, await as('foreign'))).status).toBe(403);
  });
});

describe('what is told', () => {
  it('a service that falls silent: what it is, since when, why, and of how many instances', async () => {
    await using server = await startServer();
    const { main } = server.listeners;
    await register(server, 'orders', { metadata: unhealthyAfter(200) });
    await expect.poll(async () => (await scraped(main)).value(`beatbridge_service_serving{${ORDERS}}`)).toBe(1);
    await expect.poll(async () => (await scraped(main)).value(`beatbridge_service_serving{${ORDERS}}`)).toBe(0);
    const told = await scraped(main);
    expect(told.value(`beatbridge_service_instances{${ORDERS},state="unhealthy"}`)).toBe(1);
    expect(told.value(`beatbridge_service_instances{${ORDERS},state="available"}`)).toBe(0);
    expect(told.value(`beatbridge_service_since_seconds{${ORDERS}}`)).toBeGreaterThanOrEqual(0);
    expect(told.value('beatbridge_services{status="not_serving"}')).toBe(1);
    expect(told.value('beatbridge_transitions_total{to="not-serving",cause="silent"}')).toBe(1);
    expect(told.value('beatbridge_event_instances_total{cause="silent"}')).toBe(1);
    expect(told.value('beatbridge_beats_expected')).toBe(1);
  });

  it('beats, by what they came to', async () => {
    await using server = await startServer();
    const { main } = server.listeners;
    const beat = (params: Readonly<Record<string, string | number>>) =>
      nacos(server, 'PUT', '/instance/beat', params).then((r) => r.text());
    const light = { serviceName: 'orders', ip: '10.0.0.1', port: 80 };
    await beat(light);
    await beat({ serviceName: 'orders', beat: JSON.stringify({ serviceName: 'orders', ip: '10.0.0.1', port: 80 }) });
    await beat(light);
    await beat(light);
    const told = await scraped(main);
    const results = ['unknown', 'registering', 'known'];
    expect(results.map((result) => told.value(`beatbridge_beats_total{result="${result}"}`))).toEqual([1, 1, 2]);
    expect(told.value('beatbridge_beat_lateness_seconds_count')).toBe(3);
  });

  it.each(Object.entries(WATCHING_CLIENTS))('a Check and a Watch by %s, whatever way they take', async (_, clientOf) => {
    await using server = await startServer();
    const { main } = server.listeners;
    await register(server, 'orders');
    const method = (name: string, type = 'unary') =>
      `grpc_type="${type}",grpc_service="grpc.health.v1.Health",grpc_method="${name}"`;
    {
      using client = clientOf(main);
      await client.check('orders');
      await client.check('nobody').catch(() => {});
      const gone = new AbortController();
      const watch = client.watch('orders', gone.signal)[Symbol.asyncIterator]();
      await watch.next();
      await expect.poll(async () => (await scraped(main)).value('beatbridge_watch_streams')).toBe(1);
      const changed = watch.next();
      await nacos(server, 'DELETE', '/instance', { serviceName: 'orders', ip: '10.0.0.1', port: 80 });
      await changed;
      // What was sent last is known to have been once its stream goes on or ends.
      await expect.poll(async () => (await scraped(main)).value('beatbridge_watch_notify_seconds_count')).toBe(1);
      const ended = watch.next().catch(() => {});
      gone.abort();
      await ended;
    }
    const watched = `grpc_server_handled_total{${method('Watch', 'server_stream')},grpc_code="Canceled"}`;
    await expect.poll(async () => (await scraped(main)).value(watched)).toBe(1);
    const told = await scraped(main);
    expect(told.value(`grpc_server_handled_total{${method('Check')},grpc_code="OK"}`)).toBe(1);
    expect(told.value(`grpc_server_handled_total{${method('Check')},grpc_code="NotFound"}`)).toBe(1);
    expect(told.value(`grpc_server_handling_seconds_count{${method('Check')}}`)).toBe(2);
    expect(told.value(`grpc_server_started_total{${method('Watch', 'server_stream')}}`)).toBe(1);
  });

  it('a client of Nacos 2.x: its connection, its questions and what it is pushed', async () => {
    await using server = await startServer();
    const { main } = server.listeners;
    using client = await NacosGrpc.connect(main);
    await client.ask('SubscribeServiceRequest', {
      namespace: 'public',
      groupName: 'DEFAULT_GROUP',
      serviceName: 'orders',
      subscribe: true,
    });
    await register(server, 'orders');
    await expect
      .poll(async () => (await scraped(main)).value('beatbridge_pushes_total{transport="grpc",result="acknowledged"}'))
      .toBeGreaterThan(0);
    const told = await scraped(main);
    expect(told.value('beatbridge_connections{kind="nacos"}')).toBe(1);
    expect(told.value('nacos_monitor{module="core",name="longConnection"}')).toBe(1);
    expect(told.value('nacos_monitor{module="naming",name="subscriberCount"}')).toBe(1);
    expect(told.value('nacos_naming_subscriber{version="v2"}')).toBe(1);
    expect(told.value('nacos_monitor{module="naming",name="avgPushCost"}')).toBeGreaterThanOrEqual(0);
    const asked = 'grpc_type="unary",grpc_service="Request",grpc_method="request",grpc_code="OK"';
    expect(told.value(`grpc_server_handled_total{${asked}}`)).toBeGreaterThan(1);
  });

  it('when the certificate of TLS ends', async () => {
    await using server = await startServer({ tls: { cert: TLS_CERT, key: TLS_KEY } });
    const ends = (await scraped(server.listeners.main)).value('beatbridge_certificate_expiry_timestamp_seconds');
    expect(ends).toBeGreaterThan(1_700_000_000);
  });

  it('no more services by themselves than there may be, those that fail first, and how many are left out', async () => {
    await using server = await startServer({ maxMetricServices: 2 });
    const { main } = server.listeners;
    await register(server, 'ill', { ephemeral: 'false', healthy: 'false', enabled: 'false' });
    for (const name of ['a', 'b', 'c']) await register(server, name);
    await expect.poll(async () => (await scraped(main)).value('beatbridge_services_without_series')).toBe(2);
    const { text, value } = await scraped(main);
    const services = [...text.matchAll(/^beatbridge_service_serving\{.*service="(\w+)"\} (\d)$/gm)].map(([, name, serving]) => [
      name,
      serving,
    ]);
    expect(services).toEqual([
      ['ill', '0'],
      ['c', '1'],
    ]);
    expect(value('beatbridge_service_series_limit')).toBe(2);
  });
});

it('descriptors are counted: what is open, and what may be', async () => {
  await using server = await startServer();
  const { main } = server.listeners;
  const before = (await scraped(main)).value('process_open_fds') ?? 0;
  const [host = '', port = ''] = main.split(':');
  const sockets = Array.from({ length: 20 }, () => connect(Number(port), host));
  await Promise.all(sockets.map((socket) => once(socket, 'connect')));
  // Both ends are in this process.
  await expect.poll(async () => (await scraped(main)).value('process_open_fds')).toBeGreaterThanOrEqual(before + 40);
  for (const socket of sockets) socket.destroy();
});
