import type { Address, Edit, Instance } from '../registry/instance.ts';
import type { Registry } from '../registry/registry.ts';
import type { ServiceName } from '../registry/service-name.ts';
import type { Source } from '../registry/source.ts';
import type { Admission, LoggedIn, Permit, Refusal } from '../rights/admission.ts';
import type { Request, Response } from '../wire/exchange.ts';
import type { HeldBodies } from '../wire/held-bodies.ts';
import type { OpenAnswers } from '../wire/open-answers.ts';
import type { Refused } from '../wire/refused.ts';
import type { Cancel, Scheduler } from '../wire/scheduler.ts';
import type { Shares } from '../wire/shares.ts';
import type { Taps } from '../wire/taps.ts';
import type { By, EventLine, FailingInstance } from './api.ts';
import type { BridgeSource } from './bridge-source.ts';
import type { ClientsSource, SubscriberSeen } from './client-sources.ts';

/** What the console reads, handed in by the composition root. It changes nothing of it, and decides nothing that is decided there. */
export interface Sources {
  readonly registry: Registry;
  readonly health: HealthSource;
  readonly events: EventsSource;
  readonly watches: WatchesSource;
  readonly nacos: NacosSource;
  /** Where it listens; undefined until all ports are open. */
  readonly listening: () => Listening | undefined;
  readonly clients: ClientsSource;
  readonly bridge: BridgeSource;
  readonly taps: Pick<Taps, 'beats'>;
  readonly scheduler: Scheduler;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  /** Milliseconds since 1970, as events are told. */
  readonly wallClock: () => number;
  /** Who asks, and what he may see: as of `/events`. */
  readonly readerOf: ReaderOf;
  readonly reception: Reception;
  readonly operations: Operations;
  /** Where what has come of a body is counted until it is whole. */
  readonly bodies: HeldBodies;
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
  /** Who has gone lately and is missed, the last one first. */
  readonly gone: (service: ServiceName) => readonly FailingInstance[];
  /** Why it is not serving, and what waits to be told, without a look at its instances. */
  readonly why: (service: ServiceName) => Pick<Explained, 'because' | 'pending'>;
  /** The shortest name by which the service is asked for. */
  readonly nameOf: (service: ServiceName) => string;
  /** How a name reads that somebody may ask for, and what it means now. */
  readonly resolve: (text: string) => Resolved;
  /** Nobody is told without a login. */
  readonly needsLogin: boolean;
  readonly onService: (listener: (service: ServiceName) => void) => Cancel;
}

export interface Without {
  readonly available: number;
  readonly needed: number;
  readonly status: Standing;
}

export type Standing = 'serving' | 'not-serving' | 'unknown';

/** A name as health reads it. */
export interface Resolved {
  /** Why it is none, in the words that health refuses it with. */
  readonly fault?: string;
  /** Undefined: it is none, or the bridge. */
  readonly selector?: Selector;
  readonly status?: Standing;
  /** By which of its readings it is found. */
  readonly by?: 'bridge' | 'service' | 'dubbo' | 'application' | 'none';
  readonly services: Iterable<ServiceName>;
}

export interface Selector {
  readonly service: ServiceName;
  readonly dubbo:
    | { readonly interface: string; readonly group: string | undefined; readonly version: string | undefined }
    | undefined;
  readonly cluster: string | undefined;
  readonly instance: Address | undefined;
}

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
  /** `most`: so many of its instances are named, unless all are. */
  readonly viewOf: (happened: Happened, most?: number) => EventLine;
  /** Every cause there is. */
  readonly causes: readonly string[];
  /** A time, or how long ago: milliseconds since 1970. Undefined: it is neither. */
  readonly timeSaid: (text: string) => number | undefined;
}

/** As much of a record as is asked about it. */
export interface Happened {
  readonly seq: number;
  readonly at: number;
  readonly kind: 'instance' | 'service' | 'registry' | 'bridge';
  readonly cause: string;
  readonly service?: ServiceName;
  readonly instances?: readonly Address[];
  readonly count?: number;
  readonly by?: By;
  readonly detail?: NonNullable<EventLine['detail']>;
  readonly from?: string;
  readonly to?: string;
}

export interface WatchesSource {
  readonly count: () => number;
  /** How many watch the very service, by whatever name. */
  readonly countOf: (service: ServiceName) => number;
  /** By which name each of them watches it, and from where. */
  readonly of: (service: ServiceName) => Iterable<{ readonly name: string; readonly ip: string }>;
}

/** Each as `HOST:PORT`, and which of them speak nothing but TLS. */
export interface Listening {
  readonly main: string;
  readonly health: string;
  readonly tls?: string;
  readonly tlsOnly: 'none' | 'nacos' | 'all';
}

export interface NacosSource {
  readonly connectionCount: () => number;
  readonly subscriberCount: () => number;
  readonly subscriberCountOf: (service: ServiceName) => number;
  readonly subscribersOf: (service: ServiceName) => Iterable<SubscriberSeen>;
  /** What operators have said of the service in Nacos's words. */
  readonly settingsOf: (service: ServiceName) => {
    readonly protectThreshold: number;
    readonly metadata: Readonly<Record<string, string>>;
  };
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
  /** Whether what he has shown of who he is still holds. */
  readonly holds: () => boolean;
  readonly mayOperate: (service?: ServiceName) => boolean;
}

/** Who comes, and what he may. */
export interface Reception {
  readonly version: string;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  /** Whether people log in. */
  readonly auth: boolean;
  readonly whoComes: (req: Request) => Promise<Comer>;
  readonly login: (req: Request, pair: { readonly name: string; readonly password: string }) => Answered<LoggedIn | Refusal>;
  /** Whether he may operate anywhere; and then, of each service, whether there. */
  readonly admitOperator: (req: Request) => Answered<Admission>;
}

type Answered<T> = T | Promise<T>;

export interface Comer {
  readonly user?: string;
  /** Somewhere at least. */
  readonly mayRead: boolean;
  readonly mayOperate: boolean;
  readonly isAdmin: boolean;
  /** Why he may not read. */
  readonly reason?: string;
}

/**
 * What operators do, by the rules of the calls that they have beside the console. What is refused is thrown, and `refusalOf` says what of
 * that is the caller's fault.
 */
export interface Operations {
  /** Key by key over what is there, or over what waits for one that has gone. */
  readonly amend: (service: ServiceName, address: Address, edit: Edit, by: Source) => void;
  /** In place of what is there, to the letter. */
  readonly replaceEdit: (service: ServiceName, address: Address, edit: Edit, by: Source) => void;
  readonly unedit: (service: ServiceName, address: Address, by: Source) => void;
  readonly deregister: (service: ServiceName, address: Address, by: Source) => void;
  /** Answer how many were. */
  readonly drain: (at: DrainPlace, said: { readonly forMs: number; readonly reason: string }, author: Author) => Promise<number>;
  readonly resume: (at: DrainPlace, author: Author) => Promise<number>;
  readonly createService: (service: ServiceName, by: Source) => void;
  readonly dropService: (service: ServiceName, by: Source) => void;
  /** Whether it was created, and is as `createService` makes it. */
  readonly isAsCreated: (service: ServiceName) => boolean;
  /** What is wrong with a reason that somebody gives. */
  readonly reasonFault: (reason: string) => string | undefined;
  readonly mayLast: (forMs: number) => boolean;
  readonly byOf: (req: Request, permit: Pick<Permit, 'user'>) => Source;
  readonly refusalOf: (error: unknown) => { readonly status: number; readonly reason: string } | undefined;
  /** Undefined: nothing is kept. */
  readonly durability: { readonly owed: number; readonly settled: () => Promise<void> } | undefined;
}

/** An address, and in which service; in all of them where none is named. */
export interface DrainPlace extends Address {
  readonly service: ServiceName | undefined;
}

export interface Author {
  readonly by: Source;
  readonly permit: Permit;
}
