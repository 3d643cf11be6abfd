import { OPTIONS, type OptionName } from '../options.ts';

/** By which option a limit is set, by what refusals are counted as. Those of access are counted as `callers (REASON)`. */
const BY_REASON: ReadonlyMap<string, OptionName> = new Map([
  ['instances', 'maxInstances'],
  ['instances of one address', 'maxInstancesPerPeer'],
  ['services', 'maxServices'],
  ['services of one address', 'maxServicesPerPeer'],
  ['metadata', 'maxMetadataInAll'],
  ['metadata of one address', 'maxMetadataPerPeer'],
  ['clusters', 'maxClusters'],
  ['namespaces', 'maxNamespaces'],
  ['beats of one address', 'maxBeatsPerSecondPerPeer'],
  ['registrations of one address', 'maxRegistrationsPerSecondPerPeer'],
  ['long reads', 'maxLongReads'],
  ['long reads of one address', 'maxLongReadsPerPeer'],
  ['long polls', 'maxLongPolls'],
  ['number in one request', 'maxBatch'],
  ['size of a request', 'maxBodyBytes'],
  ['connections of Nacos 2.x', 'maxConnections'],
  ['connections of Nacos 2.x of one address', 'maxConnectionsPerPeer'],
  ['connections of Nacos 2.x that gave way', 'maxConnections'],
  ['subscriptions', 'maxSubscriptions'],
  ['subscriptions of one address', 'maxSubscriptionsPerPeer'],
  ['subscriptions of one connection', 'maxSubscribedServices'],
  ['texts listened to', 'maxListenedConfigsInAll'],
  ['texts listened to from one address', 'maxListenedConfigsPerPeer'],
  ['texts listened to over one connection', 'maxListenedConfigs'],
  ['bytes of names subscribed or listened to', 'maxInterestBytesInAll'],
  ['bytes held', 'maxHeldBytesInAll'],
  ['services to list', 'maxListed'],
  ['watches', 'maxWatches'],
  ['watches that gave way', 'maxWatches'],
  ['watches of one address', 'maxWatchesPerPeer'],
  ['watches of one connection', 'maxWatchesPerConnection'],
  ['event streams', 'maxEventStreams'],
  ['event streams of one address', 'maxEventStreamsPerPeer'],
  ['subscriptions of Nacos 1.x in all', 'maxUdpSubscribers'],
  ['subscriptions of Nacos 1.x of one address', 'maxUdpSubscriptionsPerPeer'],
  ['subscriptions of Nacos 1.x of one client', 'maxUdpSubscriptionsPerTarget'],
  ['pipelined requests', 'maxPipelined'],
  ['header too large', 'maxHeaderBytes'],
  ['header list too large', 'maxHeaderBytes'],
  ['header block too large', 'maxHeaderBytes'],
  ['too many open streams', 'maxStreamsPerConnection'],
  ['too many streams', 'maxStreamsPerSecond'],
  ['too many header bytes', 'maxHeaderBytesPerSecond'],
  ['too many settings', 'maxSettingsPerSecond'],
  ['too many pings', 'maxPingsPerSecond'],
  ['too many control frames', 'maxControlFramesPerSecond'],
  ['too many small frames', 'maxSmallFramesPerSecond'],
  ['too many empty frames', 'maxEmptyFramesPerSecond'],
  ['too many unknown frames', 'maxUnknownFramesPerSecond'],
  ['too many resets', 'maxResetsPerSecond'],
  ['too many errors', 'maxErrorsPerMinute'],
  ['too much left unread by all', 'maxUnsentBytesInAll'],
  ['too much that nobody takes, of all', 'maxUnreadBytesInAll'],
]);

/** What `Seats` tells of by itself, with what it has. */
const OF_SEATS: ReadonlySet<string> = new Set([
  'connections',
  'connections of one address',
  'idle connections',
  'connections that gave way',
]);

const OF_ACCESS = 'callers (';

/** What a record says of a refusal beside how many there were; undefined: whoever refused says it himself. */
export function saidOfRefusal(reason: string): Readonly<Record<string, string>> | undefined {
  if (OF_SEATS.has(reason)) return undefined;
  if (reason.startsWith(OF_ACCESS)) return { form: 'access' };
  const name = BY_REASON.get(reason);
  return name === undefined ? {} : { option: OPTIONS[name].flag };
}
