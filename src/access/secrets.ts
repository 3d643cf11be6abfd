import { constants } from 'node:fs';
import { type FileHandle, link, open, unlink } from 'node:fs/promises';
import type { Randomness } from './passwords.ts';

/**
 * The secrets that tokens are signed with. They are given by an operator or kept in the data folder, never made anew by each process:
 * most clients sit on a refused token for hours.
 */

const LEAST_SECRET_BYTES = 32;
const MOST_SECRET_BYTES = 4_096;

/** Why nobody may sign with it; undefined when it will do. It is never in the text. */
export function secretFault(secret: Uint8Array): string | undefined {
  if (secret.length < LEAST_SECRET_BYTES || secret.length > MOST_SECRET_BYTES)
    return `it must have ${LEAST_SECRET_BYTES}..${MOST_SECRET_BYTES} bytes, got ${secret.length}`;
  const text = Buffer.from(secret).toString('latin1');
  const decoded = (['base64', 'hex'] as const).map((encoding) => Buffer.from(text.trim(), encoding).toString('latin1'));
  if ([text, ...decoded].some(isPublished)) return 'it has been published as a sample, so that everybody knows it';
  return new Set(secret).size < LEAST_DIFFERENT_BYTES || isRepeated(secret) ? 'it repeats itself' : undefined;
}

/** Whether it is a short text said over and over: at some distance everything is as it was. */
function isRepeated(secret: Uint8Array): boolean {
  const most = Math.min(secret.length / 2, LEAST_SECRET_BYTES);
  for (let apart = 1; apart <= most; apart++) if (secret.every((byte, i) => i < apart || byte === secret[i - apart])) return true;
  return false;
}

const LEAST_DIFFERENT_BYTES = 10;

/** How the samples begin, behind blanks and quotes, that stand in Nacos's files, documents and images, and in what has been copied from them ever since. */
function isPublished(text: string): boolean {
  return /^[\s"'`]*(SecretKey|ThisIsMyCustomSecretKey|change-?me|your[-_]|base64-encoded)/i.test(text);
}

/** A secret file, or why it cannot be taken, as a text that goes behind the file's name. */
export type SecretRead = { readonly secret: Uint8Array } | { readonly fault: string };

/** Reads a secret that is given, and that tokens can be signed with. */
export async function readSecret(path: string): Promise<SecretRead> {
  const read = await readPrivate(path, LEAST_SECRET_BYTES);
  const fault = 'fault' in read ? read.fault : secretFault(read.secret);
  return fault === undefined ? read : { fault };
}

/** Reads what only its owner may be able to read: all of the file, but for the end of its last line. */
export async function readPrivate(path: string, leastBytes: number): Promise<SecretRead> {
  let file: FileHandle;
  try {
    // A pipe would be waited for until somebody writes to it, and without a word.
    file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    return { fault: `it cannot be read: ${codeOf(error)}` };
  }
  try {
    const stats = await file.stat();
    if (!stats.isFile()) return { fault: 'it is not a file' };
    const { mode, size } = stats;
    if (isReadByOthers(stats, process.getuid?.()))
      return { fault: `others can read it (mode ${(mode & 0o777).toString(8)}): chmod 600` };
    if (size > MOST_SECRET_BYTES + 2) return { fault: `it must have ${leastBytes}..${MOST_SECRET_BYTES} bytes, got ${size}` };
    const secret = withoutLineEnd(await file.readFile());
    if (secret.length < leastBytes)
      return { fault: `it must have ${leastBytes}..${MOST_SECRET_BYTES} bytes, got ${secret.length}` };
    return { secret };
  } catch (error) {
    return { fault: `it cannot be read: ${codeOf(error)}` };
  } finally {
    await file.close();
  }
}

/**
 * Whether more than its owner may read the file. One of root's may be lent to the group of who is not root: so Kubernetes hands a Secret to
 * a container that runs as somebody else, who could not read it otherwise.
 */
export function isReadByOthers({ mode, uid }: { readonly mode: number; readonly uid: number }, us: number | undefined): boolean {
  const isLent = uid === 0 && us !== undefined && us !== 0;
  return (mode & (isLent ? 0o037 : 0o077)) !== 0;
}

/** The secret that is kept there, made once if there is none: of several that begin at once, one makes it, and whole before it is seen. */
export async function keptSecret(path: string, randomness: Randomness): Promise<SecretRead> {
  const draft = `${path}.${Buffer.from(randomness(6)).toString('hex')}`;
  try {
    const file = await open(draft, 'wx', 0o600);
    try {
      await file.writeFile(`${Buffer.from(randomness(LEAST_SECRET_BYTES)).toString('base64url')}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
    try {
      await link(draft, path);
    } finally {
      await unlink(draft);
    }
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') return { fault: `it cannot be made: ${codeOf(error)}` };
  }
  return readSecret(path);
}

function withoutLineEnd(bytes: Buffer): Buffer {
  let end = bytes.length;
  while (end > 0 && (bytes[end - 1] === 0x0a || bytes[end - 1] === 0x0d)) end--;
  return bytes.subarray(0, end);
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error);
}
