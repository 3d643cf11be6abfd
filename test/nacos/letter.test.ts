import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import type { Server } from '../../src/index.ts';
import { nacosRoutes } from '../../src/nacos/http/routes.ts';
import { NacosGrpc } from '../support/nacos-grpc.ts';
import { emptyNacos } from '../support/nacos-room.ts';
import { numbersIn, withoutPoint } from '../support/numbers.ts';
import { answerOf, nacos, register, startServer } from '../support/server.ts';

/** What is a double or a float in Nacos, wherever it is written (2.5.1: Instance, Service, SwitchDomain, MetricsInfoVo, ServerLoaderMetrics). */
const DOUBLES = ['weight', 'protectThreshold', 'distroThreshold', 'factor', 'threshold', 'cpu', 'load', 'mem'];
const NUMBERS = '{"v":1.0,"id":12345678901234567890,"e":1e3}';
const TEXTS = { v: '1.0', id: '12345678901234567890', e: '1e3' };
const named = { namespace: 'public', serviceName: 'orders', groupName: 'DEFAULT_GROUP' };
const text = async (answer: Promise<Response>) => (await answer).text();
const list = async (server: Server, serviceName = 'orders') =>
  (await answerOf(nacos(server, 'GET', '/instance/list', { serviceName }))).body;

/** A strict reader, as C++'s is: a double without a point in it is an error, and so is an integer that has one. */
function read(json: string): readonly string[] {
  expect(withoutPoint(json, DOUBLES)).toEqual([]);
  expect(numbersIn(json).filter(({ name, text }) => !DOUBLES.includes(name) && !/^-?\d+$/.test(text))).toEqual([]);
  return numbersIn(json).map(({ name, text }) => `${name} ${text}`);
}

describe('a double has a point in it, and an integer none', () => {
  const routes = nacosRoutes(emptyNacos().rooms).filter(({ method }) => method === 'GET' || method === 'ANY');

  it('in what every call over HTTP answers that reads', async () => {
    await using server = await startServer();
    const post = (path: string, params: Record<string, string | number>) => nacos(server, 'POST', path, params);
    await post('/service', { serviceName: 'orders', protectThreshold: 1, metadata: '{"weight":8}' });
    await register(server, 'orders', { weight: 8, metadata: '{"weight":8}' });
    await register(server, 'orders', { port: 81, weight: 0 });
    const seen = new Set<string>();
    const params = {
      serviceName: 'orders',
      ...{ ip: '10.0.0.1', port: 80, pageNo: 1, pageSize: 10, withInstances: 'true', onlyStatus: 'false' },
      ...{ clientId: '10.0.0.1:80#true', key: 'orders', namespaceId: 'public' },
    };
    for (const { path } of routes) {
      const answer = await nacos(server, 'GET', path.replace('*', 'orders'), params);
      const body = await answer.text();
      if (!answer.headers.get('content-type')?.startsWith('application/json')) continue;
      for (const number of read(body)) seen.add(number);
    }
    expect([...seen]).toEqual(
      expect.arrayContaining([
        'weight 8.0',
        'weight 0.0',
        'protectThreshold 1.0',
        'distroThreshold 0.7',
        'factor 0.85',
        'port 80',
      ]),
    );
    for (const name of DOUBLES) expect([...seen].some((number) => number.startsWith(`${name} `))).toBe(true);
  });

  it.each([
    [8, '8.0'],
    [0.5, '0.5'],
    [0, '0.0'],
    [10_000, '10000.0'],
  ])('in lists of every version, for a weight of %s', async (weight, written) => {
    await using server = await startServer();
    await register(server, 'orders', { weight });
    for (const path of ['/nacos/v1/ns/instance/list', '/nacos/v2/ns/instance/list', '/nacos/v3/client/ns/instance/list']) {
      const body = await text(nacos(server, 'GET', path, { serviceName: 'orders' }));
      expect(read(body)).toContain(`weight ${written}`);
    }
  });

  it('in what is answered and pushed over gRPC', async () => {
    await using server = await startServer();
    using client = await NacosGrpc.connect(server.listeners.grpc);
    await client.register('orders', 80, { weight: 8 });
    await client.subscribe('orders');
    await client.ask('ServiceQueryRequest', { ...named, cluster: '' });
    await client.pushed('orders', (ports) => ports.length === 1);
    const bodies = client.texts.filter((body) => body.includes('"serviceInfo"'));
    expect(bodies).toHaveLength(3);
    for (const body of bodies) expect(read(body)).toContain('weight 8.0');
  });

  it('in what is pushed by datagrams', async () => {
    await using server = await startServer();
    const ear = createSocket('udp4');
    ear.bind(0, '127.0.0.1');
    await once(ear, 'listening');
    const heard = once(ear, 'message');
    const headers = { 'user-agent': 'Nacos-Java-Client:v1.4.2' };
    await nacos(server, 'GET', '/instance/list', { serviceName: 'orders', udpPort: ear.address().port }, { headers });
    await register(server, 'orders', { weight: 8 });
    const [message] = await heard;
    const push = String(message);
    expect(read(push)).toEqual([expect.stringMatching(/^lastRefTime \d+$/)]);
    expect(read(JSON.parse(push).data)).toContain('weight 8.0');
    ear.close();
  });
});

describe('a number in metadata keeps the text that its client wrote', () => {
  it.each([
    ['POST', '/nacos/v1/ns/instance', { metadata: NUMBERS }],
    ['POST', '/nacos/v2/ns/instance', { metadata: NUMBERS }],
    ['POST', '/nacos/v3/client/ns/instance', { metadata: NUMBERS }],
    ['PUT', '/nacos/v1/ns/instance', { metadata: NUMBERS }],
    ['PUT', '/nacos/v1/ns/instance/beat', { beat: `{"ip":"10.0.0.1","port":80,"weight":2.0,"metadata":${NUMBERS}}` }],
    ['PUT', '/nacos/v2/ns/instance/beat', { beat: `{"ip":"10.0.0.1","port":80,"metadata":${NUMBERS}}` }],
  ])('registered by %s %s with %j', async (method, path, params) => {
    await using server = await startServer();
    const answer = await nacos(server, method, path, { serviceName: 'orders', ip: '10.0.0.1', port: 80, ...params });
    expect(answer.status).toBe(200);
    expect(await list(server)).toMatchObject({ hosts: [{ metadata: TEXTS }] });
  });

  it('in the form of a request', async () => {
    await using server = await startServer();
    const body = new URLSearchParams({ serviceName: 'orders', ip: '10.0.0.1', port: '80', metadata: NUMBERS });
    await nacos(server, 'POST', '/instance', {}, { body });
    expect(await list(server)).toMatchObject({ hosts: [{ metadata: TEXTS }] });
  });

  it.each([
    ['PATCH', '/nacos/v1/ns/instance', {}],
    ['PUT', '/nacos/v1/ns/instance', {}],
    ['PUT', '/nacos/v1/ns/instance/metadata/batch', { consistencyType: 'ephemeral' }],
    ['PUT', '/nacos/v2/ns/instance/metadata/batch', { instances: '[{"ip":"10.0.0.1","port":80}]' }],
  ])('edited by %s %s %j', async (method, path, params) => {
    await using server = await startServer();
    await register(server, 'orders');
    await nacos(server, method, path, { serviceName: 'orders', ip: '10.0.0.1', port: 80, metadata: NUMBERS, ...params });
    expect(await list(server)).toMatchObject({ hosts: [{ metadata: TEXTS }] });
  });

  it('of a service and of a cluster', async () => {
    await using server = await startServer();
    await nacos(server, 'POST', '/service', { serviceName: 'orders', metadata: NUMBERS });
    const cluster = { clusterName: 'C1', checkPort: 80, useInstancePort4Check: 'true', healthChecker: '{"type":"TCP"}' };
    await nacos(server, 'PUT', '/cluster', { serviceName: 'orders', ...cluster, metadata: NUMBERS });
    expect((await answerOf(nacos(server, 'GET', '/service', { serviceName: 'orders' }))).body).toMatchObject({
      metadata: TEXTS,
      clusters: [{ metadata: TEXTS }],
    });
  });

  it.each([
    ['InstanceRequest', { type: 'registerInstance', instance: 1 }],
    ['PersistentInstanceRequest', { type: 'registerInstance', instance: 1 }],
    ['BatchInstanceRequest', { type: 'batchRegisterInstance', instances: [1] }],
  ])('registered over gRPC by %s', async (type, body) => {
    await using server = await startServer();
    using client = await NacosGrpc.connect(server.listeners.grpc);
    const instance = `{"ip":"10.0.0.1","port":80,"weight":2.0,"metadata":${NUMBERS}}`;
    const json = JSON.stringify({ ...named, ...body }).replace(/(?<="instance":)1|(?<="instances":\[)1/, instance);
    expect(await client.ask(type, json)).toMatchObject({ body: { success: true } });
    expect(await list(server)).toMatchObject({ hosts: [{ weight: 2, metadata: TEXTS }] });
  });
});

describe('who listens', () => {
  it('is one line for two connections of one host that nothing tells apart, as in Nacos', async () => {
    await using server = await startServer();
    using one = await NacosGrpc.connect(server.listeners.grpc);
    using two = await NacosGrpc.connect(server.listeners.grpc);
    using other = await NacosGrpc.connect(server.listeners.grpc, { clientVersion: 'Test-Client:v2' });
    for (const client of [one, two, other]) await client.subscribe('orders');
    const line = { addrStr: '127.0.0.1', ip: '127.0.0.1', port: 0, serviceName: 'DEFAULT_GROUP@@orders', cluster: '' };
    expect(await answerOf(nacos(server, 'GET', '/service/subscribers', { serviceName: 'orders' }))).toMatchObject({
      body: {
        subscribers: [
          { ...line, agent: 'Test-Client:v1' },
          { ...line, agent: 'Test-Client:v2' },
        ],
        count: 2,
      },
    });
  });

  it('is a line for each port that listens for datagrams, and each service', async () => {
    await using server = await startServer();
    const headers = { 'user-agent': 'Nacos-Java-Client:v1.4.2' };
    for (const [serviceName, udpPort] of [
      ['orders', 50_001],
      ['orders', 50_002],
      ['orders-2', 50_001],
    ] as const)
      await nacos(server, 'GET', '/instance/list', { serviceName, udpPort }, { headers });
    const { body } = await answerOf(nacos(server, 'GET', '/service/subscribers', { serviceName: 'orders' }));
    expect(body).toMatchObject({
      subscribers: [{ addrStr: '127.0.0.1:50001', port: 50_001 }, { addrStr: '127.0.0.1:50002' }, { addrStr: '127.0.0.1:50001' }],
      count: 3,
    });
  });
});

it('the metrics count clients and subscriptions by kind when they are asked for', async () => {
  await using server = await startServer();
  using client = await NacosGrpc.connect(server.listeners.grpc);
  using silent = await NacosGrpc.connect(server.listeners.grpc);
  await client.register('orders', 80);
  await client.subscribe('orders');
  await client.subscribe('orders', 'C1');
  await silent.subscribe('payments');
  await register(server, 'orders', { port: 81 });
  await register(server, 'orders', { port: 82, ephemeral: 'false' });
  await register(server, 'payments', { port: 81 });
  const headers = { 'user-agent': 'Nacos-Java-Client:v1.4.2' };
  await nacos(server, 'GET', '/instance/list', { serviceName: 'orders', udpPort: 50_001 }, { headers });
  const counts = {
    ...{ status: 'UP', serviceCount: 2, instanceCount: 4, responsibleServiceCount: 2, responsibleInstanceCount: 4 },
    ...{ subscribeCount: 3, clientCount: 5, connectionBasedClientCount: 2, ephemeralIpPortClientCount: 2 },
    ...{ persistentIpPortClientCount: 1, responsibleClientCount: 5 },
    ...{ cpu: expect.any(Number), load: expect.any(Number), mem: expect.any(Number) },
  };
  const metrics = async (version: string, params = {}) =>
    (await answerOf(nacos(server, 'GET', `/nacos/${version}/ns/operator/metrics`, params))).body;
  expect(await metrics('v1', { onlyStatus: 'false' })).toEqual(counts);
  expect(await metrics('v2', { onlyStatus: 'false' })).toEqual({ code: 0, message: 'success', data: counts });
  expect(await metrics('v1', { onlyStatus: 'true' })).toEqual({ status: 'UP' });
  // As 1.4 tells it, and 2.x.
  expect(await metrics('v1')).not.toHaveProperty('clientCount');
  expect(await metrics('v1')).toHaveProperty('instanceCount', 4);
});
