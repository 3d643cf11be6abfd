import type { Family, Sample } from './exposition.ts';
import type { Happenings } from './happenings.ts';
import type { Sources } from './sources.ts';
import type { Standing, Standings } from './standings.ts';

/** Everything that is told of the bridge and of who is registered in it: a row each, beside what it is read from. */
export interface ToldFamily extends Family {
  readonly read: (world: World) => Iterable<Sample>;
}

/** What there is to be read in one scrape. */
export interface World extends Sources {
  readonly happenings: Happenings;
  readonly standings: Standings;
  /** Those services that are told of one by one. */
  readonly chosen: readonly Standing[];
  readonly maxMetricServices: number;
  /** Undefined where the system does not say. */
  readonly openDescriptors: number | undefined;
  /** Milliseconds since 1970. */
  readonly at: number;
}

type Row = readonly [name: string, labels: readonly string[], help: string, read: ToldFamily['read']];

const SERVICE = ['namespace', 'group', 'service'];

const gauge = ([name, labels, help, read]: Row): ToldFamily => ({ name, type: 'gauge', labels, help, read });
const counter = ([name, labels, help, read]: Row): ToldFamily => ({ name, type: 'counter', labels, help, read });
const histogram = ([name, labels, help, read]: Row): ToldFamily => ({ name, type: 'histogram', labels, help, read });

/** One value, without labels. */
const one = (value: number | undefined): readonly Sample[] => (value === undefined ? [] : [{ value }]);

const counts = (entries: Iterable<readonly [string, number]>): readonly Sample[] =>
  Array.from(entries, ([label, value]) => ({ labels: [label], value }));

const OF_SERVICES: readonly ToldFamily[] = [
  gauge([
    'beatbridge_service_serving',
    SERVICE,
    '1 while the service is SERVING, 0 while it is not',
    ({ chosen }) => lazily(chosen, (each) => [{ labels: labelsOf(each), value: Number(each.isServing) }]),
  ]),
  gauge([
    'beatbridge_service_since_seconds',
    SERVICE,
    'For how many seconds the service has been what it is; at most since the start',
    ({ chosen, at }) => lazily(chosen, (each) => [{ labels: labelsOf(each), value: Math.max(0, at - each.since) / 1_000 }]),
  ]),
  gauge([
    'beatbridge_service_instances',
    [...SERVICE, 'state'],
    'Instances of the service: available, unavailable (healthy, but disabled or of weight 0), unhealthy',
    ({ chosen, registry }) => lazily(chosen, (each) => instancesOf(each, registry)),
  ]),
  gauge(['beatbridge_services', ['status'], 'Services that are known: serving, not_serving', servicesByStatus]),
  gauge([
    'beatbridge_service_series_limit',
    [],
    'How many services at most have series of their own (--max-metric-services)',
    ({ maxMetricServices }) => one(maxMetricServices),
  ]),
  gauge([
    'beatbridge_services_without_series',
    [],
    'Services that have no series of their own, as there are more than may have: of those that serve, the ones that have not changed for longest',
    ({ chosen, standings }) => one(Math.max(0, standings.count - chosen.length)),
  ]),
  gauge(['beatbridge_instances', [], 'Instances that are registered', ({ registry }) => one(registry.instanceCount)]),
];

const OF_EVENTS: readonly ToldFamily[] = [
  counter([
    'beatbridge_transitions_total',
    ['to', 'cause'],
    'How often a service became serving, not-serving or unknown, by the cause',
    ({ happenings }) => Array.from(happenings.transitions, ([key, value]) => ({ labels: key.split(' '), value })),
  ]),
  counter([
    'beatbridge_events_total',
    ['cause'],
    'Records of what happened, by the cause; what happened to many at once is one',
    ({ happenings }) => counts(happenings.events),
  ]),
  counter([
    'beatbridge_event_instances_total',
    ['cause'],
    'Instances to whom it happened, by the cause',
    ({ happenings }) => counts(happenings.instances),
  ]),
  counter([
    'beatbridge_webhook_total',
    ['result'],
    'Messages to webhooks that were taken, failed (and go again) or refused; and events that were missed or dropped',
    ({ taps }) => counts(taps.webhooks),
  ]),
];

const OF_BEATS: readonly ToldFamily[] = [
  counter([
    'beatbridge_beats_total',
    ['result'],
    'Beats over HTTP: of instances that are known, registering one that was not, unknown',
    ({ taps }) => counts(Object.entries(taps.beats)),
  ]),
  gauge([
    'beatbridge_beats_expected',
    [],
    'Instances that live by their beats: each is to send one in its interval, of 5 s unless it says another',
    ({ registry }) => one(registry.records.beatingCount),
  ]),
  histogram([
    'beatbridge_beat_lateness_seconds',
    [],
    'By how much beats came later than the interval after the one before',
    ({ taps }) => [{ value: taps.beatLateness }],
  ]),
  histogram([
    'beatbridge_sweep_seconds',
    [],
    'How long each look for what silence has made due took',
    ({ taps }) => [{ value: taps.sweeps }],
  ]),
];

const OF_CONNECTIONS: readonly ToldFamily[] = [
  gauge([
    'beatbridge_connections',
    ['kind'],
    'Connections: nacos (of a client of Nacos 2.x or 3.x), http2 (any other), http1 (and those that have said nothing yet)',
    ({ connections }) => counts(Object.entries(connections())),
  ]),
  counter([
    'beatbridge_connections_ended_total',
    ['reason'],
    'Connections of Nacos 2.x and 3.x that have ended, by the reason',
    ({ connectionsEnded }) => counts(connectionsEnded()),
  ]),
  gauge(['beatbridge_watch_streams', [], 'Watches of health that are open', ({ watches }) => one(watches.count)]),
  histogram([
    'beatbridge_watch_notify_seconds',
    [],
    'From a change of a status until a watch was sent it',
    ({ taps }) => [{ value: taps.watchNotify }],
  ]),
  counter([
    'beatbridge_pushes_total',
    ['transport', 'result'],
    'Lists pushed to subscribers, over grpc and udp: sent, acknowledged, failed',
    ({ ofNacos }) =>
      Object.entries(ofNacos().pushes).flatMap(([transport, results]) =>
        Object.entries(results).map(([result, value]) => ({ labels: [transport, result], value })),
      ),
  ]),
];

const OF_THE_BRIDGE: readonly ToldFamily[] = [
  gauge([
    'beatbridge_serving',
    [],
    '1 while the bridge itself is to be asked, 0 while it drains',
    (world) => one(Number(world.isServing())),
  ]),
  gauge([
    'beatbridge_build_info',
    ['version'],
    '1, with the version as a label',
    ({ version }) => [{ labels: [version], value: 1 }],
  ]),
  gauge([
    'beatbridge_limit_used_ratio',
    ['limit'],
    'How much of each limit in all is used: 1 is all of it',
    ({ uses }) => uses().map(({ name, used, most }) => ({ labels: [name], value: most === 0 ? 1 : used / most })),
  ]),
  counter(['beatbridge_refused_total', ['limit'], 'What was refused or ended for a limit', ({ refused }) => counts(refused())]),
  counter([
    'beatbridge_stalls_total',
    [],
    'How often nobody could be heard for more than 2 s: the process was stopped, or its event loop blocked',
    ({ taps }) => one(taps.stalls.counts.reduce((sum, count) => sum + count, 0)),
  ]),
  histogram(['beatbridge_stall_seconds', [], 'How long these lasted', ({ taps }) => [{ value: taps.stalls }]]),
  gauge([
    'beatbridge_store_failing',
    [],
    '1 while what is to survive a restart cannot be written',
    ({ isStoreFailing }) => one(Number(isStoreFailing())),
  ]),
  gauge([
    'beatbridge_certificate_expiry_timestamp_seconds',
    [],
    'When the certificate of TLS ends, in seconds since 1970; left out where no TLS is spoken',
    ({ certificateEndsAt }) => one(inSeconds(certificateEndsAt())),
  ]),
  gauge([
    'process_open_fds',
    [],
    'Descriptors that the process has open: files and sockets',
    ({ openDescriptors }) => one(openDescriptors),
  ]),
];

export const OURS: readonly ToldFamily[] = [...OF_SERVICES, ...OF_EVENTS, ...OF_BEATS, ...OF_CONNECTIONS, ...OF_THE_BRIDGE];

/** There may be many: each is read when it is written. */
function* lazily(chosen: readonly Standing[], samplesOf: (each: Standing) => readonly Sample[]): IterableIterator<Sample> {
  for (const each of chosen) yield* samplesOf(each);
}

function inSeconds(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : ms / 1_000;
}

function labelsOf({ service: { namespace, group, name } }: Standing): readonly string[] {
  return [namespace, group, name];
}

function servicesByStatus({ standings: { count, servingCount } }: World): readonly Sample[] {
  return counts([
    ['serving', servingCount],
    ['not_serving', count - servingCount],
  ]);
}

/** None of one that was forgotten a moment ago. */
function instancesOf(standing: Standing, registry: World['registry']): readonly Sample[] {
  const tally = registry.tally(standing.service);
  if (tally === undefined) return [];
  const { total, healthy, available } = tally;
  const states = { available, unavailable: healthy - available, unhealthy: total - healthy };
  return Object.entries(states).map(([state, value]) => ({ labels: [...labelsOf(standing), state], value }));
}
