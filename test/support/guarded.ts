import { createHmac, randomBytes, scryptSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeHash } from '../../src/access/passwords.ts';
import type { Server, ServerOptions } from '../../src/index.ts';
import { startServer } from './server.ts';

/** A beatbridge in this process where everybody has to log in. */

export const PASSWORD = 'correct horse';
export const SECRET = randomBytes(32).toString('base64url');
/** One for all, and the cheapest that is read: a login takes as long. */
const salt = randomBytes(16);
const hash = writeHash({ cost: { ln: 14, r: 8, p: 1 }, salt, key: scryptSync(PASSWORD, salt, 32, { N: 2 ** 14, r: 8, p: 1 }) });

export interface Guarded extends Server {
  /** What a login of that user gives. */
  readonly tokenOf: (name: string) => Promise<string>;
  /** Where its file of users is. */
  readonly userFile: string;
}

/** `users`: name -> roles, with commas between. One called `root` is an administrator. */
export async function startGuarded(users: Readonly<Record<string, string>>, options: ServerOptions = {}): Promise<Guarded> {
  const folder = mkdtempSync(join(tmpdir(), 'beatbridge-guarded-'));
  const userFile = join(folder, 'users.yaml');
  const authSecretFile = join(folder, 'secret');
  writeFileSync(userFile, userFileOf({ root: 'admin', ...users }), { mode: 0o600 });
  writeFileSync(authSecretFile, SECRET, { mode: 0o600 });
  const server = await startServer({ auth: true, userFile, authSecretFile, ...options });
  const close = () => server.close().finally(() => rmSync(folder, { recursive: true, force: true }));
  return {
    ...server,
    close,
    userFile,
    tokenOf: (name) => login(server, name),
    [Symbol.asyncDispose]: close,
  };
}

export function userFileOf(users: Readonly<Record<string, string>>): string {
  const lines = Object.entries(users).map(
    ([name, roles]) => `  ${name}: { password: "${hash}", roles: [${roles.replace(/[^,]+/g, '"$&"')}] }`,
  );
  return `users:\n${lines.join('\n')}\n`;
}

export async function login(server: Pick<Server, 'listeners'>, username: string, password = PASSWORD): Promise<string> {
  const body = new URLSearchParams({ username, password });
  const response = await fetch(`http://${server.listeners.main}/nacos/v1/auth/login`, { method: 'POST', body });
  if (!response.ok) throw new Error(`login: ${response.status} ${await response.text()}`);
  // As clients read it.
  return ((await response.json()) as { readonly accessToken: string }).accessToken;
}

/** The token with other claims, or another header, signed with the right secret all the same. */
export function resigned(token: string, claims: object, header: object = { alg: 'HS256' }, hashName = 'sha256'): string {
  const [, payload = ''] = token.split('.');
  const said = { ...JSON.parse(Buffer.from(payload, 'base64url').toString()), ...claims };
  const signed = [header, said].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
  return `${signed}.${createHmac(hashName, SECRET).update(signed).digest('base64url')}`;
}
