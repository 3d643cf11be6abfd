import { AskedOverHttp } from '../access/asked-over-http.ts';
import { consolePaths } from '../console/console.ts';
import type { Listening, Reception, Sources } from '../console/sources.ts';
import { CAUSES } from '../events/causes.ts';
import { Past } from '../events/past.ts';
import { timeSaid } from '../events/query.ts';
import type { EventRecord } from '../events/record.ts';
import { viewOf } from '../events/view.ts';
import { explainedOf, whyOf } from '../health/explained.ts';
import { failingOf, goneOf } from '../health/failing.ts';
import { selectAll, writeHealthName } from '../health/names.ts';
import { resolvedOf } from '../health/resolved.ts';
import { without } from '../health/status.ts';
import { HOME } from '../nacos/rules.ts';
import { nacosSettingsOf } from '../nacos/settings.ts';
import type { Options } from '../options.ts';
import type { Serve } from '../wire/exchange.ts';
import { bridgeSourceOf } from './console-bridge.ts';
import { clientsSourceOf } from './console-clients.ts';
import { operationsFor } from './console-operations.ts';
import type { Door } from './door.ts';
import type { House } from './house.ts';
import type { OptionRow } from './option-rows.ts';
import type { Rooms } from './rooms.ts';
import { readVersion } from './version.ts';
import { comersFor, lookersFor } from './visitors.ts';

/** What the console is shown of the rooms, and where it is. A meeting point of siblings: it decides nothing itself. */
export function consoleFor(
  house: House,
  rooms: Rooms,
  told: ToldOfProcess = { ports: () => undefined, optionRows: () => [] },
): ((path: string) => Serve | undefined) | undefined {
  const roots = rootsOf(house.options);
  return roots.length === 0 ? undefined : consolePaths({ ...sourcesOf(house, rooms, told), roots });
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

/** Those that are open; undefined until all are. */
export type PortsNow = () => Omit<Listening, 'tlsOnly'> | undefined;

/** What only the server as a whole knows of itself. */
export interface ToldOfProcess {
  readonly ports: PortsNow;
  /** What it was told, and by whom. */
  readonly optionRows: () => readonly OptionRow[];
}

function sourcesOf(house: House, rooms: Rooms, { ports, optionRows }: ToldOfProcess): Sources {
  const { watches, nacos, events, door } = rooms;
  const { options, registry, machineTime } = house;
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
    reception: receptionOf(house, door),
    operations: operationsFor(house, rooms),
    health: healthSourceOf(house, rooms, past),
    events: eventsSourceOf(rooms.events, machineTime),
    watches: {
      count: () => watches.count,
      countOf: (service) => watches.countOf(service),
      *of(service) {
        for (const { name, ip } of watches.of(service)) yield { name: name === 'bridge' ? '' : writeHealthName(name, HOME), ip };
      },
    },
    listening: () => {
      const listeners = ports();
      return listeners && { ...listeners, tlsOnly: options.tlsOnly };
    },
    clients: clientsSourceOf(nacos),
    bridge: bridgeSourceOf(house, rooms, { listeners: ports, optionRows }),
    nacos: {
      connectionCount: () => connections.count,
      subscriberCount: () => clients.subscriberCount,
      subscriberCountOf: (service) => clients.subscriberCountOf(service),
      subscribersOf: (service) => clients.subscribersOf(service),
      settingsOf: (service) => nacosSettingsOf(registry, service),
      holderOf: (service, instance) => clients.holderOf(service, instance),
    },
  };
}

function healthSourceOf({ registry, options }: House, { health }: Rooms, past: Past): Sources['health'] {
  return {
    statusOf: (service) => health.statusOf(selectAll(service)),
    countsOf: (service) => health.countsOf(service),
    without: (service, fewer) => without(registry.tally(service), fewer, health.minAvailableOf(service)),
    explain: (service, most) => explainedOf(health, service, most, past),
    failing: (service, failing) =>
      failingOf({ service, failing, heardOf: (at) => registry.heardOf(service, at), isShown: true }, failing.length, past),
    gone: (service) => goneOf(service, health.statusOf(selectAll(service)) === 'serving', past),
    why: (service) => whyOf(health, service),
    nameOf: (service) => writeHealthName(selectAll(service), HOME),
    resolve: (text) => resolvedOf(health, text),
    needsLogin: options.healthAuth,
    onService: (listener) => health.onService(listener),
  };
}

function eventsSourceOf({ history }: Rooms['events'], wallClock: () => number): Sources['events'] {
  return {
    lastSeq: () => history.lastSeq,
    oldestSeq: () => history.oldestSeq,
    after: (seq) => history.after(seq),
    latest: () => history.latest(),
    lastOf: (service) => history.lastOf(service),
    standingOf: (service) => history.standingOf(service),
    onEvent: (listener) => history.onEvent(listener),
    // Whatever is asked for has come from the history.
    viewOf: (happened, most) => viewOf(shortened(happened as EventRecord, most)),
    causes: Object.keys(CAUSES),
    timeSaid: (text) => timeSaid(text, wallClock()),
  };
}

function receptionOf({ machineTime, options }: House, { access }: Door): Reception {
  return {
    version: readVersion(),
    startedAt: machineTime(),
    auth: options.auth,
    whoComes: comersFor(access),
    login: (req, pair) => access.login(new AskedOverHttp(req, { ownParams: true, example: 'login' }), pair),
    admitOperator: (req) => access.admit('operate', new AskedOverHttp(req, { isScoped: true, example: 'console: an action' })),
  };
}

/** How many there are is still said. */
function shortened(record: EventRecord, most = Number.POSITIVE_INFINITY): EventRecord {
  const { instances = [], count = instances.length } = record;
  return instances.length <= most ? record : { ...record, instances: instances.slice(0, most), count };
}
