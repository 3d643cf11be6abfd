import { describe, expect, it } from 'vitest';
import { servedNacos } from '../../support/nacos-served.ts';

const NS = '/nacos/v3/admin/ns';
const place = { ip: '10.0.0.1', port: 80 };
const success = (data: unknown) => ({ status: 200, body: { code: 0, message: 'success', data } });

describe('for backups a server tells', () => {
  it('what a client said and what an operator laid over it, each by itself', async () => {
    await using served = await servedNacos();
    const { call } = served;
    await call('POST', '/instance', { ...place, ephemeral: 'false', weight: 2, metadata: 'a=1' });
    await call('PUT', '/instance', { ...place, weight: 5, metadata: 'b=2' });
    const said = { ip: '10.0.0.1', port: 80, clusterName: 'DEFAULT', ephemeral: false, weight: 2, enabled: true, healthy: true };
    const edit = { weight: 5, metadata: { a: null, b: '2' } };
    const page = { totalCount: 1, pageNumber: 1, pagesAvailable: 1, pageItems: [{ ...said, metadata: { a: '1' }, edit }] };
    expect(await call('GET', `${NS}/service/records`)).toEqual(success({ said: null, instances: page }));
    expect(await call('GET', `${NS}/service/records`, { pageNo: 2 })).toMatchObject({
      body: { data: { instances: { totalCount: 1, pageItems: [] } } },
    });
  });

  it('what an operator said of a service, and no password', async () => {
    await using served = await servedNacos();
    const { call } = served;
    await call('POST', '/service', { protectThreshold: 0.5, metadata: 'a=1' });
    const healthChecker = JSON.stringify({ type: 'MYSQL', user: 'u', pwd: 'secret', cmd: 'c' });
    await call('PUT', '/cluster', { clusterName: 'C', checkPort: 81, useInstancePort4Check: 'false', healthChecker });
    const cluster = { healthChecker: { type: 'MYSQL', user: 'u', pwd: null, cmd: 'c' }, checkPort: 81, useInstancePort: false };
    const said = { ephemeral: false, protectThreshold: 0.5, metadata: { a: '1' }, selector: { type: 'none' } };
    expect(await call('GET', `${NS}/service/records`)).toMatchObject({
      body: { data: { said: { ...said, clusters: { C: { ...cluster, metadata: {} } } }, instances: { totalCount: 0 } } },
    });
  });

  it('nothing of a service that it does not know', async () => {
    await using served = await servedNacos();
    expect(await served.call('GET', `${NS}/service/records`)).toMatchObject({ status: 400, body: { code: 21_008 } });
  });

  it('which namespaces there is something in, named or not', async () => {
    await using served = await servedNacos();
    const { call } = served;
    await call('POST', '/service', { namespaceId: 'of-a-service' });
    await call('POST', '/nacos/v1/cs/configs', { tenant: 'of-a-text', dataId: 'd', group: 'G', content: 'c' });
    await call('PUT', `${NS}/overlay`, { namespaceId: 'of-an-edit', ...place, edit: '{"weight":1}' });
    await call('POST', '/nacos/v1/console/namespaces', { customNamespaceId: 'empty', namespaceName: 'N' });
    expect(await call('GET', '/nacos/v3/admin/core/namespace/used')).toEqual(
      success(['of-a-service', 'of-a-text', 'of-an-edit']),
    );
  });
});

describe('an edit that is put', () => {
  it('waits for an instance that is still to come, and then lies over it', async () => {
    await using served = await servedNacos();
    const { call } = served;
    const edit = { enabled: false, weight: 3, metadata: { a: null, b: '2' } };
    expect(await call('PUT', `${NS}/overlay`, { ...place, edit: JSON.stringify(edit) })).toEqual(success('ok'));
    expect(await call('GET', `${NS}/overlay`)).toMatchObject({ body: { data: { pageItems: [{ ...place, edit, awayMs: 0 }] } } });
    await call('POST', '/instance', { ...place, metadata: 'a=1,c=3' });
    expect(served.seen()).toMatchObject({ enabled: false, weight: 3, metadata: { b: '2', c: '3' }, edit });
  });

  it('stands in place of the one before, whether its instance is here or away', async () => {
    await using served = await servedNacos();
    const { call } = served;
    for (const edit of ['{"weight":3}', '{"enabled":false}']) await call('PUT', `${NS}/overlay`, { ...place, edit });
    expect(await call('GET', `${NS}/overlay`)).toMatchObject({ body: { data: { pageItems: [{ edit: { enabled: false } }] } } });
    await call('POST', '/instance', place);
    await call('PUT', `${NS}/overlay`, { ...place, edit: '{"metadata":{"a":"1"}}' });
    expect(served.seen()).toMatchObject({ enabled: true, weight: 1, edit: { metadata: { a: '1' } } });
  });

  it.each([
    ['x', 'edit must be a JSON object, got x'],
    ['{}', 'edit must be of enabled, weight and metadata, got {}'],
    ['{"port":1,"weight":1}', 'edit must be of enabled, weight and metadata, got {"port":1,"weight":1}'],
    ['{"enabled":"no"}', 'edit must be with true or false as enabled, got {"enabled":"no"}'],
    ['{"weight":"2"}', 'edit must be with a number as weight, got {"weight":"2"}'],
    ['{"metadata":[]}', 'edit must be with an object as metadata, got {"metadata":[]}'],
    ['{"metadata":{"a":[]}}', 'edit must be with texts or null in metadata, got {"metadata":{"a":[]}}'],
  ])('is refused when it is none: %s', async (edit, text) => {
    await using served = await servedNacos();
    expect(await served.call('PUT', `${NS}/overlay`, { ...place, edit })).toMatchObject({ status: 400, body: { data: text } });
    expect([...served.registry.edits()]).toEqual([]);
  });
});
