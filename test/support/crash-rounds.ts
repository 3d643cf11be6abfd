import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'vitest';
import { faultOf, limitFiles, type Target, type Writer, writeOn, writersOf } from './crashes.ts';
import { WATCHING_CLIENTS } from './health-clients.ts';
import { NacosGrpc } from './nacos-grpc.ts';
import { fixedPorts } from './ports.ts';
import { type Process, startProcess } from './process.ts';
import { nacos, register } from './server.ts';

export interface CrashRounds {
  readonly rounds: number;
  readonly seed: number;
  /** Of each kind. */
  readonly writers: number;
  /** Whether the disk is full now and then while they write. */
  readonly full: boolean;
}

/** What a Watch must say first after every restart. */
const WATCHED = { 'crash-serving': 'SERVING', 'crash-beating': 'SERVING', 'crash-down': 'NOT_SERVING' } as const;
const MOST_LIFE_MS = 300;

/**
 * Kills a server under writers at random moments and starts it again on its data, as often as is said: what was acknowledged is there
 * each time, and nothing by half. Answers how many writes were acknowledged.
 */
export async function crashRounds(dataDir: string, { rounds, seed, writers: each, full }: CrashRounds): Promise<number> {
  const random = randomFrom(seed);
  const args = [...(await fixedPorts()), '--data-dir', dataDir];
  const writers = writersOf(each);
  await setUp(args, writers);
  for (let round = 0; round < rounds; round++) {
    await using server = await startProcess(args);
    using grpc = await NacosGrpc.connect(server.listeners.grpc);
    const to = { server, grpc };
    expect(await firstStatuses(server), `round ${round}`).toEqual(WATCHED);
    const faults = await Promise.all(writers.map((writer) => faultOf(writer, to)));
    expect(
      faults.filter((fault) => fault !== undefined),
      `round ${round}`,
    ).toEqual([]);
    const writing = Promise.all(writers.map((writer) => writeOn(writer, to, random)));
    await live(to, full, random);
    await server.stop('SIGKILL');
    await writing;
  }
  return writers.reduce((sum, { acknowledged }) => sum + acknowledged, 0);
}

/** For a while. The moment is what is random, so no event is waited for. */
async function live({ server }: Target, full: boolean, random: () => number): Promise<void> {
  const lifeMs = random() * MOST_LIFE_MS;
  if (!full) return void (await pause(lifeMs));
  const isFullFrom = random() * lifeMs;
  await pause(isFullFrom);
  limitFiles(server.child, Math.floor(random() * 100_000));
  await pause((lifeMs - isFullFrom) * random());
  if (random() < 0.5) limitFiles(server.child, undefined);
  await pause(lifeMs - isFullFrom);
}

async function setUp(args: readonly string[], writers: readonly Writer[]): Promise<void> {
  await using server = await startProcess(args);
  using grpc = await NacosGrpc.connect(server.listeners.grpc);
  await register(server, 'crash-serving', { ephemeral: 'false' });
  await register(server, 'crash-beating');
  await register(server, 'crash-down', { ephemeral: 'false' });
  await nacos(server, 'PUT', '/instance', { serviceName: 'crash-down', ip: '10.0.0.1', port: 80, enabled: 'false' });
  await Promise.all(writers.map(({ kind, name }) => kind.prepare?.({ server, grpc }, name)));
  // In its own time is written what nobody waited for.
  expect(await server.stop('SIGTERM')).toBe(0);
}

async function firstStatuses(server: Process): Promise<Record<string, string | undefined>> {
  using client = WATCHING_CLIENTS['gRPC (grpc-js)'](server.listeners.health);
  const ended = new AbortController();
  const first = async (service: string) => {
    for await (const status of client.watch(service, ended.signal)) return status;
    return undefined;
  };
  const statuses = await Promise.all(Object.keys(WATCHED).map(async (name) => [name, await first(name)] as const));
  ended.abort();
  return Object.fromEntries(statuses);
}

/** 0 or more, and less than 1; the same from the same seed. */
function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
