import { Argument, type Command } from 'commander';

/** The commands that act on a running beatbridge, look at the machine below it, or help a shell: which there are, and nothing else. */

export function withActingCommands(program: Command, print: (text: string) => void): void {
  program
    .command('completion')
    .description('print what makes a shell complete commands, flags, values and names of services')
    .addArgument(new Argument('<shell>', 'which').choices(['bash', 'zsh', 'fish']))
    .action(async (shell: 'bash' | 'zsh' | 'fish') => {
      print((await import('./completion/completion.ts')).completionScript(program, shell));
    });
  program
    .command('complete-names', { hidden: true })
    .description('names that begin like the last word, a line each; for the scripts of completion')
    .argument('<kind>', 'services')
    .argument('[words...]', 'the line so far')
    .action(async (_kind: string, words: readonly string[]) => {
      print(await (await import('./completion/live-names.ts')).serviceNames(words));
    });
}
