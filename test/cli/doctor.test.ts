import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { Finding } from '../../src/cli/doctor/finding.ts';
import { descriptorFinding, memoryFinding, mostBytes, nodeFinding } from '../../src/cli/doctor/machine.ts';
import { listeningInodes, lockHolder } from '../../src/cli/doctor/owners.ts';
import { clockFinding } from '../../src/cli/doctor/server.ts';
import { CAUSES } from '../../src/events/causes.ts';
import { settled } from '../../src/options.ts';
import { ran } from '../support/asked.ts';
import { Authority } from '../support/certificates.ts';
import { fixedPorts, freePorts } from '../support/ports.ts';
import { FREE_PORTS, run, startProcess } from '../support/process.ts';
import { register } from '../support/server.ts';

const dir = mkdtempSync(join(tmpdir(), 'beatbridge-doctor-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const { options } = settled(new Map());

async function doctor(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const { code, stdout, stderr } = await ran(['doctor', '-o', 'json', ...args], env);
  const said = JSON.parse(stdout) as { ok: number; warn: number; fail: number; findings: readonly Finding[] };
  const of = (check: string) => said.findings.filter((finding) => finding.check === check);
  return { code, stderr, ...said, of };
}

describe('beatbridge doctor', () => {
  it('finds ports free and no server, and says so on a terminal line by line', async () => {
    const [port, grpc, health] = await freePorts(3);
    const args = ['--host', '127.0.0.1', '--port', `${port}`, '--grpc-port', `${grpc}`, '--health-port', `${health}`];
    const said = await doctor(args);
    expect(said).toMatchObject({ code: 0, stderr: '', fail: 0 });
    for (const one of [port, grpc, health]) expect(said.of(`port ${one}`)).toMatchObject([{ verdict: 'ok' }]);
    expect(said.of('server')).toMatchObject([
      { verdict: 'warn', says: expect.stringContaining(`127.0.0.1:${port} cannot be reached`) },
    ]);
    expect(said.of('options')).toMatchObject([{ verdict: 'ok', says: expect.stringContaining('4 by flag') }]);
    expect(said.findings.length).toBe(said.ok + said.warn + said.fail);
    // Where something is wrong, it says what to do.
    for (const { verdict, todo } of said.findings) expect(todo === undefined).toBe(verdict === 'ok');
    const { code, stdout } = await run(['doctor', ...args]);
    expect(code).toBe(0);
    expect(stdout).toMatch(new RegExp(`^ok +port ${port} +free \\(--port\\)$`, 'm'));
    expect(stdout).toMatch(/^0 failed, \d+ to look at, \d+ well\n$/m);
  });

  it('knows a beatbridge that runs here, by its ports, its store and what it says of itself', async () => {
    const [ports, dataDir] = [await fixedPorts(), join(dir, 'running')];
    const args = [...ports, '--data-dir', dataDir];
    await using bridge = await startProcess(args);
    await register(bridge, 'orders');
    const { pid } = bridge.child;
    const said = await doctor(args);
    expect(said).toMatchObject({ code: 0, fail: 0 });
    expect(said.of(`port ${ports[3]}`)).toMatchObject([{ verdict: 'ok', says: `taken by a beatbridge (pid ${pid}) (--port)` }]);
    expect(said.of('descriptors')).toMatchObject([{ says: expect.stringContaining(`runs here (pid ${pid})`) }]);
    expect(said.of('store')).toMatchObject([{ verdict: 'ok', says: `${dataDir} is in use by a beatbridge (pid ${pid})` }]);
    expect(said.of('server')).toMatchObject([
      { verdict: 'ok', says: expect.stringMatching(/is ready, (\d+) of \1 parts are well$/) },
    ]);
    expect(said.of('clock')).toMatchObject([{ verdict: 'ok' }]);
    expect(said.of('events')).toMatchObject([{ verdict: 'ok' }]);
  });

  it('tells of limits that are nearly used up', async () => {
    await using bridge = await startProcess([...FREE_PORTS, '--probes', 'false', '--max-services', '1']);
    await register(bridge, 'orders');
    const said = await doctor(['--data-dir', 'none', ...FREE_PORTS, '--addr', bridge.listeners.main]);
    expect(said.of('limits')).toContainEqual(expect.objectContaining({ verdict: 'warn', says: 'services: 1 of 1' }));
    expect(said.code).toBe(0);
  });

  it('fails by a port that somebody else has, by options, by a server that is not there: 1', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    // It listens.
    const { port } = other.address() as AddressInfo;
    const taken = await doctor(['--host', '127.0.0.1', '--port', `${port}`, '--grpc-port', '0', '--health-port', '0']);
    other.close();
    expect(taken.code).toBe(1);
    expect(taken.of(`port ${port}`)).toMatchObject([
      { verdict: 'fail', says: expect.stringMatching(/^taken by .*\(pid \d+\) \(--port\)$/) },
    ]);
    const wrong = await doctor(['--port', 'x', '--helth-port', '1']);
    expect(wrong.code).toBe(1);
    expect(wrong.of('options').map(({ says }) => says)).toEqual([
      expect.stringContaining('--port must be 0..65535, got "x"'),
      expect.stringContaining('--helth-port is not an option, did you mean --health-port?'),
    ]);
    const nobody = await doctor([...FREE_PORTS, '--addr', '127.0.0.1:1']);
    expect(nobody.code).toBe(1);
    expect(nobody.of('server')).toMatchObject([{ verdict: 'fail', todo: expect.stringContaining('--addr') }]);
    expect(await run(['doctor', '--addr', 'a b'])).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringContaining('--addr must be HOST:PORT'),
    });
  });

  it('takes none for a beatbridge that only answers, and says that a login was refused', async () => {
    const page = createHttpServer((_, res) => res.end('<html>hello</html>')).listen(0, '127.0.0.1');
    await once(page, 'listening');
    // It listens.
    const { port } = page.address() as AddressInfo;
    const other = await doctor([...FREE_PORTS, '--addr', `127.0.0.1:${port}`]);
    page.close();
    expect(other.of('server')).toMatchObject([{ verdict: 'fail', says: expect.stringContaining('not as a beatbridge does') }]);
  });

  it('looks at the store without changing it, and finds damage', async () => {
    const dataDir = join(dir, 'kept');
    const args = [...FREE_PORTS, '--data-dir', dataDir];
    const bridge = await startProcess([...args, '--probes', 'false']);
    await register(bridge, 'orders', { ephemeral: 'false' });
    await bridge.stop('SIGTERM');
    const records = join(dataDir, 'records');
    const seen = () =>
      readdirSync(records).map((name) => [name, statSync(join(records, name)).mtimeMs, readFileSync(join(records, name))]);
    const before = seen();
    const sound = await doctor(args);
    expect(sound.of('store')).toMatchObject([{ verdict: 'ok', says: expect.stringContaining(`${dataDir} is sound`) }]);
    expect(seen()).toEqual(before);
    const [log = ''] = readdirSync(records).filter(
      (name) => /\.(log|ldb)$/.test(name) && statSync(join(records, name)).size > 100,
    );
    const bytes = readFileSync(join(records, log));
    bytes.writeUInt8(bytes.readUInt8(40) ^ 0xff, 40);
    writeFileSync(join(records, log), bytes);
    const damaged = await doctor(args);
    expect(damaged.code).toBe(1);
    expect(damaged.of('store')).toMatchObject([{ verdict: 'fail', says: expect.stringContaining(`is damaged: ${log}`) }]);
    const file = join(dir, 'file');
    writeFileSync(file, '');
    expect((await doctor([...FREE_PORTS, '--data-dir', file])).of('store')).toMatchObject([
      { verdict: 'fail', says: `${file} is a file` },
    ]);
    const fresh = await doctor([...FREE_PORTS, '--data-dir', join(dir, 'a/b/c')]);
    expect(fresh.of('store')).toMatchObject([{ verdict: 'ok', says: expect.stringContaining('is not there yet') }]);
    expect(readdirSync(dir)).not.toContain('a');
  });

  it('looks at certificates: good, soon over, over, and not of their key', async () => {
    const authority = new Authority();
    const inDays = (days: number) => new Date(Date.now() + days * 86_400_000);
    const files = (name: string, until: Date, key?: string) => {
      const folder = join(dir, name);
      mkdirSync(folder);
      const issued = authority.issueForServer({ until });
      writeFileSync(join(folder, 'cert'), issued.cert);
      writeFileSync(join(folder, 'key'), key ?? issued.key);
      return [...FREE_PORTS, '--data-dir', 'none', '--tls-cert', join(folder, 'cert'), '--tls-key', join(folder, 'key')];
    };
    expect((await doctor(files('good', inDays(90)))).of('certificate')).toMatchObject([
      { verdict: 'ok', says: expect.stringMatching(/^CN=localhost is valid until \d{4}-/) },
    ]);
    expect((await doctor(files('soon', inDays(3)))).of('certificate')).toMatchObject([
      { verdict: 'warn', says: expect.stringMatching(/^CN=localhost ends in [23] days/) },
    ]);
    const over = await doctor(files('over', inDays(-1)));
    expect(over.code).toBe(1);
    expect(over.of('certificate')).toMatchObject([{ verdict: 'fail', says: expect.stringContaining('ended on') }]);
    const other = await doctor(files('other', inDays(90), authority.issueForServer().key));
    expect(other.code).toBe(1);
    expect(other.of('options')).toMatchObject([{ verdict: 'fail', says: expect.stringContaining('do not go together') }]);
  });

  it('tells of a clock that differs, and of what a server has warned of', async () => {
    const server = createHttpServer((req, res) => {
      res.setHeader('date', new Date(Date.now() - 600_000).toUTCString());
      if (req.url?.startsWith('/events')) {
        const asked = new URL(req.url, 'http://x').searchParams;
        const event = { seq: 1, at: '2026-01-31T12:00:00.000Z', kind: 'bridge', cause: 'stalled' };
        res.end(
          asked.get('cause')?.includes('stalled') && asked.get('since') === '1h' ? `${JSON.stringify(event)}\n`.repeat(3) : '',
        );
      } else {
        res.statusCode = 503;
        res.end(
          JSON.stringify({ status: 'not ready', parts: [{ name: 'store', isNeeded: true, ok: false, says: 'no space left' }] }),
        );
      }
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const said = await doctor([
      ...FREE_PORTS,
      '--data-dir',
      'none',
      '--addr',
      `127.0.0.1:${(server.address() as AddressInfo).port}`,
    ]);
    server.close();
    expect(said.code).toBe(1);
    expect(said.of('clock')).toMatchObject([
      { verdict: 'fail', says: expect.stringMatching(/is (598|599|600|601) s behind this machine's$/) },
    ]);
    expect(said.of('store')).toContainEqual(expect.objectContaining({ verdict: 'fail', says: 'no space left' }));
    expect(said.of('events')).toMatchObject([
      {
        verdict: 'warn',
        says: `stalled: ${CAUSES.stalled.words}, 3 times within the last hour, last at 2026-01-31T12:00:00.000Z`,
      },
    ]);
  });
});

describe('what is looked at', () => {
  it.each([
    ['18.20.0', 'fail'],
    ['20.18.9', 'fail'],
    ['20.19.0', 'warn'],
    ['22.1.0', 'ok'],
    ['26.0.0', 'ok'],
  ] as const)('Node %s: %s', (version, verdict) => {
    expect(nodeFinding(version).verdict).toBe(verdict);
  });

  it.each([
    [1_024, 'warn'],
    [20_000, 'ok'],
    [1_048_576, 'ok'],
    [Number.POSITIVE_INFINITY, 'ok'],
  ] as const)('%d descriptors: %s', (limit, verdict) => {
    expect(descriptorFinding(limit, 'it', options).verdict).toBe(verdict);
  });

  it.each([
    [128 << 20, 64 << 20, 'fail'],
    [512 << 20, 256 << 20, 'warn'],
    [512 << 20, 2 ** 31, 'warn'],
    [8 * 2 ** 30, 2 * 2 ** 30, 'ok'],
  ] as const)('%d bytes of memory, %d of heap: %s', (totalBytes, heapBytes, verdict) => {
    expect(memoryFinding({ totalBytes, heapBytes, isContainer: true }, options).verdict).toBe(verdict);
  });

  it('memory is judged by the limits', () => {
    const heapBytes = 256 << 20;
    const most = mostBytes(options, heapBytes);
    expect(mostBytes({ ...options, maxInstances: options.maxInstances * 2 }, heapBytes)).toBeGreaterThan(most);
    expect(memoryFinding({ totalBytes: most, heapBytes, isContainer: false }, options).verdict).toBe('ok');
    expect(memoryFinding({ totalBytes: most - 1, heapBytes, isContainer: false }, options).verdict).toBe('warn');
  });

  it('a clock is no further off than whole seconds and the time of a call can say', () => {
    const at = Date.parse('2026-01-31T12:00:10Z');
    const verdictAt = (before: number, after: number) =>
      clockFinding('Sat, 31 Jan 2026 12:00:10 GMT', { before: at + before, after: at + after }).map(({ verdict }) => verdict);
    expect(verdictAt(900, 1_000)).toEqual(['ok']);
    expect(verdictAt(-4_000, -3_900)).toEqual(['ok']);
    expect(verdictAt(-30_000, -20_000)).toEqual(['warn']);
    expect(verdictAt(7_000, 7_000)).toEqual(['warn']);
    expect(verdictAt(-61_000, -60_000)).toEqual(['fail']);
    expect(verdictAt(61_000, 62_000)).toEqual(['fail']);
    expect(clockFinding(undefined, { before: 0, after: 0 })).toEqual([]);
  });

  it('who listens and who has locked is read as the kernel writes it', () => {
    const table = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:2290 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1 0 100 0 0 10 0
   1: 0100007F:2290 0100007F:1234 01 00000000:00000000 00:00000000 00000000     0        0 4712 1 0 100 0 0 10 0
   2: 0100007F:2291 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4713 1 0 100 0 0 10 0
`;
    expect(listeningInodes(table, 8_848)).toEqual(['4711']);
    expect(listeningInodes('', 8_848)).toEqual([]);
    const locks =
      '1: FLOCK  ADVISORY  WRITE 12 00:19:99 0 EOF\n2: POSIX  ADVISORY  READ 13 fd:01:77 0 EOF\n3: POSIX  ADVISORY  WRITE 14 fd:01:77 0 EOF\n';
    expect(lockHolder(locks, 77)).toBe(14);
    expect(lockHolder(locks, 78)).toBeUndefined();
  });
});
