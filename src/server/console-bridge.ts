import { hostname } from 'node:os';
import type { BridgeSource } from '../console/bridge-source.ts';
import { OPTIONS, type OptionName } from '../options.ts';
import type { House } from './house.ts';
import type { OptionRow } from './option-rows.ts';
import { partsOf } from './parts.ts';
import type { Rooms } from './rooms.ts';
import { usesOf } from './usage.ts';

export interface ProcessNow {
  /** Those that are open; undefined until all are. */
  readonly listeners: () => object | undefined;
  /** What it was told, and by whom. */
  readonly optionRows: () => readonly OptionRow[];
}

/** What the console is shown of the process itself: as readiness and metrics have it. */
export function bridgeSourceOf(house: House, rooms: Rooms, { listeners, optionRows }: ProcessNow): BridgeSource {
  const { options, machineTime, http2Totals, refused } = house;
  const { health, keeping, door, sweeper, webhooks } = rooms;
  const parts = partsOf({ ...house, ...rooms });
  return {
    isDraining: () => health.statusOf('bridge') !== 'serving',
    stalledForMs: () => (sweeper.isStalled ? sweeper.lateMs : undefined),
    storeTrouble: () => keeping?.trouble,
    certificate: () => certificateOf(house, rooms),
    webhooks() {
      const { failingCount: failing } = webhooks;
      return failing === 0 ? undefined : { failing, says: webhooks.says() ?? '' };
    },
    areUsersUnreadable: () => !door.look().ok,
    comeBackUntil: machineTime() + options.comeBackWithinMs,
    limits: () =>
      usesOf({ ...house, ...rooms }).map((use) => {
        const option = optionOf(use.name, use.most, options.maxSockets);
        return { ...use, ...(option !== undefined && { option }) };
      }),
    refusals: () => [...refused.counts, ...http2Totals.counts].sort(([, a], [, b]) => b - a),
    parts: () => parts.map(({ name, look }) => ({ name, ...seen(look()) })),
    listeners: () => ({ ...listeners() }),
    process: () => ({
      node: process.version,
      memoryBytes: inMegabytes(process.memoryUsage.rss()),
      pid: process.pid,
      host: hostname(),
    }),
    dataDir: options.dataDir,
    options: optionRows,
  };
}

function seen({ ok, says }: { readonly ok: boolean; readonly says: string }) {
  return { ok, says };
}

function certificateOf({ options }: House, { certificate }: Rooms): ReturnType<BridgeSource['certificate']> {
  if (certificate === undefined) return undefined;
  const { subject, validUntil: until, trouble } = certificate;
  return { subject, until, trouble, ...seen(certificate.look()), warnFrom: until - options.tlsWarnDays * A_DAY_MS };
}

/** What the process may have open is often less than the option says. */
function optionOf(name: string, most: number, maxSockets: number): string | undefined {
  if (name === 'connections' && most < maxSockets) return 'ulimit -n';
  const option = BY_NAME.get(name);
  return option && OPTIONS[option].flag;
}

/** By which option each limit is set that is told how much of it is used. */
const BY_NAME: ReadonlyMap<string, OptionName> = new Map([
  ['connections', 'maxSockets'],
  ['watches', 'maxWatches'],
  ['event streams', 'maxEventStreams'],
  ['services', 'maxServices'],
  ['instances', 'maxInstances'],
  ['characters of metadata', 'maxMetadataInAll'],
  ['connections of Nacos 2.x', 'maxConnections'],
  ['subscriptions over them', 'maxSubscriptions'],
  ['texts listened to over them', 'maxListenedConfigsInAll'],
  ['subscriptions of Nacos 1.x', 'maxUdpSubscribers'],
  ['long polls', 'maxLongPolls'],
  ['long reads', 'maxLongReads'],
  ['bytes of names subscribed or listened to', 'maxInterestBytesInAll'],
  ['texts', 'maxConfigs'],
  ['bytes of texts', 'maxConfigTotalBytes'],
  ['bytes of answers', 'maxAnswerBytesInAll'],
  ['bytes held', 'maxHeldBytesInAll'],
  ['bytes unread', 'maxUnreadBytesInAll'],
  ['bytes unsent', 'maxUnsentBytesInAll'],
]);

/** Nobody reads more of it, and less of it changes each second. */
function inMegabytes(bytes: number): number {
  return Math.round(bytes / 1_000_000) * 1_000_000;
}

const A_DAY_MS = 86_400_000;
