import { readFileSync } from 'node:fs';
import { Command, Option } from 'commander';
import { OPTIONS, OptionsError, readOptions } from '../options.ts';
import { ListenError, StoreError } from '../server/server.ts';
import { suggestion } from '../suggestion.ts';
import { serve } from './serve.ts';

/**
 * The process and nothing else: which command is meant, the flags as they were written, and what an error is as an exit code. What a
 * command does stands in the file of its name.
 */

const EXIT_USAGE = 2;
const EXIT_LISTEN = 3;
const EXIT_STORE = 4;

const program = new Command('beatbridge')
  .description('Heartbeats in, standard health out: a Nacos-compatible registry that answers grpc.health.v1.Health.')
  .version(readVersion())
  .configureOutput({ writeErr: (text) => process.stderr.write(text) })
  .exitOverride();

const serveCommand = program
  .command('serve', { isDefault: true })
  .description('run the bridge until SIGTERM or SIGINT')
  // Commander stops at the first flag that it does not know; the table of options knows them all, and says all that is wrong at once.
  .allowUnknownOption()
  .allowExcessArguments()
  .action((given: Readonly<Record<string, string>>, command: Command) =>
    serve(readOptions(flagsOf(given, command.args), process.env)),
  );
/** What commander calls an option, and its flag. */
const flags = new Map<string, string>();
for (const { flag, unit, help, expected, env, default: value, limit } of Object.values(OPTIONS)) {
  const option = new Option(`${flag} <${unit}>`, `${help} [${expected}] (env ${env}, default ${value})`);
  flags.set(option.attributeName(), flag);
  serveCommand.addOption(limit ? option.helpGroup('Limits:') : option);
}
program.addHelpText('after', () => `\nWithout a command, serve:\n\n${serveCommand.helpInformation()}`);

try {
  checkCommand(process.argv[2] ?? '');
  await program.parseAsync();
} catch (error) {
  process.exitCode = exitCodeOf(error);
}

/** A misspelled command would else be an argument of the default one. */
function checkCommand(name: string): void {
  const commands = program.commands.map((command) => command.name());
  if (name === '' || name.startsWith('-') || name === 'help' || commands.includes(name)) return;
  throw new OptionsError([`unknown command ${JSON.stringify(name.slice(0, 200))}${suggestion(name, commands)}`]);
}

/** What commander has read, by flag, and the flags that it does not know. Throws `OptionsError` for what is no flag. */
function flagsOf(given: Readonly<Record<string, string>>, rest: readonly string[]): Record<string, string> {
  const known = Object.entries(given).flatMap(([attribute, text]) => {
    const flag = flags.get(attribute);
    return flag === undefined ? [] : [[flag, text] as const];
  });
  const firstFlag = rest.findIndex((argument) => argument.startsWith('-'));
  const [stray] = firstFlag < 0 ? rest : rest.slice(0, firstFlag);
  if (stray !== undefined) throw new OptionsError([`unexpected argument ${JSON.stringify(stray.slice(0, 200))}`]);
  // After an unknown flag may come its value.
  const unknown = rest
    .filter((argument) => argument.startsWith('-'))
    .map((argument) => [argument.replace(/=.*$/s, ''), ''] as const);
  return Object.fromEntries([...unknown, ...known]);
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
  if (error instanceof StoreError) {
    process.stderr.write(`beatbridge: --data-dir: ${error.message}\n`);
    return EXIT_STORE;
  }
  // Commander has said what is wrong, or has printed what was asked for.
  if (error instanceof Error && 'exitCode' in error) return error.exitCode === 0 ? 0 : EXIT_USAGE;
  throw error;
}

function readVersion(): string {
  const manifest: { version: string } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  return manifest.version;
}
