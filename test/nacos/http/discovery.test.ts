import { describe, expect, it } from 'vitest';
import { startGuarded } from '../../support/guarded.ts';
import { failOnLeaks } from '../../support/leaks.ts';
import { answerOf, nacos, register, setEnabled, startServer } from '../../support/server.ts';

failOnLeaks();

type Target = { readonly targets: readonly string[]; readonly labels: Readonly<Record<string, string>> };

async function targets(address: string, path: string, headers: Record<string, string> = {}): Promise<readonly Target[]> {
  const answer = await fetch(`http://${address}${path}`, { headers });
  expect([path, answer.status, answer.headers.get('content-type')]).toEqual([path, 200, 'application/json;charset=UTF-8']);
  return (await answer.json()) as readonly Target[];
}

const addresses = async (address: string, path: string) => (await targets(address, path)).flatMap((each) => each.targets).sort();

describe('targets for Prometheus', () => {
  it.each(['', '/nacos'])(
    'are all there are, those of a namespace, or of one service there, below %j/prometheus',
    async (root) => {
      await using server = await startServer();
      const { main } = server.listeners;
      await register(server, 'orders');
      await register(server, 'orders', { groupName: 'G1', ip: '10.0.0.2' });
      await register(server, 'shop', { ip: '10.0.0.3' });
      await register(server, 'orders', { namespaceId: 'dev', ip: 'fe80::1' });
      const all = ['10.0.0.1:80', '10.0.0.2:80', '10.0.0.3:80', '[fe80::1]:80'];
      expect(await addresses(main, `${root}/prometheus`)).toEqual(all);
      expect(await addresses(main, `${root}/prometheus/`)).toEqual(all);
      expect(await addresses(main, `${root}/prometheus/namespaceId/public`)).toEqual(all.slice(0, 3));
      expect(await addresses(main, `${root}/prometheus/namespaceId/dev`)).toEqual(all.slice(3));
      expect(await addresses(main, `${root}/prometheus/namespaceId/public/service/orders`)).toEqual(all.slice(0, 2));
      expect(await addresses(main, `${root}/prometheus/namespaceId/public/service/orders/`)).toEqual(all.slice(0, 2));
      for (const path of ['namespaceId/nowhere', 'namespaceId/public/service/nobody', 'namespaceId/public/service/G1@@orders'])
        expect([path, await addresses(main, `${root}/prometheus/${path}`)]).toEqual([path, []]);
    },
  );

  it('have labels of what the instance is, and its metadata with names that Prometheus takes', async () => {
    await using server = await startServer();
    const metadata = {
      'a.b': '1',
      'a-b': '2',
      '9x': '3',
      'with space': '4',
      版本: '5',
      __meta_x: 'q',
      __proto__x: '6',
      zone: '"\n',
    };
    await register(server, 'orders', { metadata: JSON.stringify(metadata), weight: '2.5', clusterName: 'C1' });
    await setEnabled(server, 'orders', false);
    expect(await targets(server.listeners.main, '/prometheus')).toEqual([
      {
        targets: ['10.0.0.1:80'],
        labels: {
          __meta_clusterName: 'C1',
          __meta_nacos_namespace: 'public',
          __meta_nacos_group: 'DEFAULT_GROUP',
          __meta_nacos_service: 'orders',
          __meta_nacos_healthy: 'true',
          __meta_nacos_enabled: 'false',
          __meta_nacos_ephemeral: 'true',
          __meta_nacos_weight: '2.5',
          a_b: '1',
          __meta_x: 'q',
          __proto__x: '6',
          zone: '"\n',
        },
      },
    ]);
  });

  it('are those that the caller may read', async () => {
    await using server = await startGuarded({ reader: 'reader', elsewhere: 'reader@elsewhere' });
    const { main } = server.listeners;
    const root = { accessToken: await server.tokenOf('root') };
    await register(server, 'orders', root);
    await register(server, 'orders', { ...root, namespaceId: 'elsewhere', ip: '10.0.0.2' });
    const seen = async (name: string, path = '/prometheus') =>
      (await targets(main, path, { authorization: `Bearer ${await server.tokenOf(name)}` }))
        .flatMap((each) => each.targets)
        .sort();
    expect(await seen('reader')).toEqual(['10.0.0.1:80', '10.0.0.2:80']);
    expect(await seen('elsewhere')).toEqual(['10.0.0.2:80']);
    expect(await seen('elsewhere', '/prometheus/namespaceId/public')).toEqual([]);
  });

  it('are told by GET alone', async () => {
    await using server = await startServer();
    expect((await answerOf(nacos(server, 'POST', '/nacos/prometheus', {}))).status).toBe(405);
  });

  it('of many services are made some at a time, and whole', async () => {
    await using server = await startServer();
    const { main } = server.listeners;
    for (let i = 0; i < 1_200; i++) await register(server, `service-${i}`, { port: 1_000 + i });
    const [all, ...others] = await Promise.all([
      targets(main, '/prometheus'),
      ...Array.from({ length: 20 }, () => fetch(`http://${main}/health/service-1`)),
    ]);
    expect(new Set(all.flatMap((each) => each.targets)).size).toBe(1_200);
    expect(others.map(({ status }) => status)).toEqual(Array.from(others, () => 200));
  });
});
