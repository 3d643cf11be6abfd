import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { NacosGrpc } from '../support/nacos-grpc.ts';
import { freePorts } from '../support/ports.ts';
import { FREE_PORTS, type Process, startProcess } from '../support/process.ts';
import { register } from '../support/server.ts';
import { Driver, type SeenInstance } from './driver.ts';
import { absent, allSee, at, BYSTANDER, healthOf, IP, open, present } from './estate.ts';
import { type Clients, NACOS_1_CLIENTS, NACOS_2_CLIENTS, type NacosClient, startClient, startClients } from './nacos-clients.ts';
import { startRelay } from './relay.ts';

/** Those of 2.x and 3.x, and of each 1.x one that still has the most users. */
const ESTATE: Readonly<Record<string, NacosClient>> = {
  ...NACOS_2_CLIENTS,
  ...Object.fromEntries(
    Object.entries(NACOS_1_CLIENTS).filter(([name]) => ['java-1.4.8', 'go-1.1.6', 'npm-2.6.3'].includes(name)),
  ),
};

/** A client that dies takes its instances with it, without a moment of silence. */
const AT_ONCE_MS = 1_000;

const portsOf = (instances: readonly SeenInstance[]) => instances.map(({ port }) => port).sort((a, b) => a - b);

describe('among all the others', () => {
  let bridge: Process;
  let clients: Clients;
  const running: AsyncDisposable[] = [];
  beforeAll(async () => {
    bridge = await startProcess();
    running.push(bridge);
    clients = await startClients(ESTATE, bridge.listeners);
    running.push(clients);
  });
  afterAll(async () => {
    await Promise.all(running.map((process) => process[Symbol.asyncDispose]()));
  });

  const others = (name: string) => clients.others(name);
  const instanceOf = (service: string, name: string) => {
    return { service, ip: IP, port: 8080, metadata: { ...ESTATE[name]?.silence, colour: 'red' } };
  };

  describe.each(Object.entries(ESTATE))('%s', (name, { command }) => {
    // No toolchain for it: skipped then, and named by `tools.ts`; with INTEROP=all that fails the run.
    const missing = command === undefined;

    it.skipIf(missing)('registers and deregisters, as all the others see over either protocol', async () => {
      const instance = instanceOf(`lives-${name}`, name);
      const { service, port } = instance;
      using health = healthOf(bridge, service);
      await open(bridge, service, others(name), health);
      await clients.the(name).call('register', instance);
      await health.becomes('SERVING');
      await allSee(others(name), service, port, (seen) => present(seen) && seen?.weight === 1 && seen.metadata.colour === 'red');
      await clients.the(name).call('deregister', instance);
      await health.becomes('NOT_SERVING');
      await allSee(others(name), service, port, absent);
    });
  });

  // Without it skipped, and named by `tools.ts`; with INTEROP=all that fails the run.
  it.skipIf(ESTATE['java-2.5.1']?.command === undefined)(
    'one that is drained has gone for all of them, whatever its connection says, and is back when it is resumed',
    async () => {
      const [service, provider] = ['drained', 'java-2.5.1'];
      const instance = instanceOf(service, provider);
      using health = healthOf(bridge, service);
      await open(bridge, service, others(provider), health);
      await clients.the(provider).call('register', instance);
      await health.becomes('SERVING');
      await allSee(others(provider), service, instance.port, present);
      const drains = `http://${bridge.listeners.main}/drains/${IP}:${instance.port}?service=${service}`;
      expect((await fetch(drains, { method: 'PUT' })).status).toBe(200);
      await health.becomes('NOT_SERVING');
      await allSee(others(provider), service, instance.port, absent);
      expect((await fetch(drains, { method: 'DELETE' })).status).toBe(200);
      await health.becomes('SERVING');
      await allSee(others(provider), service, instance.port, present);
    },
  );

  describe.each(Object.entries(NACOS_2_CLIENTS))('%s', (name, { command }) => {
    const missing = command === undefined;

    // The oldest ones know no batches.
    if (!['java-2.0.4'].includes(name))
      it.skipIf(missing)('registers several instances at once, and others in their place', async () => {
        const service = `batch-${name}`;
        using health = healthOf(bridge, service);
        await open(bridge, service, others(name), health);
        const batch = async (...ports: readonly number[]) => {
          const instances = ports.map((port) => ({ ip: IP, port, ephemeral: true }));
          await clients.the(name).call('batchRegister', { service, instances });
          for (const port of [8081, 8082, 8083])
            await allSee(others(name), service, port, ports.includes(port) ? present : absent);
        };
        await batch(8081, 8082);
        await health.becomes('SERVING');
        await batch(8082, 8083);
        await health.is('SERVING');
      });

    it.skipIf(missing)('lists the services of its group, and their instances', async () => {
      const service = `listed-${name}`;
      await register(bridge, service, BYSTANDER);
      await register(bridge, service, { port: 8080 });
      await register(bridge, `G1@@${service}`, { port: 8081 });
      const { names, count } = (await clients.the(name).call('services', { pageNo: 1, pageSize: 1_000 })) as {
        readonly names: readonly string[];
        readonly count: number;
      };
      expect(names).toContain(service);
      expect(names).not.toContain(`G1@@${service}`);
      expect(count).toBe(names.length);
      expect(portsOf(await clients.the(name).instances(service, { fresh: true }))).toEqual([99, 8080]);
      expect(portsOf(await clients.the(name).instances(service, { fresh: true, group: 'G1' }))).toEqual([8081]);
    });

    it.skipIf(missing)('is gone at once when it is killed, and returns when it is started again', async () => {
      const instance = instanceOf(`killed-${name}`, name);
      const { service, port } = instance;
      using health = healthOf(bridge, service);
      await open(bridge, service, others(name), health);
      await using first = await startClient(name, bridge.listeners);
      await first.call('register', instance);
      await health.becomes('SERVING');
      await allSee(others(name), service, port, present);

      const killed = performance.now();
      await first.kill();
      await health.becomes('NOT_SERVING');
      expect(performance.now() - killed).toBeLessThan(AT_ONCE_MS);
      await allSee(others(name), service, port, absent);

      await using second = await startClient(name, bridge.listeners);
      await second.call('register', instance);
      await health.becomes('SERVING');
      await allSee(others(name), service, port, present);
    });
  });
});

it('every client recovers by itself when beatbridge is killed and started again, and none is shown that providers have gone', async () => {
  const [main, grpc, health] = await freePorts(3);
  const args = ['--host', '127.0.0.1', '--port', `${main}`, '--grpc-port', `${grpc}`, '--health-port', `${health}`];
  await using before = await startProcess(args);
  await using clients = await startClients(NACOS_2_CLIENTS, before.listeners);
  const serviceOf = (name: string) => `provided-by-${name}`;
  await Promise.all(
    clients.all.map(async ([name, client]) => {
      await client.call('register', { service: serviceOf(name), ip: IP, port: 8080 });
      for (const [, other] of clients.others(name)) {
        await other.call('subscribe', { service: serviceOf(name) });
        await other.told(serviceOf(name), (instances) => present(at(instances, 8080)));
      }
    }),
  );
  const told = new Map(clients.all.map(([name, client]) => [name, client.events.length]));

  await before.stop('SIGKILL');
  await using after = await startProcess(args);
  await Promise.all(
    clients.all.map(async ([name]) => {
      using health = healthOf(after, serviceOf(name));
      const first = await health.next();
      expect(first === 'SERVICE_UNKNOWN' ? await health.next() : first).toBe('SERVING');
    }),
  );
  // All are back. Whoever sees a new instance of everybody has subscribed again.
  for (const [name, client] of clients.all) {
    await client.call('register', { service: serviceOf(name), ip: IP, port: 8081 });
    await Promise.all(clients.others(name).map(([, other]) => other.told(serviceOf(name), (all) => present(at(all, 8081)))));
  }
  for (const [name, client] of clients.all) expect(emptied(client, told.get(name)), `lists told to ${name}`).toEqual([]);
});

it('every client whose connection breaks is gone at once, and registers and subscribes again by itself', async () => {
  await using bridge = await startProcess();
  await using way = await startRelay(bridge.listeners.grpc);
  await using clients = await startClients(NACOS_2_CLIENTS, { ...bridge.listeners, grpc: way.address });
  const watched = await Promise.all(
    clients.all.map(async ([name, client]) => {
      const service = `broken-${name}`;
      await register(bridge, `watched-by-${name}`, BYSTANDER);
      await client.call('subscribe', { service: `watched-by-${name}` });
      await client.call('register', { service, ip: IP, port: 8080 });
      const health = healthOf(bridge, service);
      expect(await health.next()).toBe('SERVING');
      return { name, client, health };
    }),
  );

  const broken = performance.now();
  way.cut();
  await Promise.all(
    watched.map(async ({ name, client, health: watching }) => {
      using health = watching;
      expect(await health.next()).toBe('NOT_SERVING');
      expect(performance.now() - broken, name).toBeLessThan(AT_ONCE_MS);
      expect(await health.next()).toBe('SERVING');
      await register(bridge, `watched-by-${name}`, { port: 8081 });
      await client.told(`watched-by-${name}`, (instances) => present(at(instances, 8081)));
    }),
  );
});

/** How each is told to speak TLS, and to trust whom it finds. */
const WITH_TLS: Readonly<Record<string, (command: readonly string[]) => readonly string[]>> = {
  'java-2.5.1': ([java = '', ...rest]) => [
    java,
    '-Dnacos.remote.client.rpc.tls.enable=true',
    '-Dnacos.remote.client.rpc.tls.trustAll=true',
    ...rest,
  ],
  'go-2.3.5': (command) => [
    'env',
    'nacos_remote_client_rpc_tls_enable=true',
    'nacos_remote_client_rpc_tls_trustAll=true',
    ...command,
  ],
};

describe.each(Object.entries(WITH_TLS))('%s', (name, withTls) => {
  const { command = [] } = NACOS_2_CLIENTS[name] ?? {};

  it.skipIf(command.length === 0)('registers and is pushed to over TLS', async () => {
    const tls = join(import.meta.dirname, '../fixtures/tls');
    const identity = ['--tls-port', '0', '--tls-cert', join(tls, 'cert.pem'), '--tls-key', join(tls, 'key.pem')];
    await using bridge = await startProcess([...FREE_PORTS, ...identity]);
    // Where nothing but TLS is spoken.
    const port = new URL(`https://${bridge.listeners.tls}`).port;
    await using client = await Driver.start(withTls(command), bridge.listeners.main, '--grpc-port', port);
    await client.call('register', { service: 'secret', ip: IP, port: 8080 });
    await client.call('subscribe', { service: 'secret' });
    await client.told('secret', (instances) => present(at(instances, 8080)));
    await register(bridge, 'secret', { port: 8081 });
    await client.told('secret', (instances) => present(at(instances, 8081)));
  });
});

describe.each(Object.entries(NACOS_2_CLIENTS))('%s', (name, { command }) => {
  it.skipIf(command === undefined)(
    'keeps texts, swaps one only for the one that it has read, and hears of what others write',
    async () => {
      await using bridge = await startProcess();
      await using client = await startClient(name, bridge.listeners);
      await using other = await NacosGrpc.connect(bridge.listeners.grpc);
      const ID = { dataId: 'com.example.Greeter', group: 'mapping' };
      const publish = (content: string) => other.ask('ConfigPublishRequest', { ...ID, content });

      expect((await client.call('configGet', ID)) ?? '').toBe('');
      expect(await client.call('configPublish', { ...ID, content: 'one' })).toBe(true);
      const { body } = await other.ask('ConfigQueryRequest', ID);
      expect(body).toMatchObject({ content: 'one' });
      expect(await client.call('configGet', ID)).toBe('one');

      const swap = async (content: string, casMd5: string) =>
        // Some say no, and others make it an error.
        (await client.call('configPublish', { ...ID, content, casMd5 }).catch(() => false)) === true;
      expect(await swap('two', 'no such md5')).toBe(false);
      expect(await swap('two', body.md5)).toBe(true);
      expect((await other.ask('ConfigQueryRequest', ID)).body).toMatchObject({ content: 'two' });

      await client.call('configListen', ID);
      // Some begin to listen some seconds later, and one misses what changes in the moment that it does.
      let round = 0;
      await expect
        .poll(
          async () => {
            await publish(`round ${++round}`);
            return client.events.some(({ event, content }) => event === 'config' && /^round \d+$/.test(String(content)));
          },
          { timeout: 60_000, interval: 2_000 },
        )
        .toBe(true);
      expect(await client.call('configRemove', ID)).toBe(true);
      expect((await other.ask('ConfigQueryRequest', ID)).body).toMatchObject({ errorCode: 300 });
    },
  );
});

/** The services of which the client was told, after its first `count` events, that they had nobody. */
function emptied({ events }: Driver, count = 0): unknown[] {
  return events.slice(count).filter(({ instances }) => Array.isArray(instances) && instances.length === 0);
}
