import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { RecordedRequest } from '../fixtures/browsers.ts';
import { exchange } from '../support/raw.ts';
import { answerOf, nacos, register, startServer } from '../support/server.ts';

/** What Chromium has sent for pages of other sites, sent again to the byte, to a server as it starts by default. */

const { events }: { readonly events: readonly RecordedRequest[] } = JSON.parse(
  readFileSync(join(import.meta.dirname, '../fixtures/browsers/chromium-156.json'), 'utf8'),
);

const INSTANCE = '/nacos/v1/ns/instance?serviceName=evil&ip=10.6.6.6&port=666';
const PATHS = [
  INSTANCE,
  '/nacos/v1/cs/configs?dataId=evil&group=DEFAULT_GROUP&content=evil',
  '/nacos/v1/auth/users?username=evil&password=evil-and-long',
  '/nacos/v3/client/ns/instance?serviceName=evil&ip=10.6.6.6&port=666',
  '/events',
  '/metrics',
  '/nacos/actuator/prometheus',
  '/prometheus',
  '/health/orders',
  '/grpc.health.v1.Health/Check',
];

/** By the table of what browsers send: GETs that say nothing of their site are let through, and change nothing. */
function isRefused({ site, deed, request }: RecordedRequest): boolean {
  if (site === 'a rebound name' || deed === 'webSocket' || !request.startsWith('GET ')) return true;
  return site !== 'another site, to a name' && deed !== 'navigation';
}

const inPlace = (request: string, address: string, path: string) =>
  request
    .replace(/^(\S+) \S+ /, `$1 ${path} `)
    .replaceAll('{port}', address.slice(address.lastIndexOf(':') + 1))
    .replaceAll('{page}', '12345');

const send = (request: string, address: string, path: string) =>
  exchange(address, [Buffer.from(inPlace(request, address, path), 'latin1')], isWhole);

function isWhole(heard: string): boolean {
  const end = heard.indexOf('\r\n\r\n');
  if (end < 0) return false;
  const length = Number(/^content-length: (\d+)$/im.exec(heard.slice(0, end))?.[1] ?? 0);
  return heard.length >= end + 4 + length;
}

const BY_THE_RULES_FOR_PAGES = /^HTTP\/1\.1 403 .*(a web page on another site|this name is not one of mine)/s;

const NAMED = { allowHost: 'bridge.example' };

describe.each(['main', 'grpc', 'health'] as const)('on the port %s', (port) => {
  it.each([...new Set(events.map(({ site }) => site))])('a page of %s changes nothing, and reads nothing', async (site) => {
    await using server = await startServer(NAMED);
    await register(server, 'orders', { ephemeral: 'false' });
    const wrong: string[] = [];
    for (const event of events.filter((one) => one.site === site)) {
      for (const path of PATHS) {
        const answer = await send(event.request, server.listeners[port], path);
        const isRight = BY_THE_RULES_FOR_PAGES.test(answer) === isRefused(event) && !/^access-control-/im.test(answer);
        if (!isRight) wrong.push(`${event.deed} ${path}: ${answer.split('\r\n', 1)}`);
      }
    }
    expect(wrong).toEqual([]);
    const { body } = await answerOf(nacos(server, 'GET', '/service/list', { pageNo: 1, pageSize: 10 }));
    expect(body).toEqual({ count: 1, doms: ['orders'] });
    const text = { dataId: 'evil', group: 'DEFAULT_GROUP' };
    expect(await nacos(server, 'GET', '/nacos/v1/cs/configs', text)).toMatchObject({ status: 404 });
  });
});

/** A page that may do what it does: of the server itself. */
const own = (host: string) => {
  const [form] = events;
  if (form === undefined) throw new Error('nothing was recorded');
  return form.request
    .replace('Host: 127.0.0.1:', `Host: ${host}`)
    .replace('Origin: http://evil.example:{page}', `Origin: http://${host}{port}`)
    .replace('Sec-Fetch-Site: cross-site', 'Sec-Fetch-Site: same-origin');
};

it('the same form of a page of the server itself registers', async () => {
  await using server = await startServer();
  expect(await send(own('127.0.0.1:'), server.listeners.main, INSTANCE)).toMatch(/^HTTP\/1\.1 200 /);
  const { body } = await answerOf(nacos(server, 'GET', '/service/list', { pageNo: 1, pageSize: 10 }));
  expect(body).toEqual({ count: 1, doms: ['evil'] });
});

describe('the Host of a browser', () => {
  it.each([
    '',
    '127.0.0.1.evil.example:',
    'localhost.evil.example:',
    '0x7f000001:',
    '2130706433:',
    '[::1]evil.example:',
    'LOCALHOST.evil.example:',
  ])('that is %j is refused', async (host) => {
    await using server = await startServer();
    const bytes = own(host).replace(/^(Host: .*)$/m, host === '' ? 'Host: ' : '$1');
    expect(await send(bytes, server.listeners.main, INSTANCE)).toMatch(/^HTTP\/1\.1 40[03] /);
  });

  it.each(['localhost:', 'LOCALHOST:', '[::1]:', '127.0.0.1:', 'any.localhost:', 'this.local:'])(
    'that is %j is this server',
    async (host) => {
      await using server = await startServer();
      const bytes = own(host).replace(/^Origin: .*$/m, (line) => line.toLowerCase().replace('origin', 'Origin'));
      expect(await send(bytes, server.listeners.main, INSTANCE)).toMatch(/^HTTP\/1\.1 200 /);
    },
  );

  it('that is said twice is refused, whichever comes first', async () => {
    await using server = await startServer();
    const other = 'Host: evil.example';
    for (const bytes of [
      own('127.0.0.1:').replace(/^(Host: .*)\r$/m, `$1\r\n${other}\r`),
      own('127.0.0.1:').replace(/^(Host: .*)\r$/m, `${other}\r\n$1\r`),
    ])
      expect(await send(bytes, server.listeners.main, INSTANCE)).toMatch(/^HTTP\/1\.1 40[03] /);
  });
});

it.each([
  ['application/json', 403, '{"code":"permission_denied","message":"'],
  ['application/grpc-web+proto', 200, ''],
])('a page is refused in the words of its protocol: %s', async (type, status, begins) => {
  await using server = await startServer();
  const headers = { 'Content-Type': type, Origin: 'http://evil.example' };
  const url = `http://${server.listeners.main}/grpc.health.v1.Health/Check`;
  const said = await fetch(url, { method: 'POST', headers, body: '{}' });
  expect([said.status, said.headers.get('grpc-status')]).toEqual([status, status === 200 ? '7' : null]);
  expect((await said.text()).startsWith(begins)).toBe(true);
});
