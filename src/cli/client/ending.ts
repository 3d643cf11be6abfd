import { shown } from '../../wire/shown.ts';
import { ClientError, type ExitCode, UsageError } from './failures.ts';

/** Says what ended a command that asks a server. Undefined: it is something else. */
export function endedBy(error: unknown): ExitCode | undefined {
  if (!(error instanceof ClientError)) return undefined;
  const faults = error instanceof UsageError ? error.faults : [error.message];
  for (const fault of faults) process.stderr.write(`beatbridge: ${shown(fault)}\n`);
  return error.exitCode;
}
