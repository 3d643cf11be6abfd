import { Gathering } from '../../src/events/gathering.ts';
import { History } from '../../src/events/history.ts';
import type { Counts, EventRecord } from '../../src/events/record.ts';
import { Registry } from '../../src/registry/registry.ts';
import type { ServiceName } from '../../src/registry/service-name.ts';
import { ManualScheduler } from './scheduler.ts';

export const ORDERS: ServiceName = { namespace: 'public', group: 'G', name: 'orders' };
export const SHOP: ServiceName = { namespace: 'public', group: 'G', name: 'shop' };
export const SAID = { cluster: 'DEFAULT', ephemeral: true, healthy: true, weight: 1, enabled: true, metadata: {} };
export const at = (host: number, port = 80) => ({ ip: `10.0.${host >> 8}.${host & 255}`, port });
export const BY = { peer: '10.9.9.9', agent: 'Nacos-Java-Client:v2.5.1', connection: '1_10.9.9.9_5' };

/** A registry, and what is told of it, with a clock that is moved by hand. */
export function eventsRoom() {
  const scheduler = new ManualScheduler();
  const registry = new Registry(scheduler.now);
  const wallClock = () => 1_000_000 + scheduler.now();
  const history = new History({
    maxEvents: 10_000,
    maxEventsOfService: 20,
    wallClock,
    onListenerError: (error) => {
      throw error;
    },
  });
  const countsOf = (service: ServiceName): Counts | undefined => {
    const tally = registry.tally(service);
    return tally && { available: tally.available, total: tally.total, needed: 1 };
  };
  const standingOf = (service: ServiceName) => {
    const counts = countsOf(service);
    return counts === undefined ? 'unknown' : counts.available >= counts.needed ? 'serving' : 'not-serving';
  };
  const gathering = new Gathering({
    registry,
    history,
    scheduler,
    wallClock,
    standingOf,
    countsOf,
    onStanding: (run) => registry.onChange(run),
  });
  const told: EventRecord[] = [];
  history.onEvent((record) => told.push(record));
  const turn = () => {
    scheduler.advance(0);
    return told.splice(0);
  };
  return { scheduler, registry, history, gathering, turn };
}
