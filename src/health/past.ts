import type { Address } from '../registry/instance.ts';
import type { ServiceName } from '../registry/service-name.ts';
import type { Request } from '../wire/exchange.ts';
import type { KeptAnswers } from './kept-answers.ts';
import type { Status } from './status.ts';

/** What has happened to services, as far as an answer tells of it. Health keeps nothing of it: the composition root says who does. */
export interface Past {
  /** Milliseconds since 1970. */
  readonly wallClock: () => number;
  /** Since when the service has this status, in ISO 8601; `isExact`: else it has had it for longer, and nobody has seen since when. */
  readonly since: (service: ServiceName, status: Status) => { readonly at: string; readonly isExact: boolean };
  /**
   * The one by which the service is as it is, and the last `most`, the oldest first, each as JSON; where only some instances are meant,
   * the last of those about them.
   */
  readonly events: (service: ServiceName, most: number, isMeant?: (address: Address) => boolean) => readonly string[];
  /** What happened last to each of these, of what is asked for. */
  readonly lastOf: (service: ServiceName, wanted: ReadonlyMap<string, ToldBy>) => ReadonlyMap<string, Happened>;
  /** Who has gone lately and has not come back, the last one first. */
  readonly gone: (service: ServiceName) => readonly (Happened & Address)[];
}

/** Which events say that something is so: of changes those of this field, where one is named. */
export interface ToldBy {
  readonly causes: ReadonlySet<string>;
  readonly field?: string;
}

/** One thing that happened to an instance. */
export interface Happened {
  readonly cause: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly by?: { readonly peer?: string; readonly agent?: string; readonly user?: string; readonly connection?: string };
  readonly detail?: Readonly<Record<string, unknown>>;
  /** What was known of the instance by then. */
  readonly subject?: Readonly<Record<string, unknown>>;
}

/** Tells instances of one service apart. */
export function addressKey({ ip, port }: Address): string {
  return `${ip} ${port}`;
}

/** Whether an address is one of these. */
export function meantBy(instances: readonly Address[]): (address: Address) => boolean {
  const meant = new Set(instances.map(addressKey));
  return (address) => meant.has(addressKey(address));
}

/** What happened, and of which services whoever asks may hear. */
export interface Hearing {
  readonly past: Past;
  readonly mayHear: MayHear;
  /** Where answers are kept for who may hear of all. */
  readonly kept?: KeptAnswers | undefined;
}

export type MayHear = (service: ServiceName) => boolean;
export const HEARS_ALL: MayHear = () => true;

/** How what happened is told: to everybody, unless it is asked of each request of which services it may hear. */
export interface PastOptions {
  /** Nothing is told when left out. */
  readonly past?: Past | undefined;
  readonly kept?: KeptAnswers | undefined;
  readonly mayHearOf?: ((req: Request) => MayHear | Promise<MayHear>) | undefined;
}
