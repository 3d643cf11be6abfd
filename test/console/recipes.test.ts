import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { type Asked, type RecipeId, recipesOf } from '../../console/src/views/service/recipes.ts';
import type { ServiceRef } from '../../src/console/api.ts';
import type { Server } from '../../src/index.ts';
import { lookAt } from '../support/console-looks.ts';
import { startGuarded } from '../support/guarded.ts';
import { failOnLeaks } from '../support/leaks.ts';
import { deregister, register, startServer } from '../support/server.ts';

failOnLeaks();

/** What `npx beatbridge` is in a clone, without what it takes npx to find that out. */
const NPX = `npx() { shift; "${process.execPath}" "${join(import.meta.dirname, '../../dist/cli/main.js')}" "$@"; }\n`;
const run = promisify(execFile);

/** Each line of it as it stands on the page, for itself: its exit code, and what it says. */
async function ran(text: string, env: Readonly<Record<string, string>> = {}): Promise<readonly [code: number, says: string][]> {
  const all = { ...process.env, ...env };
  return Promise.all(
    text.split('\n').map((line) =>
      run('sh', ['-c', NPX + line], { env: all }).then(
        ({ stdout }): [number, string] => [0, stdout],
        ({ code, stdout }): [number, string] => [code, stdout],
      ),
    ),
  );
}

const ORDERS = { namespace: 'public', group: 'DEFAULT_GROUP', service: 'orders' };

async function askedOf(server: Server, of: ServiceRef, token?: string): Promise<Asked> {
  const { facts, rows } = await lookAt(server, 'service', { ...of }, token);
  if (facts.asking === null) throw new Error('not all ports are open');
  return { of, asking: facts.asking, hostname: '127.0.0.1', instances: rows.map(({ ip, port }) => `${ip}:${port}`) };
}

function textOf(asked: Asked, id: RecipeId): string {
  return recipesOf(asked).find((recipe) => recipe.id === id)?.text ?? '';
}

/** As the bridge might have told of itself. */
function somewhere(name: string, more: Partial<Asked['asking']> = {}): Asked {
  const asking = { name, main: '[::]:8848', health: '[::]:20000', tlsOnly: 'none', needsLogin: false, ...more } as const;
  return { of: ORDERS, asking, hostname: 'bridge.example', instances: ['10.0.0.1:8080', '2001:db8::1:8080'] };
}

describe('how a service is asked for', () => {
  it('is what curl and beatbridge take, in whatever namespace and group it is', async () => {
    await using server = await startServer();
    const services = [
      [ORDERS, 'orders', {}],
      [{ namespace: 'dev', group: 'G1', service: 'orders' }, 'G1@@orders', { namespaceId: 'dev' }],
      [{ ...ORDERS, service: 'com.shop.Orders:1.0.0' }, 'com.shop.Orders:1.0.0', {}],
    ] as const;
    for (const [of, name, params] of services) {
      await register(server, name, params);
      await register(server, name, { ...params, ip: '10.0.0.2', healthy: 'false' });
      const asked = await askedOf(server, of);
      const texts = [textOf(asked, 'curl'), textOf(asked, 'beatbridge')];
      const [up, again] = [await ran(texts[0] ?? ''), await ran(texts[1] ?? '')];
      expect([...up, ...again].map(([code]) => code)).toEqual([0, 0, 0, 0]);
      expect(up.map(([, says]) => says)).toEqual([expect.stringContaining('"SERVING"'), '{"status":"SERVING"}']);
      expect(again.map(([, says]) => says)).toEqual(['status: SERVING\n', expect.stringMatching(/ is SERVING: 1 of 2/)]);
      await deregister(server, name, params);
      const [down, then] = [await ran(texts[0] ?? ''), await ran(texts[1] ?? '')];
      expect([...down, ...then].map(([code]) => code)).toEqual([22, 0, 4, 4]);
      expect(down[1]?.[1]).toBe('{"status":"NOT_SERVING"}');
    }
  });

  it('says where a login goes, where health needs one', async () => {
    await using server = await startGuarded({ reader: 'reader' }, { healthAuth: true });
    await server.registry.register('orders', { ip: '10.0.0.1', port: 80 });
    const TOKEN = await server.tokenOf('reader');
    const text = textOf(await askedOf(server, ORDERS, TOKEN), 'curl');
    expect((await ran(text, { TOKEN })).map(([code]) => code)).toEqual([0, 0]);
  });

  it('is for other programs what stands in README and in examples/', () => {
    const orders = somewhere('orders');
    expect(textOf(orders, 'probe')).toBe('grpc_health_probe -addr bridge.example:20000 -service orders');
    expect(textOf(orders, 'grpcurl')).toBe(
      `grpcurl -plaintext -d '{"service":"orders"}' bridge.example:20000 grpc.health.v1.Health/Check`,
    );
    expect(textOf(orders, 'haproxy').split('\n')).toEqual([
      'backend orders',
      '    option httpchk',
      '    http-check send meth GET uri-lf "/health/orders?instance=%[srv_name]"',
      '    default-server inter 1s fall 5 rise 1 addr bridge.example port 20000',
      '    server 10.0.0.1:8080 10.0.0.1:8080 check',
      '    server 2001:db8::1:8080 2001:db8::1:8080 check',
    ]);
    expect(textOf(orders, 'envoy')).toContain('http_health_check: { path: "/health/orders", host: beatbridge }');
    expect(textOf(orders, 'envoy')).toContain('{ address: "2001:db8::1", port_value: 8080 }');
    expect(textOf(orders, 'kubernetes')).toContain(
      String.raw`[sh, -c, "grpc_health_probe -addr bridge.example:20000 -service \"orders?instance=$POD_IP:8080\""]`,
    );
    expect(textOf(orders, 'spring')).toBe(
      'spring.application.name: orders\nspring.cloud.nacos.discovery.server-addr: bridge.example:8848',
    );
    expect(textOf(orders, 'dubbo')).toContain('dubbo.registry.address: nacos://bridge.example:8848\n');
  });

  it('goes to the namespace and the group that are meant', () => {
    const asked = { ...somewhere('G1@@orders?namespace=dev'), of: { namespace: 'dev', group: 'G1', service: 'orders' } };
    expect(textOf(asked, 'haproxy')).toContain('"/health/G1@@orders?namespace=dev&instance=%[srv_name]"');
    expect(textOf(asked, 'kubernetes')).toContain('G1@@orders?namespace=dev&instance=$POD_IP:8080');
    expect(textOf(asked, 'spring')).toContain('discovery.namespace: dev\nspring.cloud.nacos.discovery.group: G1');
    expect(textOf(asked, 'dubbo')).toContain('nacos://bridge.example:8848?namespace=dev&group=G1');
  });

  it('goes over TLS where nothing else is spoken, and to an address as it is where there is one', () => {
    const { of, instances, asking } = somewhere('orders', { tlsOnly: 'all', health: '10.9.9.9:20000' });
    const asked = { of, instances, asking, hostname: '[::1]' };
    expect(textOf(asked, 'curl')).toContain('curl -fsS https://10.9.9.9:20000/health/orders');
    expect(textOf(asked, 'probe')).toContain('-addr 10.9.9.9:20000 -tls ');
    expect(textOf(asked, 'grpcurl')).not.toContain('-plaintext');
    expect(textOf(asked, 'beatbridge')).toContain('--addr https://[::1]:8848');
  });
});
