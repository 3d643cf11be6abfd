import { once } from 'node:events';
import { connect as connectHttp2 } from 'node:http2';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import type { ServerOptions } from '../../src/index.ts';
import { FOREIGN, fromElsewhere } from '../support/foreign.ts';
import { failOnLeaks } from '../support/leaks.ts';
import { NacosGrpc } from '../support/nacos-grpc.ts';
import { answerOf, nacos, startServer } from '../support/server.ts';

failOnLeaks();

/**
 * Without users, everybody is told apart by address alone. Whoever calls an address of this machine that is not loopback comes from there,
 * and so from elsewhere.
 */

const AT = { serviceName: 'orders', ip: '10.0.0.1', port: 80 };

async function open(options: ServerOptions = {}) {
  const lines: { readonly msg: string; readonly reason?: string }[] = [];
  const log = pino({ level: 'warn' }, { write: (line: string) => void lines.push(JSON.parse(line)) });
  const server = await startServer({ host: '0.0.0.0', log, ...options });
  const { main, grpc, health } = server.listeners;
  const elsewhere = { listeners: { main: fromElsewhere(main), grpc: fromElsewhere(grpc), health: fromElsewhere(health) } };
  const local = { listeners: { main: `127.0.0.1${main.slice(main.lastIndexOf(':'))}`, grpc: '', health: '' } };
  const ask = (from: typeof local, method: string, path: string, form = {}, headers = {}) =>
    answerOf(nacos(from, method, path, form, { headers }));
  return { server, lines, elsewhere, local, ask, [Symbol.asyncDispose]: () => server.close(200) };
}

// Where there is no other interface nobody can come from elsewhere.
describe.skipIf(FOREIGN === undefined)('from elsewhere', () => {
  it('nobody writes by default, and is told how that could be; everybody reads', async () => {
    await using room = await open();
    const { ask, elsewhere, local } = room;
    const refused = {
      status: 403,
      body: {
        status: 403,
        error: 'Forbidden',
        message: expect.stringContaining(
          `not trusted: ${FOREIGN} may not write here. Start beatbridge with --trust ${FOREIGN}/32`,
        ),
        path: '/nacos/v1/ns/instance',
      },
    };
    expect(await ask(elsewhere, 'POST', '/instance', AT)).toMatchObject(refused);
    expect(await ask(local, 'POST', '/instance', AT)).toEqual({ status: 200, body: 'ok' });
    expect(await ask(elsewhere, 'GET', '/instance/list', AT)).toMatchObject({ status: 200, body: { hosts: [{ port: 80 }] } });
    expect(await ask(elsewhere, 'PUT', '/instance/beat', AT)).toMatchObject({ status: 403 });
    expect(await ask(elsewhere, 'PUT', '/operator/switches', { entry: 'check', value: 'true' })).toMatchObject({ status: 403 });
    expect(await ask(elsewhere, 'POST', '/nacos/v1/auth/users/admin')).toMatchObject({ status: 403 });
    const health = await fetch(`http://${elsewhere.listeners.health}/health/orders`);
    expect([health.status, await health.text()]).toEqual([200, expect.stringContaining('SERVING')]);
  });

  it('is told to operators: at the start, the first time, and in /readyz', async () => {
    await using room = await open();
    const { ask, elsewhere } = room;
    expect(room.lines.map(({ msg }) => msg)).toEqual([
      'only this machine may register and edit: let others with --trust ADDRESSES, or make them log in with --auth',
    ]);
    for (let i = 0; i < 3; i++) await ask(elsewhere, 'POST', '/instance', AT, { 'user-agent': 'Nacos-Go-Client:v1.1.6' });
    expect(room.lines.slice(1).map(({ msg }) => msg)).toEqual([
      `refused 1 write from ${FOREIGN} (Nacos-Go-Client:v1.1.6): not-trusted; e.g. POST /nacos/v1/ns/instance`,
    ]);
    const ready = await fetch(`http://${elsewhere.listeners.health}/readyz?verbose`);
    expect(await ready.text()).toContain('[+]access this machine may write, refused: 3 not-trusted\n');
  });

  it('no header brings anybody nearer, and on this machine one takes away what it gives', async () => {
    await using room = await open();
    const { ask, elsewhere, local } = room;
    for (const name of ['x-forwarded-for', 'x-real-ip', 'forwarded', 'via', 'x-envoy-external-address', 'cf-connecting-ip']) {
      expect(await ask(elsewhere, 'POST', '/instance', AT, { [name]: '127.0.0.1' })).toMatchObject({ status: 403 });
      expect(await ask(local, 'POST', '/instance', AT, { [name]: '127.0.0.1' })).toMatchObject({
        status: 403,
        body: { message: expect.stringContaining('came through a proxy') },
      });
    }
  });

  it('one may whose address is trusted, but not operate unless that is said too', async () => {
    await using room = await open({ trust: `${FOREIGN}` });
    const { ask, elsewhere } = room;
    expect(await ask(elsewhere, 'POST', '/instance', AT)).toMatchObject({ status: 200 });
    expect(await ask(elsewhere, 'PATCH', '/instance', { ...AT, weight: 2 })).toMatchObject({
      status: 403,
      body: { message: expect.stringContaining('--trust-operate') },
    });
    // On a trusted address a browser shows pages of anybody's.
    const page = { 'user-agent': 'Mozilla/5.0' };
    expect(await ask(elsewhere, 'POST', '/instance', AT, page)).toMatchObject({ status: 403 });
    await using open2 = await open({ trust: `${FOREIGN}`, trustOperate: true });
    expect(await open2.ask(open2.elsewhere, 'POST', '/service', { serviceName: 'x' })).toMatchObject({ status: 200 });
  });

  it('a browser on a trusted address writes over gRPC no more than otherwise', async () => {
    await using room = await open({ trust: `${FOREIGN}` });
    const written = async (marks: Readonly<Record<string, string>>) => {
      using client = new NacosGrpc(room.elsewhere.listeners.grpc);
      for (const [name, value] of Object.entries(marks)) client.metadata.set(name, value);
      client.open();
      client.say('ConnectionSetupRequest', { clientVersion: 'Test-Client:v1', labels: { module: 'naming' } });
      await client.untilSetUp();
      return await client.register('orders', 80);
    };
    expect(await written({ 'accept-language': 'en' })).toMatchObject({ type: 'InstanceResponse', body: { errorCode: 403 } });
    expect(await written({})).toMatchObject({ type: 'InstanceResponse', body: { resultCode: 200 } });
  });

  it('one is who a proxy that is named asks for, and nobody else', async () => {
    await using room = await open({ trustedProxy: 'loopback', trust: '10.9.9.0/24' });
    const { ask, local } = room;
    const by = (chain: string) => ask(local, 'POST', '/instance', AT, { 'x-forwarded-for': chain });
    expect(await by('10.9.9.9')).toMatchObject({ status: 200 });
    expect(await by('10.9.9.9, 203.0.113.7')).toMatchObject({ status: 403 });
    expect(await by('127.0.0.1')).toMatchObject({ status: 403 });
  });

  it('anyone may everything with --open-writes, and nobody reads with --protect-reads', async () => {
    await using room = await open({ openWrites: true });
    expect(await room.ask(room.elsewhere, 'POST', '/instance', AT)).toMatchObject({ status: 200 });
    await using closed = await open({ protectReads: true });
    expect(await closed.ask(closed.elsewhere, 'GET', '/instance/list', AT)).toMatchObject({ status: 403 });
    expect(await closed.ask(closed.local, 'GET', '/instance/list', AT)).toMatchObject({ status: 200 });
    const health = await fetch(`http://${closed.elsewhere.listeners.health}/health/orders`);
    expect(health.status).toBe(404);
  });

  it('clients of 2.x are refused in the class that they wait for, and keep their connection', async () => {
    await using room = await open();
    for (const address of [room.elsewhere.listeners.main, room.elsewhere.listeners.grpc]) {
      using client = await NacosGrpc.connect(address, { clientVersion: 'Nacos-Java-Client:v2.5.1' });
      const refused = { resultCode: 500, errorCode: 403, success: false, message: expect.stringContaining('not trusted: ') };
      expect(await client.register('orders', 80)).toMatchObject({ type: 'InstanceResponse', body: refused });
      expect(await client.subscribe('orders')).toMatchObject({ type: 'SubscribeServiceResponse', body: { resultCode: 200 } });
      expect(await client.ask('ServerCheckRequest', {})).toMatchObject({ type: 'ServerCheckResponse' });
      expect(await client.ask('HealthCheckRequest', {})).toMatchObject({
        type: 'HealthCheckResponse',
        body: { resultCode: 200 },
      });
    }
    expect(room.server.listeners.main).toBeDefined();
  });
});

it('a client of 2.x that a proxy on this machine hands on is from elsewhere', async () => {
  await using server = await startServer();
  using direct = await NacosGrpc.connect(server.listeners.grpc);
  expect(await direct.register('orders', 80)).toMatchObject({ body: { resultCode: 200 } });
  using handed = new NacosGrpc(server.listeners.grpc);
  handed.metadata.set('x-forwarded-for', '127.0.0.1');
  handed.open();
  handed.say('ConnectionSetupRequest', { clientVersion: 'Test-Client:v1', labels: { module: 'naming' } });
  await handed.untilSetUp();
  expect(await handed.register('orders', 81)).toMatchObject({
    type: 'InstanceResponse',
    body: { errorCode: 403, message: expect.stringContaining('came through a proxy') },
  });
  expect(await handed.subscribe('orders')).toMatchObject({ body: { resultCode: 200, serviceInfo: { hosts: [{ port: 80 }] } } });
});

it('the health port has nothing that could be written', async () => {
  await using server = await startServer({ openWrites: true });
  const { health } = server.listeners;
  const answer = await fetch(`http://${health}/nacos/v1/ns/instance?serviceName=a&ip=1.1.1.1&port=1`, { method: 'POST' });
  expect(answer.status).toBe(404);
  const session = connectHttp2(`http://${health}`);
  const stream = session.request({ ':method': 'POST', ':path': '/Request/request', 'content-type': 'application/grpc' });
  stream.end(Buffer.alloc(5));
  stream.resume();
  const [headers] = await once(stream, 'response');
  session.destroy();
  expect(headers['grpc-status']).toBe('12');
});
