import { pino } from 'pino';
import type { NacosRoom } from '../../src/nacos/instances.ts';
import { Pusher } from '../../src/nacos/push.ts';
import { Switches } from '../../src/nacos/switches.ts';
import { Registry } from '../../src/registry/registry.ts';

/** What the Nacos calls work on, with nothing in it and no socket. */
export function emptyRoom(): NacosRoom {
  const registry = new Registry(() => 0);
  const switches = new Switches();
  const wallClock = () => 0;
  const pusher = new Pusher({ registry, switches, delayMs: 0, now: () => 0, wallClock, log: pino({ enabled: false }) });
  return { registry, switches, pusher, wallClock, pushToClientIp: false };
}
