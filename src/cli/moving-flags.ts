import { type Command, Option } from 'commander';
import { type ApiOptions, serverUrl } from '../moving/api.ts';
import { OptionsError } from '../options.ts';
import { ADDR_ENV, DEFAULT_ADDR, whereOf } from './client/target.ts';

/** The flags that export and import share: which server, and who asks it. */

export interface Login {
  readonly username?: string;
  readonly password?: string;
  readonly token?: string;
}

const PASSWORD_ENV = 'NACOS_PASSWORD';
const TOKEN_ENV = 'NACOS_TOKEN';

/** Where a server is that was started without options. */
const HERE = `http://${DEFAULT_ADDR}`;

export function withServerFlags(command: Command): Command {
  return command
    .addOption(
      new Option(
        '--server <url>',
        `a beatbridge or a Nacos 1, 2 or 3: http://HOST:PORT, or https (env ${ADDR_ENV}, default ${HERE})`,
      ),
    )
    .addOption(new Option('--username <name>', 'log in as'))
    .addOption(new Option('--password <password>', `with this password (or env ${PASSWORD_ENV}, which other users cannot see)`))
    .addOption(new Option('--token <token>', `in place of a login: an access token (or env ${TOKEN_ENV})`));
}

/** By the flag, else as the commands are told that ask a running server. Throws `OptionsError`. */
export function serverOf({ server }: { readonly server?: string }, env: Readonly<Record<string, string | undefined>>): string {
  if (server !== undefined) return server;
  const addr = env[ADDR_ENV] || DEFAULT_ADDR;
  const said = whereOf(addr);
  if (said === undefined || 'path' in said.where)
    throw new OptionsError([
      `${ADDR_ENV} must be HOST:PORT or https://HOST:PORT here, got ${JSON.stringify(addr.slice(0, 200))}`,
    ]);
  const { host, port } = said.where;
  return `${said.isTls ? 'https' : 'http'}://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/**
 * As whom the server is asked: by flags, and by the environment what flags leave open, for flags are seen by every user of the machine.
 * Throws `OptionsError` with all that is wrong.
 */
export function loginOf(
  { server, username, password: given, token }: Login & { readonly server?: string },
  env: Readonly<Record<string, string | undefined>>,
): Pick<ApiOptions, 'username' | 'password' | 'token'> {
  // Set for whatever else speaks to a Nacos, they are no mistake where nobody has asked for a login.
  const password = given ?? (username === undefined ? undefined : env[PASSWORD_ENV] || undefined);
  const faults = [
    ...(server === undefined || serverUrl(server) !== undefined
      ? []
      : [`--server must be http://HOST:PORT or https://HOST:PORT, got ${JSON.stringify(server.slice(0, 200))}`]),
    ...(username !== undefined && password === undefined ? [`--username needs --password, or ${PASSWORD_ENV}`] : []),
    ...(password !== undefined && username === undefined ? ['--password needs --username'] : []),
    ...(token !== undefined && username !== undefined ? ['--token and --username exclude each other'] : []),
  ];
  if (faults.length > 0) throw new OptionsError(faults);
  if (username !== undefined) return { username, password };
  return { token: token ?? (env[TOKEN_ENV] || undefined) };
}
