import { Writable } from 'node:stream';
import { askServer } from '../../src/cli/client/program.ts';
import { runProgram } from '../../src/cli/program.ts';
import type { run } from './process.ts';

type Main = (args: readonly string[]) => Promise<void>;
type Env = Readonly<Record<string, string>>;

/**
 * As `run`, for commands that come to an end by themselves, but within this process: what is tested is what they say, and a process costs
 * a fifth of a second. Those that ask a server, as `main.ts` has them run.
 */
export const asked = (args: readonly string[], env: Env = {}) => inTurn(askServer, args, env);

/** And all others. */
export const ran = (args: readonly string[], env: Env = {}) => inTurn(runProgram, args, env);

let last: Promise<unknown> = Promise.resolve();

/** One after another, since this process has one of each of what they write to. */
function inTurn(main: Main, args: readonly string[], env: Env): ReturnType<typeof run> {
  const next = last.then(() => once(main, args, env));
  last = next.catch(() => {});
  return next;
}

async function once(main: Main, args: readonly string[], env: Env) {
  const said = { stdout: '', stderr: '' };
  const { argv, env: envBefore, exitCode } = process;
  const names = ['stdout', 'stderr'] as const;
  const streams = names.map((name) => Object.getOwnPropertyDescriptor(process, name));
  for (const name of names) {
    const write = (chunk: unknown, _: unknown, done: () => void) => {
      said[name] += String(chunk);
      done();
    };
    Object.defineProperty(process, name, { value: new Writable({ write }), configurable: true, enumerable: true });
  }
  process.argv = [...argv.slice(0, 2), ...args];
  process.env = { ...envBefore, ...env };
  process.exitCode = undefined;
  try {
    await main(args);
    return { code: process.exitCode ?? 0, ...said };
  } finally {
    process.exitCode = exitCode;
    process.env = envBefore;
    process.argv = argv;
    for (const [i, name] of names.entries()) Object.defineProperty(process, name, streams[i] ?? {});
  }
}
