import { once } from 'node:events';
import { connect as connectHttp2, type IncomingHttpHeaders } from 'node:http2';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Server } from '../../src/index.ts';
import { failOnLeaks } from '../support/leaks.ts';
import { dial, hear } from '../support/raw.ts';
import { register, setEnabled, startServer } from '../support/server.ts';

failOnLeaks();

let server: Server;

beforeAll(async () => {
  server = await startServer({ restartGraceMs: 0 });
  await register(server, 'orders');
  await register(server, 'off', { enabled: 'false' });
  await register(server, 'G1@@refunds', { clusterName: 'C1' });
  await register(server, 'elsewhere', { namespaceId: 'dev' });
  await register(server, 'providers:com.shop.Orders:1.0.0:blue');
});
afterAll(() => server.close(100));

const url = (path: string) => `http://${server.listeners.health}${path}`;

async function grpc(
  target: Server,
  path: string,
  more: Readonly<Record<string, string>> = {},
): Promise<{ status: unknown; body: Buffer }> {
  const session = connectHttp2(`http://${target.listeners.health}`);
  const stream = session.request({
    ':method': 'POST',
    ':path': path,
    'content-type': 'application/grpc',
    te: 'trailers',
    ...more,
  });
  stream.end(Buffer.alloc(5));
  let trailers: IncomingHttpHeaders = {};
  stream.on('trailers', (fields) => {
    trailers = fields;
  });
  const body: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => body.push(chunk));
  const [headers] = (await once(stream, 'response')) as [IncomingHttpHeaders];
  expect([headers[':status'], headers['content-type']]).toEqual([200, 'application/grpc']);
  if (!stream.closed) await once(stream, 'close');
  session.destroy();
  return { status: trailers['grpc-status'] ?? headers['grpc-status'], body: Buffer.concat(body) };
}

describe.each([
  ['/health', 200, '0', 'SERVING'],
  ['/health/', 200, '0', 'SERVING'],
  ['/health/orders', 200, '0', 'SERVING'],
  ['/health/off', 503, '14', 'NOT_SERVING'],
  ['/health/nobody', 404, '5', 'SERVICE_UNKNOWN'],
  ['/health/@@', 400, '3', 'INVALID'],
  ['/health/G1@@refunds', 200, '0', 'SERVING'],
  ['/health/refunds?group=G1&cluster=C1', 200, '0', 'SERVING'],
  ['/health/refunds?group=G1&cluster=C2', 404, '5', 'SERVICE_UNKNOWN'],
  ['/health/elsewhere?namespace=dev', 200, '0', 'SERVING'],
  ['/health/orders?instance=10.0.0.1:80', 200, '0', 'SERVING'],
  ['/health/orders?instance=10.0.0.1:81', 404, '5', 'SERVICE_UNKNOWN'],
  ['/health/com.shop.Orders', 200, '0', 'SERVING'],
  ['/health/blue/com.shop.Orders:1.0.0', 200, '0', 'SERVING'],
  ['/health/blue%2Fcom.shop.Orders%3A1.0.0', 200, '0', 'SERVING'],
])('%s', (path, http, status, word) => {
  it(`is ${http} over HTTP, for GET and HEAD`, async () => {
    const get = await fetch(url(path));
    expect([get.status, get.headers.get('cache-control')]).toEqual([http, 'no-store']);
    expect(await get.json()).toMatchObject({ status: word });
    const head = await fetch(url(path), { method: 'HEAD' });
    expect([head.status, await head.text()]).toEqual([http, '']);
  });

  it(`is grpc-status ${status} as gRPC`, async () => {
    expect((await grpc(server, path)).status).toBe(status);
  });
});

it.each([
  ['/health/orders', '10.0.0.1:80', 200, '0'],
  ['/health/orders', ' 10.0.0.1:80 ', 200, '0'],
  ['/health/orders', '10.0.0.1:81', 404, '5'],
  ['/health/orders?group=DEFAULT_GROUP', '10.0.0.1:80', 200, '0'],
  ['/health/off', '10.0.0.1:80', 503, '14'],
  ['/health/orders', '', 200, '0'],
  ['/health/orders', 'nowhere', 400, '3'],
  ['/health/orders', '10.0.0.1:80&group=G1', 400, '3'],
  ['/health/orders?instance=10.0.0.1:80', '10.0.0.1:81', 400, '3'],
])(
  '%s with X-Health-Instance: %s means that instance, as ?instance= does (Caddy 2.11.9)',
  async (path, instance, http, status) => {
    const headers = { 'x-health-instance': instance };
    expect((await fetch(url(path), { headers })).status).toBe(http);
    // Blanks around a value are HTTP/1's, and malformed in HTTP/2.
    expect((await grpc(server, path, { 'x-health-instance': instance.trim() })).status).toBe(status);
  },
);

const ISO = expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);

it('the body says why', async () => {
  expect(await (await fetch(url('/health/off'))).json()).toEqual({
    status: 'NOT_SERVING',
    reason: 'off: 0 of 1 instances available, 1 needed',
    services: [
      {
        namespace: 'public',
        service: 'DEFAULT_GROUP@@off',
        status: 'NOT_SERVING',
        instances: { total: 1, healthy: 1, enabled: 0, available: 0, needed: 1 },
        lastBeatAgeMs: { newest: expect.any(Number), oldest: expect.any(Number) },
        since: ISO,
        because: 'none-available',
        events: [
          expect.objectContaining({ kind: 'instance', cause: 'registered', at: ISO }),
          expect.objectContaining({ kind: 'service', cause: 'registered', to: 'not-serving', at: ISO }),
        ],
      },
    ],
    failing: [
      {
        namespace: 'public',
        group: 'DEFAULT_GROUP',
        service: 'off',
        ip: '10.0.0.1',
        port: 80,
        cause: 'disabled',
        since: ISO,
        heardFrom: '127.0.0.1',
        client: 'node',
        reason: 'its client says so',
      },
    ],
    failingCount: 1,
  });
  expect(await (await fetch(url('/health/nobody'))).json()).toEqual({
    status: 'SERVICE_UNKNOWN',
    reason: 'unknown service',
    services: [],
  });
});

it('the body says what waits to be told', async () => {
  await using other = await startServer({ fallAfterMs: 86_400_000 });
  await register(other, 'orders');
  await setEnabled(other, 'orders', false);
  const response = await fetch(`http://${other.listeners.health}/health/orders`);
  expect([response.status, await response.json()]).toMatchObject([
    200,
    {
      status: 'SERVING',
      services: [{ pending: { status: 'NOT_SERVING', inMs: expect.any(Number) }, instances: { available: 0 } }],
    },
  ]);
  expect((await grpc(other, '/health/orders')).status).toBe('0');
});

it('shortly after the start the body says that the instances may not be back yet', async () => {
  await using started = await startServer();
  const response = await fetch(`http://${started.listeners.health}/health/nobody`);
  expect([response.status, await response.json()]).toEqual([
    404,
    {
      status: 'SERVICE_UNKNOWN',
      reason: 'unknown service: the bridge has started only lately, its instances may not be back yet',
      services: [],
    },
  ]);
  await register(started, 'somebody');
  const ofCluster = await fetch(`http://${started.listeners.health}/health/somebody?cluster=C2`);
  expect(await ofCluster.json()).toMatchObject({ status: 'SERVICE_UNKNOWN', reason: 'unknown service' });
});

it('as gRPC a service that is SERVING is a message too, for whoever reads it', async () => {
  expect((await grpc(server, '/health/orders')).body).toEqual(Buffer.from([0, 0, 0, 0, 2, 8, 1]));
});

it.each([
  ['/health/%zz', 'GET', 400],
  ['/health/orders', 'POST', 405],
  ['/health/orders', 'DELETE', 405],
  ['/healthy', 'GET', 404],
])('%s with %s is %i', async (path, method, status) => {
  expect((await fetch(url(path), { method })).status).toBe(status);
});

it('a caller that can name none means the default service, where there is one', async () => {
  await using other = await startServer({ defaultService: 'orders' });
  const get = (path: string) => fetch(`http://${other.listeners.health}${path}`).then(({ status }) => status);
  expect([await get('/health'), (await grpc(other, '/AWS.ALB/healthcheck')).status]).toEqual([404, '5']);
  await register(other, 'orders');
  expect([await get('/health'), (await grpc(other, '/AWS.ALB/healthcheck')).status]).toEqual([200, '0']);
  await setEnabled(other, 'orders', false);
  expect([await get('/health/'), (await grpc(other, '/AWS.ALB/healthcheck')).status]).toEqual([503, '14']);
  expect((await grpc(server, '/AWS.ALB/healthcheck')).status).toBe('12');
});

it('the bridge itself is 503 once it drains', async () => {
  const closing = await startServer();
  const socket = await dial(closing.listeners.health);
  const heard = hear(socket, (text) => text.includes('SERVING'));
  socket.write('GET /health?watch HTTP/1.1\r\nHost: x\r\n\r\n');
  await heard;
  const rest = hear(socket);
  await closing.close(1_000);
  expect(await rest).toContain('NOT_SERVING');
});

it('a reader of the bridge that does not read keeps nobody from closing', async () => {
  const closing = await startServer();
  const session = connectHttp2(`http://${closing.listeners.health}`, { settings: { initialWindowSize: 0 } });
  session.on('error', () => {});
  const stuck = session.request({ ':path': '/health?watch' });
  stuck.on('error', () => {});
  await once(stuck, 'response');
  const other = connectHttp2(`http://${closing.listeners.health}`);
  await once(other, 'remoteSettings');
  const goneAway = once(other, 'goaway');
  const closed = closing.close(400);
  await goneAway;
  await closed;
  session.destroy();
});

describe('?watch', () => {
  async function* events(path: string, target: Server, signal: AbortSignal): AsyncGenerator<string> {
    const response = await fetch(`http://${target.listeners.health}${path}`, { signal });
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'text/event-stream']);
    let text = '';
    const decoder = new TextDecoder();
    for await (const chunk of response.body ?? []) {
      text += decoder.decode(chunk, { stream: true });
      for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
        yield text.slice(0, end);
        text = text.slice(end + 2);
      }
    }
  }

  it('tells the status and each change as server-sent events, until the bridge drains', async () => {
    await using other = await startServer();
    const seen: string[] = [];
    for await (const event of events('/health/orders?watch', other, new AbortController().signal)) {
      seen.push(event);
      if (seen.length === 1) await register(other, 'orders');
      if (seen.length === 2) await setEnabled(other, 'orders', false);
      if (seen.length === 3) void other.close(1_000);
    }
    expect(seen).toEqual(['SERVICE_UNKNOWN', 'SERVING', 'NOT_SERVING'].map((status) => `data: {"status":"${status}"}`));
  });

  it('tells a fall once it has lasted, of which the body has said that it waits', async () => {
    await using other = await startServer({ fallAfterMs: 500 });
    await register(other, 'orders');
    const cancel = new AbortController();
    let from = 0;
    for await (const event of events('/health/orders?watch', other, cancel.signal)) {
      if (from > 0) {
        expect(event).toBe('data: {"status":"NOT_SERVING"}');
        // The server's clock counts whole milliseconds.
        expect(performance.now() - from).toBeGreaterThanOrEqual(499);
        break;
      }
      expect(event).toBe('data: {"status":"SERVING"}');
      from = performance.now();
      await setEnabled(other, 'orders', false);
    }
    cancel.abort();
    expect((await fetch(`http://${other.listeners.health}/health/orders`)).status).toBe(503);
  });

  it('of another namespace keeps the rest of the name', async () => {
    const cancel = new AbortController();
    for await (const event of events('/health/elsewhere?watch&namespace=dev', server, cancel.signal)) {
      expect(event).toBe('data: {"status":"SERVING"}');
      break;
    }
    cancel.abort();
  });

  it('of a bad name is 400', async () => {
    expect((await fetch(url('/health/@@?watch'))).status).toBe(400);
  });
});
