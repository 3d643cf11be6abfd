import type { Taps } from '../wire/taps.ts';
import type { ListenedConfigs } from './grpc/listened-configs.ts';
import type { Subscribers } from './grpc/subscribers.ts';
import type { HttpRooms } from './http/route.ts';

/** How much there is of everything that speaks Nacos, under the names that boards made for Nacos ask for. It keeps nothing. */
export interface FigureRooms extends Pick<HttpRooms, 'registry' | 'configs' | 'longPolls' | 'pusher' | 'connections'> {
  readonly subscribers: Pick<Subscribers, 'count'>;
  readonly listenedConfigs: Pick<ListenedConfigs, 'count'>;
  readonly pushes: Taps['pushes'];
}

/** One figure, by the module that Nacos counts it under. */
export interface Figure {
  readonly module: 'naming' | 'config' | 'core';
  readonly name: string;
  readonly value: number;
}

export function figuresOf({
  registry,
  configs,
  longPolls,
  pusher,
  connections,
  subscribers,
  pushes,
}: FigureRooms): readonly Figure[] {
  const { sent, acknowledged, failed, costMs, maxCostMs } = pushes;
  const datagrams = pusher.counts;
  const naming = {
    serviceCount: registry.serviceCount,
    ipCount: registry.instanceCount,
    subscriberCount: subscribers.count + pusher.count,
    totalPush: sent + datagrams.sent,
    failedPush: failed + datagrams.failed,
    pushPendingTaskCount: sent - acknowledged - failed + datagrams.waiting,
    // Nacos's own word for that there was none.
    avgPushCost: acknowledged === 0 ? -1 : costMs / acknowledged,
    maxPushCost: acknowledged === 0 ? -1 : maxCostMs,
    // There is one server, and it leads.
    leaderStatus: 1,
  };
  const modules = {
    naming,
    config: { configCount: configs.count, longPolling: longPolls.count },
    core: { longConnection: connections.count },
  };
  return Object.entries(modules).flatMap(([module, figures]) =>
    // Its keys are these three.
    Object.entries(figures).map(([name, value]) => ({ module: module as Figure['module'], name, value })),
  );
}

/** How many subscribe, publish and listen, by the version of the protocol that they speak. */
export interface Parties {
  readonly v1: number;
  readonly v2: number;
}

export function partiesOf({
  registry,
  pusher,
  connections,
  subscribers,
  longPolls,
  listenedConfigs,
}: FigureRooms): Readonly<Record<'subscribers' | 'publishers' | 'listeners', Parties>> {
  let publishing = 0;
  for (const { slots } of connections.all()) if (!slots.isEmpty) publishing++;
  return {
    subscribers: { v1: pusher.count, v2: subscribers.count },
    // To Nacos each instance that no connection holds is a client by itself.
    publishers: { v1: registry.records.beatingCount, v2: publishing },
    listeners: { v1: longPolls.count, v2: listenedConfigs.count },
  };
}

/** What became of the lists that were pushed, by the way they took. */
export function pushCountsOf({ pusher, pushes }: Pick<FigureRooms, 'pusher' | 'pushes'>) {
  const { sent, acked, failed } = pusher.counts;
  return {
    grpc: { sent: pushes.sent, acknowledged: pushes.acknowledged, failed: pushes.failed },
    udp: { sent, acknowledged: acked, failed },
  };
}
