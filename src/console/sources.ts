import type { Address, Instance } from '../registry/instance.ts';
import type { Registry } from '../registry/registry.ts';
import type { ServiceName } from '../registry/service-name.ts';
import type { Request, Response } from '../wire/exchange.ts';
import type { OpenAnswers } from '../wire/open-answers.ts';
import type { Refused } from '../wire/refused.ts';
import type { Cancel, Scheduler } from '../wire/scheduler.ts';
import type { Shares } from '../wire/shares.ts';
import type { Taps } from '../wire/taps.ts';
import type { By, EventLine, FailingInstance } from './api.ts';
import type { ClientsSource } from './client-sources.ts';

/** What the console reads, handed in by the composition root. It changes nothing of it, and decides nothing that is decided there. */
export interface Sources {
  readonly registry: Registry;
  readonly health: HealthSource;
  readonly events: EventsSource;
  readonly watches: WatchesSource;
  readonly nacos: NacosSource;
  readonly clients: ClientsSource;
  /** Which namespace and group are meant where none is said. */
  readonly home: Pick<ServiceName, 'namespace' | 'group'>;
  readonly taps: Pick<Taps, 'beats'>;
  readonly scheduler: Scheduler;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  /** Milliseconds since 1970, as events are told. */
  readonly wallClock: () => number;
  /** Who asks, and what he may see: as of `/events`. */
  readonly readerOf: ReaderOf;
  readonly openAnswers: OpenAnswers;
  readonly refused: Refused;
  /** The streams of events that may be open in all and of one address: those of the console are among them. */
  readonly streams: Shares;
  /** Aborted when all streams are to end. */
  readonly shutdown: AbortSignal;
}

export interface HealthSource {
  readonly statusOf: (service: ServiceName) => Standing;
  readonly countsOf: (
    service: ServiceName,
  ) => { readonly available: number; readonly total: number; readonly needed: number } | undefined;
  /** What it would be with so many fewer that are available, and so many fewer that are there. */
  readonly without: (service: ServiceName, fewer: { readonly available: number; readonly total: number }) => Without;
  /** Who fails in it, and why it is not serving, as `/health/NAME` says it. */
  readonly explain: (service: ServiceName, mostFailing: number) => Explained;
  /** By which cause each of these cannot be called, and since when: of instances of the service that are not available. */
  readonly failing: (service: ServiceName, instances: readonly Instance[]) => readonly FailingInstance[];
  readonly onService: (listener: (service: ServiceName) => void) => Cancel;
}

export interface Without {
  readonly available: number;
  readonly needed: number;
  readonly status: Standing;
}

export type Standing = 'serving' | 'not-serving' | 'unknown';

export interface Explained {
  readonly because: string | undefined;
  readonly pending: { readonly status: Standing; readonly inMs: number } | undefined;
  readonly failing: readonly FailingInstance[];
  readonly failingCount: number;
}

/** What has happened. */
export interface EventsSource {
  readonly lastSeq: () => number;
  readonly oldestSeq: () => number;
  readonly after: (seq: number) => Iterable<Happened>;
  /** The newest first. */
  readonly latest: () => Iterable<Happened>;
  /** The last of the service, the oldest first. */
  readonly lastOf: (service: ServiceName) => readonly Happened[];
  /** By what it became what it is. */
  readonly standingOf: (service: ServiceName) => Happened | undefined;
  readonly onEvent: (listener: () => void) => Cancel;
  readonly viewOf: (happened: Happened) => EventLine;
}

/** As much of a record as is asked about it. */
export interface Happened {
  readonly seq: number;
  readonly at: number;
  readonly kind: 'instance' | 'service' | 'registry' | 'bridge';
  readonly cause: string;
  readonly service?: ServiceName;
  readonly instances?: readonly Address[];
  readonly to?: string;
  readonly by?: By;
}

export interface WatchesSource {
  readonly count: () => number;
  /** How many watch the very service, by whatever name. */
  readonly countOf: (service: ServiceName) => number;
}

export interface NacosSource {
  readonly connectionCount: () => number;
  readonly subscriberCount: () => number;
  readonly subscriberCountOf: (service: ServiceName) => number;
  /** The client that holds the instance. */
  readonly holderOf: (service: ServiceName, instance: Instance) => string | undefined;
}

export type ReaderOf = (req: Request, res: Response) => Asking;

export interface Asking {
  /** What he may see; or undefined, once he has been answered that he may see nothing. */
  readonly admitted: () => Reader | undefined | Promise<Reader | undefined>;
  /** Calls `end` once nothing more may be told. */
  readonly follow: (end: () => void) => Cancel;
}

/** Somebody who looks. */
export interface Reader {
  /** Who is the same as another sees the same: what is made for one is shown to both. */
  readonly scope: string;
  readonly maySee: (service: ServiceName) => boolean;
  /** What is about no service. */
  readonly maySeeAll: boolean;
  readonly mayOperate: (service?: ServiceName) => boolean;
}
