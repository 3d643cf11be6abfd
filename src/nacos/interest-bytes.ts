import type { ServiceName } from '../registry/service-name.ts';
import { originOf } from '../wire/addresses.ts';
import type { ConfigId } from './configs.ts';
import { TooMany } from './errors.ts';

/**
 * What is kept of all who subscribe to services and listen to texts, by whatever version of Nacos, for as long as they do: the names that
 * they give may be long, and so may what waits for an answer. Bounded by the address of who asks, and in all; how many they are, others
 * bound. What each counts for is what it takes by measurement, or more.
 */
export class InterestBytes {
  readonly #limits: InterestBytesLimits;
  readonly #byOrigin = new Map<string, number>();
  #bytes = 0;

  constructor(limits: InterestBytesLimits) {
    this.#limits = limits;
  }

  /** Of all. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Which limit is in the way of so much more; undefined: none. */
  limitFor(address: string, more: number): 'in all' | 'of one address' | undefined {
    const { maxInterestBytesInAll, maxInterestBytesPerPeer } = this.#limits;
    if (this.#bytes + more > maxInterestBytesInAll) return 'in all';
    return (this.#byOrigin.get(originOf(address)) ?? 0) + more > maxInterestBytesPerPeer ? 'of one address' : undefined;
  }

  /** The same in words; undefined: there is room. */
  lackFor(address: string, more: number): string | undefined {
    const { maxInterestBytesInAll, maxInterestBytesPerPeer } = this.#limits;
    const limit = this.limitFor(address, more);
    if (limit === undefined) return undefined;
    const [most, whose] = limit === 'in all' ? [maxInterestBytesInAll, ''] : [maxInterestBytesPerPeer, ' from one address'];
    return `${most} bytes of names that are subscribed or listened to${whose}`;
  }

  /** So much more is kept, or it throws because there is no room for that. Less is always taken. */
  take(address: string, more: number): void {
    const lack = more > 0 ? this.lackFor(address, more) : undefined;
    if (lack !== undefined) throw new TooMany('bytes of names subscribed or listened to', `more than ${lack}`);
    this.add(address, more);
  }

  /** So much more is kept, or less where it is below 0. */
  add(address: string, bytes: number): void {
    this.#bytes += bytes;
    const origin = originOf(address);
    const own = (this.#byOrigin.get(origin) ?? 0) + bytes;
    if (own > 0) this.#byOrigin.set(origin, own);
    else this.#byOrigin.delete(origin);
  }
}

export interface InterestBytesLimits {
  readonly maxInterestBytesInAll: number;
  readonly maxInterestBytesPerPeer: number;
}

/** What a subscription to a service takes, to which nobody else has subscribed. */
export function sizeOfSubscription(service: ServiceName, { clusters, clustersVerbatim }: InClusters): number {
  return (
    PER_SUBSCRIPTION + PER_CHARACTER * lengthOf(service) + PER_CHARACTER * clustersVerbatim.length + PER_CLUSTER * clusters.length
  );
}

/** What listening to a text takes, in these names and beside them so many characters. */
export function sizeOfListening({ namespace, group, dataId }: ConfigId, characters: number): number {
  return PER_TEXT + PER_CHARACTER * (namespace.length + group.length + dataId.length + characters);
}

function lengthOf({ namespace, group, name }: ServiceName): number {
  return namespace.length + group.length + name.length;
}

interface InClusters {
  readonly clusters: readonly string[];
  readonly clustersVerbatim: string;
}

/** What each takes beside its names, measured over thousands, each to names of its own. */
const PER_SUBSCRIPTION = 1_200;
const PER_TEXT = 640;
/** It is kept as it was sent, in keys, and in what is told. */
const PER_CHARACTER = 4;
/** A cluster is kept by itself, too. */
const PER_CLUSTER = 16;
