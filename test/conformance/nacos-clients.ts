import { join } from 'node:path';
import { inject } from 'vitest';
import { Driver } from './driver.ts';

/** The Nacos 1.x clients that the suite drives: how each is started, and where it differs from the others. */
export interface NacosClient {
  /** The program around it and its arguments; undefined where it could not be built. */
  readonly command: readonly string[] | undefined;
  /** Whether it can edit a registered instance. */
  readonly edits: boolean;
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
];

function java(tool: 'javaNacos132' | 'javaNacos142' | 'javaNacos148'): NacosClient {
  const { path } = tools[tool];
  return {
    command: path === undefined ? undefined : ['java', ...JVM, '-cp', `${path}/classes:${path}/lib/*`, 'NacosDriver'],
    edits: true,
    uncached: {},
    silence: silence(5_000, 9_000),
  };
}

/** By names that can be part of a service's name. */
export const NACOS_CLIENTS: Readonly<Record<string, NacosClient>> = {
  'java-1.3.2': java('javaNacos132'),
  'java-1.4.2': java('javaNacos142'),
  'java-1.4.8': java('javaNacos148'),
  'go-1.1.6': {
    command: tools.goNacos1.path === undefined ? undefined : [tools.goNacos1.path],
    edits: true,
    uncached: { fresh: true },
    silence: silence(5_000, 9_000),
  },
  'npm-2.6.3': {
    command: [process.execPath, join(import.meta.dirname, 'clients/npm-nacos/driver.js')],
    edits: false,
    uncached: {},
    // Its first beat comes some 10 s after its start.
    silence: silence(12_000, 18_000),
  },
};

export type Started = readonly [name: string, driver: Driver];

/** A process of every client that can be had, all with the same server. For `await using`. */
export async function startClients(server: string): Promise<Clients> {
  const starts = Object.entries(NACOS_CLIENTS).flatMap(([name, { command }]) =>
    command === undefined ? [] : [Driver.start(command, server).then((driver): Started => [name, driver])],
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
