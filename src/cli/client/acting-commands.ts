import type { Command } from 'commander';
import type { ChangeFlags } from '../change.ts';
import type { DeregisterFlags } from '../deregister.ts';
import type { RegisterFlags } from '../register.ts';
import { type ClientFlags, clientCommand, clientOf } from './connection-flags.ts';
import { UsageError } from './failures.ts';
import { realFiles } from './files.ts';
import { type Target, targetOf } from './target.ts';

/** The commands that change something at a running server. What each does is loaded when it is meant. */

export function withActingCommands(program: Command, version: string): void {
  const client = (flags: ClientFlags) => clientOf(flags, version);

  withPlace(clientCommand(program, 'enable'))
    .description('put an instance into service again, as an operator')
    .argument('<ip:port>', 'of the instance')
    .action(async (address: string, flags: ChangeFlags) =>
      (await import('../change.ts')).change(address, { enabled: true }, flags, client(flags)),
    );
  withPlace(clientCommand(program, 'disable'))
    .description('take an instance out of service, as an operator: it stays so, whatever its client says, until it is enabled')
    .argument('<ip:port>', 'of the instance')
    .action(async (address: string, flags: ChangeFlags) =>
      (await import('../change.ts')).change(address, { enabled: false }, flags, client(flags)),
    );
  withPlace(clientCommand(program, 'weight'))
    .description('say how much of the calls an instance gets, as an operator; 0 is none')
    .argument('<ip:port>', 'of the instance')
    .argument('<weight>', '0, or 0.01 to 10000')
    .action(async (address: string, weight: string, flags: ChangeFlags) => {
      const { change, weightIn } = await import('../change.ts');
      await change(address, { weight: weightIn(weight) }, flags, client(flags));
    });

  withRegistration(clientCommand(program, 'register')).action(
    async (name: string, address: string, command: readonly string[], flags: RegisterFlags) => {
      if (command.length > 0 && !process.argv.includes('--'))
        throw new UsageError([`too many arguments: a command to run stands behind --, got ${JSON.stringify(command[0])}`]);
      if (process.argv.at(-1) === '--' || command[0] === '')
        throw new UsageError(['behind -- there must be a command to run: leave out the --, or name one']);
      const { target: first, output } = client(flags);
      // A login may be replaced while this goes on for days.
      const target = (): Target => targetOf(flags, process.env, realFiles, first.userAgent);
      const { register } = await import('../register.ts');
      process.exitCode = await register(name, address, command, flags, { target, output });
    },
  );
  clientCommand(program, 'deregister')
    .description('take an instance away')
    .argument('<name>', 'of the service: NAME or GROUP@@NAME')
    .argument('<ip:port>', 'of the instance')
    .option('--namespace <id>', 'of the service (default public)')
    .option('--group <name>', 'of the service, where the name says none')
    .action(async (name: string, address: string, flags: DeregisterFlags) =>
      (await import('../deregister.ts')).deregister(name, address, flags, client(flags)),
    );
}

function withPlace(command: Command): Command {
  return command
    .option('--service <name>', 'NAME or GROUP@@NAME; may be left out where the address is in one service alone')
    .option('--namespace <id>', 'of the service')
    .option('--group <name>', 'of the service, where the name says none')
    .option('--cluster <name>', 'refuse an instance of any other cluster');
}

function withRegistration(command: Command): Command {
  return command
    .description('register an instance; with --beat, keep it alive for as long as this runs, and take it away at the end')
    .argument('<name>', 'of the service: NAME or GROUP@@NAME')
    .argument('<ip:port>', 'of the instance')
    .argument('[command...]', 'behind --: run it, and keep the instance alive for as long as it runs')
    .option('--beat', 'send beats until SIGTERM or SIGINT, then deregister')
    .option('--namespace <id>', 'of the service (default public)')
    .option('--group <name>', 'of the service, where the name says none')
    .option('--cluster <name>', 'of the instance')
    .option('--weight <number>', 'how much of the calls it gets: 0, or 0.01 to 10000')
    .option(
      '--metadata <key=value>',
      'of the instance; may be given several times',
      (one: string, before: readonly string[] = []) => [...before, one],
    )
    .option('--interval <time>', 'between two beats; unhealthy is who is silent for three of them, gone for six', '5s')
    .option('--persistent', 'without beats: the server keeps it, and checks it');
}
