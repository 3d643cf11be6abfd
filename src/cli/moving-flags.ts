import { type Command, Option } from 'commander';
import { serverUrl } from '../moving/api.ts';
import { OptionsError } from '../options.ts';

/** The flags that export and import share: which server, and who asks it. */

export interface Login {
  readonly username?: string;
  readonly password?: string;
  readonly token?: string;
}

/** Where a server is that was started without options. */
const HERE = 'http://127.0.0.1:8848';

export function withServerFlags(command: Command): Command {
  return command
    .addOption(new Option('--server <url>', `a beatbridge or a Nacos 1, 2 or 3: http://HOST:PORT, or https (default ${HERE})`))
    .addOption(new Option('--username <name>', 'log in as'))
    .addOption(new Option('--password <password>', 'with this password'))
    .addOption(new Option('--token <token>', 'in place of a login: an access token'));
}

export function serverOf({ server = HERE }: { readonly server?: string }): string {
  return server;
}

/** Throws `OptionsError` with all that is wrong. */
export function checkFlags({ server, username, password, token }: Login & { readonly server?: string }): void {
  const faults = [
    ...(server === undefined || serverUrl(server) !== undefined
      ? []
      : [`--server must be http://HOST:PORT or https://HOST:PORT, got ${JSON.stringify(server.slice(0, 200))}`]),
    ...(username !== undefined && password === undefined ? ['--username needs --password'] : []),
    ...(password !== undefined && username === undefined ? ['--password needs --username'] : []),
    ...(token !== undefined && username !== undefined ? ['--token and --username exclude each other'] : []),
  ];
  if (faults.length > 0) throw new OptionsError(faults);
}
