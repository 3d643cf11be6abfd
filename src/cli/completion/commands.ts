import { Argument, type Command } from 'commander';
import { SERVICES, SHELLS, type Shell } from './shells.ts';

/** The command that prints what makes a shell complete, and the one that this asks for names. */
export function withCompletion(program: Command, version: string, print: (text: string) => void): void {
  program
    .command('completion')
    .description('print what makes a shell complete commands, flags, values, and names of services')
    .addArgument(new Argument('<shell>', 'which').choices(SHELLS))
    .action(async (shell: Shell) => print((await import('./completion.ts')).completionScript(program, shell)));
  program
    .command('complete-names', { hidden: true })
    .description('names that there are at the server, a line each; for the scripts of completion')
    .addArgument(new Argument('<kind>', 'of names').choices([SERVICES]))
    .argument('[words...]', 'behind --: the line so far')
    .action(async (_: string, words: readonly string[]) =>
      print(await (await import('./live-names.ts')).serviceNames(words, version)),
    );
}
