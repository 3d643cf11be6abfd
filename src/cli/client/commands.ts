import type { Command } from 'commander';
import type { CheckFlags } from '../check.ts';
import { type ClientFlags, clientCommand, clientOf } from './connection-flags.ts';

/** The commands that ask a running server and change nothing. What each does is loaded when it is meant. */

/** As grpc_health_probe waits: whoever runs it waits himself. */
const AS_A_PROBE = { connect: '1s', rpc: '1s' };

export function withReadingCommands(program: Command, version: string): void {
  const client = (flags: ClientFlags) => clientOf(flags, version);
  const end = (code: number) => {
    process.exitCode = code;
  };

  clientCommand(program, 'check', AS_A_PROBE)
    .description('ask any gRPC server whether it, or a service, is SERVING: flags and exit codes as of grpc_health_probe')
    .argument('[name]', 'of the service; without one the server itself is meant')
    .option('--service <name>', 'the same')
    .option(
      '--rpc-header <header>',
      "'NAME: VALUE', to send with the call; may be given several times",
      (one: string, before: string[] = []) => [...before, one],
    )
    .option('--user-agent <text>', 'how to call itself')
    .option('--gzip', 'send the call in gzip')
    .option('-v, --verbose', 'tell on standard error what is done')
    .option('--version', 'print the version')
    .option('--alts', 'not supported')
    .option('--spiffe', 'not supported')
    .option('--google-access-token', 'not supported')
    .action(async (name: string | undefined, flags: CheckFlags) =>
      end(await (await import('../check.ts')).check(name, flags, { client, version })),
    );
}
