import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { asked } from '../support/asked.ts';
import { Authority } from '../support/certificates.ts';
import { PASSWORD, SECRET, userFileOf } from '../support/guarded.ts';
import { NacosGrpc } from '../support/nacos-grpc.ts';
import { freePorts } from '../support/ports.ts';
import { CLI, FREE_PORTS, type Process, run, startProcess } from '../support/process.ts';
import { deregister, nacos, register } from '../support/server.ts';

const SOON = { timeout: 20_000, interval: 20 };
const PLAIN = [...FREE_PORTS, '--probes', 'false', '--data-dir', 'none'];

const dir = mkdtempSync(join(tmpdir(), 'beatbridge-asking-'));
const at = (name: string) => join(dir, name);
let bridge: Process;

beforeAll(async () => {
  bridge = await startProcess(PLAIN);
  // What lives by beats would fall silent while the tests run.
  await register(bridge, 'orders', { ephemeral: 'false', metadata: JSON.stringify({ zone: 'a' }) });
  await register(bridge, 'orders', { ephemeral: 'false', ip: '10.0.0.2', weight: 2 });
  await register(bridge, 'billing', { ephemeral: 'false', enabled: 'false', namespaceId: 'dev', groupName: 'G1' });
});
afterAll(async () => {
  await bridge.stop('SIGKILL');
  rmSync(dir, { recursive: true, force: true });
});

/** Of the bridge of this file. */
const beatbridge = (...args: string[]) => asked(args, { BEATBRIDGE_ADDR: bridge.listeners.main });
const asProcess = (...args: string[]) => run(args, { BEATBRIDGE_ADDR: bridge.listeners.main });
const json = async (...args: string[]) => JSON.parse((await beatbridge(...args, '-o', 'json')).stdout);
const lines = (text: string) => text.trimEnd().split('\n');

/** One that goes on until it is stopped. */
function going(addr: string, ...args: string[]) {
  const child: ChildProcess = spawn(process.execPath, [CLI, ...args], { env: { ...process.env, BEATBRIDGE_ADDR: addr } });
  onTestFinished(() => void child.kill('SIGKILL'));
  const said = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const)
    child[name]?.on('data', (chunk) => {
      said[name] += chunk;
    });
  return { child, said, ended: once(child, 'close').then(([code]) => code) };
}

describe('beatbridge list', () => {
  it('tells of every service what it is, what fails first', async () => {
    const { code, stdout, stderr } = await asProcess('list');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(lines(stdout).map((line) => line.split(/ {2,}/))).toEqual([
      ['NAMESPACE', 'SERVICE', 'STATUS', 'AVAILABLE', 'NEEDED', 'SINCE', 'CAUSE'],
      ['dev', 'G1@@billing', 'NOT_SERVING', '0/1', '1', expect.stringMatching(/^\d+s$/), 'registered'],
      ['public', 'orders', 'SERVING', '2/2', '1', expect.stringMatching(/^\d+s$/), 'registered'],
    ]);
  });

  it('as JSON is one document, of what is asked for, in that order', async () => {
    const names = async (...args: string[]) => (await json('list', ...args)).map(({ service }: { service: string }) => service);
    expect(await names('--sort', 'name')).toEqual(['billing', 'orders']);
    expect(await names('--sort', 'instances')).toEqual(['orders', 'billing']);
    expect(await names('--failing')).toEqual(['billing']);
    expect(await names('--namespace', 'public')).toEqual(['orders']);
    expect(await names('--group', 'G1')).toEqual(['billing']);
    expect(await beatbridge('list', '--failing', '--namespace', 'public')).toEqual({
      code: 0,
      stdout: '',
      stderr: 'beatbridge: no service is failing\n',
    });
  });

  it('finds nobody: 2; or somebody else: 3; or is told nonsense: 1', async () => {
    const [port] = await freePorts(1);
    expect(await run(['list', '--addr', `127.0.0.1:${port}`])).toEqual({
      code: 2,
      stdout: '',
      stderr: `beatbridge: 127.0.0.1:${port} cannot be reached: connect ECONNREFUSED 127.0.0.1:${port}\n`,
    });
    const others: readonly (readonly [status: number, body: string, stderr: string])[] = [
      [404, '<html>\u001b[31m', 'answers 404: <html>\\u001b[31m'],
      [404, 'not found', 'knows no GET /services'],
      [401, '', 'wants a login (--token-file)'],
      [200, 'hello\n', 'does not answer in JSON: "hello"'],
      [500, '{"message":"broken"}', 'answers 500: broken'],
    ];
    for (const [status, body, stderr] of others) {
      const other = createServer((_, res) => void res.writeHead(status).end(body)).listen(0, '127.0.0.1');
      await once(other, 'listening');
      const address = other.address();
      const told = await asked(['list', '--addr', `127.0.0.1:${typeof address === 'object' ? address?.port : ''}`]);
      other.close();
      expect(told).toMatchObject({ code: 3, stdout: '' });
      expect(lines(told.stderr)).toEqual([expect.stringContaining(stderr)]);
    }
    expect(await asked(['list', '--sort', 'age'])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('Allowed choices are'),
    });
  });

  it('asks over TLS, as whoever the file of a login says', async () => {
    const authority = new Authority();
    const { cert, key } = authority.issueForServer();
    const files = {
      'ca.pem': authority.cert,
      'cert.pem': cert,
      'key.pem': key,
      'users.yaml': userFileOf({ root: 'admin', dev: 'reader@dev' }),
      secret: SECRET,
      dev: `dev:${PASSWORD}\n`,
      wrong: 'dev:wrong password\n',
    };
    for (const [name, text] of Object.entries(files)) writeFileSync(at(name), text, { mode: 0o600 });
    const tls = ['--tls-cert', at('cert.pem'), '--tls-key', at('key.pem')];
    const auth = ['--auth', 'true', '--user-file', at('users.yaml'), '--auth-secret-file', at('secret')];
    await using guarded = await startProcess([...PLAIN, ...tls, ...auth]);
    const ask = (...args: string[]) =>
      asked([...args, '--addr', `https://${guarded.listeners.main}`, '--tls-ca-cert', at('ca.pem')]);
    expect(await ask('list')).toMatchObject({
      code: 3,
      stdout: '',
      stderr: expect.stringMatching(/does not allow it|wants a login/),
    });
    expect(await ask('list', '--token-file', at('wrong'))).toMatchObject({ code: 3 });
    expect(await ask('list', '--token-file', at('dev'))).toMatchObject({
      code: 0,
      stderr: 'beatbridge: there are no services\n',
    });
    expect(await ask('why', 'orders', '--token-file', at('dev'))).toMatchObject({ code: 3 });
    expect(await ask('events', '--token-file', at('dev'))).toMatchObject({ code: 0, stderr: '' });
    expect(await ask('watch', '', '--until', 'SERVING', '--token-file', at('dev'))).toMatchObject({ code: 0, stderr: '' });
  });
});

describe('beatbridge instances', () => {
  it('tells how each is, and who has spoken for it last, from where if from elsewhere', async () => {
    const { code, stdout, stderr } = await asProcess('instances', 'orders', '--wide');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(lines(stdout).map((line) => line.split(/ {2,}/))).toEqual([
      ['INSTANCE', 'HEALTHY', 'ENABLED', 'WEIGHT', 'CLUSTER', 'KIND', 'LAST BEAT', 'CLIENT', 'FROM', 'METADATA'],
      ['10.0.0.1:80', 'yes', 'yes', '1', 'DEFAULT', 'persistent', '-', 'node', '127.0.0.1', 'zone=a'],
      ['10.0.0.2:80', 'yes', 'yes', '2', 'DEFAULT', 'persistent', '-', 'node', '127.0.0.1'],
    ]);
    expect(await json('instances', 'billing?namespace=dev', '--group', 'G1')).toEqual([
      expect.objectContaining({ ip: '10.0.0.1', port: 80, enabled: false, available: false, client: 'node' }),
    ]);
  });

  it('lists no more than it was asked for: what it cannot choose by is refused: 1', async () => {
    for (const other of ['instance=10.0.0.1:80', 'cluster=NOPE'])
      expect(await beatbridge('instances', `orders?${other}`)).toMatchObject({ code: 1, stdout: '' });
  });

  it('says that it is not known: 3; or that the name contradicts a flag: 1', async () => {
    expect(await asProcess('instances', 'nobody')).toMatchObject({ code: 3, stdout: '' });
    expect(await beatbridge('instances', 'a?namespace=b', '--namespace', 'c')).toEqual({
      code: 1,
      stdout: '',
      stderr: 'beatbridge: --namespace and the name say different things\n',
    });
    expect(await asProcess('instances')).toMatchObject({ code: 1, stderr: "beatbridge: missing required argument 'name'\n" });
  });
});

describe('beatbridge why', () => {
  it('says what a service is, by what, and what to do: 0, 4 or 3', async () => {
    const serving = await asProcess('why', 'orders');
    expect(serving).toMatchObject({ code: 0, stderr: '' });
    expect(lines(serving.stdout)[0]).toBe('orders is SERVING: 2 of 2 instances available, 1 needed');
    const failing = await asProcess('why', 'billing', '--namespace', 'dev', '--group', 'G1');
    expect(failing).toMatchObject({ code: 4, stderr: '' });
    expect(failing.stdout).toMatch(
      /^billing\?namespace=dev&group=G1 is NOT_SERVING: 0 of 1 [\s\S]*\bregistered\b[\s\S]*\nwhat to do:\n {2}.*disabled/,
    );
    const unknown = await asProcess('why', 'nobody');
    expect(unknown).toMatchObject({ code: 3, stderr: '' });
    expect(unknown.stdout).toMatch(/^nobody is not known here.*\n\nwhat to do:\n/);
    expect(await json('why', 'orders')).toMatchObject({ status: 'SERVING', services: [{ status: 'SERVING' }] });
    expect(await beatbridge('why', 'orders?nonsense=1')).toMatchObject({
      code: 3,
      stderr: expect.stringContaining('the name must be'),
    });
  });
});

describe('beatbridge why of who fails', () => {
  it('names each instance with its cause, and tells once for each cause what to do', async () => {
    const ago = (seconds: number) => new Date(Date.now() - seconds * 1_000).toISOString();
    const failing = (port: number, cause: string, more = {}) => ({ ip: '10.0.0.1', port, cause, since: ago(7_530), ...more });
    const counts = { total: 3, healthy: 0, enabled: 3, available: 0, needed: 1 };
    const event = {
      seq: 7,
      at: ago(7_530),
      kind: 'service',
      cause: 'silent',
      service: 'orders',
      from: 'serving',
      to: 'not-serving',
    };
    const answer = {
      status: 'NOT_SERVING',
      reason: 'orders: 0 of 3 instances available, 1 needed',
      services: [
        { service: 'DEFAULT_GROUP@@orders', status: 'NOT_SERVING', instances: counts, since: ago(7_530), events: [event] },
      ],
      failing: [
        failing(80, 'silent', {
          lastBeatAt: ago(7_590),
          heardFrom: '10.0.0.1',
          client: 'Nacos-Go-Client\u001b[2J',
          intervalMs: 5_000,
        }),
        failing(81, 'silent'),
        failing(82, 'drained', { reason: 'a release', until: ago(-595), by: { user: 'jane' } }),
      ],
      failingCount: 5,
    };
    const server = createServer((_, res) => void res.writeHead(503).end(JSON.stringify(answer))).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const told = await asked(['why', 'orders', '--addr', `127.0.0.1:${typeof address === 'object' ? address?.port : ''}`]);
    server.close();
    expect(told).toMatchObject({ code: 4, stderr: '' });
    expect(lines(told.stdout).map((line) => line.split(/ {2,}/).filter((part) => part !== ''))).toEqual([
      ['orders is NOT_SERVING: 0 of 3 instances available, 1 needed'],
      [expect.stringMatching(/^since \S+Z \(2 hours ago\), by silent \(no beat for too long\)$/)],
      [],
      ['who fails:'],
      ['10.0.0.1:80', expect.stringMatching(/^is silent, since \S+Z \(2 hours ago\)$/)],
      [
        expect.stringMatching(
          /^last beat \S+Z \(2 hours ago\) from 10\.0\.0\.1, by Nacos-Go-Client\\u001b\[2J, usually every 5s$/,
        ),
      ],
      ['10.0.0.1:81', expect.stringMatching(/^is silent/)],
      ['10.0.0.1:82', expect.stringMatching(/^is drained until \S+Z \(in 9 minutes\), by jane, since .*: a release$/)],
      ['and 2 more'],
      [],
      ['what happened last:'],
      [expect.stringMatching(/Z$/), 'orders', 'SERVING -> NOT_SERVING', 'silent'],
      [],
      ['what to do:'],
      [expect.stringMatching(/^silent \(2\): its process does not beat/)],
      [expect.stringMatching(/^drained \(1\): it is back by itself at \S+Z \(in 9 minutes\); .* resume 10\.0\.0\.1:82$/)],
    ]);
  });
});

describe('beatbridge clients', () => {
  it('lists who is connected, and what one of them does', async () => {
    const quiet = await beatbridge('clients');
    expect(quiet).toMatchObject({ code: 0, stdout: '', stderr: expect.stringContaining('no client is connected') });
    using client = await NacosGrpc.connect(bridge.listeners.grpc, { clientVersion: 'Nacos-Java-Client:v2.3.2' });
    const held = { namespace: 'public', serviceName: 'held', groupName: 'DEFAULT_GROUP', type: 'registerInstance' };
    await client.ask('InstanceRequest', { ...held, instance: { ip: '10.0.0.9', port: 80, ephemeral: true } });
    const [one] = await json('clients');
    expect(one).toMatchObject({
      kind: 'connection',
      version: 'Nacos-Java-Client:v2.3.2',
      address: expect.stringMatching(/^127\.0\.0\.1:/),
    });
    const { stdout } = await asProcess('clients', '--all');
    expect(stdout).toContain(one.client);
    expect(stdout).toContain('10.0.0.1:80#false');
    expect((await beatbridge('clients', one.client)).stdout).toMatch(
      /has registered 1 instances[\s\S]*publishes +public +held +10\.0\.0\.9:80/,
    );
    expect(await beatbridge('clients', 'nobody')).toMatchObject({ code: 3, stderr: expect.stringContaining('nobody') });
    const seen = await beatbridge('instances', 'held');
    expect(lines(seen.stdout)[1]).toMatch(/^10\.0\.0\.9:80 +yes +yes +1 +DEFAULT +connection +held/);
  });
});

describe('beatbridge clients --all', () => {
  it('lists those that beat too, and says it where there are none; 2 where there is no server', async () => {
    await using server = await startProcess(PLAIN);
    const ask = (...args: string[]) => asked(['clients', ...args], { BEATBRIDGE_ADDR: server.listeners.main });
    expect(await ask('--all')).toEqual({ code: 0, stdout: '', stderr: 'beatbridge: there are no clients\n' });
    // Nobody beats, and nobody is to fall silent.
    const metadata = JSON.stringify({ 'preserved.heart.beat.timeout': '3600000', 'preserved.ip.delete.timeout': '7200000' });
    await register(server, 'orders', { metadata });
    expect(await ask()).toMatchObject({ code: 0, stdout: '', stderr: expect.stringContaining('--all: those that beat too') });
    const { code, stdout, stderr } = await ask('--all');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(lines(stdout).map((line) => line.split(/ {2,}/))).toEqual([
      ['CLIENT', 'ADDRESS', 'KIND', 'VERSION', 'APP', 'CONNECTED', 'HEARD'],
      ['10.0.0.1:80#true', '10.0.0.1:80', 'beats'],
    ]);
    expect(JSON.parse((await ask('--all', '-o', 'json')).stdout)).toEqual([
      { client: '10.0.0.1:80#true', address: '10.0.0.1:80', kind: 'beats' },
    ]);
    expect((await ask('10.0.0.1:80#true')).stdout).toMatch(/has registered 1 instances[\s\S]*publishes +public +orders/);
    await server.stop('SIGKILL');
    expect(await ask('--all')).toMatchObject({ code: 2, stdout: '' });
  });
});

describe('beatbridge events', () => {
  it('tells what happened, of what is asked for', async () => {
    const told = await asProcess('events', '--service', 'orders', '-n', '2');
    expect(told).toMatchObject({ code: 0, stderr: '' });
    expect(lines(told.stdout)).toEqual([
      expect.stringMatching(/^\S+Z {2}orders {2}SERVING {2}registered /),
      expect.stringMatching(
        /^\S+Z {2}orders {2}healthy {2}registered {2}10\.0\.0\.2:80 {2}2\/2 available, 1 needed {2}by 127\.0\.0\.1 node$/,
      ),
    ]);
    const { stdout } = await beatbridge('events', '--namespace', 'dev', '--cause', 'registered', '--since', '1h', '-o', 'json');
    expect(lines(stdout).map((line) => JSON.parse(line).service)).toEqual(['billing', 'billing']);
    expect(await beatbridge('events', '--since', 'yesterday')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('since must be'),
    });
    expect(await beatbridge('events', '-n', 'many')).toMatchObject({ code: 1, stdout: '' });
  });

  it.each([
    [['--cause', 'silnt'], '--cause: there is no "silnt", did you mean silent?'],
    [['--since', 'yesterday'], '--since must be a time'],
    [['-n', '0'], '--limit must be 1..10000, got "0"'],
    [['-n', '99999'], '--limit must be 1..10000'],
    [['--service', 'x?zone=a'], 'only ?namespace=N&group=G may stand here'],
  ])('events %j is told nonsense: 1', async (args, stderr) => {
    expect(await beatbridge('events', ...args)).toEqual({ code: 1, stdout: '', stderr: expect.stringContaining(stderr) });
  });

  it('goes on, and comes back to a server that was restarted', async () => {
    const [port] = await freePorts(1);
    const args = ['--host', '127.0.0.1', '--port', String(port), '--grpc-port', '0', '--health-port', '0', '--probes', 'false'];
    const first = await startProcess([...args, '--data-dir', 'none']);
    await register(first, 'orders', { ephemeral: 'false' });
    const { said, child } = going(first.listeners.main, 'events', '-f', '--service', 'orders', '-o', 'json');
    const causes = () =>
      lines(said.stdout)
        .filter((line) => line !== '')
        .map((line) => `${JSON.parse(line).kind} ${JSON.parse(line).cause}`);
    await expect.poll(causes, SOON).toEqual(['instance registered', 'service registered']);
    await deregister(first, 'orders', { ephemeral: 'false' });
    await expect.poll(causes, SOON).toContain('service deregistered');
    await first.stop('SIGKILL');
    await expect.poll(() => said.stderr, SOON).toContain('trying again');
    await using second = await startProcess([...args, '--data-dir', 'none']);
    await expect.poll(() => said.stderr, SOON).toContain('it is there again');
    await register(second, 'orders', { ephemeral: 'false', ip: '10.0.0.7' });
    await expect.poll(() => said.stdout, SOON).toContain('10.0.0.7');
    expect(child.exitCode).toBeNull();
  });
});

describe('beatbridge watch', () => {
  it('tells each change, until all are what is waited for', async () => {
    await register(bridge, 'shop', { ephemeral: 'false', enabled: 'false' });
    const { said, ended } = going(bridge.listeners.main, 'watch', 'shop', 'orders', '--until', 'SERVING');
    await expect.poll(() => said.stdout, SOON).toMatch(/shop {2}NOT_SERVING/);
    await nacos(bridge, 'PUT', '/instance', {
      serviceName: 'shop',
      ip: '10.0.0.1',
      port: 80,
      ephemeral: 'false',
      enabled: 'true',
    });
    expect(await ended).toBe(0);
    expect(said.stdout).toMatch(/orders {2}SERVING\n/);
    expect(said.stdout).toMatch(/shop {2}NOT_SERVING -> SERVING\n$/);
  });

  it('waits no longer than it is told: 124; also for a server that does not come', async () => {
    expect(await asProcess('watch', 'nobody', '--until', 'SERVING', '--timeout', '500ms')).toMatchObject({
      code: 124,
      stderr: 'beatbridge: nobody is SERVICE_UNKNOWN after 500ms\n',
    });
    const [port] = await freePorts(1);
    const late = await run(['watch', 'a', '--addr', `127.0.0.1:${port}`, '--until', 'SERVING', '--timeout', '300ms']);
    expect(late.code).toBe(124);
    expect(late.stderr).toContain('a is not heard of after 300ms');
    expect(await run(['watch', 'a', '--addr', `127.0.0.1:${port}`])).toMatchObject({ code: 2 });
  });

  it('of all there are tells what they are, what becomes of them, and who comes', async () => {
    const { said } = going(bridge.listeners.main, 'watch', '--all', '-o', 'json');
    const told = () =>
      lines(said.stdout)
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line))
        .map(({ service, status, cause }) => `${service} ${status} ${cause}`);
    await expect.poll(told, SOON).toContain('dev/G1@@billing NOT_SERVING registered');
    await register(bridge, 'newcomer', { ephemeral: 'false' });
    await expect.poll(told, SOON).toContain('newcomer SERVING registered');
    await deregister(bridge, 'newcomer', { ephemeral: 'false' });
    await expect.poll(told, SOON).toContain('newcomer NOT_SERVING deregistered');
  });

  it('goes on when the server was restarted', async () => {
    const [port] = await freePorts(1);
    const args = ['--host', '127.0.0.1', '--port', String(port), '--grpc-port', '0', '--health-port', '0', '--probes', 'false'];
    const first = await startProcess([...args, '--data-dir', 'none']);
    const { said } = going(first.listeners.main, 'watch', 'orders');
    await expect.poll(() => said.stdout, SOON).toContain('SERVICE_UNKNOWN');
    await first.stop('SIGKILL');
    await expect.poll(() => said.stderr, SOON).toContain('trying again');
    await using second = await startProcess([...args, '--data-dir', 'none']);
    await register(second, 'orders', { ephemeral: 'false' });
    await expect.poll(() => said.stdout, SOON).toMatch(/SERVICE_UNKNOWN -> SERVING/);
  });

  it.each<readonly [args: readonly string[], stderr: string]>([
    [[], 'it needs a name, or --all'],
    [['a', '--all'], 'names and --all exclude each other'],
    [['a', '--timeout', '1s'], '--timeout needs --until'],
    [['a', '--until', 'SERVING', '--timeout', '60'], '--timeout must be a time above zero such as 60s, got "60"'],
    [['a', '--until', 'UP'], 'Allowed choices are SERVING, NOT_SERVING, SERVICE_UNKNOWN'],
  ])('%j is no use of it: 1', async (args, stderr) => {
    const said = await beatbridge('watch', ...args);
    expect(said).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining(stderr) });
  });
});
