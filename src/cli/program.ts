import { Command } from 'commander';
import { BadFileError, MovingError, RefusedError } from '../moving/errors.ts';
import { OptionsError } from '../options.ts';
import { readVersion } from '../server/version.ts';
import { suggestion } from '../suggestion.ts';
import { shown } from '../wire/shown.ts';
import { withActingCommands } from './client/acting-commands.ts';
import { withReadingCommands } from './client/commands.ts';
import { withDrainCommands } from './client/drain-commands.ts';
import { endedBy } from './client/ending.ts';
import { withCompletion } from './completion/commands.ts';
import { configPrint } from './config-print.ts';
import { configSchema } from './config-schema.ts';
import { withDoctor } from './doctor/command.ts';
import type { ExportFlags } from './export.ts';
import { type Given, settingsOf, withFlags } from './flags.ts';
import type { ImportFlags } from './import.ts';
import { withServerFlags } from './moving-flags.ts';

/**
 * The process and nothing else: which command is meant, and what an error is as an exit code. What a command does stands in the file of
 * its name, which is loaded when it is meant: a server takes half a second to load.
 */

const EXIT_FAILED = 1;
const EXIT_USAGE = 2;
const EXIT_LISTEN = 3;
const EXIT_STORE = 4;

/** Ends with `process.exitCode`. Rejects when nobody knows what went wrong. */
export async function runProgram(args: readonly string[]): Promise<void> {
  const version = readVersion();
  const program = new Command('beatbridge')
    .description('Heartbeats in, standard health out: a Nacos-compatible registry that answers grpc.health.v1.Health.')
    .version(version)
    .configureOutput({ writeErr: (text) => process.stderr.write(text) })
    .exitOverride();
  withServe(program);
  withConfig(program);
  withMoving(program);
  withReadingCommands(program, version);
  withActingCommands(program, version);
  withDrainCommands(program, version);
  withSecrets(program);
  withDoctor(program, version);
  withCompletion(program, version, print);
  program.addHelpText('after', '\nWithout a command it serves: `beatbridge serve --help` has its options.');
  try {
    checkCommand(program, args);
    await program.parseAsync(args, { from: 'user' });
  } catch (error) {
    process.exitCode = await exitCodeOf(error);
  }
}

function withServe(program: Command): void {
  const serveCommand = program.command('serve', { isDefault: true }).description('run the bridge until SIGTERM or SIGINT');
  withFlags(serveCommand, { listed: true }).action(async (given: Given, command: Command) =>
    (await import('./serve.ts')).serve(settingsOf(given, command)),
  );
}

function withConfig(program: Command): void {
  const config = program.command('config').description('look at options without running: no port is opened, nothing is written');
  withFlags(config.command('check'), { listed: false })
    .description('say whether serve would take these options, or all that is wrong with them')
    .action(async (given: Given, command: Command) => {
      const settings = settingsOf(given, command);
      print(await (await import('./config-check.ts')).configCheck(settings));
    });
  withFlags(config.command('print'), { listed: false })
    .description('print every option with its value and where it comes from, as a file of options')
    .option('--json', 'as JSON')
    .action((given: Given, command: Command) => print(configPrint(settingsOf(given, command), given.json === true)));
  config
    .command('schema')
    .description('print a JSON Schema of the file of options, for editors')
    .action(() => print(configSchema()));
}

function withMoving(program: Command): void {
  withServerFlags(program.command('export'))
    .description('write what there is to a file: of a running beatbridge or Nacos, or of what a stopped beatbridge has kept')
    .option('--data-dir <dir>', 'of a beatbridge that does not run; the passwords of checks are in it too')
    .option('--keep-edits <ms>', 'with --data-dir: what serve is told by this flag; edits that have waited for longer are over')
    .option('--namespace <id>', 'one namespace alone')
    .option('--ephemeral', 'instances that live by beats or connections too')
    .option('-o, --output <file>', 'into this file; - is standard output', '-')
    .action(async (flags: ExportFlags) => (await import('./export.ts')).exportAll(flags));
  withServerFlags(program.command('import'))
    .description('bring such a file into a running beatbridge or Nacos')
    .argument('<file>', 'of export; - is standard input')
    .option('--dry-run', 'only say what would be done')
    .option('--overwrite', 'replace what is there and differs')
    .action(async (file: string, flags: ImportFlags) => {
      if (!(await (await import('./import.ts')).importAll(file, flags))) process.exitCode = EXIT_FAILED;
    });
}

function withSecrets(program: Command): void {
  withoutArguments(program.command('hash-password'))
    .description(
      'print what the user file keeps in place of a password, which is read from standard input, or asked for at a terminal',
    )
    .option('--user <name>', 'whose it is to be: a password that says no more than that is refused')
    .action(async ({ user }: { readonly user?: string }, command: Command) => {
      refuseArguments(command, 'a password is never one, since others on this machine can read those');
      const say = (text: string) => void process.stderr.write(text);
      const source = { input: process.stdin, say, interrupt: () => void process.kill(process.pid, 'SIGINT') };
      print(await (await import('./hash-password.ts')).hashPassword(source, user));
    });
  withoutArguments(program.command('new-token'))
    .description(
      'print a token that never ends, for who cannot log in, and below it the line that the user file has of it, under tokens',
    )
    .action(async (_: unknown, command: Command) => {
      refuseArguments(command, 'a token is made, and never given');
      print((await import('./new-token.ts')).newToken());
    });
}

/** A misspelled command would else be an argument of the default one. */
function checkCommand(parent: Command, [name = '', ...rest]: readonly string[]): void {
  const { commands } = parent;
  if (commands.length === 0 || name === '' || name.startsWith('-') || name === 'help') return;
  const command = commands.find((one) => one.name() === name);
  if (command !== undefined) {
    checkCommand(command, rest);
    return;
  }
  const names = commands.map((one) => one.name());
  throw new OptionsError([`unknown command ${JSON.stringify(name.slice(0, 200))}${suggestion(name, names)}`]);
}

/** Commander would repeat what it does not take, and that may be a secret. */
function withoutArguments(command: Command): Command {
  return command.allowUnknownOption().allowExcessArguments();
}

function refuseArguments({ args }: Command, why: string): void {
  if (args.length > 0) throw new OptionsError([`nothing is taken here but the flags of --help: ${why}`]);
}

function print(text: string): void {
  process.stdout.write(text);
}

async function exitCodeOf(error: unknown): Promise<number> {
  if (error instanceof OptionsError) {
    for (const fault of error.faults) process.stderr.write(`beatbridge: ${shown(fault)}\n`);
    return EXIT_USAGE;
  }
  const code = endedBy(error);
  if (code !== undefined) return code;
  if (error instanceof BadFileError) {
    for (const fault of error.faults) process.stderr.write(`beatbridge: ${shown(fault)}\n`);
    process.stderr.write('beatbridge: nothing was imported\n');
    return EXIT_USAGE;
  }
  if (error instanceof MovingError || error instanceof RefusedError) {
    process.stderr.write(`beatbridge: ${shown(error.message)}\n`);
    return EXIT_FAILED;
  }
  // Commander has said what is wrong, or has printed what was asked for.
  if (error instanceof Error && 'exitCode' in error) return error.exitCode === 0 ? 0 : EXIT_USAGE;
  // Whoever throws these has it loaded already.
  const { ListenError, StoreError } = await import('../server/server.ts');
  if (error instanceof ListenError) {
    process.stderr.write(`beatbridge: ${error.message}\n`);
    return EXIT_LISTEN;
  }
  if (error instanceof StoreError) {
    process.stderr.write(`beatbridge: --data-dir: ${error.message}\n`);
    return EXIT_STORE;
  }
  throw error;
}
