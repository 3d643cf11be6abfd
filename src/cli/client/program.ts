import { Command } from 'commander';
import { readVersion } from '../../server/version.ts';
import { withActingCommands } from './acting-commands.ts';
import { withReadingCommands } from './commands.ts';
import { withDrainCommands } from './drain-commands.ts';
import { endedBy } from './ending.ts';
import { withTwoDashes } from './go-flags.ts';

/**
 * The commands that ask a running server, without the rest: the table of options takes as long to load as a whole `check`, which balancers
 * and kubelets start every few seconds.
 */
export async function askServer([name = '', ...rest]: readonly string[]): Promise<void> {
  const program = new Command('beatbridge').exitOverride();
  const version = readVersion();
  withReadingCommands(program, version);
  withActingCommands(program, version);
  withDrainCommands(program, version);
  try {
    await program.parseAsync(spelled(program, name, rest), { from: 'user' });
  } catch (error) {
    const code = endedBy(error);
    if (code !== undefined) process.exitCode = code;
    // Commander has printed what was asked for.
    else if (!(error instanceof Error && 'exitCode' in error && error.exitCode === 0)) throw error;
  }
}

/** `check` stands where grpc_health_probe stood, with the flags of it. */
function spelled(of: Command, command: string, args: readonly string[]): readonly string[] {
  const found = of.commands.find((one) => one.name() === command);
  return command === 'check' && found !== undefined ? [command, ...withTwoDashes(args, found)] : [command, ...args];
}
