import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startWithBearers, type WithBearers } from '../../support/bearers.ts';
import { failOnLeaks } from '../../support/leaks.ts';
import { answerOf } from '../../support/server.ts';

failOnLeaks();

/** What a user may whose roles do not cover everything, asked over sockets: the command counts, in whatever way it is told. */

let server: WithBearers;
const ROLES = { ann: 'writer@public:G1', dev: 'reader@dev', ops: 'admin@dev', rita: 'reader', wes: 'writer' };

beforeAll(async () => {
  server = await startWithBearers(ROLES);
  for (const namespaceId of ['public', 'dev', 'ns9']) {
    await must('POST', '/nacos/v1/ns/instance', { namespaceId, serviceName: `of-${namespaceId}`, ip: '10.0.0.1', port: '80' });
    const tenant = namespaceId === 'public' ? '' : namespaceId;
    await must('POST', '/nacos/v1/cs/configs', { tenant, group: 'G', dataId: `of-${namespaceId}`, content: 'x' });
    if (namespaceId !== 'public')
      await must('POST', '/nacos/v1/console/namespaces', { customNamespaceId: namespaceId, namespaceName: namespaceId });
  }
});
afterAll(() => server?.[Symbol.asyncDispose]());

type Form = Readonly<Record<string, string>>;

function ask(who: string, method: string, path: string, query: Form | string = {}, init: RequestInit = {}) {
  const text = typeof query === 'string' ? query : String(new URLSearchParams(query));
  const headers = { ...server.bearer(who), ...init.headers };
  return answerOf(fetch(`http://${server.listeners.main}${path}?${text}`, { method, ...init, headers }));
}

async function must(method: string, path: string, query: Form): Promise<void> {
  const { status, body } = await ask('root', method, path, query);
  if (status !== 200) throw new Error(`${method} ${path}: ${status} ${JSON.stringify(body)}`);
}

/** What of a call is refused to the user, in the words that consoles look for. */
const NO_RIGHT = { status: 403, body: { message: expect.stringMatching(/^authorization failed! user ann may not write /) } };

describe('a writer of one group', () => {
  const AT = 'ip=10.0.0.9&port=9';
  const FORM = { 'content-type': 'application/x-www-form-urlencoded' };

  it('writes there', async () => {
    expect(await ask('ann', 'POST', '/nacos/v1/ns/instance', `${AT}&groupName=G1&serviceName=mine`)).toMatchObject({
      status: 200,
    });
    expect(await ask('ann', 'POST', '/nacos/v1/ns/instance', `${AT}&serviceName=G1@@mine`)).toMatchObject({ status: 200 });
    expect(await ask('ann', 'POST', '/nacos/v1/cs/configs', { group: 'G1', dataId: 'mine', content: 'x' })).toMatchObject({
      status: 200,
    });
  });

  it.each<[how: string, query: string, init?: RequestInit]>([
    ['another group', 'groupName=G2&serviceName=s'],
    ['another group in the name, beside its own', 'groupName=G1&serviceName=G2@@s'],
    ['another group first', 'groupName=G2&groupName=G1&serviceName=s'],
    ['no group', 'serviceName=s'],
    ['another group in the query, its own in the form', 'groupName=G2&serviceName=s', { body: 'groupName=G1', headers: FORM }],
    ['another namespace', 'namespaceId=ns9&groupName=G1&serviceName=s'],
    ['another namespace behind a blank one', 'namespaceId=+&namespaceId=ns9&groupName=G2&serviceName=s'],
    ['another group, escaped', 'groupName=%47%32&serviceName=s'],
    ['another group in the escaped name', 'groupName=G1&serviceName=G2%40%40s'],
    ['three parts of a name', 'groupName=G1&serviceName=G2@@G1@@s'],
  ])('is refused %s, and nothing is there afterwards', async (_, query, init) => {
    const { status } = await ask('ann', 'POST', '/nacos/v1/ns/instance', `${AT}&${query}`, init);
    // What is no name at all is at fault in another way.
    expect(query.includes('G2@@G1') ? [400, 403] : [403]).toContain(status);
    for (const namespaceId of ['public', 'ns9'])
      for (const groupName of ['G2', 'DEFAULT_GROUP'])
        expect(
          await ask('root', 'GET', '/nacos/v1/ns/instance/list', { namespaceId, groupName, serviceName: 's' }),
        ).toMatchObject({ body: { hosts: [] } });
  });

  it('is taken by the first of doubled parameters, which is also what is done', async () => {
    const query = `${AT}&groupName=G1&groupName=G2&serviceName=twice`;
    expect(await ask('ann', 'POST', '/nacos/v1/ns/instance', query)).toMatchObject({ status: 200 });
    const listed = (groupName: string) =>
      ask('root', 'GET', '/nacos/v1/ns/instance/list', { groupName, serviceName: 'twice' }).then(({ body }) => body);
    expect(await listed('G1')).toMatchObject({ hosts: [{ port: 9 }] });
    expect(await listed('G2')).toMatchObject({ hosts: [] });
  });

  it('beats, edits and removes nothing elsewhere', async () => {
    const beat = JSON.stringify({ ip: '10.0.0.9', port: 9, serviceName: 'G1@@s', cluster: 'DEFAULT' });
    expect(await ask('ann', 'PUT', '/nacos/v1/ns/instance/beat', { serviceName: 'G2@@s', beat })).toMatchObject(NO_RIGHT);
    expect(await ask('ann', 'DELETE', '/nacos/v1/ns/instance', `${AT}&serviceName=of-public`)).toMatchObject(NO_RIGHT);
    for (const query of ['group=G&dataId=of-public', 'tenant=ns9&group=G1&dataId=x', 'group=G1&dataId=x&tenant=dev'])
      expect(await ask('ann', 'POST', '/nacos/v1/cs/configs', `${query}&content=y`)).toMatchObject(NO_RIGHT);
    // An edit of an instance is an operator's act, and writers are none.
    expect(await ask('ann', 'PUT', '/nacos/v1/ns/instance', `${AT}&groupName=G1&serviceName=mine&weight=2`)).toMatchObject({
      status: 403,
    });
  });

  it('removes texts by number only where all of them are its own', async () => {
    const page = { search: 'blur', dataId: '', group: '', pageNo: '1', pageSize: '10' };
    const { body } = await ask('root', 'GET', '/nacos/v1/cs/configs', page);
    const ids = (body as { readonly pageItems: readonly { readonly id: string }[] }).pageItems.map(({ id }) => id);
    expect(ids.length).toBeGreaterThan(1);
    for (const path of ['/nacos/v1/cs/configs', '/nacos/v3/admin/cs/config/batch'])
      expect(await ask('ann', 'DELETE', path, { delType: 'ids', ids: ids.join(',') })).toMatchObject(NO_RIGHT);
    expect(await ask('root', 'GET', '/nacos/v1/cs/configs', page)).toMatchObject({ body: { totalCount: ids.length } });
  });
});

describe('what a reader of one namespace is shown', () => {
  it('is that namespace, in lists over all of them', async () => {
    expect(await ask('dev', 'GET', '/nacos/v1/ns/service/names')).toMatchObject({
      body: { services: { dev: ['of-dev'] }, count: 1 },
    });
    expect(await ask('dev', 'GET', '/nacos/v1/ns/api/allDomNames')).toMatchObject({
      body: { count: 1, doms: { dev: ['of-dev'] } },
    });
    const { body } = await ask('dev', 'GET', '/nacos/v1/console/namespaces');
    expect(JSON.stringify(body)).toContain('"namespace":"dev"');
    expect(JSON.stringify(body)).not.toMatch(/ns9|"namespace":""/);
    expect(await ask('dev', 'GET', '/nacos/v3/admin/core/namespace/used')).toMatchObject({ body: { data: ['dev'] } });
    const texts = (who: string, tenant: string) =>
      ask(who, 'GET', '/nacos/v1/cs/configs', { search: 'blur', tenant, dataId: '', group: '', pageNo: '1', pageSize: '9' });
    expect(await texts('dev', 'dev')).toMatchObject({ body: { totalCount: 1 } });
    expect(await texts('dev', 'ns9')).toMatchObject({ body: { totalCount: 0 } });
    expect(await texts('rita', 'ns9')).toMatchObject({ body: { totalCount: 1 } });
  });

  it.each([
    '/nacos/v1/ns/service/list?pageNo=1&pageSize=9',
    '/nacos/v1/ns/catalog/services?pageNo=1&pageSize=9',
    '/nacos/v1/ns/instance/list?serviceName=of-public',
    '/nacos/v1/ns/instance/statuses?key=public%23%23DEFAULT_GROUP@@of-public',
    '/nacos/v2/ns/instance/statuses/DEFAULT_GROUP@@of-public?',
    '/nacos/v1/ns/service?serviceName=of-public',
    '/nacos/v3/admin/ns/service/list?',
    '/nacos/v1/cs/configs?group=G&dataId=of-public',
    '/nacos/v1/cs/configs/listener?group=G&dataId=of-public',
    '/nacos/v2/console/namespace?namespaceId=ns9',
    '/nacos/v1/ns/operator/switches?',
    '/nacos/v1/core/cluster/nodes?',
    '/nacos/v2/core/loader/current?',
    '/nacos/v2/ns/client/list?',
  ])('is nothing of %s', async (path) => {
    const [at = '', query] = path.split('?');
    expect(await ask('dev', 'GET', at, query)).toMatchObject({ status: 403 });
    expect(await ask('rita', 'GET', at, query)).toMatchObject({ status: 200 });
  });

  it('is no text that it waits for together with its own', async () => {
    const listening = (...texts: string[]) => ({ 'Listening-Configs': texts.map((text) => `${text}\u0001`).join('') });
    const [own, other] = ['of-dev\u0002G\u0002\u0002dev', 'of-ns9\u0002G\u0002\u0002ns9'];
    const statusOf = async (...texts: string[]) => {
      const url = `http://${server.listeners.main}/nacos/v1/cs/configs/listener?${new URLSearchParams(listening(...texts))}`;
      return (await fetch(url, { method: 'POST', headers: server.bearer('dev') })).status;
    };
    expect([await statusOf(own), await statusOf(own, other)]).toEqual([200, 403]);
  });
});

it('an operator of one namespace operates there alone', async () => {
  const edit = (namespaceId: string) => ({ namespaceId, serviceName: `of-${namespaceId}`, protectThreshold: '0.5' });
  expect(await ask('ops', 'PUT', '/nacos/v1/ns/service', edit('dev'))).toMatchObject({ status: 200 });
  expect(await ask('ops', 'PUT', '/nacos/v1/ns/service', edit('ns9'))).toMatchObject({ status: 403 });
  expect(await ask('ops', 'PUT', '/nacos/v1/ns/operator/switches', { entry: 'check', value: 'true' })).toMatchObject({
    status: 403,
  });
  expect(await ask('ops', 'POST', '/nacos/v1/console/namespaces', { namespaceName: 'of no id' })).toMatchObject({ status: 403 });
  expect(await ask('wes', 'PUT', '/nacos/v1/ns/service', edit('dev'))).toMatchObject({ status: 403 });
});

describe('who asks', () => {
  const LIST = '/nacos/v1/ns/instance/list';
  const bare = (text: string, headers: Form = {}) =>
    answerOf(fetch(`http://${server.listeners.main}${LIST}?serviceName=of-public${text}`, { headers }));
  const tokenOf = (who: string) => server.bearer(who).authorization.slice('Bearer '.length);

  it.each<[carrier: string, text: (token: string) => string, headers: (token: string) => Form]>([
    ['a parameter', (token) => `&accessToken=${token}`, () => ({})],
    ['a parameter in another case', (token) => `&ACCESSTOKEN=${token}`, () => ({})],
    ['a header', () => '', (accessToken) => ({ accessToken })],
    ['Authorization', () => '', (token) => ({ authorization: `Bearer ${token}` })],
    ['Authorization in small letters', () => '', (token) => ({ authorization: `bearer ${token}` })],
  ])('says so by %s', async (_, text, headers) => {
    expect(await bare(text(tokenOf('rita')), headers(tokenOf('rita')))).toMatchObject({ status: 200 });
    expect(await bare(text('bb_nobody'), headers('bb_nobody'))).toMatchObject({
      status: 403,
      body: { message: 'token invalid! Log in again' },
    });
  });

  it('is nobody when two carriers disagree, whichever of them is good', async () => {
    const [rita, wes] = [tokenOf('rita'), tokenOf('wes')];
    for (const [text, headers] of [
      [`&accessToken=${rita}`, { accessToken: wes }],
      [`&accessToken=${rita}&accessToken=${wes}`, {}],
      ['', { accessToken: rita, authorization: `Bearer ${wes}` }],
      [`&accessToken=${rita}`, { authorization: 'Bearer bb_nobody' }],
    ] as const)
      expect(await bare(text, headers)).toMatchObject({
        status: 403,
        body: { message: expect.stringContaining('says twice who sends it') },
      });
  });

  it('is told the same by HEAD as by GET, and nothing of what there is', async () => {
    const head = (serviceName: string, headers: Form = {}) =>
      fetch(`http://${server.listeners.main}${LIST}?serviceName=${serviceName}`, { method: 'HEAD', headers });
    const [there, nowhere] = [await head('of-public'), await head('of-nobody')];
    expect([there.status, nowhere.status]).toEqual([403, 403]);
    expect(there.headers.get('content-length')).toBe(nowhere.headers.get('content-length'));
    expect((await head('of-public', server.bearer('rita'))).status).toBe(200);
  });

  it('is told whether the server is up, and how much is in it only as a reader', async () => {
    for (const path of [
      '/nacos/v1/ns/operator/metrics?onlyStatus=false',
      '/nacos/v1/ns/operator/metrics?',
      '/nacos/v3/admin/ns/ops/metrics?onlyStatus=false',
    ]) {
      const counted = (headers: Form) => answerOf(fetch(`http://${server.listeners.main}${path}`, { headers }));
      const read = JSON.stringify((await counted(server.bearer('rita'))).body);
      const unread = await counted({});
      expect([unread.status, JSON.stringify(unread.body).includes('serviceCount')]).toEqual([200, false]);
      expect(read).toContain('serviceCount');
      expect(JSON.stringify((await counted(server.bearer('dev'))).body)).not.toContain('serviceCount');
    }
  });

  it('learns beforehand that there are logins', async () => {
    const state = await answerOf(fetch(`http://${server.listeners.main}/nacos/v1/console/server/state`));
    expect(state).toMatchObject({
      status: 200,
      body: { auth_enabled: 'true', auth_admin_request: 'false', login_page_enabled: 'true' },
    });
  });

  it('learns nothing of how much there is, nor of what is allowed', async () => {
    const said = async (path: string, headers: Form) =>
      JSON.stringify((await answerOf(fetch(`http://${server.listeners.main}${path}`, { headers }))).body);
    const hidden = [
      ['/nacos/v1/ns/health/server', 'total services', false],
      ['/nacos/v1/ns/api/hello', 'total services', false],
      ['/readyz?verbose', '[+]limits', false],
      ['/nacos/v1/console/server/state', 'maxContent', true],
      ['/nacos/v3/admin/core/state', 'maxContent', true],
    ] as const;
    for (const [path, detail, isForAnyReader] of hidden) {
      expect(await said(path, {}), path).not.toContain(detail);
      expect(await said(path, server.bearer('rita')), path).toContain(detail);
      expect((await said(path, server.bearer('dev'))).includes(detail), path).toBe(isForAnyReader);
    }
    for (const path of ['/readyz', '/livez', '/health'])
      expect((await fetch(`http://${server.listeners.main}${path}`)).status, path).toBe(200);
  });
});
