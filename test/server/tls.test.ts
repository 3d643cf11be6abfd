import { once } from 'node:events';
import { connect as connectHttp2 } from 'node:http2';
import { get } from 'node:https';
import type { ConnectionOptions } from 'node:tls';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { OptionsError, type Server } from '../../src/index.ts';
import { Authority, subjectAt } from '../support/certificates.ts';
import { failOnLeaks } from '../support/leaks.ts';
import { exchange } from '../support/raw.ts';
import { startServer } from '../support/server.ts';

failOnLeaks();

const authority = new Authority();
const identity = authority.issueForServer();
const client = authority.issue({ commonName: 'orders' });
const ca = authority.cert;
const NACOS_PORTS = ['main', 'grpc'] as const;
const PORTS = [...NACOS_PORTS, 'health'] as const;

/** The status of a GET over HTTP/1.1, `refused` where there is no answer. */
function overTls(address: string, path: string, options: ConnectionOptions = {}): Promise<number | 'refused' | undefined> {
  return new Promise((resolve) => {
    const req = get(`https://${address}${path}`, { ca, agent: false, ...options }, (res) => {
      res.resume();
      res.on('close', () => resolve(res.statusCode));
    });
    req.on('error', () => resolve('refused'));
  });
}

async function overHttp2(address: string, path: string): Promise<unknown> {
  const session = connectHttp2(`https://${address}`, { ca });
  const stream = session.request({ ':path': path });
  const [headers] = await once(stream, 'response');
  session.destroy();
  return headers[':status'];
}

const inClear = async (address: string) =>
  (await exchange(address, ['GET /health HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'])).slice(9, 12);

async function partOf(server: Server): Promise<string | undefined> {
  const response = await fetch(`http://${server.listeners.health}/readyz?verbose`);
  return (await response.text()).split('\n').find((line) => line.includes(']tls '));
}

describe('a server with a certificate', () => {
  it('speaks TLS and cleartext on every port, and nothing but TLS on its TLS port', async () => {
    await using server = await startServer({ tls: { ...identity, port: 0 } });
    for (const port of PORTS) {
      const address = server.listeners[port];
      expect([await overTls(address, '/health'), await overHttp2(address, '/health'), await inClear(address)]).toEqual([
        200,
        200,
        '200',
      ]);
    }
    const tls = server.listeners.tls ?? '';
    expect([await overTls(tls, '/nacos/v1/ns/operator/metrics'), await inClear(tls)]).toEqual([200, '400']);
    expect(await overTls(server.listeners.health, '/nacos/v1/ns/operator/metrics')).toBe(404);
  });

  it.each([
    ['nacos', ['400', '400', '200']],
    ['all', ['400', '400', '400']],
  ] as const)('and tlsOnly %s takes nothing else on those ports', async (tlsOnly, answers) => {
    await using server = await startServer({ tls: identity, tlsOnly });
    expect(await Promise.all(PORTS.map((port) => inClear(server.listeners[port])))).toEqual(answers);
    expect(await Promise.all(PORTS.map((port) => overTls(server.listeners[port], '/health')))).toEqual([200, 200, 200]);
  });

  it('that requires certificates asks those of health for none', async () => {
    const tls = { ...identity, clientCa: ca, port: 0 };
    await using server = await startServer({ tls, tlsOnly: 'nacos', tlsRequireClientCert: true });
    const all = ['main', 'grpc', 'tls', 'health'] as const;
    const statuses = (options: ConnectionOptions) =>
      Promise.all(all.map((port) => overTls(server.listeners[port] ?? '', '/health', options)));
    expect(await statuses({})).toEqual(['refused', 'refused', 'refused', 200]);
    expect(await statuses(client)).toEqual([200, 200, 200, 200]);
    expect(await partOf(server)).toContain('3 handshakes failed');
  });

  it('speaks as its options say', async () => {
    await using server = await startServer({ tls: identity, tlsMinVersion: 'TLSv1.3', tlsCiphers: 'TLS_AES_128_GCM_SHA256' });
    const { main } = server.listeners;
    expect(await overTls(main, '/health', { maxVersion: 'TLSv1.2' })).toBe('refused');
    expect(await overTls(main, '/health', { ciphers: 'TLS_AES_256_GCM_SHA384' })).toBe('refused');
    expect(await overTls(main, '/health')).toBe(200);
  });

  it('says at /readyz until when it is valid, and one without says nothing of it', async () => {
    await using server = await startServer({ tls: identity });
    expect(await partOf(server)).toBe('[+]tls CN=localhost valid until 2120-01-01T00:00:00.000Z, 0 handshakes failed');
    const asJson = await fetch(`http://${server.listeners.health}/readyz`, { headers: { accept: 'application/json' } });
    const { parts } = (await asJson.json()) as { readonly parts: readonly object[] };
    // In how many seconds it ends, for whoever watches that.
    expect(parts).toContainEqual(
      expect.objectContaining({ name: 'tls', validForSeconds: expect.closeTo((Date.UTC(2120, 0) - Date.now()) / 1_000, -2) }),
    );
    await using plain = await startServer();
    expect(await partOf(plain)).toBeUndefined();
  });
});

describe('another identity', () => {
  it('is shown on every port from then on', async () => {
    await using server = await startServer({ tls: { ...identity, port: 0 } });
    expect(server.renewIdentity(authority.issueForServer({ commonName: 'renewed' }))).toBe(true);
    const addresses = [...PORTS, 'tls' as const].map((port) => server.listeners[port] ?? '');
    expect(await Promise.all(addresses.map((address) => subjectAt(address, ca)))).toEqual(addresses.map(() => 'CN=renewed'));
    expect(await partOf(server)).toContain('[+]tls CN=renewed valid until ');
  });

  it('that is not fit is logged, and the one before stays', async () => {
    const lines: string[] = [];
    const log = pino({}, { write: (line: string) => void lines.push(line) });
    await using server = await startServer({ tls: identity, log });
    const bad = { ...identity, key: authority.issueForServer().key };
    expect(server.renewIdentity(bad)).toBe(false);
    expect(await subjectAt(server.listeners.main, ca)).toBe('CN=localhost');
    expect(await partOf(server)).toMatch(
      /^\[-\]tls CN=localhost .*, the new one cannot be used: tls must have a cert and a key /,
    );
    expect(server.renewIdentity(new OptionsError(['a.pem cannot be read']))).toBe(false);
    expect(server.renewIdentity({ ...identity, clientCa: ca })).toBe(false);
    expect(server.renewIdentity(authority.issueForServer({ until: new Date('2021-01-01T00:00:00Z') }))).toBe(false);
    expect(await subjectAt(server.listeners.main, ca)).toBe('CN=localhost');
    const said = lines.map((line) => JSON.parse(line)).filter(({ msg }) => msg.includes('certificate'));
    expect(said.map(({ level, msg, reasons }) => [level, msg, reasons])).toEqual(
      [
        /^tls must have a cert and a key /,
        /^a\.pem cannot be read$/,
        /^tls\.clientCa can neither come nor go/,
        /^CN=localhost has ended already, 2021-01-01/,
      ].map((reason) => [50, 'the new certificate of TLS cannot be used, the one before stays', expect.stringMatching(reason)]),
    );
    expect(server.renewIdentity(identity)).toBe(true);
    expect(await partOf(server)).toMatch(/^\[\+\]tls CN=localhost /);
  });

  it('is none for a server that had none', async () => {
    await using server = await startServer();
    expect(server.renewIdentity(identity)).toBe(false);
  });
});

it('an identity whose clients nobody can vouch for is a fault of the options', async () => {
  const starting = startServer({ tls: { ...identity, clientCa: 'x' } });
  await expect(starting).rejects.toThrow(new OptionsError(['tls.clientCa must be certificates in PEM: no certificate in it']));
});
