import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import type { TestProject } from 'vitest/node';

/**
 * The real clients that the suite drives. Each is found or built before the first test; what its toolchain does not allow is named
 * at the start and again at the end, and the tests that need it are skipped. With INTEROP=all nothing may be missing.
 */
export interface Tool {
  /** Where the program is, or the folder of what makes it up; undefined when it cannot be had here. */
  readonly path: string | undefined;
  /** Why not. */
  readonly missing: string;
}

declare module 'vitest' {
  interface ProvidedContext {
    readonly tools: Record<ToolName, Tool>;
  }
}

export type ToolName =
  | 'curl'
  | 'npm'
  | 'grpcHealthProbe'
  | 'grpcurl'
  | 'goHealth'
  | 'grpcClient'
  | 'dubboGoHealth'
  | 'dubboGo'
  | 'goNacos1'
  | 'javaNacos132'
  | 'javaNacos142'
  | 'javaNacos148'
  | 'haproxy'
  | 'nginx'
  | 'envoy';

const run = promisify(execFile);
const HERE = import.meta.dirname;
const CACHE = join(HERE, '../../.cache');
/** Where `.ci/run` puts it. */
const ENVOY_BIN = join(CACHE, 'envoy/bin');
/** Where Debian has its servers; not on everybody's PATH. */
const SYSTEM_BIN = ['/usr/sbin', '/usr/local/sbin'];

const FIND: Record<ToolName, () => Promise<string>> = {
  curl: async () => {
    const curl = onPath('curl');
    const { stdout } = await run(curl, ['--version']);
    if (!/\bHTTP2\b/.test(stdout)) throw new Error('this curl does not speak HTTP/2');
    return curl;
  },
  npm: async () => onPath('npm'),
  grpcHealthProbe: () => built('grpc-health-probe'),
  grpcurl: () => built('grpcurl'),
  goHealth: () => built('go-health'),
  grpcClient: () => built('grpc-client'),
  dubboGoHealth: () => built('dubbo-go-health'),
  dubboGo: () => built('dubbo-go'),
  goNacos1: () => built('go-nacos-1'),
  javaNacos132: () => builtJava('1.3.2'),
  javaNacos142: () => builtJava('1.4.2'),
  javaNacos148: () => builtJava('1.4.8'),
  haproxy: async () => onPath('haproxy', SYSTEM_BIN),
  nginx: async () => onPath('nginx', SYSTEM_BIN),
  envoy: async () => onPath('envoy', [ENVOY_BIN]),
};

/** `clients/NAME/build.sh` builds it. */
async function built(name: string): Promise<string> {
  const binary = join(CACHE, 'bin', name);
  onPath('go');
  await run('bash', [join(HERE, 'clients', name, 'build.sh'), binary]);
  return binary;
}

/** The folder with `classes` and `lib` of the driver around that version of nacos-client. */
async function builtJava(version: string): Promise<string> {
  const folder = join(CACHE, 'java-nacos-1', version);
  onPath('java');
  onPath('mvn');
  await run('bash', [join(HERE, 'clients/java-nacos-1/build.sh'), version, folder]);
  return folder;
}

function onPath(program: string, elsewhere: readonly string[] = []): string {
  for (const folder of [...(process.env.PATH ?? '').split(delimiter), ...elsewhere]) {
    const file = join(folder, program);
    if (existsSync(file)) return file;
  }
  throw new Error(`${program} is not installed`);
}

const MAX_REASON_LINES = 6;

async function find(name: ToolName): Promise<Tool> {
  try {
    return { path: await FIND[name](), missing: '' };
  } catch (error) {
    // What a compiler says of a program that does not compile comes after the command.
    const lines = error instanceof Error ? error.message.trim().split('\n', MAX_REASON_LINES) : [String(error)];
    return { path: undefined, missing: lines.join('\n    ') };
  }
}

export async function setup(project: TestProject): Promise<() => void> {
  const names = Object.keys(FIND) as ToolName[];
  const found = await Promise.all(names.map(async (name) => [name, await find(name)] as const));
  const missing = found.filter(([, { path }]) => path === undefined).map(([name, tool]) => `  ${name}: ${tool.missing}`);
  if (missing.length > 0 && process.env.INTEROP === 'all') throw new Error(`missing clients:\n${missing.join('\n')}`);
  const report = () => {
    if (missing.length > 0) console.log(`\nskipped for want of a client:\n${missing.join('\n')}\n`);
  };
  report();
  // Every name has been looked for.
  project.provide('tools', Object.fromEntries(found) as Record<ToolName, Tool>);
  return report;
}
