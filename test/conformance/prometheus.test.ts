import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, expect, inject, it, onTestFinished } from 'vitest';
import { type Guarded, startGuarded } from '../support/guarded.ts';
import { TLS_CERT, TLS_KEY, WATCHING_CLIENTS } from '../support/health-clients.ts';
import { NacosGrpc } from '../support/nacos-grpc.ts';
import { nacos, register, startServer } from '../support/server.ts';
import { example, Folder, freeAddress, Program } from './program.ts';

/** What Prometheus itself makes of metrics, targets and alerts. Where it is not installed this is skipped, and named by `tools.ts`. */

const { prometheus, promtool } = inject('tools');

/** What promtool says, and how it ends. */
async function checked(args: readonly string[], input = ''): Promise<{ readonly code: number; readonly said: string }> {
  const child = spawn(promtool.path ?? '', args, { stdio: 'pipe' });
  const exited = once(child, 'exit') as Promise<[number]>;
  child.stdin.end(input);
  const said = await Promise.all([text(child.stdout), text(child.stderr)]);
  const [code] = await exited;
  return { code, said: said.join('') };
}

/** The files of examples/prometheus with a token, as they are found together. */
function written(folder: Folder, address = '127.0.0.1:8848', token = 'x'): string {
  for (const file of ['rules.yaml', 'rules.test.yaml']) folder.write(file, example(`prometheus/${file}`));
  folder.write('beatbridge.token', token);
  const often = {
    ' scrape_interval: 15s': ' scrape_interval: 1s\n  scrape_timeout: 1s',
    'evaluation_interval: 15s': 'evaluation_interval: 1s',
    'refresh_interval: 30s': 'refresh_interval: 1s',
  };
  return folder.write('prometheus.yaml', example('prometheus/prometheus.yaml', { ...often, '127.0.0.1:8848': address }));
}

// Without it skipped, and named by `tools.ts`; with INTEROP=all that fails the run.
describe.skipIf(promtool.path === undefined)('promtool', () => {
  it('finds nothing wrong with metrics of a bridge of which everything is asked', async () => {
    await using server = await startServer({ tls: { cert: TLS_CERT, key: TLS_KEY } });
    const { main } = server.listeners;
    await register(server, 'orders');
    await nacos(server, 'PUT', '/instance/beat', { serviceName: 'orders', ip: '10.0.0.1', port: 80 });
    for (const clientOf of Object.values(WATCHING_CLIENTS)) {
      using client = clientOf(main);
      await client.check('orders');
      await client.check('nobody').catch(() => {});
    }
    using client = await NacosGrpc.connect(main);
    const said = { namespace: 'public', groupName: 'DEFAULT_GROUP', serviceName: 'orders', subscribe: true };
    await client.ask('SubscribeServiceRequest', said);
    await fetch(`http://${main}/metrics`);
    const metrics = await (await fetch(`http://${main}/metrics`)).text();
    expect(metrics.match(/^beatbridge_\w+/gm)?.length).toBeGreaterThan(100);
    expect(await checked(['check', 'metrics'], metrics)).toEqual({ code: 0, said: '' });
  });

  it('takes the configuration, the rules and their tests', async () => {
    using folder = new Folder();
    const config = written(folder);
    for (const args of [
      ['check', 'config', config],
      ['check', 'rules', `${folder.path}/rules.yaml`],
      ['test', 'rules', `${folder.path}/rules.test.yaml`],
    ])
      expect(await checked(args)).toMatchObject({ code: 0, said: expect.stringContaining('SUCCESS') });
  });
});

interface Sample {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: readonly [number, string];
}

/** A Prometheus that scrapes the bridge with a token of a reader, until the end of the test. */
async function startPrometheus(server: Guarded) {
  const folder = new Folder();
  const config = written(folder, server.listeners.main, await server.tokenOf('reader'));
  const address = await freeAddress();
  const args = [`--config.file=${config}`, `--storage.tsdb.path=${folder.path}/data`, `--web.listen-address=${address}`];
  const program = new Program(prometheus.path, args);
  onTestFinished(async () => {
    await program[Symbol.asyncDispose]();
    folder[Symbol.dispose]();
  });
  const get = async <T>(path: string): Promise<T | undefined> => {
    const answer = await fetch(`http://${address}${path}`).catch(() => undefined);
    if (answer?.ok !== true) return undefined;
    return ((await answer.json()) as { readonly data: T }).data;
  };
  /** The values of all series that there are of it now. */
  const query = async (expr: string) => {
    const data = await get<{ readonly result: readonly Sample[] }>(`/api/v1/query?${new URLSearchParams({ query: expr })}`);
    return data?.result.map(({ value }) => Number(value[1]));
  };
  return { program, get, query };
}

/** A program that is registered, and tells metrics of its own. */
async function startScraped(): Promise<number> {
  const scraped = createServer((_, res) => res.end('shop_orders_total 7\n')).listen(0, '127.0.0.1');
  await once(scraped, 'listening');
  onTestFinished(() => {
    scraped.closeAllConnections();
    scraped.close();
  });
  return (scraped.address() as AddressInfo).port;
}

// Without it skipped, and named by `tools.ts`; with INTEROP=all that fails the run.
it.skipIf(prometheus.path === undefined)(
  'Prometheus scrapes with a token, finds who is registered, and tells who is down',
  async () => {
    await using server = await startGuarded({ reader: 'reader' });
    const root = { accessToken: await server.tokenOf('root') };
    const port = await startScraped();
    await register(server, 'shop', { ...root, ip: '127.0.0.1', port, metadata: JSON.stringify({ zone: 'a', 'no label': 'x' }) });
    await register(server, 'orders', { ...root, ip: '127.0.0.1', port: 1, ephemeral: 'false' });
    const { get, query, program } = await startPrometheus(server);
    const patience = { timeout: 30_000, interval: 250 };
    await expect.poll(() => query('up{job="beatbridge"}'), patience).toEqual([1]);
    await expect.poll(() => query('beatbridge_service_serving{service="orders"}'), patience).toEqual([1]);
    await expect.poll(() => query('up{job="services",service="shop",namespace="public",zone="a"}'), patience).toEqual([1]);
    await expect.poll(() => query('shop_orders_total{service="shop"}'), patience).toEqual([7]);
    expect(await query('beatbridge_instances')).toEqual([2]);

    await nacos(server, 'DELETE', '/instance', { ...root, serviceName: 'orders', ip: '127.0.0.1', port: 1, ephemeral: 'false' });
    await expect.poll(() => query('beatbridge_service_serving{service="orders"}'), patience).toEqual([0]);
    await expect.poll(() => query('beatbridge_transitions_total{to="not-serving",cause="deregistered"}'), patience).toEqual([1]);
    await expect
      .poll(() => query('ALERTS{alertname="ServiceDown",service="orders",alertstate="pending"}'), patience)
      .toEqual([1]);
    await expect.poll(() => query('up{job="services",service="orders"}'), patience).toEqual([]);

    const found = await get<{ readonly activeTargets: readonly { readonly lastError: string; readonly scrapePool: string }[] }>(
      '/api/v1/targets',
    );
    expect(
      found?.activeTargets.filter(({ scrapePool }) => scrapePool === 'beatbridge').map(({ lastError }) => lastError),
    ).toEqual(['']);
    expect(program.log).not.toMatch(/level=(error|warn)/);
  },
);
