import { Writable } from 'node:stream';
import { askServer } from '../../src/cli/client/program.ts';
import type { run } from './process.ts';

let last: Promise<unknown> = Promise.resolve();

/**
 * As `run`, for the commands that ask a server and come to an end by themselves, but within this process: what is tested is what they
 * say, and a process costs a fifth of a second. One after another, since this process has one of each of what they write to.
 */
export function asked(args: readonly string[], env: Readonly<Record<string, string>> = {}): ReturnType<typeof run> {
  const next = last.then(() => once(args, env));
  last = next.catch(() => {});
  return next;
}

async function once(args: readonly string[], env: Readonly<Record<string, string>>) {
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
    await askServer(args);
    return { code: process.exitCode ?? 0, ...said };
  } finally {
    process.exitCode = exitCode;
    process.env = envBefore;
    process.argv = argv;
    for (const [i, name] of names.entries()) Object.defineProperty(process, name, streams[i] ?? {});
  }
}
