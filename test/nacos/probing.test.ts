import { describe, expect, it } from 'vitest';
import { orders } from '../support/instances.ts';
import { servedForTest as served } from '../support/nacos-served.ts';

const at = { ip: '10.0.0.1', port: 80 };
describe('how long checks take', () => {
  it('is told by cluster, in whole milliseconds; zeros where nothing is checked', async () => {
    const times = { best: 1.4, worst: 99.5, normalized: 1_500 };
    const { call } = await served({
      checkTimes: {
        of: ({ name }, cluster) => (name === 'orders' && cluster === 'C1' ? times : { best: 0, worst: 0, normalized: 0 }),
      },
    });
    await call('POST', '/instance', at);
    await call('POST', '/instance', { ...at, port: 81, clusterName: 'C1' });
    const zeros = { checkRTBest: 0, checkRTWorst: 0, checkRTNormalized: 0 };
    expect(await call('GET', '/catalog/rt/service')).toEqual({
      status: 200,
      body: {
        clusters: [
          { name: 'C1', checkRTBest: 1, checkRTWorst: 100, checkRTNormalized: 1_500 },
          { name: 'DEFAULT', ...zeros },
        ],
      },
    });
    const unchecked = await served();
    await unchecked.call('POST', '/instance', at);
    expect(await unchecked.call('GET', '/catalog/rt/service')).toEqual({
      status: 200,
      body: { clusters: [{ name: 'DEFAULT', ...zeros }] },
    });
  });
});

describe('what the switches say of checks', () => {
  const payments = { ...orders, name: 'payments', group: 'G1' };

  it.each([
    ['v1', '/nacos/v1/ns/operator/switches'],
    ['v2', '/nacos/v2/ns/operator/switches'],
    ['v3', '/nacos/v3/admin/ns/ops/switches'],
  ])('is that services are checked, or only those of a white list, by %s', async (_, path) => {
    const { call, checking } = await served();
    const on = () => [checking.isOn(orders), checking.isOn({ ...orders, namespace: 'dev' }), checking.isOn(payments)];
    let changes = 0;
    checking.onChange(() => changes++);
    expect(on()).toEqual([true, true, true]);
    expect((await call('PUT', path, { entry: 'check', value: 'false' })).status).toBe(200);
    expect(on()).toEqual([false, false, false]);
    expect((await call('PUT', path, { entry: 'healthCheckWhiteList', value: 'orders, G2@@other' })).status).toBe(200);
    expect(on()).toEqual([true, true, false]);
    const { body } = await call('GET', path);
    expect(body).toMatchObject(
      path.includes('/v1/')
        ? { healthCheckWhiteList: ['DEFAULT_GROUP@@orders', 'G2@@other'] }
        : { data: { healthCheckWhiteList: ['DEFAULT_GROUP@@orders', 'G2@@other'] } },
    );
    expect((await call('PUT', path, { entry: 'healthCheckWhiteList', value: 'G1@@payments' })).status).toBe(200);
    expect(on()).toEqual([false, false, true]);
    expect((await call('PUT', path, { entry: 'healthCheckWhiteList', value: 'a b' })).status).toBe(400);
    expect(on()).toEqual([false, false, true]);
    expect((await call('PUT', path, { entry: 'healthCheckWhiteList', value: 'null' })).status).toBe(200);
    expect(on()).toEqual([false, false, false]);
    expect(changes).toBe(4);
  });

  it('is how often and how strictly, as Nacos has it; gRPC as HTTP', async () => {
    const { call, checking } = await served();
    expect([checking.paceOf('tcp'), checking.paceOf('http'), checking.paceOf('mysql'), checking.paceOf('grpc')]).toEqual([
      { max: 5_000, min: 1_000, factor: 0.75 },
      { max: 5_000, min: 500, factor: 0.85 },
      { max: 3_000, min: 2_000, factor: 0.65 },
      { max: 5_000, min: 500, factor: 0.85 },
    ]);
    expect(checking.times).toBe(3);
    await call('PUT', '/operator/switches', { entry: 'healthCheckTimes', value: 5 });
    expect(checking.times).toBe(5);
  });

  it('takes the effect from silence in every service, whatever the white list says', async () => {
    const { call, pass, seen } = await served();
    await call('POST', '/instance', at);
    await call('PUT', '/operator/switches', { entry: 'healthCheckWhiteList', value: 'orders' });
    await call('PUT', '/operator/switches', { entry: 'check', value: 'false' });
    pass(60_000);
    expect(seen()?.healthy).toBe(true);
    await call('PUT', '/operator/switches', { entry: 'check', value: 'true' });
    pass(0);
    expect(seen()).toBeUndefined();
  });
});
