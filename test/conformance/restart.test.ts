import { setMaxListeners } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, expect, it } from 'vitest';
import { WATCHING_CLIENTS } from '../support/health-clients.ts';
import { fixedPorts } from '../support/ports.ts';
import { type Process, startProcess } from '../support/process.ts';
import type { Driver } from './driver.ts';
import { at, IP, present } from './estate.ts';
import { type Clients, NACOS_1_CLIENTS, NACOS_2_CLIENTS, startClients } from './nacos-clients.ts';

const dir = mkdtempSync(join(tmpdir(), 'beatbridge-restart-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** Of each client over gRPC there are so many, ten for a hundred of them where the machine bears it; each registers in so many services. */
const COPIES = Number(process.env.RESTART_COPIES ?? 2);
const SERVICES_EACH = 5;
/** The slowest client over gRPC looks every 30 s whether its connection lives. */
const BACK_WITHIN_MS = 60_000;

const servicesOf = (name: string) => Array.from({ length: SERVICES_EACH }, (_, i) => `kept-${i}-by-${name}`);

it('no Watch, no list and no subscriber of a real client notices that beatbridge is killed and started again', {
  timeout: 600_000,
}, async () => {
  const args = [...(await fixedPorts()), '--data-dir', dir];
  await using before = await startProcess(args);
  await using copies = await startCopies(before);
  const clients = copies.all;
  const names = clients.map(([name]) => name);
  // One client after the other: a hundred at once have no time to answer each other on a small machine, and some give up.
  for (const [name, client] of clients)
    for (const service of servicesOf(name)) await client.call('register', { service, ip: IP, port: 8080 });
  for (const [i, [, client]] of clients.entries()) {
    // Each looks at the services of the one before it.
    for (const service of servicesOf(names.at(i - 1) ?? '')) {
      await client.call('subscribe', { service });
      await client.told(service, (instances) => present(at(instances, 8080)));
    }
  }
  const services = names.flatMap(servicesOf);
  const watches = watchAll(before.listeners.health, services);
  await expect.poll(() => watches.told.size).toBe(services.length);
  const told = new Map(clients.map(([name, client]) => [name, client.events.length]));

  // What nobody waits for is on disk a second later.
  await pause(2_000);
  await before.stop('SIGKILL');
  await using after = await startProcess(args);
  // Nobody is remembered any more then: who is here has come back.
  await pause(BACK_WITHIN_MS);
  await watches.end();
  expect(watches.wrong).toEqual([]);
  for (const [name, client] of clients) expect(emptied(client, told.get(name)), `told to ${name}`).toEqual([]);
  // All are back, and those who subscribe are pushed to.
  await Promise.all(
    clients.map(async ([name, client]) => {
      const [service = ''] = servicesOf(name);
      await client.call('register', { service, ip: IP, port: 8081 });
    }),
  );
  await Promise.all(
    clients.map(([, client], i) => client.told(servicesOf(names.at(i - 1) ?? '')[0] ?? '', (all) => present(at(all, 8081)))),
  );
  expect(await after.stop('SIGTERM')).toBe(0);
  console.log(`${clients.length} clients in ${services.length} services: ${names.join(' ')}`);
});

async function startCopies(server: Process) {
  const started: Clients[] = [];
  for (let copy = 0; copy < COPIES; copy++)
    started.push(await startClients(copy === 0 ? { ...NACOS_1_CLIENTS, ...NACOS_2_CLIENTS } : NACOS_2_CLIENTS, server.listeners));
  return {
    all: started.flatMap(({ all }, copy) => all.map(([name, driver]): [string, Driver] => [`${name}-${copy}`, driver])),
    async [Symbol.asyncDispose]() {
      for (const clients of started) await clients[Symbol.asyncDispose]();
    },
  };
}

/** Watches each of them, and again when the call has ended: whatever is told but SERVING is wrong. */
function watchAll(address: string, services: readonly string[]) {
  const ended = new AbortController();
  // Each of them listens to the end.
  setMaxListeners(0, ended.signal);
  const told = new Set<string>();
  const wrong: string[] = [];
  const watching = services.map(async (service) => {
    while (!ended.signal.aborted) {
      using own = WATCHING_CLIENTS['gRPC (grpc-js)'](address);
      try {
        for await (const status of own.watch(service, ended.signal)) {
          told.add(service);
          if (status !== 'SERVING') wrong.push(`${service} is ${status}`);
        }
      } catch {
        // It has ended with the server.
      }
      await pause(50);
    }
  });
  return {
    told,
    wrong,
    async end() {
      ended.abort();
      await Promise.all(watching);
    },
  };
}

/** The services of which the client was told, after its first `count` events, that they had nobody. */
function emptied({ events }: Driver, count = 0): unknown[] {
  return events.slice(count).filter(({ instances }) => Array.isArray(instances) && instances.length === 0);
}
