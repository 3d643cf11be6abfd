import { get, type IncomingMessage } from 'node:http';
import { Code, createClient } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';
import { expect, it } from 'vitest';
import { Health } from '../../src/gen/grpc/health/v1/health_pb.ts';
import type { ServerOptions } from '../../src/index.ts';
import { WATCHING_CLIENTS } from '../support/health-clients.ts';
import { failOnLeaks } from '../support/leaks.ts';
import { NacosGrpc } from '../support/nacos-grpc.ts';
import { answerOf, deregister, nacos, register, startServer } from '../support/server.ts';

failOnLeaks();

type Reachable = Awaited<ReturnType<typeof startServer>>;

/** What `/readyz?verbose` says of limits. */
async function seenIn(server: Reachable): Promise<string> {
  const text = await fetch(`http://${server.listeners.main}/readyz?verbose`).then((response) => response.text());
  return /^\[[+-]\]limits .*$/m.exec(text)?.[0] ?? '';
}

const at = (port: number) => ({ serviceName: 'orders', ip: '10.0.0.1', port });
const instance = (port: number, metadata = {}) => ({ ip: '10.0.0.2', port, metadata, ephemeral: true });
const registerOverGrpc = (client: NacosGrpc, serviceName: string, port: number, metadata = {}) =>
  client.ask('InstanceRequest', { type: 'registerInstance', serviceName, instance: instance(port, metadata) });

const TEXTS = {
  instances: 'more than 3 instances (--max-instances)',
  'instances of one address': 'more than 3 instances from one address (--max-instances-per-peer)',
};

it.each([
  ['instances', { maxInstances: 3 }],
  ['instances of one address', { maxInstancesPerPeer: 3 }],
] as const)('too many %s are refused in the words of every version, and counted', async (limit, options) => {
  await using server = await startServer(options);
  const text = TEXTS[limit];
  for (let port = 1; port <= 3; port++) await register(server, 'orders', { port });

  expect(await answerOf(nacos(server, 'POST', '/instance', at(4)))).toEqual({ status: 429, body: text });
  const envelope = { code: 30_000, message: 'server error', data: text };
  for (const version of ['v2/ns', 'v3/client/ns'])
    expect(await answerOf(nacos(server, 'POST', `/nacos/${version}/instance`, at(4)))).toEqual({ status: 429, body: envelope });
  // A beat that would register it.
  const beat = JSON.stringify({ ip: '10.0.0.1', port: 4 });
  expect(await answerOf(nacos(server, 'PUT', '/instance/beat', { serviceName: 'orders', beat }))).toEqual({
    status: 429,
    body: text,
  });
  using client = await NacosGrpc.connect(server.listeners.grpc);
  const refused = { resultCode: 500, errorCode: 503, message: text, success: false };
  expect(await registerOverGrpc(client, 'orders', 4)).toMatchObject({ type: 'InstanceResponse', body: refused });
  const batch = { type: 'batchRegisterInstance', serviceName: 'orders', instances: [instance(5), instance(6)] };
  expect(await client.ask('BatchInstanceRequest', batch)).toMatchObject({ type: 'BatchInstanceResponse', body: refused });
  const persistent = { type: 'registerInstance', serviceName: 'orders', instance: { ...instance(7), ephemeral: false } };
  expect(await client.ask('PersistentInstanceRequest', persistent)).toMatchObject({ type: 'InstanceResponse', body: refused });
  expect(await seenIn(server)).toMatch(new RegExp(`refused: ${limit} 7$`));

  // What is here may say itself again, and beat.
  await register(server, 'orders', { port: 3 });
  expect(await answerOf(nacos(server, 'PUT', '/instance/beat', at(3)))).toMatchObject({ status: 200, body: { code: 10_200 } });
  // And one that goes makes room.
  await deregister(server, 'orders', { port: 1 });
  expect((await registerOverGrpc(client, 'orders', 4)).body).toMatchObject({ success: true });
  client[Symbol.dispose]();
  await expect.poll(() => answerOf(nacos(server, 'POST', '/instance', at(5)))).toEqual({ status: 200, body: 'ok' });
});

it.each([
  ['services', { maxServices: 2 }, 'more than 2 services (--max-services)'],
  ['services of one address', { maxServicesPerPeer: 2 }, 'more than 2 services from one address (--max-services-per-peer)'],
] as const)('too many %s are refused, by whatever makes them known', async (limit, options, text) => {
  await using server = await startServer(options);
  await register(server, 'a');
  await register(server, 'b');
  await register(server, 'b', { port: 81 });
  expect(await answerOf(nacos(server, 'POST', '/instance', { ...at(1), serviceName: 'c' }))).toEqual({ status: 429, body: text });
  expect(await answerOf(nacos(server, 'POST', '/service', { serviceName: 'c' }))).toEqual({ status: 429, body: text });
  using client = await NacosGrpc.connect(server.listeners.grpc);
  expect((await registerOverGrpc(client, 'c', 1)).body).toMatchObject({ errorCode: 503, message: text });
  expect(await seenIn(server)).toMatch(new RegExp(`refused: ${limit} 3$`));
  await deregister(server, 'a');
  expect((await nacos(server, 'DELETE', '/service', { serviceName: 'a' })).status).toBe(200);
  expect((await registerOverGrpc(client, 'c', 1)).body).toMatchObject({ success: true });
});

it.each([
  ['metadata', { maxMetadataInAll: 2_000 }, '--max-metadata-in-all'],
  ['metadata of one address', { maxMetadataPerPeer: 2_000 }, '--max-metadata-per-peer'],
] as const)('too much %s is refused, of instances and of services', async (limit, options, option) => {
  await using server = await startServer(options);
  const metadata = (length: number) => JSON.stringify({ a: 'x'.repeat(length) });
  const text = `more than 2000 characters of ${limit}, where each pair counts for 32 more (${option})`;
  await register(server, 'orders', { port: 1, metadata: metadata(1_500) });
  expect(await answerOf(nacos(server, 'POST', '/instance', { ...at(2), metadata: metadata(500) }))).toEqual({
    status: 429,
    body: text,
  });
  const service = { serviceName: 'c', metadata: metadata(500) };
  expect(await answerOf(nacos(server, 'POST', '/service', service))).toEqual({ status: 429, body: text });
  using client = await NacosGrpc.connect(server.listeners.grpc);
  expect((await registerOverGrpc(client, 'orders', 3, { a: 'x'.repeat(500) })).body).toMatchObject({
    errorCode: 503,
    message: text,
  });
  expect(await seenIn(server)).toMatch(new RegExp(`refused: ${limit} 3$`));
  // Less than before, and as much as before, is no more.
  await register(server, 'orders', { port: 1, metadata: metadata(1_500) });
  await register(server, 'orders', { port: 1, metadata: metadata(100) });
  await register(server, 'orders', { port: 2, metadata: metadata(500) });
});

it('what connections have said counts for as long as they live, though they all speak of the same instance', async () => {
  await using server = await startServer({ maxMetadataPerPeer: 2_000 });
  using one = await NacosGrpc.connect(server.listeners.grpc);
  using other = await NacosGrpc.connect(server.listeners.grpc);
  const metadata = { a: 'x'.repeat(1_000) };
  expect((await registerOverGrpc(one, 'orders', 1, metadata)).body).toMatchObject({ success: true });
  // Of what is known in the registry nothing would be more.
  const text =
    'more than 2000 characters of metadata of one address, where each pair counts for 32 more (--max-metadata-per-peer)';
  expect((await registerOverGrpc(other, 'orders', 1, metadata)).body).toMatchObject({ errorCode: 503, message: text });
  expect((await registerOverGrpc(one, 'orders', 1, metadata)).body).toMatchObject({ success: true });
  one[Symbol.dispose]();
  await expect.poll(async () => (await registerOverGrpc(other, 'orders', 1, metadata)).body).toMatchObject({ success: true });
});

it('too many connections of Nacos 2.x are ended, and counted', async () => {
  await using server = await startServer({ maxConnectionsPerPeer: 1 });
  using _one = await NacosGrpc.connect(server.listeners.grpc);
  using other = new NacosGrpc(server.listeners.grpc);
  other.open();
  other.say('ConnectionSetupRequest', { clientVersion: 'Test-Client:v1', labels: {} });
  await expect.poll(() => seenIn(server)).toMatch(/refused: connections of Nacos 2.x of one address 1$/);
});

it('too many services to list are RESOURCE_EXHAUSTED, over HTTP/1.1 and gRPC, and counted', async () => {
  await using server = await startServer({ maxListed: 2 });
  await register(server, 'a');
  await register(server, 'b');
  const list = await fetch(`http://${server.listeners.health}/grpc.health.v1.Health/List`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{}',
  });
  expect([list.status, await list.json()]).toMatchObject([429, { code: 'resource_exhausted' }]);
  const client = createClient(Health, createGrpcTransport({ baseUrl: `http://${server.listeners.health}` }));
  await expect(client.list({})).rejects.toMatchObject({ code: Code.ResourceExhausted });
  expect(await seenIn(server)).toMatch(/refused: services to list 2$/);
});

it('too many beats from one address are refused for a while; health and lists are answered meanwhile', async () => {
  await using server = await startServer({ maxBeatsPerSecondPerPeer: 1 });
  await register(server, 'orders', { port: 1 });
  const beat = () => answerOf(nacos(server, 'PUT', '/instance/beat', at(1)));
  const refused = { status: 429, body: 'more than 1 beats per second from one address (--max-beats-per-second-per-peer)' };
  await expect.poll(beat, { interval: 1 }).toEqual(refused);
  expect((await fetch(`http://${server.listeners.main}/health/orders`)).status).toBe(200);
  expect((await nacos(server, 'GET', '/instance/list', { serviceName: 'orders' })).status).toBe(200);
  expect(await seenIn(server)).toMatch(/refused: beats of one address \d+$/);
  await expect.poll(beat, { timeout: 5_000 }).toMatchObject({ status: 200 });
});

it('too many registrations from one address are refused for a while, one by one or in batches', async () => {
  await using server = await startServer({ maxRegistrationsPerSecondPerPeer: 1 });
  using client = await NacosGrpc.connect(server.listeners.grpc);
  const instances = Array.from({ length: 25 }, (_, i) => instance(i + 1));
  const batch = { type: 'batchRegisterInstance', serviceName: 'orders', instances };
  expect((await client.ask('BatchInstanceRequest', batch)).body).toMatchObject({ success: true });
  const text = 'more than 1 registrations per second from one address (--max-registrations-per-second-per-peer)';
  expect((await client.ask('BatchInstanceRequest', batch)).body).toMatchObject({ errorCode: 503, message: text });
  expect(await answerOf(nacos(server, 'POST', '/instance', at(1)))).toEqual({ status: 429, body: text });
  // Whoever takes back is never too many.
  expect((await client.ask('BatchInstanceRequest', { ...batch, instances: [] })).body).toMatchObject({ success: true });
  expect(await seenIn(server)).toMatch(/refused: registrations of one address 2$/);
});

const subscribe = (client: NacosGrpc, serviceName: string, on = true) =>
  client.ask('SubscribeServiceRequest', { serviceName, subscribe: on }).then(({ body }) => body);

it.each([
  ['subscriptions', { maxSubscriptions: 2 }, 'more than 2 subscriptions'],
  ['subscriptions of one address', { maxSubscriptionsPerPeer: 2 }, 'more than 2 subscriptions from one address'],
] as const)(
  'too many %s are refused over any connection, and freed by leaving and by a connection that ends',
  async (limit, options, text) => {
    await using server = await startServer(options);
    using one = await NacosGrpc.connect(server.listeners.grpc);
    using other = await NacosGrpc.connect(server.listeners.grpc);
    expect(await subscribe(one, 'a')).toMatchObject({ success: true });
    expect(await subscribe(other, 'b')).toMatchObject({ success: true });
    expect(await subscribe(other, 'b')).toMatchObject({ success: true });
    expect(await subscribe(other, 'c')).toMatchObject({ errorCode: 503, message: text });
    expect(await seenIn(server)).toMatch(new RegExp(`refused: ${limit} 1$`));
    await subscribe(other, 'b', false);
    expect(await subscribe(other, 'c')).toMatchObject({ success: true });
    expect(await subscribe(other, 'd')).toMatchObject({ success: false });
    one[Symbol.dispose]();
    await expect.poll(() => subscribe(other, 'd')).toMatchObject({ success: true });
  },
);

it.each([
  ['texts listened to', { maxListenedConfigsInAll: 2 }, 'more than 2 configs listened to by all'],
  ['texts listened to from one address', { maxListenedConfigsPerPeer: 2 }, 'more than 2 configs listened to from one address'],
] as const)('too many %s are refused, and freed by a connection that ends', async (limit, options: ServerOptions, text) => {
  await using server = await startServer(options);
  using one = await NacosGrpc.connect(server.listeners.grpc);
  using other = await NacosGrpc.connect(server.listeners.grpc);
  const listen = (client: NacosGrpc, dataId: string) => {
    const configListenContexts = [{ dataId, group: 'g', md5: '' }];
    return client.ask('ConfigBatchListenRequest', { listen: true, configListenContexts }).then(({ body }) => body);
  };
  expect(await listen(one, 'a')).toMatchObject({ success: true });
  expect(await listen(other, 'b')).toMatchObject({ success: true });
  expect(await listen(other, 'c')).toMatchObject({ success: false, message: text });
  expect(await seenIn(server)).toMatch(new RegExp(`refused: ${limit} 1$`));
  one[Symbol.dispose]();
  await expect.poll(() => listen(other, 'c')).toMatchObject({ success: true });
});

it('of subscriptions of Nacos 1.x those beyond the limit poll, and are counted', async () => {
  await using server = await startServer({ maxUdpSubscriptionsPerPeer: 1 });
  const poll = (serviceName: string) =>
    answerOf(
      nacos(
        server,
        'GET',
        '/instance/list',
        { serviceName, udpPort: 50_000, clientIP: '127.0.0.1' },
        { headers: { 'user-agent': 'Nacos-Java-Client:v1.4.1' } },
      ),
    );
  expect(await poll('a')).toMatchObject({ body: { cacheMillis: 10_000 } });
  expect(await poll('b')).toMatchObject({ body: { cacheMillis: 3_000 } });
  expect(await seenIn(server)).toMatch(/refused: subscriptions of Nacos 1.x of one address 1$/);
});

it('too many watches by server-sent events are 429, and counted', async () => {
  await using server = await startServer({ maxWatchesPerPeer: 1 });
  const gone = new AbortController();
  const url = `http://${server.listeners.health}/health/orders?watch`;
  const open = await fetch(url, { signal: gone.signal });
  expect(open.status).toBe(200);
  const second = await fetch(url);
  expect(second.status).toBe(429);
  await second.text();
  expect(await seenIn(server)).toMatch(/refused: watches of one address 1$/);
  gone.abort();
  await expect
    .poll(async () => {
      const again = new AbortController();
      const { status } = await fetch(url, { signal: again.signal });
      again.abort();
      return status;
    })
    .toBe(200);
});

it.each(Object.entries(WATCHING_CLIENTS))('too many watches over %s are RESOURCE_EXHAUSTED', async (_, connect) => {
  await using server = await startServer({ maxWatchesPerPeer: 1 });
  const gone = new AbortController();
  await fetch(`http://${server.listeners.health}/health/orders?watch`, { signal: gone.signal });
  using client = connect(server.listeners.health);
  const statuses = client.watch('orders', AbortSignal.timeout(5_000))[Symbol.asyncIterator]();
  await expect(statuses.next()).rejects.toMatchObject({ code: 'resource_exhausted' });
  expect(await seenIn(server)).toMatch(/refused: watches of one address 1$/);
  gone.abort();
});

/** Statuses by server-sent events, to another address than all other clients have. */
function fromElsewhere(address: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    get(`http://${address}/health/orders?watch`, { agent: false, localAddress: '127.0.0.2' }, resolve).on('error', reject);
  });
}

it.each(Object.entries(WATCHING_CLIENTS))('a watch over %s ends for one of an address that has none', async (_, connect) => {
  await using server = await startServer({ maxWatches: 2 });
  using client = connect(server.listeners.health);
  const enough = new AbortController();
  const ends = ['orders', ''].map(async (name) => {
    for await (const status of client.watch(name, enough.signal))
      expect(status).toBe(name === '' ? 'SERVING' : 'SERVICE_UNKNOWN');
  });
  await expect.poll(() => seenIn(server)).toMatch(/watches 2 of 2/);
  const other = await fromElsewhere(server.listeners.main);
  expect(other.statusCode).toBe(200);
  const text = expect.stringContaining('this watch has ended for a caller who has fewer');
  await expect(Promise.race(ends)).rejects.toMatchObject({ code: 'resource_exhausted', message: text });
  expect(await seenIn(server)).toMatch(/refused: watches that gave way 1$/);
  other.destroy();
  enough.abort();
  client[Symbol.dispose]();
  await Promise.allSettled(ends);
});

it('a watch by server-sent events ends for one of an address that has none', async () => {
  await using server = await startServer({ maxWatches: 2 });
  const url = `http://${server.listeners.health}/health/?watch`;
  const gone = new AbortController();
  const [first, second] = [await fetch(url, { signal: gone.signal }), await fetch(url)];
  const other = await fromElsewhere(server.listeners.main);
  expect(other.statusCode).toBe(200);
  expect(await second.text()).toBe('data: {"status":"SERVING"}\n\n');
  expect(first.bodyUsed).toBe(false);
  other.destroy();
  gone.abort();
});

it('what is used is seen, and a limit that is used up is not well, though the bridge is ready', async () => {
  await using server = await startServer({ maxInstances: 1 });
  expect(await seenIn(server)).toMatch(/^\[\+\]limits .*\binstances 0 of 1, .*refused: nothing$/);
  await register(server, 'orders');
  expect(await seenIn(server)).toMatch(/^\[-\]limits .*\bservices 1 of 250000, instances 1 of 1, /);
  expect((await fetch(`http://${server.listeners.main}/readyz`)).status).toBe(200);
});

it("what is too long of one instance or text is the caller's mistake, named by its option, and counted", async () => {
  await using server = await startServer({ maxMetadataLength: 4, maxConfigBytes: 4 });
  const registered = await answerOf(nacos(server, 'POST', '/instance', { ...at(1), metadata: '{"key":"value"}' }));
  expect(registered).toMatchObject({ status: 400, body: expect.stringContaining('--max-metadata-length') });
  const config = { dataId: 'd', group: 'G', content: 'too long' };
  expect(await answerOf(nacos(server, 'POST', '/nacos/v1/cs/configs', config))).toEqual({
    status: 400,
    body: 'content must not exceed 4 bytes, got 8 (--max-config-bytes)',
  });
  expect(await seenIn(server)).toMatch(/refused: length of a text 1, metadata of one 1$/);
});

it('a message of health that is too large is refused without words of the library that reads it', async () => {
  await using server = await startServer({ maxHealthMessageBytes: 2_048 });
  const service = 'x'.repeat(3_000);
  const check = await fetch(`http://${server.listeners.health}/grpc.health.v1.Health/Check`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ service }),
  });
  expect([check.status, await check.json()]).toMatchObject([
    429,
    {
      code: 'resource_exhausted',
      message: expect.stringMatching(/^(\[resource_exhausted\] )?a message must not exceed 2048 bytes$/),
    },
  ]);
  const client = createClient(Health, createGrpcTransport({ baseUrl: `http://${server.listeners.health}` }));
  await expect(client.check({ service })).rejects.toMatchObject({
    code: Code.ResourceExhausted,
    rawMessage: expect.stringMatching(/^(\[resource_exhausted\] )?a message must not exceed 2048 bytes$/),
  });
  // The transport keeps its connection.
  await server.close(0);
});
