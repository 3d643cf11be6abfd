import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createClient } from '@connectrpc/connect';
import { createConnectTransport, createGrpcTransport } from '@connectrpc/connect-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Health } from '../../src/gen/grpc/health/v1/health_pb.ts';
import { visitorsFor } from '../../src/server/visitors.ts';
import { ASKED_AGAIN_MS } from '../../src/wire/asked-again.ts';
import type { Request } from '../../src/wire/exchange.ts';
import { accessRoom } from '../access/room.ts';
import { startWithBearers, type WithBearers } from '../support/bearers.ts';
import { failOnLeaks } from '../support/leaks.ts';
import { nacos } from '../support/server.ts';

failOnLeaks();

/** Health that is not for everybody: only of the bridge itself everybody is told. Everybody here calls by way of a proxy, and is remote. */

const REMOTE = { 'x-forwarded-for': '203.0.113.7' };
const SERVICE = { service: 'orders' };
const TLS = join(import.meta.dirname, '../fixtures/tls');

let server: WithBearers;
beforeAll(async () => {
  const tls = { cert: readFileSync(join(TLS, 'cert.pem')), key: readFileSync(join(TLS, 'key.pem')) };
  server = await startWithBearers({ rita: 'reader', gone: 'disabled' }, { healthAuth: true, tls });
  await nacos(
    server,
    'POST',
    '/instance',
    { serviceName: 'orders', ip: '10.0.0.1', port: 80 },
    { headers: server.bearer('root') },
  );
});
afterAll(() => server?.[Symbol.asyncDispose]());

const overGrpc = () => createClient(Health, createGrpcTransport({ baseUrl: `http://${server.listeners.health}` }));
const overConnect = () =>
  createClient(Health, createConnectTransport({ baseUrl: `http://${server.listeners.main}`, httpVersion: '1.1' }));

describe.each([
  ['gRPC', overGrpc],
  ['Connect', overConnect],
])('over %s', (_, clientOf) => {
  it('whoever has not logged in is told of the bridge alone', async () => {
    const client = clientOf();
    const refused = { code: 7, rawMessage: expect.stringContaining('user not found! Log in') };
    await expect(client.check(SERVICE, { headers: REMOTE })).rejects.toMatchObject(refused);
    await expect(client.list({}, { headers: REMOTE })).rejects.toMatchObject(refused);
    await expect(client.watch(SERVICE, { headers: REMOTE })[Symbol.asyncIterator]().next()).rejects.toMatchObject(refused);
    expect(await client.check({}, { headers: REMOTE })).toMatchObject({ status: 1 });
  });

  it('whoever has, or calls from this machine, is told', async () => {
    const client = clientOf();
    for (const headers of [{ ...REMOTE, ...server.bearer('rita') }, {}]) {
      expect(await client.check(SERVICE, { headers })).toMatchObject({ status: 1 });
      expect(Object.keys((await client.list({}, { headers })).statuses)).toContain('orders');
      const ended = new AbortController();
      for await (const { status } of client.watch(SERVICE, { headers, signal: ended.signal })) {
        expect(status).toBe(1);
        break;
      }
      ended.abort();
    }
    await expect(client.check(SERVICE, { headers: { ...REMOTE, ...server.bearer('gone') } })).rejects.toMatchObject({ code: 7 });
  });
});

describe('paths', () => {
  const get = async (path: string, headers: Readonly<Record<string, string>> = REMOTE) => {
    const response = await fetch(`http://${server.listeners.health}${path}`, { headers });
    const text = path.includes('watch') && response.ok ? '' : await response.text();
    if (text === '') await response.body?.cancel();
    return [response.status, text] as const;
  };

  it('of services are for who has logged in', async () => {
    expect(await get('/health/orders')).toEqual([403, expect.stringContaining('user not found! Log in')]);
    expect(await get('/health/orders?watch')).toEqual([403, expect.any(String)]);
    expect(await get('/health/orders', { ...REMOTE, ...server.bearer('rita') })).toEqual([200, expect.any(String)]);
    expect(await get('/health/orders?watch', { ...REMOTE, ...server.bearer('rita') })).toEqual([200, '']);
    expect(await get('/health/orders', {})).toEqual([200, expect.any(String)]);
  });

  it('of the bridge are for everybody, and what it is made of is not', async () => {
    expect(await get('/health')).toEqual([200, expect.any(String)]);
    expect(await get('/livez')).toEqual([200, 'ok\n']);
    expect(await get('/readyz?verbose')).toEqual([200, 'ok\n']);
    expect(await get('/readyz?verbose', {})).toEqual([200, 'ok\n']);
    expect((await get('/readyz?verbose', server.bearer('rita')))[1]).toContain('[+]registry');
    expect((await get('/nacos/v1/console/health/readiness'))[0]).toBe(404);
    const main = `http://${server.listeners.main}/nacos/v1/console/health/readiness`;
    expect((await fetch(main, { headers: REMOTE })).status).toBe(403);
    expect((await fetch(main)).status).toBe(200);
  });

  it('of gRPC say it by their status', async () => {
    const answer = await fetch(`http://${server.listeners.health}/health/orders`, {
      method: 'POST',
      headers: { ...REMOTE, 'content-type': 'application/grpc' },
    });
    expect(answer.headers.get('grpc-status')).toBe('7');
  });

  it('of reflection are closed too', async () => {
    const path = '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo';
    const ask = (headers: Readonly<Record<string, string>>) =>
      fetch(`http://${server.listeners.health}${path}`, {
        method: 'POST',
        headers: { ...headers, 'content-type': 'application/grpc' },
      });
    expect((await ask(REMOTE)).headers.get('grpc-status')).toBe('7');
    // What it has against HTTP/1.1 is another matter.
    expect((await ask({})).headers.get('grpc-status')).not.toBe('7');
  });
});

it('who is told something for long is asked again each minute, and told no more when the user is disabled', async () => {
  using room = accessRoom({ auth: true, healthAuth: true });
  await room.addUser('rita', 'correct horse', 'reader');
  const { accessToken } = (await room.access.login(
    {
      ip: '10.0.0.1',
      headers: {},
      carriers: { params: [], headers: {} },
      ownParams: true,
      isScoped: false,
      isBrowser: false,
      isEncrypted: false,
      agent: '',
      example: '',
    },
    { name: 'rita', password: 'correct horse' },
  )) as { readonly accessToken: string };
  const rawHeaders = ['Authorization', `Bearer ${accessToken}`];
  // As much of a request as is looked at.
  const req = {
    method: 'POST',
    url: '/x',
    headers: { authorization: rawHeaders[1] },
    rawHeaders,
    socket: { remoteAddress: '10.0.0.1' },
  };
  const visitor = visitorsFor(room.access, room.scheduler)(req as unknown as Request);
  expect(await visitor.refusal()).toBeUndefined();
  const ended: string[] = [];
  const unfollow = visitor.follow((why) => void ended.push(why));
  const turn = () => new Promise((resolve) => setImmediate(resolve));
  room.scheduler.advance(ASKED_AGAIN_MS);
  await turn();
  expect(ended).toEqual([]);
  room.setDisabled('rita', true);
  room.scheduler.advance(ASKED_AGAIN_MS);
  await turn();
  expect(ended).toEqual(['token invalid! Log in again']);
  unfollow();
});
