import { once } from 'node:events';
import { connect as connectHttp2, constants } from 'node:http2';
import { createContextValues } from '@connectrpc/connect';
import { pino } from 'pino';
import { expect, it } from 'vitest';
import { Health as HealthService } from '../../src/gen/grpc/health/v1/health_pb.ts';
import { Health } from '../../src/health/health.ts';
import { healthService } from '../../src/health/service.ts';
import { Watches } from '../../src/health/watch.ts';
import { nacosRpc, peerKey } from '../../src/nacos/grpc.ts';
import { Registry } from '../../src/registry/registry.ts';
import { type Handler, listen } from '../../src/server/listener.ts';
import { rpcHandlers } from '../../src/server/rpc.ts';
import { HEALTH_CLIENTS, type HealthClient, WATCHING_CLIENTS } from '../support/health-clients.ts';
import { orders, registration } from '../support/instances.ts';
import { NacosGrpc } from '../support/nacos-grpc.ts';
import { emptyRoom } from '../support/nacos-room.ts';
import { dial, hear } from '../support/raw.ts';

const WATCH = '/grpc.health.v1.Health/Watch';

type Implementation = ReturnType<typeof healthService>;

/** The health service on a port, with the room behind it in reach, and perhaps with other methods. For `await using`. */
async function serveHealth(instead: Partial<Implementation> = {}) {
  const registry = new Registry(() => 0);
  const health = new Health(registry);
  const watches = new Watches(health);
  const shutdown = new AbortController();
  const logged: { readonly msg: string; readonly err: { readonly message: string } }[] = [];
  const handlers = rpcHandlers({
    routes: (router) => router.service(HealthService, { ...healthService(health, watches, 100), ...instead }),
    maxMessageBytes: 16 << 10,
    contextValues: () => createContextValues(),
    shutdown: shutdown.signal,
    log: pino({}, { write: (line) => logged.push(JSON.parse(line)) }),
  });
  const listener = await listen('127.0.0.1', 0, (req, res) => {
    req.on('error', () => {});
    res.on('error', () => {});
    handlers.get(req.url ?? '')?.(req, res);
  });
  return {
    registry,
    watches,
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
  const room = emptyRoom();
  const log = pino({ enabled: false });
  const options = { shutdown: new AbortController().signal, maxMessageBytes: 1 << 20, log };
  const longLived = rpcHandlers({
    ...options,
    routes: (router) => nacosRpc(router, { ...room, log }),
    contextValues: (req) => {
      const transport = ('stream' in req && req.stream.session) || {};
      return createContextValues().set(peerKey, { transport, ip: '127.0.0.1', port: 1, cut: () => {} });
    },
    longLived: true,
  });
  const handler: Handler = (req, res) => {
    if (req.url === '/paused') res.on('error', () => {});
    else longLived.get(req.url ?? '')?.(req, res);
  };
  const listener = await listen('127.0.0.1', 0, handler, { bodyTimeoutMs: 100 });
  {
    using client = await NacosGrpc.connect(listener.address);
    // What has begun later is cut off, and so would be what has begun before.
    const session = connectHttp2(`http://${listener.address}`);
    const paused = session.request({ ':path': '/paused', ':method': 'POST' }, { endStream: false });
    paused.on('error', () => {});
    await once(paused, 'close');
    session.destroy();
    await client.subscribe('orders');
    await client.pushed('orders', (ports) => ports.length === 0);
  }
  await listener.close(AbortSignal.timeout(1_000));
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
