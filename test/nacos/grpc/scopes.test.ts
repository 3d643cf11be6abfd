import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { requestTable } from '../../../src/nacos/grpc/table.ts';
import { startWithBearers, type WithBearers } from '../../support/bearers.ts';
import { resigned, startGuarded } from '../../support/guarded.ts';
import { failOnLeaks } from '../../support/leaks.ts';
import { NacosGrpc } from '../../support/nacos-grpc.ts';
import { emptyNacos } from '../../support/nacos-room.ts';

failOnLeaks();

/** Who may what by messages of Nacos: the headers in the message alone say who asks, and what it names is what counts. */

let server: WithBearers;
let client: NacosGrpc;
beforeAll(async () => {
  server = await startWithBearers({ ann: 'writer@public:G1', rita: 'reader' });
  client = await NacosGrpc.connect(server.listeners.grpc);
});
afterAll(async () => {
  client?.[Symbol.dispose]();
  await server?.close();
});

const tokenOf = (who: string) => server.bearer(who).authorization.slice('Bearer '.length);
const as = (who: string) => ({ headers: { app: 'x', accessToken: tokenOf(who) } });
const ask = (who: string, type: string, body: object) => client.ask(type, body, as(who));
const INSTANCE = { ip: '10.0.0.9', port: 9, weight: 1, healthy: true, enabled: true, ephemeral: true };
const registering = (more: object) => ({ namespace: 'public', type: 'registerInstance', instance: INSTANCE, ...more });
const REFUSED = { resultCode: 500, errorCode: 403, success: false, message: expect.any(String) };

describe('without a login', () => {
  it.each([...requestTable(emptyNacos().rooms)])(
    '%s is refused in its own class, with all that clients want of it',
    async (type, { answer, failure }) => {
      const body = {
        requestId: '7',
        type: 'registerInstance',
        serviceName: 's',
        groupName: 'G1',
        dataId: 'd',
        group: 'G1',
        tenant: '',
      };
      const said = await client.ask(type, body);
      expect(said).toMatchObject({ type: answer, body: { ...REFUSED, ...failure } });
      expect(said.body.message).toMatch(/^user not found! Log in: /);
    },
  );

  it('headers of HTTP, a body and a name of a server say nothing of who asks', async () => {
    using other = new NacosGrpc(server.listeners.grpc);
    other.metadata.set('authorization', `Bearer ${tokenOf('root')}`);
    other.metadata.set('accesstoken', tokenOf('root'));
    other.open();
    other.say('ConnectionSetupRequest', { clientVersion: 'Nacos-Server:v2.5.1', labels: { source: 'cluster' } });
    await other.untilSetUp();
    const headers = { serverIdentity: 'security', 'User-Agent': 'Nacos-Server' };
    const body = { ...registering({ serviceName: 's', groupName: 'G1' }), accessToken: tokenOf('root') };
    expect(await other.ask('InstanceRequest', body, { headers })).toMatchObject({ type: 'InstanceResponse', body: REFUSED });
  });
});

describe('a writer of one group', () => {
  it('registers there, one by one and in batches', async () => {
    expect(await ask('ann', 'InstanceRequest', registering({ serviceName: 's', groupName: 'G1' }))).toMatchObject({
      body: { resultCode: 200 },
    });
    const batch = {
      namespace: 'public',
      type: 'batchRegisterInstance',
      groupName: 'G1',
      serviceName: 'b',
      instances: [INSTANCE],
    };
    expect(await ask('ann', 'BatchInstanceRequest', batch)).toMatchObject({ body: { resultCode: 200 } });
    expect(await ask('ann', 'BatchInstanceRequest', { ...batch, groupName: 'G2' })).toMatchObject({ body: REFUSED });
    expect(await ask('ann', 'BatchInstanceRequest', { ...batch, serviceName: 'G2@@b' })).toMatchObject({ body: REFUSED });
  });

  it.each([
    ['another group', { serviceName: 's', groupName: 'G2' }],
    ['another group in the name', { serviceName: 'G2@@s', groupName: 'G1' }],
    ['another namespace', { serviceName: 's', groupName: 'G1', namespace: 'ns9' }],
    ['no group', { serviceName: 's' }],
  ])('is refused %s', async (_, place) => {
    for (const type of ['InstanceRequest', 'PersistentInstanceRequest'])
      expect(await ask('ann', type, registering(place))).toMatchObject({ type: 'InstanceResponse', body: REFUSED });
    expect(await ask('rita', 'ServiceQueryRequest', { namespace: 'public', groupName: 'G2', ...place })).toMatchObject({
      body: { serviceInfo: { hosts: [] } },
    });
  });

  it('is taken by the service that the request names, whatever the instance in it says', async () => {
    const instance = { ...INSTANCE, serviceName: 'G2@@other', port: 10 };
    const body = { ...registering({ serviceName: 's', groupName: 'G1' }), instance };
    expect(await ask('ann', 'InstanceRequest', body)).toMatchObject({ body: { resultCode: 200 } });
    expect(
      await ask('rita', 'ServiceQueryRequest', { namespace: 'public', groupName: 'G2', serviceName: 'other' }),
    ).toMatchObject({
      body: { serviceInfo: { hosts: [] } },
    });
  });

  it('reads, writes and listens to no texts but its own', async () => {
    const [own, other] = [
      { tenant: '', group: 'G1', dataId: 'd' },
      { tenant: '', group: 'G2', dataId: 'd' },
    ];
    expect(await ask('ann', 'ConfigPublishRequest', { ...own, content: 'x' })).toMatchObject({ body: { resultCode: 200 } });
    for (const type of ['ConfigPublishRequest', 'ConfigQueryRequest', 'ConfigRemoveRequest'])
      expect(await ask('ann', type, { ...other, content: 'x' })).toMatchObject({ body: REFUSED });
    const listening = (...texts: object[]) => ({
      listen: true,
      configListenContexts: texts.map((text) => ({ ...text, md5: '' })),
    });
    expect(await ask('ann', 'ConfigBatchListenRequest', listening(own))).toMatchObject({ body: { resultCode: 200 } });
    expect(await ask('ann', 'ConfigBatchListenRequest', listening(own, other))).toMatchObject({
      body: { ...REFUSED, changedConfigs: [] },
    });
    expect(
      await ask('ann', 'ServiceListRequest', { namespace: 'public', groupName: 'G2', pageNo: 1, pageSize: 9 }),
    ).toMatchObject({
      body: { ...REFUSED, count: 0, serviceNames: [] },
    });
  });
});

it('a connection lives on what each message says: a reader writes no more than before, and two carriers that disagree are nobody', async () => {
  const body = registering({ serviceName: 's', groupName: 'G1' });
  expect(await ask('rita', 'InstanceRequest', body)).toMatchObject({
    body: { ...REFUSED, message: expect.stringMatching(/^authorization failed! user rita/) },
  });
  expect(
    await client.ask('InstanceRequest', body, {
      headers: { accessToken: tokenOf('ann'), Authorization: `Bearer ${tokenOf('rita')}` },
    }),
  ).toMatchObject({ body: REFUSED });
  expect(await client.ask('InstanceRequest', body, { headers: { Authorization: `Bearer ${tokenOf('ann')}` } })).toMatchObject({
    body: { resultCode: 200 },
  });
});

it('whoever has subscribed is told nothing more once the right is gone, and goes on when it is back', async () => {
  const call = async (method: string, path: string, form: Readonly<Record<string, string>>) => {
    const url = `http://${server.listeners.main}/nacos/v1/auth/${path}?${new URLSearchParams(form)}`;
    const response = await fetch(url, { method, headers: server.bearer('root') });
    expect([path, response.status]).toEqual([path, 200]);
  };
  const login = { username: 'temp', password: 'only for a while' };
  await call('POST', 'users', login);
  await call('POST', 'roles', { role: 'reader', username: 'temp' });
  using temp = await NacosGrpc.connect(server.listeners.grpc);
  using other = await NacosGrpc.connect(server.listeners.grpc);
  const body = { namespace: 'public', serviceName: 'told', groupName: 'G1', subscribe: true, clusters: '' };
  expect(await temp.ask('SubscribeServiceRequest', body, { headers: login })).toMatchObject({ body: { resultCode: 200 } });
  expect(await other.ask('SubscribeServiceRequest', body, as('rita'))).toMatchObject({ body: { resultCode: 200 } });
  const register = (port: number) =>
    ask('ann', 'InstanceRequest', registering({ serviceName: 'told', groupName: 'G1', instance: { ...INSTANCE, port } }));
  const toldOf = (port: number) => (ports: readonly number[]) => ports.includes(port);

  await register(21);
  await Promise.all([temp, other].map((one) => one.pushed('told', toldOf(21))));
  await call('DELETE', 'roles', { role: 'reader', username: 'temp' });
  await register(22);
  await other.pushed('told', toldOf(22));
  // Whatever was sent to it before that has come by then.
  await temp.ask('HealthCheckRequest', {});
  expect(JSON.stringify(temp.heard)).not.toContain('"port":22');

  await call('POST', 'roles', { role: 'reader', username: 'temp' });
  await register(23);
  await temp.pushed('told', toldOf(23));
});

it('whoever has subscribed by a login that is over is told again once any call brings the next, as clients do it', async () => {
  await using guarded = await startGuarded({ ann: 'writer', rita: 'reader' });
  const login = async (who: string) => ({ headers: { accessToken: await guarded.tokenOf(who) } });
  const exp = Math.floor(Date.now() / 1_000) - 57;
  const ending = { headers: { accessToken: resigned(await guarded.tokenOf('rita'), { exp }) } };
  const [reader, writer] = [await login('rita'), await login('ann')];
  using told = await NacosGrpc.connect(guarded.listeners.grpc);
  using other = await NacosGrpc.connect(guarded.listeners.grpc);
  const body = { namespace: 'public', serviceName: 'told', groupName: 'G1', subscribe: true, clusters: '' };
  const text = { listen: true, configListenContexts: [{ tenant: '', group: 'G1', dataId: 'd', md5: '' }] };
  for (const [client, by] of [
    [told, ending],
    [other, reader],
  ] as const)
    for (const [type, asked] of [
      ['SubscribeServiceRequest', body],
      ['ConfigBatchListenRequest', text],
    ] as const)
      expect(await client.ask(type, asked, by)).toMatchObject({ body: { resultCode: 200 } });
  const register = (port: number) =>
    other.ask('InstanceRequest', registering({ serviceName: 'told', groupName: 'G1', instance: { ...INSTANCE, port } }), writer);
  await register(31);
  await Promise.all([told, other].map((one) => one.pushed('told', (ports) => ports.includes(31))));

  // Its end is seconds away: whoever asks by it hears when it has come.
  while ((await other.ask('ServiceListRequest', { namespace: 'public' }, ending)).body.errorCode !== 403);
  await register(32);
  await other.ask('ConfigPublishRequest', { tenant: '', group: 'G1', dataId: 'd', content: 'x' }, writer);
  await other.pushed('told', (ports) => ports.includes(32));
  await other.said(({ type }) => type === 'ConfigChangeNotifyRequest');
  // Whatever was sent to it before that has come by then; and a health check, as clients make them, shows nothing.
  await told.ask('HealthCheckRequest', {});
  expect(JSON.stringify(told.heard)).not.toMatch(/"port":32|ConfigChangeNotify/);

  expect(await told.ask('ServiceListRequest', { namespace: 'public' }, await login('rita'))).toMatchObject({
    body: { resultCode: 200 },
  });
  await told.pushed('told', (ports) => ports.includes(32));
  await told.said(({ type }) => type === 'ConfigChangeNotifyRequest');
});
