import { once } from 'node:events';
import { connect as connectHttp2, constants } from 'node:http2';
import { createClient, createContextValues } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';
import { pino } from 'pino';
import { expect, it } from 'vitest';
import { Health as HealthService } from '../../src/gen/grpc/health/v1/health_pb.ts';
import { ServerReflection } from '../../src/gen/grpc/reflection/v1/reflection_pb.ts';
import { healthService } from '../../src/health/service.ts';
import { Watches } from '../../src/health/watch.ts';
import { Registry } from '../../src/registry/registry.ts';
import { reflectionRoutes } from '../../src/server/reflection.ts';
import { rpcByPath } from '../../src/server/rpc.ts';
import { callersMistakes } from '../../src/server/triple.ts';
import type { Serve } from '../../src/wire/exchange.ts';
import { HeldBodies } from '../../src/wire/held-bodies.ts';
import { listen } from '../../src/wire/listener.ts';
import { OpenAnswers } from '../../src/wire/open-answers.ts';
import { systemScheduler } from '../../src/wire/scheduler.ts';
import { healthOf } from '../support/health.ts';
import { HEALTH_CLIENTS, type HealthClient, WATCHING_CLIENTS } from '../support/health-clients.ts';
import { orders, registration } from '../support/instances.ts';
import { failOnLeaks } from '../support/leaks.ts';
import { LIMITS } from '../support/limits.ts';
import { dial, hear } from '../support/raw.ts';

failOnLeaks();

const WATCH = '/grpc.health.v1.Health/Watch';
const CHECK = '/grpc.health.v1.Health/Check';

type Implementation = ReturnType<typeof healthService>;

/** The health service on a port, with the room behind it in reach, and perhaps with other methods. For `await using`. */
async function serveHealth(instead: Partial<Implementation> = {}) {
  const registry = new Registry(() => 0);
  const health = healthOf(registry);
  const watches = new Watches(health, LIMITS);
  const openAnswers = new OpenAnswers();
  const shutdown = new AbortController();
  const logged: { readonly msg: string; readonly err: { readonly message: string } }[] = [];
  const byPath = rpcByPath({
    routes: (router) =>
      router.service(HealthService, {
        ...healthService({ checker: health, watches, limits: LIMITS }),
        ...instead,
      }),
    maxMessageBytes: LIMITS.maxHealthMessageBytes,
    bodies: new HeldBodies(LIMITS),
    contextValues: () => createContextValues(),
    now: () => 0,
    openAnswers,
    shutdown: shutdown.signal,
    log: pino({}, { write: (line) => logged.push(JSON.parse(line)) }),
  });
  const request: Serve = (req, res) => {
    req.on('error', () => {});
    res.on('error', () => {});
    byPath.get(req.url ?? '')?.(req, res);
  };
  const listener = await listen('127.0.0.1', 0, { request }, { limits: LIMITS, scheduler: systemScheduler });
  return {
    registry,
    watches,
    openAnswers,
    shutdown,
    logged,
    address: listener.address,
    async [Symbol.asyncDispose]() {
      shutdown.abort();
      await listener.close(AbortSignal.timeout(100));
    },
  };
}

/** A frame of gRPC and gRPC-Web around a request for the service. */
function frame(service: string): Buffer {
  const name = Buffer.from(service);
  return Buffer.concat([Buffer.from([0, 0, 0, 0, name.length + 2, 0x0a, name.length]), name]);
}

it.each(Object.entries(WATCHING_CLIENTS))('a watch over %s that its caller cancels leaves nothing behind', async (_, connect) => {
  await using served = await serveHealth();
  using client = connect(served.address);
  const cancel = new AbortController();
  const watched = async () => {
    for await (const _ of client.watch('orders', cancel.signal)) {
      expect(served.watches.count).toBe(1);
      cancel.abort();
    }
  };
  await watched().catch(() => {});
  await expect.poll(() => served.watches.keyCount).toBe(0);
});

it('watches that were pipelined on a connection are gone with it, those that never had their turn too', async () => {
  await using served = await serveHealth();
  const request = (service: string) =>
    Buffer.concat([
      Buffer.from(
        `POST ${WATCH} HTTP/1.1\r\nHost: x\r\nContent-Type: application/grpc-web+proto\r\nContent-Length: ${service.length + 7}\r\n\r\n`,
      ),
      frame(service),
    ]);
  const socket = await dial(served.address);
  const first = hear(socket, (heard) => heard.includes('200 OK'));
  socket.write(Buffer.concat([request('first'), request('second'), request('third')]));
  await first;
  await expect.poll(() => served.watches.count).toBe(1);
  socket.destroy();
  await expect.poll(() => served.watches.keyCount).toBe(0);
});

it('a reader that stops reading is told, once it reads again, what is true then', async () => {
  await using served = await serveHealth();
  const session = connectHttp2(`http://${served.address}`, { settings: { initialWindowSize: 0 } });
  const stream = session.request({ ':path': WATCH, ':method': 'POST', 'content-type': 'application/grpc', te: 'trailers' });
  stream.end(frame('orders'));
  await expect.poll(() => served.watches.count).toBe(1);
  for (let i = 0; i < 1_001; i++) {
    served.registry.register(orders, registration());
    await new Promise((resolve) => setImmediate(resolve));
    if (i < 1_000) served.registry.deregister(orders, registration());
    await new Promise((resolve) => setImmediate(resolve));
  }
  let heard = Buffer.alloc(0);
  stream.on('data', (chunk: Buffer) => {
    heard = Buffer.concat([heard, chunk]);
  });
  session.settings({ initialWindowSize: 65_535 });
  // One that was on its way when the window closed, and the latest.
  const serving = Buffer.from([0, 0, 0, 0, 2, 8, 1]);
  await expect.poll(() => heard.subarray(-7)).toEqual(serving);
  expect(heard.length / 7).toBeLessThanOrEqual(3);
  stream.close(constants.NGHTTP2_CANCEL);
  await once(stream, 'close');
  await expect.poll(() => served.watches.keyCount).toBe(0);
  session.destroy();
});

it('a reader that leaves while it is not reading leaves nothing behind', async () => {
  await using served = await serveHealth();
  const session = connectHttp2(`http://${served.address}`, { settings: { initialWindowSize: 0 } });
  session.on('error', () => {});
  const stream = session.request({ ':path': WATCH, ':method': 'POST', 'content-type': 'application/grpc', te: 'trailers' });
  stream.on('error', () => {});
  stream.end(frame('orders'));
  await expect.poll(() => served.watches.count).toBe(1);
  session.destroy();
  await expect.poll(() => served.watches.keyCount).toBe(0);
});

it('a stream of a client that has nothing to say for longer than a body may pause stays', async () => {
  const longLived = rpcByPath({
    routes: (router) => reflectionRoutes(router, [HealthService]),
    bodies: new HeldBodies(LIMITS),
    maxMessageBytes: 1 << 20,
    contextValues: () => createContextValues(),
    now: () => 0,
    openAnswers: new OpenAnswers(),
    shutdown: new AbortController().signal,
    log: pino({ enabled: false }),
    longLived: true,
  });
  const request: Serve = (req, res) => {
    req.on('error', () => {});
    res.on('error', () => {});
    if (req.url !== '/paused') longLived.get(req.url ?? '')?.(req, res);
  };
  const limits = { ...LIMITS, bodyTimeoutMs: 100 };
  const listener = await listen('127.0.0.1', 0, { request }, { limits, scheduler: systemScheduler });
  const client = createClient(ServerReflection, createGrpcTransport({ baseUrl: `http://${listener.address}` }));
  let goOn = () => {};
  const pause = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  async function* questions() {
    for (const host of ['before', 'after']) {
      yield { host, messageRequest: { case: 'listServices' as const, value: '' } };
      await pause;
    }
  }
  const heard: string[] = [];
  for await (const { validHost } of client.serverReflectionInfo(questions())) {
    heard.push(validHost);
    if (heard.length > 1) continue;
    // What has begun later is cut off, and so would be what has begun before.
    const session = connectHttp2(`http://${listener.address}`);
    const paused = session.request({ ':path': '/paused', ':method': 'POST' }, { endStream: false });
    paused.on('error', () => {});
    await once(paused, 'close');
    session.destroy();
    goOn();
  }
  expect(heard).toEqual(['before', 'after']);
  await listener.close(AbortSignal.timeout(1_000));
});

it('an answer counts as open until its caller has it to the end, or has gone', async () => {
  await using served = await serveHealth();
  const session = connectHttp2(`http://${served.address}`);
  session.on('error', () => {});
  const opened = () => {
    const stream = session.request({ ':path': WATCH, ':method': 'POST', 'content-type': 'application/grpc', te: 'trailers' });
    stream.on('error', () => {});
    stream.end(frame('orders'));
    stream.resume();
    return stream;
  };
  const [first, second] = [opened(), opened()];
  await Promise.all([once(first, 'data'), once(second, 'data')]);
  expect(served.openAnswers.count).toBe(2);
  first.close(constants.NGHTTP2_CANCEL);
  await expect.poll(() => served.openAnswers.count).toBe(1);
  const trailers = once(second, 'trailers');
  served.shutdown.abort();
  await served.openAnswers.ended();
  expect((await trailers)[0]['grpc-status']).not.toBe('0');
  session.destroy();
});

it('a watch whose deadline passes leaves nothing behind', async () => {
  await using served = await serveHealth();
  const session = connectHttp2(`http://${served.address}`);
  const headers = { ':path': WATCH, ':method': 'POST', 'content-type': 'application/grpc', te: 'trailers' };
  const stream = session.request({ ...headers, 'grpc-timeout': '100m' });
  stream.end(frame('orders'));
  stream.resume();
  const [trailers] = await once(stream, 'trailers');
  expect(trailers['grpc-status']).toBe('4');
  await expect.poll(() => served.watches.keyCount).toBe(0);
  session.destroy();
});

/** As seen by who does not know which of them can watch. */
const EVERY_CLIENT: readonly [string, (address: string) => HealthClient][] = Object.entries(HEALTH_CLIENTS);

it.each(EVERY_CLIENT)('over %s a caller is told nothing of what goes wrong inside', async (_, connect) => {
  const fail = (): never => {
    throw new Error('the secret of the house');
  };
  await using served = await serveHealth({
    check: fail,
    async *watch() {
      yield fail();
    },
  });
  using client = connect(served.address);
  const nothing = { code: 'internal', message: 'internal: internal error' };
  await expect(client.check('orders')).rejects.toMatchObject(nothing);
  const { watch } = client;
  const watched = async () => {
    for await (const _ of watch?.('orders', new AbortController().signal) ?? []);
  };
  if (watch) await expect(watched()).rejects.toMatchObject(nothing);
  // Whoever runs it is told, once for each.
  const told = served.logged.filter(({ msg }) => msg === 'call failed');
  expect(told.map(({ err }) => err.message)).toEqual(told.map(() => 'the secret of the house'));
  expect(told).toHaveLength(watch ? 2 : 1);
});

it.each([
  ['application/grpc', { 'grpc-status': '3', 'grpc-message': 'parse%20binary%3A%20premature%20EOF' }],
  ['application/proto', { ':status': 400, 'content-type': 'application/json' }],
])('bytes that are no message are the mistake of whoever sends them as %s', async (type, said) => {
  await using served = await serveHealth();
  const session = connectHttp2(`http://${served.address}`);
  const stream = session.request({ ':method': 'POST', ':path': CHECK, 'content-type': type, te: 'trailers' });
  const fields: Record<string, unknown> = {};
  stream.on('response', (header) => Object.assign(fields, header));
  stream.on('trailers', (trailers) => Object.assign(fields, trailers));
  stream.resume();
  const wrong = [0x0a, 0xff, 0x7f];
  stream.end(Buffer.from(type === 'application/grpc' ? [0, 0, 0, 0, wrong.length, ...wrong] : wrong));
  await once(stream, 'close');
  session.destroy();
  expect(fields).toMatchObject(said);
});

it('a status that is put right is so in the details beside it', () => {
  const details = (code: number) => Buffer.from([8, code, 18, 1, 120]).toString('base64').replace(/=+$/, '');
  const trailers = new Headers({ 'grpc-status': '12', 'grpc-message': 'x', 'grpc-status-details-bin': details(12) });
  expect(callersMistakes(trailers)).toEqual({ 'grpc-status': '3', 'grpc-message': 'x', 'grpc-status-details-bin': details(3) });
});
