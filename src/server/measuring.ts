import type { Access } from '../access/access.ts';
import { AskedOverHttp } from '../access/asked-over-http.ts';
import { Metrics } from '../metrics/metrics.ts';
import { type MetricsPathsOptions, metricsPaths } from '../metrics/paths.ts';
import type { Happened, OfNacos, Sources } from '../metrics/sources.ts';
import type { Silence } from '../registry/instance.ts';
import type { ServiceName } from '../registry/service-name.ts';
import type { Admission } from '../rights/admission.ts';
import { pathOf, type Request, type Response, type Serve } from '../wire/exchange.ts';
import type { Taps } from '../wire/taps.ts';
import type { House } from './house.ts';
import { answerRefusal } from './pages.ts';
import { type Users, usesOf } from './usage.ts';
import { readVersion } from './version.ts';

/** Counts by how much each beat is later than the instance, or else what clients do, lets one expect. */
export function beatsTold({ beatLateness }: Taps): (silentMs: number, silence: Silence) => void {
  return (silentMs, { beatIntervalMs = USUAL_INTERVAL_MS }) =>
    beatLateness.observe(Math.max(0, silentMs - beatIntervalMs) / 1_000);
}

/** As all clients of Nacos have it, unless they are told otherwise. */
const USUAL_INTERVAL_MS = 5_000;

/** Of what is in the rooms, what is told of them. */
export interface MeasuredRooms {
  readonly watches: Users['watches'];
  readonly nacos: Users['nacos'] & {
    readonly connectionsEnded: ReadonlyMap<string, number>;
    readonly told: () => OfNacos;
    readonly rooms: { readonly connections: { readonly count: number } };
  };
  readonly keeping: { readonly trouble: string | undefined } | undefined;
  readonly certificate: { readonly validUntil: number } | undefined;
  readonly health: { statusOf(name: 'bridge'): string };
  readonly events: Users['events'] & {
    readonly causes: readonly string[];
    readonly history: { onEvent(listener: (record: Happened) => void): () => void };
  };
}

export function metricsIn(house: House, rooms: MeasuredRooms): Metrics {
  const { options, scheduler, now, machineTime: wallClock } = house;
  const { maxMetricServices } = options;
  const { causes } = rooms.events;
  const onEvent = (listener: (record: Happened) => void) => rooms.events.history.onEvent(listener);
  return new Metrics({ sources: sourcesOf(house, rooms), onEvent, causes, maxMetricServices, scheduler, now, wallClock });
}

function sourcesOf(house: House, rooms: MeasuredRooms): Sources {
  const { registry, seats, refused, http2Totals, taps } = house;
  const { watches, nacos, keeping, certificate, health } = rooms;
  return {
    taps,
    registry,
    watches,
    version: readVersion(),
    uses: () => usesOf({ ...house, ...rooms }),
    refused: () => [...refused.counts, ...http2Totals.counts],
    connections() {
      const ofNacos = nacos.rooms.connections.count;
      const http2 = http2Totals.connectionCount;
      return { http1: Math.max(0, seats.count - http2), http2: Math.max(0, http2 - ofNacos), nacos: ofNacos };
    },
    connectionsEnded: () => nacos.connectionsEnded,
    ofNacos: () => nacos.told(),
    isStoreFailing: () => keeping?.trouble !== undefined,
    certificateEndsAt: () => certificate?.validUntil,
    isServing: () => health.statusOf('bridge') === 'serving',
  };
}

/** What services there are, and what each is. */
export function* standingsIn(
  { registry }: Pick<House, 'registry'>,
  standingOf: (service: ServiceName) => string,
): IterableIterator<readonly [ServiceName, string]> {
  for (const namespace of registry.namespaces())
    for (const service of registry.services(namespace)) yield [service, standingOf(service)];
}

/** Metrics for who may read all that there is: names of services of every namespace stand in them. */
export function metricsFor(
  metrics: MetricsPathsOptions['metrics'],
  access: Access,
  house: Pick<House, 'openAnswers' | 'refused' | 'scheduler' | 'wallClock'>,
): (path: string) => Serve | undefined {
  const mayRead = (req: Request, res: Response) => {
    const admission = access.admit('read', new AskedOverHttp(req, { example: `${req.method} ${pathOf(req)}` }));
    const judged = (said: Admission) => {
      if (said.isRefusal) answerRefusal(req, res, said, house.wallClock());
      return !said.isRefusal;
    };
    return admission instanceof Promise ? admission.then(judged) : judged(admission);
  };
  return metricsPaths({ ...house, metrics, mayRead });
}
