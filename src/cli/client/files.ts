import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { oneLine, reasonOf } from './failures.ts';

/** What commands read before they ask anybody: certificates, and who they are. */
export interface Files {
  /** The text of a file; undefined when it cannot be had, once that is among the faults. */
  readonly read: (flag: string, path: string, faults: string[]) => string | undefined;
}

const MAX_BYTES = 1024 * 1024;

export const realFiles: Files = {
  read(flag, path, faults) {
    try {
      return bounded(path);
    } catch (error) {
      faults.push(`${flag} cannot be read: ${reasonOf(error)}`);
      return undefined;
    }
  },
};

/** Read to its end, as a pipe says nothing of how long it is. */
function bounded(path: string): string {
  const file = openSync(path, 'r');
  try {
    if (fstatSync(file).isDirectory()) throw new Error('it is a directory');
    const buffer = Buffer.alloc(MAX_BYTES + 1);
    let length = 0;
    for (let read = -1; read !== 0 && length < buffer.length; length += read)
      read = readSync(file, buffer, length, buffer.length - length, null);
    if (length > MAX_BYTES) throw new Error(`it has more than ${MAX_BYTES} bytes`);
    return buffer.toString('utf8', 0, length);
  } finally {
    closeSync(file);
  }
}

/** What stands in `Authorization`: a token, or `USER:PASSWORD`, in the one line of the file. */
export function readTokenFile(files: Files, flag: string, path: string, faults: string[]): string | undefined {
  const text = files
    .read(flag, path, faults)
    ?.replace(/^\ufeff/, '')
    .replace(/\r?\n$/, '');
  if (text === undefined) return undefined;
  // Never shown: it is a secret, whatever is wrong with it.
  if (text.trim() === '' || /[\u0000-\u001f\u007f]/.test(text)) {
    faults.push(`${flag} must hold one line, a token or USER:PASSWORD: ${oneLine(path)}`);
    return undefined;
  }
  if (text.includes(':')) return `Basic ${Buffer.from(text).toString('base64')}`;
  const token = text.trim();
  if (/^[\x21-\x7e]+$/.test(token)) return `Bearer ${token}`;
  faults.push(`${flag} must hold one line, a token or USER:PASSWORD: ${oneLine(path)}`);
  return undefined;
}
