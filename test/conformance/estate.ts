import { createServer } from 'node:net';
import { expect } from 'vitest';
import { HEALTH_CLIENTS } from '../support/health-clients.ts';
import { freePorts } from '../support/ports.ts';
import { type Process, startProcess } from '../support/process.ts';
import { register } from '../support/server.ts';
import type { SeenInstance } from './driver.ts';
import { NACOS_CLIENTS, type Started } from './nacos-clients.ts';

/** What the suites about Nacos clients share: whom clients see, and when all of them do. */

/**
 * Stands in every list, so that none is ever empty: the clients of npm and Go take no empty list for true. Persistent, so that it
 * needs no beats, where no check looks unless it is told to, and with no share of the load, so that what health says is about the
 * others.
 */
export const BYSTANDER = { ip: '127.0.0.99', port: 99, ephemeral: 'false', weight: 0 };
export const IP = '10.0.0.1';

export type Condition = (instance: SeenInstance | undefined) => boolean;
export const present: Condition = (instance) => instance?.healthy === true;
export const unhealthy: Condition = (instance) => instance?.healthy === false;
export const absent: Condition = (instance) => instance === undefined;

export const at = (instances: readonly SeenInstance[], port: number) => instances.find((instance) => instance.port === port);

export async function subscribe(clients: readonly Started[], service: string): Promise<void> {
  await Promise.all(
    clients.map(async ([, client]) => {
      await client.call('subscribe', { service });
      await client.told(service, (instances) => at(instances, BYSTANDER.port) !== undefined);
    }),
  );
}

/** Makes a service known that has nobody to call yet, and subscribes to it. */
export async function open(
  bridge: Process,
  service: string,
  subscribers: readonly Started[],
  health: ReturnType<typeof healthOf>,
): Promise<void> {
  expect(await health.next()).toBe('SERVICE_UNKNOWN');
  await register(bridge, service, BYSTANDER);
  await health.becomes('NOT_SERVING');
  await subscribe(subscribers, service);
}

/** Every one of the subscribers is told it, and is answered it when it asks. */
export async function allSee(
  subscribers: readonly Started[],
  service: string,
  port: number,
  condition: Condition,
): Promise<void> {
  await Promise.all(
    subscribers.map(async ([name, client]) => {
      await client.told(service, (instances) => condition(at(instances, port)));
      const listed = await client.instances(service, NACOS_CLIENTS[name]?.uncached);
      expect(at(listed, port), `listed by ${name}`).toSatisfy(condition);
    }),
  );
}

/** What health says of a service: the messages of a Watch in their order, none left out, and Check saying the same. */
export function healthOf(bridge: Process, service: string) {
  const client = HEALTH_CLIENTS['gRPC (grpc-js)'](bridge.listeners.health);
  const messages = client.watch(service, new AbortController().signal)[Symbol.asyncIterator]();
  const next = async (): Promise<string | undefined> => (await messages.next()).value;
  const is = async (status: string) => expect(await client.check(service)).toBe(status);
  const becomes = async (status: string) => {
    expect(await next()).toBe(status);
    await is(status);
  };
  return { next, is, becomes, [Symbol.dispose]: () => client[Symbol.dispose]() };
}

/** The same, with the second 1,000 above the first, and a third. */
export async function freePortsOfNacos(): Promise<readonly [main: number, grpc: number, health: number]> {
  for (;;) {
    const [main = 0, health = 0] = await freePorts(2);
    const grpc = main + 1_000;
    if (grpc < 65_536 && (await isFree(grpc))) return [main, grpc, health];
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const holder = createServer();
    holder.once('error', () => resolve(false));
    holder.listen(port, '127.0.0.1', () => holder.close(() => resolve(true)));
  });
}

/**
 * A process that can come back where it was. Its gRPC side is 1,000 above the port that clients are given: dubbo-go looks for it there, and
 * nowhere else.
 */
export async function startBridge(ports?: readonly [main: number, grpc: number, health: number]) {
  const [main, grpc, health] = ports ?? (await freePortsOfNacos());
  const args = ['--host', '127.0.0.1', '--port', `${main}`, '--grpc-port', `${grpc}`, '--health-port', `${health}`];
  return { ...(await startProcess(args)), ports: [main, grpc, health] as const };
}
