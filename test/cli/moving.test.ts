import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ran } from '../support/asked.ts';
import { serving } from '../support/exchanges.ts';
import { CLI, FREE_PORTS, type Process, run, startProcess } from '../support/process.ts';
import { nacos, register } from '../support/server.ts';

let dir = '';
let bridge: Process;
let server = '';
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'beatbridge-cli-moving-'));
  bridge = await startProcess([...FREE_PORTS, '--data-dir', join(dir, 'data')]);
  server = `http://${bridge.listeners.main}`;
  await register(bridge, 'orders', { ephemeral: 'false' });
  await nacos(bridge, 'POST', '/nacos/v1/cs/configs', { dataId: 'd', group: 'G', content: 'hello' });
});
afterAll(async () => {
  await bridge.stop('SIGKILL');
  rmSync(dir, { recursive: true, force: true });
});

const pathOf = (name: string) => join(dir, name);
/** Without the head, which says when. */
const bodyOf = (text: string) => text.slice(text.indexOf('\n') + 1);

describe('beatbridge export', () => {
  it('writes to standard output, or a file for its owner alone, the same but for the head', async () => {
    const { code, stdout, stderr } = await run(['export', '--server', server]);
    expect([code, stderr]).toEqual([0, '']);
    expect(
      stdout
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toEqual([
      { beatbridge: 'export', schema: 1, at: expect.stringMatching(/^20.*Z$/), from: 'beatbridge' },
      expect.objectContaining({ kind: 'instance', service: 'orders' }),
      { kind: 'text', namespace: 'public', group: 'G', dataId: 'd', type: 'text', content: 'hello' },
      { kind: 'end' },
    ]);
    expect(await run(['export', '--server', `${server}/nacos/`, '-o', pathOf('a.jsonl')])).toEqual({
      code: 0,
      stdout: '',
      stderr: '',
    });
    expect(bodyOf(readFileSync(pathOf('a.jsonl'), 'utf8'))).toBe(bodyOf(stdout));
    expect(statSync(pathOf('a.jsonl')).mode & 0o777).toBe(0o600);
  });

  it('asks the server of BEATBRIDGE_ADDR, unless a flag names another', async () => {
    const env = { BEATBRIDGE_ADDR: bridge.listeners.main };
    expect(await run(['export'], env)).toMatchObject({ code: 0, stdout: expect.stringContaining('"service":"orders"') });
    expect(await run(['export', '--server', server], { BEATBRIDGE_ADDR: '127.0.0.1:1' })).toMatchObject({ code: 0 });
    expect(await run(['export'], { BEATBRIDGE_ADDR: 'unix:/x' })).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('BEATBRIDGE_ADDR must be HOST:PORT'),
    });
  });

  it('reads the directory of one that does not run, and says so of one that does', async () => {
    const other = await startProcess([...FREE_PORTS, '--data-dir', pathOf('other')]);
    await register(other, 'orders', { ephemeral: 'false' });
    const told = await run(['export', '--server', `http://${other.listeners.main}`]);
    expect(await run(['export', '--data-dir', pathOf('other')])).toEqual({
      code: 4,
      stdout: '',
      stderr: `beatbridge: --data-dir: ${pathOf('other')} is in use by another process: ask that one, with --server http://HOST:PORT\n`,
    });
    expect(await other.stop('SIGTERM')).toBe(0);
    const kept = await run(['export', '--data-dir', pathOf('other')]);
    expect([kept.code, bodyOf(kept.stdout)]).toEqual([0, bodyOf(told.stdout)]);
  });

  it('makes no store where there is none, and leaves a file as it was when it fails', async () => {
    expect(await run(['export', '--data-dir', pathOf('none')])).toEqual({
      code: 4,
      stdout: '',
      stderr: `beatbridge: --data-dir: ${pathOf('none')} has no records of a beatbridge\n`,
    });
    writeFileSync(pathOf('old'), 'old');
    const { code, stderr } = await run(['export', '--server', 'http://127.0.0.1:1', '-o', pathOf('old')]);
    expect([code, stderr]).toEqual([
      1,
      'beatbridge: http://127.0.0.1:1/nacos cannot be asked: connect ECONNREFUSED 127.0.0.1:1\n',
    ]);
    expect(readFileSync(pathOf('old'), 'utf8')).toBe('old');
    expect(readdirSync(dir).filter((name) => name === 'none' || name.endsWith('.part'))).toEqual([]);
  });

  it('writes a file of its own, whatever there is under the name of the one that it writes first', async () => {
    writeFileSync(pathOf('elsewhere'), 'old');
    symlinkSync(pathOf('elsewhere'), pathOf('linked.part'));
    writeFileSync(pathOf('open.part'), 'old', { mode: 0o644 });
    for (const name of ['linked', 'open']) {
      expect(await ran(['export', '--server', server, '-o', pathOf(name)])).toEqual({ code: 0, stdout: '', stderr: '' });
      expect(lstatSync(pathOf(name)).isFile()).toBe(true);
      expect(statSync(pathOf(name)).mode & 0o777).toBe(0o600);
    }
    expect(readFileSync(pathOf('elsewhere'), 'utf8')).toBe('old');
    mkdirSync(pathOf('folder.part'));
    const { code, stderr } = await run(['export', '--server', server, '-o', pathOf('folder')]);
    expect([code, stderr]).toEqual([2, expect.stringMatching(/^beatbridge: --output: .*directory.*\n$/)]);
  });

  it.each(['SIGINT', 'SIGTERM'] as const)('leaves nothing half written when %s ends it', async (signal) => {
    // It says who it is, and then nothing any more.
    await using silent = await serving(({ path }) => {
      if (path.endsWith('/state') && path.includes('/v3/')) return { status: 404, type: 'text/plain', body: '' };
      if (path.endsWith('/state')) return { status: 200, type: 'application/json', body: '{"version":"2.5.1"}' };
      return new Promise(() => {});
    });
    const child = spawn(process.execPath, [CLI, 'export', '--server', `http://${silent.address}`, '-o', pathOf('cut')]);
    await expect.poll(() => existsSync(pathOf('cut.part'))).toBe(true);
    child.kill(signal);
    expect(await once(child, 'close')).toEqual([null, signal]);
    expect(readdirSync(dir).filter((name) => name.startsWith('cut'))).toEqual([]);
  });

  it.each([
    [['--username', 'u'], { NACOS_PASSWORD: 'p' }, 'in as u p'],
    [['--username', 'u', '--password', 'q'], { NACOS_PASSWORD: 'p', NACOS_TOKEN: 't' }, 'in as u q'],
    [['--username', 'u'], { NACOS_PASSWORD: 'p', NACOS_TOKEN: 't' }, 'in as u p'],
    [[], { NACOS_TOKEN: 't' }, 't'],
    [['--token', 's'], { NACOS_TOKEN: 't', NACOS_PASSWORD: 'p' }, 's'],
    [[], { NACOS_PASSWORD: 'p', NACOS_TOKEN: '' }, undefined],
  ])('with %j takes what is secret from the environment too: %j', async (flags, env, token) => {
    const tokens = new Set<unknown>();
    await using nacos = await serving(({ path, form, headers }) => {
      const { username, password } = Object.fromEntries(form);
      if (path.endsWith('/login')) return json({ accessToken: `in as ${username} ${password}` });
      tokens.add(headers.accesstoken);
      return { status: 404, type: 'text/plain', body: '' };
    });
    const { code } = await ran(['export', '--server', `http://${nacos.address}`, ...flags], env);
    expect([code, ...tokens]).toEqual([1, token]);
  });

  it('says in its help which variables these are', async () => {
    for (const command of ['export', 'import']) {
      const { stdout } = await ran([command, '--help']);
      expect(stdout).toContain('NACOS_PASSWORD');
      expect(stdout).toContain('NACOS_TOKEN');
    }
  });

  it('ends with a line when nobody reads what it writes', async () => {
    const child = spawn(process.execPath, [CLI, 'export', '--server', server], { stdio: ['ignore', 'pipe', 'pipe'] });
    child.stdout.destroy();
    let stderr = '';
    child.stderr.on('data', (chunk) => {
      stderr += chunk;
    });
    expect((await once(child, 'close'))[0]).toBe(1);
    expect(stderr).toBe('beatbridge: standard output cannot be written: write EPIPE\n');
  });

  it.each([
    [['export', '--server', 'localhost:8848'], '--server must be http://HOST:PORT or https://HOST:PORT, got "localhost:8848"'],
    [['export', '--server', 'http://u:p@h'], '--server must be http://HOST:PORT or https://HOST:PORT, got "http://u:p@h"'],
    [['export', '--username', 'u'], '--username needs --password, or NACOS_PASSWORD'],
    [['import', 'f', '--password', 'p'], '--password needs --username'],
    [['import', 'f', '--token', 't', '--username', 'u', '--password', 'p'], '--token and --username exclude each other'],
    [['export', '--data-dir', 'd', '--token', 't'], '--data-dir is read without a server: leave out --server and the login'],
    [['export', '--keep-edits', '5'], '--keep-edits is for --data-dir: a server knows its own'],
    [['export', '--data-dir', 'd', '--keep-edits', 'x'], '--keep-edits must be 0..86400000, got "x"'],
    [['import', '/no/such/file'], "the file cannot be read: ENOENT: no such file or directory, open '/no/such/file'"],
  ])('%j is a mistake', async (args, fault) => {
    const isSpawned = args.includes('localhost:8848') || args.includes('/no/such/file');
    expect(await (isSpawned ? run : ran)(args)).toEqual({ code: 2, stdout: '', stderr: `beatbridge: ${fault}\n` });
  });

  it.each([[['export', '--nope']], [['import']], [['import', 'a', 'b']]])('%j is another', async (args) => {
    expect(await ran(args)).toMatchObject({ code: 2, stdout: '' });
  });
});

describe('beatbridge import', () => {
  it('brings a file in, and standard input too, and says what it did', async () => {
    const file = (await ran(['export', '--server', server])).stdout;
    writeFileSync(pathOf('b.jsonl'), file);
    await using to = await startProcess();
    const target = `http://${to.listeners.main}`;
    expect(await run(['import', pathOf('b.jsonl'), '--server', target, '--dry-run'])).toEqual({
      code: 0,
      stdout: `would import into beatbridge at ${target}\ninstances   1 added\ntexts       1 added\n`,
      stderr: '',
    });
    expect(await imported(target, file)).toEqual([
      0,
      `imported into beatbridge at ${target}\ninstances   1 added\ntexts       1 added\n`,
    ]);
    expect(await imported(target, file.replace('hello', 'changed'))).toEqual([
      0,
      `imported into beatbridge at ${target}\ninstances   1 as they were\ntexts       1 there and different\n` +
        'what is there and differs was left as it is: --overwrite replaces it\n',
    ]);
    expect(bodyOf((await ran(['export', '--server', target])).stdout)).toBe(bodyOf(file));
  });

  it.each(['SIGINT', 'SIGTERM'] as const)('leaves no copy of standard input when %s ends it', async (signal) => {
    const tmp = mkdtempSync(pathOf('tmp-'));
    const child = spawn(process.execPath, [CLI, 'import', '-'], { env: { ...process.env, TMPDIR: tmp } });
    child.stdin.write('{"beatbridge":"export","schema":1}\n');
    const copies = () => readdirSync(tmp, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('stdin'));
    await expect.poll(() => copies().map((name) => statSync(join(tmp, name)).size)).toEqual([35]);
    child.kill(signal);
    expect(await once(child, 'close')).toEqual([null, signal]);
    expect(readdirSync(tmp)).toEqual([]);
  });

  it('takes nothing of a file with a fault in it', async () => {
    const lines = (await ran(['export', '--server', server])).stdout.trimEnd().split('\n');
    writeFileSync(pathOf('cut.jsonl'), `${lines.slice(0, -1).join('\n')}\n`);
    await using to = await startProcess();
    const target = `http://${to.listeners.main}`;
    expect(await run(['import', pathOf('cut.jsonl'), '--server', target])).toEqual({
      code: 2,
      stdout: '',
      stderr: 'beatbridge: the last line must be {"kind":"end"}: the file was cut off\nbeatbridge: nothing was imported\n',
    });
    expect((await ran(['export', '--server', target])).stdout.trimEnd().split('\n')).toHaveLength(2);
  });

  it('ends with 1 when a line was refused, and names it', async () => {
    const file = (await ran(['export', '--server', server])).stdout.replace('"weight":1', '"weight":20000');
    writeFileSync(pathOf('heavy.jsonl'), file);
    await using to = await startProcess();
    const target = `http://${to.listeners.main}`;
    const { code, stdout, stderr } = await run(['import', pathOf('heavy.jsonl'), '--server', target]);
    expect([code, stdout]).toEqual([1, `imported into beatbridge at ${target}\ninstances   1 refused\ntexts       1 added\n`]);
    expect(stderr).toMatch(/^beatbridge: refused: line 2: instance 10\.0\.0\.1:80 of public##DEFAULT_GROUP@@orders: 400 .*\n$/);
  });
});

function json(value: unknown) {
  return { status: 200, type: 'application/json', body: JSON.stringify(value) };
}

/** By standard input. */
async function imported(target: string, text: string) {
  const child = spawn(process.execPath, [CLI, 'import', '-', '--server', target], { stdio: ['pipe', 'pipe', 'inherit'] });
  let stdout = '';
  child.stdout.on('data', (chunk) => {
    stdout += chunk;
  });
  child.stdin.end(text);
  const [code] = await once(child, 'close');
  return [code, stdout];
}
