import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Server } from '../../../src/index.ts';
import type { Route } from '../../../src/nacos/http/route.ts';
import { nacosRoutes } from '../../../src/nacos/http/routes.ts';
import { failOnLeaks } from '../../support/leaks.ts';
import { NacosGrpc } from '../../support/nacos-grpc.ts';
import { emptyNacos } from '../../support/nacos-room.ts';
import { answerOf, nacos, register, startServer } from '../../support/server.ts';

failOnLeaks();

/** Any page can have a browser on this machine send a GET: none of them changes anything then. */

const routes = nacosRoutes(emptyNacos().rooms).filter(({ method }) => method === 'GET' || method === 'ANY');
const nameOf = ({ method, path }: Route) => `${method} ${path}`;

/** Asked by GET by old clients and scripts, and change something all the same. */
const CHANGING = [
  'ANY /nacos/v1/ns/api/clientBeat',
  'GET /nacos/v2/core/loader/reloadCurrent',
  'GET /nacos/v2/core/loader/reloadClient',
];

let server: Server;
let client: NacosGrpc;
beforeAll(async () => {
  server = await startServer();
  await register(server, 'orders', { ephemeral: 'false' });
  await nacos(server, 'POST', '/nacos/v1/cs/configs', { dataId: 'd', group: 'G', content: 'x' });
  client = await NacosGrpc.connect(server.listeners.grpc);
  await client.subscribe('orders');
});
afterAll(async () => {
  client[Symbol.dispose]();
  await server?.close(200);
});

/** Each would do something if its method were another, or its words were heeded. */
const QUERY = new URLSearchParams({
  serviceName: 'new',
  dom: 'new',
  key: 'public##DEFAULT_GROUP@@new',
  ip: '10.0.0.2',
  port: '80',
  dataId: 'new',
  group: 'G',
  content: 'y',
  namespaceId: '',
  customNamespaceId: 'new',
  namespaceName: 'new',
  entry: 'check',
  value: 'false',
  username: 'new',
  password: 'new password',
  beat: '{"serviceName":"new","ip":"10.0.0.2","port":80,"cluster":"DEFAULT"}',
  count: '0',
  reset: 'true',
  udpPort: '9',
  clientIP: '127.0.0.1',
  _method: 'POST',
});

/** As the address bar of a browser would, with marks that `fetch` does not let one set. */
function page(method: string, path: string): Promise<number> {
  const { host, port } = new URL(`http://${server.listeners.main}`);
  const headers = { host, 'user-agent': 'Mozilla/5.0', 'accept-language': 'en', 'x-http-method-override': 'POST' };
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, path, method, headers, agent: false }, (res) => {
      res.resume().on('end', () => resolve(res.statusCode ?? 0));
    });
    sent.on('error', reject).end();
  });
}

async function state(): Promise<string> {
  const get = async (path: string, query: Readonly<Record<string, string | number>> = {}) =>
    JSON.stringify((await answerOf(nacos(server, 'GET', path, query))).body);
  const parts = [
    await get('/service/names'),
    await get('/instance/list', { serviceName: 'orders' }),
    await get('/operator/switches'),
    await get('/nacos/v1/cs/configs', { search: 'blur', dataId: '', group: '', pageNo: 1, pageSize: 99 }),
    await get('/nacos/v1/console/namespaces'),
    await get('/operator/push/state'),
    await get('/service/subscribers', { serviceName: 'new' }),
    await get('/operator/metrics', { onlyStatus: 'false' }).then((text) => text.replace(/"(cpu|load|mem)":[^,}]*/g, '')),
    // It is told of the service too, some time after it has subscribed.
    String(client.heard.filter(({ type }) => type === 'ConnectResetRequest').length),
  ];
  return parts.join('\n').replace(/"lastRefTime":\d+/g, '');
}

describe.each(['GET', 'HEAD'])('a page that asks by %s', (method) => {
  it.each(routes.map((route) => [nameOf(route), route] as const))('changes nothing by %s', async (name, { path }) => {
    const before = await state();
    const status = await page(method, `${path.replace('*', 'public%23%23DEFAULT_GROUP@@new')}?${QUERY}`);
    if (CHANGING.includes(name)) expect(status).toBe(403);
    expect(await state()).toBe(before);
  });
});

it('a client without a mark of a browser still can, where old ones do', async () => {
  const changed = async (path: string) => (await nacos(server, 'GET', path, Object.fromEntries(QUERY))).status;
  const before = await state();
  expect(await changed('/nacos/v1/ns/api/clientBeat')).toBe(200);
  expect(await state()).not.toBe(before);
  expect(await changed('/nacos/v2/core/loader/reloadCurrent')).toBe(200);
  await client.said(({ type }) => type === 'ConnectResetRequest');
});

describe('methods that are none of the route', () => {
  it.each(['OPTIONS', 'TRACE', 'PATCH', 'PROPFIND', 'LOCK'])(
    '%s reaches no handler, not even of a route that takes any',
    async (method) => {
      const before = await state();
      for (const path of ['/nacos/v1/ns/api/clientBeat', '/nacos/v1/ns/instance/statuses', '/nacos/v1/ns/service/names']) {
        const { port } = new URL(`http://${server.listeners.main}`);
        const status = await new Promise<number>((resolve, reject) => {
          const sent = request({ host: '127.0.0.1', port, path: `${path}?${QUERY}`, method, agent: false }, (res) => {
            res.resume().on('end', () => resolve(res.statusCode ?? 0));
          });
          sent.on('error', reject).end();
        });
        expect(status).toBe(501);
      }
      expect(await state()).toBe(before);
    },
  );
});
