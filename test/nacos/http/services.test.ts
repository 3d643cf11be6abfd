import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Server } from '../../../src/index.ts';
import { HEALTH_CLIENTS, type HealthClient } from '../../support/health-clients.ts';
import { answerOf, deregister, nacos, register, startServer } from '../../support/server.ts';

let server: Server;
let health: HealthClient;
let serial = 0;
/** A service name that no other test uses. */
const fresh = () => `service-${++serial}`;

beforeAll(async () => {
  // Whoever checks decides over health: where nobody does, an operator may.
  server = await startServer({ probes: true });
  health = HEALTH_CLIENTS['gRPC (connect-node)'](server.listeners.health);
});
afterAll(() => server.close(100));

const call = (method: string, path: string, params: Record<string, string | number> = {}) =>
  answerOf(nacos(server, method, path, params));
const ok = { status: 200, body: 'ok' };
const at = { ip: '10.0.0.1', port: 80 };

describe('an explicit service', () => {
  it('is created, read, changed and deleted', async () => {
    const serviceName = fresh();
    const created = { serviceName, protectThreshold: 0.5, metadata: '{"team":"shop"}', groupName: 'G1' };
    expect(await call('POST', '/service', created)).toEqual(ok);
    expect(await call('GET', '/service', { serviceName, groupName: 'G1' })).toEqual({
      status: 200,
      body: {
        name: serviceName,
        namespaceId: 'public',
        groupName: 'G1',
        protectThreshold: 0.5,
        metadata: { team: 'shop' },
        selector: { type: 'none' },
        clusters: [],
      },
    });
    // What is left out is cleared.
    expect(await call('PUT', '/service', { serviceName, groupName: 'G1', protectThreshold: 0 })).toEqual(ok);
    expect(await call('GET', '/service', { serviceName, groupName: 'G1' })).toMatchObject({
      body: { protectThreshold: 0, metadata: {} },
    });
    expect(await call('DELETE', '/service', { serviceName, groupName: 'G1' })).toEqual(ok);
    expect(await call('GET', '/service', { serviceName, groupName: 'G1' })).toEqual({
      status: 404,
      body: `service G1@@${serviceName} is not found!`,
    });
  });

  it('is NOT_SERVING without an instance, and NOT_FOUND once it is deleted', async () => {
    const serviceName = fresh();
    await call('POST', '/service', { serviceName });
    expect(await health.check(serviceName)).toBe('NOT_SERVING');
    await call('DELETE', '/service', { serviceName });
    await expect(health.check(serviceName)).rejects.toMatchObject({ code: 'not_found' });
  });

  it('cannot be created twice, nor over one that has instances', async () => {
    const serviceName = fresh();
    const exists = { status: 400, body: `specified service DEFAULT_GROUP@@${serviceName} already exists!` };
    await register(server, serviceName);
    expect(await call('POST', '/service', { serviceName })).toEqual(exists);
    await deregister(server, serviceName);
    expect(await call('POST', '/service', { serviceName })).toEqual(ok);
    expect(await call('POST', '/service', { serviceName })).toEqual(exists);
  });

  it('is not deleted while it has instances', async () => {
    const serviceName = fresh();
    await register(server, serviceName);
    expect(await call('DELETE', '/service', { serviceName })).toEqual({
      status: 400,
      body: `Service DEFAULT_GROUP@@${serviceName} is not empty, can't be delete. Please unregister instance first`,
    });
  });

  it.each([
    ['DELETE', {}, 400, (name: string) => `specified service not exist, serviceName : ${name}`],
    ['PUT', { protectThreshold: 0 }, 400, (name: string) => `service ${name} not found!`],
    ['GET', {}, 404, (name: string) => `service ${name} is not found!`],
  ])('that is not known is refused to %s', async (method, params, status, body) => {
    const serviceName = fresh();
    const answer = await call(method, '/service', { serviceName, ...params });
    expect(answer).toEqual({ status, body: body(`DEFAULT_GROUP@@${serviceName}`) });
  });

  it.each([
    [{ protectThreshold: 'x' }, 'For input string: "x"'],
    [{ selector: '{}' }, 'not match any type of selector! its type must be label or none, got {}'],
    [{ selector: '[]' }, 'selector must be a JSON object, got []'],
    [{ metadata: '[1]' }, 'metadata format incorrect:[1]'],
  ])('with %j is refused', async (params, body) => {
    expect(await call('POST', '/service', { serviceName: fresh(), ...params })).toEqual({ status: 400, body });
  });

  it.each([
    [-1, 0],
    [2, 1],
  ])('with a threshold of %s has one of %s, created or edited so, in every version', async (protectThreshold, stored) => {
    for (const path of ['/nacos/v1/ns/service', '/nacos/v2/ns/service']) {
      const serviceName = fresh();
      await call('POST', path, { serviceName, protectThreshold });
      expect(await call('GET', '/service', { serviceName })).toMatchObject({ body: { protectThreshold: stored } });
      await call('PUT', path, { serviceName, protectThreshold: 0.5 });
      await call('PUT', path, { serviceName, protectThreshold });
      expect(await call('GET', '/service', { serviceName })).toMatchObject({ body: { protectThreshold: stored } });
    }
  });

  it('shows the selector it was given, also one that was encoded twice', async () => {
    const serviceName = fresh();
    const selector = encodeURIComponent('{"type":"label","expression":"CONSUMER.label.A=PROVIDER.label.A"}');
    await call('POST', '/service', { serviceName, selector });
    expect(await call('GET', '/service', { serviceName })).toMatchObject({ body: { selector: { type: 'label' } } });
  });
});

describe('the protection threshold', () => {
  it('makes consumers see all as healthy where it is set and reached, and never changes what health says', async () => {
    const serviceName = fresh();
    await call('POST', '/service', { serviceName, protectThreshold: 0.5 });
    await register(server, serviceName, { port: 1, healthy: 'false' });
    await register(server, serviceName, { port: 2, healthy: 'false' });
    const protectedList = await call('GET', '/instance/list', { serviceName });
    expect(protectedList).toMatchObject({
      body: { reachProtectionThreshold: true, hosts: [{ healthy: true }, { healthy: true }] },
    });
    expect(await call('GET', '/instance', { serviceName, ip: '10.0.0.1', port: 1 })).toMatchObject({ body: { healthy: false } });
    expect(await health.check(serviceName)).toBe('NOT_SERVING');
    await register(server, serviceName, { port: 3 });
    await register(server, serviceName, { port: 4 });
    await register(server, serviceName, { port: 5 });
    expect(await call('GET', '/instance/list', { serviceName, healthyOnly: 'true' })).toMatchObject({
      body: { reachProtectionThreshold: false, hosts: [{ port: 3 }, { port: 4 }, { port: 5 }] },
    });
  });

  it('of 0, the default, protects nobody', async () => {
    const serviceName = fresh();
    await register(server, serviceName, { healthy: 'false' });
    expect(await call('GET', '/instance/list', { serviceName })).toMatchObject({
      body: { reachProtectionThreshold: false, hosts: [{ healthy: false, valid: false }] },
    });
  });
});

describe('what the metadata of a service say of its health', () => {
  const V1 = '/nacos/v1/ns/service';
  const V2 = '/nacos/v2/ns/service';
  const V3 = '/nacos/v3/admin/ns/service';
  const FALL_AFTER = 'health.fall-after must be 500ms, 5s, 2m or 1h, up to 24h, got "soon"';

  it.each([
    ['POST', V1],
    ['PUT', V1],
    ['POST', V2],
    ['PUT', V2],
    ['POST', V3],
    ['PUT', V3],
  ])('is refused by %s %s where it cannot be read, and nothing changes', async (method, path) => {
    const serviceName = fresh();
    const before = JSON.stringify({ 'health.min-available': '50%', 'health.rise-beats': '3' });
    if (method === 'PUT') await call('POST', V1, { serviceName, metadata: before });
    const params = { serviceName, protectThreshold: 0, metadata: '{"health.fall-after":"soon"}' };
    const { status, body } = await call(method, path, params);
    expect(status).toBe(400);
    if (path === V1) expect(body).toBe(FALL_AFTER);
    else expect(body).toEqual({ code: 20002, message: 'parameter validate error', data: FALL_AFTER });
    const seen = await call('GET', V1, { serviceName });
    if (method === 'PUT') expect(seen).toMatchObject({ status: 200, body: { metadata: JSON.parse(before) } });
    else expect(seen.status).toBe(404);
  });
});

describe('the list of services', () => {
  it('is sorted, by page and by group, and knows how many there are', async () => {
    const namespaceId = fresh();
    for (const serviceName of ['c', 'a', 'b', 'G1@@z']) await register(server, serviceName, { namespaceId });
    const list = (params: Record<string, string | number>) => call('GET', '/service/list', { namespaceId, ...params });
    expect(await list({ pageNo: 1, pageSize: 2 })).toEqual({ status: 200, body: { doms: ['a', 'b'], count: 3 } });
    expect(await list({ pageNo: 2, pageSize: 2 })).toMatchObject({ body: { doms: ['c'], count: 3 } });
    expect(await list({ pageNo: 3, pageSize: 2 })).toMatchObject({ body: { doms: [], count: 3 } });
    expect(await list({ pageNo: 0, pageSize: 2147483647 })).toMatchObject({ body: { doms: ['a', 'b', 'c'] } });
    expect(await list({ pageNo: 1, pageSize: 9, groupName: 'G1' })).toMatchObject({ body: { doms: ['z'], count: 1 } });
    expect(await list({ pageNo: 1, pageSize: 9, groupName: '*' })).toMatchObject({
      body: { doms: ['DEFAULT_GROUP@@a', 'DEFAULT_GROUP@@b', 'DEFAULT_GROUP@@c', 'G1@@z'], count: 4 },
    });
    expect(await list({ pageNo: 1 })).toEqual({ status: 400, body: "Param 'pageSize' is required." });
    expect(await list({ pageNo: 'x', pageSize: 1 })).toEqual({ status: 400, body: 'For input string: "x"' });
  });

  it('by namespace names what matches in part', async () => {
    const namespaceId = fresh();
    for (const serviceName of ['orders', 'payments']) await register(server, serviceName, { namespaceId });
    expect(await call('GET', '/service/names', { namespaceId, expr: 'pay' })).toEqual({
      status: 200,
      body: { services: { [namespaceId]: ['payments'] }, count: 1 },
    });
    expect(await call('GET', '/service/names')).toMatchObject({ body: { services: { [namespaceId]: ['orders', 'payments'] } } });
  });
});

describe('a cluster', () => {
  const settings = { clusterName: 'C1', checkPort: 8081, useInstancePort4Check: 'false', healthChecker: '{"type":"NONE"}' };

  it('whose checker is NONE has the health it is told, which Check and lists follow', async () => {
    const serviceName = fresh();
    await register(server, serviceName, { clusterName: 'C1', ephemeral: 'false' });
    const told = { serviceName, ...at, clusterName: 'C1', healthy: 'false' };
    expect(await call('PUT', '/health', told)).toEqual({
      status: 400,
      body: `health check is still working, service: DEFAULT_GROUP@@${serviceName}, cluster: C1`,
    });
    expect(await call('PUT', '/cluster', { serviceName, ...settings })).toEqual(ok);
    expect(await call('PUT', '/health', told)).toEqual(ok);
    expect(await health.check(serviceName)).toBe('NOT_SERVING');
    expect(await call('PUT', '/health/instance', { ...told, healthy: '', valid: 'true' })).toEqual(ok);
    expect(await health.check(serviceName)).toBe('SERVING');
    expect(await call('PUT', '/health', { ...told, healthy: '' })).toEqual({
      status: 400,
      body: "Param 'healthy' is required.",
    });
  });

  it.each([
    ['{"type":"TCP"}', { type: 'TCP' }],
    ['{"type":"HTTP","path":"/up","headers":"a:b"}', { type: 'HTTP', path: '/up', headers: 'a:b', expectedResponseCode: 200 }],
    ['{"type":"MYSQL","user":"u","pwd":"secret","cmd":"select 1"}', { type: 'MYSQL', user: 'u', pwd: null, cmd: 'select 1' }],
    [
      '{"type":"HTTPS","verify":false}',
      { type: 'HTTP', path: '', headers: '', expectedResponseCode: 200, tls: true, verify: false },
    ],
    ['{"type":"GRPC","service":"shop.Orders"}', { type: 'GRPC', service: 'shop.Orders' }],
  ])('keeps the checker %s, and shows no password', async (healthChecker, shown) => {
    const serviceName = fresh();
    await call('POST', '/service', { serviceName });
    expect(await call('PUT', '/cluster', { serviceName, ...settings, healthChecker, metadata: '{"a":"b"}' })).toEqual(ok);
    expect(await call('GET', '/service', { serviceName })).toMatchObject({
      body: { clusters: [{ name: 'C1', healthChecker: shown, metadata: { a: 'b' } }] },
    });
    expect(await call('GET', '/catalog/service', { serviceName })).toMatchObject({
      body: {
        clusters: [
          {
            serviceName: `DEFAULT_GROUP@@${serviceName}`,
            name: 'C1',
            healthChecker: shown,
            defaultCheckPort: 8081,
            useIPPort4Check: false,
            empty: true,
          },
        ],
      },
    });
  });

  it.each([
    [{ healthChecker: 'x' }, 'healthChecker must be a JSON object, got x'],
    [{ healthChecker: '{"type":"OTHER"}' }, 'the type of healthChecker must be TCP, HTTP, HTTPS, MYSQL, GRPC, NONE, got "OTHER"'],
    [{ healthChecker: '{"type":"TCP"}', checkPort: 0 }, 'checkPort must be 1..65535 where useInstancePort4Check is false, got 0'],
    [{ checkPort: 'x' }, 'checkPort must be 0..65535, got x'],
    [{ clusterName: '' }, "Param 'clusterName' is required."],
    [{ clusterName: 'bad name' }, "Param 'cluster' is illegal, illegal characters should not appear in the param."],
    [{ clusterName: 'x'.repeat(3_000) }, "Param 'cluster' is illegal, the param length should not exceed 64."],
  ])('with %j is refused', async (params, body) => {
    const serviceName = fresh();
    await call('POST', '/service', { serviceName });
    expect(await call('PUT', '/cluster', { serviceName, ...settings, ...params })).toEqual({ status: 400, body });
  });

  it.each([
    ['POST', '/nacos/v1/ns/instance', { clusterName: 'bad name' }],
    ['POST', '/nacos/v2/ns/instance', { clusterName: 'bad name' }],
    ['POST', '/nacos/v3/client/ns/instance', { clusterName: 'bad name' }],
    ['PUT', '/nacos/v1/ns/instance', { cluster: 'bad name' }],
    ['PATCH', '/nacos/v1/ns/instance', { clusterName: 'bad name' }],
    ['DELETE', '/nacos/v1/ns/instance', { clusterName: 'bad name' }],
    ['GET', '/nacos/v1/ns/instance', { clusterName: 'bad name' }],
    ['PUT', '/nacos/v1/ns/instance/beat', { clusterName: 'bad name' }],
    ['PUT', '/nacos/v1/ns/instance/beat', { beat: '{"ip":"10.0.0.1","port":80,"cluster":"bad name"}' }],
    ['PUT', '/nacos/v1/ns/health', { clusterName: 'bad name', healthy: 'true' }],
    ['GET', '/nacos/v1/ns/instance/list', { clusters: 'DEFAULT,bad name' }],
    ['GET', '/nacos/v2/ns/instance/list', { clusterName: 'bad name' }],
    ['GET', '/nacos/v3/client/ns/instance/list', { clusterName: 'bad name' }],
    ['GET', '/nacos/v1/ns/catalog/instances', { clusterName: 'bad name', pageNo: 1, pageSize: 1 }],
    ['GET', '/nacos/v2/ns/catalog/instances', { clusterName: 'bad name' }],
    [
      'PUT',
      '/nacos/v1/ns/instance/metadata/batch',
      { metadata: 'a=b', instances: '[{"ip":"10.0.0.1","port":80,"clusterName":"bad name"}]' },
    ],
  ])('of a bad name is refused by %s %s with %j', async (method, path, params) => {
    const serviceName = fresh();
    await register(server, serviceName);
    const { status, body } = await call(method, path, { serviceName, ...at, ...params });
    expect(status).toBe(400);
    expect(JSON.stringify(body)).toContain("Param 'cluster' is illegal, illegal characters should not appear in the param.");
  });

  it('of an unknown service is refused', async () => {
    const serviceName = fresh();
    expect(await call('PUT', '/cluster', { serviceName, ...settings })).toEqual({
      status: 400,
      body: `service not found:DEFAULT_GROUP@@${serviceName}`,
    });
  });
});

describe('the catalog', () => {
  it('lists services as the console reads them', async () => {
    const namespaceId = fresh();
    await register(server, 'orders', { namespaceId, port: 1 });
    await register(server, 'orders', { namespaceId, port: 2, clusterName: 'C2', healthy: 'false' });
    await register(server, 'payments', { namespaceId, ip: '10.0.0.2', healthy: 'false' });
    await call('POST', '/service', { serviceName: 'empty', namespaceId });
    const list = (params: Record<string, string | number> = {}) =>
      call('GET', '/catalog/services', { namespaceId, pageNo: 1, pageSize: 10, ...params });
    const row = { groupName: 'DEFAULT_GROUP', triggerFlag: 'false' };
    const ordersRow = { ...row, name: 'orders', clusterCount: 2, ipCount: 2, healthyInstanceCount: 1 };
    expect(await list()).toEqual({
      status: 200,
      body: {
        serviceList: [
          { ...row, name: 'empty', clusterCount: 0, ipCount: 0, healthyInstanceCount: 0 },
          ordersRow,
          { ...row, name: 'payments', clusterCount: 1, ipCount: 1, healthyInstanceCount: 0, triggerFlag: 'true' },
        ],
        count: 3,
      },
    });
    expect(await list({ serviceNameParam: 'ord' })).toMatchObject({ body: { serviceList: [ordersRow], count: 1 } });
    expect(await list({ hasIpCount: 'true' })).toMatchObject({ body: { count: 2 } });
    expect(await list({ instance: '10.0.0.2' })).toMatchObject({ body: { serviceList: [{ name: 'payments' }], count: 1 } });
    expect(await list({ instance: '10.0.0.1:1' })).toMatchObject({ body: { serviceList: [ordersRow], count: 1 } });
    expect(await list({ pageNo: 2, pageSize: 2 })).toMatchObject({ body: { serviceList: [{ name: 'payments' }], count: 3 } });
    expect(await list({ groupNameParam: 'nothing' })).toEqual({ status: 200, body: { serviceList: [], count: 0 } });
    expect(await list({ withInstances: 'true', serviceNameParam: 'payments' })).toEqual({
      status: 200,
      body: [
        {
          serviceName: 'payments',
          groupName: 'DEFAULT_GROUP',
          clusterMap: {
            DEFAULT: { hosts: [{ valid: false, metadata: {}, port: 80, ip: '10.0.0.2', weight: 1, enabled: true }] },
          },
          metadata: {},
        },
      ],
    });
  });

  it('lists the instances of a service, disabled ones too', async () => {
    const serviceName = fresh();
    await register(server, serviceName, { enabled: 'false' });
    await register(server, serviceName, { port: 81, clusterName: 'C2' });
    const page = { serviceName, pageNo: 1, pageSize: 10 };
    expect(await call('GET', '/catalog/instances', page)).toMatchObject({
      body: {
        list: [
          { port: 80, enabled: false },
          { port: 81, clusterName: 'C2' },
        ],
        count: 2,
      },
    });
    expect(await call('GET', '/catalog/instances', { ...page, clusterName: 'C2' })).toMatchObject({
      body: { list: [{ port: 81 }], count: 1 },
    });
    expect(await call('GET', '/catalog/instances', { ...page, clusterName: 'C3' })).toEqual({
      status: 404,
      body: 'cluster C3 is not found!',
    });
    expect(await call('GET', '/catalog/rt/service', { serviceName })).toMatchObject({
      body: { clusters: [{ name: 'C2' }, { name: 'DEFAULT' }] },
    });
  });
});

describe('a batch of metadata', () => {
  it('is merged into and taken from the instances it names, and outlives registering again', async () => {
    const serviceName = fresh();
    await register(server, serviceName, { port: 1, metadata: '{"a":"1"}' });
    await register(server, serviceName, { port: 2 });
    const instances = JSON.stringify([
      { ip: '10.0.0.1', port: 1, ephemeral: true, clusterName: 'DEFAULT' },
      { ip: '10.0.0.1', port: '9' },
    ]);
    expect(await call('PUT', '/instance/metadata/batch', { serviceName, instances, metadata: '{"b":"2"}' })).toEqual({
      status: 200,
      body: { updated: ['10.0.0.1:1:unknown:DEFAULT:ephemeral'] },
    });
    await register(server, serviceName, { port: 1, metadata: '{"a":"1"}' });
    expect(await call('GET', '/instance', { serviceName, ...at, port: 1 })).toMatchObject({
      body: { metadata: { a: '1', b: '2' } },
    });
    const all = { serviceName, consistencyType: 'ephemeral', metadata: '{"a":""}' };
    expect(await call('DELETE', '/instance/metadata/batch', all)).toMatchObject({
      body: { updated: ['10.0.0.1:1:unknown:DEFAULT:ephemeral', '10.0.0.1:2:unknown:DEFAULT:ephemeral'] },
    });
    expect(await call('GET', '/instance', { serviceName, ...at, port: 1 })).toMatchObject({ body: { metadata: { b: '2' } } });
    expect(await call('PUT', '/instance/metadata/batch', { ...all, consistencyType: 'persist' })).toEqual({
      status: 200,
      body: { updated: [] },
    });
  });

  it.each([
    [{}, "Param 'metadata' is required."],
    [{ metadata: 'a=b', instances: '{}' }, 'instances must be a JSON array of objects, got {}'],
  ])('with %j is refused', async (params, body) => {
    expect(await call('PUT', '/instance/metadata/batch', { serviceName: fresh(), ...params })).toEqual({ status: 400, body });
  });
});

describe('statuses, checksums and the calls of old clients', () => {
  it('are answered', async () => {
    const serviceName = fresh();
    await register(server, serviceName);
    await register(server, serviceName, { port: 81, healthy: 'false' });
    const ips = ['10.0.0.1:80_true', '10.0.0.1:81_false'];
    expect(await call('GET', '/instance/statuses', { key: `DEFAULT_GROUP@@${serviceName}` })).toEqual({
      status: 200,
      body: { ips },
    });
    expect(await call('POST', '/instance/statuses', { key: `public##DEFAULT_GROUP@@${serviceName}` })).toMatchObject({
      body: { ips },
    });
    expect(await call('GET', '/instance/statuses', { key: 'nobody' })).toEqual({
      status: 404,
      body: 'service: nobody not found.',
    });

    const checksum = async () => (await call('PUT', '/service/checksum', { serviceName })).body;
    const before = await checksum();
    expect(before).toEqual({ checksum: expect.stringMatching(/^[0-9a-f]{32}$/) });
    expect(await checksum()).toEqual(before);
    await register(server, serviceName, { port: 82 });
    expect(await checksum()).not.toEqual(before);

    expect(await call('GET', '/api/srvIPXT', { dom: serviceName })).toMatchObject({ body: { hosts: [{}, {}, {}] } });
    expect(await call('GET', '/api/clientBeat', { dom: serviceName, ...at })).toMatchObject({ body: { code: 10200 } });
    expect(await call('GET', '/api/allDomNames')).toMatchObject({
      body: { doms: { public: expect.arrayContaining([serviceName]) } },
    });
  });
});

it('settings of clusters are bounded in number and in all, by what would result', async () => {
  await using strict = await startServer({ maxClusters: 3, maxClusterMetadataLength: 20 });
  const ask = (method: string, path: string, params: Record<string, string>) => answerOf(nacos(strict, method, path, params));
  await ask('POST', '/service', { serviceName: 'orders' });
  const put = (clusterName: string, metadata = '') => {
    const checked = { checkPort: '80', useInstancePort4Check: 'true', healthChecker: '{"type":"TCP"}' };
    return ask('PUT', '/cluster', { serviceName: 'orders', clusterName, ...checked, ...(metadata && { metadata }) });
  };
  for (const name of ['C1', 'C2', 'C3']) expect(await put(name)).toEqual(ok);
  expect(await put('C4')).toEqual({
    status: 429,
    body: 'a service must not have settings of more than 3 clusters (--max-clusters)',
  });
  expect(await put('C1', `{"a":"${'x'.repeat(12)}"}`)).toEqual(ok);
  expect(await put('C2', `{"a":"${'x'.repeat(8)}"}`)).toMatchObject({ status: 400 });
  expect(await put('C1', '{"a":"x"}')).toEqual(ok);
  expect(await put('C2', `{"a":"${'x'.repeat(8)}"}`)).toEqual(ok);
});
