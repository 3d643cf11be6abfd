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
  | 'python3'
  | 'systemdNotify'
  | 'grpcHealthProbe'
  | 'grpcurl'
  | 'goHealth'
  | 'goHealthServer'
  | 'grpcClient'
  | 'h2spec'
  | 'connectConformance'
  | 'nghttp'
  | 'h2load'
  | 'openssl'
  | 'pythonHttp2'
  | 'javaHttp2'
  | 'chromium'
  | 'dubboGoHealth'
  | 'dubboGo'
  | 'goNacos1'
  | 'javaNacos114'
  | 'javaNacos132'
  | 'javaNacos142'
  | 'javaNacos148'
  | 'javaNacos204'
  | 'javaNacos232'
  | 'javaNacos251'
  | 'javaNacos303'
  | 'javaNacos321'
  | 'javaMaintainer302'
  | 'javaMaintainer321'
  | 'goNacos225'
  | 'goNacos235'
  | 'pythonNacos0'
  | 'pythonNacos2'
  | 'pythonNacos3'
  | 'rustNacos'
  | 'dubboGoGreeter'
  | 'javaDubbo'
  | 'springCloud22'
  | 'springCloud2023'
  | 'haproxy'
  | 'nginx'
  | 'mariadb'
  | 'prometheus'
  | 'promtool'
  | 'envoy'
  | 'zsh'
  | 'fish'
  | 'helm'
  | 'composeGo'
  | 'prometheusOperator'
  | 'hadolint'
  | 'kubernetesValidate'
  | 'systemdAnalyze'
  | 'unshare';

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
  python3: async () => onPath('python3'),
  systemdNotify: async () => onPath('systemd-notify'),
  grpcHealthProbe: () => built('grpc-health-probe'),
  grpcurl: () => built('grpcurl'),
  goHealth: () => built('go-health'),
  goHealthServer: () => built('go-health-server'),
  grpcClient: () => built('grpc-client'),
  h2spec: () => built('h2spec'),
  connectConformance: async () => {
    onPath('go');
    const folder = join(CACHE, 'connect-conformance');
    await run('bash', [join(HERE, 'clients/connect-conformance/build.sh'), folder]);
    return folder;
  },
  nghttp: async () => onPath('nghttp'),
  h2load: async () => onPath('h2load'),
  openssl: async () => onPath('openssl'),
  pythonHttp2: async () => {
    const folder = join(CACHE, 'python-http2');
    onPath('python3');
    await run('bash', [join(HERE, 'clients/python-http2/build.sh'), folder]);
    return join(folder, 'bin/python');
  },
  javaHttp2: () => builtJava('java-http2'),
  chromium: async () => onPath('chromium'),
  dubboGoHealth: () => built('dubbo-go-health'),
  dubboGo: () => built('dubbo-go'),
  dubboGoGreeter: () => built('dubbo-go-greeter'),
  javaDubbo: () => builtJava('java-dubbo'),
  // By the nacos-client that each brings.
  springCloud22: () => builtJava('java-spring-cloud', '1.4.1'),
  springCloud2023: () => builtJava('java-spring-cloud', '2.4.2'),
  goNacos1: () => built('go-nacos-1'),
  javaNacos114: () => builtJava('java-nacos-1', '1.1.4'),
  javaNacos132: () => builtJava('java-nacos-1', '1.3.2'),
  javaNacos142: () => builtJava('java-nacos-1', '1.4.2'),
  javaNacos148: () => builtJava('java-nacos-1', '1.4.8'),
  javaNacos204: () => builtJava('java-nacos-2', '2.0.4'),
  javaNacos232: () => builtJava('java-nacos-2', '2.3.2'),
  javaNacos251: () => builtJava('java-nacos-2', '2.5.1'),
  javaNacos303: () => builtJava('java-nacos-2', '3.0.3'),
  javaNacos321: () => builtJava('java-nacos-2', '3.2.1-2026.03.30'),
  javaMaintainer302: () => builtJava('java-nacos-maintainer', '3.0.2'),
  javaMaintainer321: () => builtJava('java-nacos-maintainer', '3.2.1-2026.03.30'),
  goNacos225: () => built('go-nacos-2', '2.2.5'),
  goNacos235: () => built('go-nacos-2', '2.3.5'),
  pythonNacos0: () => builtPython('0.1.17'),
  pythonNacos2: () => builtPython('2.0.11'),
  pythonNacos3: () => builtPython('3.2.0'),
  rustNacos: async () => {
    onPath('cargo');
    const binary = join(CACHE, 'rust-nacos/rust-nacos');
    await run('bash', [join(HERE, 'clients/rust-nacos/build.sh'), binary]);
    return binary;
  },
  haproxy: async () => onPath('haproxy', SYSTEM_BIN),
  nginx: async () => onPath('nginx', SYSTEM_BIN),
  mariadb: async () => {
    onPath('mariadb-install-db');
    return onPath('mariadbd', SYSTEM_BIN);
  },
  prometheus: async () => onPath('prometheus'),
  promtool: async () => onPath('promtool'),
  envoy: async () => onPath('envoy', [ENVOY_BIN]),
  zsh: async () => onPath('zsh'),
  fish: async () => onPath('fish'),
  helm: () => built('helm'),
  composeGo: () => built('compose-go'),
  prometheusOperator: () => built('prometheus-operator'),
  hadolint: () => installed('deploy-lint', 'hadolint'),
  kubernetesValidate: () => installed('deploy-lint', 'kubernetes-validate'),
  systemdAnalyze: async () => onPath('systemd-analyze'),
  unshare: async () => {
    const unshare = onPath('unshare');
    // Whether somebody who is nobody may have a mount of their own is up to the system.
    await run(unshare, ['--map-root-user', '--mount', 'mount', '--rbind', '/', '/']);
    onPath('setpriv');
    return unshare;
  },
};

/** `clients/NAME/build.sh` builds it, in one of several versions where there are some. */
async function built(name: string, ...versions: readonly string[]): Promise<string> {
  const binary = join(CACHE, 'bin', [name, ...versions].join('-'));
  onPath('go');
  await run('bash', [join(HERE, 'clients', name, 'build.sh'), ...versions, binary]);
  return binary;
}

/** The folder with `classes` and `lib` of the driver, around one of several versions where there are some. */
async function builtJava(name: string, ...versions: readonly string[]): Promise<string> {
  const folder = join(CACHE, name, ...versions);
  onPath('java');
  onPath('mvn');
  await run('bash', [join(HERE, 'clients/build-java.sh'), name, ...versions, folder]);
  return folder;
}

/** The interpreter that finds that version of nacos-sdk-python. */
async function builtPython(version: string): Promise<string> {
  const folder = join(CACHE, 'python-nacos', version);
  onPath('python3');
  await run('bash', [join(HERE, 'clients/python-nacos/build.sh'), version, folder]);
  return join(folder, 'bin/python');
}

const installs = new Map<string, Promise<unknown>>();

/** A program of those that `clients/NAME/build.sh` installs together, once for all of them. */
async function installed(name: string, program: string): Promise<string> {
  onPath('python3');
  const folder = join(CACHE, name);
  const install = installs.get(name) ?? run('bash', [join(HERE, 'clients', name, 'build.sh'), folder]);
  installs.set(name, install);
  await install;
  return join(folder, 'bin', program);
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
