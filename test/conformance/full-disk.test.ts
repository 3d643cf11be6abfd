import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, it } from 'vitest';
import { liveThroughFullDisk } from '../support/full-disk.ts';

const root = mkdtempSync(join(tmpdir(), 'beatbridge-tmpfs-'));
const isMounted = mounted();

function mounted(): boolean {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', root], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

afterAll(() => {
  if (isMounted) execFileSync('umount', [root]);
  rmSync(root, { recursive: true, force: true });
});

const ballast = join(root, 'ballast');

/** To the last byte. */
function fill(): void {
  for (let bytes = 4 << 20; bytes >= 512; bytes >>= 1)
    try {
      for (;;) writeFileSync(ballast, Buffer.alloc(bytes), { flag: 'a' });
    } catch {
      // As much as fits has been written.
    }
}

// Only root mounts a file system; the same without being root is in test/store/faults.test.ts.
it.skipIf(!isMounted)(
  'a file system that is full stops nobody but who must be sure, and is caught up with by itself',
  async () => {
    mkdirSync(join(root, 'data'));
    await liveThroughFullDisk({ dataDir: join(root, 'data'), fill, free: () => rmSync(ballast) });
  },
);
