import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Server } from '../../../src/index.ts';
import { NacosGrpc } from '../../support/nacos-grpc.ts';
import { answerOf, nacos, startServer } from '../../support/server.ts';

const ADMIN = '/nacos/v3/admin/cs';
const MD5_OF_X = '9dd4e461268c8034f5c8564e155c67a6';
const ID = { dataId: 'shop.yaml', groupName: 'G' };

let server: Server;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.close(100));

const ask = (method: string, path: string, params: Record<string, string | number> = {}, init: RequestInit = {}) =>
  answerOf(nacos(server, method, `${ADMIN}${path}`, params, init));
const success = (data: unknown) => ({ status: 200, body: { code: 0, message: 'success', data } });
const failure = (status: number, code: number, message: string, data: string) => ({ status, body: { code, message, data } });

it('an operator of 3.x publishes, shows, lists and removes texts', async () => {
  const unknown = failure(404, 20_004, 'resource not found', 'Config not exist, please publish Config first.');
  expect(await ask('GET', '/config', ID)).toEqual(unknown);
  expect(await ask('POST', '/config', { ...ID, content: 'x', type: 'yaml' })).toEqual(success(true));
  const brief = { ...ID, id: expect.stringMatching(/^\d+$/), namespaceId: 'public', md5: MD5_OF_X, type: 'yaml', appName: '' };
  const unsaid = { desc: null, encryptedDataKey: '', createUser: null, createIp: null, configTags: null };
  const times = { createTime: expect.any(Number), modifyTime: expect.any(Number) };
  expect(await ask('GET', '/config', { ...ID, namespaceId: 'public' })).toEqual(
    success({ ...brief, ...times, content: 'x', ...unsaid }),
  );
  const page = { totalCount: 1, pageNumber: 1, pagesAvailable: 1, pageItems: [{ ...brief, createTime: 0, modifyTime: 0 }] };
  for (const wanted of [{}, { dataId: 'shop*' }, { search: 'accurate', ...ID }, { configDetail: '*x*' }, { search: 'other' }])
    expect(await ask('GET', '/config/list', { pageNo: 1, pageSize: 10, ...wanted })).toEqual(success(page));
  expect(await ask('GET', '/config/list', { groupName: 'H' })).toMatchObject({ body: { data: { totalCount: 0 } } });
  const conflict = failure(500, 20_005, 'resource conflict', 'Cas publish fail, server md5 may have changed.');
  expect(await ask('POST', '/config', { ...ID, content: 'y' }, { headers: { casMd5: 'other' } })).toEqual(conflict);
  for (let i = 0; i < 2; i++) expect(await ask('DELETE', '/config', ID)).toEqual(success(true));
  expect(await ask('GET', '/config', ID)).toEqual(unknown);
});

it('several texts are removed by their numbers', async () => {
  for (const dataId of ['a', 'b', 'c']) await ask('POST', '/config', { dataId, groupName: 'many', content: 'x' });
  const items = async () => {
    const { body } = await ask('GET', '/config/list', { groupName: 'many', search: 'accurate' });
    return (body as { data: { pageItems: { id: string; dataId: string }[] } }).data.pageItems;
  };
  const [a, , c] = await items();
  expect(await ask('DELETE', '/config/batch', { ids: `${a?.id},${c?.id}` })).toEqual(success(true));
  expect((await items()).map(({ dataId }) => dataId)).toEqual(['b']);
});

it('who listens is told by text and by address', async () => {
  using client = await NacosGrpc.connect(server.listeners.grpc, { labels: { module: 'config' } });
  const configListenContexts = [
    { dataId: 'd', group: 'G', tenant: '', md5: '' },
    { dataId: 'd', group: 'G', tenant: 'dev', md5: MD5_OF_X },
  ];
  await client.ask('ConfigBatchListenRequest', { listen: true, configListenContexts });
  expect(await ask('GET', '/config/listener', { dataId: 'd', groupName: 'G', namespaceId: 'dev' })).toEqual(
    success({ queryType: 'config', listenersStatus: { '127.0.0.1': MD5_OF_X } }),
  );
  const listened = { 'd+G': '', 'd+G+dev': MD5_OF_X };
  expect(await ask('GET', '/listener', { ip: '127.0.0.1' })).toEqual(success({ queryType: 'ip', listenersStatus: listened }));
  expect(await ask('GET', '/listener', { ip: '10.0.0.1' })).toEqual(success({ queryType: 'ip', listenersStatus: {} }));
  expect(await answerOf(nacos(server, 'GET', '/nacos/v1/cs/listener', { ip: '127.0.0.1' }))).toEqual({
    status: 200,
    body: { collectStatus: 200, lisentersGroupkeyStatus: listened },
  });
});

it('the past has nothing in it', async () => {
  const page = { totalCount: 0, pageNumber: 1, pagesAvailable: 0, pageItems: [] };
  expect(await ask('GET', '/history/list', ID)).toEqual(success(page));
  const nothing = failure(400, 20_002, 'parameter validate error', 'Source must not be null');
  expect(await ask('GET', '/history', { ...ID, nid: 1 })).toEqual(nothing);
  expect(await ask('GET', '/history/previous', { ...ID, id: 1 })).toEqual(nothing);
  expect(await ask('GET', '/history/configs', { namespaceId: 'nobody' })).toEqual(success([]));
});

it.each([
  ['GET', '/config', { dataId: 'a' }, "Required parameter 'groupName' type String is not present"],
  ['DELETE', '/config', { groupName: 'a' }, "Required parameter 'dataId' type String is not present"],
  ['POST', '/config', ID, "Required parameter 'content' type String is not present"],
])('%s %s of %j says what is missing', async (method, path, params, text) => {
  expect(await ask(method, path, params)).toEqual(failure(400, 10_000, 'parameter missing', text));
});

it("PHP's names of group and namespace are taken, and its way to listen", async () => {
  const php = { dataId: 'php', group: 'G', tenant: 'dev' };
  expect(await ask('POST', '/config', { ...php, content: 'x' })).toEqual(success(true));
  expect(await answerOf(nacos(server, 'GET', '/nacos/v2/cs/config', php))).toEqual(success('x'));
  const listening = { 'Listening-Configs': 'php\u0002G\u0002stale\u0002dev\u0001', tenant: 'dev' };
  const response = await nacos(server, 'POST', `${ADMIN}/config/listener`, listening, {
    headers: { 'Long-Pulling-Timeout': '30' },
  });
  expect(await response.text()).toBe('php%02G%02dev%01\n');
});
