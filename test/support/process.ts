import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Listeners } from '../../src/index.ts';

export const CLI = join(import.meta.dirname, '../../dist/cli/main.js');

/** A beatbridge in a process of its own, as built. For `await using`. */
export interface Process extends AsyncDisposable {
  readonly listeners: Listeners;
  readonly child: ChildProcess;
  /** All lines of standard output so far. */
  readonly stdout: readonly string[];
  /** All of standard error so far. */
  readonly log: () => string;
  /** Sends the signal and answers with the exit code, or the name of the signal that ended it. */
  stop(signal: NodeJS.Signals): Promise<number | NodeJS.Signals | null>;
}

export const FREE_PORTS = ['--host', '127.0.0.1', '--port', '0', '--grpc-port', '0', '--health-port', '0'];

/** Runs the command to its end. `under`: by what it is run, if not by nothing. */
export async function run(args: readonly string[], env: Readonly<Record<string, string>> = {}, under: readonly string[] = []) {
  const [program = '', ...rest] = [...under, process.execPath, CLI, ...args];
  const child = spawn(program, rest, { env: { ...process.env, ...env } });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk) => {
    stdout += chunk;
  });
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  const [code] = await once(child, 'close');
  return { code, stdout, stderr };
}

/** Nobody is where most tests register, and so nobody is to be looked for there. */
const UNPROBED = [...FREE_PORTS, '--probes', 'false'];

/** Starts `beatbridge serve` and waits for its word that it listens. `under`: as in `run`; it has to become the program. */
export async function startProcess(
  args: readonly string[] = UNPROBED,
  env: Readonly<Record<string, string>> = {},
  under: readonly string[] = [],
): Promise<Process> {
  const [program = '', ...command] = [...under, process.execPath, CLI, 'serve', ...args];
  const child = spawn(program, command, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } });
  let log = '';
  child.stderr.on('data', (chunk) => {
    log += chunk;
  });
  const exited = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>;
  const lines = createInterface({ input: child.stdout });
  const stdout: string[] = [];
  lines.on('line', (line) => stdout.push(line));
  await Promise.race([once(lines, 'line'), exited]);
  const first = stdout[0];
  if (first === undefined) throw new Error(`beatbridge ended with ${(await exited)[0]} before it was ready: ${log}`);
  const ready = JSON.parse(first) as { listeners: Listeners };
  const stop = async (signal: NodeJS.Signals) => {
    child.kill(signal);
    const [code, by] = await exited;
    return code ?? by;
  };
  return {
    listeners: ready.listeners,
    child,
    stdout,
    log: () => log,
    stop,
    async [Symbol.asyncDispose]() {
      await stop('SIGKILL');
    },
  };
}
