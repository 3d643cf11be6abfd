import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import { connect as connectHttp2 } from 'node:http2';
import { createServer as createHttps } from 'node:https';
import { type AddressInfo, connect, createServer as createTcp, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { connect as connectTls, createServer as createTls } from 'node:tls';
import { fetch as undiciFetch } from 'undici';
import { describe, expect, it } from 'vitest';
import type { Asked } from '../../src/access/access.ts';
import { AskedOverGrpc } from '../../src/access/asked-over-grpc.ts';
import { AskedOverHttp } from '../../src/access/asked-over-http.ts';
import { type Head, headOf, pageFault } from '../../src/access/browsers.ts';
import { credentialsIn, requestHeaders } from '../../src/access/carriers.ts';
import type { Headers } from '../../src/wire/browser.ts';
import { peerOf, type Request } from '../../src/wire/exchange.ts';
import { http2Serving } from '../support/http2-serving.ts';
import { failOnLeaks } from '../support/leaks.ts';

failOnLeaks();

const FILES = join(import.meta.dirname, '../fixtures/tls');
const [cert, key] = ['cert.pem', 'key.pem'].map((name) => readFileSync(join(FILES, name)));

interface Seen {
  readonly head: Head;
  readonly headers: Headers;
}

/** What access reads of each request that a real server gets. */
async function served(make: (listener: (req: Request, res: { end(): unknown }) => void) => Server) {
  const seen: Seen[] = [];
  const sockets = new Set<Socket>();
  const server = make((req, res) => {
    seen.push({ head: headOf(req), headers: requestHeaders(req) });
    res.end();
  });
  for (const event of ['connection', 'secureConnection']) server.on(event, (socket: Socket) => void sockets.add(socket));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  // A server that listens has an address of this kind.
  const { port } = server.address() as AddressInfo;
  const dispose = async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, 'close');
  };
  return { seen, port, [Symbol.asyncDispose]: dispose };
}

/** Sends the very bytes, and hears all that comes back. */
async function sent(socket: Socket, lines: readonly string[]): Promise<void> {
  socket.end([...lines, 'Connection: close', '', ''].join('\r\n'));
  socket.resume();
  await once(socket, 'close');
}

const RULES = { hosts: ['bridge.example'], origins: [] };
const FORM = ['Content-Length: 0', 'Content-Type: application/x-www-form-urlencoded'];
const CHROMIUM = [
  'User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36',
  'Accept: */*',
  'Accept-Encoding: gzip, deflate, br, zstd',
  'Accept-Language: en-US,en;q=0.9',
];
const OTHER_SITE = 'this name is not one of mine; add --allow-host NAME';
const FOREIGN = expect.stringContaining('a web page on another site');

describe('over HTTP/1.1', () => {
  it.each<readonly [row: string, lines: readonly string[], fault: unknown]>([
    ['a client', ['POST / HTTP/1.1', 'Host: nacos.shop.svc', 'User-Agent: Nacos-Go-Client:v2.3.5', ...FORM], undefined],
    [
      'a form of another site',
      [
        'POST / HTTP/1.1',
        'Host: 127.0.0.1:8848',
        'Origin: http://evil.example',
        'Sec-Fetch-Site: cross-site',
        ...CHROMIUM,
        ...FORM,
      ],
      FOREIGN,
    ],
    ['a form without an origin', ['POST / HTTP/1.1', 'Host: 127.0.0.1:8848', 'Origin: null', ...CHROMIUM, ...FORM], FOREIGN],
    [
      'a page under a rebound name',
      ['POST / HTTP/1.1', 'Host: evil.example:8848', 'Origin: http://evil.example:8848', ...CHROMIUM, ...FORM],
      OTHER_SITE,
    ],
    ['reading under a rebound name', ['GET / HTTP/1.1', 'Host: evil.example:8848', ...CHROMIUM], OTHER_SITE],
    [
      'reading from another site',
      ['GET / HTTP/1.1', 'Host: bridge.example', 'Origin: http://evil.example', ...CHROMIUM],
      undefined,
    ],
    [
      'a web socket of another site',
      [
        'GET / HTTP/1.1',
        'Host: bridge.example',
        'Origin: http://evil.example',
        'Upgrade: websocket',
        'Connection: Upgrade',
        ...CHROMIUM,
      ],
      FOREIGN,
    ],
    ['an empty host', ['GET / HTTP/1.1', 'Host: ', ...CHROMIUM], OTHER_SITE],
    ['no host', ['GET / HTTP/1.0', ...CHROMIUM], OTHER_SITE],
    ['two hosts, the own one first', ['GET / HTTP/1.1', 'Host: 127.0.0.1:8848', 'Host: evil.example', ...CHROMIUM], OTHER_SITE],
    ['two hosts, the own one last', ['GET / HTTP/1.1', 'Host: evil.example', 'Host: 127.0.0.1:8848', ...CHROMIUM], OTHER_SITE],
    [
      'two origins',
      [
        'POST / HTTP/1.1',
        'Host: 127.0.0.1:8848',
        'Origin: http://127.0.0.1:8848',
        'Origin: http://evil.example',
        ...CHROMIUM,
        ...FORM,
      ],
      FOREIGN,
    ],
    [
      'its own page',
      [
        'POST / HTTP/1.1',
        'Host: localhost:8848',
        'Origin: http://localhost:8848',
        'Sec-Fetch-Site: same-origin',
        ...CHROMIUM,
        ...FORM,
      ],
      undefined,
    ],
  ])('%s', async (_, lines, fault) => {
    await using room = await served((listener) => createServer(listener as RequestListener));
    await sent(connect(room.port, '127.0.0.1'), lines);
    expect(room.seen.map(({ head }) => pageFault(head, RULES))).toEqual([fault]);
  });

  it('what stands twice in a head says two things, though Node keeps one', async () => {
    await using room = await served((listener) => createServer(listener as RequestListener));
    const lines = ['GET / HTTP/1.1', 'Host: a', 'Authorization: Bearer t1', 'authorization: Bearer t2'];
    await sent(connect(room.port, '127.0.0.1'), lines);
    await sent(connect(room.port, '127.0.0.1'), ['GET / HTTP/1.1', 'Host: a', 'accessToken: t1', 'AccessToken: t2']);
    await sent(connect(room.port, '127.0.0.1'), ['GET / HTTP/1.1', 'Host: a', 'accessToken: t1', 'Authorization: Bearer t1']);
    expect(room.seen.map(({ headers }) => credentialsIn({ params: [], headers }))).toEqual([
      'disagree',
      'disagree',
      { token: 't1', pair: undefined, isSigned: false },
    ]);
  });
});

describe('a request, as access is asked about it', () => {
  it('says what its socket and its head say, and takes who asks from parameters or a payload', async () => {
    const asked: Asked[] = [];
    const ips: string[] = [];
    await using room = await served((listener) =>
      createServer((req, res) => {
        const params = [['accessToken', 't1']] as const;
        const payload = { accessToken: 't2', Username: 'ann' };
        const call = { headers: req.headers, payload, agent: 'Nacos-Rust-Client:0.8', example: 'x' };
        asked.push(
          new AskedOverHttp(req, { example: 'x' }),
          new AskedOverHttp(req, { example: 'x', params, isScoped: true, ownParams: true }),
          new AskedOverGrpc(peerOf(req), call),
        );
        ips.push(...asked.map(({ ip }) => ip));
        listener(req, res);
      }),
    );
    await sent(connect(room.port, '127.0.0.1'), [
      'GET /a HTTP/1.1',
      'Host: a',
      'User-Agent: Mozilla/5.0',
      'accessToken: t1',
      'Via: x',
    ]);
    expect(asked.map(({ isBrowser, isEncrypted, certificate, agent }) => [isBrowser, isEncrypted, certificate, agent])).toEqual([
      [true, false, undefined, 'Mozilla/5.0'],
      [true, false, undefined, 'Mozilla/5.0'],
      [true, false, undefined, 'Nacos-Rust-Client:0.8'],
    ]);
    expect(ips).toEqual(['127.0.0.1', '127.0.0.1', '127.0.0.1']);
    expect(asked.map(({ isScoped, ownParams, headers }) => [isScoped, ownParams, headers.via])).toEqual([
      [false, false, 'x'],
      [true, true, 'x'],
      [true, false, 'x'],
    ]);
    expect(asked.map(({ carriers }) => credentialsIn(carriers))).toMatchObject([
      { token: 't1' },
      { token: 't1' },
      { token: 't2' },
    ]);
  });
});

it.each([
  ['of Node', globalThis.fetch],
  ['of undici', undiciFetch],
] as const)('fetch %s is no browser', async (_, fetch) => {
  await using room = await served((listener) => createServer(listener as RequestListener));
  for (const method of ['GET', 'POST', 'DELETE']) {
    const response = await fetch(`http://127.0.0.1:${room.port}/`, { method });
    await response.text();
  }
  expect(room.seen.map(({ head }) => pageFault({ ...head, hosts: ['nacos.shop.svc'] }, RULES))).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
});

describe('over HTTP/2', () => {
  it.each(['http', 'https'] as const)('by %s, a page is told by its authority', async (scheme) => {
    await using room = await served((listener) => {
      const { serve } = http2Serving(listener);
      return scheme === 'http' ? createTcp(serve) : createTls({ cert, key, ALPNProtocols: ['h2'] }, serve);
    });
    const own = `127.0.0.1:${room.port}`;
    const session = connectHttp2(`${scheme}://${own}`, { rejectUnauthorized: false });
    const mark = { 'user-agent': 'Mozilla/5.0' };
    for (const headers of [
      mark,
      { ...mark, ':authority': 'evil.example' },
      { ...mark, host: 'evil.example' },
      { ...mark, ':method': 'POST', origin: `${scheme}://${own}` },
      { ...mark, ':method': 'POST', origin: `${scheme === 'http' ? 'https' : 'http'}://${own}` },
    ]) {
      const stream = session.request(headers);
      stream.end();
      stream.resume();
      await once(stream, 'close');
    }
    session.close();
    await once(session, 'close');
    expect(room.seen.map(({ head }) => head.isEncrypted)).toEqual(Array(5).fill(scheme === 'https'));
    expect(room.seen.map(({ head }) => pageFault(head, RULES))).toEqual([undefined, OTHER_SITE, OTHER_SITE, undefined, FOREIGN]);
  });

  it('HTTP/1.1 on the port of TLS is encrypted too', async () => {
    await using room = await served((listener) => createHttps({ cert, key }, listener as RequestListener));
    const socket = connectTls({ port: room.port, host: '127.0.0.1', rejectUnauthorized: false, ALPNProtocols: ['http/1.1'] });
    await sent(socket, ['GET / HTTP/1.1', 'Host: a']);
    expect(room.seen.map(({ head }) => head.isEncrypted)).toEqual([true]);
  });
});
