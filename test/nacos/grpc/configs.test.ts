import { afterEach, describe, expect, it } from 'vitest';
import { HEALTH_CLIENTS } from '../../support/health-clients.ts';
import { NacosGrpc } from '../../support/nacos-grpc.ts';
import { answerOf, nacos, startServer } from '../../support/server.ts';

const OK = { resultCode: 200, errorCode: 0, success: true };
const ID = { dataId: 'com.shop.Orders', group: 'mapping' };
const MD5_OF_X = '9dd4e461268c8034f5c8564e155c67a6';
const open: (Disposable | AsyncDisposable)[] = [];

afterEach(async () => {
  for (const each of open.splice(0).reverse()) {
    if (Symbol.asyncDispose in each) await each[Symbol.asyncDispose]();
    else each[Symbol.dispose]();
  }
});

async function start() {
  const server = await startServer();
  open.push(server);
  const connect = async () => {
    const client = await NacosGrpc.connect(server.listeners.grpc, { labels: { module: 'config' } });
    open.push(client);
    return client;
  };
  return { server, connect, client: await connect() };
}

const publish = (client: NacosGrpc, content: string, more: object = {}) =>
  client.ask('ConfigPublishRequest', { ...ID, tenant: '', content, casMd5: '', ...more });
const query = async (client: NacosGrpc, more: object = {}) =>
  (await client.ask('ConfigQueryRequest', { ...ID, tenant: '', tag: '', ...more })).body;
const listen = async (client: NacosGrpc, md5: string, more: object = {}, listening = true) => {
  const configListenContexts = [{ ...ID, tenant: '', md5, ...more }];
  const { type, body } = await client.ask('ConfigBatchListenRequest', { listen: listening, configListenContexts });
  expect(type).toBe('ConfigChangeBatchListenResponse');
  return body.changedConfigs;
};
const told = (client: NacosGrpc) =>
  client.heard.filter(({ type }) => type === 'ConfigChangeNotifyRequest').map(({ body }) => body);

describe('a text', () => {
  it('that is not there is missed with code 300 and in the words that dubbo-go looks for', async () => {
    const { client } = await start();
    expect(await client.ask('ConfigQueryRequest', ID)).toEqual({
      type: 'ConfigQueryResponse',
      body: { resultCode: 500, errorCode: 300, message: 'config data not exist', lastModified: 0, beta: false, success: false },
    });
  });

  it('is published, found, replaced and removed', async () => {
    const { client } = await start();
    expect(await publish(client, 'x')).toEqual({ type: 'ConfigPublishResponse', body: OK });
    const found = { ...OK, content: 'x', md5: MD5_OF_X, contentType: 'text', lastModified: expect.any(Number), beta: false };
    expect(await query(client)).toEqual(found);
    await publish(client, '{"a":"ü"}', { additionMap: { type: 'json', tag: '', appName: '' } });
    expect(await query(client)).toMatchObject({ content: '{"a":"ü"}', contentType: 'json' });
    for (let i = 0; i < 2; i++)
      expect(await client.ask('ConfigRemoveRequest', { ...ID, tag: null })).toEqual({ type: 'ConfigRemoveResponse', body: OK });
    expect(await query(client)).toMatchObject({ errorCode: 300 });
  });

  it('is compared before it is swapped: by md5 when it is there, by nothing when it is not', async () => {
    const { client } = await start();
    expect((await publish(client, 'x', { casMd5: '0' })).body).toEqual(OK);
    const conflict = await publish(client, 'y', { casMd5: '0' });
    expect(conflict).toMatchObject({ type: 'ConfigPublishResponse', body: { resultCode: 500, success: false } });
    expect(conflict.body.message).toBe('Cas publish fail, server md5 may have changed.');
    expect(await query(client)).toMatchObject({ content: 'x' });
    expect((await publish(client, 'y', { casMd5: MD5_OF_X })).body).toEqual(OK);
    expect(await query(client)).toMatchObject({ content: 'y' });
  });

  it('of the namespace that is blank to some and public to others is one; in other namespaces there are others', async () => {
    const { client } = await start();
    await publish(client, 'x', { tenant: 'public' });
    for (const tenant of ['', null, 'public']) expect(await query(client, { tenant })).toMatchObject({ content: 'x' });
    await publish(client, 'y', { tenant: 'dev' });
    expect(await query(client, { tenant: 'dev' })).toMatchObject({ content: 'y' });
    expect(await query(client)).toMatchObject({ content: 'x' });
  });

  it.each([
    ['without a data id', { dataId: '' }],
    ['without content', { content: ' ' }],
    ['with a blank in its name', { dataId: 'a b' }],
    ['with a name that is too long', { dataId: 'a'.repeat(257) }],
    ['with a type without end', { additionMap: { type: 'x'.repeat(2_000) } }],
    ['that is too long', { content: 'a'.repeat((1 << 20) + 1) }],
  ])('%s is refused', async (_, more) => {
    const { client } = await start();
    const { type, body } = await publish(client, 'x', more);
    expect(type).toBe('ConfigPublishResponse');
    expect(body).toMatchObject({ resultCode: 500, errorCode: 400, success: false });
  });
});

describe('listening', () => {
  it('answers at once what is not as the client believes, in its own words', async () => {
    const { client } = await start();
    expect(await listen(client, '')).toEqual([]);
    expect(await listen(client, MD5_OF_X)).toEqual([{ ...ID, tenant: '' }]);
    expect(await listen(client, 'other', { tenant: null })).toEqual([ID]);
    await publish(client, 'x');
    expect(await listen(client, MD5_OF_X)).toEqual([]);
    expect(await listen(client, '', { tenant: 'public' })).toEqual([{ ...ID, tenant: 'public' }]);
  });

  it('to a text that is gone hears of that once, and not each time that it asks with what it had', async () => {
    const { client } = await start();
    expect(await listen(client, MD5_OF_X)).toHaveLength(1);
    expect(await listen(client, MD5_OF_X)).toEqual([]);
    await publish(client, 'x');
    expect(await listen(client, MD5_OF_X)).toEqual([]);
    await client.ask('ConfigRemoveRequest', ID);
    expect(await listen(client, MD5_OF_X)).toHaveLength(1);
    expect(await listen(client, '')).toEqual([]);
    expect(await listen(client, MD5_OF_X)).toHaveLength(1);
  });

  it('hears of changes and removals, each in the words of who listens', async () => {
    const { client, connect } = await start();
    const other = await connect();
    await listen(client, '');
    await listen(other, '', { tenant: 'public' });
    await publish(client, 'x');
    await expect.poll(() => told(client).length).toBe(1);
    await expect
      .poll(() => told(other))
      .toEqual([{ headers: {}, requestId: expect.any(String), ...ID, tenant: 'public', module: 'config' }]);
    expect(told(client)).toEqual([{ headers: {}, requestId: expect.any(String), ...ID, module: 'config' }]);
    await client.ask('ConfigRemoveRequest', ID);
    await expect.poll(() => told(other).length).toBe(2);
  });

  it('goes on hearing when it asks again while a word to it is on its way', async () => {
    const { client } = await start();
    // One after the other over the wire, and none waits for an answer: so there is always something on its way.
    const all = [];
    for (let i = 0; i < 50; i++) all.push(publish(client, `${i}`), listen(client, ''));
    await Promise.all(all);
    const before = told(client).length;
    await publish(client, 'last');
    await expect.poll(() => told(client).length).toBeGreaterThan(before);
  });

  it('hears nothing of a text that was published again as it was, nor after it has stopped', async () => {
    const { client } = await start();
    await publish(client, 'x');
    await listen(client, MD5_OF_X);
    await publish(client, 'x');
    await publish(client, 'y');
    await expect.poll(() => told(client).length).toBe(1);
    await listen(client, '', {}, false);
    await publish(client, 'z');
    await listen(client, '');
    await publish(client, 'last');
    await expect.poll(() => told(client).length).toBe(2);
  });
});

describe('over HTTP', () => {
  it('a text is read as it is', async () => {
    const { server, client } = await start();
    const path = '/nacos/v1/cs/configs';
    await publish(client, 'x');
    expect(await answerOf(nacos(server, 'GET', path, ID))).toEqual({ status: 200, body: 'x' });
    expect(await answerOf(nacos(server, 'GET', path, { ...ID, group: 'other' }))).toEqual({
      status: 404,
      body: 'config data not exist',
    });
  });

  it('texts are looked for, as dubbo-go does for the revisions of an application', async () => {
    const { server, client } = await start();
    await publish(client, 'x', { dataId: 'shop', group: 'rev1' });
    await publish(client, 'y', { dataId: 'shop', group: 'rev2' });
    await publish(client, 'z', { dataId: 'shop', group: 'rev3', tenant: 'dev' });
    const search = async (params: Record<string, string | number>) =>
      (await answerOf(nacos(server, 'GET', '/nacos/v1/cs/configs', params))).body;
    const accurate = { search: 'accurate', dataId: 'shop', group: '', pageNo: 1, pageSize: 10 };
    expect(await search(accurate)).toEqual({
      totalCount: 2,
      pageNumber: 1,
      pagesAvailable: 1,
      pageItems: [
        expect.objectContaining({ dataId: 'shop', group: 'rev1', content: 'x', tenant: '' }),
        expect.objectContaining({ dataId: 'shop', group: 'rev2', content: 'y', tenant: '' }),
      ],
    });
    expect(await search({ ...accurate, tenant: 'dev' })).toMatchObject({ totalCount: 1 });
    expect(await search({ ...accurate, dataId: 'sho' })).toMatchObject({ totalCount: 0, pageItems: [] });
    expect(await search({ ...accurate, search: 'blur', dataId: 'sho*', pageNo: 2, pageSize: 1 })).toMatchObject({
      totalCount: 2,
      pagesAvailable: 2,
      pageItems: [{ group: 'rev2' }],
    });
  });
});

it('the note of a Dubbo provider on its interface gives the interface the health of its application', async () => {
  const { server, client, connect } = await start();
  using health = HEALTH_CLIENTS['gRPC (grpc-js)'](server.listeners.health);
  const watch = health.watch('com.shop.Orders', new AbortController().signal)[Symbol.asyncIterator]();
  const next = async () => (await watch.next()).value;
  expect(await next()).toBe('SERVICE_UNKNOWN');
  const provider = await connect();
  await provider.register('shop', 80);
  await publish(client, 'shop');
  expect(await next()).toBe('SERVING');
  expect(await health.check('blue/com.shop.Orders:1.0.0')).toBe('SERVING');
  provider[Symbol.dispose]();
  expect(await next()).toBe('NOT_SERVING');
  const other = await connect();
  await other.register('other-shop', 80);
  await publish(client, 'shop,other-shop');
  expect(await next()).toBe('SERVING');
  await client.ask('ConfigRemoveRequest', ID);
  expect(await next()).toBe('SERVICE_UNKNOWN');
});
