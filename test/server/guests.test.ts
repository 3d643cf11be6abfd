import { once } from 'node:events';
import { connect as connectHttp2, type IncomingHttpHeaders } from 'node:http2';
import { Agent, request as requestHttps } from 'node:https';
import { connect, type Socket } from 'node:net';
import { expect, it } from 'vitest';
import type { Listeners, ServerOptions } from '../../src/index.ts';
import { TLS_CERT, TLS_KEY } from '../support/health-clients.ts';
import { failOnLeaks } from '../support/leaks.ts';
import { NacosGrpc } from '../support/nacos-grpc.ts';
import { exchange, hear } from '../support/raw.ts';
import { startServer } from '../support/server.ts';

failOnLeaks();

/** Of so many sockets eight are for health alone. */
const FEW: ServerOptions = { maxSockets: 32 };
const USUAL = 24;

type Reachable = { readonly listeners: Listeners };

/** A connection from another address of this machine. */
async function dialFrom(localAddress: string, address: string): Promise<Socket> {
  const at = address.lastIndexOf(':');
  const socket = connect({ port: Number(address.slice(at + 1)), host: address.slice(0, at), localAddress });
  socket.on('error', () => {});
  await once(socket, 'connect');
  return socket;
}

/** Connections that each have a request under way that does not end, and so are not idle. For `using`. */
async function busy(server: Reachable, count: number, from = '127.0.0.1') {
  const body =
    'POST /nacos/v1/ns/instance HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 100\r\n\r\nx';
  const sockets = await Promise.all(Array.from({ length: count }, () => dialFrom(from, server.listeners.main)));
  for (const socket of sockets) socket.write(body);
  await expect.poll(() => connections(server)).toBe(count);
  return {
    sockets,
    [Symbol.dispose]() {
      for (const socket of sockets) socket.destroy();
    },
  };
}

const GET = (path: string, headers = '') => `GET ${path} HTTP/1.1\r\nHost: x\r\n${headers}\r\n`;
const CLOSE = 'Connection: close\r\n';

/** What `/readyz?verbose` says of limits, and how many connections beside its own there are. */
async function limits(server: Reachable): Promise<string> {
  const heard = await exchange(server.listeners.health, [GET('/readyz?verbose', CLOSE)]);
  return /^\[[+-]\]limits .*$/m.exec(heard)?.[0] ?? heard;
}
async function connections(server: Reachable): Promise<number> {
  return Number(/limits connections (\d+) of/.exec(await limits(server))?.[1]) - 1;
}

/** Over a connection that ends. */
async function register(server: Reachable, serviceName: string): Promise<void> {
  const request = `POST /nacos/v1/ns/instance?serviceName=${serviceName}&ip=10.0.0.1&port=80 HTTP/1.1\r\nHost: x\r\n${CLOSE}\r\n`;
  expect(await exchange(server.listeners.main, [request])).toMatch(/^HTTP\/1.1 200 OK/);
}

const CHECK_BODY = '{"service":"orders"}';
const CHECK = `POST /grpc.health.v1.Health/Check HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${CHECK_BODY.length}\r\n\r\n${CHECK_BODY}`;
const untilBody = (heard: string) => heard.endsWith('}') || heard.endsWith('\n');

/** One call of gRPC over a connection of its own: its status, and whether the server ended the connection by itself. */
async function overGrpc(url: string, path: string, message = Buffer.alloc(5), ca?: Buffer) {
  const session = connectHttp2(url, ca === undefined ? {} : { ca });
  session.on('error', () => {});
  const stream = session.request({ ':method': 'POST', ':path': path, 'content-type': 'application/grpc', te: 'trailers' });
  stream.on('error', () => {});
  let found: IncomingHttpHeaders = {};
  const note = (headers: IncomingHttpHeaders) => {
    found = { ...found, ...headers };
  };
  stream.on('response', note).on('trailers', note).resume();
  stream.end(message);
  await once(stream, 'close');
  return { session, status: Number(found['grpc-status']), message: found['grpc-message'] };
}
const CHECK_FRAME = Buffer.from([0, 0, 0, 0, 8, 0x0a, 6, ...Buffer.from('orders')]);

it('with all other places taken health is answered over new connections to every port, and nothing else', async () => {
  await using server = await startServer({ ...FEW, tls: { port: 0, cert: TLS_CERT, key: TLS_KEY } });
  await register(server, 'orders');
  using _busy = await busy(server, USUAL);
  const { main, grpc, health, tls } = server.listeners;

  for (const address of [main, grpc, health]) {
    expect(await exchange(address, [CHECK], untilBody)).toMatch(/^HTTP\/1.1 200 OK[\s\S]*\{"status":"SERVING"\}$/);
    expect(await exchange(address, [GET('/health/orders', CLOSE)])).toMatch(/^HTTP\/1.1 200 OK/);
    expect(await exchange(address, [GET('/livez', CLOSE)])).toMatch(/^HTTP\/1.1 200 OK/);
    const { session, status } = await overGrpc(`http://${address}`, '/grpc.health.v1.Health/Check', CHECK_FRAME);
    session.destroy();
    expect(status).toBe(0);
  }
  const secured = await overGrpc(`https://${tls}`, '/grpc.health.v1.Health/Check', CHECK_FRAME, TLS_CERT);
  secured.session.destroy();
  expect(secured.status).toBe(0);
  expect(await limits(server)).toMatch(/refused: nothing$/);

  const text = 'too many connections: ask again later';
  const v1 = await exchange(main, [GET('/nacos/v1/ns/instance/list?serviceName=orders')]);
  expect(v1).toMatch(/^HTTP\/1.1 503 [\s\S]*\r\nConnection: close\r\n/);
  expect(v1.endsWith(`\r\n\r\n${text}`)).toBe(true);
  const v2 = await exchange(main, [GET('/nacos/v2/ns/instance/list?serviceName=orders')]);
  expect(v2.endsWith(`{"code":30000,"message":"server error","data":"${text}"}`)).toBe(true);
  expect(await exchange(main, [GET('/somewhere')])).toMatch(
    /^HTTP\/1.1 503 [\s\S]*too many connections: health alone is answered on this one\n$/,
  );
  const nacosCall = await overGrpc(`http://${grpc}`, '/Request/request');
  expect([nacosCall.status, nacosCall.message]).toEqual([8, 'too many connections: health alone is answered on this one']);
  // It is told to come back over another one.
  if (!nacosCall.session.closed) await once(nacosCall.session, 'close');
  const answer = await new Promise<number | undefined>((resolve) => {
    const agent = new Agent({ ca: TLS_CERT });
    const [host, port] = (tls ?? '').split(':');
    requestHttps({ agent, host, port, path: '/nacos/v1/ns/instance/list?serviceName=orders' }, (res) => {
      res.resume().once('close', () => resolve(res.statusCode));
    }).end();
  });
  expect(answer).toBe(503);
  expect(await limits(server)).toMatch(/refused: connections 5$/);
});

it('who makes no use of his place loses it to who comes, and is not missed', async () => {
  await using server = await startServer(FEW);
  await register(server, 'orders');
  const silent = await Promise.all(Array.from({ length: USUAL }, () => dialFrom('127.0.0.1', server.listeners.main)));
  await expect.poll(() => connections(server)).toBeGreaterThanOrEqual(USUAL);
  const closed = silent.map((socket) => once(socket.resume(), 'close').then(() => 'closed'));
  // In the round after next at the latest they could have been heard.
  await expect
    .poll(() => exchange(server.listeners.main, [GET('/nacos/v1/ns/instance/list?serviceName=orders', CLOSE)]))
    .toMatch(/^HTTP\/1.1 200 OK/);
  expect(await Promise.race(closed)).toBe('closed');
  expect(await limits(server)).toMatch(/refused: .*idle connections \d+$/);
  for (const socket of silent) socket.destroy();
});

it('a place is free again when its connection has ended', async () => {
  await using server = await startServer(FEW);
  const list = () => exchange(server.listeners.main, [GET('/nacos/v1/ns/instance/list?serviceName=orders', CLOSE)]);
  {
    using _busy = await busy(server, USUAL);
    expect(await list()).toMatch(/^HTTP\/1.1 503 /);
  }
  await expect.poll(list).toMatch(/^HTTP\/1.1 200 OK/);
});

// Elsewhere this machine has but one address of its own that all have.
it.skipIf(process.platform === 'darwin')(
  'one address may have so many; health is answered to it all the same, and others are served in full',
  async () => {
    await using server = await startServer({ maxSocketsPerPeer: 4 });
    await register(server, 'orders');
    using _busy = await busy(server, 4, '127.0.0.2');
    const from = async (localAddress: string, request: string) => {
      const socket = await dialFrom(localAddress, server.listeners.main);
      const heard = hear(socket, untilBody);
      socket.write(request);
      const text = await heard;
      socket.destroy();
      return text;
    };
    expect(await from('127.0.0.2', GET('/nacos/v1/ns/instance/list?serviceName=orders'))).toMatch(/^HTTP\/1.1 503 /);
    expect(await from('127.0.0.2', CHECK)).toMatch(/"SERVING"/);
    expect(await from('127.0.0.3', GET('/nacos/v1/ns/instance/list?serviceName=orders'))).toMatch(/^HTTP\/1.1 200 OK/);
    expect(await limits(server)).toMatch(/refused: connections of one address 1$/);
  },
);

it('a client of Nacos 2.x that found no place finds one when there is', async () => {
  await using server = await startServer(FEW);
  let client: NacosGrpc | undefined;
  {
    using _busy = await busy(server, USUAL);
    using refused = new NacosGrpc(server.listeners.grpc);
    await expect(refused.ask('ServerCheckRequest', {})).rejects.toThrow(/RESOURCE_EXHAUSTED/);
    client = refused;
  }
  await expect.poll(() => connections(server)).toBeLessThanOrEqual(0);
  using again = await NacosGrpc.connect(server.listeners.grpc);
  expect(await again.ask('HealthCheckRequest', {})).toMatchObject({ type: 'HealthCheckResponse' });
  expect(client).toBeDefined();
});

it('a header of HTTP/1.1 that is too long, or takes too long, is refused and counted', async () => {
  await using server = await startServer({ maxHeaderBytes: 4_096, headerTimeoutMs: 300 });
  const { main } = server.listeners;
  expect(await exchange(main, [GET('/livez', `x: ${'x'.repeat(10_000)}\r\n`)])).toMatch(
    /^HTTP\/1.1 431 [\s\S]*the header is too long \(--max-header-bytes\)\n$/,
  );
  expect(await exchange(main, ['GET /livez HTTP/1.1\r\nHost: x\r\n'])).toMatch(/^HTTP\/1.1 408 /);
  expect(await limits(server)).toMatch(/refused: header too large 1, time for a request 1$/);
});

it('a header of HTTP/1.1 with too many fields is refused, instead of being read in part', async () => {
  await using server = await startServer({ maxHeaderFields: 10 });
  const fields = (count: number) => Array.from({ length: count }, (_, i) => `x-${i}: 1\r\n`).join('');
  expect(await exchange(server.listeners.main, [GET('/livez', `${fields(8)}${CLOSE}`)])).toMatch(/^HTTP\/1.1 200 OK/);
  for (const count of [10, 11, 500])
    expect(await exchange(server.listeners.main, [GET('/livez', fields(count))])).toMatch(
      /^HTTP\/1.1 431 [\s\S]*Connection: close\r\n/,
    );
  // From 22 on Node itself refuses what is even more, as a header that is too long.
  expect(await limits(server)).toMatch(/refused: header too large 3$/);
});
