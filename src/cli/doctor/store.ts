import { constants } from 'node:fs';
import { access, readdir, stat, statfs } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { RECORDS, unsoundness } from '../../moving/soundness-of.ts';
import { bytesText, type Finding, fail, ok, warn } from './finding.ts';
import { ownerOfLock } from './owners.ts';

/** The directory that keeps what must survive: nothing of it is changed by looking. */
export async function storeFindings(dataDir: string): Promise<readonly Finding[]> {
  if (dataDir === 'none') return [ok('store', 'nothing is kept (--data-dir none)')];
  const dir = resolve(dataDir);
  const kind = await kindOf(dir);
  if (kind === 'file') return [fail('store', `${dir} is a file`, 'choose another: --data-dir')];
  const there = kind === 'directory' ? dir : await nearest(dir);
  const writable = await mayWrite(there);
  if (!writable)
    return [
      fail(
        'store',
        `${there} cannot be written by this user`,
        'give it to the user that serve runs as, or choose another: --data-dir',
      ),
    ];
  return [...(await contents(dir, kind === 'directory')), ...(await room(there))];
}

async function contents(dir: string, isThere: boolean): Promise<readonly Finding[]> {
  if (!isThere) return [ok('store', `${dir} is not there yet, and can be made`)];
  const records = join(dir, RECORDS);
  const names = await readdir(records).catch((): string[] => []);
  if (!names.includes('CURRENT')) return [ok('store', `${dir} has no records yet`)];
  const lock = await stat(join(records, 'LOCK')).catch(() => undefined);
  const owner = lock && ownerOfLock(lock.ino);
  // It changes while one looks.
  if (owner !== undefined)
    return [ok('store', `${dir} is in use by ${owner.isBeatbridge ? 'a beatbridge' : owner.program} (pid ${owner.pid})`)];
  const fault = await unsoundness(dir);
  if (fault === undefined) return [ok('store', `${dir} is sound, ${bytesText(await sizeOf(records, names))}`)];
  const todo =
    'move it aside, and start with an older copy or an empty directory; or it is in use by a process that cannot be seen from here';
  return [fail('store', `${dir} is damaged: ${fault}`, todo)];
}

const LITTLE_BYTES = 1 << 30;
const TOO_LITTLE_BYTES = 64 << 20;

async function room(dir: string): Promise<readonly Finding[]> {
  const { bavail, bsize, files, ffree } = await statfs(dir);
  const free = bavail * bsize;
  const todo = 'make room there, or choose another: --data-dir';
  // Some file systems count no files.
  if (files > 0 && ffree < 100) return [fail('disk', `no more than ${ffree} files can be made in ${dir}`, todo)];
  if (free < TOO_LITTLE_BYTES) return [fail('disk', `${bytesText(free)} free in ${dir}`, todo)];
  if (free < LITTLE_BYTES) return [warn('disk', `${bytesText(free)} free in ${dir}`, todo)];
  return [ok('disk', `${bytesText(free)} free in ${dir}`)];
}

async function sizeOf(dir: string, names: readonly string[]): Promise<number> {
  let bytes = 0;
  for (const name of names) bytes += (await stat(join(dir, name)).catch(() => undefined))?.size ?? 0;
  return bytes;
}

async function kindOf(path: string): Promise<'directory' | 'file' | 'none'> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) return 'none';
  return found.isDirectory() ? 'directory' : 'file';
}

/** In which it would be made. */
async function nearest(dir: string): Promise<string> {
  for (let above = dirname(dir); ; above = dirname(above)) {
    if ((await kindOf(above)) !== 'none' || dirname(above) === above) return above;
  }
}

async function mayWrite(dir: string): Promise<boolean> {
  return await access(dir, constants.R_OK | constants.W_OK | constants.X_OK).then(
    () => true,
    () => false,
  );
}
