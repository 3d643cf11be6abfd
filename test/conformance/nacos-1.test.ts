import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePorts } from '../support/ports.ts';
import { type Process, startProcess } from '../support/process.ts';
import { nacos, register } from '../support/server.ts';
import { absent, allSee, at, BYSTANDER, healthOf, IP, open, present, subscribe, unhealthy } from './estate.ts';
import { type Clients, NACOS_1_CLIENTS, startClient, startClients } from './nacos-clients.ts';
import { withoutUdp } from './without-udp.ts';

/** There is no client of another kind to see anything. */
const alone = Object.values(NACOS_1_CLIENTS).filter(({ command }) => command !== undefined).length < 2;

/** What a client may do, and what the others see thereafter. */
const COMING_AND_GOING = [
  ['register', present],
  ['deregister', absent],
] as const;

describe.concurrent('among all the others', () => {
  let bridge: Process;
  let clients: Clients;
  const running: AsyncDisposable[] = [];
  beforeAll(async () => {
    bridge = await startProcess();
    running.push(bridge);
    clients = await startClients(NACOS_1_CLIENTS, bridge.listeners);
    running.push(clients);
  });
  afterAll(async () => {
    await Promise.all(running.map((process) => process[Symbol.asyncDispose]()));
  });

  describe.each(Object.entries(NACOS_1_CLIENTS))('%s', (name, { command, edits, silence }) => {
    // No toolchain for it: skipped then, and named by `tools.ts`; with INTEROP=all that fails the run.
    const missing = command === undefined;
    const others = () => clients.others(name);
    const instanceOf = (service: string) => ({ service, ip: IP, port: 8080, metadata: { ...silence, colour: 'red' } });

    it.skipIf(missing)('registers, stays by its beats and deregisters, as all the others see', async () => {
      const instance = instanceOf(`lives-${name}`);
      const { service, port } = instance;
      using health = healthOf(bridge, service);
      await open(bridge, service, others(), health);

      await clients.the(name).call('register', instance);
      await health.becomes('SERVING');
      await allSee(others(), service, port, (seen) => present(seen) && seen?.weight === 1 && seen.metadata.colour === 'red');

      // Longer than silence would be forgiven: only its beats can have kept it.
      await pause(Number(silence['preserved.heart.beat.timeout']) + 2_000);
      await allSee(others(), service, port, present);
      await health.is('SERVING');

      await clients.the(name).call('deregister', instance);
      await health.becomes('NOT_SERVING');
      await allSee(others(), service, port, absent);
    });

    // Not for a client that cannot: nothing is skipped then.
    if (edits)
      it.skipIf(missing)('edits its instance, as all the others see', async () => {
        const instance = instanceOf(`edited-${name}`);
        const { service, port } = instance;
        using health = healthOf(bridge, service);
        await open(bridge, service, others(), health);
        await clients.the(name).call('register', instance);
        await health.becomes('SERVING');
        await allSee(others(), service, port, present);

        await clients.the(name).call('update', { ...instance, weight: 3, metadata: { ...silence, colour: 'blue' } });
        await allSee(others(), service, port, (seen) => seen?.weight === 3 && seen.metadata.colour === 'blue');
        await health.is('SERVING');

        await clients.the(name).call('update', { ...instance, weight: 0 });
        await health.becomes('NOT_SERVING');
        await allSee(others(), service, port, (seen) => seen?.weight === 0 && seen.metadata.colour === 'red');
      });

    it.skipIf(missing)('is out for all as long as an operator says so, even when it registers again', async () => {
      const instance = instanceOf(`switched-${name}`);
      const { service, port } = instance;
      using health = healthOf(bridge, service);
      await open(bridge, service, others(), health);
      await clients.the(name).call('register', instance);
      await health.becomes('SERVING');
      await allSee(others(), service, port, present);
      const setEnabled = async (enabled: string) => {
        const response = await nacos(bridge, 'PATCH', '/instance', { serviceName: service, ip: IP, port, enabled });
        expect(response.status).toBe(200);
      };

      await setEnabled('false');
      await health.becomes('NOT_SERVING');
      await allSee(others(), service, port, absent);

      await clients.the(name).call('register', instance);
      // A later change, so that there is something to be told: had the registration shown, they would know by then.
      await register(bridge, service, { ...BYSTANDER, metadata: '{"later":"yes"}' });
      await allSee(others(), service, BYSTANDER.port, (seen) => seen?.metadata.later === 'yes');
      await allSee(others(), service, port, absent);
      await health.is('NOT_SERVING');

      await setEnabled('true');
      await health.becomes('SERVING');
      await allSee(others(), service, port, present);
    });

    it.skipIf(missing)('is marked unhealthy and removed when killed, and returns when started again', async () => {
      const instance = instanceOf(`killed-${name}`);
      const { service, port } = instance;
      using health = healthOf(bridge, service);
      await open(bridge, service, others(), health);
      await using first = await startClient(name, bridge.listeners);
      await first.call('register', instance);
      await health.becomes('SERVING');
      await allSee(others(), service, port, present);

      await first.kill();
      await health.becomes('NOT_SERVING');
      await allSee(others(), service, port, unhealthy);
      await allSee(others(), service, port, absent);
      await health.is('NOT_SERVING');

      await using second = await startClient(name, bridge.listeners);
      await second.call('register', instance);
      await health.becomes('SERVING');
      await allSee(others(), service, port, present);
    });
  });
});

it('every client recovers by itself when beatbridge is killed and started again', async () => {
  const [main, grpc, health] = await freePorts(3);
  const args = ['--host', '127.0.0.1', '--port', `${main}`, '--grpc-port', `${grpc}`, '--health-port', `${health}`];
  await using before = await startProcess(args);
  await using clients = await startClients(NACOS_1_CLIENTS, before.listeners);
  const serviceOf = (name: string) => `provided-by-${name}`;
  const instanceOf = (name: string, port: number) => {
    return { service: serviceOf(name), ip: IP, port, metadata: NACOS_1_CLIENTS[name]?.silence };
  };
  await Promise.all(
    clients.all.map(async ([name, client]) => {
      await register(before, serviceOf(name), BYSTANDER);
      await subscribe(clients.others(name), serviceOf(name));
      await client.call('register', instanceOf(name, 8080));
      await allSee(clients.others(name), serviceOf(name), 8080, present);
    }),
  );
  // The first beat of npm's client comes 10 s after its start.
  await pause(11_000);

  await before.stop('SIGKILL');
  // So long that every client tries in vain.
  await pause(2_500);
  await using after = await startProcess(args);
  const started = performance.now();
  await Promise.all(
    clients.all.map(async ([name, client]) => {
      using health = healthOf(after, serviceOf(name));
      const first = await health.next();
      expect(first === 'SERVICE_UNKNOWN' ? await health.next() : first).toBe('SERVING');
      // Two beats: npm's client waits 5 s after one that failed, the others 1 s.
      expect(performance.now() - started, name).toBeLessThan(7_000);
      await allSee(clients.others(name), serviceOf(name), 8080, present);

      // The first one stays meanwhile, so that the list is never empty.
      await client.call('register', instanceOf(name, 8081));
      await allSee(clients.others(name), serviceOf(name), 8081, present);
      await client.call('deregister', instanceOf(name, 8081));
      await allSee(clients.others(name), serviceOf(name), 8081, absent);
      await client.call('deregister', instanceOf(name, 8080));
      await health.becomes('NOT_SERVING');
    }),
  );
});

it.skipIf(alone)('a change by a client of one kind reaches subscribers of all others within a second', async () => {
  await using bridge = await startProcess();
  await using clients = await startClients(NACOS_1_CLIENTS, bridge.listeners);
  const pushedTo = (from: string) => clients.others(from).filter(([name]) => NACOS_1_CLIENTS[name]?.pushed);
  await register(bridge, 'pushed', BYSTANDER);
  await subscribe(pushedTo(''), 'pushed');
  const delays: { readonly from: string; readonly to: string; readonly ms: number }[] = [];
  // A client asks every 10 s: it could see one of these in time without a push, not eight. With all the kinds
  // they take longer than a subscription lasts that is not renewed.
  for (let round = 0; round < 4; round++) {
    for (const [op, condition] of COMING_AND_GOING) {
      for (const [i, [from, client]] of clients.all.entries()) {
        const port = 8080 + i;
        await client.call(op, { service: 'pushed', ip: IP, port });
        const returned = performance.now();
        await Promise.all(
          pushedTo(from).map(async ([to, other]) => {
            await other.told('pushed', (instances) => condition(at(instances, port)));
            delays.push({ from, to, ms: performance.now() - returned });
          }),
        );
        await pause(600);
      }
    }
  }
  expect(delays.filter(({ ms }) => ms >= 1_000)).toEqual([]);
});

it.skipIf(alone)('where no datagram comes through, changes reach subscribers of all kinds by polling', async () => {
  await using bridge = await startProcess();
  await using way = await withoutUdp(bridge.listeners.main);
  await using clients = await startClients(NACOS_1_CLIENTS, { ...bridge.listeners, main: way.address });
  await register(bridge, 'polled', BYSTANDER);
  await subscribe(clients.all, 'polled');
  for (const [op, condition] of COMING_AND_GOING) {
    await Promise.all(clients.all.map(([, client], i) => client.call(op, { service: 'polled', ip: IP, port: 8080 + i })));
    await Promise.all(clients.all.map(([name], i) => allSee(clients.others(name), 'polled', 8080 + i, condition)));
  }
  expect(way.swallowed).toBeGreaterThan(0);
  const pushes = await nacos(bridge, 'GET', '/operator/push/state', {});
  expect(await pushes.json()).toMatchObject({ succeed: 0 });
});
