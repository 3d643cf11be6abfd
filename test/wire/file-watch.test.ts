import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { LOOK_EVERY_MS, SETTLE_MS, watchFiles } from '../../src/wire/file-watch.ts';
import { failOnLeaks } from '../support/leaks.ts';
import { ManualScheduler } from '../support/scheduler.ts';

failOnLeaks();

const root = mkdtempSync(join(tmpdir(), 'beatbridge-watch-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** A folder as Kubernetes mounts a secret: the file is a link into a folder that is itself behind a link. */
function secret(name: string) {
  const folder = join(root, name);
  const write = (version: string) => {
    mkdirSync(join(folder, `..${version}`), { recursive: true });
    writeFileSync(join(folder, `..${version}`, 'tls.crt'), version);
  };
  write('1');
  symlinkSync('..1', join(folder, '..data'));
  symlinkSync('..data/tls.crt', join(folder, 'tls.crt'));
  return {
    path: join(folder, 'tls.crt'),
    swap(version: string) {
      write(version);
      symlinkSync(`..${version}`, join(folder, '..data_tmp'));
      renameSync(join(folder, '..data_tmp'), join(folder, '..data'));
    },
  };
}

function watched(...paths: string[]) {
  const scheduler = new ManualScheduler();
  let changes = 0;
  const stop = watchFiles(paths, scheduler, () => void changes++);
  return {
    scheduler,
    changes: () => changes,
    /** The system has told of something: one timer more than the one of every minute. */
    noticed: () => expect.poll(() => scheduler.open).toBe(2),
    [Symbol.dispose]: stop,
  };
}

describe('a file that is watched', () => {
  it.each([
    ['written in place', (path: string) => writeFileSync(path, 'new')],
    [
      'renamed over',
      (path: string) => {
        writeFileSync(`${path}.new`, 'new');
        renameSync(`${path}.new`, path);
      },
    ],
    ['taken away', (path: string) => rmSync(path)],
  ])('is told of when it is %s, once for what changes together', async (how, change) => {
    const path = join(root, how.replaceAll(' ', '-'), 'tls.crt');
    mkdirSync(join(path, '..'));
    writeFileSync(path, 'old');
    using files = watched(path);
    change(path);
    await files.noticed();
    expect(files.changes()).toBe(0);
    files.scheduler.advance(SETTLE_MS);
    expect(files.changes()).toBe(1);
  });

  it('is told of when it is swapped behind a link, again and again', async () => {
    const { path, swap } = secret('kubernetes');
    using files = watched(path);
    for (const version of ['2', '3']) {
      swap(version);
      await files.noticed();
      files.scheduler.advance(SETTLE_MS);
    }
    expect(files.changes()).toBe(2);
  });

  it('is to be looked at every minute, whatever is told', () => {
    using files = watched(join(root, 'nowhere', 'tls.crt'));
    files.scheduler.advance(3 * LOOK_EVERY_MS);
    expect(files.changes()).toBe(3);
  });

  it('is watched again, in a folder that was made anew, from the next minute on', async () => {
    const folder = join(root, 'anew');
    mkdirSync(folder);
    using files = watched(join(folder, 'tls.crt'));
    rmSync(folder, { recursive: true });
    await files.noticed();
    files.scheduler.advance(SETTLE_MS);
    mkdirSync(folder);
    files.scheduler.advance(LOOK_EVERY_MS);
    const before = files.changes();
    writeFileSync(join(folder, 'tls.crt'), 'new');
    await files.noticed();
    files.scheduler.advance(SETTLE_MS);
    expect(files.changes()).toBe(before + 1);
  });
});
