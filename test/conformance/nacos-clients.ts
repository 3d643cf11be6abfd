import { join } from 'node:path';
import { inject } from 'vitest';
import type { Listeners } from '../../src/index.ts';
import { Driver } from './driver.ts';
import type { ToolName } from './tools.ts';

/** The Nacos clients that the suites drive: how each is started, and where it differs from the others. */
export interface NacosClient {
  /** The program around it and its arguments; undefined where it could not be built. */
  readonly command: readonly string[] | undefined;
  /** Whether it can edit a registered instance of a client of its kind. */
  readonly edits: boolean;
  /** Whether a server can tell it of changes; else it only looks. */
  readonly pushed: boolean;
  /** What makes its driver ask the server for a list now. */
  readonly uncached: Readonly<Record<string, boolean>>;
  /** Metadata that let it live as long as it beats, and be found dead as soon as may be. */
  readonly silence: Readonly<Record<string, string>>;
}

const tools = inject('tools');

const silence = (unhealthyAfterMs: number, removedAfterMs: number) => ({
  'preserved.heart.beat.interval': '1000',
  'preserved.heart.beat.timeout': String(unhealthyAfterMs),
  'preserved.ip.delete.timeout': String(removedAfterMs),
});

const JVM = [
  // These processes live for a minute: not worth the better compiler.
  '-XX:TieredStopAtLevel=1',
  // Otherwise the client looks its own host up.
  '-Dcom.alibaba.nacos.client.naming.local.ip=127.0.0.1',
  '-Dcom.alibaba.nacos.client.local.ip=127.0.0.1',
];

function java(tool: ToolName, driver = 'NacosDriver'): readonly string[] | undefined {
  const { path } = tools[tool];
  return path === undefined ? undefined : ['java', ...JVM, '-cp', `${path}/classes:${path}/lib/*`, driver];
}

function program(tool: ToolName, ...args: readonly string[]): readonly string[] | undefined {
  const { path } = tools[tool];
  return path === undefined ? undefined : [path, ...args];
}

const PYTHON_DRIVER = join(import.meta.dirname, 'clients/python-nacos/driver.py');
const PYTHON_HTTP_DRIVER = join(import.meta.dirname, 'clients/python-nacos/http_driver.py');

const beating = { edits: true, pushed: true, uncached: {}, silence: silence(5_000, 9_000) };

/** Clients of 1.x, over HTTP. By names that can be part of a service's name, here and below. */
export const NACOS_1_CLIENTS: Readonly<Record<string, NacosClient>> = {
  'java-1.1.4': { ...beating, command: java('javaNacos114') },
  'java-1.3.2': { ...beating, command: java('javaNacos132') },
  'java-1.4.2': { ...beating, command: java('javaNacos142') },
  'java-1.4.8': { ...beating, command: java('javaNacos148') },
  'go-1.1.6': { ...beating, command: program('goNacos1'), uncached: { fresh: true } },
  'npm-2.6.3': {
    command: [process.execPath, join(import.meta.dirname, 'clients/npm-nacos/driver.js')],
    edits: false,
    pushed: true,
    uncached: {},
    // Its first beat comes some 10 s after its start.
    silence: silence(12_000, 18_000),
  },
  'python-0.1.17': { ...beating, command: program('pythonNacos0', PYTHON_HTTP_DRIVER), pushed: false },
};

/** Clients that keep and read texts over HTTP, and how each is started. */
export const CONFIG_1_CLIENTS: Readonly<Record<string, NacosClient['command']>> = {
  ...Object.fromEntries(Object.entries(NACOS_1_CLIENTS).map(([name, { command }]) => [name, command])),
  'python-2.0.11': program('pythonNacos2', PYTHON_HTTP_DRIVER),
};

/** Clients of 2.x and 3.x, over gRPC: they do not beat. */
const connected = { edits: false, pushed: true, uncached: { fresh: true }, silence: {} };

export const NACOS_2_CLIENTS: Readonly<Record<string, NacosClient>> = {
  'java-2.0.4': { ...connected, command: java('javaNacos204') },
  'java-2.3.2': { ...connected, command: java('javaNacos232') },
  'java-2.5.1': { ...connected, command: java('javaNacos251') },
  'java-3.0.3': { ...connected, command: java('javaNacos303') },
  'java-3.2.1': { ...connected, command: java('javaNacos321') },
  // As dubbo-go sets it: an empty list is as good as another.
  'go-2.2.5': { ...connected, command: program('goNacos225', '--update-cache-when-empty') },
  'go-2.3.5': { ...connected, command: program('goNacos235', '--update-cache-when-empty') },
  'python-2.0.11': { ...connected, command: program('pythonNacos2', PYTHON_DRIVER) },
  'python-3.2.0': { ...connected, command: program('pythonNacos3', PYTHON_DRIVER) },
  // Otherwise it takes no list for true in which nobody can be called.
  'rust-0.8.3': { ...connected, command: program('rustNacos', '--push-empty-protection', 'false') },
};

/** What operators steer a server of 3.x with: how each is started. */
export const MAINTAINERS: Readonly<Record<string, readonly string[] | undefined>> = {
  'java-3.0.2': java('javaMaintainer302', 'MaintainerDriver'),
  'java-3.2.1': java('javaMaintainer321', 'MaintainerDriver'),
};

export const NACOS_CLIENTS = { ...NACOS_1_CLIENTS, ...NACOS_2_CLIENTS };

export type Started = readonly [name: string, driver: Driver];

/** A process of each of the clients that can be had, all with the same server. For `await using`. */
export async function startClients(
  kinds: Readonly<Record<string, NacosClient>>,
  addresses: Addresses,
  argsOf: (name: string) => readonly string[] = () => [],
): Promise<Clients> {
  const starts = Object.entries(kinds).flatMap(([name, { command }]) =>
    command === undefined ? [] : [startClient(name, addresses, argsOf(name)).then((driver): Started => [name, driver])],
  );
  const outcomes = await Promise.allSettled(starts);
  const clients = new Clients(outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : [])));
  const failure = outcomes.find((outcome) => outcome.status === 'rejected');
  if (failure !== undefined) {
    await clients[Symbol.asyncDispose]();
    throw failure.reason;
  }
  return clients;
}

/** One more of a kind. */
export function startClient(name: string, { main, grpc }: Addresses, more: readonly string[] = []): Promise<Driver> {
  const args = name in NACOS_2_CLIENTS ? ['--grpc-port', grpc.slice(grpc.lastIndexOf(':') + 1)] : [];
  return Driver.start(NACOS_CLIENTS[name]?.command ?? [], main, ...args, ...more);
}

type Addresses = Pick<Listeners, 'main' | 'grpc'>;

export class Clients implements AsyncDisposable {
  readonly all: readonly Started[];

  constructor(all: readonly Started[]) {
    this.all = all;
  }

  the(name: string): Driver {
    const driver = this.all.find(([found]) => found === name)?.[1];
    if (driver === undefined) throw new Error(`${name} was not started`);
    return driver;
  }

  /** Those of every other kind. */
  others(name: string): readonly Started[] {
    return this.all.filter(([other]) => other !== name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.all.map(([, driver]) => driver.kill()));
  }
}
