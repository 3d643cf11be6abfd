import { createServer as createHttp } from 'node:http';
import { createServer as createHttps } from 'node:https';
import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import type { CheckKind } from '../../src/registry/checks.ts';
import { failOnLeaks } from '../support/leaks.ts';
import { answering, CERT, deadPort, KEY, listening, loopbackChecks, outcomeOf, patience, target } from './peers.ts';

failOnLeaks();

type HttpCheck = Extract<CheckKind, { type: 'http' }>;

function http(parts: Partial<HttpCheck> = {}): HttpCheck {
  return { type: 'http', path: '/', headers: '', expectedResponseCode: 200, tls: false, verify: true, ...parts };
}

describe('an answer', () => {
  const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
  it.each<readonly [what: string, answer: string, expected: number, outcome: string]>([
    ['200', OK, 200, 'passes'],
    ['200 of HTTP/1.0', 'HTTP/1.0 200 OK\r\n\r\nok', 200, 'passes'],
    ['204 that is expected', 'HTTP/1.1 204 No Content\r\n\r\n', 204, 'passes'],
    ['200 where 204 is expected', OK, 204, 'unexpected status, at-once'],
    ['302 that is expected', 'HTTP/1.1 302 Found\r\nLocation: /\r\n\r\n', 302, 'passes'],
    ['404', 'HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n', 200, 'unexpected status, at-once'],
    ['500', 'HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n', 200, 'unexpected status, at-once'],
    ['503', 'HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n', 200, 'unexpected status, slow'],
    ['302', 'HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n', 200, 'redirected, slow'],
    ['307', 'HTTP/1.1 307 Elsewhere\r\nLocation: /\r\nContent-Length: 0\r\n\r\n', 200, 'redirected, slow'],
    ['early hints, then 200', `HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n${OK}`, 200, 'passes'],
    ['early hints, then 500', 'HTTP/1.1 103 Hints\r\n\r\nHTTP/1.1 500 Oops\r\n\r\n', 200, 'unexpected status, at-once'],
    ['a head of 15 KiB', `HTTP/1.1 200 OK\r\nA: ${'x'.repeat(15_000)}\r\n\r\n`, 200, 'passes'],
    ['a head of 20 KiB', `HTTP/1.1 200 OK\r\nA: ${'x'.repeat(20_000)}\r\n\r\n`, 200, 'not HTTP, at-once'],
    ['what is not HTTP', 'SSH-2.0-OpenSSH\r\n', 200, 'not HTTP, at-once'],
    ['a compressed body that is none', 'HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\nok', 200, 'passes'],
  ])('%s', async (_what, answer, expectedResponseCode, outcome) => {
    await using peer = await answering((socket) => socket.end(answer, 'latin1'));
    await using checks = loopbackChecks();
    expect(await outcomeOf(checks.check(target(peer.port, http({ expectedResponseCode })), patience()))).toBe(outcome);
    expect(peer.connections).toBe(1);
  });

  it.each<readonly [what: string, answer: (socket: Socket) => void, outcome: string]>([
    ['never ends', (socket) => endless(socket, 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'), 'passes'],
    ['never comes, but for its length', (socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n'), 'passes'],
    ['is broken', (socket) => socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nnonsense'), 'passes'],
  ])('is not waited for: its body %s', async (_what, answer, outcome) => {
    await using peer = await answering(answer);
    await using checks = loopbackChecks();
    expect(await outcomeOf(checks.check(target(peer.port, http()), patience()))).toBe(outcome);
  });

  it.each<readonly [what: string, answer: (socket: Socket) => void, outcome: string]>([
    ['a reset', (socket) => socket.resetAndDestroy(), 'connection ended, counted'],
    ['an end', (socket) => socket.end(), 'connection ended, counted'],
    ['half a head and an end', (socket) => socket.end('HTTP/1.1 200 OK\r\nA'), 'connection ended, counted'],
  ])('%s is none', async (_what, answer, outcome) => {
    await using peer = await answering(answer);
    await using checks = loopbackChecks();
    expect(await outcomeOf(checks.check(target(peer.port, http()), patience()))).toBe(outcome);
  });

  it.each([
    ['never comes', ''],
    ['drips its head', 'HTTP/1.1 200 OK\r\nA: '],
    ['is nothing but early hints', 'HTTP/1.1 103 Hints\r\n\r\nHTTP/1.1 103 Hints\r\n\r\n'],
  ])('that %s is waited for until the signal aborts', async (_what, beginning) => {
    const patienceEnds = new AbortController();
    await using peer = await answering((socket) => {
      if (beginning === '') patienceEnds.abort();
      else socket.write(beginning, () => socket.write(beginning.slice(-4), () => patienceEnds.abort()));
    });
    await using checks = loopbackChecks();
    expect(await outcomeOf(checks.check(target(peer.port, http()), patienceEnds.signal))).toBe('timed out, slow');
  });

  it('is not waited for where nobody listens', async () => {
    await using checks = loopbackChecks();
    expect(await outcomeOf(checks.check(target(await deadPort(), http()), patience()))).toBe('refused, at-once');
  });
});

/** As fast as it is read, which is never. */
function endless(socket: Socket, head: string): void {
  socket.write(head);
  const chunk = `${(4_096).toString(16)}\r\n${'x'.repeat(4_096)}\r\n`;
  const more = () => {
    while (socket.writable && socket.write(chunk));
  };
  socket.on('drain', more);
  more();
}

describe('the request', () => {
  it.each<readonly [path: string, line: string]>([
    ['/health?a=b&c=%20', '/health?a=b&c=%20'],
    ['', '/'],
    ['health', '/health'],
    ['//evil.example/', '//evil.example/'],
    ['/a b\r\nX: y', '/a%20b%0D%0AX:%20y'],
    ['/健康#top', '/%E5%81%A5%E5%BA%B7'],
    ['http://evil.example/', '/http://evil.example/'],
  ])('for the path "%s" asks for %s', async (path, line) => {
    let asked = '';
    await using peer = await answering((socket, text) => {
      asked = text;
      socket.end('HTTP/1.1 200 OK\r\n\r\n');
    });
    await using checks = loopbackChecks();
    await checks.check(target(peer.port, http({ path })), patience());
    expect(asked.split('\r\n')[0]).toBe(`GET ${line} HTTP/1.1`);
    expect(asked.match(/\r\n\r\n/g)).toHaveLength(1);
  });

  it('has the headers that are set, and none that may not be', async () => {
    let asked = '';
    await using peer = await answering((socket, text) => {
      asked = text;
      socket.end('HTTP/1.1 200 OK\r\n\r\n');
    });
    await using checks = loopbackChecks();
    const headers = [
      'X-A: some words ',
      'X-B:',
      'x-c: a:b',
      'alone',
      'a b:c',
      'X-D:Grüße',
      'X-E:a\r\nX-F: b',
      '健:康',
      ...FORBIDDEN.map((name) => `${name}:forbidden`),
    ].join('|');
    await checks.check(target(peer.port, http({ headers })), patience());
    const lines = asked.trimEnd().split('\r\n').slice(1).sort();
    expect(lines).toEqual([
      'X-A: some words',
      'X-B: ',
      'X-D: Gr\xfc\xdfe',
      'connection: close',
      `host: 127.0.0.1:${peer.port}`,
      'user-agent: beatbridge',
    ]);
  });

  const FORBIDDEN = [
    ...['Host', 'AUTHORIZATION', 'Proxy-Authorization', 'proxy-connection', 'Cookie', 'Connection', 'Keep-Alive', 'TE'],
    ...['Trailer', 'Transfer-Encoding', 'Upgrade', 'HTTP2-Settings', 'Content-Length', 'Expect'],
  ];

  it('may say that it comes from somebody else', async () => {
    let asked = '';
    await using peer = await answering((socket, text) => {
      asked = text;
      socket.end('HTTP/1.1 200 OK\r\n\r\n');
    });
    await using checks = loopbackChecks();
    await checks.check(target(peer.port, http({ headers: 'user-agent:mine' })), patience());
    expect(asked.match(/^user-agent: .*$/gim)).toEqual(['user-agent: mine']);
  });

  it('to an IPv6 address has it in brackets', async () => {
    let host: string | undefined;
    await using peer = await listening(
      createHttp((req, res) => {
        host = req.headers.host;
        res.end();
      }),
      '::1',
    );
    await using checks = loopbackChecks();
    for (const ip of ['::1', '[::1]']) await checks.check(target(peer.port, http(), ip), patience());
    expect(host).toBe(`[0:0:0:0:0:0:0:1]:${peer.port}`);
  });
});

describe('TLS', () => {
  const https = () => createHttps({ cert: CERT, key: KEY }, (_req, res) => res.end('ok'));

  it.each<readonly [what: string, ip: string, ca: string | undefined, verify: boolean, outcome: string]>([
    ['a certificate that is trusted', '127.0.0.1', CERT, true, 'passes'],
    ['one that is for a name', 'localhost', CERT, true, 'passes'],
    ['one that is for another address', '127.0.0.2', CERT, true, 'certificate not trusted, at-once'],
    ['one that nobody trusts', '127.0.0.1', undefined, true, 'certificate not trusted, at-once'],
    ['one that nobody asks for', '127.0.0.1', undefined, false, 'passes'],
    ['one for another address that nobody asks for', '127.0.0.2', undefined, false, 'passes'],
  ])('with %s', async (_what, ip, ca, verify, outcome) => {
    await using peer = await listening(https(), '0.0.0.0');
    await using checks = loopbackChecks({ ca, resolveNames: true });
    expect(await outcomeOf(checks.check(target(peer.port, http({ tls: true, verify }), ip), patience()))).toBe(outcome);
  });

  it('is missed where a plain port answers', async () => {
    await using peer = await answering((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    await using checks = loopbackChecks();
    expect(await outcomeOf(checks.check(target(peer.port, http({ tls: true })), patience()))).toBe('no TLS, at-once');
  });

  it.each<readonly [what: string, answer: (socket: Socket) => void, outcome: string]>([
    ['ends', (socket) => socket.end(), 'connection ended, counted'],
    ['resets', (socket) => socket.resetAndDestroy(), 'connection ended, counted'],
  ])('is not spoken of by a port that %s', async (_what, answer, outcome) => {
    await using peer = await answering(answer);
    await using checks = loopbackChecks();
    expect(await outcomeOf(checks.check(target(peer.port, http({ tls: true })), patience()))).toBe(outcome);
  });

  it('is waited for until the signal aborts', async () => {
    const patienceEnds = new AbortController();
    await using peer = await answering(() => patienceEnds.abort());
    await using checks = loopbackChecks();
    expect(await outcomeOf(checks.check(target(peer.port, http({ tls: true })), patienceEnds.signal))).toBe('timed out, slow');
  });

  it('is what a port wants that is asked without', async () => {
    await using peer = await listening(https());
    await using checks = loopbackChecks();
    const outcome = await outcomeOf(checks.check(target(peer.port, http()), patience()));
    expect(['not HTTP, at-once', 'connection ended, counted']).toContain(outcome);
  });
});
