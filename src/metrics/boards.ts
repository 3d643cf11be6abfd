import { CODES, type MethodCounts } from '../wire/call-counts.ts';
import type { Sample } from './exposition.ts';
import type { ToldFamily, World } from './families.ts';
import type { ByVersion } from './sources.ts';

/** What boards ask for that were not made for beatbridge: those for any server of gRPC, and those for Nacos. */

const METHOD = ['grpc_type', 'grpc_service', 'grpc_method'];

const OF_GRPC: readonly ToldFamily[] = [
  {
    name: 'grpc_server_started_total',
    type: 'counter',
    labels: METHOD,
    help: 'Calls that were begun, in whatever form: gRPC, gRPC-Web, Connect, Triple',
    read: ({ taps }) => Array.from(taps.calls.all(), (each) => ({ labels: labelsOf(each), value: each.started })),
  },
  {
    name: 'grpc_server_handled_total',
    type: 'counter',
    labels: [...METHOD, 'grpc_code'],
    help: 'Calls that have ended, by the code of gRPC; Canceled where the caller left before',
    read: ({ taps }) => [...taps.calls.all()].flatMap(handled),
  },
  {
    name: 'grpc_server_handling_seconds',
    type: 'histogram',
    labels: METHOD,
    help: 'How long calls took from their first byte to the end of their answer; of a stream, how long it was open. Of those answered at once one in 16 is measured',
    read: ({ taps }) => Array.from(taps.calls.all(), (each) => ({ labels: labelsOf(each), value: each.seconds })),
  },
];

const byVersion = ({ v1, v2 }: ByVersion): readonly Sample[] => [
  { labels: ['v1'], value: v1 },
  { labels: ['v2'], value: v2 },
];

const parties = (name: string, help: string, read: (world: World) => ByVersion): ToldFamily => ({
  name,
  type: 'gauge',
  labels: ['version'],
  help,
  read: (world) => byVersion(read(world)),
});

const OF_NACOS: readonly ToldFamily[] = [
  {
    name: 'nacos_monitor',
    type: 'gauge',
    labels: ['module', 'name'],
    help: 'As Nacos counts: serviceCount, ipCount, subscriberCount, totalPush, failedPush, avgPushCost (ms; -1 is none) and others',
    read: ({ ofNacos }) => ofNacos().figures.map(({ module, name, value }) => ({ labels: [module, name], value })),
  },
  parties(
    'nacos_naming_subscriber',
    'Subscriptions to services: v1 by datagrams, v2 over connections',
    ({ ofNacos }) => ofNacos().subscribers,
  ),
  parties(
    'nacos_naming_publisher',
    'Who has registered instances: v1 instances that live by beats, v2 connections',
    ({ ofNacos }) => ofNacos().publishers,
  ),
  parties(
    'nacos_config_subscriber',
    'Who waits for a text to change: v1 by long polls, v2 over connections',
    ({ ofNacos }) => ofNacos().listeners,
  ),
];

export const OF_OTHERS: readonly ToldFamily[] = [...OF_GRPC, ...OF_NACOS];

function labelsOf({ type, service, method }: MethodCounts): readonly string[] {
  return [type, service, method];
}

/** OK from the start on; of all other codes, those that there were. */
function handled(method: MethodCounts): readonly Sample[] {
  return CODES.flatMap((code, place) => {
    const value = method.handled[place] ?? 0;
    return value === 0 && place > 0 ? [] : [{ labels: [...labelsOf(method), code], value }];
  });
}
