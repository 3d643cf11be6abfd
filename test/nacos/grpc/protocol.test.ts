import { connect } from 'node:http2';
import { afterEach, describe, expect, it } from 'vitest';
import { HEALTH_CLIENTS, TLS_CERT, TLS_KEY } from '../../support/health-clients.ts';
import { NacosGrpc } from '../../support/nacos-grpc.ts';
import { answerOf, nacos, register, startServer } from '../../support/server.ts';

const OK = { resultCode: 200, errorCode: 0, success: true };
const open: (Disposable | AsyncDisposable)[] = [];

afterEach(async () => {
  for (const each of open.splice(0).reverse()) {
    if (Symbol.asyncDispose in each) await each[Symbol.asyncDispose]();
    else each[Symbol.dispose]();
  }
});

async function start(options = {}) {
  const server = await startServer(options);
  open.push(server);
  const connect = async (setup: object = {}) => {
    const client = await NacosGrpc.connect(server.listeners.grpc, setup);
    open.push(client);
    return client;
  };
  const stranger = () => {
    const client = new NacosGrpc(server.listeners.grpc);
    open.push(client);
    return client;
  };
  const check = async (name: string) => {
    using client = HEALTH_CLIENTS['gRPC (grpc-js)'](server.listeners.health);
    return await client.check(name);
  };
  /** The ports that a service lists, as somebody sees them who asks over HTTP. */
  const listed = async (service: string) => {
    const { body } = await answerOf(nacos(server, 'GET', '/instance/list', { serviceName: service }));
    return (body as { hosts: { port: number }[] }).hosts.map(({ port }) => port).sort();
  };
  const gone = async (service: string) => {
    using watcher = HEALTH_CLIENTS['gRPC (grpc-js)'](server.listeners.health);
    for await (const status of watcher.watch(service, new AbortController().signal)) if (status !== 'SERVING') return;
  };
  return { server, connect, stranger, check, listed, gone };
}

const named = (service: string) => ({ namespace: 'public', serviceName: service, groupName: 'DEFAULT_GROUP' });
const batch = (service: string, ...ports: readonly number[]) => ({
  ...named(service),
  type: 'batchRegisterInstance',
  instances: ports.map((port) => ({ ip: '10.0.0.1', port })),
});

describe('before a connection is set up', () => {
  it('a server check is answered, and says what the connection will be called', async () => {
    const { stranger } = await start();
    const client = stranger();
    const { type, body } = await client.ask('ServerCheckRequest', {});
    expect(type).toBe('ServerCheckResponse');
    expect(body).toEqual({
      ...OK,
      connectionId: expect.stringMatching(/^\d+_127\.0\.0\.1_\d+$/),
      supportAbilityNegotiation: true,
    });
    expect(await client.ask('ServerCheckRequest', {})).toEqual({ type, body });
  });

  it('a health check fails with 500, as clients take 301 for good health', async () => {
    const { stranger } = await start();
    const body = { resultCode: 500, errorCode: 500, message: 'Connection is unregistered.', success: false };
    expect(await stranger().ask('HealthCheckRequest', {})).toEqual({ type: 'ErrorResponse', body });
  });

  it('anything else is refused with 301, and changes nothing', async () => {
    const { stranger, listed } = await start();
    const client = stranger();
    expect(await client.register('orders', 80)).toMatchObject({
      type: 'ErrorResponse',
      body: { resultCode: 500, errorCode: 301 },
    });
    expect(await listed('orders')).toEqual([]);
  });

  it('an unknown question is refused with 302, before anything else is looked at', async () => {
    const { stranger, connect } = await start();
    for (const client of [stranger(), await connect()])
      for (const type of ['NoSuchRequest', '', 'instanceRequest', 'toString', '__proto__'])
        expect(await client.ask(type, 'no json')).toMatchObject({ type: 'ErrorResponse', body: { errorCode: 302 } });
  });
});

describe('setting up', () => {
  it('is acknowledged with the abilities of the server only to a client that names its own', async () => {
    const { connect } = await start();
    const negotiating = await connect({ abilityTable: {} });
    const { body } = await negotiating.said(({ type }) => type === 'SetupAckRequest');
    expect(body).toEqual({ headers: {}, module: 'internal', abilityTable: { supportPersistentInstanceByGrpc: true } });
    const old = await connect({ abilities: { naming: {} }, clientAbilities: {} });
    await old.subscribe('orders');
    await old.register('orders', 80);
    await old.pushed('orders', (ports) => ports.length === 1);
    expect(old.heard.filter(({ type }) => type === 'SetupAckRequest')).toEqual([]);
  });

  it('a second time changes nothing, over the same stream or another', async () => {
    const { server, connect, listed } = await start();
    const client = await connect();
    await client.register('orders', 80);
    const { body } = await client.ask('ServerCheckRequest', {});
    client.say('ConnectionSetupRequest', { clientVersion: 'Other:v2', labels: {} });
    client.open();
    client.say('ConnectionSetupRequest', { clientVersion: 'Other:v3', labels: {} });
    expect((await client.ask('HealthCheckRequest', {})).type).toBe('HealthCheckResponse');
    const detail = await answerOf(nacos(server, 'GET', '/nacos/v2/ns/client', { clientId: body.connectionId }));
    expect(detail.body).toMatchObject({ data: { version: 'Test-Client:v1', clientType: 'connection' } });
    // The second stream is not the connection's: its end means nothing.
    client.closeStream();
    await client.end();
    expect((await client.ask('HealthCheckRequest', {})).type).toBe('HealthCheckResponse');
    expect(await listed('orders')).toEqual([80]);
  });

  it('with odd things about the client sets up all the same, and nothing of them is kept', async () => {
    const { server, connect } = await start();
    const labels = { AppName: { toString: 1 }, long: 'x'.repeat(2_000), ['y'.repeat(2_000)]: 'y' };
    const client = await connect({ clientVersion: {}, labels });
    client.say('ClientDetectionResponse', { requestId: {}, resultCode: [] });
    client.say('ClientDetectionResponse', 'no JSON');
    expect((await client.ask('HealthCheckRequest', {})).type).toBe('HealthCheckResponse');
    const { body } = await client.ask('ServerCheckRequest', {});
    const detail = await answerOf(nacos(server, 'GET', '/nacos/v2/ns/client', { clientId: body.connectionId }));
    expect(detail.body).toMatchObject({ data: { version: '', appName: '' } });
  });

  it.each([['no JSON'], ['null'], ['[]']])('with %s ends the transport', async (body) => {
    const { stranger } = await start();
    const client = stranger();
    client.open();
    client.say('ConnectionSetupRequest', body);
    await client.end();
  });
});

describe('an instance', () => {
  it('is registered, and its service has health at once', async () => {
    const { connect, check, listed } = await start();
    const client = await connect();
    const { type, body } = await client.register('orders', 80);
    expect({ type, body }).toEqual({ type: 'InstanceResponse', body: { ...OK, type: 'registerInstance' } });
    expect(await check('orders')).toBe('SERVING');
    expect(await listed('orders')).toEqual([80]);
  });

  it('replaces the one that the connection had registered of the service', async () => {
    const { connect, listed } = await start();
    const client = await connect();
    await client.register('orders', 80);
    await client.register('orders', 81);
    await client.register('payments', 82);
    expect(await listed('orders')).toEqual([81]);
    expect(await listed('payments')).toEqual([82]);
  });

  it('is deregistered whatever instance is named, and however often', async () => {
    const { connect, listed, check } = await start();
    const client = await connect();
    await client.register('orders', 80);
    // As Go's client writes it.
    const instance = { ip: '10.0.0.1', port: 4711, weight: 0, healthy: false, enabled: false, clusterName: '', metadata: null };
    for (let i = 0; i < 2; i++) {
      const { body } = await client.ask('InstanceRequest', { ...named('orders'), type: 'deregisterInstance', instance });
      expect(body).toEqual({ ...OK, type: 'deregisterInstance' });
    }
    expect(await listed('orders')).toEqual([]);
    expect(await check('orders')).toBe('NOT_SERVING');
  });

  it('of one connection is not touched by another that deregisters it', async () => {
    const { connect, listed } = await start();
    const [first, second] = [await connect(), await connect()];
    await first.register('orders', 80);
    await second.ask('InstanceRequest', {
      ...named('orders'),
      type: 'deregisterInstance',
      instance: { ip: '10.0.0.1', port: 80 },
    });
    expect(await listed('orders')).toEqual([80]);
  });

  it('is as healthy, enabled and heavy as its client says', async () => {
    const { connect, check } = await start();
    const client = await connect();
    await client.register('orders', 80, { healthy: false });
    expect(await check('orders')).toBe('NOT_SERVING');
    await client.register('orders', 80, { healthy: true });
    expect(await check('orders')).toBe('SERVING');
    await client.register('orders', 80, { enabled: false });
    expect(await check('orders')).toBe('NOT_SERVING');
    await client.register('orders', 80, { weight: 0 });
    expect(await check('orders')).toBe('NOT_SERVING');
  });

  it('shows every field that some client cannot do without', async () => {
    const { connect } = await start();
    const client = await connect();
    await client.register('orders', 80, { clusterName: '', metadata: null, weight: 2 });
    const { body } = await client.ask('ServiceQueryRequest', { ...named('orders'), cluster: '', healthyOnly: false, udpPort: 0 });
    expect(body.serviceInfo.hosts).toEqual([
      expect.objectContaining({
        instanceId: '10.0.0.1#80#DEFAULT#DEFAULT_GROUP@@orders',
        ip: '10.0.0.1',
        port: 80,
        weight: 2,
        healthy: true,
        enabled: true,
        ephemeral: true,
        clusterName: 'DEFAULT',
        serviceName: 'DEFAULT_GROUP@@orders',
        metadata: {},
        instanceHeartBeatInterval: 5_000,
        instanceHeartBeatTimeOut: 15_000,
        ipDeleteTimeout: 30_000,
      }),
    ]);
  });

  it('that is persistent outlives its connection, and is deregistered by its address', async () => {
    const { connect, listed, gone } = await start();
    const [first, second] = [await connect(), await connect()];
    const persistent = (type: string) =>
      ({ ...named('orders'), type, instance: { ip: '10.0.0.1', port: 80, ephemeral: false } }) as const;
    const answer = await first.ask('PersistentInstanceRequest', persistent('registerInstance'));
    expect(answer).toEqual({ type: 'InstanceResponse', body: { ...OK, type: 'registerInstance' } });
    await first.register('payments', 81);
    first[Symbol.dispose]();
    await gone('payments');
    expect(await listed('orders')).toEqual([80]);
    await second.ask('PersistentInstanceRequest', persistent('deregisterInstance'));
    expect(await listed('orders')).toEqual([]);
  });
});

describe('a batch', () => {
  it('replaces all that the connection had registered of the service; none takes it back', async () => {
    const { connect, listed } = await start();
    const client = await connect();
    await client.register('orders', 80);
    const { type, body } = await client.ask('BatchInstanceRequest', batch('orders', 81, 82, 83));
    expect({ type, body }).toEqual({ type: 'BatchInstanceResponse', body: { ...OK, type: 'batchRegisterInstance' } });
    expect(await listed('orders')).toEqual([81, 82, 83]);
    await client.ask('BatchInstanceRequest', batch('orders', 82));
    expect(await listed('orders')).toEqual([82]);
    await client.ask('BatchInstanceRequest', batch('orders'));
    expect(await listed('orders')).toEqual([]);
  });

  it('is emptied by deregistering one of it', async () => {
    const { connect, listed } = await start();
    const client = await connect();
    await client.ask('BatchInstanceRequest', batch('orders', 81, 82));
    await client.ask('InstanceRequest', {
      ...named('orders'),
      type: 'deregisterInstance',
      instance: { ip: '10.0.0.1', port: 81 },
    });
    expect(await listed('orders')).toEqual([]);
  });

  it('that is too long is refused whole, and what was there stays', async () => {
    const { connect, listed } = await start();
    const client = await connect();
    await client.register('orders', 80);
    const ports = Array.from({ length: 10_001 }, (_, i) => i);
    const { type, body } = await client.ask('BatchInstanceRequest', batch('orders', ...ports));
    expect(type).toBe('BatchInstanceResponse');
    expect(body).toMatchObject({ resultCode: 500, errorCode: 503, success: false });
    expect(await listed('orders')).toEqual([80]);
  });
});

describe('the end of a connection', () => {
  const ends: Record<string, (client: NacosGrpc) => void> = {
    'of the whole transport': (client) => client[Symbol.dispose](),
    'of its stream, in an orderly way': (client) => client.closeStream(),
  };
  it.each(Object.entries(ends))('%s takes its instances with it at once', async (_, end) => {
    const { connect, listed, gone } = await start();
    const client = await connect();
    await client.register('orders', 80);
    await client.ask('BatchInstanceRequest', batch('payments', 81, 82));
    end(client);
    await Promise.all([gone('orders'), gone('payments')]);
    expect([await listed('orders'), await listed('payments')]).toEqual([[], []]);
  });

  it('ends its subscriptions', async () => {
    const { server, connect } = await start();
    const client = await connect();
    await client.subscribe('orders');
    const subscribers = async () =>
      (await answerOf(nacos(server, 'GET', '/service/subscribers', { serviceName: 'orders' }))).body as { count: number };
    expect(await subscribers()).toMatchObject({ count: 1 });
    client[Symbol.dispose]();
    await expect.poll(subscribers).toMatchObject({ count: 0 });
  });

  it('takes no instance that another connection has registered too', async () => {
    const { connect, listed, gone } = await start();
    const [old, fresh] = [await connect(), await connect()];
    await old.register('orders', 80);
    await old.register('payments', 81);
    await fresh.register('orders', 80);
    old[Symbol.dispose]();
    await gone('payments');
    expect(await listed('orders')).toEqual([80]);
  });

  it('when the server itself goes looks to nobody as if providers had died', async () => {
    const { server, connect } = await start();
    const client = await connect();
    await client.register('orders', 80);
    using watcher = HEALTH_CLIENTS['gRPC (grpc-js)'](server.listeners.health);
    const seen: string[] = [];
    const watching = (async () => {
      for await (const status of watcher.watch('orders', new AbortController().signal)) seen.push(status);
    })().catch(() => {});
    await expect.poll(() => seen).toEqual(['SERVING']);
    await server.close();
    await watching;
    expect(seen).toEqual(['SERVING']);
    expect(client.heard.map(({ type }) => type)).toContain('ConnectResetRequest');
  });
});

describe('a subscription', () => {
  it('is answered with the list, and pushed the same, though the service is not there', async () => {
    const { connect } = await start({ restartGraceMs: 0 });
    const client = await connect();
    const { type, body } = await client.subscribe('missing');
    expect(type).toBe('SubscribeServiceResponse');
    expect(body).toEqual({
      ...OK,
      message: 'success',
      serviceInfo: {
        name: 'missing',
        groupName: 'DEFAULT_GROUP',
        clusters: '',
        cacheMillis: 10_000,
        hosts: [],
        lastRefTime: expect.any(Number),
        checksum: '',
        allIPs: false,
        allIps: false,
        reachProtectionThreshold: false,
        valid: true,
      },
    });
    const { body: push } = await client.said(({ type }) => type === 'NotifySubscriberRequest');
    expect(push).toEqual({ headers: {}, requestId: expect.any(String), module: 'naming', serviceInfo: body.serviceInfo });
    await client.register('missing', 80);
    await client.pushed('missing', (ports) => ports.includes(80));
  });

  it('is told of every change, with a lastRefTime that never repeats', async () => {
    const { server, connect } = await start();
    const [client, provider] = [await connect(), await connect()];
    await client.subscribe('orders');
    await register(server, 'orders', { port: 80 });
    await client.pushed('orders', (ports) => ports.join() === '80');
    await provider.register('orders', 81);
    await client.pushed('orders', (ports) => ports.length === 2);
    await nacos(server, 'PATCH', '/instance', { serviceName: 'orders', ip: '10.0.0.1', port: 80, enabled: 'false' });
    await client.pushed('orders', (ports) => ports.join() === '81');
    provider[Symbol.dispose]();
    await client.pushed('orders', (ports) => ports.length === 0);
    const times = client.heard.filter(({ body }) => body.serviceInfo).map(({ body }) => body.serviceInfo.lastRefTime);
    expect(times).toEqual([...new Set(times)].sort((a, b) => a - b));
  });

  it('with clusters is one of its own, and answered in the words that it used', async () => {
    const { server, connect } = await start();
    const client = await connect();
    for (const clusters of ['', 'C1', 'C1, C2']) {
      const { body } = await client.subscribe('orders', clusters);
      expect(body.serviceInfo.clusters).toBe(clusters);
    }
    await register(server, 'orders', { port: 1, clusterName: 'C1' });
    await register(server, 'orders', { port: 2, clusterName: 'C2' });
    const seen = (clusters: string) => {
      const last = client.heard.findLast(({ body }) => body.serviceInfo?.clusters === clusters);
      return last?.body.serviceInfo.hosts.map(({ port }: { port: number }) => port).sort();
    };
    await expect.poll(() => [seen(''), seen('C1'), seen('C1, C2')]).toEqual([[1, 2], [1], [1, 2]]);
    await client.subscribe('orders', '', false);
    await register(server, 'orders', { port: 3, clusterName: 'C1' });
    await expect
      .poll(() => [seen('C1'), seen('C1, C2')])
      .toEqual([
        [1, 3],
        [1, 2, 3],
      ]);
    expect(seen('')).toEqual([1, 2]);
  });

  it('shows the unhealthy as unhealthy, and nobody who is disabled', async () => {
    const { server, connect } = await start();
    const client = await connect();
    await register(server, 'orders', { port: 1, healthy: 'false' });
    await register(server, 'orders', { port: 2, enabled: 'false' });
    const { body } = await client.subscribe('orders');
    expect(body.serviceInfo).toMatchObject({ reachProtectionThreshold: false, hosts: [{ port: 1, healthy: false }] });
  });

  it('is seen by a subscriber of 1.x and sees its instances in turn', async () => {
    const { server, connect, listed } = await start();
    const client = await connect();
    await client.subscribe('orders');
    await client.register('orders', 81);
    await register(server, 'orders', { port: 80 });
    await client.pushed('orders', (ports) => ports.length === 2);
    expect(await listed('orders')).toEqual([80, 81]);
    // The same place, once over each protocol: listed once, and there until both have gone.
    await register(server, 'orders', { port: 81 });
    expect(await listed('orders')).toEqual([80, 81]);
    client[Symbol.dispose]();
    expect(await listed('orders')).toEqual([80, 81]);
  });
});

describe('asking', () => {
  it('for a service lists it, the healthy only if that is asked for in either spelling', async () => {
    const { server, connect } = await start();
    const client = await connect();
    await register(server, 'orders', { port: 1, healthy: 'false' });
    await register(server, 'orders', { port: 2, clusterName: 'C2' });
    const ports = async (more: object) => {
      const { type, body } = await client.ask('ServiceQueryRequest', { ...named('orders'), ...more });
      expect(type).toBe('QueryServiceResponse');
      return body.serviceInfo.hosts.map(({ port }: { port: number }) => port).sort();
    };
    expect(await ports({})).toEqual([1, 2]);
    expect(await ports({ cluster: 'C2' })).toEqual([2]);
    expect(await ports({ healthyOnly: true })).toEqual([2]);
    expect(await ports({ healthOnly: true })).toEqual([2]);
    expect(await ports({ healthyOnly: null, cluster: null })).toEqual([1, 2]);
  });

  it('for a missing service finds an empty one, as Dubbo does to see whether its registry is there', async () => {
    const { connect } = await start();
    const client = await connect();
    const { body } = await client.ask('ServiceQueryRequest', named('Dubbo-Nacos-Test'));
    expect(body).toMatchObject({ ...OK, serviceInfo: { name: 'Dubbo-Nacos-Test', hosts: [] } });
  });

  it('for names gives a page of them and the count of all', async () => {
    const { server, connect } = await start();
    const client = await connect();
    for (const name of ['a', 'b', 'c']) await register(server, name);
    await register(server, 'G1@@other');
    const list = async (pageNo: number, pageSize: number, more: object = {}) => {
      const body = { namespace: '', serviceName: '', groupName: 'DEFAULT_GROUP', pageNo, pageSize, selector: '', ...more };
      return (await client.ask('ServiceListRequest', body)).body;
    };
    expect(await list(1, 10)).toEqual({ ...OK, count: 3, serviceNames: ['a', 'b', 'c'] });
    expect(await list(2, 2)).toMatchObject({ count: 3, serviceNames: ['c'] });
    expect(await list(0, 2_147_483_647)).toMatchObject({ count: 3, serviceNames: ['a', 'b', 'c'] });
    expect(await list(1, 2_147_483_647, { groupName: 'G1' })).toMatchObject({ count: 1, serviceNames: ['other'] });
    expect(await list(0, 0)).toMatchObject({ count: 3, serviceNames: [] });
  });
});

describe('a question that cannot be understood', () => {
  const bad: readonly [what: string, type: string, body: unknown, answer: string, errorCode: number][] = [
    ['no JSON', 'InstanceRequest', '{', 'ErrorResponse', 502],
    ['no object', 'InstanceRequest', 'null', 'ErrorResponse', 502],
    ['what is nested too deep', 'InstanceRequest', `{"x":${'['.repeat(5_000)}${']'.repeat(5_000)}}`, 'InstanceResponse', 400],
    ['no service', 'InstanceRequest', { type: 'registerInstance', instance: {} }, 'InstanceResponse', 400],
    ['no instance', 'InstanceRequest', { ...named('x'), type: 'registerInstance' }, 'InstanceResponse', 400],
    ['a null instance', 'InstanceRequest', { ...named('x'), type: 'registerInstance', instance: null }, 'InstanceResponse', 400],
    ['no ip', 'InstanceRequest', { ...named('x'), type: 'registerInstance', instance: { port: 1 } }, 'InstanceResponse', 400],
    ['another type', 'InstanceRequest', { ...named('x'), type: 'other', instance: { ip: 'a' } }, 'InstanceResponse', 400],
    [
      'a port out of range',
      'InstanceRequest',
      { ...named('x'), type: 'registerInstance', instance: { ip: '1.1.1.1', port: 65_536 } },
      'InstanceResponse',
      400,
    ],
    [
      'nested metadata',
      'BatchInstanceRequest',
      { ...batch('x'), instances: [{ ip: '1', metadata: { a: {} } }] },
      'BatchInstanceResponse',
      400,
    ],
    ['instances that are none', 'BatchInstanceRequest', { ...batch('x'), instances: [1] }, 'BatchInstanceResponse', 400],
    ['a name with blanks', 'SubscribeServiceRequest', { ...named('a b'), subscribe: true }, 'SubscribeServiceResponse', 400],
    ['a name without end', 'ServiceQueryRequest', named(`x${' '.repeat(2_000)}`), 'QueryServiceResponse', 400],
    [
      'clusters without end',
      'SubscribeServiceRequest',
      { ...named('x'), subscribe: true, clusters: 'C1,'.repeat(500) },
      'SubscribeServiceResponse',
      400,
    ],
    ['an object for a name', 'ServiceQueryRequest', { ...named('x'), serviceName: {} }, 'QueryServiceResponse', 400],
    ['a bad namespace', 'ServiceListRequest', { namespace: '../..' }, 'ServiceListResponse', 400],
    [
      'contexts that are none',
      'ConfigBatchListenRequest',
      { listen: true, configListenContexts: 'x' },
      'ConfigChangeBatchListenResponse',
      400,
    ],
  ];
  it.each(bad)('with %s is refused in the terms of its answer', async (_, type, body, answer, errorCode) => {
    const { connect, server } = await start();
    const client = await connect();
    const refused = await client.ask(type, body);
    expect(refused.type).toBe(answer);
    expect(refused.body).toMatchObject({ resultCode: 500, errorCode, success: false, message: expect.any(String) });
    if (/Subscribe|Query/.test(type)) expect(refused.body.serviceInfo).toMatchObject({ name: '', hosts: [], lastRefTime: 0 });
    if (type === 'ServiceListRequest') expect(refused.body).toMatchObject({ count: 0, serviceNames: [] });
    // It is the question that is bad, not the connection.
    expect((await client.ask('HealthCheckRequest', {})).type).toBe('HealthCheckResponse');
    expect((await answerOf(nacos(server, 'GET', '/operator/metrics', {}))).body).toMatchObject({ instanceCount: 0 });
  });

  it('as it is no protobuf fails alone', async () => {
    const { server, connect: connected, listed } = await start();
    const client = await connected();
    await client.register('orders', 80);
    const session = connect(`http://${server.listeners.grpc}`);
    open.push({ [Symbol.dispose]: () => session.destroy() });
    const status = await new Promise((resolve) => {
      const stream = session.request({
        ':method': 'POST',
        ':path': '/Request/request',
        'content-type': 'application/grpc',
        te: 'trailers',
      });
      stream.on('trailers', (trailers) => resolve(trailers['grpc-status']));
      stream.on('response', (headers) => headers['grpc-status'] && resolve(headers['grpc-status']));
      stream.resume();
      stream.end(Buffer.from([0, 0, 0, 0, 3, 0xff, 0xff, 0xff]));
    });
    expect(status).not.toBe('0');
    expect(await listed('orders')).toEqual([80]);
  });
});

it('no field of any answer is null, as Python could not read it', async () => {
  const { server, connect, stranger } = await start();
  const client = await connect({ abilityTable: {} });
  await register(server, 'orders', { metadata: '{"a":null}' });
  const said = [
    await stranger().ask('HealthCheckRequest', {}),
    await client.ask('ServerCheckRequest', {}),
    await client.ask('HealthCheckRequest', {}),
    await client.register('orders', 80, { metadata: { key: null } }),
    await client.ask('BatchInstanceRequest', batch('orders', 81)),
    await client.subscribe('orders'),
    await client.ask('ServiceQueryRequest', named('orders')),
    await client.ask('ServiceListRequest', {}),
    await client.ask('ConfigQueryRequest', { dataId: 'd', group: 'g' }),
    await client.ask('ConfigPublishRequest', { dataId: 'd', group: 'g', content: 'x', additionMap: { type: null } }),
    await client.ask('ConfigQueryRequest', { dataId: 'd', group: 'g' }),
    await client.ask('ConfigBatchListenRequest', {
      listen: true,
      configListenContexts: [{ dataId: 'd', group: 'g', tenant: null }],
    }),
    await client.ask('ConfigRemoveRequest', { dataId: 'd', group: 'g' }),
    await client.ask('InstanceRequest', {}),
  ];
  await client.said(({ type }) => type === 'ConfigChangeNotifyRequest');
  await client.pushed('orders', (ports) => ports.length > 0);
  expect(said.length + client.heard.length).toBeGreaterThan(16);
  for (const { body } of [...said, ...client.heard]) expect(JSON.stringify(body)).not.toContain('null');
});

it('is served on every port that serves Nacos, and not on the one for health', async () => {
  const { server } = await start();
  for (const address of [server.listeners.main, server.listeners.grpc]) {
    using client = await NacosGrpc.connect(address);
    expect(await client.register('orders', 80)).toMatchObject({ body: OK });
  }
  using elsewhere = new NacosGrpc(server.listeners.health);
  await expect(elsewhere.ask('ServerCheckRequest', {})).rejects.toThrow('UNIMPLEMENTED');
});

it('is served with TLS and without on the gRPC port, once there is a certificate', async () => {
  const { server, listed } = await start({ tls: { cert: TLS_CERT, key: TLS_KEY } });
  for (const [i, secure] of [true, false].entries()) {
    const client = await NacosGrpc.connect(
      server.listeners.grpc.replace('127.0.0.1', 'localhost'),
      {},
      secure ? TLS_CERT : undefined,
    );
    open.push(client);
    await client.register('orders', i);
  }
  expect(await listed('orders')).toEqual([0, 1]);
});

it('a thousand streams that never set up a connection harm nobody', async () => {
  const { connect: connected, server, listed } = await start();
  const client = await connected();
  const strangers = Array.from({ length: 20 }, () => connect(`http://${server.listeners.grpc}`));
  open.push(...strangers.map((session) => ({ [Symbol.dispose]: () => session.destroy() })));
  const headers = {
    ':method': 'POST',
    ':path': '/BiRequestStream/requestBiStream',
    'content-type': 'application/grpc',
    te: 'trailers',
  };
  for (const session of strangers)
    for (let i = 0; i < 50; i++) session.request(headers, { endStream: false }).on('error', () => {});
  // The answer to a ping comes after all that was sent before it has been read.
  await Promise.all(strangers.map((session) => new Promise((resolve) => session.ping(resolve))));
  await client.register('orders', 80);
  expect(await listed('orders')).toEqual([80]);
});
