import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { asked } from '../support/asked.ts';
import { Authority } from '../support/certificates.ts';
import { PASSWORD, SECRET, userFileOf } from '../support/guarded.ts';
import { FREE_PORTS, type Process, run, startProcess } from '../support/process.ts';
import { register } from '../support/server.ts';

const dir = mkdtempSync(join(tmpdir(), 'beatbridge-check-'));
const at = (name: string) => join(dir, name);
const authority = new Authority();
let bridge: Process;
let addr = '';

beforeAll(async () => {
  const server = authority.issueForServer();
  const client = authority.issue({ commonName: 'client' });
  const files = {
    'ca.pem': authority.cert,
    'server.pem': server.cert,
    'server.key': server.key,
    'client.pem': client.cert,
    'client.key': client.key,
    'users.yaml': userFileOf({ root: 'admin', ann: 'reader' }),
    login: `ann:${PASSWORD}\n`,
    secret: SECRET,
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(at(name), text, { mode: 0o600 });
  bridge = await startProcess();
  addr = bridge.listeners.main;
  await register(bridge, 'orders');
  await register(bridge, 'billing', { enabled: 'false' });
});
afterAll(async () => {
  await bridge.stop('SIGKILL');
  rmSync(dir, { recursive: true, force: true });
});

const check = (...args: string[]) => asked(['check', ...args]);
const checkAsProcess = (...args: string[]) => run(['check', ...args]);

describe('beatbridge check', () => {
  it.each<readonly [args: readonly string[], code: number, stdout: string]>([
    [[], 0, 'status: SERVING\n'],
    [['orders'], 0, 'status: SERVING\n'],
    [['-service', 'orders'], 0, 'status: SERVING\n'],
    [
      ['-service=orders', '-gzip', '-tls=false', '-rpc-header', 'X-A: b', '-rpc-header=x-a:c', '-user-agent', 'me'],
      0,
      'status: SERVING\n',
    ],
    [['--service', 'orders', 'orders', '-rpc-timeout=5s', '-connect-timeout', '5s'], 0, 'status: SERVING\n'],
    [['orders', '-rpc-timeout=48h', '-connect-timeout=1000h', '-v=false', '-o=text'], 0, 'status: SERVING\n'],
    [['orders', '-rpc-timeout=+5s', '-rpc-header', 'y-bin: \u00e4b'], 0, 'status: SERVING\n'],
    [['billing'], 4, 'service unhealthy (responded with "NOT_SERVING")\n'],
    [['billing', '-o', 'json'], 4, '{"service":"billing","status":"NOT_SERVING"}\n'],
    [['-version'], 0, expect.stringMatching(/^\d+\.\d+\.\d+\n$/)],
  ])('%j', async (args, code, stdout) => {
    expect(await check('-addr', addr, ...args)).toEqual({ code, stdout, stderr: '' });
    // Balancers and kubelets read what the process ends with.
    if (args.length === 1) expect(await checkAsProcess('-addr', addr, ...args)).toEqual({ code, stdout, stderr: '' });
  });

  it.each<readonly [args: readonly string[], stderr: string]>([
    [['-adr', 'x'], "unknown option '-adr'"],
    [['--adr', 'x'], "unknown option '--adr', did you mean --addr?"],
    [['-addr'], "option '--addr <host:port>' argument missing"],
    [['a', 'b'], "too many arguments for 'check'. Expected 1 argument but got 2."],
    [['a', '-service', 'b'], 'a name and --service exclude each other'],
    [['-tls=perhaps'], 'unknown option'],
    [['-rpc-header', 'secret'], "--rpc-header must be 'NAME: VALUE', in printable ASCII"],
    [['-rpc-header', 'grpc-timeout: 1S'], '--rpc-header cannot set grpc-timeout: the call does'],
    [['-spiffe'], '--spiffe is not supported here'],
    [['-alts'], '--alts is not supported here'],
    [['-connect-timeout', '0s'], '--connect-timeout must be a time above zero'],
    [['-tls-no-verify'], '--tls-no-verify needs --tls'],
    [['-token-file', '/nowhere'], '--token-file cannot be read: ENOENT'],
    [['-o', 'yaml'], "option '-o, --output <form>' argument 'yaml' is invalid. Allowed choices are text, json."],
  ])('%j is no use of it: 1', async (args, stderr) => {
    const said = await (args[0] === '-adr' ? checkAsProcess : check)(...args);
    expect(said).toMatchObject({ code: 1, stdout: '' });
    expect(said.stderr).toMatch(/^beatbridge: [^\n]*\n$/);
    expect(said.stderr).toContain(stderr);
  });

  it('finds nobody: 2', async () => {
    const silent = await listening((socket) => void socket.resume());
    const closing = await listening((socket) => void socket.destroy());
    const other = await listening((socket) => void socket.end('220 mail\r\n'));
    const dead = await listening(() => {});
    await new Promise((resolve) => dead.close(resolve));
    const said = await Promise.all([
      ...[silent, closing, other].map((server) => check('-connect-timeout', '1s', '-addr', addressOf(server))),
      check('-addr', deadAddress(dead)),
      check('-addr', 'unix:/nowhere'),
      check('-addr', addr, '-tls'),
    ]);
    expect(await checkAsProcess('-addr', deadAddress(dead))).toEqual(said[3]);
    for (const server of [silent, closing, other]) server.close();
    for (const { code, stdout, stderr } of said) {
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
      expect(stderr).toMatch(/^beatbridge: \S+ cannot be reached: [^\n]+\n$/);
    }
    expect(said.map(({ stderr }) => stderr.replace(/^.*reached: /, '').trim())).toEqual([
      expect.stringContaining('within 1000 ms'),
      expect.stringContaining('(does it want --tls?)'),
      expect.stringContaining('(does it want --tls?)'),
      expect.stringContaining('ECONNREFUSED'),
      expect.stringContaining('ENOENT'),
      expect.stringContaining('TLS: '),
    ]);
  });

  it('gets no answer, or none of health: 3', async () => {
    expect(await checkAsProcess('-addr', addr, 'nobody')).toEqual({
      code: 3,
      stdout: '',
      stderr: 'beatbridge: health rpc failed: NOT_FOUND: unknown service ("nobody")\n',
    });
    // Settings, and then nothing.
    const mute = await listening((socket) => void socket.resume().write(Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0])));
    expect(await check('-addr', addressOf(mute), '-rpc-timeout', '300ms', '-connect-timeout', '5s')).toMatchObject({
      code: 3,
      stderr: 'beatbridge: timeout: health rpc did not complete: DEADLINE_EXCEEDED: no answer within 300 ms\n',
    });
    mute.close();
  });

  it('asks over TLS, with a certificate and a login where those are wanted', async () => {
    const tls = ['--tls-cert', at('server.pem'), '--tls-key', at('server.key'), '--tls-client-ca', at('ca.pem')];
    const required = ['--tls-only', 'nacos', '--tls-require-client-cert', 'true'];
    const guarded = [
      '--auth',
      'true',
      '--health-auth',
      'true',
      '--user-file',
      at('users.yaml'),
      '--auth-secret-file',
      at('secret'),
    ];
    await using secure = await startProcess([
      ...FREE_PORTS,
      '--probes',
      'false',
      '--data-dir',
      'none',
      ...tls,
      ...required,
      ...guarded,
    ]);
    const { main } = secure.listeners;
    const ask = (...args: string[]) => check('-addr', main, '-connect-timeout', '5s', '-rpc-timeout', '5s', ...args);
    const trusted = ['-tls', '-tls-ca-cert', at('ca.pem')];
    const mine = ['-tls-client-cert', at('client.pem'), '-tls-client-key', at('client.key')];
    expect(await ask(...trusted, ...mine)).toMatchObject({ code: 0, stdout: 'status: SERVING\n', stderr: '' });
    expect(await ask('-tls', '-tls-no-verify', ...mine)).toMatchObject({ code: 0 });
    expect(await ask(...trusted)).toMatchObject({ code: 2, stderr: expect.stringContaining('TLS: ') });
    expect(await ask('-tls', ...mine)).toMatchObject({ code: 2, stderr: expect.stringMatching(/certificate|issuer/) });
    const named = await ask(...trusted, ...mine, '-tls-server-name', 'elsewhere.test');
    expect(named).toMatchObject({ code: 2, stderr: expect.stringContaining('elsewhere.test') });
    // Whom it does not know it tells nothing of services.
    const fromElsewhere = ['-rpc-header', 'X-Forwarded-For: 203.0.113.9'];
    expect(await ask(...trusted, ...mine, ...fromElsewhere, 'orders')).toMatchObject({
      code: 3,
      stderr: expect.stringContaining('PERMISSION_DENIED'),
    });
    expect(await ask(...trusted, ...mine, ...fromElsewhere, 'orders', '--token-file', at('login'))).toMatchObject({
      code: 3,
      stderr: expect.stringContaining('NOT_FOUND'),
    });
  });
});

async function listening(onSocket: Parameters<typeof createServer>[1]): Promise<Server> {
  const server = createServer(onSocket).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address !== null && typeof address === 'object') PORTS.set(server, address.port);
  return server;
}

const PORTS = new Map<Server, number>();
const addressOf = (server: Server) => `127.0.0.1:${PORTS.get(server)}`;
/** Of one that listens no more. */
const deadAddress = addressOf;
