import { once } from 'node:events';
import { connect as connectHttp2, constants, type IncomingHttpHeaders, type OutgoingHttpHeaders } from 'node:http2';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Server } from '../../src/index.ts';
import { failOnLeaks } from '../support/leaks.ts';
import { register, setEnabled, startServer } from '../support/server.ts';

const CHECK = '/grpc.health.v1.Health/Check';

failOnLeaks();

let server: Server;

beforeAll(async () => {
  server = await startServer();
  await register(server, 'orders');
  await register(server, 'providers:com.shop.Orders:1.0.0:blue');
});
afterAll(() => server.close(100));

/** One call over HTTP/2 by hand: what its headers, body and trailers are. */
async function call(headers: OutgoingHttpHeaders, ...chunks: Buffer[]) {
  const session = connectHttp2(`http://${server.listeners.health}`);
  const stream = session.request({ ':method': 'POST', ':path': CHECK, te: 'trailers', ...headers });
  for (const chunk of chunks) stream.write(chunk);
  stream.end();
  let trailers: IncomingHttpHeaders = {};
  stream.on('trailers', (fields) => {
    trailers = fields;
  });
  const body: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => body.push(chunk));
  const [answer] = (await once(stream, 'response')) as [IncomingHttpHeaders];
  if (!stream.closed) await once(stream, 'close');
  session.destroy();
  const status = trailers['grpc-status'] ?? answer['grpc-status'];
  return { headers: answer, trailers, status, body: Buffer.concat(body) };
}

function post(body: string | undefined, headers: Record<string, string> = {}, path = CHECK) {
  return fetch(`http://${server.listeners.health}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    ...(body !== undefined && { body }),
  });
}

function frame(service: string, flag = 0): Buffer {
  const name = Buffer.from(service);
  const plain = Buffer.concat([Buffer.from([0x0a, name.length]), name]);
  const message = flag === 1 ? gzipSync(plain) : plain;
  const head = Buffer.alloc(5, flag);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

const GRPC = { 'content-type': 'application/grpc+proto' };
const SERVING = Buffer.from([0, 0, 0, 0, 2, 8, 1]);
const NOT_SERVING = Buffer.from([0, 0, 0, 0, 2, 8, 2]);

describe('a method', () => {
  it.each(['Check', 'check'])('is found as %s, over gRPC and as JSON', async (method) => {
    const path = `/grpc.health.v1.Health/${method}`;
    expect(await call({ ...GRPC, ':path': path }, frame('orders'))).toMatchObject({ status: '0', body: SERVING });
    expect(await (await post('{"service":"orders"}', {}, path)).json()).toEqual({ status: 'SERVING' });
  });

  it('that does not exist is grpc-status 12 for gRPC, and 404 for others', async () => {
    for (const path of ['/AWS.ALB/healthcheck', '/grpc.health.v1.Health/Nothing', '/']) {
      const answer = await call({ ...GRPC, ':path': path });
      expect(answer).toMatchObject({ headers: { ':status': 200, 'content-type': 'application/grpc' }, status: '12' });
      expect((await post('{}', {}, path)).status).toBe(404);
    }
  });

  it.each([
    ['application/grpc', 'application/grpc'],
    ['application/grpc+json', 'application/grpc+json'],
    ['application/grpc-web+proto', 'application/grpc-web'],
    ['application/grpc-web+json', 'application/grpc-web+json'],
    ['application/grpc-web-text', 'application/grpc-web-text'],
  ])('that does not exist is said not to in what was asked in: %s', async (type, expected) => {
    const answer = await call({ 'content-type': type, ':path': '/grpc.health.v1.Health/Nothing' });
    expect(answer).toMatchObject({ headers: { ':status': 200, 'content-type': expected }, status: '12' });
  });
});

describe('a request without a body', () => {
  it.each([
    ['application/grpc', SERVING],
    ['application/grpc+proto', SERVING],
    ['application/grpc+json', Buffer.from('\0\0\0\0\x14{"status":"SERVING"}')],
  ])('of %s asks about the bridge', async (type, body) => {
    expect(await call({ 'content-type': type })).toMatchObject({ status: '0', body });
    expect(await call({ 'content-type': type }, Buffer.alloc(0))).toMatchObject({ status: '0', body });
  });

  it('of JSON asks about the bridge', async () => {
    expect(await (await post(undefined)).json()).toEqual({ status: 'SERVING' });
    expect(await (await post('')).json()).toEqual({ status: 'SERVING' });
  });
});

describe('UNIMPLEMENTED', () => {
  it.each(['Check', 'List', 'Watch'])('is never said of %s, whatever is wrong with the request', async (method) => {
    const to = { ...GRPC, ':path': `/grpc.health.v1.Health/${method}` };
    const empty = Buffer.alloc(5);
    const status = async (headers: OutgoingHttpHeaders, ...chunks: Buffer[]) =>
      (await call({ ...to, ...headers }, ...chunks)).status;
    expect({
      'an unknown compression': await status({ 'grpc-encoding': 'snappy' }, frame('orders', 1)),
      'a compression that is not named': await status({}, frame('orders', 1)),
      'gzip that is none': await status({ 'grpc-encoding': 'gzip' }, Buffer.from([1, 0, 0, 0, 3, 1, 2, 3])),
      'two messages': await status({}, empty, empty),
      'half a message': await status({}, Buffer.from([0, 0, 0, 0, 9, 1])),
      'half a frame': await status({}, Buffer.from([0, 0])),
      'protobuf that is none': await status({}, Buffer.from([0, 0, 0, 0, 2, 0xff, 0xff])),
      'a message of 4 GiB': await status({}, Buffer.from([0, 0xff, 0xff, 0xff, 0xff])),
      'a timeout without a unit': await status({ 'grpc-timeout': '5' }, empty),
    }).toEqual({
      'an unknown compression': '3',
      'a compression that is not named': '13',
      'gzip that is none': '3',
      'two messages': '3',
      'half a message': '3',
      'half a frame': '3',
      'protobuf that is none': '13',
      'a message of 4 GiB': '8',
      'a timeout without a unit': '3',
    });
  });
});

it('an answer is never in a compression that is not known, also for who does not say what he takes', async () => {
  const { status, headers } = await call({ ...GRPC, 'grpc-encoding': 'snappy' }, frame('orders', 1));
  expect([status, headers['grpc-encoding']]).toEqual(['3', undefined]);
});

describe('what dubbo-go sends', () => {
  const attachments = {
    'user-agent': 'grpc-go-triple/0.1.0 (go1.26)',
    'grpc-accept-encoding': 'gzip',
    'accept-encoding': 'identity',
    interface: 'grpc.health.v1.Health',
    timeout: '3s',
    retries: '',
    token: '',
    'grpc-timeout': '2999123u',
  };

  it('is answered, attachments and empty values and all', async () => {
    expect(await call({ ...GRPC, ...attachments }, frame('orders'))).toMatchObject({ status: '0', body: SERVING });
  });

  it('is answered whatever group and version it wants the health service in', async () => {
    const headers = { ...attachments, 'tri-service-group': 'blue', 'tri-service-version': '1.0.0' };
    expect(await call({ ...GRPC, ...headers }, frame('blue/com.shop.Orders:1.0.0'))).toMatchObject({
      status: '0',
      body: SERVING,
    });
    expect(
      (await post('{"service":"com.shop.Orders"}', { 'tri-service-group': 'blue', 'Triple-Protocol-Version': '0.1.0' })).status,
    ).toBe(200);
  });

  it('may be gzip', async () => {
    expect(await call({ ...GRPC, 'grpc-encoding': 'gzip' }, frame('orders', 1))).toMatchObject({ status: '0' });
  });
});

describe('a deadline', () => {
  const WATCH = { ':path': '/grpc.health.v1.Health/Watch' };

  it.each([
    ['grpc-timeout', '50m'],
    ['tri-service-timeout', '50'],
    ['triple-timeout-ms', '50'],
  ])('in %s ends a call', async (name, value) => {
    expect(await call({ ...GRPC, ...WATCH, [name]: value }, frame('orders'))).toMatchObject({ status: '4', body: SERVING });
  });

  it('of no length at all ends a Watch after its first message', async () => {
    expect(await call({ ...GRPC, ...WATCH, 'grpc-timeout': '0n' }, frame('orders'))).toMatchObject({ status: '4' });
  });

  it.each([
    ['application/grpc', 'grpc-timeout', '8760H'],
    ['application/grpc', 'grpc-timeout', '99999999H'],
    ['application/grpc', 'grpc-timeout', '99999999S'],
    ['application/connect+proto', 'connect-timeout-ms', '9999999999'],
  ])('of %s in %s: %s, longer than a timer can be, leaves a Watch open', async (type, name, value) => {
    await register(server, 'patient', { ephemeral: 'false' });
    await setEnabled(server, 'patient', true);
    const session = connectHttp2(`http://${server.listeners.health}`);
    const stream = session.request({ ':method': 'POST', ...WATCH, 'content-type': type, [name]: value });
    stream.end(frame('patient'));
    expect((await once(stream, 'data'))[0]).toEqual(SERVING);
    // Listened for beforehand: watchers may hear of a change before whoever made it is answered.
    const next = once(stream, 'data');
    await setEnabled(server, 'patient', false);
    expect((await next)[0]).toEqual(NOT_SERVING);
    session.destroy();
  });

  it.each(['Triple-Timeout-Ms', 'tri-service-timeout', 'Connect-Timeout-Ms'])(
    'in %s leaves a call alone that is in time',
    async (name) => {
      expect((await post('{"service":"orders"}', { [name]: '3000' })).status).toBe(200);
    },
  );

  it.each(['', 'soon', '-1', '99999999999999'])('of %j in a header of Dubbo is ignored', async (value) => {
    expect((await post('{"service":"orders"}', { 'Triple-Timeout-Ms': value })).status).toBe(200);
  });
});

describe('a refusal says what would be right', () => {
  it.each(['application/x-www-form-urlencoded', 'application/grpc; charset=utf-8', 'text/plain'])(
    'by Accept-Post, and a line of text, for the content type %s',
    async (type) => {
      const answer = await post('service=orders', { 'content-type': type });
      expect([answer.status, answer.headers.get('accept-post')]).toEqual([415, expect.stringContaining('application/json')]);
      expect(answer.headers.get('content-type')).toBe('text/plain;charset=UTF-8');
      expect(await answer.text()).toMatch(/^the content type must be one of application\/json, .+\n$/);
    },
  );

  it('by the types of gRPC alone where nothing else is spoken', async () => {
    const answer = await fetch(`http://${server.listeners.grpc}/Request/request`, { method: 'POST', body: '{}' });
    expect([answer.status, await answer.text()]).toEqual([
      415,
      'the content type must be one of application/grpc, application/grpc+proto, application/grpc+json\n',
    ]);
  });

  it.each(['GET', 'PUT', 'OPTIONS'])('by Allow, and a line of text, for the method %s', async (method) => {
    const answer = await fetch(`http://${server.listeners.health}${CHECK}`, { method });
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'POST']);
    expect(await answer.text()).toBe('the method must be POST\n');
  });

  it('by Allow alone for HEAD, over both kinds of HTTP', async () => {
    const answer = await fetch(`http://${server.listeners.health}${CHECK}`, { method: 'HEAD' });
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'POST']);
    expect((await call({ ':method': 'HEAD' })).headers).toMatchObject({ ':status': 405, allow: 'POST' });
  });

  it('by a line of text for a call that needs HTTP/2', async () => {
    const path = '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo';
    const answer = await post('{}', { 'content-type': 'application/connect+json' }, path);
    expect([answer.status, await answer.text()]).toEqual([505, 'a stream in both directions needs HTTP/2\n']);
  });
});

describe('a request in JSON', () => {
  const MISTAKES = [
    '{"serviceName":"orders"}',
    '{"name":"orders"}',
    '{"Service":"orders"}',
    '{"service":"orders","namespace":"public"}',
    '{"service":"orders","x":{"y":[]}}',
    '{"service":null}',
    '{"service":7}',
    '[]',
    '"orders"',
    'orders',
  ];
  const words = expect.stringContaining('must be {"service":"NAME"}, with no other key');
  const framed = (text: string, flag = 0) => {
    const bytes = flag === 1 ? gzipSync(text) : Buffer.from(text);
    const head = Buffer.alloc(5, flag);
    head.writeUInt32BE(bytes.length, 1);
    return Buffer.concat([head, bytes]);
  };

  describe.each(MISTAKES)('that is %s is never SERVING', (text) => {
    it('over Connect, compressed or not', async () => {
      const refused = { code: 'invalid_argument', message: words };
      const plain = await post(text);
      expect([plain.status, await plain.json()]).toEqual([400, refused]);
      for (const [name, compress] of Object.entries({ gzip: gzipSync, deflate: deflateSync, br: brotliCompressSync })) {
        const headers = { 'content-type': 'application/json', 'content-encoding': name };
        const answer = await call(headers, compress(text));
        expect([answer.headers[':status'], JSON.parse(answer.body.toString())]).toEqual([400, refused]);
      }
    });

    it('over gRPC, compressed or not', async () => {
      const type = { 'content-type': 'application/grpc+json' };
      const message = { trailers: { 'grpc-message': expect.stringContaining('%22service%22') } };
      expect(await call(type, framed(text))).toMatchObject({ status: '3', ...message });
      expect(await call({ ...type, 'grpc-encoding': 'gzip' }, framed(text, 1))).toMatchObject({ status: '3', ...message });
    });

    it('over gRPC-Web', async () => {
      const { body } = await call({ 'content-type': 'application/grpc-web+json' }, framed(text));
      expect(body.toString()).toMatch(/grpc-status: 3\r\n/);
      expect(body.toString()).toContain('%22service%22');
    });

    it('as a stream of Connect, compressed or not', async () => {
      const to = { ':path': '/grpc.health.v1.Health/Watch', 'content-type': 'application/connect+json' };
      const refused = { error: { code: 'invalid_argument', message: words } };
      const said = ({ body }: { readonly body: Buffer }) => JSON.parse(body.subarray(5).toString());
      expect(said(await call(to, framed(text)))).toMatchObject(refused);
      expect(said(await call({ ...to, 'connect-content-encoding': 'gzip' }, framed(text, 1)))).toMatchObject(refused);
    });
  });

  it.each(['{}', '{"service":""}', ' { } '])('that is %s asks about the bridge', async (text) => {
    expect(await (await post(text)).json()).toEqual({ status: 'SERVING' });
    expect(await call({ 'content-type': 'application/grpc+json' }, framed(text))).toMatchObject({ status: '0' });
  });
});

describe('a compression', () => {
  const deflated = (service: string) => {
    const name = Buffer.from(service);
    const message = deflateSync(Buffer.concat([Buffer.from([0x0a, name.length]), name]));
    const head = Buffer.alloc(5, 1);
    head.writeUInt32BE(message.length, 1);
    return Buffer.concat([head, message]);
  };
  // As grpcio and C++ offer it.
  const accepts = { 'grpc-accept-encoding': 'identity, deflate, gzip' };

  it.each(['/grpc.health.v1.Health/Check', '/grpc.health.v1.Health/List'])('of deflate is read by %s', async (path) => {
    const sent = path.endsWith('Check') ? deflated('orders') : Buffer.alloc(5);
    expect(await call({ ...GRPC, ...accepts, ':path': path, 'grpc-encoding': 'deflate' }, sent)).toMatchObject({ status: '0' });
  });

  it.each(['deflate', 'gzip', 'snappy', 'zstd', 'identity'])(
    'of %s does not matter where the message says that it is not compressed',
    async (name) => {
      expect(await call({ ...GRPC, ...accepts, 'grpc-encoding': name }, frame('orders'))).toMatchObject({
        status: '0',
        body: SERVING,
      });
    },
  );

  it('of deflate that is none, or of one that is not known, is refused', async () => {
    const broken = Buffer.from([1, 0, 0, 0, 3, 1, 2, 3]);
    expect(await call({ ...GRPC, 'grpc-encoding': 'deflate' }, broken)).toMatchObject({ status: '3' });
    expect(await call({ ...GRPC, 'grpc-encoding': 'zstd' }, broken)).toMatchObject({
      status: '3',
      trailers: { 'grpc-message': expect.stringContaining('gzip') },
    });
  });

  it('of deflate may not blow up beyond the limit of a message', async () => {
    const bomb = deflateSync(Buffer.alloc(1 << 20));
    const head = Buffer.alloc(5, 1);
    head.writeUInt32BE(bomb.length, 1);
    expect(await call({ ...GRPC, 'grpc-encoding': 'deflate' }, head, bomb)).toMatchObject({ status: '8' });
  });
});

describe('gRPC-Web', () => {
  it('as text is answered as text', async () => {
    for (const cut of [0, 3, 7]) {
      const text = frame('orders').toString('base64');
      const type = 'application/grpc-web-text+proto';
      const answer = await call(
        { 'content-type': type, accept: type },
        Buffer.from(text.slice(0, cut)),
        Buffer.from(text.slice(cut)),
      );
      expect(answer.headers['content-type']).toBe(type);
      // Each message is encoded by itself, padding and all: decode up to each end.
      const bytes = Buffer.concat(
        answer.body
          .toString()
          .match(/[^=]+=*/g)
          ?.map((part) => Buffer.from(part, 'base64')) ?? [],
      );
      expect(bytes.subarray(0, 7)).toEqual(SERVING);
      expect(bytes.subarray(7).toString('latin1')).toMatch(/^\x80[\s\S]{4}grpc-status: 0/);
    }
  });

  it('may be asked from a page of an origin that is named and of no other, and a browser is told so beforehand', async () => {
    await using server = await startServer({ allowOrigin: 'https://console.example' });
    const asked = (origin?: string) =>
      fetch(`http://${server.listeners.health}${CHECK}`, {
        method: 'POST',
        body: '{"service":"orders"}',
        headers: { 'content-type': 'application/json', ...(origin !== undefined && { origin }) },
      });
    const preflight = await fetch(`http://${server.listeners.health}${CHECK}`, {
      method: 'OPTIONS',
      headers: { origin: 'https://console.example', 'access-control-request-method': 'POST' },
    });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get('access-control-allow-origin')).toBe('https://console.example');
    expect(preflight.headers.get('access-control-allow-methods')).toContain('POST');
    expect(preflight.headers.get('access-control-allow-headers')?.toLowerCase()).toContain('x-grpc-web');
    const answer = await asked('https://console.example');
    expect(answer.headers.get('access-control-allow-origin')).toBe('https://console.example');
    expect(answer.headers.get('access-control-expose-headers')?.toLowerCase()).toContain('grpc-status');
    expect((await asked()).headers.get('access-control-allow-origin')).toBeNull();
    const other = await asked('https://console.example.evil.example');
    expect([other.status, other.headers.get('access-control-allow-origin')]).toEqual([403, null]);
  });
});

it('a connection may have a thousand watches, and another once one has ended', async () => {
  const session = connectHttp2(`http://${server.listeners.health}`, { peerMaxConcurrentStreams: 2_000 });
  await once(session, 'remoteSettings');
  expect(session.remoteSettings.maxConcurrentStreams).toBe(1_000);
  const watch = () => {
    const stream = session.request({ ':method': 'POST', ':path': '/grpc.health.v1.Health/Watch', ...GRPC });
    stream.end(frame('orders'));
    return stream;
  };
  const streams = Array.from({ length: 1_000 }, watch);
  await Promise.all(streams.map((stream) => once(stream, 'data')));
  const [one] = streams;
  if (one === undefined) throw new Error('there is no stream');
  one.close(constants.NGHTTP2_CANCEL);
  await once(one, 'close');
  const [first] = await once(watch(), 'data');
  expect(first).toEqual(SERVING);
  session.destroy();
});
