import { join } from 'node:path';
import { expect, it } from 'vitest';
import { HEALTH_CLIENTS, WATCHING_CLIENTS } from '../support/health-clients.ts';
import { startProcess } from '../support/process.ts';
import { Driver } from './driver.ts';

const NPM_NACOS = [process.execPath, join(import.meta.dirname, 'clients/npm-nacos/driver.js')];
const WATCHERS = Object.entries(WATCHING_CLIENTS);

// This client's first beat comes some 10 s after the registration; then it beats as often as the server tells it.
const metadata = {
  'preserved.heart.beat.interval': '1000',
  'preserved.heart.beat.timeout': '12000',
  'preserved.ip.delete.timeout': '18000',
};
const instance = { service: 'orders', ip: '10.0.0.1', port: 8080, metadata };

it('the npm client registers, lists, keeps its instance alive by beats, and deregisters', async () => {
  await using bridge = await startProcess();
  await using client = await Driver.start(NPM_NACOS, bridge.listeners.main);
  using health = HEALTH_CLIENTS['gRPC (grpc-js)'](bridge.listeners.health);

  expect(await client.call('serverStatus')).toBe('UP');
  await client.call('register', instance);
  expect(await client.instances('orders')).toMatchObject([{ ip: '10.0.0.1', port: 8080, healthy: true, metadata }]);
  expect(await health.check('orders')).toBe('SERVING');

  // Longer than silence would be forgiven: only its beats can have kept it.
  await new Promise((resolve) => setTimeout(resolve, 14_000));
  expect(await client.instances('orders')).toMatchObject([{ healthy: true }]);
  expect(await health.check('orders')).toBe('SERVING');

  await client.call('deregister', instance);
  // Asked of the server: this client takes no empty list for true and keeps the one before.
  const list = await fetch(`http://${bridge.listeners.main}/nacos/v1/ns/instance/list?serviceName=orders`);
  expect(await list.json()).toMatchObject({ hosts: [] });
  expect(await health.check('orders')).toBe('NOT_SERVING');
});

it('an npm consumer is told that an instance is drained, and that it is back', async () => {
  await using bridge = await startProcess();
  await using provider = await Driver.start(NPM_NACOS, bridge.listeners.main);
  await using consumer = await Driver.start(NPM_NACOS, bridge.listeners.main);
  for (const port of [8080, 8081]) await provider.call('register', { ...instance, port });
  const ports = async () => (await consumer.instances('orders')).map(({ port }) => port).sort();
  await expect.poll(ports, SOON).toEqual([8080, 8081]);
  const drains = `http://${bridge.listeners.main}/drains/10.0.0.1:8080`;
  expect((await fetch(drains, { method: 'PUT' })).status).toBe(200);
  await expect.poll(ports, SOON).toEqual([8081]);
  expect((await fetch(drains, { method: 'DELETE' })).status).toBe(200);
  await expect.poll(ports, SOON).toEqual([8080, 8081]);
});

/** As far as a push may be lost: the client looks by itself then. */
const SOON = { timeout: 30_000 };

it('every watcher sees an npm provider come, die and return, each change once', async () => {
  await using bridge = await startProcess();
  const ended = new AbortController();
  const watching = WATCHERS.map(async ([name, connect]) => {
    using client = connect(bridge.listeners.health);
    const seen: string[] = [];
    try {
      for await (const status of client.watch('orders', ended.signal)) {
        seen.push(status);
        steps[seen.length - 1]?.arrived();
      }
    } catch {
      // Aborted by ourselves, at the end.
    }
    return { name, seen };
  });
  // One for each message: resolves when all the watchers have it.
  const steps = Array.from({ length: 4 }, () => {
    let missing = WATCHERS.length;
    let arrived = () => {};
    const all = new Promise<void>((resolve) => {
      arrived = () => (--missing === 0 ? resolve() : undefined);
    });
    return { all, arrived };
  });

  await steps[0]?.all;
  const provider = await Driver.start(NPM_NACOS, bridge.listeners.main);
  await provider.call('register', instance);
  await steps[1]?.all;
  await provider.kill();
  await steps[2]?.all;
  await using returned = await Driver.start(NPM_NACOS, bridge.listeners.main);
  await returned.call('register', instance);
  await steps[3]?.all;
  ended.abort();
  for (const { seen } of await Promise.all(watching))
    expect(seen).toEqual(['SERVICE_UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVING']);
});
