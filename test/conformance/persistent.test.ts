import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePorts } from '../support/ports.ts';
import { FREE_PORTS, type Process, startProcess } from '../support/process.ts';
import { absent, allSee, at, type Condition, healthOf, open, present, unhealthy } from './estate.ts';
import { type Clients, NACOS_CLIENTS, startClients } from './nacos-clients.ts';
import { startRelay } from './relay.ts';

/** Persistent instances send no beats: beatbridge looks whether somebody is there. How real clients register them, and hear of it. */

const OVER_HTTP = ['java-1.1.4', 'java-1.4.2', 'go-1.1.6', 'npm-2.6.3', 'python-0.1.17', 'go-2.3.5'];
const OVER_GRPC = ['java-2.5.1', 'java-3.2.1', 'python-3.2.0', 'rust-0.8.3'];
const CLIENTS = Object.entries(NACOS_CLIENTS).filter(([name]) => [...OVER_HTTP, ...OVER_GRPC].includes(name));

/** Those of 1.x that look by themselves do so every 10 s. */
const PUSHED_WITHIN_MS = 2_000;

const HOST = '127.0.0.1';
/** As a driver prints it; some of their clients do not hear what kind it is. */
const isPersistent: Condition = (instance) => present(instance) && instance?.ephemeral !== true;

/** An HTTP server where a test has registered an instance: it comes and goes, and answers with the status that the test says. */
class Provider implements AsyncDisposable {
  readonly port: number;
  status = 204;
  /** How many have come to the port since it was opened last. */
  visits = 0;
  #server: Server | undefined;

  private constructor(port: number) {
    this.port = port;
  }

  static async start(): Promise<Provider> {
    const [port = 0] = await freePorts(1);
    const provider = new Provider(port);
    await provider.open();
    return provider;
  }

  async open(): Promise<void> {
    this.visits = 0;
    const server = createServer((_, response) => response.writeHead(this.status).end());
    server.on('connection', () => this.visits++);
    this.#server = server.listen(this.port, HOST);
    await once(server, 'listening');
  }

  async close(): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    this.#server = undefined;
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** What `/health/NAME` says of the checks of a service that is not as they would have it. */
async function checksOf(bridge: Process, service: string): Promise<unknown> {
  const response = await fetch(`http://${bridge.listeners.health}/health/${service}`);
  const { services } = (await response.json()) as { readonly services: readonly [{ readonly checks?: unknown }] };
  return services[0].checks;
}

describe.concurrent('among all the others', () => {
  let bridge: Process;
  let clients: Clients;
  const running: AsyncDisposable[] = [];
  /** What has come over gRPC about persistent instances. */
  const requests: string[] = [];
  const tap = (chunk: Buffer) => {
    if (chunk.includes('PersistentInstanceRequest')) requests.push(chunk.toString('latin1'));
    return chunk;
  };
  beforeAll(async () => {
    bridge = await startProcess([...FREE_PORTS, '--probe-allow', 'loopback']);
    running.push(bridge);
    const way = await startRelay(bridge.listeners.grpc, tap);
    running.push(way);
    clients = await startClients(Object.fromEntries(CLIENTS), { main: bridge.listeners.main, grpc: way.address });
    running.push(clients);
  });
  afterAll(async () => {
    await Promise.all(running.map((process) => process[Symbol.asyncDispose]()));
  });

  /** All of them are told at once, who has registered it too, and are answered so when they ask. */
  const hear = async (service: string, port: number, condition: Condition) => {
    const since = performance.now();
    const pushedTo = clients.all.filter(([name]) => NACOS_CLIENTS[name]?.pushed);
    await Promise.all(
      pushedTo.map(async ([name, client]) => {
        await client.told(service, (instances) => condition(at(instances, port)));
        expect(performance.now() - since, `told to ${name}`).toBeLessThan(PUSHED_WITHIN_MS);
      }),
    );
    await allSee(clients.all, service, port, condition);
  };

  describe.each(CLIENTS)('%s', (name, { command }) => {
    // No toolchain for it: skipped then, and named by `tools.ts`; with INTEROP=all that fails the run.
    const missing = command === undefined;
    const register = async (service: string, port: number, metadata: Readonly<Record<string, string>> = {}) => {
      const instance = { service, ip: HOST, port, ephemeral: false, metadata };
      await clients.the(name).call('register', instance);
      return instance;
    };

    it.skipIf(missing)('an instance falls with its port and heals when that has been there three times', async () => {
      const service = `port-of-${name}`;
      await using provider = await Provider.start();
      using health = healthOf(bridge, service);
      await open(bridge, service, clients.all, health);
      const instance = await register(service, provider.port);
      expect(requests.some((request) => request.includes(service))).toBe(OVER_GRPC.includes(name));
      await health.becomes('SERVING');
      await hear(service, provider.port, isPersistent);

      await provider.close();
      await health.becomes('NOT_SERVING');
      await hear(service, provider.port, unhealthy);
      expect(await checksOf(bridge, service)).toContainEqual(
        expect.objectContaining({ ip: HOST, port: provider.port, check: 'tcp', verdict: 'failing', reason: 'refused' }),
      );

      await provider.open();
      await health.becomes('SERVING');
      expect(provider.visits).toBeGreaterThanOrEqual(3);
      await hear(service, provider.port, present);

      await clients.the(name).call('deregister', instance);
      await health.becomes('NOT_SERVING');
      await hear(service, provider.port, absent);
    });

    it.skipIf(missing)('an instance that asks for a check over HTTP is as it answers at its own port', async () => {
      const service = `answer-of-${name}`;
      const metadata = { 'health.check': 'http:/ready', 'health.check.code': '204', 'health.check.interval': '500ms' };
      await using provider = await Provider.start();
      using health = healthOf(bridge, service);
      await open(bridge, service, clients.all, health);
      await register(service, provider.port, metadata);
      await health.becomes('SERVING');
      await hear(service, provider.port, isPersistent);

      provider.status = 200;
      await health.becomes('NOT_SERVING');
      await hear(service, provider.port, unhealthy);
      expect(await checksOf(bridge, service)).toContainEqual(
        expect.objectContaining({ port: provider.port, check: 'http', verdict: 'failing', reason: 'unexpected status' }),
      );
      provider.status = 204;
      await health.becomes('SERVING');
      await hear(service, provider.port, present);
    });
  });
});
