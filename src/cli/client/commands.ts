import { type Command, Option } from 'commander';
import type { CheckFlags } from '../check.ts';
import type { ClientsFlags } from '../clients.ts';
import type { EventsFlags } from '../events.ts';
import type { InstancesFlags } from '../instances.ts';
import type { ListFlags } from '../list.ts';
import type { WatchFlags } from '../watch.ts';
import type { WhyFlags } from '../why.ts';
import { type Client, type ClientFlags, clientCommand, clientOf } from './connection-flags.ts';
import type { ExitCode } from './failures.ts';

/** The commands that ask a running server and change nothing. What each does is loaded when it is meant. */

/** As grpc_health_probe waits: whoever runs it waits himself. */
const AS_A_PROBE = { connect: '1s', rpc: '1s' };

export function withReadingCommands(program: Command, version: string): void {
  const client = (flags: ClientFlags) => clientOf(flags, version);
  withStatus(program, client, version);
  withLists(program, client);
}

type ClientOf = (flags: ClientFlags) => Client;

function end(code: ExitCode): void {
  process.exitCode = code;
}

function withStatus(program: Command, client: ClientOf, version: string): void {
  clientCommand(program, 'check', AS_A_PROBE)
    .description('ask any gRPC server whether it, or a service, is SERVING: flags and exit codes as of grpc_health_probe')
    .argument('[name]', 'of the service; without one the server itself is meant')
    .option('--service <name>', 'of the service, in place of the argument')
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

  clientCommand(program, 'watch')
    .description('tell the status of services, and each change of it, over restarts of the server too')
    .argument('[names...]', "of services; '' is the server itself")
    .option('--all', 'every service there is, and those that come')
    .option('--namespace <id>', 'the namespace of the services')
    .option('--group <name>', 'the group of the service')
    .addOption(new Option('--until <status>', 'until all are that').choices(['SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN']))
    .option('--timeout <time>', 'with --until: but no longer')
    .action(async (names: string[], flags: WatchFlags) =>
      end(await (await import('../watch.ts')).watch(client(flags), names, flags)),
    );

  clientCommand(program, 'why')
    .description('tell why a service is what it is: since when, who fails by which cause, and what to do')
    .argument('<name>', "of the service; '' is the server itself")
    .option('--namespace <id>', 'the namespace of the service')
    .option('--group <name>', 'the group of the service')
    .action(async (name: string, flags: WhyFlags) => end(await (await import('../why.ts')).why(client(flags), name, flags)));
}

function withLists(program: Command, client: ClientOf): void {
  clientCommand(program, 'list')
    .description('list services, those that fail first: what each is, since when and why')
    .option('--failing', 'only those that are not SERVING')
    .option('--namespace <id>', 'of one namespace')
    .option('--group <name>', 'of one group')
    .addOption(new Option('--sort <by>', 'in which order').choices(['status', 'name', 'since', 'instances']).default('status'))
    .action(async (flags: ListFlags) => end(await (await import('../list.ts')).list(client(flags), flags)));

  clientCommand(program, 'instances')
    .description('list the instances of a service')
    .argument('<name>', 'of the service, with ?namespace=N&group=G where those are not the usual ones')
    .option('--namespace <id>', 'the namespace of the service')
    .option('--group <name>', 'the group of the service')
    .option('-w, --wide', 'with metadata')
    .action(async (name: string, flags: InstancesFlags) =>
      end(await (await import('../instances.ts')).instances(client(flags), name, flags)),
    );

  clientCommand(program, 'events')
    .description('tell what happened, to whom, when and why, the oldest first')
    .option('-f, --follow', 'and what happens from now on, over restarts of the server too')
    .option('--since <when>', 'a time, or how long ago: 90s, 15m, 1h')
    .option('--cause <causes>', 'one or several, with commas between: silent,removed')
    .option('--service <name>', 'NAME or GROUP@@NAME')
    .option('--namespace <id>', 'of one namespace')
    .option('-n, --limit <count>', 'how many at most, the latest (1000; with --follow 10)')
    .action(async (flags: EventsFlags) => end(await (await import('../events.ts')).events(client(flags), flags)));

  clientCommand(program, 'clients')
    .description('list the clients that are connected, or what one of them does')
    .argument('[client]', 'its id, as listed')
    .option('--all', 'those that beat, too')
    .action(async (id: string | undefined, flags: ClientsFlags) =>
      end(await (await import('../clients.ts')).clients(client(flags), id, flags)),
    );
}
