import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import type { Derive, Randomness } from './passwords.ts';
import { isWrittenOut, putUserFile, readUserFile, type UserFile } from './user-file.ts';
import type { Names, Users } from './users.ts';

/** The file of users on its way into force, as often as it is another one. */
export class UserLoads {
  readonly #users: Users;
  readonly #derive: Derive;
  readonly #randomness: Randomness;
  /** Of what was read last, good or not. */
  #seen: string | undefined;

  constructor(users: Users, derive: Derive, randomness: Randomness) {
    this.#users = users;
    this.#derive = derive;
    this.#randomness = randomness;
  }

  /**
   * Reads the file and puts it in force; or says what is wrong with it, and then nobody is another than before. Undefined when it is as it
   * was last time. Not again before it has ended.
   */
  async load(path: string): Promise<Loaded | undefined> {
    const read = await textAt(path);
    const seen = createHash('sha256').update(JSON.stringify(read)).digest('base64');
    if (seen === this.#seen) return undefined;
    const loaded = 'fault' in read ? wrong([read.fault]) : await this.#inForce(read);
    this.#seen = seen;
    return loaded;
  }

  async #inForce({ text, mode }: Text): Promise<Loaded> {
    const file = readUserFile(text);
    if ('faults' in file) return wrong(file.faults);
    const back = await putUserFile(this.#users, file, this.#derive, this.#randomness);
    return { faults: [], warnings: [...modeWarnings(mode, file), ...backWarnings(back)] };
  }
}

/** What became of it, each in a line that goes behind the file's name. */
export interface Loaded {
  /** Why it is not in force; empty when it is. */
  readonly faults: readonly string[];
  /** What whoever has written it is to know all the same. */
  readonly warnings: readonly string[];
}

function wrong(faults: readonly string[]): Loaded {
  return { faults, warnings: [] };
}

interface Text {
  readonly text: string;
  readonly mode: number;
}

async function textAt(path: string): Promise<Text | { readonly fault: string }> {
  let file: FileHandle | undefined;
  try {
    file = await open(path);
    const { mode } = await file.stat();
    return { text: await file.readFile('utf8'), mode: mode & 0o777 };
  } catch (error) {
    return { fault: `it cannot be read: ${error instanceof Error && 'code' in error ? error.code : error}` };
  } finally {
    await file?.close();
  }
}

/** It is taken all the same: as it is mounted in a container, everybody can read it, and there is nobody else. */
function modeWarnings(mode: number, { users }: UserFile): string[] {
  const shown = mode.toString(8).padStart(3, '0');
  if ((mode & 0o022) !== 0) return [`others can write it (mode ${shown}), and so be whoever they like: chmod 600`];
  const names = users.filter(({ password }) => isWrittenOut(password)).map(({ name }) => name);
  if ((mode & 0o044) === 0 || names.length === 0) return [];
  return [
    `others can read it (mode ${shown}), and the passwords of ${few(names)} are written out in it: chmod 600, and keep hashes instead (beatbridge hash-password)`,
  ];
}

function backWarnings({ users, roles }: Names): string[] {
  return [
    ...(users.length > 0 ? [`it no longer has ${few(users)}, whom calls have made as well: these count again`] : []),
    ...(roles.length > 0 ? [`it no longer has the roles ${few(roles)}: the permissions that calls gave them count again`] : []),
  ];
}

/** What of calls the file hides, in a line; undefined where that is nothing. */
export function hiddenNotice({ users, roles }: Names): string | undefined {
  const names = [...users, ...roles.map((role) => `role ${role}`)];
  if (names.length === 0) return undefined;
  return `in the user file, and made by calls as well: ${few(names)}; the file counts, and once it leaves them out the others count again`;
}

const MOST_NAMED = 10;

function few(names: readonly string[]): string {
  const more = names.length - MOST_NAMED;
  return names.slice(0, MOST_NAMED).join(', ') + (more > 0 ? ` and ${more} more` : '');
}
