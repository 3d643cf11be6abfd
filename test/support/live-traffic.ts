import { once, setMaxListeners } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'vitest';
import { CallFailed, WATCHING_CLIENTS } from './health-clients.ts';
import { fixedPorts } from './ports.ts';
import { type Process, startProcess } from './process.ts';
import { dial, messages } from './raw.ts';
import { nacos, register } from './server.ts';

export interface Traffic {
  readonly instances: number;
  readonly services: number;
  readonly beatIntervalMs: number;
  /** For how long an instance may be silent. */
  readonly patienceMs: number;
}

const SOCKETS = 8;
/** So many beats are sent at a time. */
const BURST = 5;
const ANSWER = /"code":10200/;
/** Who is asked next, by one who asks all the time. */
const ASK_EVERY_MS = 20;
const DYING = ['dying-1', 'dying-2', 'dying-3'];
const DYING_PATIENCE_MS = { unhealthy: 4_000, removed: 7_000 };
/** How late on a busy machine. */
const LATE_MS = 10_000;

type Address = readonly [service: string, ip: string];

/** Instances that beat, and all who look at them, while the server goes and comes back. */
class Estate {
  readonly #args: readonly string[];
  readonly #services: readonly string[];
  readonly #addresses: readonly Address[];
  readonly #perService: number;
  readonly #traffic: Traffic;
  readonly #stopped = new AbortController();
  /** Anything that must not be. */
  readonly wrong: string[] = [];
  readonly counts = { beats: 0, checks: 0, lists: 0, watched: 0 };

  constructor(args: readonly string[], traffic: Traffic) {
    const { instances, services } = traffic;
    this.#args = args;
    this.#traffic = traffic;
    // Everybody listens to the end.
    setMaxListeners(0, this.#stopped.signal);
    this.#services = Array.from({ length: services }, (_, i) => `live-${i}`);
    this.#perService = instances / services;
    this.#addresses = Array.from(
      { length: instances },
      (_, i): Address => [`live-${i % services}`, `10.1.${(i >> 8) & 255}.${i & 255}`],
    );
  }

  async registerAll(server: Process): Promise<void> {
    const { beatIntervalMs, patienceMs } = this.#traffic;
    const calls = shares(this.#addresses).map((share) => {
      const more = `&metadata=${encodeURIComponent(silence(beatIntervalMs, patienceMs, patienceMs * 2))}`;
      return registerOver(server.listeners.main, share, more);
    });
    await Promise.all(calls);
    const metadata = silence(1_000, DYING_PATIENCE_MS.unhealthy, DYING_PATIENCE_MS.removed);
    for (const name of DYING) await register(server, name, { metadata });
  }

  /** Everybody goes on until the end; the answer ends it. */
  begin({ listeners }: Process): () => Promise<void> {
    const going = [
      ...shares(this.#addresses).map((share) => this.#goOn(() => this.#beat(listeners.main, share))),
      ...this.#services.map((service) => this.#goOn(() => this.#watch(listeners.health, service))),
      this.#goOn(() => this.#check(listeners.health)),
      this.#goOn(() => this.#list(listeners.main)),
    ];
    return async () => {
      this.#stopped.abort();
      await Promise.all(going);
    };
  }

  /** Again, as soon as it is possible, when it has ended with the server. */
  async #goOn(act: () => Promise<void>): Promise<void> {
    while (!this.#stopped.signal.aborted) {
      await act().catch((error: unknown) => {
        const isGone = error instanceof CallFailed ? error.code === 'unavailable' || error.code === 'cancelled' : isBroken(error);
        if (!isGone && !this.#stopped.signal.aborted) this.wrong.push(String(error));
      });
      await this.#pause(ASK_EVERY_MS);
    }
  }

  async #beat(address: string, share: readonly Address[]): Promise<void> {
    const socket = await dial(address);
    const closed = once(socket, 'close');
    const stop = () => socket.destroy();
    this.#stopped.signal.addEventListener('abort', stop);
    const reading = (async () => {
      for await (const { body } of messages(socket)) {
        this.counts.beats++;
        if (!ANSWER.test(body.toString())) this.wrong.push(`a beat was answered ${body}`);
      }
    })().catch(() => {});
    for (let i = 0; !socket.destroyed; i = (i + BURST) % share.length) {
      socket.write(
        share
          .slice(i, i + BURST)
          .map((each) => requestOf('PUT', '/beat', each))
          .join(''),
      );
      await Promise.race([this.#pause((this.#traffic.beatIntervalMs * BURST) / share.length), closed]);
    }
    this.#stopped.signal.removeEventListener('abort', stop);
    await reading;
  }

  async #watch(address: string, service: string): Promise<void> {
    using client = WATCHING_CLIENTS['gRPC (grpc-js)'](address);
    for await (const status of client.watch(service, this.#stopped.signal)) {
      this.counts.watched++;
      if (status !== 'SERVING') this.wrong.push(`a Watch of ${service} was told ${status}`);
    }
  }

  async #check(address: string): Promise<void> {
    using client = WATCHING_CLIENTS['gRPC (grpc-js)'](address);
    for (let i = 0; !this.#stopped.signal.aborted; i++) {
      const service = this.#services[i % this.#services.length] ?? '';
      const status = await client.check(service);
      this.counts.checks++;
      if (status !== 'SERVING') this.wrong.push(`a Check of ${service} was answered ${status}`);
      await this.#pause(ASK_EVERY_MS);
    }
  }

  async #list(main: string): Promise<void> {
    for (let i = 0; !this.#stopped.signal.aborted; i++) {
      const serviceName = this.#services[i % this.#services.length] ?? '';
      const response = await fetch(`http://${main}/nacos/v1/ns/instance/list?serviceName=${serviceName}`);
      const { hosts } = (await response.json()) as { hosts: readonly { healthy: boolean }[] };
      this.counts.lists++;
      const healthy = hosts.filter((host) => host.healthy).length;
      if (healthy !== this.#perService) this.wrong.push(`a list of ${serviceName} had ${healthy} of ${hosts.length} healthy`);
      await this.#pause(ASK_EVERY_MS);
    }
  }

  #pause(ms: number): Promise<unknown> {
    return pause(ms, undefined, { signal: this.#stopped.signal }).catch(() => {});
  }

  start(): Promise<Process> {
    return startProcess(this.#args);
  }
}

/** Restarts by each of the signals in turn, under traffic; then one is stopped for so long, if that is asked for. */
export async function liveThroughRestarts(
  dataDir: string,
  signals: readonly NodeJS.Signals[],
  traffic: Traffic,
  stallMs = 0,
): Promise<Estate['counts']> {
  const estate = new Estate([...(await fixedPorts()), '--data-dir', dataDir], traffic);
  let server = await estate.start();
  await using _last = { [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
  await estate.registerAll(server);
  const stop = estate.begin(server);
  for (const [i, signal] of signals.entries()) {
    // All of them have been heard once, and answered: it is a server at work that goes.
    await expect.poll(() => estate.counts.beats, { timeout: 60_000 }).toBeGreaterThan(traffic.instances * (i + 1));
    if (i === 0) await keepAlive(server, DYING);
    await server.stop(signal);
    server = await estate.start();
    if (i === 0) await expectGone(server);
  }
  if (stallMs > 0) {
    server.child.kill('SIGSTOP');
    await pause(stallMs);
    server.child.kill('SIGCONT');
  }
  // Longer than the patience of anybody who was not heard since.
  const before = estate.counts.beats;
  const rounds = Math.ceil((traffic.patienceMs * 1.25) / traffic.beatIntervalMs);
  await expect.poll(() => estate.counts.beats, { timeout: 120_000 }).toBeGreaterThan(before + traffic.instances * rounds);
  await stop();
  expect([...new Set(estate.wrong)].slice(0, 10)).toEqual([]);
  return estate.counts;
}

async function keepAlive(server: Process, services: readonly string[]): Promise<void> {
  for (const serviceName of services) await nacos(server, 'PUT', '/instance/beat', { serviceName, ip: '10.0.0.1', port: 80 });
}

/** They died while nobody could hear of it: after their patience they are unhealthy, and then gone, and not before. */
async function expectGone(server: Process): Promise<void> {
  using client = WATCHING_CLIENTS['gRPC (grpc-js)'](server.listeners.health);
  const from = performance.now();
  await Promise.all(
    DYING.map(async (service) => {
      const told: string[] = [];
      const ended = new AbortController();
      for await (const status of client.watch(service, ended.signal)) {
        told.push(status);
        if (status !== 'SERVING') break;
      }
      ended.abort();
      expect(told).toEqual(['SERVING', 'NOT_SERVING']);
      expect(performance.now() - from).toBeLessThan(DYING_PATIENCE_MS.unhealthy + LATE_MS);
      const left = async () => {
        const response = await nacos(server, 'GET', '/instance/list', { serviceName: service });
        return ((await response.json()) as { hosts: readonly unknown[] }).hosts.length;
      };
      await expect.poll(left, { timeout: DYING_PATIENCE_MS.removed + LATE_MS }).toBe(0);
    }),
  );
}

function shares(addresses: readonly Address[]): readonly (readonly Address[])[] {
  return Array.from({ length: SOCKETS }, (_, i) => addresses.filter((_, j) => j % SOCKETS === i));
}

function silence(beatMs: number, unhealthyMs: number, removedMs: number): string {
  return JSON.stringify({
    'preserved.heart.beat.interval': String(beatMs),
    'preserved.heart.beat.timeout': String(unhealthyMs),
    'preserved.ip.delete.timeout': String(removedMs),
  });
}

function requestOf(method: string, path: string, [service, ip]: Address, more = ''): string {
  const query = `serviceName=${service}&ip=${ip}&port=8080${more}`;
  return `${method} /nacos/v1/ns/instance${path}?${query} HTTP/1.1\r\nHost: live\r\nContent-Length: 0\r\n\r\n`;
}

/** One after the other, over a connection of their own. */
async function registerOver(address: string, share: readonly Address[], more: string): Promise<void> {
  const socket = await dial(address);
  const answers = messages(socket);
  for (const each of share) {
    socket.write(requestOf('POST', '', each, more));
    const { value } = await answers.next();
    if (value?.body.toString() !== 'ok') throw new Error(`a registration was answered ${value?.body}`);
  }
  socket.destroy();
}

/** A connection that could not be had, or that has ended. */
function isBroken(error: unknown): boolean {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  if (!(cause instanceof Error) || !('code' in cause)) return false;
  return ['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET', 'ERR_STREAM_PREMATURE_CLOSE'].includes(String(cause.code));
}
