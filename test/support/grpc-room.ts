import { pino } from 'pino';
import { Configs } from '../../src/nacos/configs.ts';
import type { Connection } from '../../src/nacos/grpc/connection.ts';
import { Connections } from '../../src/nacos/grpc/connections.ts';
import { ListenedConfigs } from '../../src/nacos/grpc/listened-configs.ts';
import { Subscribers } from '../../src/nacos/grpc/subscribers.ts';
import { Naming } from '../../src/nacos/naming.ts';
import { Switches } from '../../src/nacos/switches.ts';
import { Registry } from '../../src/registry/registry.ts';
import type { Peer } from '../../src/wire/exchange.ts';
import { LIMITS } from './limits.ts';
import { ManualScheduler } from './scheduler.ts';

export const SETUP = { clientVersion: 'Test:v1', labels: {}, negotiates: false };

/** What the calls over gRPC work on, with nothing in it and no socket, and the time that the test moves. Pushes go at once. */
export function grpcRoom({ graceMs = 0, log = pino({ enabled: false }) } = {}) {
  const scheduler = new ManualScheduler();
  const { now } = scheduler;
  const timing = { scheduler, now, wallClock: () => 1_000 + now(), delayMs: 0 };
  const registry = new Registry(now, { graceMs });
  const switches = new Switches();
  const connections = new Connections({ ...timing, registry, limits: LIMITS, log });
  const configs = new Configs({ ...timing, limits: LIMITS });
  const subscribers = new Subscribers({ ...timing, registry, connections, switches, limits: LIMITS });
  const listenedConfigs = new ListenedConfigs({ ...timing, configs, connections, limits: LIMITS });
  const naming = new Naming({ ...timing, registry, switches, limits: LIMITS });
  /** The names of the peers that were cut, in that order. */
  const cut: string[] = [];
  const peer = (name: string, ip = '127.0.0.1'): Peer => ({ connection: { name }, ip, port: 1, cut: () => void cut.push(name) });
  const join = (name = 'a'): Connection => {
    const connection = connections.setUp(peer(name), SETUP, () => {});
    if (connection === undefined) throw new Error('refused');
    return connection;
  };
  const limits = LIMITS;
  return {
    scheduler,
    registry,
    switches,
    connections,
    configs,
    subscribers,
    listenedConfigs,
    naming,
    limits,
    log,
    cut,
    peer,
    join,
  };
}
