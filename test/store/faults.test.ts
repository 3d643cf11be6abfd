import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { HAS_PRLIMIT } from '../support/crashed.ts';
import { limitFiles } from '../support/crashes.ts';
import { liveThroughFullDisk } from '../support/full-disk.ts';
import { FREE_PORTS, run, startProcess } from '../support/process.ts';
import { nacos, register } from '../support/server.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'beatbridge-faults-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

/** It says why in one line, and ends. */
async function expectRefused(dataDir: string, why: string, under: readonly string[] = []): Promise<void> {
  const { code, stdout, stderr } = await run(['serve', ...FREE_PORTS, '--data-dir', dataDir], {}, under);
  expect({ code, stdout }).toEqual({ code: 4, stdout: '' });
  expect(stderr).toContain(why);
  expect(stderr.trimEnd().split('\n')).toHaveLength(1);
}

// Nothing but prlimit makes a disk full for one process.
it.skipIf(!HAS_PRLIMIT)(
  'a full disk stops nobody but who must be sure, and is caught up with by itself',
  { timeout: 60_000 },
  () =>
    liveThroughFullDisk({
      dataDir: join(root, 'data'),
      fill: ({ child }) => limitFiles(child, 0),
      free: ({ child }) => limitFiles(child, undefined),
    }),
);

it.skipIf(!HAS_PRLIMIT)('who ends without having written all that must survive ends with exit code 1, and says so', async () => {
  await using server = await startProcess([...FREE_PORTS, '--data-dir', join(root, 'data')]);
  limitFiles(server.child, 0);
  // A file may have space left in its last page.
  const texts = Array.from({ length: 20 }, (_, i) => ({ dataId: `text-${i}`, group: 'G', content: 'x'.repeat(1_000) }));
  for (const text of texts) await nacos(server, 'POST', '/nacos/v1/cs/configs', text);
  expect(await server.stop('SIGTERM')).toBe(1);
  expect(server.log()).toContain('not all that must survive could be written: a file may not grow');
});

describe('a directory that cannot be used ends the start with exit code 4, one line, and as it was:', () => {
  it('a damaged one', async () => {
    const dir = join(root, 'data');
    await using server = await startProcess([...FREE_PORTS, '--data-dir', dir]);
    await register(server, 'orders', { ephemeral: 'false' });
    await server.stop('SIGKILL');
    const log = join(dir, 'records', readdirSync(join(dir, 'records')).find((name) => name.endsWith('.log')) ?? '');
    const bytes = readFileSync(log);
    bytes.writeUInt8(bytes.readUInt8(40) ^ 1, 40);
    writeFileSync(log, bytes);
    const before = new Map(
      readdirSync(join(dir, 'records')).map((name) => [name, readFileSync(join(dir, 'records', name), 'latin1')]),
    );
    await expectRefused(dir, `${dir} is damaged, and is left as it is: `);
    for (const [name, text] of before)
      if (!name.startsWith('LO')) expect(readFileSync(join(dir, 'records', name), 'latin1'), name).toBe(text);
  });

  it('one that another process has, which goes on', async () => {
    const dir = join(root, 'data');
    await using server = await startProcess([...FREE_PORTS, '--data-dir', dir]);
    await expectRefused(dir, `${dir} is in use by another process`);
    await register(server, 'orders', { ephemeral: 'false' });
    await server.stop('SIGKILL');
    await using again = await startProcess([...FREE_PORTS, '--data-dir', dir]);
    expect(await again.stop('SIGTERM')).toBe(0);
  });

  it('a file', async () => {
    const file = join(root, 'file');
    writeFileSync(file, 'mine');
    await expectRefused(file, `${file} cannot be written: there is a file of that name`);
    expect(readFileSync(file, 'utf8')).toBe('mine');
  });

  // Root writes whatever it likes, unless the right to do so is taken from it, for which there is no way without util-linux.
  const isRoot = process.getuid?.() === 0;
  it.skipIf(isRoot && !HAS_PRLIMIT)('one that may not be written', async () => {
    const dir = join(root, 'data');
    mkdirSync(dir);
    chmodSync(dir, 0o500);
    const under = isRoot ? ['setpriv', '--bounding-set', '-dac_override'] : [];
    await expectRefused(dir, `${dir} cannot be written: no permission`, under);
    chmodSync(dir, 0o700);
  });

  it('one in which a folder is in the way of its files', async () => {
    const dir = join(root, 'data');
    mkdirSync(join(dir, 'records', 'LOCK'), { recursive: true });
    await expectRefused(dir, `${dir} cannot be opened: `);
  });
});
