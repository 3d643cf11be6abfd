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

const call = (method: string, path: string, params: Record<string, string | number> = {}) =>
  answerOf(nacos(server, method, `/nacos${path}`, params));
const success = (data: unknown) => ({ status: 200, body: { code: 0, message: 'success', data } });
const failure = (status: number, code: number, message: string, data: string) => ({ status, body: { code, message, data } });
const at = { ip: '10.0.0.1', port: 80 };

describe('v2', () => {
  it('registers, reads, lists, edits and deregisters in an envelope', async () => {
    const serviceName = fresh();
    const instance = { serviceName, ...at };
    expect(await call('POST', '/v2/ns/instance', { ...instance, weight: 2, metadata: '{"k":"v"}' })).toEqual(success('ok'));
    expect(await call('GET', '/v2/ns/instance', instance)).toEqual(
      success({
        serviceName: `DEFAULT_GROUP@@${serviceName}`,
        ip: '10.0.0.1',
        port: 80,
        clusterName: 'DEFAULT',
        weight: 2,
        healthy: true,
        instanceId: `10.0.0.1#80#DEFAULT#DEFAULT_GROUP@@${serviceName}`,
        metadata: { k: 'v' },
      }),
    );
    expect(await call('PUT', '/v2/ns/instance', { ...instance, weight: 3 })).toEqual(success('ok'));
    expect(await call('GET', '/v2/ns/instance/list', { serviceName, clusterName: 'DEFAULT' })).toMatchObject({
      body: { code: 0, data: { clusters: 'DEFAULT', hosts: [{ weight: 3 }] } },
    });
    expect(await call('DELETE', '/v2/ns/instance', instance)).toEqual(success('ok'));
    expect(await call('GET', '/v2/ns/instance/list', { serviceName })).toMatchObject({ body: { data: { hosts: [] } } });
  });

  it('answers beats, patches and statuses bare, as Nacos 2 does', async () => {
    const serviceName = fresh();
    const grouped = `DEFAULT_GROUP@@${serviceName}`;
    const instance = { serviceName: grouped, ...at };
    expect(await call('PUT', '/v2/ns/instance/beat', instance)).toMatchObject({ status: 200, body: { code: 20404 } });
    await call('POST', '/v2/ns/instance', { serviceName, ...at });
    expect(await call('PUT', '/v2/ns/instance/beat', instance)).toMatchObject({ status: 200, body: { code: 10200 } });
    expect(await call('PATCH', '/v2/ns/instance', { ...instance, weight: 5 })).toEqual({ status: 200, body: 'ok' });
    expect(await call('GET', `/v2/ns/instance/statuses/${encodeURIComponent(grouped)}`)).toEqual({
      status: 200,
      body: { ips: ['10.0.0.1:80_true'] },
    });
  });

  it.each([
    [{ ...at }, "Required parameter 'serviceName' type String is not present"],
    [{ serviceName: 'a', port: 80 }, "Required parameter 'ip' type String is not present"],
    [{ serviceName: 'a', ip: '10.0.0.1' }, "Required parameter 'port' type Integer is not present"],
  ])('says of %j what is missing', async (params, data) => {
    expect(await call('POST', '/v2/ns/instance', params)).toEqual(failure(400, 10000, 'parameter missing', data));
  });

  it('says what is wrong by code', async () => {
    const serviceName = fresh();
    const instance = { serviceName, ...at };
    expect(await call('POST', '/v2/ns/instance', { ...instance, weight: 20000 })).toMatchObject({
      status: 400,
      body: { code: 21001 },
    });
    expect(await call('POST', '/v2/ns/instance', { ...instance, metadata: 'x' })).toMatchObject({
      status: 400,
      body: { code: 21002 },
    });
    expect(await call('POST', '/v2/ns/instance', { ...instance, port: 'x' })).toMatchObject({
      status: 400,
      body: { code: 20002 },
    });
    expect(await call('GET', '/v2/ns/instance', instance)).toEqual(
      failure(404, 20004, 'resource not found', `no ips found for cluster DEFAULT in service DEFAULT_GROUP@@${serviceName}`),
    );
    expect(await call('PUT', '/v2/ns/health', instance)).toMatchObject({ status: 400, body: { code: 21010 } });
    expect(await call('PUT', '/v2/ns/health', { ...instance, healthy: 'true' })).toMatchObject({
      status: 400,
      body: { code: 21011 },
    });
  });

  it('creates, shows, lists and deletes services', async () => {
    const serviceName = fresh();
    const groupName = fresh();
    expect(await call('POST', '/v2/ns/service', { serviceName, groupName, metadata: '{"a":"b"}' })).toEqual(success('ok'));
    expect(await call('POST', '/v2/ns/service', { serviceName, groupName })).toMatchObject({
      status: 400,
      body: { code: 21007 },
    });
    await call('POST', '/v2/ns/instance', { serviceName, groupName, ...at });
    expect(await call('GET', '/v2/ns/service', { serviceName, groupName })).toEqual(
      success({
        namespace: 'public',
        serviceName,
        groupName,
        clusterMap: { DEFAULT: { clusterName: 'DEFAULT', healthChecker: { type: 'TCP' }, metadata: {}, hosts: null } },
        metadata: { a: 'b' },
        protectThreshold: 0,
        selector: { type: 'none' },
        ephemeral: true,
      }),
    );
    expect(await call('GET', '/v2/ns/service/list', { groupName })).toEqual(success({ count: 1, services: [serviceName] }));
    expect(await call('GET', '/v2/ns/catalog/instances', { serviceName, groupName })).toMatchObject({
      body: { data: { instances: [{ ip: '10.0.0.1' }], count: 1 } },
    });
    expect(await call('GET', '/v2/ns/client/service/publisher/list', { serviceName, groupName })).toEqual(
      success([{ clientId: '10.0.0.1:80#true', ip: '10.0.0.1', port: 80, cluster: 'DEFAULT' }]),
    );
    expect(await call('GET', '/v2/ns/client/service/subscriber/list', { serviceName, groupName })).toEqual(success([]));
    expect(await call('DELETE', '/v2/ns/service', { serviceName, groupName })).toMatchObject({
      status: 400,
      body: { code: 21009 },
    });
    await call('DELETE', '/v2/ns/instance', { serviceName, groupName, ...at });
    expect(await call('DELETE', '/v2/ns/service', { serviceName, groupName })).toEqual(success('ok'));
    expect(await call('DELETE', '/v2/ns/service', { serviceName, groupName })).toMatchObject({
      status: 400,
      body: { code: 21008 },
    });
  });

  it.each([
    [{ ephemeral: 'false' }, false],
    [{ ephemeral: 'true' }, true],
    // As in Nacos: who creates a service and does not say means a persistent one.
    [{}, false],
  ])('reads back whether a service was created with %j, also after it was edited', async (params, ephemeral) => {
    const serviceName = fresh();
    await call('POST', '/v2/ns/service', { serviceName, ...params });
    expect(await call('GET', '/v2/ns/service', { serviceName })).toMatchObject({ body: { data: { ephemeral } } });
    await call('PUT', '/v2/ns/service', { serviceName, protectThreshold: 0.5, ephemeral: String(!ephemeral) });
    expect(await call('GET', '/v2/ns/service', { serviceName })).toMatchObject({ body: { data: { ephemeral } } });
    // What it holds is the truth from then on.
    await call('POST', '/v2/ns/instance', { serviceName, ...at, ephemeral: String(!ephemeral) });
    expect(await call('GET', '/v2/ns/service', { serviceName })).toMatchObject({ body: { data: { ephemeral: !ephemeral } } });
  });

  it('lists for ten seconds and under the grouped name, whoever asks', async () => {
    const serviceName = fresh();
    await call('POST', '/v2/ns/instance', { serviceName, ...at });
    const grouped = `DEFAULT_GROUP@@${serviceName}`;
    expect(await call('GET', '/v2/ns/instance/list', { serviceName })).toMatchObject({
      body: { data: { name: grouped, cacheMillis: 10000, hosts: [{ serviceName: grouped }] } },
    });
  });

  it.each(['{}', '{"type":"nearest"}', '{"type":""}', '{"type":7}'])('refuses the selector %s', async (selector) => {
    const serviceName = fresh();
    const body = {
      code: 21006,
      message: 'selector error',
      data: `not match any type of selector! its type must be label or none, got ${selector}`,
    };
    expect(await call('POST', '/v2/ns/service', { serviceName, selector })).toEqual({ status: 400, body });
    await call('POST', '/v2/ns/service', { serviceName });
    expect(await call('PUT', '/v2/ns/service', { serviceName, protectThreshold: 0, selector })).toEqual({ status: 400, body });
  });

  it('knows clients by their address', async () => {
    const serviceName = fresh();
    const groupName = fresh();
    const name = { namespace: 'public', group: groupName, serviceName };
    await call('POST', '/v2/ns/instance', { serviceName, groupName, ip: '10.9.9.9', port: 90 });
    const headers = { 'user-agent': 'Nacos-Java-Client:v1.4.2' };
    const query = { serviceName, groupName, port: 50001, app: 'shop' };
    await answerOf(nacos(server, 'GET', '/nacos/v2/ns/instance/list', query, { headers }));
    expect(await call('GET', '/v2/ns/client/list')).toMatchObject({
      body: { data: expect.arrayContaining(['10.9.9.9:90#true', '127.0.0.1:50001#true']) },
    });
    expect(await call('GET', '/v2/ns/client', { clientId: '10.9.9.9:90#true' })).toEqual(
      success({
        clientId: '10.9.9.9:90#true',
        ephemeral: true,
        lastUpdatedTime: expect.any(Number),
        clientType: 'ipPort',
        clientIp: '10.9.9.9',
        clientPort: '90',
      }),
    );
    expect(await call('GET', '/v2/ns/client/publish/list', { clientId: '10.9.9.9:90#true' })).toEqual(
      success([{ ...name, registeredInstance: { ip: '10.9.9.9', port: 90, cluster: 'DEFAULT' } }]),
    );
    expect(await call('GET', '/v2/ns/client/subscribe/list', { clientId: '10.9.9.9:90#true' })).toEqual(success([]));
    expect(await call('GET', '/v2/ns/client/subscribe/list', { clientId: '127.0.0.1:50001#true' })).toEqual(
      success([{ ...name, subscriberInfo: { app: 'shop', agent: 'Nacos-Java-Client:v1.4.2', addr: '127.0.0.1:50001' } }]),
    );
    expect(await call('GET', '/v2/ns/client/service/subscriber/list', { serviceName, groupName })).toEqual(
      success([{ clientId: '127.0.0.1:50001#true', ip: '127.0.0.1', port: 50001 }]),
    );
    const publishers = { serviceName, groupName, ip: '10.9.9.9' };
    expect(await call('GET', '/v2/ns/client/service/publisher/list', { ...publishers, port: 90 })).toMatchObject({
      body: { data: [{ port: 90 }] },
    });
    expect(await call('GET', '/v2/ns/client/service/publisher/list', { ...publishers, port: 91 })).toEqual(success([]));
    expect(await call('GET', '/v2/ns/client', { clientId: 'nobody' })).toEqual(
      failure(404, 20004, 'resource not found', 'clientId [ nobody ] not exist'),
    );
  });

  it('tells the metrics, in short unless asked', async () => {
    expect(await call('GET', '/v2/ns/operator/metrics')).toEqual(success({ status: 'UP' }));
    expect(await call('GET', '/v2/ns/ops/metrics', { onlyStatus: 'false' })).toMatchObject({
      body: { data: { status: 'UP', serviceCount: expect.any(Number) } },
    });
  });
});

describe('v3 for clients', () => {
  it('registers, beats, lists as a bare array, and deregisters', async () => {
    const serviceName = fresh();
    const instance = { serviceName, ...at };
    const unknown = { status: 200, body: { code: 21003, message: 'instance not found', data: null } };
    expect(await call('POST', '/v3/client/ns/instance', { ...instance, heartBeat: 'true' })).toEqual(unknown);
    expect(await call('POST', '/v3/client/ns/instance', instance)).toEqual(success('ok'));
    expect(await call('POST', '/v3/client/ns/instance', { ...instance, heartBeat: 'true' })).toEqual(success('ok'));
    await call('POST', '/v3/client/ns/instance', { ...instance, port: 81, clusterName: 'C2' });
    expect(await call('GET', '/v3/client/ns/instance/list', { serviceName })).toMatchObject({
      body: { code: 0, data: [{ port: 80 }] },
    });
    expect(await call('GET', '/v3/client/ns/instance/list', { serviceName, clusterName: 'C2' })).toMatchObject({
      body: { data: [{ port: 81 }] },
    });
    expect(await call('DELETE', '/v3/client/ns/instance', instance)).toEqual(success('ok'));
    expect(await call('GET', '/v3/client/ns/instance/list', { serviceName })).toEqual(success([]));
  });
});
