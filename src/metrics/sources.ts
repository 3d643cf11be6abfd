import type { Registry } from '../registry/registry.ts';
import type { ServiceName } from '../registry/service-name.ts';
import type { Taps } from '../wire/taps.ts';

/** What is read when somebody asks for metrics. Nothing of it is kept here, but for what has happened. */
export interface Sources {
  readonly taps: Taps;
  readonly registry: Pick<Registry, 'serviceCount' | 'instanceCount' | 'tally' | 'records'>;
  /** How much of each limit is used. */
  readonly uses: () => readonly { readonly name: string; readonly used: number; readonly most: number }[];
  /** How often each limit has refused something. */
  readonly refused: () => Iterable<readonly [limit: string, count: number]>;
  /** How many there are now, each under one kind. */
  readonly connections: () => Readonly<Record<ConnectionKind, number>>;
  /** How many of those of Nacos 2.x have ended, by the reason. */
  readonly connectionsEnded: () => Iterable<readonly [reason: string, count: number]>;
  readonly watches: { readonly count: number };
  readonly ofNacos: () => OfNacos;
  readonly isStoreFailing: () => boolean;
  /** Milliseconds since 1970; undefined where no TLS is spoken. */
  readonly certificateEndsAt: () => number | undefined;
  /** Whether the bridge itself is to be asked. */
  readonly isServing: () => boolean;
  readonly version: string;
}

/** `nacos`: a client of 2.x or 3.x has set it up. `http1`: also one of which it is not clear yet what is spoken over it. */
export type ConnectionKind = 'http1' | 'http2' | 'nacos';

/** What is counted where Nacos is spoken, under the names that it has there. */
export interface OfNacos {
  readonly figures: readonly { readonly module: string; readonly name: string; readonly value: number }[];
  readonly subscribers: ByVersion;
  readonly publishers: ByVersion;
  readonly listeners: ByVersion;
  readonly pushes: Readonly<Record<'grpc' | 'udp', Readonly<Record<'sent' | 'acknowledged' | 'failed', number>>>>;
}

/** By the version of the protocol. */
export interface ByVersion {
  readonly v1: number;
  readonly v2: number;
}

/** As much of a record of what happened as is counted. */
export interface Happened {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly kind: string;
  readonly cause: string;
  readonly service?: ServiceName;
  readonly count?: number;
  readonly to?: string;
}
