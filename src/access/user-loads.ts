import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import type { Derive } from './passwords.ts';
import { isWrittenOut, putUserFile, type ReadUserFile, readUserFile, type UserFile } from './user-file.ts';
import type { Names, Users } from './users.ts';
import type { WrittenPasswords } from './written-passwords.ts';

/** The file of users on its way into force, as often as it is another one. */
export class UserLoads {
  readonly #room: UserLoadsRoom;
  /** Of what was told last, good or not. */
  #toldOf: string | undefined;
  /** What is there now, and is not told yet. */
  #fresh: Fresh | undefined;

  constructor(room: UserLoadsRoom) {
    this.#room = room;
  }

  /**
   * Reads the file and puts it in force; or says what is wrong with it, and then nobody is another than before. Undefined when it is as it
   * was last time. `'unsettled'`, but for the first time, while it may be half of what somebody writes: look again in `LOOK_AGAIN_MS`. Not
   * again before it has ended.
   */
  async load(path: string): Promise<Loaded | 'unsettled' | undefined> {
    const content = await textAt(path);
    const digest = createHash('sha256').update(JSON.stringify(content)).digest('base64');
    if (digest === this.#toldOf) {
      this.#fresh = undefined;
      return undefined;
    }
    if (this.#fresh?.digest !== digest) this.#fresh = { digest, since: this.#room.now(), file: undefined };
    const isFirst = this.#toldOf === undefined;
    const ageMs = this.#room.now() - this.#fresh.since;
    if (!isFirst && ageMs < SETTLED_MS) return 'unsettled';
    this.#fresh.file ??= await this.#read(content);
    const { file } = this.#fresh;
    if (!isFirst && ageMs < PATIENCE_MS && ('faults' in file || !isEnded(content))) return 'unsettled';
    this.#toldOf = digest;
    this.#fresh = undefined;
    return 'faults' in file ? { ...file, warnings: [] } : this.#inForce(file, content);
  }

  async #read(content: Content): Promise<ReadUserFile> {
    if ('fault' in content) return { faults: [content.fault] };
    const { readLarge } = this.#room;
    if (readLarge === undefined || content.text.length <= MOST_READ_HERE) return readUserFile(content.text);
    try {
      return await readLarge(content.text);
    } catch (error) {
      return { faults: [`it cannot be read: ${reasonOf(error)}`] };
    }
  }

  #inForce(file: UserFile, content: Content): Loaded {
    const { users, written, derive, wallClock, onError } = this.#room;
    const back = putUserFile(users, file, written, wallClock());
    written.hashAll(derive).catch(onError);
    return { faults: [], warnings: [...('mode' in content ? modeWarnings(content.mode, file) : []), ...backWarnings(back)] };
  }
}

/** What is wrong with the file as it is now; nobody becomes another by it. */
export async function userFileFaults(path: string): Promise<readonly string[]> {
  const content = await textAt(path);
  if ('fault' in content) return [content.fault];
  const file = readUserFile(content.text);
  return 'faults' in file ? file.faults : [];
}

/** What it works on. */
export interface UserLoadsRoom {
  readonly users: Users;
  readonly written: WrittenPasswords;
  readonly derive: Derive;
  readonly readLarge: ReadLarge | undefined;
  /** Milliseconds, never going back. */
  readonly now: () => number;
  /** Milliseconds since 1970. */
  readonly wallClock: () => number;
  readonly onError: (error: unknown) => void;
}

/** As `readUserFile`, and holds nobody up meanwhile. */
export type ReadLarge = (text: string) => Promise<ReadUserFile>;

interface Fresh {
  readonly digest: string;
  /** As `now` says. */
  readonly since: number;
  file: ReadUserFile | undefined;
}

/** A file that is written in place, or slowly, is whole when it is the same for so long. */
const SETTLED_MS = 1_000;
/** Likewise where it is wrong, or its last line has no end: of `- writer@dev` the half is a right to all. */
const PATIENCE_MS = 5_000;
export const LOOK_AGAIN_MS = 1_000;
/** Characters, which take some 30 ms. */
const MOST_READ_HERE = 16_384;
/** Twice what as many users as there may be take, with hashes. */
const MOST_FILE_BYTES = 4_194_304;

function isEnded(content: Content): boolean {
  return 'text' in content && content.text.endsWith('\n');
}

/** What became of it, each in a line that goes behind the file's name. */
export interface Loaded {
  /** Why it is not in force; empty when it is. */
  readonly faults: readonly string[];
  /** What whoever has written it is to know all the same. */
  readonly warnings: readonly string[];
}

type Content = { readonly text: string; readonly mode: number } | { readonly fault: string };

async function textAt(path: string): Promise<Content> {
  let file: FileHandle | undefined;
  try {
    file = await open(path);
    const { mode, size } = await file.stat();
    if (size > MOST_FILE_BYTES) return { fault: `it has ${size} bytes, and ${MOST_FILE_BYTES} are the most` };
    return { text: await file.readFile('utf8'), mode: mode & 0o777 };
  } catch (error) {
    return { fault: `it cannot be read: ${reasonOf(error)}` };
  } finally {
    await file?.close();
  }
}

function reasonOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : error;
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
