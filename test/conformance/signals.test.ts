import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { FREE_PORTS } from '../support/process.ts';

/** The ways in which people start the program, each of them sent SIGTERM the moment that it says `ready`. */

const ROOT = join(import.meta.dirname, '../..');
const { npm } = inject('tools');

const folder = mkdtempSync(join(tmpdir(), 'beatbridge-packed-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

beforeAll(() => {
  if (npm.path === undefined) return;
  // As a stranger gets it: built by its own prepack, and installed from the file.
  const packed = execFileSync('npm', ['pack', '--silent', '--pack-destination', folder], { cwd: ROOT, encoding: 'utf8' });
  writeFileSync(join(folder, 'package.json'), '{"private":true}');
  const file = join(folder, packed.trim().split('\n').at(-1) ?? '');
  execFileSync('npm', ['install', '--silent', '--no-fund', '--no-audit', '--prefer-offline', file], { cwd: folder });
});

interface Way {
  readonly command: string;
  readonly args: readonly string[];
  readonly in: string;
  readonly code: number | null;
}

// A shell that does not hand signals on is the end of npx itself: what it started has to end all the same, and in order.
const NPX_CODE = expect.toBeOneOf([0, 143, null]);

const WAYS: Readonly<Record<string, Way>> = {
  'node dist/cli/main.js': { command: process.execPath, args: ['dist/cli/main.js', 'serve', ...FREE_PORTS], in: ROOT, code: 0 },
  'npm start': { command: 'npm', args: ['start', '--silent', '--', ...FREE_PORTS], in: ROOT, code: 0 },
  'node_modules/.bin/beatbridge of a packed tarball': {
    command: join(folder, 'node_modules/.bin/beatbridge'),
    args: FREE_PORTS,
    in: folder,
    code: 0,
  },
  'npx beatbridge of a packed tarball': { command: 'npx', args: ['beatbridge', ...FREE_PORTS], in: folder, code: NPX_CODE },
  "npx -c 'exec beatbridge' of a packed tarball": {
    command: 'npx',
    args: ['-c', `exec beatbridge ${FREE_PORTS.join(' ')}`],
    in: folder,
    code: 0,
  },
};

// No toolchain for it: skipped then, and named by `tools.ts`; with INTEROP=all that fails the run.
it.skipIf(npm.path === undefined).each(Object.entries(WAYS))(
  '%s drains on SIGTERM and leaves nothing, 20 times',
  async (_, way) => {
    for (let i = 0; i < 20; i++) {
      // A group of its own: whoever is left is found in it.
      const child = spawn(way.command, way.args, { cwd: way.in, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
      const exited = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>;
      let log = '';
      child.stderr.on('data', (chunk) => {
        log += chunk;
      });
      const [line] = await once(createInterface({ input: child.stdout }), 'line');
      child.kill('SIGTERM');
      expect(line).toContain('"msg":"ready"');
      const [code] = await exited;
      await expect.poll(() => isAnybodyIn(child.pid ?? 0), { timeout: 10_000, interval: 20 }).toBe(false);
      expect({ code, log }).toEqual({ code: way.code, log: expect.stringMatching(/"msg":"draining"[\s\S]*"msg":"closed"/) });
    }
  },
);

it.skipIf(npm.path === undefined)('a packed tarball brings the thread that looks whether the event loop hangs', async () => {
  const hangs = 'process.on("SIGUSR2", () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0));';
  const env = { ...process.env, NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(hangs)}` };
  const command = join(folder, 'node_modules/.bin/beatbridge');
  const child = spawn(command, [...FREE_PORTS, '--hang-limit', '500'], { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] });
  const closed = once(child, 'close');
  let log = '';
  child.stderr.on('data', (chunk) => {
    log += chunk;
  });
  await once(createInterface({ input: child.stdout }), 'line');
  child.kill('SIGUSR2');
  expect(await closed).toEqual([null, 'SIGKILL']);
  expect(log).toContain('the event loop has not turned for 500 ms');
});

function isAnybodyIn(group: number): boolean {
  try {
    process.kill(-group, 0);
    return true;
  } catch {
    return false;
  }
}
