import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { asked } from '../support/asked.ts';
import { Authority } from '../support/certificates.ts';
import { PASSWORD, SECRET, userFileOf } from '../support/guarded.ts';
import { FREE_PORTS, type Process, run, startProcess } from '../support/process.ts';
import { answerOf, nacos, register } from '../support/server.ts';

const PERSISTENT = { ephemeral: 'false' };

let bridge: Process;

beforeAll(async () => {
  bridge = await startProcess();
});
afterAll(async () => {
  await bridge.stop('SIGKILL');
});

const act = (...args: string[]) => asked(args, { BEATBRIDGE_ADDR: bridge.listeners.main });
const actAsProcess = (...args: string[]) => run(args, { BEATBRIDGE_ADDR: bridge.listeners.main });

/** What the server itself says of the only instance of a service. */
async function instanceOf(service: string, params: Readonly<Record<string, string>> = {}) {
  const query = { serviceName: service, ip: '10.0.0.1', port: 80, ...params };
  const { body } = await answerOf(nacos(bridge, 'GET', '/nacos/v3/admin/ns/instance', query));
  const { data } = body as { data: { enabled: boolean; weight: number; metadata: object; ephemeral: boolean } };
  return data;
}

describe('enable, disable and weight', () => {
  it('edit an instance, and tell what was and what is', async () => {
    await register(bridge, 'orders', PERSISTENT);
    expect(await actAsProcess('disable', '10.0.0.1:80', '--service', 'orders')).toEqual({
      code: 0,
      stdout: '10.0.0.1:80 of orders: enabled -> disabled\n',
      stderr: '',
    });
    expect(await instanceOf('orders')).toMatchObject({ enabled: false, weight: 1 });
    expect(await act('disable', '10.0.0.1:80', '--service', 'DEFAULT_GROUP@@orders')).toMatchObject({
      code: 0,
      stdout: '10.0.0.1:80 of orders: disabled, weight 1, as before\n',
    });
    // Its client says that it is enabled, and is not asked.
    await register(bridge, 'orders', PERSISTENT);
    expect(await instanceOf('orders')).toMatchObject({ enabled: false });
    expect(await actAsProcess('weight', '10.0.0.1:80', '0.5', '--service', 'orders')).toEqual({
      code: 0,
      stdout: '10.0.0.1:80 of orders: weight 1 -> 0.5\n',
      stderr: 'beatbridge: it gets no calls: it is disabled\n',
    });
    const json = await actAsProcess('enable', '10.0.0.1:80', '--service', 'orders', '-o', 'json');
    expect({ ...json, stdout: JSON.parse(json.stdout) }).toEqual({
      code: 0,
      stdout: {
        namespace: 'public',
        group: 'DEFAULT_GROUP',
        service: 'orders',
        ip: '10.0.0.1',
        port: 80,
        cluster: 'DEFAULT',
        before: { enabled: false, weight: 0.5 },
        after: { enabled: true, weight: 0.5 },
      },
      stderr: '',
    });
    expect(await act('weight', '10.0.0.1:80', '0', '--service', 'orders')).toMatchObject({
      code: 0,
      stderr: 'beatbridge: it gets no calls: its weight is 0\n',
    });
    expect(await instanceOf('orders')).toMatchObject({ enabled: true, weight: 0 });
  });

  it('find the service of an address that is in one alone, and list them else', async () => {
    const there = { ...PERSISTENT, ip: 'fd00::1', port: 8080 };
    await register(bridge, 'G1@@lonely', { ...there, namespaceId: 'dev', clusterName: 'east' });
    expect(await act('disable', '[fd00::1]:8080')).toMatchObject({
      code: 0,
      stdout: '[fd00::1]:8080 of G1@@lonely in namespace dev: enabled -> disabled\n',
    });
    await register(bridge, 'company', there);
    const said = await actAsProcess('enable', '[fd00::1]:8080');
    expect(said).toMatchObject({ code: 1, stdout: '' });
    expect(said.stderr).toMatch(/^beatbridge: \[fd00::1\]:8080 is in 2 services, say which: /);
    expect(said.stderr).toContain('--service company');
    expect(said.stderr).toContain('--service G1@@lonely --namespace dev');
    expect(await act('enable', '[fd00::1]:8080', '--namespace', 'dev', '--cluster', 'west')).toMatchObject({
      code: 3,
      stderr: 'beatbridge: [fd00::1]:8080 of G1@@lonely in namespace dev is in the cluster east, not west\n',
    });
    expect(
      await act('enable', '[fd00::1]:8080', '--namespace', 'dev', '--group', 'G1', '--service', 'lonely', '--cluster', 'east'),
    ).toMatchObject({ code: 0, stdout: '[fd00::1]:8080 of G1@@lonely in namespace dev: disabled -> enabled\n' });
  });

  it('name other services so that a shell reads them as they are', async () => {
    const there = { ...PERSISTENT, ip: '10.0.0.5' };
    for (const name of ["it's;a", 'b$c']) await register(bridge, name, there);
    const said = await act('disable', '10.0.0.5:80');
    expect(said.code).toBe(1);
    expect(said.stderr).toContain("--service 'it'\\''s;a'");
    expect(said.stderr).toContain("--service 'b$c'");
  });

  it('say of what is drained that it is, until when, and that they count after that', async () => {
    const there = { ...PERSISTENT, ip: '10.0.0.6' };
    await register(bridge, 'drained', there);
    expect(await act('drain', '10.0.0.6:80', '--for', '1h')).toMatchObject({ code: 0 });
    const note = /^beatbridge: it is drained until \d{4}-[\dT:.-]+Z, and gets no calls before: this counts once that is over/;
    expect(await act('enable', '10.0.0.6:80')).toEqual({
      code: 0,
      stdout: '10.0.0.6:80 of drained: as its client says -> enabled\n',
      stderr: expect.stringMatching(note),
    });
    expect(await act('weight', '10.0.0.6:80', '2')).toMatchObject({ code: 0, stderr: expect.stringMatching(note) });
    const json = JSON.parse((await act('disable', '10.0.0.6:80', '-o', 'json')).stdout);
    expect(json).toMatchObject({ after: { enabled: false, drainedUntil: expect.any(String) } });
  });

  it('find an address however it is spelled, and a service by what stands behind its name', async () => {
    const said = await act('register', 'six?namespace=dev&group=G1', '[FD00:0:0::6]:80', '--persistent');
    expect(said).toMatchObject({ code: 0, stdout: '[fd00::6]:80 of G1@@six in namespace dev: registered\n' });
    const spelled = '[fd00:0:0:0:0:0:0:6]:80';
    expect(await act('disable', spelled, '--service', 'six?namespace=dev&group=G1')).toMatchObject({ code: 0 });
    expect(await act('drain', spelled, '--service', 'six?namespace=dev&group=G1')).toMatchObject({ code: 0 });
    expect(await act('deregister', 'six?namespace=dev&group=G1', '[fd00:0::6]:80')).toMatchObject({ code: 0 });
  });

  it('register with metadata that are too long for a line of HTTP', async () => {
    const text = 'ü'.repeat(9_000);
    expect(await act('register', 'long', '10.0.0.1:80', '--persistent', '--metadata', `text=${text}`)).toMatchObject({ code: 0 });
    expect(await instanceOf('long')).toMatchObject({ metadata: { text } });
  });

  it('make nothing that is not there: 3', async () => {
    expect(await actAsProcess('disable', '10.0.0.99:80', '--service', 'orders')).toMatchObject({
      code: 3,
      stderr: 'beatbridge: 10.0.0.99:80 is not registered in orders\n',
    });
    expect(await act('disable', '10.0.0.99:80')).toMatchObject({
      code: 3,
      stderr: 'beatbridge: 10.0.0.99:80 is registered in no service\n',
    });
    const { body } = await answerOf(
      nacos(bridge, 'GET', '/nacos/v3/admin/ns/instance/everywhere', { ip: '10.0.0.99', port: 80 }),
    );
    expect(body).toMatchObject({ code: 0, data: [] });
  });

  it.each<readonly [args: readonly string[], stderr: string]>([
    [['enable'], "missing required argument 'ip:port'"],
    [['enable', 'orders'], 'an instance must be IP:PORT, or [IPV6]:PORT, got "orders"'],
    [['enable', '1.1.1.1:70000'], 'an instance must be IP:PORT'],
    [['enable', 'fd00::1:80'], 'an instance must be IP:PORT'],
    [['weight', '1.1.1.1:80', '--', '-1'], 'a weight must be 0, or 0.01..10000, got "-1"'],
    [['weight', '1.1.1.1:80', '0.001'], 'a weight must be 0'],
    [['weight', '1.1.1.1:80', '10001'], 'a weight must be 0'],
    [['disable', '1.1.1.1:80', '--group', 'G'], '--group needs --service'],
    [['disable', '1.1.1.1:80', '--group', 'G', '--service', 'H@@x'], '--group and the name say different things'],
    [['disable', '1.1.1.1:80', '--service', 'x?zone=a'], 'only ?namespace=N&group=G may stand here, got "x?zone=a"'],
    [['register', '', '1.1.1.1:80'], 'the name of a service must not be empty'],
    [['register', 'x?group=G', '1.1.1.1:80', '--group', 'H'], '--group and the name say different things'],
    [['register', 'x', '[zz::1]:80'], 'an instance must be IP:PORT'],
    [['register', 'x', '999.0.0.4:80'], 'an instance must be IP:PORT'],
    [['register', 'x', '1.1.1.1:0'], 'the port of an instance must be 1..65535'],
    [['register', 'x', '1.1.1.1:80', '--'], 'behind -- there must be a command to run'],
    [['drain', '1.1.1.1:80', '--reason', 'a\nb'], '--reason must be one line'],
    [['drain', '1.1.1.1:99999'], 'an instance must be IP:PORT'],
    [['register', 'x'], "missing required argument 'ip:port'"],
    [['register', 'x', '1.1.1.1'], 'an instance must be IP:PORT'],
    [['register', 'x', '1.1.1.1:80', '--metadata', 'novalue'], '--metadata must be KEY=VALUE, got "novalue"'],
    [['register', 'x', '1.1.1.1:80', '--interval', '5'], '--interval must be a time from 100ms to 1h, got "5"'],
    [['register', 'x', '1.1.1.1:80', '--interval', '2h'], '--interval must be a time from 100ms to 1h'],
    [['register', 'x', '1.1.1.1:80', '--persistent', '--beat'], '--persistent needs no beats'],
    [['register', 'x', '1.1.1.1:80', 'sleep'], 'a command to run stands behind --, got "sleep"'],
    [['deregister', 'x'], "missing required argument 'ip:port'"],
    [['disable', '1.1.1.1:80', '--servce', 'x'], "unknown option '--servce', did you mean --service?"],
  ])('%j is no use of them: 1', async (args, stderr) => {
    const said = await act(...args);
    expect(said).toMatchObject({ code: 1, stdout: '' });
    expect(said.stderr).toMatch(/^beatbridge: [^\n]*\n$/);
    expect(said.stderr).toContain(stderr);
  });

  it.each([
    ['enable', '10.0.0.1:80'],
    ['weight', '10.0.0.1:80', '2'],
    ['register', 'x', '10.0.0.1:80'],
    ['deregister', 'x', '10.0.0.1:80'],
  ])('%s finds nobody: 2', async (...args) => {
    const said = await (args[0] === 'enable' ? actAsProcess : act)(...args, '--addr', '127.0.0.1:1');
    expect(said).toEqual({
      code: 2,
      stdout: '',
      stderr: expect.stringMatching(/^beatbridge: 127\.0\.0\.1:1 cannot be reached: /),
    });
  });

  it('show why the server refuses: 3', async () => {
    expect(await act('register', 'orders', '10.0.0.1:80', '--cluster', 'a b')).toMatchObject({
      code: 3,
      stderr: expect.stringContaining('cluster'),
    });
    expect(await act('enable', '10.0.0.1:80', '--addr', bridge.listeners.health)).toMatchObject({
      code: 3,
      stderr: expect.stringContaining('health and reflection only'),
    });
  });
});

describe('register and deregister', () => {
  it('register once, with all that is said, and take it away', async () => {
    const named = ['--namespace', 'dev', '--group', 'G2', '--cluster', 'east', '--weight', '2', '--persistent'];
    const metadata = ['--metadata', 'version=1.0', '--metadata', 'note=a=b', '--metadata', 'empty='];
    expect(await actAsProcess('register', 'shop', '10.0.0.1:80', ...named, ...metadata)).toEqual({
      code: 0,
      stdout: '10.0.0.1:80 of G2@@shop in namespace dev: registered\n',
      stderr: '',
    });
    expect(await instanceOf('G2@@shop', { namespaceId: 'dev', clusterName: 'east' })).toMatchObject({
      weight: 2,
      ephemeral: false,
      clusterName: 'east',
      metadata: { version: '1.0', note: 'a=b', empty: '' },
    });
    expect(await actAsProcess('deregister', 'shop', '10.0.0.1:80', '--namespace', 'dev', '--group', 'G2')).toEqual({
      code: 0,
      stdout: '10.0.0.1:80 of G2@@shop in namespace dev: deregistered\n',
      stderr: '',
    });
    expect(await act('deregister', 'G2@@shop', '10.0.0.1:80', '--namespace', 'dev')).toMatchObject({
      code: 3,
      stderr: 'beatbridge: 10.0.0.1:80 is not registered in G2@@shop in namespace dev\n',
    });
  });

  it('say that somebody has to beat', async () => {
    const said = await act('register', 'mortal', '10.0.0.1:80', '--interval', '1s', '-o', 'json');
    expect(said).toMatchObject({ code: 0, stderr: expect.stringContaining('--beat') });
    expect(JSON.parse(said.stdout)).toMatchObject({
      serviceName: 'DEFAULT_GROUP@@mortal',
      ip: '10.0.0.1',
      port: 80,
      is: 'registered',
    });
    expect(await instanceOf('mortal')).toMatchObject({
      instanceHeartBeatInterval: 1_000,
      instanceHeartBeatTimeOut: 3_000,
      ipDeleteTimeout: 6_000,
    });
  });
});

it('over TLS, with a certificate of their own and a login, and refused by rights', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'beatbridge-acting-'));
  const at = (name: string) => join(dir, name);
  try {
    const authority = new Authority();
    const [server, mine] = [authority.issueForServer(), authority.issue({ commonName: 'client' })];
    const files = {
      'ca.pem': authority.cert,
      'server.pem': server.cert,
      'server.key': server.key,
      'mine.pem': mine.cert,
      'mine.key': mine.key,
      'users.yaml': userFileOf({ root: 'admin', ann: 'reader', will: 'writer' }),
      root: `root:${PASSWORD}\n`,
      ann: `ann:${PASSWORD}\n`,
      will: `will:${PASSWORD}\n`,
      secret: SECRET,
    };
    for (const [name, text] of Object.entries(files)) writeFileSync(at(name), text, { mode: 0o600 });
    const tls = [
      '--tls-cert',
      at('server.pem'),
      '--tls-key',
      at('server.key'),
      '--tls-client-ca',
      at('ca.pem'),
      '--tls-only',
      'nacos',
    ];
    const auth = ['--auth', 'true', '--user-file', at('users.yaml'), '--auth-secret-file', at('secret')];
    await using guarded = await startProcess([
      ...FREE_PORTS,
      ...tls,
      '--tls-require-client-cert',
      'true',
      ...auth,
      '--probes',
      'false',
    ]);
    const over = [
      '--tls',
      '--tls-ca-cert',
      at('ca.pem'),
      '--tls-client-cert',
      at('mine.pem'),
      '--tls-client-key',
      at('mine.key'),
    ];
    const as = (who: string, ...args: string[]) =>
      asked([...args, ...over, '--token-file', at(who)], { BEATBRIDGE_ADDR: guarded.listeners.main });
    expect(await as('will', 'register', 'orders', '10.0.0.1:80', '--persistent')).toMatchObject({ code: 0, stderr: '' });
    for (const who of ['ann', 'will'])
      expect(await as(who, 'disable', '10.0.0.1:80')).toMatchObject({
        code: 3,
        stderr: expect.stringContaining('does not allow it'),
      });
    expect(await as('ann', 'register', 'orders', '10.0.0.2:80')).toMatchObject({
      code: 3,
      stderr: expect.stringContaining('does not allow it'),
    });
    expect(await as('ann', 'register', 'orders', '10.0.0.2:80', '--beat')).toMatchObject({ code: 3, stdout: '' });
    expect(await as('root', 'disable', '10.0.0.1:80')).toMatchObject({
      code: 0,
      stdout: '10.0.0.1:80 of orders: enabled -> disabled\n',
    });
    const typed = ['complete-names', 'services', '--', 'beatbridge', 'check', '', ...over, '--token-file', at('ann')];
    expect(await run(typed, { BEATBRIDGE_ADDR: guarded.listeners.main })).toMatchObject({ code: 0 });
    expect(await as('will', 'deregister', 'orders', '10.0.0.1:80')).toMatchObject({ code: 0 });
    const nobody = await run(['enable', '10.0.0.1:80', ...over], { BEATBRIDGE_ADDR: guarded.listeners.main });
    expect(nobody).toMatchObject({ code: 3, stderr: expect.stringMatching(/login|does not allow/) });
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
});
