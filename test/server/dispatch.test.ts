import { once } from 'node:events';
import { connect as connectHttp2, type IncomingHttpHeaders } from 'node:http2';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import type { Checker, Health } from '../../src/health/health.ts';
import { healthPaths } from '../../src/health/paths.ts';
import { Watches } from '../../src/health/watch.ts';
import { Registry } from '../../src/registry/registry.ts';
import { everything, healthOnly } from '../../src/server/dispatch.ts';
import { probePaths } from '../../src/server/readiness.ts';
import { answerText } from '../../src/wire/answer.ts';
import { listen } from '../../src/wire/listener.ts';
import { OpenAnswers } from '../../src/wire/open-answers.ts';
import { systemScheduler } from '../../src/wire/scheduler.ts';
import { healthOf } from '../support/health.ts';
import { orders, registration } from '../support/instances.ts';
import { failOnLeaks } from '../support/leaks.ts';
import { LIMITS } from '../support/limits.ts';
import { dial, exchange, hear } from '../support/raw.ts';
import { startServer } from '../support/server.ts';

failOnLeaks();

/** A port with a checker behind its health paths, and what was logged. For `await using`. */
async function served(checker: Checker, port: 'all' | 'health' = 'all') {
  const logged: { readonly msg: string; readonly err: { readonly message: string } }[] = [];
  const log = pino({}, { write: (line: string) => logged.push(JSON.parse(line)) });
  const watches = new Watches(checker, LIMITS);
  const surfaces = {
    nacos: async () => {
      throw new Error('a bug of nacos');
    },
    contextPath: '/nacos',
    nacosRpc: new Map([['/rpc/of.nacos', (_: unknown, res: Parameters<typeof answerText>[0]) => answerText(res, 200, 'nacos')]]),
    healthRpc: new Map([
      ['/rpc/of.health', (_: unknown, res: Parameters<typeof answerText>[0]) => answerText(res, 200, 'health')],
    ]),
    healthPaths: healthPaths({
      checker,
      watches,
      limits: LIMITS,
      openAnswers: new OpenAnswers(),
      scheduler: systemScheduler,
      shutdown: new AbortController().signal,
      defaultService: '',
    }),
    nacosLane: { routeOf: () => undefined },
    healthLane: {},
    pages: () => false,
    metricsPaths: () => undefined,
    eventPaths: () => undefined,
    listPaths: () => undefined,
    drainPaths: () => undefined,
    consolePaths: () => undefined,
    probePaths: probePaths([]),
  };
  const lanes = port === 'all' ? everything(surfaces, log) : healthOnly(surfaces, log);
  const open = await listen('127.0.0.1', 0, lanes, { limits: LIMITS, scheduler: systemScheduler });
  return {
    address: open.address,
    logged,
    watches,
    get: (path: string) => fetch(`http://${open.address}${path}`).then(async (r) => [r.status, await r.text()]),
    async grpc(path: string): Promise<IncomingHttpHeaders> {
      const session = connectHttp2(`http://${open.address}`);
      const stream = session.request({ ':method': 'POST', ':path': path, 'content-type': 'application/grpc' });
      stream.end(Buffer.alloc(5));
      stream.resume();
      const [headers] = (await once(stream, 'response')) as [IncomingHttpHeaders];
      session.destroy();
      return headers;
    },
    [Symbol.asyncDispose]: () => open.close(AbortSignal.abort()),
  };
}

function broken(): never {
  throw new Error('the secret of the house');
}

it('a path finds its surface, and a port for health has no other', async () => {
  const health = healthOf(new Registry(() => 0));
  await using all = await served(health);
  await using only = await served(health, 'health');
  expect(await all.get('/rpc/of.nacos')).toEqual([200, 'nacos']);
  expect(await all.get('/rpc/of.health')).toEqual([200, 'health']);
  expect((await all.get('/health'))[0]).toBe(200);
  expect(await all.get('/nowhere')).toEqual([404, 'not found\n']);
  expect(await only.get('/rpc/of.health')).toEqual([200, 'health']);
  expect((await only.get('/health'))[0]).toBe(200);
  for (const path of ['/rpc/of.nacos', '/nacos/v1/ns/instance/list', '/nowhere'])
    expect(await only.get(path)).toEqual([404, 'not found: this port serves health and reflection only\n']);
  expect(await only.grpc('/nowhere')).toMatchObject({ ':status': 200, 'grpc-status': '12', 'grpc-message': 'unknown method' });
});

it('a surface that fails, now or later, is logged once and answered without detail', async () => {
  const health = healthOf(new Registry(() => 0));
  await using failing = await served({ ...copied(health), statusOf: broken });
  const told = () => failing.logged.splice(0).map(({ msg, err }) => [msg, err.message]);
  expect(await failing.get('/nacos/')).toEqual([500, 'internal error\n']);
  expect(told()).toEqual([['request failed', 'a bug of nacos']]);
  expect(await failing.get('/health/orders')).toEqual([500, 'internal error\n']);
  expect(told()).toEqual([['request failed', 'the secret of the house']]);
  expect(await failing.grpc('/health/orders')).toMatchObject({
    ':status': 200,
    'grpc-status': '13',
    'grpc-message': 'internal error',
  });
  expect(told()).toEqual([['request failed', 'the secret of the house']]);
  expect(await failing.get('/health/orders?watch')).toEqual([500, 'internal error\n']);
  expect(told()).toEqual([['request failed', 'the secret of the house']]);
  expect(failing.watches.count).toBe(0);
});

it('a stream of events that fails after its first is logged once and cut', async () => {
  const registry = new Registry(() => 0);
  const health = healthOf(registry);
  let isBroken = false;
  await using failing = await served({
    ...copied(health),
    statusOf: (name) => (isBroken ? broken() : health.statusOf(name)),
  });
  const response = await fetch(`http://${failing.address}/health/orders?watch`);
  const reader = response.body?.getReader();
  await reader?.read();
  isBroken = true;
  registry.register(orders, registration());
  await expect(reader?.read()).rejects.toThrow();
  expect(failing.logged.map(({ err }) => err.message)).toEqual(['the secret of the house']);
});

it('a reader of events that leaves is nothing to log, and leaves nothing behind', async () => {
  const registry = new Registry(() => 0);
  await using port = await served(healthOf(registry));
  const request = 'GET /health/orders?watch HTTP/1.1\r\nHost: x\r\n\r\n';
  const socket = await dial(port.address);
  const heard = hear(socket, (text) => text.includes('SERVICE_UNKNOWN'));
  // The second has no turn before the first has ended.
  socket.write(request + request);
  await heard;
  expect(port.watches.count).toBe(1);
  socket.resetAndDestroy();
  registry.register(orders, registration());
  await expect.poll(() => port.watches.count).toBe(0);
  expect(port.logged).toEqual([]);
});

it('a provider whose name is no Unicode is answered as gRPC like any other', async () => {
  const registry = new Registry(() => 0);
  await using port = await served(healthOf(registry));
  registry.register({ ...orders, name: 'providers:com.shop.Orders:1.0\ud800:' }, registration({ enabled: false }));
  expect(await port.grpc('/health/com.shop.Orders')).toMatchObject({
    ':status': 200,
    'grpc-status': '14',
    'grpc-message': 'providers:com.shop.Orders:1.0%EF%BF%BD:: 0 of 1 instances available, 1 needed',
  });
  expect((await port.get('/health/com.shop.Orders'))[0]).toBe(503);
  expect(port.logged).toEqual([]);
});

/** What a checker does, in an object of its own. */
function copied(health: Health): Checker {
  return {
    nameFrom: (text) => health.nameFrom(text),
    statusOf: (name) => health.statusOf(name),
    statusOfText: (text) => health.statusOfText(text),
    list: () => health.list(),
    explain: (name) => health.explain(name),
    isIgnorantOf: (name) => health.isIgnorantOf(name),
    onChange: (listener) => health.onChange(listener),
  };
}

describe.each([
  ['/nacos', ['/nacos/v1/ns/operator/metrics', '//nacos//v1/ns///operator/metrics/', '/nacos/actuator/health']],
  [
    '/',
    ['/v1/ns/operator/metrics', '//v1/ns/operator/metrics', '/actuator/health', '/serverlist', '/nacos/v1/ns/operator/metrics'],
  ],
  ['/registry', ['/registry/v1/ns/operator/metrics', '/registry//v1/ns/operator/metrics', '/nacos/v1/ns/operator/metrics']],
  ['/a/b/', ['/a/b/v1/ns/operator/metrics', '/a/b/serverlist']],
])('clients whose context path is %s (alibaba/nacos#4212, #14583)', (contextPath, paths) => {
  it('find Nacos there, however many slashes they write, and health where it is', async () => {
    await using server = await startServer({ contextPath });
    const statusOf = async (path: string) => {
      const heard = await exchange(server.listeners.main, [`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`]);
      return heard.slice(9, 12);
    };
    for (const path of paths) expect([path, await statusOf(path)]).toEqual([path, '200']);
    expect(await statusOf('//health//?x')).toBe('400');
    expect(await statusOf('//health')).toBe('200');
    for (const path of ['/v4/x', '/registryx/v1/ns/operator/metrics', '/nowhere'])
      expect([path, await statusOf(path)]).toEqual([path, '404']);
  });
});
