import { consolePaths } from '../console/console.ts';
import type { Happened, Sources } from '../console/sources.ts';
import { Past } from '../events/past.ts';
import type { EventRecord } from '../events/record.ts';
import { viewOf } from '../events/view.ts';
import { explainedOf } from '../health/explained.ts';
import { failingOf } from '../health/failing.ts';
import { selectAll } from '../health/names.ts';
import { without } from '../health/status.ts';
import { HOME } from '../nacos/rules.ts';
import type { Options } from '../options.ts';
import type { Serve } from '../wire/exchange.ts';
import { clientsSourceOf } from './console-clients.ts';
import type { House } from './house.ts';
import type { Rooms } from './rooms.ts';
import { lookersFor } from './visitors.ts';

/** What the console is shown of the rooms, and where it is. A meeting point of siblings: it decides nothing itself. */
export function consoleFor(house: House, rooms: Rooms): ((path: string) => Serve | undefined) | undefined {
  const roots = rootsOf(house.options);
  return roots.length === 0 ? undefined : consolePaths({ ...sourcesOf(house, rooms), roots });
}

/** Where Nacos has its own, and where one looks first. */
function rootsOf({ console: place, contextPath }: Options): readonly string[] {
  if (place === 'none') return [];
  const roots = place === 'auto' ? ['/nacos/', withSlash(contextPath), '/'] : [withSlash(place)];
  // The longest first: the others begin like it.
  return [...new Set(roots)].sort((a, b) => b.length - a.length);
}

function withSlash(path: string): string {
  return path.endsWith('/') ? path : `${path}/`;
}

function sourcesOf(house: House, { health, watches, nacos, events, door }: Rooms): Sources {
  const { registry, machineTime } = house;
  const { history, streams } = events;
  const past = new Past(history, machineTime);
  const { connections, clients } = nacos.rooms;
  return {
    ...house,
    registry,
    wallClock: machineTime,
    streams,
    shutdown: house.shutdown.signal,
    readerOf: lookersFor(door.access, house),
    health: {
      statusOf: (service) => health.statusOf(selectAll(service)),
      countsOf: (service) => health.countsOf(service),
      without: (service, fewer) => without(registry.tally(service), fewer, health.minAvailableOf(service)),
      explain: (service, most) => explainedOf(health, service, most, past),
      failing: (service, failing) =>
        failingOf({ service, failing, heardOf: (address) => registry.heardOf(service, address) }, failing.length, past),
      onService: (listener) => health.onService(listener),
    },
    events: {
      lastSeq: () => history.lastSeq,
      oldestSeq: () => history.oldestSeq,
      after: (seq) => history.after(seq),
      latest: () => history.latest(),
      lastOf: (service) => history.lastOf(service),
      standingOf: (service) => history.standingOf(service),
      onEvent: (listener) => history.onEvent(listener),
      // Whatever is asked for has come from the history.
      viewOf: (happened: Happened) => viewOf(happened as EventRecord),
    },
    home: HOME,
    clients: clientsSourceOf(nacos),
    watches: { count: () => watches.count, countOf: (service) => watches.countOf(service) },
    nacos: {
      connectionCount: () => connections.count,
      subscriberCount: () => clients.subscriberCount,
      subscriberCountOf: (service) => clients.subscriberCountOf(service),
      holderOf: (service, instance) => clients.holderOf(service, instance),
    },
  };
}
