import { describe, expect, it } from 'vitest';
import { lookAt } from '../../support/console-looks.ts';
import { startGuarded } from '../../support/guarded.ts';
import { failOnLeaks } from '../../support/leaks.ts';
import { nacos, register, startServer } from '../../support/server.ts';

failOnLeaks();

type Reachable = Parameters<typeof lookAt>[0];

async function named(server: Reachable, name: string, token?: string) {
  return (await lookAt(server, 'name', { name }, token)).facts;
}

const provider = (path: string, rest: string) => `providers:${path}:${rest}`;

describe('the page of names', () => {
  it('says of the bridge that it is meant by nothing', async () => {
    await using server = await startServer();
    await register(server, 'orders');
    expect(await named(server, '')).toMatchObject({
      name: '',
      fault: null,
      status: 'SERVING',
      read: { isBridge: true },
      by: 'bridge',
      means: [],
      like: ['orders'],
      asking: { name: '', main: server.listeners.main, health: server.listeners.health, needsLogin: false },
    });
  });

  it('reads a name of Nacos, bare or grouped, and a part of a service', async () => {
    await using server = await startServer();
    await register(server, 'orders');
    await register(server, 'orders', { groupName: 'G1', enabled: 'false' });
    await register(server, 'reorders', { namespaceId: 'team-a' });
    const bare = await named(server, 'orders');
    expect(bare).toMatchObject({ status: 'SERVING', by: 'service', meansCount: 1, means: [{ group: 'DEFAULT_GROUP' }] });
    expect(bare.read).toEqual({
      isBridge: false,
      namespace: 'public',
      group: 'DEFAULT_GROUP',
      service: 'orders',
      dubbo: { interface: 'orders' },
    });
    expect(bare.like).toEqual(['G1@@orders', 'reorders?namespace=team-a']);
    const grouped = await named(server, 'G1@@orders');
    expect(grouped).toMatchObject({ status: 'NOT_SERVING', by: 'service', read: { group: 'G1', service: 'orders' } });
    expect(grouped.read?.dubbo).toBeUndefined();
    const part = await named(server, 'orders?instance=10.0.0.1:80&cluster=DEFAULT');
    expect(part).toMatchObject({ status: 'SERVING', read: { instance: '10.0.0.1:80', cluster: 'DEFAULT' } });
    expect(await named(server, 'orders?instance=10.0.0.9:80')).toMatchObject({ status: 'SERVICE_UNKNOWN', by: 'service' });
  });

  it('reads a key of Dubbo, and an interface that applications offer', async () => {
    await using server = await startServer();
    await register(server, provider('org.acme.Stock', '1.0.0:blue'));
    await register(server, provider('org.acme.Stock', '2.0.0:'), { enabled: 'false' });
    const key = await named(server, 'blue/org.acme.Stock:1.0.0');
    expect(key).toMatchObject({ status: 'SERVING', by: 'dubbo', meansCount: 1 });
    expect(key.read?.dubbo).toEqual({ interface: 'org.acme.Stock', group: 'blue', version: '1.0.0' });
    expect(await named(server, 'org.acme.Stock')).toMatchObject({ status: 'SERVING', by: 'dubbo', meansCount: 2 });
    expect(await named(server, 'org.acme.Stock:2.0.0')).toMatchObject({ status: 'NOT_SERVING', by: 'dubbo', meansCount: 1 });
    expect((await named(server, 'red/org.acme.Stock:9')).like).toHaveLength(2);
    const note = { dataId: 'org.acme.Bills', group: 'mapping', content: 'billing,absent' };
    expect((await nacos(server, 'POST', '/nacos/v1/cs/configs', note)).status).toBe(200);
    await register(server, 'billing');
    const offered = await named(server, 'org.acme.Bills');
    expect(offered).toMatchObject({ status: 'SERVING', by: 'application', meansCount: 2 });
    expect(offered.means.map(({ service, status }) => `${service} ${status}`)).toEqual([
      'billing SERVING',
      'absent SERVICE_UNKNOWN',
    ]);
  });

  it('says why a name is none in the words of health, and of one that nobody has that it is unknown', async () => {
    await using server = await startServer();
    const wrong = await named(server, 'orders?port=80');
    expect(wrong).toMatchObject({ status: null, read: null, by: null, asking: null });
    const refusal = await fetch(`http://${server.listeners.health}/health/orders?port=80`);
    expect([refusal.status, await refusal.json()]).toEqual([400, expect.objectContaining({ reason: wrong.fault })]);
    expect((await named(server, 'x'.repeat(1_025))).fault).toBe(wrong.fault);
    expect(await named(server, 'orders')).toMatchObject({ fault: null, status: 'SERVICE_UNKNOWN', by: 'none', like: [] });
  });

  it('tells a reader the status of any name, as health does, and nothing else of what he may not see', async () => {
    await using server = await startGuarded({ reader: 'reader@team-a', writer: 'writer' });
    const accessToken = await server.tokenOf('writer');
    await register(server, 'orders', { accessToken });
    await register(server, 'stock', { namespaceId: 'team-a', accessToken });
    const token = await server.tokenOf('reader');
    const hidden = await named(server, 'orders', token);
    expect(hidden).toMatchObject({ status: 'SERVING', by: null, means: [], meansCount: 0, like: [] });
    expect(await named(server, 'nobody', token)).toMatchObject({ status: 'SERVICE_UNKNOWN', by: 'none' });
    expect(await named(server, 'stock?namespace=team-a', token)).toMatchObject({ by: 'service', meansCount: 1 });
    expect((await named(server, '', token)).like).toEqual(['stock?namespace=team-a']);
  });
});
