import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { OptionsError } from '../options.ts';
import { ListenError } from '../server/server.ts';
import { suggestion } from '../suggestion.ts';
import { configCheck } from './config-check.ts';
import { configPrint } from './config-print.ts';
import { configSchema } from './config-schema.ts';
import { type Given, settingsOf, withFlags } from './flags.ts';
import { serve } from './serve.ts';

/**
 * The process and nothing else: which command is meant, and what an error is as an exit code. What a command does stands in the file of
 * its name.
 */

const EXIT_USAGE = 2;
const EXIT_LISTEN = 3;

const program = new Command('beatbridge')
  .description('Heartbeats in, standard health out: a Nacos-compatible registry that answers grpc.health.v1.Health.')
  .version(readVersion())
  .configureOutput({ writeErr: (text) => process.stderr.write(text) })
  .exitOverride();

const serveCommand = program.command('serve', { isDefault: true }).description('run the bridge until SIGTERM or SIGINT');
withFlags(serveCommand, { listed: true }).action((given: Given, command: Command) => serve(settingsOf(given, command)));

const config = program.command('config').description('look at options without running: no port is opened, nothing is written');
withFlags(config.command('check'), { listed: false })
  .description('say whether serve would take these options, or all that is wrong with them')
  .action((given: Given, command: Command) => print(configCheck(settingsOf(given, command))));
withFlags(config.command('print'), { listed: false })
  .description('print every option with its value and where it comes from, as a file of options')
  .option('--json', 'as JSON')
  .action((given: Given, command: Command) => print(configPrint(settingsOf(given, command), given.json === true)));
config
  .command('schema')
  .description('print a JSON Schema of the file of options, for editors')
  .action(() => print(configSchema()));

program.addHelpText('after', () => `\nWithout a command, serve:\n\n${serveCommand.helpInformation()}`);

try {
  checkCommand(program, process.argv.slice(2));
  await program.parseAsync();
} catch (error) {
  process.exitCode = exitCodeOf(error);
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

function print(text: string): void {
  process.stdout.write(text);
}

function exitCodeOf(error: unknown): number {
  if (error instanceof OptionsError) {
    for (const fault of error.faults) process.stderr.write(`beatbridge: ${fault}\n`);
    return EXIT_USAGE;
  }
  if (error instanceof ListenError) {
    process.stderr.write(`beatbridge: ${error.message}\n`);
    return EXIT_LISTEN;
  }
  // Commander has said what is wrong, or has printed what was asked for.
  if (error instanceof Error && 'exitCode' in error) return error.exitCode === 0 ? 0 : EXIT_USAGE;
  throw error;
}

function readVersion(): string {
  const manifest: { version: string } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  return manifest.version;
}
