import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Server } from '../../../src/index.ts';
import { answerOf, nacos, startServer } from '../../support/server.ts';

let server: Server;

beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.close(100));

type Form = Record<string, string | number>;
const CORE = '/v3/admin/core';
const call = (method: string, path: string, params: Form = {}, init?: RequestInit) =>
  answerOf(nacos(server, method, `/nacos${path}`, params, init));
const success = (data: unknown) => ({ status: 200, body: { code: 0, message: 'success', data } });
const old = (data: unknown) => ({ status: 200, body: { code: 200, message: null, data } });
const failure = (status: number, code: number, message: string, data: unknown) => ({ status, body: { code, message, data } });
const json = (body: unknown) => ({ body: JSON.stringify(body), headers: { 'content-type': 'application/json;charset=UTF-8' } });

describe('the state of 3.x', () => {
  it('is a map of texts and null', async () => {
    const { status, body } = await call('GET', `${CORE}/state`);
    const { data } = body as { data: Record<string, unknown> };
    expect(status).toBe(200);
    expect(Object.keys(data)).toHaveLength(24);
    expect(Object.values(data).filter((value) => typeof value !== 'string' && value !== null)).toEqual([]);
    const port = server.listeners.main.split(':')[1];
    expect(data).toMatchObject({ startup_mode: 'standalone', function_mode: null, server_port: port, auth_enabled: 'false' });
    const before = await call('GET', '/v1/console/server/state');
    expect(before.body).toMatchObject({ ...data, version: '2.5.1', standalone_mode: 'standalone' });
  });

  it('is ready until an operator says that it is down', async () => {
    for (const path of ['/state/liveness', '/state/readiness', '/ops/readiness'])
      expect(await call('GET', CORE + path)).toEqual(success('ok'));
    const entry = { entry: 'overriddenServerStatus', value: 'DOWN' };
    expect(await call('PUT', '/v3/admin/ns/ops/switches', entry)).toEqual(success('ok'));
    for (const path of ['/state/readiness', '/ops/readiness'])
      expect(await call('GET', CORE + path)).toEqual(failure(500, 30000, 'server error', 'naming is not in readiness'));
    await call('PUT', '/v3/admin/ns/ops/switches', { ...entry, value: 'null' });
    expect(await call('GET', `${CORE}/state/readiness`)).toEqual(success('ok'));
  });

  it('has metrics, in short unless asked', async () => {
    const path = '/v3/admin/ns/ops/metrics';
    expect(await call('GET', path)).toEqual(success({ status: 'UP' }));
    for (const [port, ephemeral] of [
      [80, 'true'],
      [81, 'true'],
      [82, 'false'],
    ] as const)
      await call('POST', '/v3/admin/ns/instance', { serviceName: 'counted', ip: '10.0.0.1', port, ephemeral });
    expect(await call('GET', path, { onlyStatus: 'false' })).toEqual(
      success({
        status: 'UP',
        serviceCount: 1,
        instanceCount: 3,
        subscribeCount: 0,
        clientCount: 3,
        connectionBasedClientCount: 0,
        ephemeralIpPortClientCount: 2,
        persistentIpPortClientCount: 1,
        responsibleClientCount: 3,
      }),
    );
  });

  it('has switches by the names of 3.x', async () => {
    const { body } = await call('GET', '/v3/admin/ns/ops/switches');
    const { data } = body as { data: Record<string, unknown> };
    expect(data).toMatchObject({ pushVersionOfGo: '0.1.0', pushVersionOfCsharp: '0.9.0', healthCheckEnabled: true });
    expect(data).not.toHaveProperty('pushGoVersion');
    const earlier = (await call('GET', '/v1/ns/operator/switches')).body as object;
    expect(Object.keys(data)).toHaveLength(Object.keys(earlier).length);
  });

  it('takes log levels as a form where Nacos does, and as JSON or a form in the core', async () => {
    const level = { logName: 'naming-main', logLevel: 'INFO' };
    expect(await call('PUT', '/v3/admin/ns/ops/log', level)).toEqual(success('ok'));
    const missing = "Required request parameter 'logName' for method parameter type String is not present";
    expect(await call('PUT', '/v3/admin/ns/ops/log')).toEqual(failure(400, 10000, 'parameter missing', missing));
    expect(await call('PUT', `${CORE}/ops/log`, {}, json(level))).toEqual(success(null));
    expect(await call('PUT', `${CORE}/ops/log`, level)).toEqual(success(null));
    expect(await call('PUT', `${CORE}/ops/log`, {}, json({}))).toMatchObject({ status: 400, body: { code: 10000 } });
    expect(await call('POST', `${CORE}/ops/raft`, {}, json({ command: 'doSnapshot' }))).toEqual(success(null));
    expect(await call('POST', `${CORE}/ops/raft`)).toMatchObject({ status: 400, body: { code: 10000 } });
  });
});

describe('namespaces of 3.x', () => {
  const path = `${CORE}/namespace`;
  const always = {
    namespace: 'public',
    namespaceShowName: 'public',
    namespaceDesc: 'Public Namespace',
    quota: 200,
    configCount: 0,
    type: 0,
  };

  it('are made, read, checked by number, renamed and deleted', async () => {
    expect(await call('POST', path, { namespaceId: 'n1', namespaceName: 'N1', namespaceDesc: 'D1' })).toEqual(success(true));
    const made = { namespace: 'n1', namespaceShowName: 'N1', namespaceDesc: 'D1', quota: 200, configCount: 0, type: 1 };
    expect(await call('GET', `${path}/list`)).toEqual(success([always, made]));
    expect(await call('GET', path, { namespaceId: 'n1' })).toEqual(success(made));
    expect(await call('GET', path, { namespaceId: 'public' })).toEqual(success(always));
    for (const [namespaceId, count] of [
      ['n1', 1],
      ['n2', 0],
      ['public', 0],
    ] as const)
      expect(await call('GET', `${path}/check`, { namespaceId })).toEqual(success(count));
    expect(await call('PUT', path, { namespaceId: 'n1', namespaceName: 'N2' })).toEqual(success(true));
    expect(await call('GET', path, { namespaceId: 'n1' })).toMatchObject({ body: { data: { namespaceShowName: 'N2' } } });
    for (const namespaceId of ['n1', 'n1', 'public']) expect(await call('DELETE', path, { namespaceId })).toEqual(success(true));
    expect(await call('GET', `${path}/list`)).toEqual(success([always]));
  });

  const bad = (text: string) => failure(400, 22000, 'illegal namespace', text);
  const exists = (text: string) => failure(400, 22002, 'namespace already exist', text);
  const missing = (name: string) => failure(400, 10000, 'parameter missing', `required parameter '${name}' is missing`);
  it.each([
    ['POST', { namespaceName: 'x', customNamespaceId: 'c' }, missing('namespaceId')],
    ['POST', { namespaceId: 'x' }, missing('namespaceName')],
    ['PUT', { namespaceId: 'there' }, missing('namespaceName')],
    ['POST', { namespaceId: 'there', namespaceName: 'x' }, exists('namespaceId [there] already exist.')],
    [
      'POST',
      { namespaceId: 'public', namespaceName: 'x' },
      exists('namespaceId [public] is default namespace id and already exist.'),
    ],
    ['POST', { namespaceId: 'a b', namespaceName: 'x' }, bad('namespaceId [a b] mismatch the pattern')],
    ['POST', { namespaceId: 'x'.repeat(129), namespaceName: 'x' }, bad('too long namespaceId, over 128')],
    ['POST', { namespaceId: 'x', namespaceName: 'X@' }, bad('namespaceName [X@] contains illegal char')],
    [
      'PUT',
      { namespaceId: 'nope', namespaceName: 'x' },
      failure(404, 22001, 'namespace not exist', 'namespaceId [ nope ] not exist'),
    ],
    ['GET', { namespaceId: 'nope' }, failure(404, 22001, 'namespace not exist', 'namespaceId [ nope ] not exist')],
    [
      'GET',
      {},
      failure(
        400,
        10000,
        'parameter missing',
        "Required request parameter 'namespaceId' for method parameter type String is not present",
      ),
    ],
  ])('refuse %s with %j in the words of 3.x', async (method, params, answer) => {
    await call('POST', path, { namespaceId: 'there', namespaceName: 'There' });
    expect(await call(method, path, params)).toEqual(answer);
  });
});

describe('the cluster', () => {
  const self = () =>
    expect.objectContaining({
      ip: '127.0.0.1',
      port: Number(server.listeners.main.split(':')[1]),
      address: server.listeners.main,
      state: 'UP',
      failAccessCnt: 0,
      extendInfo: expect.objectContaining({ raftPort: expect.any(String), lastRefreshTime: expect.any(Number) }),
    });

  it('has one member, this server, as 1.x, 2.x and 3.x are told', async () => {
    const one = self();
    expect(await call('GET', '/v1/core/cluster/nodes')).toEqual(old([one]));
    expect(await call('GET', '/v1/core/cluster/nodes', { keyword: '10.0.0' })).toEqual(old([]));
    expect(await call('GET', '/v1/core/cluster/simple/nodes')).toEqual(old([server.listeners.main]));
    expect(await call('GET', '/v1/core/cluster/self')).toEqual(old(one));
    expect(await call('GET', '/v1/core/cluster/health')).toEqual(old('UP'));
    expect(await call('GET', '/v2/core/cluster/node/self/health')).toEqual(success('UP'));
    for (const base of ['/v2/core/cluster/node', `${CORE}/cluster/node`]) {
      expect(await call('GET', `${base}/self`)).toEqual(success(one));
      expect(await call('GET', `${base}/list`, { address: '127.', state: 'up' })).toEqual(success([one]));
      expect(await call('GET', `${base}/list`, { state: 'SUSPICIOUS' })).toEqual(success([]));
      expect(await call('GET', `${base}/list`, { address: '10.' })).toEqual(success([]));
      expect(await call('GET', `${base}/list`, { state: 'bogus' })).toEqual(
        failure(400, 23000, 'illegal state', 'Illegal state: bogus'),
      );
    }
    expect(await call('GET', `${CORE}/cluster/node/self/health`)).toMatchObject({ status: 404 });
  });

  it('cannot be changed, and says so as Nacos does', async () => {
    const missing = (name: string) => failure(400, 10000, 'parameter missing', `required parameter '${name}' is missing`);
    for (const path of ['/v2/core/cluster/lookup', `${CORE}/cluster/lookup`]) {
      expect(await call('PUT', path, { type: 'file' })).toEqual(success(true));
      expect(await call('PUT', path)).toEqual(missing('type'));
    }
    const nodes = `${CORE}/cluster/node/list`;
    expect(await call('PUT', nodes, {}, json([]))).toEqual(missing('nodes'));
    expect(await call('PUT', nodes, {}, json([{ ip: '10.0.0.1', port: 8848 }]))).toEqual(success(true));
    expect(await call('PUT', nodes, {}, json({}))).toMatchObject({ status: 400, body: { code: 20002 } });
    const illegal = { code: 400, message: 'Node information is illegal', data: null };
    expect(await call('POST', '/v1/core/cluster/report', {}, json({ ip: '' }))).toEqual({ status: 200, body: illegal });
    expect(await call('DELETE', '/v2/core/cluster/nodes')).toMatchObject({ status: 200, body: { code: 405, data: null } });
  });

  it('has no connections yet, and nobody to share them with', async () => {
    expect(await call('GET', '/v2/core/loader/current')).toEqual({ status: 200, body: {} });
    expect(await call('GET', `${CORE}/loader/current`)).toEqual(success({}));
    const counts = { memberCount: 1, metricsCount: 1, completed: true, max: 0, min: 0, avg: 0, total: 0 };
    const [address, load] = [server.listeners.main, expect.stringMatching(/^\d+\.\d\d$/)];
    expect(await call('GET', `${CORE}/loader/cluster`)).toEqual(
      success({ ...counts, threshold: '0.0', detail: [{ address, sdkConCount: 0, conCount: 0, load, cpu: '0.0' }] }),
    );
    const metric = { sdkConCount: '0', conCount: '0', load, cpu: '0.0' };
    expect(await call('GET', '/v2/core/loader/cluster')).toEqual({
      status: 200,
      body: { ...counts, threshold: 0, detail: [{ address, metric }] },
    });
    const [one, all] = [{ connectionId: 'nobody' }, { count: 0 }];
    expect(await call('POST', `${CORE}/loader/reloadClient`, one)).toEqual(success(null));
    expect(await call('POST', `${CORE}/loader/reloadCurrent`, all)).toEqual(success(null));
    expect(await call('POST', `${CORE}/loader/smartReloadCluster`)).toEqual(success(null));
    expect(await call('GET', '/v2/core/loader/reloadClient', one)).toEqual({ status: 200, body: 'success' });
    expect(await call('GET', '/v2/core/loader/reloadCurrent', all)).toEqual({ status: 200, body: 'success' });
    expect(await call('GET', '/v2/core/loader/smartReloadCluster')).toEqual({ status: 200, body: 'Ok' });
    const words = "Required request parameter 'count' for method parameter type Integer is not present";
    expect(await call('POST', `${CORE}/loader/reloadCurrent`)).toEqual(failure(400, 10000, 'parameter missing', words));
  });

  it('makes no ids', async () => {
    expect(await call('GET', `${CORE}/ops/ids`)).toEqual(success([]));
    expect(await call('GET', '/v2/core/ops/ids')).toEqual(old([]));
    expect(await call('GET', '/v1/core/ops/idInfo')).toEqual(old({}));
  });
});

describe('a call that is not served', () => {
  it.each([
    ['GET', '/v3/none', 404, 'Not Found', 'No endpoint GET /nacos/v3/none.'],
    ['PATCH', '/v3/admin/ns/instance', 405, 'Method Not Allowed', "Method 'PATCH' is not supported."],
    ['GET', '/v3/client/ns/instance', 405, 'Method Not Allowed', "Method 'GET' is not supported."],
    ['GET', '/v1/core/loader/current', 404, 'Not Found', 'No endpoint GET /nacos/v1/core/loader/current.'],
    ['GET', '/v1/ns/raft/peer', 501, 'Not Implemented', 'no such api:GET:/nacos/v1/ns/raft/peer'],
    ['POST', '/v1/ns/instance/list', 501, 'Not Implemented', 'no such api:POST:/nacos/v1/ns/instance/list'],
  ])("%s %s is %d, as Nacos has 501 below its first version's naming alone", async (method, path, status, error, message) => {
    expect(await call(method, path)).toEqual({
      status,
      body: { timestamp: expect.any(String), status, error, message, path: `/nacos${path}` },
    });
  });
});
