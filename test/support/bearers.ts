import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lastingToken, tokenDigest } from '../../src/access/tokens.ts';
import type { Server, ServerOptions } from '../../src/index.ts';
import { startServer } from './server.ts';

/** A beatbridge in this process where everybody has a token that never ends, so that no password is ever looked at. */
export interface WithBearers extends Server {
  /** As `Authorization`. */
  readonly bearer: (name: string) => { readonly authorization: string };
  readonly userFile: string;
  /** Another text of the user file. */
  readonly write: (users: Readonly<Record<string, string>>) => void;
}

/** `users`: name -> roles, with commas between, or `disabled`. One called `root` is an administrator. For `await using`. */
export async function startWithBearers(
  users: Readonly<Record<string, string>>,
  options: ServerOptions = {},
): Promise<WithBearers> {
  const folder = mkdtempSync(join(tmpdir(), 'beatbridge-bearers-'));
  const userFile = join(folder, 'users.yaml');
  const authSecretFile = join(folder, 'secret');
  const tokens = new Map(['root', ...Object.keys(users)].map((name) => [name, lastingToken(randomBytes)]));
  const write = (now: Readonly<Record<string, string>>) =>
    writeFileSync(userFile, fileOf({ root: 'admin', ...now }, tokens), { mode: 0o600 });
  write(users);
  writeFileSync(authSecretFile, randomBytes(32).toString('base64url'), { mode: 0o600 });
  const server = await startServer({ auth: true, userFile, authSecretFile, ...options });
  const close = () => server.close(200).finally(() => rmSync(folder, { recursive: true, force: true }));
  return {
    ...server,
    close,
    userFile,
    write,
    bearer: (name) => ({ authorization: `Bearer ${tokens.get(name)}` }),
    [Symbol.asyncDispose]: close,
  };
}

function fileOf(users: Readonly<Record<string, string>>, tokens: ReadonlyMap<string, string>): string {
  const lines = Object.entries(users).map(([name, roles]) => {
    const isDisabled = roles === 'disabled';
    return `  ${name}: ${JSON.stringify({
      roles: isDisabled ? ['reader'] : roles.split(','),
      tokens: [tokenDigest(tokens.get(name) ?? '')],
      disabled: isDisabled,
    })}`;
  });
  return `users:\n${lines.join('\n')}\n`;
}
