import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Server } from '../../../src/index.ts';
import { answerOf, nacos, startServer } from '../../support/server.ts';

let server: Server;

beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.close(100));

const call = (method: string, path: string, params: Record<string, string | number> = {}, init?: RequestInit) =>
  answerOf(nacos(server, method, `/nacos${path}`, params, init));

describe('a login', () => {
  it.each(['/v1/auth/login', '/v1/auth/users/login', '/v2/auth/user/login', '/v3/auth/user/login'])(
    'at %s is answered with a token of numeric life, with the password in the query or in the body',
    async (path) => {
      const answer = {
        status: 200,
        body: { accessToken: 'AUTH_DISABLED', tokenTtl: 18000, globalAdmin: true, username: 'nacos' },
      };
      expect(await call('POST', path, { username: 'nacos', password: 'nacos' })).toEqual(answer);
      const java = { body: 'password=na+cos&', headers: { 'content-type': 'application/x-www-form-urlencoded;charset=UTF-8' } };
      expect(await call('POST', path, { username: 'nacos' }, java)).toEqual(answer);
    },
  );

  it('without a name is refused', async () => {
    expect(await call('POST', '/v1/auth/login', { password: 'x' })).toEqual({
      status: 400,
      body: "Param 'username' is required.",
    });
  });
});

describe('namespaces', () => {
  it('have names that are given, changed and taken back', async () => {
    const path = '/v1/console/namespaces';
    const open = {
      namespace: '',
      namespaceShowName: 'public',
      namespaceDesc: 'Public Namespace',
      quota: 200,
      configCount: 0,
      type: 0,
    };
    expect(await call('GET', path)).toEqual({ status: 200, body: { code: 200, message: null, data: [open] } });
    const created = { customNamespaceId: 'dev', namespaceName: 'Development', namespaceDesc: 'for us' };
    expect(await call('POST', path, created)).toEqual({ status: 200, body: true });
    expect(await call('POST', path, created)).toEqual({ status: 200, body: false });
    expect(await call('GET', path, { checkNamespaceIdExist: 'true', customNamespaceId: 'dev' })).toEqual({
      status: 200,
      body: true,
    });
    expect(await call('GET', path, { checkNamespaceIdExist: 'true', customNamespaceId: 'prod' })).toEqual({
      status: 200,
      body: false,
    });
    const dev = {
      namespace: 'dev',
      namespaceShowName: 'Development',
      namespaceDesc: 'for us',
      quota: 200,
      configCount: 0,
      type: 2,
    };
    expect(await call('GET', path, { show: 'all', namespaceId: 'dev' })).toEqual({ status: 200, body: dev });
    expect(await call('PUT', path, { namespace: 'dev', namespaceShowName: 'Dev' })).toEqual({ status: 200, body: true });
    expect(await call('GET', path)).toMatchObject({ body: { data: [open, { namespace: 'dev', namespaceShowName: 'Dev' }] } });
    expect(await call('DELETE', path, { namespaceId: 'dev' })).toEqual({ status: 200, body: true });
    expect(await call('GET', path)).toMatchObject({ body: { data: [open] } });
  });

  it('get an id when none is given, and no bad one', async () => {
    await call('POST', '/v1/console/namespaces', { namespaceName: 'unnamed' });
    expect(await call('GET', '/v1/console/namespaces')).toMatchObject({
      body: { data: [{}, { namespace: expect.stringMatching(/^[0-9a-f-]{36}$/), namespaceShowName: 'unnamed' }] },
    });
    expect(await call('POST', '/v1/console/namespaces', { customNamespaceId: 'a b' })).toMatchObject({ status: 400 });
  });

  it('of v2 come in an envelope', async () => {
    const path = '/v2/console/namespace';
    expect(await call('POST', path, { namespaceId: 'v2', namespaceName: 'two' })).toEqual({
      status: 200,
      body: { code: 0, message: 'success', data: true },
    });
    expect(await call('POST', path, { namespaceId: 'v2', namespaceName: 'two' })).toMatchObject({
      status: 400,
      body: { code: 22002 },
    });
    expect(await call('GET', path, { namespaceId: 'v2' })).toMatchObject({ body: { data: { namespaceShowName: 'two' } } });
    expect(await call('GET', path, { namespaceId: 'no' })).toMatchObject({ status: 404, body: { code: 22001 } });
    expect(await call('PUT', path, { namespaceId: 'v2', namespaceName: 'zwei' })).toMatchObject({ body: { data: true } });
    expect(await call('PUT', path, { namespaceId: 'no', namespaceName: 'x' })).toMatchObject({
      status: 404,
      body: { code: 22001 },
    });
    expect(await call('GET', `${path}/list`)).toMatchObject({
      body: { data: expect.arrayContaining([expect.objectContaining({ namespaceShowName: 'zwei' })]) },
    });
    expect(await call('DELETE', path, { namespaceId: 'v2' })).toMatchObject({ body: { data: true } });
  });
});

describe('a namespace', () => {
  it.each([
    ['/v1/console/namespaces', 'namespace', {}, "Param 'namespaceShowName' is required."],
    ['/v1/console/namespaces', 'namespace', { namespaceShowName: ' ' }, "Param 'namespaceShowName' is required."],
    ['/v2/console/namespace', 'namespaceId', {}, { code: 10000 }],
    ['/v2/console/namespace', 'namespaceId', { namespaceName: '', namespaceDesc: 'x' }, { code: 10000 }],
  ])('is not renamed at %s without a name, and keeps its own', async (path, id, names, refusal) => {
    await call('POST', '/v1/console/namespaces', { customNamespaceId: 'keep', namespaceName: 'Kept', namespaceDesc: 'for us' });
    const answer = await call('PUT', path, { [id]: 'keep', ...names });
    expect(answer.status).toBe(400);
    if (typeof refusal === 'string') expect(answer.body).toBe(refusal);
    else expect(answer.body).toMatchObject(refusal);
    expect(await call('GET', '/v1/console/namespaces', { show: 'all', namespaceId: 'keep' })).toMatchObject({
      body: { namespaceShowName: 'Kept', namespaceDesc: 'for us' },
    });
  });

  it.each([
    ['/v1/console/namespaces', { customNamespaceId: 'nameless' }],
    ['/v2/console/namespace', { namespaceId: 'nameless' }],
  ])('is not made at %s without a name', async (path, params) => {
    expect(await call('POST', path, params)).toMatchObject({ status: 400 });
    const exists = { checkNamespaceIdExist: 'true', customNamespaceId: 'nameless' };
    expect(await call('GET', '/v1/console/namespaces', exists)).toMatchObject({ body: false });
  });
});

describe('the state of the server', () => {
  it.each([
    ['/v1/console/health/liveness', 'OK'],
    ['/v1/console/health/readiness', 'OK'],
    ['/v1/console/server/state', expect.objectContaining({ standalone_mode: 'standalone', version: expect.any(String) })],
    ['/v1/console/server/announcement', { code: 200, message: null, data: null }],
    ['/v1/console/server/guide', { code: 200, message: null, data: null }],
    ['/v2/console/health/liveness', { code: 0, message: 'success', data: 'ok' }],
    ['/actuator/health', { status: 'UP' }],
    ['/v1/ns/operator/servers', { servers: [expect.objectContaining({ ip: '127.0.0.1', state: 'UP' })] }],
    ['/v1/ns/operator/push/state', { total: 0, succeed: 0, failed: 0, waiting: 0, ratio: 0, reset: false }],
    ['/v1/ns/operator/distro/status', { healthyList: [expect.stringMatching(/^127\.0\.0\.1:\d+$/)] }],
    [
      '/v1/ns/health/server',
      { msg: expect.stringMatching(/^Hello! I am Nacos-Naming and healthy! total services: \d+, local port:\d+$/) },
    ],
    [
      '/v1/ns/api/hello',
      { msg: expect.stringMatching(/^Hello! I am Nacos-Naming and healthy! total services: \d+, local port:\d+$/) },
    ],
    [
      '/v1/ns/health/checkers',
      expect.objectContaining({ TCP: { type: 'TCP' }, GRPC: { type: 'GRPC', service: '' }, NONE: { type: 'NONE' } }),
    ],
    ['/v1/ns/service/selector/types', { code: 200, message: null, data: ['label', 'none'] }],
    ['/serverlist', expect.stringMatching(/^127\.0\.0\.1:\d+\r\n$/)],
  ])('is told at %s', async (path, body) => {
    expect(await call('GET', path)).toEqual({ status: 200, body });
  });

  it('names this server as the leader, in JSON within JSON, as the servers before 1.4 do', async () => {
    const { body } = await call('GET', '/v1/ns/raft/leader');
    // The answer is one object with one text.
    const { leader } = body as { leader: string };
    const { main } = server.listeners;
    expect(JSON.parse(leader)).toEqual({ ip: main, voteFor: main, term: 1, state: 'LEADER' });
  });

  it('names this server as the responsible one', async () => {
    const { body } = await call('GET', '/v1/ns/operator/distro/server', { serviceName: 'orders' });
    expect(body).toEqual({ responsibleServer: server.listeners.main });
    expect(await call('PUT', '/v1/ns/operator/log', { logName: 'x', logLevel: 'INFO' })).toEqual({ status: 200, body: 'ok' });
  });
});
