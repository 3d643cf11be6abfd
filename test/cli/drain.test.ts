import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { asked } from '../support/asked.ts';
import { Authority } from '../support/certificates.ts';
import { login, PASSWORD, SECRET, userFileOf } from '../support/guarded.ts';
import { FREE_PORTS, type Process, run, startProcess } from '../support/process.ts';
import { register } from '../support/server.ts';

const dir = mkdtempSync(join(tmpdir(), 'beatbridge-drain-'));
const at = (name: string) => join(dir, name);
const ISO = '\\d{4}-\\d\\d-\\d\\dT[\\d:.]+Z';
let bridge: Process;

beforeAll(async () => {
  bridge = await startProcess([...FREE_PORTS, '--probes', 'false', '--data-dir', 'none']);
});
beforeEach(async () => {
  await fetch(`http://${bridge.listeners.main}/drains/10.0.0.1:80`, { method: 'DELETE' });
  for (const params of [{}, { namespaceId: 'dev', groupName: 'G1' }])
    await register(bridge, 'orders', { ephemeral: 'false', ...params });
});
afterAll(async () => {
  await bridge.stop('SIGKILL');
  rmSync(dir, { recursive: true, force: true });
});

/** Of the bridge of this file, unless another one is named. */
const beatbridge = (...args: string[]) => asked(args, { BEATBRIDGE_ADDR: bridge.listeners.main });
const asProcess = (...args: string[]) => run(args, { BEATBRIDGE_ADDR: bridge.listeners.main });

const statusOf = async (name: string) => (await fetch(`http://${bridge.listeners.main}/health/${name}`)).status;

describe('beatbridge drain, drains and resume', () => {
  it('take an address out in all services, show it, and put it back', async () => {
    const drained = await asProcess('drain', '10.0.0.1:80', '--for', '5m', '--reason', 'a release');
    expect(drained).toEqual({ code: 0, stderr: '', stdout: expect.any(String) });
    expect(drained.stdout).toMatch(
      new RegExp(
        `^drained until ${ISO}: 2 instances at 10\\.0\\.0\\.1:80\nNAMESPACE +SERVICE\npublic +orders\ndev +G1@@orders\n$`,
      ),
    );
    expect([await statusOf('orders'), await statusOf('orders?namespace=dev&group=G1')]).toEqual([503, 503]);
    const listed = await asProcess('drains');
    expect(listed.stdout).toMatch(
      new RegExp(
        `^INSTANCE +NAMESPACE +SERVICE +UNTIL +BY +REASON\n(10\\.0\\.0\\.1:80 +(public +orders|dev +G1@@orders) +${ISO} +127\\.0\\.0\\.1 +a release\n){2}$`,
      ),
    );
    expect(await asProcess('resume', '10.0.0.1:80')).toEqual({
      code: 0,
      stderr: '',
      stdout: 'resumed: 2 instances at 10.0.0.1:80\nNAMESPACE  SERVICE\npublic     orders\ndev        G1@@orders\n',
    });
    expect(await statusOf('orders')).toBe(200);
    expect(await asProcess('drains')).toEqual({ code: 0, stdout: '', stderr: 'beatbridge: nothing is drained\n' });
  });

  it('mean one service where one is named', async () => {
    const drained = await beatbridge('drain', '10.0.0.1:80', '--service', 'G1@@orders', '--namespace', 'dev');
    expect(drained.stdout).toMatch(/: 1 instance at 10\.0\.0\.1:80\nNAMESPACE +SERVICE\ndev +G1@@orders\n$/);
    expect(await statusOf('orders')).toBe(200);
    const resumed = await beatbridge('resume', '10.0.0.1:80', '--service', 'orders');
    expect([resumed.code, resumed.stderr]).toEqual([
      3,
      expect.stringContaining('answers 404: nothing is drained at 10.0.0.1:80'),
    ]);
  });

  it('say it as JSON to programs', async () => {
    const drained = await beatbridge('drain', '10.0.0.1:80', '--for=1h', '-o', 'json');
    expect(JSON.parse(drained.stdout)).toMatchObject({
      address: '10.0.0.1:80',
      count: 2,
      instances: [{ service: 'orders' }, {}],
    });
    const listed = JSON.parse((await beatbridge('drains', '--namespace', 'dev', '-o', 'json')).stdout);
    expect(listed).toMatchObject([{ namespace: 'dev', group: 'G1', by: { agent: expect.stringContaining('beatbridge-cli/') } }]);
    expect(JSON.parse((await beatbridge('resume', '10.0.0.1:80', '-o', 'json')).stdout)).toMatchObject({ count: 2 });
  });

  it.each<readonly [args: readonly string[], stderr: string]>([
    [['drain'], "missing required argument 'address'"],
    [['drain', '10.0.0.1'], 'an instance must be IP:PORT, or [IPV6]:PORT, got "10.0.0.1"'],
    [['drain', '::1:80'], 'an instance must be IP:PORT'],
    [['drain', '10.0.0.1:80', '--for', '8d'], '--for must be 1s..7d, such as 90s, 10m, 2h or 1d, got "8d"'],
    [['drain', '10.0.0.1:80', '--for', '1500ms'], '--for must be 1s..7d'],
    [['drain', '10.0.0.1:80', '--reason', 'x'.repeat(201)], '--reason must have at most 200 characters, got 201'],
    [['drain', '10.0.0.1:80', '--fro', '1m'], "unknown option '--fro', did you mean --for?"],
    [['resume', 'nowhere'], 'an instance must be IP:PORT'],
    [['drains', 'more'], 'too many arguments'],
  ])('%j is no use of them: 1', async (args, stderr) => {
    const ask = args.length === 1 ? asProcess : beatbridge;
    expect(await ask(...args)).toEqual({ code: 1, stdout: '', stderr: expect.stringContaining(stderr) });
  });

  it.each<readonly [args: readonly string[], code: number, stderr: string]>([
    [['drain', '10.9.9.9:80'], 3, 'answers 404: no instance is at 10.9.9.9:80'],
    [['drain', '[2001:db8::1]:80'], 3, 'answers 404: no instance is at [2001:db8::1]:80'],
    [['drain', '10.0.0.1:80', '--reason', 'a\nb'], 1, '--reason must be one line'],
    [['drain', '10.0.0.1:80', '--service', '@@'], 1, 'the name of a service must not be empty'],
    [['resume', '10.0.0.1:80'], 3, 'answers 404: nothing is drained at 10.0.0.1:80'],
    [['drain', '10.0.0.1:80', '--addr', '127.0.0.1:1'], 2, 'cannot be reached'],
  ])('%j ends with %i', async (args, code, stderr) => {
    const ask = args.length === 2 || code === 2 ? asProcess : beatbridge;
    expect(await ask(...args)).toEqual({ code, stdout: '', stderr: expect.stringContaining(stderr) });
  });

  it('work over TLS with a login, and say so to whoever may not', async () => {
    const authority = new Authority();
    const server = authority.issueForServer();
    const files = {
      'ca.pem': authority.cert,
      'server.pem': server.cert,
      'server.key': server.key,
      'users.yaml': userFileOf({ root: 'admin', dev: 'admin@dev', ann: 'reader' }),
      dev: `dev:${PASSWORD}\n`,
      ann: `ann:${PASSWORD}\n`,
      secret: SECRET,
    };
    for (const [name, text] of Object.entries(files)) writeFileSync(at(name), text, { mode: 0o600 });
    const auth = ['--auth', '--user-file', at('users.yaml'), '--auth-secret-file', at('secret')];
    const tls = ['--tls-cert', at('server.pem'), '--tls-key', at('server.key')];
    await using guarded = await startProcess([...FREE_PORTS, '--data-dir', 'none', '--probes', 'false', ...auth, ...tls]);
    const accessToken = await login(guarded, 'root');
    for (const params of [{}, { namespaceId: 'dev' }]) await register(guarded, 'orders', { accessToken, ...params });
    const as = (who: string) => [
      '--addr',
      guarded.listeners.main,
      '--tls',
      '--tls-ca-cert',
      at('ca.pem'),
      '--token-file',
      at(who),
    ];
    const drained = await beatbridge('drain', '10.0.0.1:80', ...as('dev'));
    expect(drained).toEqual({
      code: 0,
      stderr: '',
      stdout: expect.stringMatching(/: 1 instance at .*\nNAMESPACE.*\ndev +orders\n$/),
    });
    expect(await beatbridge('drain', '10.0.0.1:80', ...as('ann'))).toEqual({
      code: 3,
      stdout: '',
      stderr: expect.stringContaining('does not allow it'),
    });
    expect((await beatbridge('drains', ...as('ann'))).stdout).toMatch(/10\.0\.0\.1:80 +dev +orders .* dev/);
  });
});
