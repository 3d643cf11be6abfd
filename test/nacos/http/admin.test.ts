import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Server } from '../../../src/index.ts';
import { answerOf, nacos, startServer } from '../../support/server.ts';

let server: Server;
let serial = 0;
const fresh = () => `service-${++serial}`;

beforeAll(async () => {
  // Whoever checks decides over health: where nobody does, an operator may.
  server = await startServer({ probes: true });
});
afterAll(() => server.close(100));

type Form = Record<string, string | number>;
const NS = '/v3/admin/ns';
const call = (method: string, path: string, params: Form = {}, init?: RequestInit) =>
  answerOf(nacos(server, method, `/nacos${path}`, params, init));
const success = (data: unknown) => ({ status: 200, body: { code: 0, message: 'success', data } });
const failure = (status: number, code: number, message: string, data: unknown) => ({ status, body: { code, message, data } });
const ok = success('ok');
const at = { ip: '10.0.0.1', port: 80 };
const dataOf = async (method: string, path: string, params: Form = {}) =>
  ((await call(method, path, params)).body as { data: Record<string, unknown> }).data;

describe('instances, as operators of 3.x see to them,', () => {
  it('are registered, read, listed with those that are off, and deregistered', async () => {
    const serviceName = fresh();
    const one = { serviceName, ...at };
    expect(await call('POST', `${NS}/instance`, { ...one, metadata: '{"a":"1"}', weight: 3 })).toEqual(ok);
    const view = {
      ...at,
      weight: 3,
      healthy: true,
      enabled: true,
      ephemeral: true,
      clusterName: 'DEFAULT',
      serviceName: `DEFAULT_GROUP@@${serviceName}`,
      metadata: { a: '1' },
      instanceHeartBeatInterval: 5000,
      instanceHeartBeatTimeOut: 15000,
      ipDeleteTimeout: 30000,
    };
    expect(await call('GET', `${NS}/instance`, one)).toEqual(success(expect.objectContaining(view)));
    await call('POST', `${NS}/instance`, { ...one, port: 81, enabled: 'false' });
    await call('POST', `${NS}/instance`, { ...one, port: 82, healthy: 'false' });
    await call('POST', `${NS}/instance`, { ...one, port: 83, clusterName: 'C2' });
    const ports = async (params: Form) => {
      const instances = (await dataOf('GET', `${NS}/instance/list`, { serviceName, ...params })) as unknown as { port: number }[];
      return instances.map(({ port }) => port);
    };
    expect(await ports({})).toEqual([80, 81, 82]);
    expect(await ports({ healthyOnly: 'true' })).toEqual([80, 81]);
    expect(await ports({ clusterName: 'C2' })).toEqual([83]);
    expect(await call('DELETE', `${NS}/instance`, one)).toEqual(ok);
    expect(await call('DELETE', `${NS}/instance`, one)).toEqual(ok);
    expect(await ports({})).toEqual([81, 82]);
  });

  it('have only that edited which is named: the others keep what their client says', async () => {
    const serviceName = fresh();
    const one = { serviceName, ...at };
    await call('POST', `${NS}/instance`, { ...one, weight: 3, metadata: '{"a":"1"}' });
    const seen = async () => {
      const { weight, enabled, metadata, edit } = await dataOf('GET', `${NS}/instance`, one);
      return { weight, enabled, metadata, edit };
    };
    // Nacos 3 would put the weight back to 1.0 here.
    expect(await call('PUT', `${NS}/instance/partial`, { ...one, enabled: 'false' })).toEqual(ok);
    expect(await seen()).toEqual({ weight: 3, enabled: false, metadata: { a: '1' }, edit: { enabled: false } });
    expect(await call('PUT', `${NS}/instance`, { ...one, metadata: '{"b":"2"}' })).toEqual(ok);
    expect(await seen()).toMatchObject({ weight: 3, enabled: false, metadata: { a: '1', b: '2' } });
    expect(await call('PUT', `${NS}/instance/partial`, { ...one, metadata: '{"c":"3"}' })).toEqual(ok);
    expect(await seen()).toMatchObject({ metadata: { a: '1', c: '3' } });
    expect(await call('PUT', `${NS}/instance`, { ...one, enabled: 'true', metadata: '{}' })).toEqual(ok);
    expect(await seen()).toEqual({ weight: 3, enabled: true, metadata: { a: '1' }, edit: undefined });
  });

  it('are not healed by an edit that calls them healthy', async () => {
    const serviceName = fresh();
    const one = { serviceName, ...at };
    await call('POST', `${NS}/instance`, { ...one, healthy: 'false' });
    for (const path of ['/instance', '/instance/partial'])
      expect(await call('PUT', NS + path, { ...one, healthy: 'true', weight: 2 })).toEqual(ok);
    expect(await dataOf('GET', `${NS}/instance`, one)).toMatchObject({ healthy: false, weight: 2 });
  });

  it('are not made by an edit', async () => {
    const serviceName = fresh();
    await call('POST', `${NS}/instance`, { serviceName, ...at });
    expect(await call('PUT', `${NS}/instance`, { serviceName, ...at, port: 99, enabled: 'false' })).toEqual(ok);
    expect(await dataOf('GET', `${NS}/instance/list`, { serviceName })).toHaveLength(1);
  });

  it('have their metadata edited together: those that are listed, or else all of a kind', async () => {
    const serviceName = fresh();
    for (const port of [80, 81]) await call('POST', `${NS}/instance`, { serviceName, ip: at.ip, port });
    const batch = { serviceName, metadata: '{"k":"v"}' };
    const updated = (...ports: number[]) =>
      success({ updated: ports.map((port) => `10.0.0.1:${port}:unknown:DEFAULT:ephemeral`) });
    const listed = { ...batch, consistencyType: 'ephemeral', instances: '[{"ip":"10.0.0.1","port":81}]' };
    expect(await call('PUT', `${NS}/instance/metadata/batch`, listed)).toEqual(updated(81));
    expect(await call('PUT', `${NS}/instance/metadata/batch`, { ...batch, consistencyType: 'ephemeral' })).toEqual(
      updated(80, 81),
    );
    expect(await call('DELETE', `${NS}/instance/metadata/batch`, listed)).toEqual(updated(81));
    expect(await call('PUT', `${NS}/instance/metadata/batch`, batch)).toEqual(updated());
    expect(await dataOf('GET', `${NS}/instance`, { serviceName, ...at, port: 81 })).toMatchObject({ metadata: {} });
  });

  it('beat there when PHP registers them, and are answered bare', async () => {
    const one = { serviceName: fresh(), ...at };
    await call('POST', `${NS}/instance`, one);
    expect(await call('PUT', `${NS}/instance/beat`, one)).toMatchObject({ status: 200, body: { code: 10200 } });
  });

  const missing = (name: string, type: string) =>
    failure(400, 10000, 'parameter missing', `Required parameter '${name}' type ${type} is not present`);
  const invalid = (text: string) => failure(400, 20002, 'parameter validate error', text);
  it.each([
    ['POST', '/instance', { serviceName: '' }, missing('serviceName', 'String')],
    ['POST', '/instance', { ip: '' }, missing('ip', 'String')],
    ['POST', '/instance', { port: '' }, missing('port', 'Integer')],
    ['POST', '/instance', { healthy: 'maybe' }, invalid('healthy must be true or false, got maybe')],
    ['PUT', '/instance', { enabled: 'x' }, invalid('enabled must be true or false, got x')],
    ['PUT', '/instance/partial', { ephemeral: 'x' }, invalid('ephemeral must be true or false, got x')],
    ['POST', '/instance', { weight: 'x' }, invalid('For input string: "x"')],
    [
      'POST',
      '/instance',
      { weight: 20_000 },
      failure(400, 21001, 'weight error', 'instance format invalid: The weights range from 0.0 to 10000.0'),
    ],
    ['POST', '/instance', { metadata: 'bad' }, failure(400, 21002, 'instance metadata error', 'metadata format incorrect:bad')],
    [
      'PUT',
      '/instance',
      {},
      failure(
        400,
        21004,
        'instance error',
        "service not found, namespace: public, service: Service{namespace='public', group='DEFAULT_GROUP', name='nope', ephemeral=true, revision=0}",
      ),
    ],
    ...(['GET /instance', 'PUT /instance/partial'] as const).map((line): [string, string, Form, object] => {
      const [method = '', path = ''] = line.split(' ');
      const text = 'no ips found for cluster DEFAULT in service DEFAULT_GROUP@@nope';
      return [method, path, {}, failure(404, 20004, 'resource not found', text)];
    }),
    ['GET', '/instance/list', {}, failure(404, 30000, 'server error', 'service DEFAULT_GROUP@@nope is not found!')],
    ['PUT', '/instance/metadata/batch', {}, missing('metadata', 'String')],
  ])('%s %s with %j is refused in the words of 3.x', async (method, path, params, answer) => {
    expect(await call(method, NS + path, { serviceName: 'nope', ...at, ...params })).toEqual(answer);
  });

  it('of a known service that are not there are named as Nacos names them', async () => {
    const serviceName = fresh();
    await call('POST', `${NS}/instance`, { serviceName, ...at });
    const other = { serviceName, ...at, port: 81 };
    const none = failure(404, 20004, 'resource not found', 'no matched ip found!');
    expect(await call('GET', `${NS}/instance`, other)).toEqual(none);
    expect(await call('PUT', `${NS}/instance/partial`, { ...other, weight: 2 })).toEqual(none);
    expect(await call('GET', `${NS}/instance/list`, { serviceName, clusterName: 'none' })).toEqual(
      failure(404, 30000, 'server error', 'cluster none is not found!'),
    );
    await call('DELETE', `${NS}/instance`, { serviceName, ...at });
    expect(await call('GET', `${NS}/instance/list`, { serviceName })).toEqual(success([]));
  });
});

describe("operators' edits", () => {
  it('are listed by namespace, group and service, page by page, and end one by one', async () => {
    const [serviceName, namespaceId, groupName] = [fresh(), `ns-${serial}`, 'G1'];
    const service = { serviceName, namespaceId, groupName };
    for (const port of [80, 81]) {
      await call('POST', `${NS}/instance`, { ...service, ip: at.ip, port, weight: 2 });
      await call('PUT', `${NS}/instance`, { ...service, ip: at.ip, port, enabled: 'false', metadata: '{"k":"v"}' });
    }
    await call('POST', `${NS}/instance`, { ...service, ...at, port: 82 });
    const edited = (port: number) => ({
      ...service,
      ip: at.ip,
      port,
      edit: { enabled: false, metadata: { k: 'v' } },
      awayMs: null,
    });
    const page = { totalCount: 2, pageNumber: 1, pagesAvailable: 1, pageItems: [edited(80), edited(81)] };
    for (const wanted of [
      service,
      { namespaceId },
      { namespaceId, groupName },
      { namespaceId, serviceName: `G1@@${serviceName}` },
    ])
      expect(await call('GET', `${NS}/overlay`, wanted)).toEqual(success(page));
    expect(await call('GET', `${NS}/overlay`, { ...service, pageNo: 2, pageSize: 1 })).toEqual(
      success({ totalCount: 2, pageNumber: 2, pagesAvailable: 2, pageItems: [edited(81)] }),
    );
    expect(await dataOf('GET', `${NS}/overlay`, { serviceName })).toMatchObject({ totalCount: 0 });
    const all = (await dataOf('GET', `${NS}/overlay`)).pageItems;
    expect(all).toEqual(expect.arrayContaining([edited(80), edited(81)]));

    expect(await call('DELETE', `${NS}/overlay`, { ...service, ...at })).toEqual(ok);
    expect(await dataOf('GET', `${NS}/instance`, { ...service, ...at })).toMatchObject({
      enabled: true,
      metadata: {},
      weight: 2,
    });
    expect(await call('DELETE', `${NS}/overlay`, { ...service, ...at })).toEqual(
      failure(404, 20004, 'resource not found', `there is no edit of 10.0.0.1:80 in service G1@@${serviceName}`),
    );
    expect(await dataOf('GET', `${NS}/overlay`, service)).toMatchObject({ totalCount: 1 });
  });

  it('stand in the rows of the catalog, and in no list that consumers read', async () => {
    const serviceName = fresh();
    await call('POST', '/v1/ns/instance', { serviceName, ...at });
    await call('PATCH', '/v1/ns/instance', { serviceName, ...at, weight: 7 });
    const catalog = await call('GET', '/v1/ns/catalog/instances', { serviceName, pageNo: 1, pageSize: 10 });
    expect(catalog.body).toMatchObject({ list: [{ weight: 7, edit: { weight: 7 } }] });
    expect(await dataOf('GET', '/v2/ns/catalog/instances', { serviceName })).toMatchObject({
      instances: [{ edit: { weight: 7 } }],
    });
    const rows = await call('GET', '/v1/ns/catalog/services', {
      serviceNameParam: serviceName,
      withInstances: 'true',
      pageNo: 1,
      pageSize: 1,
    });
    expect(rows.body).toMatchObject([{ clusterMap: { DEFAULT: { hosts: [{ edit: { weight: 7 } }] } } }]);
    for (const path of ['/v1/ns/instance/list', '/v2/ns/instance/list', '/v3/client/ns/instance/list'])
      expect(JSON.stringify((await call('GET', path, { serviceName })).body)).not.toContain('"edit"');
  });
});

describe('services, as operators of 3.x see to them,', () => {
  it('are created, read, edited, listed and deleted', async () => {
    const serviceName = fresh();
    const exists = `specified service DEFAULT_GROUP@@${serviceName} already exists!`;
    const said = { serviceName, protectThreshold: 0.5, metadata: '{"a":"1"}' };
    expect(await call('POST', `${NS}/service`, said)).toEqual(ok);
    expect(await call('POST', `${NS}/service`, said)).toEqual(failure(400, 21007, 'service already exist', exists));
    await call('POST', `${NS}/instance`, { serviceName, ...at });
    expect(await call('GET', `${NS}/service`, { serviceName })).toMatchObject(
      success({
        namespaceId: 'public',
        serviceName,
        groupName: 'DEFAULT_GROUP',
        clusterMap: {
          DEFAULT: {
            clusterName: 'DEFAULT',
            healthChecker: { type: 'TCP' },
            healthyCheckPort: 80,
            useInstancePortForCheck: true,
            metadata: {},
            hosts: null,
          },
        },
        metadata: { a: '1' },
        protectThreshold: 0.5,
        selector: { type: 'none' },
      }),
    );
    expect(await call('PUT', `${NS}/service`, { serviceName })).toEqual(ok);
    expect(await dataOf('GET', `${NS}/service`, { serviceName })).toMatchObject({ metadata: {}, protectThreshold: 0 });
    const notEmpty = `Service DEFAULT_GROUP@@${serviceName} is not empty, can't be delete. Please unregister instance first`;
    expect(await call('DELETE', `${NS}/service`, { serviceName })).toEqual(
      failure(400, 21009, 'service delete failure', notEmpty),
    );
    await call('DELETE', `${NS}/instance`, { serviceName, ...at });
    expect(await call('DELETE', `${NS}/service`, { serviceName })).toEqual(ok);
  });

  it('are listed by part of the name, by page, with how many there are, and with their instances', async () => {
    const groupName = `list-${serial}`;
    for (const serviceName of ['aa', 'ab', 'b']) await call('POST', `${NS}/service`, { serviceName, groupName });
    await call('POST', `${NS}/instance`, { serviceName: 'ab', groupName, ...at });
    const wanted = { groupNameParam: groupName };
    const row = (name: string, count: number) => ({
      name,
      groupName,
      clusterCount: count,
      ipCount: count,
      healthyInstanceCount: count,
      triggerFlag: 'false',
    });
    const page = (items: readonly unknown[], numbers: object) => success({ ...numbers, pageItems: items });
    const list = (params: Form) => call('GET', `${NS}/service/list`, { ...wanted, ...params });
    expect(await list({})).toEqual(
      page([row('aa', 0), row('ab', 1), row('b', 0)], { totalCount: 3, pageNumber: 1, pagesAvailable: 1 }),
    );
    expect(await list({ serviceNameParam: 'a', pageNo: 2, pageSize: 1 })).toEqual(
      page([row('ab', 1)], { totalCount: 2, pageNumber: 2, pagesAvailable: 2 }),
    );
    expect(await list({ pageNo: 9 })).toEqual(page([], { totalCount: 3, pageNumber: 9, pagesAvailable: 1 }));
    expect(await list({ ignoreEmptyService: 'true', withInstances: 'true' })).toEqual(
      page(
        [
          {
            namespaceId: null,
            serviceName: 'ab',
            groupName,
            clusterMap: {
              DEFAULT: {
                clusterName: null,
                healthChecker: null,
                healthyCheckPort: 80,
                useInstancePortForCheck: true,
                metadata: null,
                hosts: [expect.objectContaining(at)],
              },
            },
            metadata: {},
            protectThreshold: 0,
            selector: null,
            ephemeral: null,
          },
        ],
        { totalCount: 1, pageNumber: 1, pagesAvailable: 1 },
      ),
    );
    expect(await list({ serviceNameParam: 'none' })).toEqual(page([], { totalCount: 0, pageNumber: 1, pagesAvailable: 0 }));
  });

  const validate = 'parameter validate error';
  it.each([
    [{ pageNo: 0 }, "Required parameter 'pageNo' should be positive integer, current is 0"],
    [{ pageSize: -5 }, "Required parameter 'pageSize' should be positive integer, current is -5"],
    [{ pageNo: 'x' }, 'pageNo must be a positive integer, got x'],
    [{ ignoreEmptyService: 'x' }, 'ignoreEmptyService must be true or false, got x'],
  ])('are not listed with %j', async (params, text) => {
    expect(await call('GET', `${NS}/service/list`, params)).toEqual(failure(400, 20002, validate, text));
  });

  const known = 'service not exist';
  it.each([
    ['GET', '/service', failure(400, 21008, known, 'service not found, namespace: public, serviceName: DEFAULT_GROUP@@nope')],
    ['PUT', '/service', failure(400, 21008, known, 'service DEFAULT_GROUP@@nope not found!')],
    ['DELETE', '/service', failure(400, 21008, known, 'service DEFAULT_GROUP@@nope not found!')],
    ['PUT', '/cluster', failure(400, 30000, 'server error', 'service not found groupName: DEFAULT_GROUP,serviceName: nope')],
    [
      'PUT',
      '/health/instance',
      failure(400, 30000, 'server error', 'health check is still working, service: DEFAULT_GROUP@@nope, cluster: DEFAULT'),
    ],
  ])('%s %s says in the words of 3.x that one is not known', async (method, path, answer) => {
    const cluster = { clusterName: 'DEFAULT', checkPort: 80, healthChecker: '{"type":"NONE"}', healthy: 'true' };
    expect(await call(method, NS + path, { serviceName: 'nope', ...at, ...cluster })).toEqual(answer);
  });

  it('have health set by call where no checker does', async () => {
    const serviceName = fresh();
    const one = { serviceName, ...at };
    await call('POST', `${NS}/instance`, one);
    expect(await call('PUT', `${NS}/health/instance`, one)).toEqual(
      failure(400, 10000, 'parameter missing', "Required parameter 'healthy' type Boolean is not present"),
    );
    const none = { serviceName, clusterName: 'DEFAULT', checkPort: 81, healthChecker: '{"type":"NONE"}' };
    expect(await call('PUT', `${NS}/cluster`, none)).toEqual(ok);
    expect(await call('PUT', `${NS}/health/instance`, { ...one, healthy: 'false' })).toEqual(ok);
    expect(await dataOf('GET', `${NS}/instance`, one)).toMatchObject({ healthy: false });
    expect(await dataOf('GET', `${NS}/service`, { serviceName })).toMatchObject({
      clusterMap: { DEFAULT: { healthChecker: { type: 'NONE' }, healthyCheckPort: 81, useInstancePortForCheck: true } },
    });
    expect(await call('PUT', `${NS}/health`, { ...one, healthy: 'true' })).toMatchObject({ status: 404 });
  });

  it('know who subscribes, kinds of selectors and of checks', async () => {
    const serviceName = fresh();
    const headers = { 'user-agent': 'Nacos-Java-Client:v1.4.2' };
    await call('GET', '/v2/ns/instance/list', { serviceName, port: 50_003, app: 'shop' }, { headers });
    expect(await call('GET', `${NS}/service/subscribers`, { serviceName })).toEqual(
      success({
        totalCount: 1,
        pageNumber: 1,
        pagesAvailable: 1,
        pageItems: [
          {
            namespaceId: 'public',
            groupName: 'DEFAULT_GROUP',
            serviceName,
            ip: '127.0.0.1',
            port: 50_003,
            agent: 'Nacos-Java-Client:v1.4.2',
            appName: 'shop',
            address: '127.0.0.1:50003',
          },
        ],
      }),
    );
    expect(await dataOf('GET', `${NS}/service/subscribers`, { serviceName: 'nobody' })).toMatchObject({
      totalCount: 0,
      pageItems: [],
    });
    expect(await call('GET', `${NS}/service/selector/types`)).toEqual(success(['label', 'none']));
    expect(await call('GET', `${NS}/health/checkers`)).toMatchObject(success({ MYSQL: { user: null }, NONE: {} }));
  });
});

describe('clients, as operators of 3.x see them,', () => {
  it('are addresses with what they registered and subscribed to', async () => {
    const serviceName = fresh();
    const name = { namespaceId: 'public', groupName: 'DEFAULT_GROUP', serviceName };
    await call('POST', `${NS}/instance`, { serviceName, ip: '10.9.9.1', port: 90 });
    const headers = { 'user-agent': 'Nacos-Java-Client:v1.4.2' };
    await call('GET', '/v2/ns/instance/list', { serviceName, port: 50_002, app: 'shop' }, { headers });
    const [owner, reader] = ['10.9.9.1:90#true', '127.0.0.1:50002#true'];
    expect(await dataOf('GET', `${NS}/client/list`)).toEqual(expect.arrayContaining([owner, reader]));
    expect(await call('GET', `${NS}/client`, { clientId: owner })).toEqual(
      success({
        clientId: owner,
        ephemeral: true,
        lastUpdatedTime: expect.any(Number),
        clientType: 'ipPort',
        connectType: null,
        appName: null,
        version: null,
        clientIp: null,
        clientPort: 0,
      }),
    );
    const publisherInfo = { clientId: null, ip: '10.9.9.1', port: 90, clusterName: 'DEFAULT' };
    expect(await call('GET', `${NS}/client/publish/list`, { clientId: owner })).toEqual(
      success([{ ...name, publisherInfo, subscriberInfo: null }]),
    );
    const info = { appName: 'shop', agent: 'Nacos-Java-Client:v1.4.2', address: '127.0.0.1:50002' };
    expect(await call('GET', `${NS}/client/subscribe/list`, { clientId: reader })).toEqual(
      success([{ ...name, publisherInfo: null, subscriberInfo: { clientId: null, ...info } }]),
    );
    expect(await call('GET', `${NS}/client/service/publisher/list`, { serviceName, port: 'null' })).toEqual(
      success([{ clientId: owner, ip: '10.9.9.1', port: 90, clusterName: 'DEFAULT' }]),
    );
    expect(await call('GET', `${NS}/client/service/publisher/list`, { serviceName, port: 91 })).toEqual(success([]));
    expect(await call('GET', `${NS}/client/service/subscriber/list`, { serviceName })).toEqual(
      success([{ clientId: reader, ...info }]),
    );
    const responsible = { responsibleServer: server.listeners.main };
    expect(await call('GET', `${NS}/client/distro`, { ip: '10.9.9.1', port: 90 })).toEqual(success(responsible));
    expect(await call('GET', '/v1/ns/operator/distro/client', { ip: '10.9.9.1', port: 90 })).toEqual({
      status: 200,
      body: responsible,
    });
    expect(await call('GET', '/v1/ns/operator/distro/client', { port: 90 })).toEqual({
      status: 400,
      body: "Parameter 'ip' is missing",
    });
  });

  it.each(['/client', '/client/publish/list', '/client/subscribe/list'])(
    '%s says who is not known, and what is missing',
    async (path) => {
      expect(await call('GET', NS + path, { clientId: 'nope' })).toEqual(
        failure(404, 20004, 'resource not found', 'clientId [ nope ] not exist'),
      );
      const words = "Required request parameter 'clientId' for method parameter type String is not present";
      expect(await call('GET', NS + path)).toEqual(failure(400, 10000, 'parameter missing', words));
    },
  );
});
