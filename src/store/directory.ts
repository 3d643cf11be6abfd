import { access, constants, mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

/** The store cannot be used, or not now. Its message is one line for an operator. */
export class StoreError extends Error {
  override readonly name = 'StoreError';
}

/** Another process has it. */
export class InUseError extends StoreError {}

/** Creates the directory, if need be, and makes sure that it can be written. Rejects with `StoreError`. */
export async function claimDirectory(dir: string): Promise<void> {
  try {
    await makeDirectory(dir);
    if (!(await stat(dir)).isDirectory()) throw new StoreError(`${dir} cannot be written: there is a file of that name`);
    await access(dir, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (cause) {
    if (cause instanceof StoreError) throw cause;
    throw new StoreError(`${dir} cannot be written: ${reasonOf(cause)}`, { cause });
  }
}

/**
 * With those above it. Node's own way to make them all never ends where the file system has no room for new ones and says that there is
 * no such directory, as /proc does.
 */
async function makeDirectory(dir: string): Promise<void> {
  const isMade = async (): Promise<boolean> => {
    try {
      await mkdir(dir, { mode: 0o750 });
    } catch (cause) {
      if (codeOf(cause) === 'ENOENT' && dirname(dir) !== dir) return false;
      if (codeOf(cause) !== 'EEXIST') throw cause;
    }
    return true;
  };
  if (await isMade()) return;
  await makeDirectory(dirname(dir));
  if (!(await isMade())) throw new StoreError(`${dir} cannot be written: nothing can be made there`);
}

/** Whether a database could not be opened because another process has it. */
export function isInUse(error: unknown): boolean {
  return codeOf(rootOf(error)) === 'LEVEL_LOCKED';
}

export function inUse(dir: string, cause: unknown): InUseError {
  return new InUseError(`${dir} is in use by another process`, { cause });
}

/** Why the database in the directory could not be opened. */
export function openingError(dir: string, error: unknown): StoreError {
  const cause = rootOf(error);
  if (isInUse(error)) return inUse(dir, cause);
  if (codeOf(cause) === 'LEVEL_CORRUPTION') return damaged(dir, cause);
  return new StoreError(`${dir} cannot be opened: ${reasonOf(cause)}`, { cause });
}

/** What is in the directory cannot be read. */
export function damaged(dir: string, cause: unknown): StoreError {
  return new StoreError(`${dir} is damaged, and is left as it is: ${reasonOf(cause)}`, { cause });
}

/** In words that fit into a line. */
export function reasonOf(cause: unknown): string {
  const reason = SYSTEM_REASONS.get(codeOf(cause) ?? '');
  if (reason !== undefined) return reason;
  const text = cause instanceof Error ? cause.message : String(cause);
  return text.replaceAll(/\s+/g, ' ').slice(0, 200);
}

/** In constant words, for whoever asks: no path and nothing else of this machine is in them. */
export function troubleOf(cause: unknown): string {
  const root = rootOf(cause);
  const text = root instanceof Error ? root.message : String(root);
  return TROUBLES.find(([pattern]) => pattern.test(text))?.[1] ?? 'the disk fails';
}

const TROUBLES: readonly (readonly [pattern: RegExp, trouble: string])[] = [
  [/No space left|Disk quota exceeded/i, 'no space left'],
  [/File too large/i, 'a file may not grow'],
  [/Read-only file system/i, 'the file system is read-only'],
  [/Permission denied|not permitted/i, 'no permission'],
  [/Too many open files/i, 'too many open files'],
];

const SYSTEM_REASONS: ReadonlyMap<string, string> = new Map([
  ['EACCES', 'no permission'],
  ['EPERM', 'no permission'],
  ['EROFS', 'the file system is read-only'],
  ['ENOSPC', 'no space left'],
  ['EEXIST', 'there is a file of that name'],
  ['ENOTDIR', 'a part of the path is a file'],
]);

function rootOf(error: unknown): unknown {
  return error instanceof Error && error.cause !== undefined ? error.cause : error;
}

function codeOf(cause: unknown): string | undefined {
  return cause instanceof Error && 'code' in cause && typeof cause.code === 'string' ? cause.code : undefined;
}

/** What writes there. Loaded when there is something to keep: a server that keeps nothing needs none of it. */
export const classicLevel = async () => (await import('classic-level')).ClassicLevel;
