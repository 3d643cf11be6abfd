import { randomBytes } from 'node:crypto';
import { deriveByScrypt, hashed } from '../../src/access/passwords.ts';
import { type Process, startProcess } from '../support/process.ts';
import { Folder } from './program.ts';
import { type Relay, startRelay } from './relay.ts';

/** A beatbridge where everybody has to log in, and what clients are told there. */

/** Of every user. A blank has to be written in another way in each of the places in which clients carry it. */
export const PASSWORD = 'correct horse';
/** May do everything. */
export const ADMIN = { username: 'root', password: PASSWORD };

const hash = hashed(PASSWORD, deriveByScrypt, randomBytes);

/** What it goes by: a file of users, and a file for each secret. For `using`. */
export class Keys implements Disposable {
  readonly #folder = new Folder();
  readonly #users: string;
  readonly #secrets: string[] = [];

  private constructor(users: string) {
    this.#users = this.#folder.write('users.yaml', users, 0o600);
  }

  /** All of these may read and write everything. */
  static async for(writers: readonly string[]): Promise<Keys> {
    const kept = await hash;
    const line = (name: string, role: string) => `  ${JSON.stringify(name)}: { password: "${kept}", roles: [${role}] }`;
    const users = [line(ADMIN.username, 'admin'), ...writers.map((name) => line(name, 'writer'))];
    return new Keys(`users:\n${users.join('\n')}\n`);
  }

  /** One that nobody has signed with so far. */
  newSecret(): void {
    const name = `secret-${this.#secrets.length}`;
    this.#secrets.push(this.#folder.write(name, randomBytes(32).toString('base64url'), 0o600));
  }

  /** What it is started with: the latest secret signs. */
  args({ takesOlder }: { readonly takesOlder: boolean }): readonly string[] {
    if (this.#secrets.length === 0) this.newSecret();
    const [latest = '', before] = this.#secrets.toReversed();
    const older = takesOlder && before !== undefined ? ['--auth-secret-previous-file', before] : [];
    // The shortest lifetime that there is.
    return ['--auth', '--user-file', this.#users, '--auth-secret-file', latest, ...older, '--token-ttl', '300'];
  }

  [Symbol.dispose](): void {
    this.#folder[Symbol.dispose]();
  }
}

/** On those ports, and as talkative as it can be. */
export function startGuarded(keys: Keys, [main, grpc, health]: Ports, how = { takesOlder: true }): Promise<Process> {
  const ports = ['--host', '127.0.0.1', '--port', `${main}`, '--grpc-port', `${grpc}`, '--health-port', `${health}`];
  return startProcess([...ports, '--probes', 'false', '--log-level', 'trace', ...keys.args(how)]);
}

type Ports = readonly [main: number, grpc: number, health: number];

const LOGGED_IN = /\{"accessToken":"([^"]+)","tokenTtl":300,"globalAdmin":(?:true|false),"username":"([^"]+)"\}/g;

/** A way to it on which clients are told that their tokens live for 20 s, and are seen to log in. */
export async function startHurried(
  server: string,
  listensOn = 0,
): Promise<Relay & { readonly tokens: ReadonlyMap<string, readonly string[]> }> {
  const tokens = new Map<string, string[]>();
  const answer = (chunk: Buffer): Buffer => {
    const text = chunk.toString('latin1');
    for (const [, token = '', name = ''] of text.matchAll(LOGGED_IN)) tokens.set(name, [...(tokens.get(name) ?? []), token]);
    // As long as before: what a body's length is has been said.
    return Buffer.from(text.replaceAll('"tokenTtl":300,', '"tokenTtl": 20,'), 'latin1');
  };
  const relay = await startRelay(server, undefined, listensOn, answer);
  return Object.assign(relay, { tokens });
}
