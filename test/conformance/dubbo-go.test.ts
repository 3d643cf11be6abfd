import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, inject, it } from 'vitest';
import { freePorts } from '../support/ports.ts';
import { type Process, startProcess } from '../support/process.ts';
import { nacos, register, setEnabled } from '../support/server.ts';
import { Driver } from './driver.ts';
import { freePortsOfNacos } from './estate.ts';
import { Program } from './program.ts';
import { startRelay } from './relay.ts';

/** Dubbo-go's own health client, in each way to speak that it has, and what its references do by themselves. */

const tools = inject('tools');
/** Undefined where there is no Go: skipped then, and named by `tools.ts`; with INTEROP=all that fails the run. */
const { path } = tools.dubboGoHealth;

/** Nothing has to keep it alive: operators switch it. */
const PERSISTENT = { ephemeral: 'false' };
/** How a provider of `com.x.Y` registers, and the key by which its consumers know it. */
const PROVIDER = 'providers:com.x.Y:1.2.3:G';
const KEY = 'G/com.x.Y:1.2.3';
/** These make dubbo-go ask for a health service of that group and version; there is one for all. */
const OF_A_GROUP = ['--group', 'G', '--version', '1.2.3'];
const GREETER = ['--interface', 'com.x.Y', ...OF_A_GROUP];

const GRPC: Readonly<Record<string, readonly string[]>> = {
  gRPC: [],
  'gRPC, with a group and a version': OF_A_GROUP,
  'gRPC, as JSON': ['--json'],
};
const TRIPLE: Readonly<Record<string, readonly string[]>> = {
  'Triple over HTTP/1.1': ['--triple'],
  'Triple over HTTP/1.1, with a group and a version': ['--triple', ...OF_A_GROUP],
  'Triple over HTTP/1.1, as JSON': ['--triple', '--json'],
  'Triple over h2c': ['--triple', '--h2c'],
  'Triple over h2c, as JSON': ['--triple', '--h2c', '--json'],
};

/** What `/health/NAME` says of a service. */
interface Explained {
  readonly status: string;
  readonly instances: { readonly available: number };
  readonly pending?: { readonly status: string; readonly inMs: number };
}

/** The next line of the program, parsed; undefined after the last. */
async function heard(program: Program): Promise<unknown> {
  const line = await program.nextLine();
  return line === undefined ? undefined : JSON.parse(line);
}

describe.skipIf(path === undefined)('dubbo-go', () => {
  it.each(Object.entries({ ...GRPC, ...TRIPLE }))('checks over %s', async (_, options) => {
    await using bridge = await startProcess();
    const check = async (service: string) => {
      await using asking = new Program(path, ['check', bridge.listeners.health, service, ...options]);
      return [await heard(asking), await heard(asking)];
    };
    // A failover cluster asks three times for what it is told is unknown; it says so once.
    const unknown = [{ error: 'NOT_FOUND', message: 'unknown service' }, undefined];

    expect(await check('orders')).toEqual(unknown);
    expect(await check(KEY)).toEqual(unknown);
    await register(bridge, 'orders', PERSISTENT);
    await register(bridge, PROVIDER, PERSISTENT);
    for (const service of ['', 'orders', KEY, 'com.x.Y'])
      expect(await check(service), service).toEqual([{ status: 'SERVING' }, undefined]);
    expect(await check('com.x.Y:1.2.4')).toEqual(unknown);
    await setEnabled(bridge, 'orders', false);
    await setEnabled(bridge, PROVIDER, false);
    for (const service of ['orders', KEY, 'com.x.Y'])
      expect(await check(service), service).toEqual([{ status: 'NOT_SERVING' }, undefined]);
  });

  it.each(Object.entries(GRPC))('watches over %s until the bridge ends', async (_, options) => {
    await using bridge = await startProcess();
    await using watching = new Program(path, ['watch', bridge.listeners.health, KEY, ...options]);

    expect(await heard(watching)).toEqual({ status: 'SERVICE_UNKNOWN' });
    await register(bridge, PROVIDER, PERSISTENT);
    expect(await heard(watching)).toEqual({ status: 'SERVING' });
    await setEnabled(bridge, PROVIDER, false);
    expect(await heard(watching)).toEqual({ status: 'NOT_SERVING' });
    await setEnabled(bridge, PROVIDER, true);
    expect(await heard(watching)).toEqual({ status: 'SERVING' });
    expect(await bridge.stop('SIGTERM')).toBe(0);
    // Whom it watches serves on: there is no NOT_SERVING before this, which would be an eviction.
    expect(await heard(watching)).toEqual({ end: 'UNAVAILABLE', message: 'the bridge is shutting down' });
    expect(await heard(watching)).toBeUndefined();
  });

  it('evicts a provider that an operator switches off, by the watch that each of its references opens, and no other', async () => {
    await using bridge = await startProcess();
    await register(bridge, PROVIDER, PERSISTENT);
    await register(bridge, 'providers:com.x.Y:1.2.4:G', PERSISTENT);
    const refer = (version: string) =>
      new Program(path, ['consumer', bridge.listeners.health, 'com.x.Y', '--group', 'G', '--version', version]);
    await using consumer = refer('1.2.3');
    await using other = refer('1.2.4');
    await using stranger = refer('1.2.5');
    expect(await heard(consumer)).toEqual({ watching: KEY });
    expect(await heard(other)).toEqual({ watching: 'G/com.x.Y:1.2.4' });
    expect(await heard(stranger)).toEqual({ watching: 'G/com.x.Y:1.2.5' });

    await setEnabled(bridge, PROVIDER, false);
    expect(await heard(consumer)).toEqual({
      closing: KEY,
      instance: expect.stringContaining(`${bridge.listeners.health}/?interface=com.x.Y&group=G&version=1.2.3`),
    });
    for (const program of [consumer, other, stranger]) {
      program.endInput();
      expect(await heard(program)).toBeUndefined();
    }
  });
});

// No toolchain for it: skipped then, and named by `tools.ts`; with INTEROP=all that fails the run.
describe.skipIf(path === undefined || tools.dubboGoGreeter.path === undefined)(
  'a consumer whose only provider is cut off from beatbridge for 2 s',
  () => {
    /** The answer of `/health/NAME` about what the provider has registered. */
    const explained = async (bridge: Process) => {
      const response = await fetch(`http://${bridge.listeners.health}/health/${KEY}`);
      const { services } = (await response.json()) as { readonly services: readonly Explained[] };
      return services[0];
    };
    /**
     * A provider and, once it is there, a consumer that holds on to it by a watch. Then the provider's connections are cut, and it
     * returns by itself when they can be made again.
     */
    const cutOff = async (
      metadata: object,
      meanwhile: (what: Explained | undefined) => void,
      afterwards: (consumer: Program, provider: Driver) => Promise<void>,
    ) => {
      await using bridge = await startProcess();
      // It looks for the gRPC side 1,000 above the port that it is given.
      const [main, grpc] = await freePortsOfNacos();
      await using way = await startRelay(bridge.listeners.grpc, undefined, grpc);
      const [port] = await freePorts(1);
      await using provider = await Driver.start(
        [tools.dubboGoGreeter.path ?? '', 'provider', '--mode', 'interface', '--port', `${port}`, ...GREETER],
        `127.0.0.1:${main}`,
      );
      expect(await explained(bridge)).toMatchObject({ instances: { available: 1 } });
      const set = await nacos(bridge, 'PUT', '/service', {
        serviceName: PROVIDER,
        protectThreshold: 0,
        metadata: JSON.stringify(metadata),
      });
      expect(set.status).toBe(200);
      await using consumer = new Program(path, ['consumer', bridge.listeners.health, 'com.x.Y', ...OF_A_GROUP]);
      expect(await heard(consumer)).toEqual({ watching: KEY });

      way.breakOff();
      const cut = performance.now();
      await expect.poll(() => explained(bridge)).toMatchObject({ instances: { available: 0 } });
      meanwhile(await explained(bridge));
      await pause(2_000 - (performance.now() - cut));
      way.mend();
      await expect.poll(() => explained(bridge), { timeout: 30_000 }).toMatchObject({ instances: { available: 1 } });
      expect((await explained(bridge))?.pending).toBeUndefined();
      await afterwards(consumer, provider);
    };
    const CLOSING = { closing: KEY, instance: expect.any(String) };

    it('loses it', async () => {
      await cutOff(
        {},
        (what) => expect(what).toMatchObject({ status: 'NOT_SERVING' }),
        async (consumer) => expect(await heard(consumer)).toEqual(CLOSING),
      );
    });

    it('keeps it where health.fall-after is 5s, until it has been gone for so long', async () => {
      await cutOff(
        { 'health.fall-after': '5s' },
        (what) => expect(what).toMatchObject({ status: 'SERVING', pending: { status: 'NOT_SERVING' } }),
        async (consumer, provider) => {
          expect(consumer.lines.slice(1)).toEqual([]);
          const killed = performance.now();
          await provider.kill();
          expect(await heard(consumer)).toEqual(CLOSING);
          expect(performance.now() - killed).toBeGreaterThan(4_900);
        },
      );
    });
  },
);

it.skipIf(tools.dubboGo.path === undefined)(
  'examples/dubbo-go checks a service once and watches it until the bridge ends',
  async () => {
    await using bridge = await startProcess();
    await using example = new Program(tools.dubboGo.path, [bridge.listeners.health, KEY]);
    // Between the lines of dubbo-go's own log.
    const said = async () => {
      for (;;) {
        const line = await example.nextLine();
        if (line === undefined || /^(check|watch)/.test(line)) return line;
      }
    };

    expect(await said()).toBe('check: UNKNOWN not_found: unknown service');
    expect(await said()).toBe('watch: SERVICE_UNKNOWN');
    await register(bridge, PROVIDER, PERSISTENT);
    expect(await said()).toBe('watch: SERVING');
    await setEnabled(bridge, PROVIDER, false);
    expect(await said()).toBe('watch: NOT_SERVING');
    await bridge.stop('SIGTERM');
    expect(await said()).toBe('watch ended: unavailable: the bridge is shutting down');
    expect(await said()).toBeUndefined();
  },
);
