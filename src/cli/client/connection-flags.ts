import { type Command, Option } from 'commander';
import { UsageError } from './failures.ts';
import { realFiles } from './files.ts';
import { createOutput, type Output } from './output.ts';
import { ADDR_ENV, type ConnectionFlags, DEFAULT_ADDR, type Target, TOKEN_FILE_ENV, targetOf } from './target.ts';

/** The flags of every command that asks a running server: which, over what, as whom, and how its answer is shown. */

export interface ClientFlags extends ConnectionFlags {
  readonly output: 'text' | 'json';
}

/** How long a command waits for a connection, and for an answer, unless it is told. */
export interface Patience {
  readonly connect: string;
  readonly rpc: string;
}

const USUAL: Patience = { connect: '5s', rpc: '30s' };

/** A command of that name, which takes all of these, and ends with `EXIT.usage` when it is told what it does not take. */
export function clientCommand(program: Command, name: string, { connect, rpc }: Patience = USUAL): Command {
  const group = 'Connection:';
  const flag = (flags: string, text: string) => new Option(flags, text).helpGroup(group);
  return program
    .command(name)
    .addOption(flag('--addr <host:port>', `the server (env ${ADDR_ENV}, default ${DEFAULT_ADDR})`))
    .addOption(flag('--tls', 'over TLS'))
    .addOption(flag('--tls-ca-cert <file>', 'who may have signed its certificate, in PEM'))
    .addOption(flag('--tls-client-cert <file>', 'a certificate of our own'))
    .addOption(flag('--tls-client-key <file>', 'the key of it'))
    .addOption(flag('--tls-server-name <name>', 'whose name its certificate has to have'))
    .addOption(flag('--tls-no-verify', 'take any certificate: whoever is in between can read along'))
    .addOption(flag('--token-file <file>', `a file with a token, or USER:PASSWORD (env ${TOKEN_FILE_ENV})`))
    .addOption(flag('--connect-timeout <time>', 'how long to wait for a connection').default(connect))
    .addOption(flag('--rpc-timeout <time>', 'how long to wait for an answer').default(rpc))
    .addOption(new Option('-o, --output <form>', 'text, or json for programs').choices(['text', 'json']).default('text'))
    .configureOutput({ outputError: () => {} })
    .exitOverride((error) => {
      if (error.exitCode === 0) throw error;
      // Its second line is a suggestion.
      const text = error.message.replace(/^error: /, '').replace(/\n\(Did you mean (.*)\?\)/s, ', did you mean $1?');
      throw new UsageError([text.replaceAll(/\s+/g, ' ').trim()]);
    });
}

/** Whom a command asks, and where it tells of it. */
export interface Client {
  readonly target: Target;
  readonly output: Output;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** Throws `UsageError`. */
export function clientOf(flags: ClientFlags, version: string): Client {
  const { stdout, stderr, env } = process;
  const target = targetOf(flags, env, realFiles, `beatbridge-cli/${version}`);
  const isJson = flags.output === 'json';
  return { target, output: createOutput({ isJson, stdout, stderr, env }), now: Date.now };
}
