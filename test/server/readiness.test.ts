import { once } from 'node:events';
import { connect as connectHttp2 } from 'node:http2';
import { expect, it } from 'vitest';
import { type Part, probePaths } from '../../src/server/readiness.ts';
import { listen } from '../../src/wire/listener.ts';
import { systemScheduler } from '../../src/wire/scheduler.ts';
import { TLS_CERT, TLS_KEY } from '../support/health-clients.ts';
import { failOnLeaks } from '../support/leaks.ts';
import { LIMITS } from '../support/limits.ts';
import { exchange } from '../support/raw.ts';
import { NACOS_NOT_READY, NACOS_READY, nacos, nacosProbes, register, startServer } from '../support/server.ts';

failOnLeaks();

/** A port with nothing else on it. For `await using`. */
async function served(parts: readonly Part[], mayTell?: Parameters<typeof probePaths>[1]) {
  const find = probePaths(parts, mayTell);
  const request: Parameters<typeof listen>[2]['request'] = (req, res) => find((req.url ?? '').replace(/\?.*/, ''))?.(req, res);
  const port = await listen('127.0.0.1', 0, { request }, { limits: LIMITS, scheduler: systemScheduler });
  return {
    get: async (path: string, init?: RequestInit) => {
      const response = await fetch(`http://${port.address}${path}`, init);
      return [response.status, await response.text()];
    },
    [Symbol.asyncDispose]: () => port.close(AbortSignal.abort()),
  };
}

const part = (name: string, isNeeded: boolean, ok: boolean, says: string): Part => ({
  name,
  isNeeded,
  look: () => ({ ok, says }),
});
const STORE = part('store', false, false, 'failed: no space left');

it('ready is said in a word, and part by part to whoever asks', async () => {
  await using port = await served([part('store', false, true, 'ok'), part('drain', true, true, 'none')]);
  expect(await port.get('/readyz')).toEqual([200, 'ok\n']);
  for (const query of ['verbose', 'verbose=1', 'x=1&verbose'])
    expect(await port.get(`/readyz?${query}`)).toEqual([200, '[+]store ok\n[+]drain none\nreadyz check passed\n']);
  expect(await port.get('/readyz?verboser')).toEqual([200, 'ok\n']);
});

it('without a part that it can serve without it is ready all the same, and says what is wrong', async () => {
  await using port = await served([STORE, part('drain', true, true, 'none')]);
  expect(await port.get('/readyz')).toEqual([200, 'ok\n']);
  const text = '[-]store failed: no space left\n[+]drain none\nreadyz check passed\n';
  expect(await port.get('/readyz?verbose')).toEqual([200, text]);
});

it('without a part that it needs it is not ready, and says why unasked; it lives all the same', async () => {
  await using port = await served([STORE, part('drain', true, false, 'under way')]);
  const text = '[-]store failed: no space left\n[-]drain under way\nreadyz check failed\n';
  expect(await port.get('/readyz')).toEqual([503, text]);
  expect(await port.get('/livez')).toEqual([200, 'ok\n']);
});

it('whoever accepts JSON gets it', async () => {
  await using port = await served([part('drain', true, false, 'under way')]);
  const init = { headers: { accept: 'text/html, application/json' } };
  const [status, text] = await port.get('/readyz', init);
  expect([status, JSON.parse(String(text))]).toEqual([
    503,
    { status: 'not ready', parts: [{ name: 'drain', isNeeded: true, ok: false, says: 'under way' }] },
  ]);
  expect(await port.get('/livez', init)).toEqual([200, '{"status":"alive"}\n']);
});

it('that it is ready, is said without asking who asks', async () => {
  const never = new Promise<boolean>(() => {});
  let asked = 0;
  const mayTell = () => {
    asked++;
    return asked === 1 ? false : never;
  };
  await using port = await served([STORE, part('drain', true, true, 'none')], mayTell);
  expect(await port.get('/readyz?verbose')).toEqual([200, 'ok\n']);
  expect(await port.get('/readyz')).toEqual([200, 'ok\n']);
  expect(asked).toBe(1);
  await using drained = await served([part('drain', true, false, 'under way')], () => Promise.resolve(false));
  expect(await drained.get('/readyz')).toEqual([503, 'not ready\n']);
});

it('is for GET and HEAD', async () => {
  await using port = await served([]);
  expect(await port.get('/livez', { method: 'HEAD' })).toEqual([200, '']);
  expect(await port.get('/readyz', { method: 'HEAD' })).toEqual([200, '']);
  expect(await port.get('/readyz', { method: 'POST', body: 'x' })).toEqual([405, 'GET or HEAD\n']);
});

it('every port of a server has both, over HTTP/1.1, HTTP/2 and TLS, for GET and for HEAD', async () => {
  await using server = await startServer({ tls: { port: 0, cert: TLS_CERT, key: TLS_KEY } });
  const { tls = '', ...plain } = server.listeners;
  for (const address of Object.values(plain)) {
    for (const path of ['/livez', '/readyz']) {
      const head = `HEAD ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`;
      expect(await exchange(address, [head])).toMatch(/^HTTP\/1\.1 200 OK\r\n[\s\S]*Content-Length: 3\r\n[\s\S]*\r\n\r\n$/);
      expect(await overHttp2(`http://${address}`, path)).toEqual([200, 'ok\n']);
    }
  }
  expect(await overHttp2(`https://${tls}`, '/livez')).toEqual([200, 'ok\n']);
  expect(await overHttp2(`https://${tls}`, '/readyz')).toEqual([200, 'ok\n']);
});

it('a server lists what it is made of', async () => {
  await using server = await startServer({ probes: true });
  await register(server, 'orders');
  await register(server, 'orders', { port: 81 });
  const text = await fetch(`http://${server.listeners.health}/readyz?verbose`).then((response) => response.text());
  expect(
    text
      .replace(/\d+ ms late/, '0 ms late')
      .replace(/(?<=\]limits) .*/, '')
      .split('\n'),
  ).toEqual([
    '[+]store off, nothing is kept',
    '[+]registry 1 services, 2 instances',
    '[+]access this machine may write, nobody refused',
    '[+]probes 0 instances checked, 0 checks under way',
    '[+]limits',
    '[+]sweeper 0 ms late',
    '[+]drain none',
    'readyz check passed',
    '',
  ]);
});

it('readiness of every version of Nacos follows the operator who says that the server is down; liveness does not', async () => {
  await using server = await startServer();
  expect(await nacosProbes(server)).toEqual(NACOS_READY);
  const entry = { entry: 'overriddenServerStatus', value: 'DOWN' };
  await nacos(server, 'PUT', '/operator/switches', entry);
  expect(await nacosProbes(server)).toEqual(NACOS_NOT_READY);
});

it('a server that is closed waits for the delay first, and not for its callers', async () => {
  const drainDelayMs = 200;
  const server = await startServer({ drainDelayMs });
  const started = performance.now();
  const closed = server.close(500);
  expect(await fetch(`http://${server.listeners.health}/readyz`).then(({ status }) => status)).toBe(503);
  await closed;
  // Timers of Node may be a millisecond early.
  expect(performance.now() - started).toBeGreaterThanOrEqual(drainDelayMs - 1);
  await expect(fetch(`http://${server.listeners.health}/livez`)).rejects.toThrow();
});

async function overHttp2(origin: string, path: string): Promise<[status: unknown, text: string]> {
  const session = connectHttp2(origin, { ca: TLS_CERT });
  const stream = session.request({ ':path': path });
  let text = '';
  stream.setEncoding('utf8').on('data', (chunk) => {
    text += chunk;
  });
  const [headers] = await once(stream, 'response');
  await once(stream, 'close');
  session.close();
  return [headers[':status'], text];
}
