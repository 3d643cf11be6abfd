/** What measuring takes beside Node: found, installed or built here, or named with the reason why it is missing. */
import { execFile, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { ON_ANY_CORE } from './machine.js';

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, '..');
const CACHE = join(ROOT, '.cache/bench');

export const R_NACOS = '0.8.8';

/** A tool or peer that is not to be had here. */
export class Missing extends Error {}

const found = new Map();

/** @param {keyof typeof FIND} name */
export function tool(name) {
  if (!found.has(name)) found.set(name, FIND[name]());
  return found.get(name);
}

const FIND = {
  h2load: () => fromDebian('h2load', 'nghttp2-client'),
  wrk: () => fromDebian('wrk', 'wrk'),
  /** grpc-go's own health service. */
  grpcGo: async () => {
    needs('go');
    const binary = join(CACHE, 'grpc-go');
    await build('go', ['build', '-trimpath', '-o', binary, '.'], { cwd: join(import.meta.dirname, 'peers/grpc-go') });
    return binary;
  },
  ghz: async () => {
    needs('go');
    const binary = join(CACHE, 'ghz');
    const cwd = join(import.meta.dirname, 'loads/ghz');
    await build('go', ['build', '-trimpath', '-p', '1', '-o', binary, 'github.com/bojand/ghz/cmd/ghz'], { cwd });
    return binary;
  },
  rNacos: async () => {
    needs('cargo');
    const binary = join(CACHE, 'r-nacos/bin/rnacos');
    if (existsSync(binary)) return binary;
    console.error('building r-nacos, which takes some minutes, once');
    await build('cargo', ['install', '--quiet', '--locked', '--root', join(CACHE, 'r-nacos'), `rnacos@${R_NACOS}`]);
    return binary;
  },
};

/** Debian's, installed where that is possible. */
async function fromDebian(program, packageName) {
  if (onPath(program)) return program;
  if (!onPath('apt-get')) throw new Missing(`${program} is not installed (Debian: ${packageName})`);
  console.error(`installing ${packageName}`);
  const install = `apt-get update -qq && apt-get install -y -qq --no-install-recommends ${packageName}`;
  await run('sh', ['-c', install]).catch(({ message }) => {
    throw new Missing(`${program} is not installed, and cannot be: ${message.trim().split('\n').at(-1)}`);
  });
  return program;
}

function needs(program) {
  if (!onPath(program)) throw new Missing(`${program} is not installed`);
}

function onPath(program) {
  return (process.env.PATH ?? '').split(delimiter).some((folder) => existsSync(join(folder, program)));
}

/** On every core that there is, with what others leave of it. */
async function build(program, args, options = {}) {
  const gently = spawnSync('nice', ['--version']).status === 0 ? ['nice'] : [];
  const [first, ...rest] = [...ON_ANY_CORE, ...gently, program, ...args];
  await run(first, rest, { maxBuffer: 2 ** 26, ...options }).catch(({ stderr, message }) => {
    throw new Missing(`${program} cannot build it: ${(stderr || message).trim().split('\n').slice(-3).join(' / ')}`);
  });
}
