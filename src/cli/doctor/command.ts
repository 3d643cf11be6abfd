import type { Command } from 'commander';
import { type ClientFlags, clientCommand, clientOf } from '../client/connection-flags.ts';
import { ADDR_ENV } from '../client/target.ts';
import { type Given, withFlags } from '../flags.ts';

/** The command that looks after everything: it takes the flags of serve, and those of commands that ask a server. */
export function withDoctor(program: Command, version: string): void {
  withFlags(clientCommand(program, 'doctor'), { listed: false })
    .description('look at this machine as serve would find it, and at a server that runs: what is wrong, and what to do about it')
    .action(async (flags: ClientFlags & Given, command: Command) => {
      const isNamed = flags.addr !== undefined || Boolean(process.env[ADDR_ENV]);
      const clientAt = (addr: string) => clientOf(isNamed || addr === '' ? flags : { ...flags, addr }, version);
      // Whatever is wrong with where to ask is told first of all.
      clientAt('');
      process.exitCode = await (await import('./doctor.ts')).doctor({ given: flags, command, clientAt, isNamed });
    });
}
