import type { Check, CheckType } from '../registry/checks.ts';
import type { Instance } from '../registry/instance.ts';
import type { ServiceName } from '../registry/service-name.ts';
import type { DueQueue, Queued } from './due-queue.ts';

export type ActiveType = Exclude<CheckType, 'none'>;
export type ActiveCheck = Exclude<Check, { readonly type: 'none' }>;

/** How an instance is to be checked. */
export interface Asked {
  readonly check: ActiveCheck;
  /** How often; undefined: at the pace of its kind. */
  readonly intervalMs: number | undefined;
  /** For how long at most; undefined: as any of its kind. */
  readonly timeoutMs: number | undefined;
  /** Whether it asks for that itself. */
  readonly isOwn: boolean;
}

export type How = Pick<Asked, 'check' | 'intervalMs' | 'timeoutMs'>;
type Who = Pick<Instance, 'ip' | 'port' | 'ephemeral' | 'cluster'>;

/** All that is remembered of one instance for as long as it is checked in one way; for another way another one begins. */
export class Probed implements Queued {
  readonly service: ServiceName;
  readonly ip: string;
  readonly port: number;
  readonly ephemeral: boolean;
  readonly check: ActiveCheck;
  readonly intervalMs: number | undefined;
  readonly timeoutMs: number | undefined;
  readonly peer: Peer;
  cluster: string;
  due = 0;
  place = 0;
  queue: unknown;
  /** Its pace, as checks have made it. */
  normMs = 0;
  /** Of how long checks took; zeros before the first. */
  bestMs = 0;
  worstMs = 0;
  streak = 0;
  run: Run | undefined;

  constructor(service: ServiceName, instance: Who, { check, intervalMs, timeoutMs }: How, peer: Peer) {
    this.service = service;
    this.ip = instance.ip;
    this.port = instance.port;
    this.ephemeral = instance.ephemeral;
    this.cluster = instance.cluster;
    this.check = check;
    this.intervalMs = intervalMs;
    this.timeoutMs = timeoutMs;
    this.peer = peer;
  }
}

/** A check that is under way. */
export interface Run {
  readonly probed: Probed;
  readonly controller: AbortController;
  readonly startedAt: number;
  readonly cancelTimeout: () => void;
}

/** An address at which instances are checked. */
export interface Peer {
  readonly key: string;
  /** How many instances have it. */
  instances: number;
  underWay: number;
  /** Those that are due, and for which there is no room at this address. */
  waiting: DueQueue<Probed> | undefined;
}
