import type { Command } from 'commander';
import type { DrainFlags, ResumeFlags } from '../drain.ts';
import { type ClientFlags, clientCommand, clientOf } from './connection-flags.ts';

/** The commands that take instances out for a time. What each does is loaded when it is meant. */
export function withDrainCommands(program: Command, version: string): void {
  const client = (flags: ClientFlags) => clientOf(flags, version);
  const load = () => import('../drain.ts');

  scoped(clientCommand(program, 'drain'))
    .description('take the instances at IP:PORT out for a time, in all services: to be run before a process is stopped')
    .argument('<address>', 'IP:PORT, of IPv6 [IP]:PORT')
    .option('--for <time>', 'for how long, 1s..7d: the instance comes back by itself after that', '10m')
    .option('--reason <text>', 'why it is drained, for others to read: at most 200 characters')
    .action(async (address: string, flags: DrainFlags) => (await load()).drain(client(flags), address, flags));
  scoped(clientCommand(program, 'resume'))
    .description('put the instances at IP:PORT back before the time is over')
    .argument('<address>', 'IP:PORT, of IPv6 [IP]:PORT')
    .action(async (address: string, flags: ResumeFlags) => (await load()).resume(client(flags), address, flags));
  scoped(clientCommand(program, 'drains'))
    .description('list what is taken out, why, by whom and until when')
    .action(async (flags: ResumeFlags) => (await load()).drains(client(flags), flags));
}

function scoped(command: Command): Command {
  return command
    .option('--service <name>', 'in this service alone: NAME, or GROUP@@NAME')
    .option('--namespace <id>', 'in this namespace alone; of a service, where it is');
}
