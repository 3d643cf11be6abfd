import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect as connectHttp2, constants } from 'node:http2';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Server } from '../../../src/index.ts';
import { NOTHING_IS_KEPT } from '../../../src/nacos/durability.ts';
import { RequestError } from '../../../src/nacos/errors.ts';
import { LargeAnswers } from '../../../src/nacos/http/large-answers.ts';
import { pipeline } from '../../../src/nacos/http/pipeline.ts';
import type { Call, Reply } from '../../../src/nacos/http/route.ts';
import { Switches } from '../../../src/nacos/switches.ts';
import { HeldBodies } from '../../../src/wire/held-bodies.ts';
import { systemScheduler } from '../../../src/wire/scheduler.ts';
import { LIMITS } from '../../support/limits.ts';
import { dial, exchange } from '../../support/raw.ts';
import { answerOf, nacos, startServer } from '../../support/server.ts';

let server: Server;

beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.close(100));

describe('the rest of the API', () => {
  it('tells clients that the server is up', async () => {
    expect(await answerOf(nacos(server, 'GET', '/operator/metrics', {}))).toMatchObject({ status: 200, body: { status: 'UP' } });
  });

  it.each([
    ['GET', '/instances'],
    ['POST', '/instance/list'],
    ['GET', '/'],
  ])('%s %s is 501, as from Nacos', async (method, path) => {
    expect(await answerOf(nacos(server, method, path, {}))).toMatchObject({
      status: 501,
      body: { status: 501, error: 'Not Implemented', message: `no such api:${method}:/nacos/v1/ns${path}` },
    });
  });

  it('answers on the main and the gRPC port, not on the health port', async () => {
    const path = '/nacos/v1/ns/operator/metrics';
    expect((await fetch(`http://${server.listeners.grpc}${path}`)).status).toBe(200);
    expect((await fetch(`http://${server.listeners.health}${path}`)).status).toBe(404);
  });

  it('answers HEAD as GET, without the body', async () => {
    const response = await nacos(server, 'HEAD', '/operator/metrics', {});
    expect([response.status, Number(response.headers.get('content-length')) > 0, await response.text()]).toEqual([200, true, '']);
  });

  it.each([
    ['POST', '/nacos/v1/ns/instance'],
    ['POST', '/nacos/v2/ns/instance'],
    ['POST', '/nacos/v3/client/ns/instance'],
  ])('%s %s takes a form in parts, as curl -F sends it, and the query wins', async (method, path) => {
    const serviceName = `parts of 中 ${path}`.replaceAll(/[^a-z0-9]/g, '-');
    const body = new FormData();
    for (const [name, value] of Object.entries({ serviceName, ip: '10.0.0.1', port: '1', metadata: '{"名":"a&b=c%25+ d"}' }))
      body.append(name, value);
    body.append('weight', new Blob(['a file is no parameter']), 'weight');
    expect(await answerOf(nacos(server, method, path, { port: 80 }, { body }))).toMatchObject({ status: 200 });
    const { body: list } = await answerOf(nacos(server, 'GET', '/instance/list', { serviceName }));
    expect(list).toMatchObject({ hosts: [{ port: 80, weight: 1, metadata: { 名: 'a&b=c%25+ d' } }] });
  });

  it('takes the bytes of a field in parts as they are', async () => {
    const body = [
      '--aB+c',
      'Content-Disposition: form-data; name="serviceName"',
      '',
      'raw-parts',
      '--aB+c',
      'content-disposition: form-data; name="metadata"',
      'Content-Type: text/plain; charset=UTF-8',
      '',
      '{"k":"a&b=c%25+d 中"}',
      '--aB+c--',
      '',
    ].join('\r\n');
    const headers = { 'content-type': 'Multipart/Form-Data; boundary=aB+c' };
    const at = { ip: '10.0.0.1', port: 80 };
    expect(await answerOf(nacos(server, 'POST', '/instance', at, { body, headers }))).toEqual({ status: 200, body: 'ok' });
    expect(await answerOf(nacos(server, 'GET', '/instance', { serviceName: 'raw-parts', ...at }))).toMatchObject({
      body: { metadata: { k: 'a&b=c%25+d 中' } },
    });
  });

  it.each(['multipart/form-data', 'multipart/form-data; boundary=x', 'multipart/form-data; boundary='])(
    'refuses a body of %s that is no form in parts',
    async (type) => {
      for (const body of [
        'serviceName=s',
        '--x\r\nno header',
        '--x--',
        '--x\r\nContent-Disposition: form-data\r\n\r\n1\r\n--x--',
      ])
        expect((await nacos(server, 'POST', '/instance', {}, { body, headers: { 'content-type': type } })).status).toBe(400);
      const body = 'serviceName=s';
      expect(await answerOf(nacos(server, 'POST', '/instance', {}, { body, headers: { 'content-type': type } }))).toEqual({
        status: 400,
        body: 'the body must be a form in parts, each ended by the boundary that Content-Type names',
      });
    },
  );

  it('takes a request that was written for a proxy', async () => {
    const heard = await exchange(server.listeners.main, [
      'GET http://somewhere:80/nacos/v1/ns/operator/metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
    ]);
    expect(heard).toMatch(/^HTTP\/1.1 200 /);
  });

  it('does not blame itself for a caller that leaves in the middle of a form', async () => {
    const lines: unknown[] = [];
    const log = pino({ level: 'warn' }, { write: (line: string) => lines.push(line) });
    await using quiet = await startServer({ log });
    const session = connectHttp2(`http://${quiet.listeners.main}`);
    session.on('error', () => {});
    const headers = { ':path': '/nacos/v1/ns/instance', ':method': 'POST', 'content-length': '100' };
    const streams = Array.from({ length: 20 }, () => session.request(headers));
    await Promise.all(
      streams.map((stream) => {
        stream.on('error', () => {});
        stream.write('serviceName=orders');
        setImmediate(() => stream.close(constants.NGHTTP2_CANCEL));
        return once(stream, 'close');
      }),
    );
    const closed = once(session, 'close');
    session.destroy();
    await closed;
    const socket = await dial(quiet.listeners.main);
    socket.write('POST /nacos/v1/ns/instance HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nserviceName');
    await new Promise((resolve) => setImmediate(resolve));
    socket.resetAndDestroy();
    // Another request, answered after all that: whatever was to be said of them has been said.
    await nacos(quiet, 'GET', '/operator/metrics', {});
    expect(lines).toEqual([]);
  });

  it('takes half a form for none, though what has come of it could stand for itself', async () => {
    const session = connectHttp2(`http://${server.listeners.main}`);
    const type = 'application/x-www-form-urlencoded';
    const stream = session.request({ ':path': '/nacos/v1/ns/instance', ':method': 'POST', 'content-type': type });
    stream.on('error', () => {});
    // Of port=8080.
    stream.write('serviceName=half&ip=10.0.0.1&port=80');
    // Answered behind what has just been sent.
    await new Promise((resolve) => session.ping(resolve));
    stream.close(constants.NGHTTP2_CANCEL);
    await new Promise((resolve) => session.ping(resolve));
    session.destroy();
    const { body } = await answerOf(nacos(server, 'GET', '/instance/list', { serviceName: 'half' }));
    expect(body).toMatchObject({ hosts: [] });
  });

  it('does not take a JSON body for a form', async () => {
    const init = { body: 'serviceName=a&ip=b&port=1', headers: { 'content-type': 'application/json' } };
    expect(await answerOf(nacos(server, 'POST', '/instance', {}, init))).toMatchObject({ status: 400 });
  });

  it.each(['announced', 'streamed'])('refuses a body over 256 KiB that is %s, and answers the next request', async (how) => {
    const size = 300_000;
    const head = 'POST /nacos/v1/ns/instance HTTP/1.1\r\nHost: x\r\n';
    const body = 'x'.repeat(size);
    const pieces =
      how === 'announced'
        ? [`${head}Content-Length: ${size}\r\n\r\n`]
        : [`${head}Transfer-Encoding: chunked\r\n\r\n${size.toString(16)}\r\n`, body, '\r\n0\r\n\r\n'];
    const answer = await exchange(server.listeners.main, pieces, (heard) => heard.includes('bytes'));
    expect(answer).toMatch(/^HTTP\/1\.1 413 [\s\S]*the body must not exceed 262144 bytes$/);
    expect((await nacos(server, 'GET', '/operator/metrics', {})).status).toBe(200);
  });
});

describe('what a call answers', () => {
  /** The answer of one route, and the messages that were logged meanwhile. */
  async function answered(call: Call, reply: Reply = 'plain', agent = 'curl/8') {
    const logged: string[] = [];
    const log = pino({}, { write: (line: string) => logged.push(JSON.parse(line).msg) });
    const routes = [{ method: 'GET', path: '/nacos/x', call, reply, access: 'read' }] as const;
    const serve = pipeline({
      scheduler: systemScheduler,
      bodies: new HeldBodies(LIMITS),
      largeAnswers: new LargeAnswers(LIMITS),
      routes,
      switches: new Switches(),
      limits: LIMITS,
      durability: NOTHING_IS_KEPT,
      wallClock: () => 0,
      log,
    });
    const http = createServer((req, res) => void serve(req, res)).listen(0, '127.0.0.1');
    await once(http, 'listening');
    const address = http.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    const { status, body } = await answerOf(
      fetch(`http://127.0.0.1:${port}/nacos/x?a=1`, { headers: { connection: 'close', 'user-agent': agent } }),
    );
    http.close();
    return { status, body, logged };
  }

  it.each<[string, Reply, Call, unknown]>([
    ['text is answered as it is', 'plain', () => 'ok', 'ok'],
    ['an object is JSON', 'plain', () => ({ a: 1 }), { a: 1 }],
    ['a truth value is JSON', 'plain', () => false, false],
    ['anything is put into an envelope', 'envelope', () => 'ok', { code: 0, message: 'success', data: 'ok' }],
    ['parameters are handed on', 'plain', ({ params }) => Object.fromEntries(params.entries()), { a: '1' }],
  ])('%s', async (_, reply, call, body) => {
    expect(await answered(call, reply)).toEqual({ status: 200, body, logged: [] });
  });

  it.each<[Reply, RequestError, number, unknown]>([
    ['plain', new RequestError('bad-weight', 'too heavy'), 400, 'too heavy'],
    ['envelope', new RequestError('bad-weight', 'too heavy'), 400, { code: 21_001, message: 'weight error', data: 'too heavy' }],
    [
      'envelope',
      new RequestError('beat-unknown', 'gone', null),
      200,
      { code: 21_003, message: 'instance not found', data: null },
    ],
  ])('a refusal is written as %s', async (reply, error, status, body) => {
    const call = () => {
      throw error;
    };
    expect(await answered(call, reply)).toEqual({ status, body, logged: [] });
  });

  it.each<[string, Call]>([
    [
      'throws',
      () => {
        throw new TypeError('secret');
      },
    ],
    ['answers what is no JSON', () => ({ n: 1n })],
  ])('a bug that %s is logged once, and answered without detail', async (_, call) => {
    const body = 'caused: internal error;';
    expect(await answered(call)).toEqual({ status: 500, body, logged: ['nacos request failed'] });
  });

  it('a caller is known by its address, and by its name for itself, cut to 256 characters', async () => {
    const agent = 'x'.repeat(300);
    const { body } = await answered(({ agent, by, local }) => ({ agent, by, local }), 'plain', agent);
    const local = expect.stringMatching(/^127\.0\.0\.1:\d+$/);
    expect(body).toEqual({ agent, by: { peer: '127.0.0.1', agent: 'x'.repeat(256) }, local });
  });
});
