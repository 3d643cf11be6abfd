import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, openSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { CLI, type Process, startProcess } from '../support/process.ts';
import { register } from '../support/server.ts';

let bridge: Process;

beforeAll(async () => {
  bridge = await startProcess();
  await register(bridge, 'orders', { ephemeral: 'false' });
  await register(bridge, 'billing', {
    ephemeral: 'false',
    enabled: 'false',
    metadata: JSON.stringify({ a: '\u009b31m\u202e<\u2066' }),
  });
});
afterAll(async () => {
  await bridge.stop('SIGKILL');
});

/** With one of its outputs closed, or going where it is said: the rest of what it tells, and how it ends. */
async function ended(
  args: readonly string[],
  { closed, stdout = 'pipe' }: { closed?: 'stdout' | 'stderr'; stdout?: 'pipe' | number },
) {
  const child = spawn(process.execPath, [CLI, ...args], {
    env: { ...process.env, BEATBRIDGE_ADDR: bridge.listeners.main },
    stdio: ['ignore', stdout, 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  if (closed !== undefined) child[closed]?.destroy();
  let stderr = '';
  child.stderr?.on('data', (chunk) => {
    stderr += chunk;
  });
  const [code] = await once(child, 'exit');
  return { code, stderr };
}

describe('a command whose output nobody reads on', () => {
  it.each<readonly [code: number, args: readonly string[]]>([
    [0, ['--help']],
    [0, ['serve', '--help']],
    [0, ['list', '--help']],
    [0, ['config', 'print']],
    [0, ['config', 'schema']],
    [0, ['completion', 'bash']],
    [0, ['list']],
    [0, ['check', 'orders']],
    [4, ['check', 'billing']],
    [0, ['watch', 'orders']],
    [0, ['watch', '--all']],
    [0, ['events', '--follow']],
    [0, ['watch', 'orders', '--until', 'SERVING']],
  ])('ends with %i: %j', async (code, args) => {
    expect(await ended(args, { closed: 'stdout' })).toEqual({ code, stderr: '' });
  });

  it('ends as it would have where its errors go nowhere', async () => {
    expect(await ended(['check', 'nobody'], { closed: 'stderr' })).toMatchObject({ code: 3 });
    expect(await ended(['list', '--sort', 'age'], { closed: 'stderr' })).toMatchObject({ code: 1 });
    expect(await ended(['config', 'check', '--port', 'x'], { closed: 'stderr' })).toMatchObject({ code: 2 });
  });
});

// A device of Linux that is always full: elsewhere there is nothing like it to write to.
describe.skipIf(!existsSync('/dev/full'))('a command whose output cannot be written', () => {
  it.each<readonly [args: readonly string[]]>([
    [['list', '-o', 'json']],
    [['check', 'orders']],
    [['watch', 'orders']],
    [['serve', '--help']],
    [['config', 'print']],
    [['completion', 'bash']],
  ])('has failed, and says so in one line: %j', async (args) => {
    const { code, stderr } = await ended(args, { stdout: openSync('/dev/full', 'w') });
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: expect.stringMatching(/^beatbridge: standard output cannot be written: ENOSPC[^\n]*\n$/),
    });
  });
});

describe('JSON of a command', () => {
  it('writes out what a terminal would obey, and says the same', async () => {
    const child = spawn(process.execPath, [CLI, 'instances', 'billing', '-o', 'json', '--addr', bridge.listeners.main]);
    let stdout = '';
    child.stdout.on('data', (chunk) => {
      stdout += chunk;
    });
    await once(child, 'close');
    expect(stdout).toContain('\\u009b31m\\u202e<\\u2066');
    expect(stdout).toMatch(/^[\n\x20-\x7e]*$/);
    expect(JSON.parse(stdout)[0].metadata).toEqual({ a: '\u009b31m\u202e<\u2066' });
  });
});
