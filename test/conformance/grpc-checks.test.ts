import { EventEmitter, once } from 'node:events';
import { join } from 'node:path';
import { describe, expect, inject, it } from 'vitest';
import { FREE_PORTS, type Process, startProcess } from '../support/process.ts';
import { nacos, register } from '../support/server.ts';
import { healthOf } from './estate.ts';
import { Program } from './program.ts';

/** Instances whose own health, as grpc-go serves it, is asked over gRPC. */

/** Undefined where there is no Go: skipped then, and named by `tools.ts`; with INTEROP=all that fails the run. */
const { path } = inject('tools').goHealthServer;

const HOST = '127.0.0.1';
const TLS = join(import.meta.dirname, '../fixtures/tls');
const WITH_TLS = ['--tls', join(TLS, 'cert.pem'), join(TLS, 'key.pem')];

const BEATS_EVERY_MS = 200;

/** A server of grpc-go on a port of its own, which serves `shop.Orders` unless told otherwise. For `await using`. */
class HealthServer extends Program {
  port = 0;

  static async start(args: readonly string[]): Promise<HealthServer> {
    const server = new HealthServer(path, args);
    server.port = JSON.parse((await server.nextLine()) ?? '{}').port;
    await server.set('SERVING', 'shop.Orders');
    return server;
  }

  async set(status: string, service: string): Promise<void> {
    this.say(`${status} ${service}`);
    expect(JSON.parse((await this.nextLine()) ?? '{}')).toEqual({ service, status });
  }
}

/** Beats for as long as its scope lasts, whatever its check finds; emits `beat` for each that is taken. */
class Beating extends EventEmitter implements Disposable {
  readonly #timer: NodeJS.Timeout;

  private constructor(beat: () => Promise<Response>) {
    super();
    this.#timer = setInterval(async () => {
      // The bridge may end before this does.
      if ((await beat().catch(() => undefined))?.ok) this.emit('beat');
    }, BEATS_EVERY_MS);
  }

  static async start(bridge: Process, service: string, port: number, metadata: object): Promise<Beating> {
    await register(bridge, service, { ip: HOST, port, metadata: JSON.stringify(metadata) });
    return new Beating(() => nacos(bridge, 'PUT', '/instance/beat', { serviceName: service, ip: HOST, port }));
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}

/** Sends no beats, and says nothing of checks itself: its cluster does. */
async function persist(bridge: Process, service: string, port: number, healthChecker: object): Promise<void> {
  await register(bridge, service, { ip: HOST, port, ephemeral: 'false' });
  const answer = await nacos(bridge, 'PUT', '/cluster', {
    serviceName: service,
    clusterName: 'DEFAULT',
    checkPort: 80,
    useInstancePort4Check: 'true',
    healthChecker: JSON.stringify(healthChecker),
  });
  expect(answer.status).toBe(200);
}

/** What `/health/NAME` says of the check of the only instance. */
async function troubleOf(bridge: Process, service: string): Promise<unknown> {
  const response = await fetch(`http://${bridge.listeners.health}/health/${service}`);
  const { services } = (await response.json()) as { readonly services: readonly { readonly checks?: readonly unknown[] }[] };
  return services[0]?.checks?.[0];
}

const failing = (reason: string) => expect.objectContaining({ ip: HOST, check: 'grpc', verdict: 'failing', reason });

const probing = () => startProcess([...FREE_PORTS, '--probe-allow', 'loopback']);

// No toolchain for it: skipped then, and named by `tools.ts`; with INTEROP=all that fails the run.
describe.skipIf(path === undefined)('grpc-go', { concurrent: true }, () => {
  it.each([
    ['in plain text', 'grpc:shop.Orders', []],
    ['over TLS', 'grpcs:shop.Orders', WITH_TLS],
  ])('an instance that beats is available while its own health says SERVING %s', async (_, check, args) => {
    await using bridge = await probing();
    await using server = await HealthServer.start(args);
    using health = healthOf(bridge, 'orders');
    expect(await health.next()).toBe('SERVICE_UNKNOWN');
    const metadata = { 'health.check': check, 'health.check.verify': 'false', 'health.check.interval': '500ms' };
    using instance = await Beating.start(bridge, 'orders', server.port, metadata);
    await health.becomes('SERVING');

    await server.set('NOT_SERVING', 'shop.Orders');
    await health.becomes('NOT_SERVING');
    expect(await troubleOf(bridge, 'orders')).toEqual(failing('NOT_SERVING'));
    // No beat heals what the check has failed.
    for (let i = 0; i < 3; i++) await once(instance, 'beat');
    await health.is('NOT_SERVING');

    await server.set('SERVING', 'shop.Orders');
    await health.becomes('SERVING');
    expect(await troubleOf(bridge, 'orders')).toBeUndefined();

    await server.set('SERVICE_UNKNOWN', 'shop.Orders');
    await health.becomes('NOT_SERVING');
    expect(await troubleOf(bridge, 'orders')).toEqual(failing('SERVICE_UNKNOWN'));
    await server.set('SERVING', 'shop.Orders');
    await health.becomes('SERVING');

    await server.stop('SIGKILL');
    await health.becomes('NOT_SERVING');
    expect(await troubleOf(bridge, 'orders')).toEqual(failing('refused'));
  });

  it.each([
    ['whose service nobody serves', 'grpc:shop.Nothing', [], 'SERVICE_UNKNOWN'],
    ['whose server has no health service', 'grpc', ['--without'], 'UNIMPLEMENTED'],
    ['whose server speaks no TLS', 'grpcs:shop.Orders', [], 'no TLS'],
    ['whose certificate nobody trusts', 'grpcs:shop.Orders', WITH_TLS, 'certificate not trusted'],
  ])('an instance %s is not available, however it beats', async (_, check, args, reason) => {
    await using bridge = await probing();
    await using server = await HealthServer.start(args);
    using health = healthOf(bridge, 'orders');
    expect(await health.next()).toBe('SERVICE_UNKNOWN');
    using _instance = await Beating.start(bridge, 'orders', server.port, { 'health.check': check });
    // Only heard: it is checked within a second, and may have fallen before anybody asks.
    expect(await health.next()).toBe('SERVING');
    await health.becomes('NOT_SERVING');
    expect(await troubleOf(bridge, 'orders')).toEqual(failing(reason));
  });

  it('a server as a whole is asked where no service is named', async () => {
    await using bridge = await probing();
    await using server = await HealthServer.start([]);
    using health = healthOf(bridge, 'orders');
    expect(await health.next()).toBe('SERVICE_UNKNOWN');
    using _instance = await Beating.start(bridge, 'orders', server.port, {
      'health.check': 'grpc',
      'health.check.interval': '500ms',
    });
    await health.becomes('SERVING');
    await server.set('NOT_SERVING', '');
    await health.becomes('NOT_SERVING');
    await server.set('SERVING', '');
    await health.becomes('SERVING');
  });

  it('a persistent instance is as its own health says, where its cluster is checked over gRPC', async () => {
    await using bridge = await probing();
    await using server = await HealthServer.start([]);
    using health = healthOf(bridge, 'orders');
    expect(await health.next()).toBe('SERVICE_UNKNOWN');
    await persist(bridge, 'orders', server.port, { type: 'GRPC', service: 'shop.Orders' });
    await health.becomes('SERVING');
    await server.set('NOT_SERVING', 'shop.Orders');
    await health.becomes('NOT_SERVING');
    expect(await troubleOf(bridge, 'orders')).toEqual(failing('NOT_SERVING'));
    await server.set('SERVING', 'shop.Orders');
    await health.becomes('SERVING');
    await server.stop('SIGKILL');
    await health.becomes('NOT_SERVING');
    expect(await troubleOf(bridge, 'orders')).toEqual(failing('refused'));
  });
});
