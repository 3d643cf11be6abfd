import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { connect as connectHttp2, constants } from 'node:http2';
import { get } from 'node:https';
import { connect as connectTcp, createServer as createNetServer } from 'node:net';
import { networkInterfaces } from 'node:os';
import { connect as connectTls } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createServer, ListenError, type Server } from '../../src/index.ts';
import type { Serve } from '../../src/wire/exchange.ts';
import type { CallRoute, Lanes } from '../../src/wire/lanes.ts';
import { listen, openServer, type PortOptions } from '../../src/wire/listener.ts';
import { systemScheduler } from '../../src/wire/scheduler.ts';
import { TLS_CERT, TLS_KEY } from '../support/health-clients.ts';
import { failOnLeaks } from '../support/leaks.ts';
import { LIMITS } from '../support/limits.ts';
import { dial, exchange, hear } from '../support/raw.ts';
import { register, startServer } from '../support/server.ts';

failOnLeaks();

let server: Server;

beforeAll(async () => {
  server = await startServer();
  await register(server, 'orders');
});
afterAll(() => server.close(100));

const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';
const EMPTY_SETTINGS = Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]);
const CHECK = '/grpc.health.v1.Health/Check';

function jsonCheck(service: string, headers = ''): string {
  const body = JSON.stringify({ service });
  return `POST ${CHECK} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n${headers}\r\n${body}`;
}

/** The proof that the process lives and others are served, after whatever has been done to it. */
async function expectServing() {
  const response = await fetch(`http://${server.listeners.health}${CHECK}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"service":"orders"}',
  });
  expect(await response.json()).toEqual({ status: 'SERVING' });
}

const answered = (heard: string) => heard.includes('\r\n\r\n');

it('two Host headers are one too many, and no two names for one connection', async () => {
  const twice = (name: string) => `GET /livez HTTP/1.1\r\nHost: a\r\n${name}: b\r\nConnection: close\r\n\r\n`;
  expect(await exchange(server.listeners.main, [twice('hOST')])).toMatch(/^HTTP\/1.1 400 .*one Host header/s);
  expect(await exchange(server.listeners.main, [twice('Hose')])).toMatch(/^HTTP\/1.1 200 /);
});

describe('one port', () => {
  it('takes an HTTP/2 preface in single bytes', async () => {
    const socket = await dial(server.listeners.health);
    socket.setNoDelay(true);
    const heard = hear(socket, (text) => text.length >= 9);
    for (const byte of PREFACE) {
      socket.write(byte);
      await new Promise((resolve) => setImmediate(resolve));
    }
    socket.write(EMPTY_SETTINGS);
    // The server's own SETTINGS frame: type 4 on stream 0.
    expect((await heard).charCodeAt(3)).toBe(4);
    socket.destroy();
  });

  it('takes an HTTP/1.1 request in single bytes, also one that starts like the preface', async () => {
    for (const method of ['POST', 'PUT', 'PATCH', 'PRI']) {
      const request = `${method} /nowhere HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`;
      // PRI is not a method that HTTP/1 knows.
      expect(await exchange(server.listeners.health, [...request])).toMatch(
        method === 'PRI' ? /^HTTP\/1.1 400/ : /^HTTP\/1.1 404/,
      );
    }
  });

  it('serves pipelined requests and one connection for many', async () => {
    const twice = jsonCheck('orders') + jsonCheck('nobody', 'Connection: close\r\n');
    const heard = await exchange(server.listeners.health, [twice]);
    expect(heard).toContain('{"status":"SERVING"}');
    expect(heard).toContain('"code":"not_found"');
  });

  it('answers a request that asks for an upgrade to h2c over HTTP/1.1', async () => {
    const upgrade = 'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n';
    const heard = await exchange(server.listeners.health, [jsonCheck('orders', upgrade)], (text) => text.includes('SERVING'));
    expect(heard).toMatch(/^HTTP\/1.1 200/);
  });

  it('serves the Nacos calls over HTTP/2 as well', async () => {
    const session = connectHttp2(`http://${server.listeners.main}`);
    const stream = session.request({ ':path': '/nacos/v1/ns/operator/metrics' });
    const [headers] = await once(stream, 'response');
    expect(headers[':status']).toBe(200);
    stream.resume();
    await once(stream, 'close');
    session.close();
  });

  it('ends the session of an HTTP/2 peer that has finished sending', async () => {
    const socket = await dial(server.listeners.health);
    const heard = hear(socket);
    socket.end(Buffer.concat([Buffer.from(PREFACE), EMPTY_SETTINGS]));
    await heard;
    expect(socket.destroyed).toBe(true);
  });
});

const JSON_CHECK = 'Content-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}';

it.each([
  ['HTTP/1.0 without Host', `POST ${CHECK} HTTP/1.0\r\n${JSON_CHECK}`, 200],
  ['OPTIONS as HAProxy checks by default', `OPTIONS ${CHECK} HTTP/1.0\r\n\r\n`, 405],
  ['a Host that is no host', `POST ${CHECK} HTTP/1.1\r\nHost: [\r\n${JSON_CHECK}`, 200],
  ['a Host with a blank', `POST ${CHECK} HTTP/1.1\r\nHost: a b\r\n${JSON_CHECK}`, 200],
  ['an empty Host', `POST ${CHECK} HTTP/1.1\r\nHost:\r\n${JSON_CHECK}`, 200],
  ['a Host with two ports', `POST ${CHECK} HTTP/1.1\r\nHost: a:b:c\r\n${JSON_CHECK}`, 200],
  [
    "a Host that is Istio's cluster",
    `POST ${CHECK} HTTP/1.1\r\nHost: outbound|80||orders.ns.svc.cluster.local\r\n${JSON_CHECK}`,
    200,
  ],
])('%s makes no difference, as nothing depends on a host: %s', async (_, request, status) => {
  expect(await exchange(server.listeners.health, [request], answered)).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
  await expectServing();
});

it.each(['[', 'a:b:c', 'outbound', 'orders_cluster', 'outbound|80||orders.ns.svc'])(
  'the HTTP/2 authority %s is served (envoyproxy/envoy#5238)',
  async (authority) => {
    const session = connectHttp2(`http://${server.listeners.health}`);
    const stream = session.request({
      ':path': CHECK,
      ':method': 'POST',
      ':authority': authority,
      'content-type': 'application/json',
    });
    stream.end('{}');
    const [headers] = await once(stream, 'response');
    expect(headers[':status']).toBe(200);
    session.destroy();
    await expectServing();
  },
);

describe('bad input', () => {
  it.each([
    ['HTTP/1.1 without Host', `POST ${CHECK} HTTP/1.1\r\nContent-Length: 0\r\n\r\n`],
    ['a request line that is none', 'hello\r\n\r\n'],
    ['a TLS handshake', Buffer.from('16030100c8010000c40303', 'hex')],
    ['binary noise', Buffer.from([0, 1, 2, 3, 255, 254, 13, 10, 13, 10])],
    ['a PROXY header', 'PROXY TCP4 192.0.2.1 192.0.2.2 5000 80\r\n'],
    ['a binary PROXY header', Buffer.from('0d0a0d0a000d0a515549540a2111000cc0000201c000020213880050', 'hex')],
    ['a preface that goes wrong', 'PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n'],
    ['two lengths', `POST ${CHECK} HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}`],
    [
      'a length and chunks',
      `POST ${CHECK} HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    ],
  ])('%s is refused with 400', async (_, request) => {
    expect(await exchange(server.listeners.health, [request], answered)).toMatch(/^HTTP\/1.1 400 /);
    await expectServing();
  });

  it('a header over 64 KiB is refused with 431', async () => {
    const request = `GET / HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(70_000)}\r\n\r\n`;
    expect(await exchange(server.listeners.health, [request], answered)).toMatch(/^HTTP\/1.1 431 /);
    await expectServing();
  });

  it.each([
    ['an unknown path', 'GET', '/grpc.health.v1.Health', '', 404],
    ['an unknown method of the service', 'POST', '/grpc.health.v1.Health/Nothing', 'application/json', 404],
    ['the wrong HTTP method', 'GET', CHECK, '', 405],
    ['no content type', 'POST', CHECK, '', 415],
    ['a form', 'POST', CHECK, 'application/x-www-form-urlencoded', 415],
    ['JSON that is none', 'POST', CHECK, 'application/json', 400],
    ['protobuf that is none', 'POST', CHECK, 'application/proto', 400],
  ])('%s is refused', async (_, method, path, type, status) => {
    const response = await fetch(`http://${server.listeners.health}${path}`, {
      method,
      ...(type !== '' && { headers: { 'content-type': type } }),
      ...(method === 'POST' && { body: new Uint8Array([0xff, 0x7b]) }),
    });
    expect(response.status).toBe(status);
    await expectServing();
  });

  it('an HTTP/2 request without a name of any host is answered, and so is one that names it in a Host header', async () => {
    const socket = await dial(server.listeners.health);
    // The content type is what it lacks.
    const heard = hear(socket, (text) => text.includes('415'));
    // POST, http, and the path in full; the last of stream 1.
    const head = Buffer.concat([Buffer.from([0x83, 0x86, 0x04, CHECK.length]), Buffer.from(CHECK)]);
    const frame = Buffer.concat([Buffer.from([0, 0, head.length, 1, 5, 0, 0, 0, 1]), head]);
    socket.write(Buffer.concat([Buffer.from(PREFACE), EMPTY_SETTINGS, frame]));
    expect(await heard).toContain('application/json');
    socket.destroy();

    const session = connectHttp2(`http://${server.listeners.health}`);
    const stream = session.request({ ':path': CHECK, ':method': 'POST', host: 'x', 'content-type': 'application/json' });
    stream.end('{"service":"orders"}');
    stream.setEncoding('utf8');
    expect(await stream.toArray()).toEqual(['{"status":"SERVING"}']);
    session.destroy();
  });

  it('a header of HTTP/2 over 64 KiB, or of very many fields, is refused with 431, and no other', async () => {
    const session = connectHttp2(`http://${server.listeners.health}`, { maxSendHeaderBlockLength: 1 << 20 });
    await once(session, 'remoteSettings');
    expect(session.remoteSettings.maxHeaderListSize).toBe(64 << 10);
    const many = Object.fromEntries(Array.from({ length: 200 }, (_, i) => [`x-${i}`, '1']));
    for (const fields of [{ x: 'x'.repeat(66_000) }, many]) {
      const stream = session.request({ ':path': CHECK, ':method': 'POST', ...fields });
      const [headers] = await once(stream, 'response');
      expect(headers[':status']).toBe(431);
    }
    expect(session.closed).toBe(false);
    const stream = session.request({ ':path': '/health/orders' });
    const [headers] = await once(stream, 'response');
    expect(headers[':status']).toBe(200);
    session.destroy();
  });

  it('a peer that leaves at any point of a request harms nobody', async () => {
    const request = jsonCheck('orders');
    for (let length = 0; length <= request.length; length += 7) {
      const socket = await dial(server.listeners.health);
      socket.write(request.slice(0, length));
      await new Promise((resolve) => setImmediate(resolve));
      socket.resetAndDestroy();
    }
    for (let length = 0; length <= PREFACE.length; length++) {
      const socket = await dial(server.listeners.health);
      socket.write(PREFACE.slice(0, length));
      await new Promise((resolve) => setImmediate(resolve));
      if (length % 2 === 0) socket.resetAndDestroy();
      else socket.end();
    }
    await expectServing();
  });

  it('a peer that cancels HTTP/2 calls harms nobody', async () => {
    const session = connectHttp2(`http://${server.listeners.health}`);
    session.on('error', () => {});
    const streams = Array.from({ length: 200 }, (_, i) => {
      const path = i % 2 === 0 ? CHECK : '/grpc.health.v1.Health/Watch';
      const stream = session.request({ ':path': path, ':method': 'POST', 'content-type': 'application/grpc', te: 'trailers' });
      stream.on('error', () => {});
      if (i % 3 > 0) stream.write(Buffer.from([0, 0, 0, 0, 0]));
      if (i % 3 > 1) stream.end();
      setImmediate(() => stream.close(constants.NGHTTP2_CANCEL));
      return once(stream, 'close');
    });
    await Promise.all(streams);
    session.destroy();
    await expectServing();
  });
});

describe('starting', () => {
  it('on a taken port fails with one clear line, and leaves the other ports free', async () => {
    const taken = Number(server.listeners.health.split(':')[1]);
    const free = await startServer();
    const main = Number(free.listeners.main.split(':')[1]);
    await free.close(0);
    const start = createServer({ host: '127.0.0.1', port: main, grpcPort: 0, healthPort: taken });
    await expect(start).rejects.toThrow(new ListenError(`cannot listen on 127.0.0.1:${taken}: the port is taken`));
    await using again = await createServer({ host: '127.0.0.1', port: main, grpcPort: 0, healthPort: 0 });
    expect(again.listeners.main).toBe(`127.0.0.1:${main}`);
  });
});

/** A port on loopback, with the usual limits but for these. */
function opened(lanes: Lanes | Serve, { tls, ...limits }: Partial<typeof LIMITS> & Pick<PortOptions, 'tls'> = {}) {
  const given = typeof lanes === 'function' ? { request: lanes } : lanes;
  return listen('127.0.0.1', 0, given, { limits: { ...LIMITS, ...limits }, scheduler: systemScheduler, tls });
}

/** Short enough to be waited for. */
const quick = { headerTimeoutMs: 100, bodyTimeoutMs: 200 };
const echo: Serve = (req, res) => {
  req.on('error', () => {});
  res.on('error', () => {});
  req.on('end', () => res.end('whole'));
  req.resume();
};

describe('a peer that takes its time', () => {
  it.each([
    ['with its first byte', [], ''],
    ['in the middle of a preface', [PREFACE.slice(0, 10)], ''],
    ['in the middle of a header', ['POST / HTTP/1.1\r\nHost:'], 'HTTP/1.1 408'],
    ['in the middle of a body', ['POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc'], 'HTTP/1.1 408'],
    ['with its SETTINGS', [PREFACE], ''],
  ])('%s is shown the door', async (_, pieces, answer) => {
    const listener = await opened(echo, quick);
    expect((await exchange(listener.address, pieces)).startsWith(answer)).toBe(true);
    await listener.close(AbortSignal.abort());
  });

  it('is shown the door also if there is a byte now and then', async () => {
    const listener = await opened(echo, quick);
    const socket = await dial(listener.address);
    const closed = once(socket.resume(), 'close');
    for (const byte of PREFACE.slice(0, -1)) {
      if (socket.readableEnded || socket.destroyed) break;
      socket.write(byte);
      // Never as long as the whole time: no event tells that it is not begun anew.
      await new Promise((resolve) => setTimeout(resolve, quick.headerTimeoutMs / 2));
    }
    expect(socket.readableEnded || socket.destroyed).toBe(true);
    await closed;
    await listener.close(AbortSignal.abort());
  });

  it('with what has come while the process did something else is not shown the door', async () => {
    const listener = await opened(echo, { ...quick, headerTimeoutMs: 1_000 });
    const socket = await dial(listener.address);
    const acknowledged = hear(socket, (text) => text.includes('\0\0\0\x04\x01\0\0\0\0'));
    socket.write(PREFACE);
    // It has been read by then.
    await exchange(listener.address, ['GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n']);
    socket.write(EMPTY_SETTINGS);
    // All of the time that there is for a greeting, in one turn of the event loop.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2_500);
    await acknowledged;
    expect(socket.destroyed || socket.readableEnded).toBe(false);
    socket.destroy();
    await listener.close(AbortSignal.abort());
  });

  it('in the middle of an HTTP/2 body has its stream cancelled', async () => {
    const listener = await opened(echo, quick);
    const session = connectHttp2(`http://${listener.address}`);
    const stream = session.request({ ':path': '/', ':method': 'POST' });
    stream.on('error', () => {});
    stream.write('abc');
    await once(stream, 'close');
    expect(stream.rstCode).toBe(constants.NGHTTP2_CANCEL);
    session.destroy();
    await listener.close(AbortSignal.abort());
  });

  it('but has said all may wait for its answer as long as it likes', async () => {
    // Longer than the patience for a body: no event tells that nothing is cut meanwhile.
    const listener = await opened((req, res) => void req.on('end', () => setTimeout(() => res.end('late'), 500)).resume(), quick);
    const session = connectHttp2(`http://${listener.address}`);
    const stream = session.request({ ':path': '/', ':method': 'POST' });
    stream.end('abc');
    stream.setEncoding('utf8');
    expect(await stream.toArray()).toEqual(['late']);
    session.destroy();
    await listener.close(AbortSignal.abort());
  });

  it.each(['POST', 'GET'])('and is given its answer to %s bit by bit, is not cut off between them', async (method) => {
    const listener = await opened((req, res) => {
      const begin = () => {
        res.write('first, ');
        // No event tells that it is not.
        setTimeout(() => void res.end('second'), 100);
      };
      req.on('end', begin).resume();
    }, quick);
    const session = connectHttp2(`http://${listener.address}`);
    const stream = session.request({ ':path': '/', ':method': method });
    if (method === 'POST') stream.end('abc');
    stream.setEncoding('utf8');
    expect((await stream.toArray()).join('')).toBe('first, second');
    expect(stream.rstCode).toBe(constants.NGHTTP2_NO_ERROR);
    session.destroy();
    await listener.close(AbortSignal.abort());
  });
});

describe('an HTTP/2 peer', () => {
  const sockets = () => process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length;

  it('that gives no sign of life is taken for gone, and one that does is not', async () => {
    const listener = await opened((_, res) => void res.end(), { pingIntervalMs: 50 });
    const alive = connectHttp2(`http://${listener.address}`);
    await once(alive, 'remoteSettings');
    const socket = await dial(listener.address);
    const closed = once(socket, 'close');
    // It says hello, and never answers anything again.
    socket.write(Buffer.concat([Buffer.from(PREFACE), EMPTY_SETTINGS]));
    socket.resume();
    await closed;
    expect(alive.destroyed).toBe(false);
    alive.destroy();
    await listener.close(AbortSignal.abort());
  });

  it('that asks for signs of life gets one each time, up to a hundred a second', async () => {
    const session = connectHttp2(`http://${server.listeners.health}`);
    const ping = () =>
      new Promise<void>((resolve, reject) => {
        session.ping((error) => (error ? reject(error) : resolve()));
      });
    await once(session, 'remoteSettings');
    for (let i = 0; i < 100; i++) await ping();
    expect(session.closed).toBe(false);
    session.destroy();
  });

  it('that resets streams without end is let go, and nothing of it stays', async () => {
    const listener = await opened((_, res) => void res.end(), { pingIntervalMs: 50 });
    const before = sockets();
    for (let round = 0; round < 5; round++) {
      const session = connectHttp2(`http://${listener.address}`);
      session.on('error', () => {});
      await once(session, 'remoteSettings');
      for (let i = 0; i < 1_500 && !session.destroyed && !session.closed; i++) {
        const stream = session.request({ ':path': '/', ':method': 'POST' });
        stream.on('error', () => {});
        stream.close(constants.NGHTTP2_CANCEL);
      }
      session.destroy();
    }
    await expect.poll(sockets, { timeout: 10_000 }).toBeLessThanOrEqual(before);
    await listener.close(AbortSignal.abort());
  });
});

describe('the TLS port', () => {
  it('speaks HTTP/2 or HTTP/1.1 as the peer chooses, and serves all that the main port serves', async () => {
    await using secure = await startServer({ tls: { port: 0, cert: TLS_CERT, key: TLS_KEY } });
    const url = `https://${secure.listeners.tls}`;
    const session = connectHttp2(url, { ca: TLS_CERT });
    const stream = session.request({ ':path': '/nacos/v1/ns/operator/metrics' });
    const [headers] = await once(stream, 'response');
    expect([headers[':status'], session.alpnProtocol]).toEqual([200, 'h2']);
    session.destroy();
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      get(`${url}/health`, { ca: TLS_CERT, agent: false }, resolve).on('error', reject);
    });
    expect([answer.statusCode, answer.httpVersion]).toEqual([200, '1.1']);
    answer.resume();
  });

  it('speaks HTTP/1.1 with a peer that knows nothing of ALPN', async () => {
    await using secure = await startServer({ tls: { port: 0, cert: TLS_CERT, key: TLS_KEY } });
    const [host, port] = (secure.listeners.tls ?? '').split(':') as [string, string];
    const socket = connectTls({ host, port: Number(port), ca: TLS_CERT });
    await once(socket, 'secureConnect');
    expect(socket.alpnProtocol).toBe(false);
    const heard = hear(socket);
    socket.write('GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    expect(await heard).toMatch(/^HTTP\/1.1 200 /);
  });

  it('hangs up on whoever does not speak TLS, and goes on', async () => {
    await using secure = await startServer({ tls: { port: 0, cert: TLS_CERT, key: TLS_KEY } });
    const address = secure.listeners.tls ?? '';
    expect(await exchange(address, ['GET / HTTP/1.1\r\nHost: x\r\n\r\n'])).not.toContain('HTTP/1.1 200');
    const session = connectHttp2(`https://${address}`, { ca: TLS_CERT });
    await once(session, 'remoteSettings');
    session.destroy();
  });
});

describe('a port that speaks TLS beside cleartext', () => {
  const tls = { cert: TLS_CERT, key: TLS_KEY };
  const overTls = async (address: string) => {
    const [host, port] = address.split(':') as [string, string];
    const socket = connectTls({ host, port: Number(port), ca: TLS_CERT });
    await once(socket, 'secureConnect');
    return socket;
  };

  it('has the same limits within TLS as without', async () => {
    const listener = await opened(echo, { ...quick, tls });
    const silent = await overTls(listener.address);
    const silentClosed = once(silent.resume(), 'close');
    const slow = await overTls(listener.address);
    const slowHeard = hear(slow);
    slow.write('POST / HTTP/1.1\r\nHost:');
    expect(await slowHeard).toMatch(/^HTTP\/1.1 408 /);
    await silentClosed;
    const long = await overTls(listener.address);
    const longHeard = hear(long);
    long.write(`GET /${'x'.repeat(20_000)} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
    expect(await longHeard).toMatch(/^HTTP\/1.1 200 /);
    await listener.close(AbortSignal.abort());
  });

  it('closes without waiting for half a handshake, or for a connection that says nothing', async () => {
    const listener = await opened(echo, { tls });
    const half = await dial(listener.address);
    // A record of 512 bytes is to follow.
    half.write(Buffer.from([0x16, 3, 1, 2, 0, 1]));
    const closed = [once(half.resume(), 'close'), once((await overTls(listener.address)).resume(), 'close')];
    const session = connectHttp2(`https://${listener.address}`, { ca: TLS_CERT });
    await once(session, 'remoteSettings');
    closed.push(once(session, 'close'));
    // Never: what has not ended by itself keeps it waiting.
    await listener.close(new AbortController().signal);
    await Promise.all(closed);
  });
});

describe('a lane', () => {
  /** Answers `/fast`, but not what has `slow` in its body; and has no time for what has `hasty` in its header. */
  const lanes: Lanes = {
    async request(req, res) {
      const body: Buffer[] = [];
      for await (const chunk of req) body.push(chunk as Buffer);
      res.end(`the usual way ${Buffer.concat(body)}`.trim());
    },
    calls: {
      routeOf: (call) => (call.path === '/fast' ? FAST : undefined),
    },
    http1(req, res) {
      if (req.url !== '/fast') return false;
      res.end('the lane of requests');
      return true;
    },
  };
  const FAST: CallRoute = {
    maxBodyBytes: 10,
    mayWait: (call) => call.field('hasty') === undefined,
    serve(_, body, reply) {
      if (body.includes('slow')) return false;
      reply.send({ head: { ':status': 200 }, body: Buffer.from(`the lane of streams ${body}`.trim()), trailers: undefined });
      return true;
    },
  };
  const overHttp1 = async (address: string, path: string, isSecure: boolean) => {
    const request = `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`;
    if (!isSecure) return exchange(address, [request]);
    const [host, port] = address.split(':') as [string, string];
    const socket = connectTls({ host, port: Number(port), ca: TLS_CERT });
    const heard = hear(socket);
    socket.write(request);
    return heard;
  };

  it.each([
    ['in cleartext', undefined],
    ['within TLS', { cert: TLS_CERT, key: TLS_KEY }],
  ])('%s answers its path before a request is made of it, and leaves all others', async (_, tls) => {
    const port = await opened(lanes, { tls });
    const session = connectHttp2(`${tls ? 'https' : 'http'}://${port.address}`, { ca: TLS_CERT });
    const overHttp2 = (path: string) => {
      const stream = session.request({ ':path': path });
      stream.setEncoding('utf8');
      return stream.toArray();
    };
    expect(await overHttp2('/fast')).toEqual(['the lane of streams']);
    expect(await overHttp2('/other')).toEqual(['the usual way']);
    expect(await overHttp2('/fast')).toEqual(['the lane of streams']);
    expect(await overHttp1(port.address, '/fast', tls !== undefined)).toContain('the lane of requests');
    expect(await overHttp1(port.address, '/other', tls !== undefined)).toContain('the usual way');
    session.destroy();
    await port.close(AbortSignal.abort());
  });

  it('has the same limits, and outlives what its peers do', async () => {
    const port = await opened(lanes, { bodyTimeoutMs: 100 });
    const session = connectHttp2(`http://${port.address}`);
    const paused = session.request({ ':path': '/fast', ':method': 'POST' }, { endStream: false });
    paused.on('error', () => {});
    await once(paused, 'close');
    expect(paused.rstCode).toBe(constants.NGHTTP2_CANCEL);
    const reset = session.request({ ':path': '/fast', ':method': 'POST' }, { endStream: false });
    reset.on('error', () => {});
    reset.close(constants.NGHTTP2_CANCEL);
    await once(reset, 'close');
    const stream = session.request({ ':path': '/other' });
    stream.setEncoding('utf8');
    expect(await stream.toArray()).toEqual(['the usual way']);
    session.destroy();
    await port.close(AbortSignal.abort());
  });

  it.each<[string, readonly string[], Readonly<Record<string, string>>, string]>([
    ['that is whole at once', ['abc'], {}, 'the lane of streams abc'],
    ['that comes in pieces', ['ab', 'c', '', 'd'], {}, 'the lane of streams abcd'],
    ['that comes in pieces, where time counts,', ['ab', 'c', '', 'd'], { hasty: '1' }, 'the usual way abcd'],
    ['that is none of its own', ['slow'], {}, 'the usual way slow'],
    ['that is none of its own, in pieces,', ['sl', 'ow'], {}, 'the usual way slow'],
    ['that is too long', ['abcdefghijk'], {}, 'the usual way abcdefghijk'],
    ['that becomes too long', ['abcdefgh', 'ijk', 'lmn', 'opq'], {}, 'the usual way abcdefghijklmnopq'],
    [
      'of more than Node reads ahead',
      ['x'.repeat(100_000), 'y'.repeat(100_000)],
      {},
      `the usual way ${'x'.repeat(100_000)}${'y'.repeat(100_000)}`,
    ],
  ])('is given a body %s as it was sent, or nobody loses any of it', async (_, pieces, fields, answer) => {
    const port = await opened(lanes);
    const session = connectHttp2(`http://${port.address}`);
    const stream = session.request({ ':path': '/fast', ':method': 'POST', ...fields });
    for (const piece of pieces) {
      // So that they come apart: no event tells a client that the other side has looked at what it has. If they come as one all the same,
      // the answer is no other.
      if (pieces.length > 1) await new Promise((resolve) => setTimeout(resolve, 5));
      if (piece !== '') stream.write(piece);
    }
    stream.end();
    stream.setEncoding('utf8');
    expect((await stream.toArray()).join('')).toBe(answer);
    session.destroy();
    await port.close(AbortSignal.abort());
  });
});

describe('closing', () => {
  it('tells HTTP/2 peers to go, lets idle HTTP/1.1 connections end, and resolves then', async () => {
    const closing = await startServer();
    const session = connectHttp2(`http://${closing.listeners.health}`);
    const goneAway = once(session, 'goaway');
    await once(session, 'remoteSettings');
    const idle = await dial(closing.listeners.health);
    const idleHeard = hear(idle, (text) => text.includes('SERVING'));
    idle.write(jsonCheck(''));
    await idleHeard;
    const idleClosed = once(idle, 'close');
    const silent = await dial(closing.listeners.health);
    const silentClosed = once(silent, 'close');
    await closing.close(60_000);
    expect((await goneAway)[0]).toBe(constants.NGHTTP2_NO_ERROR);
    await Promise.all([idleClosed, silentClosed]);
  });

  it('ends a connection after the answer that it is giving, though its peer asks again at once', async () => {
    let closed: Promise<void> | undefined;
    const listener = await opened((_, res) => {
      closed ??= listener.close(new AbortController().signal);
      (res as ServerResponse).end('the last');
    });
    const socket = await dial(listener.address);
    const ask = () => socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    const heard = hear(socket, () => {
      ask();
      return false;
    });
    ask();
    expect(await heard).toMatch(/^HTTP\/1\.1 200 OK\r\n(?:.+\r\n)*Connection: close\r\n(?:.+\r\n)*\r\nthe last$/);
    await closed;
  });

  it('lets a slow reader have the answer that it is reading', async () => {
    const size = 20_000_000;
    const listener = await opened((_, res) => void (res as ServerResponse).end(Buffer.alloc(size, 'x')));
    const socket = await dial(listener.address);
    socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    await once(socket, 'readable');
    const closing = listener.close(AbortSignal.timeout(30_000));
    let bytes = 0;
    socket.on('data', (chunk) => {
      bytes += chunk.length;
    });
    await closing;
    if (!socket.closed) await once(socket, 'close');
    expect(bytes).toBeGreaterThan(size);
  });

  it('does not wait longer than it was told for an HTTP/2 peer that never closes its side', async () => {
    const closing = await startServer();
    const [host, port] = closing.listeners.health.split(':') as [string, string];
    const socket = connectTcp({ host, port: Number(port), allowHalfOpen: true });
    socket.on('error', () => {});
    socket.write(Buffer.concat([Buffer.from(PREFACE), EMPTY_SETTINGS]));
    await hear(socket, (heard) => heard.length >= 9);
    await closing.close(50);
    socket.destroy();
  });

  it('does not wait longer than it was told for a peer that stays', async () => {
    const closing = await startServer();
    const socket = await dial(closing.listeners.health);
    socket.write(`POST ${CHECK} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{`);
    await new Promise((resolve) => setImmediate(resolve));
    const closed = once(socket, 'close');
    await closing.close(50);
    await closed;
  });
});

describe('every address', () => {
  const hasIpv6 = Object.values(networkInterfaces()).some((all) => all?.some(({ address }) => address === '::1'));

  it('is one of both families', async () => {
    await using both = await createServer({ port: 0, grpcPort: 0, healthPort: 0 });
    const [, port] = /:(\d+)$/.exec(both.listeners.main) ?? [];
    expect(both.listeners.main).toBe(hasIpv6 ? `[::]:${port}` : `0.0.0.0:${port}`);
    for (const host of ['127.0.0.1', ...(hasIpv6 ? ['[::1]'] : [])]) {
      expect((await fetch(`http://${host}:${port}/health`)).status).toBe(200);
      // Told as the address that was dialled, never as an IPv4 address within IPv6.
      expect(await (await fetch(`http://${host}:${port}/nacos/serverlist`)).text()).toBe(
        `${host.replace(/[[\]]/g, '')}:${port}\r\n`,
      );
    }
  });

  it.each(['EAFNOSUPPORT', 'EADDRNOTAVAIL'])('is every one of IPv4 where the system has no other: %s', async (code) => {
    const asked: unknown[] = [];
    const net = createNetServer();
    const listenAt = net.listen.bind(net);
    net.listen = (...given: unknown[]) => {
      const [, host] = given;
      asked.push(host);
      if (String(host).includes(':')) process.nextTick(() => net.emit('error', Object.assign(new Error(code), { code })));
      // As it was called.
      else listenAt(...(given as [number, string, () => void]));
      return net;
    };
    await openServer(net, '::', 0);
    expect(asked).toEqual(['::', '0.0.0.0']);
    net.close();
    // Whoever asks for an address by name gets it or nothing.
    await expect(openServer(net, '::1', 0)).rejects.toThrow(code);
  });
});
