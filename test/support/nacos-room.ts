import { pino } from 'pino';
import { Configs } from '../../src/nacos/configs.ts';
import { Connections } from '../../src/nacos/connections.ts';
import type { NacosRoom } from '../../src/nacos/instances.ts';
import { Pusher } from '../../src/nacos/push.ts';
import { Subscribers } from '../../src/nacos/subscribers.ts';
import { Switches } from '../../src/nacos/switches.ts';
import { Registry } from '../../src/registry/registry.ts';

/** What the Nacos calls work on, with nothing in it and no socket. */
export function emptyRoom(): NacosRoom {
  const registry = new Registry(() => 0);
  const switches = new Switches();
  const wallClock = () => 0;
  const log = pino({ enabled: false });
  const pusher = new Pusher({ registry, switches, delayMs: 0, now: () => 0, wallClock, log });
  const connections = new Connections({ registry, now: () => 0, wallClock, log });
  const timing = { delayMs: 0, graceMs: 0, now: () => 0, wallClock };
  const subscribers = new Subscribers({ registry, connections, switches, ...timing });
  const configs = new Configs(connections, wallClock);
  return { registry, switches, pusher, connections, subscribers, configs, wallClock, pushToClientIp: false };
}
