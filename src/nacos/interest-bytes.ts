import type { ServiceName } from '../registry/service-name.ts';
import { originOf } from '../wire/addresses.ts';
import type { ConfigId } from './configs.ts';
import { TooMany } from './errors.ts';

/**
 * What is kept of all who subscribe to services and listen to texts, by whatever version of Nacos, for as long as they do: the names that
 * they give may be long, and so may what waits for an answer. Bounded by the address of who asks, and in all; how many they are, others
 * bound. What each counts for is what it takes by measurement, or more. Where all of it is taken, whoever has most gives way to whoever
 * has less.
 */
export class InterestBytes {
  readonly #limits: InterestBytesLimits;
  readonly #byOrigin = new Map<string, number>();
  readonly #giveWay: ((origin: string) => void)[] = [];
  #bytes = 0;

  constructor(limits: InterestBytesLimits) {
    this.#limits = limits;
  }

  /** Of all. */
  get bytes(): number {
    return this.#bytes;
  }

  /** `giveWay` ends something that the origin has, if there is anything. */
  onShort(giveWay: (origin: string) => void): void {
    this.#giveWay.push(giveWay);
  }

  /** Which limit is in the way of so much more, once others have given way; undefined: none. */
  limitFor(address: string, more: number): 'in all' | 'of one address' | undefined {
    const { maxInterestBytesInAll, maxInterestBytesPerPeer } = this.#limits;
    if ((this.#byOrigin.get(originOf(address)) ?? 0) + more > maxInterestBytesPerPeer) return 'of one address';
    return this.#bytes + more <= maxInterestBytesInAll || this.#makeRoom(address, more) ? undefined : 'in all';
  }

  /** Never by an origin that would have less than the address then. */
  #makeRoom(address: string, more: number): boolean {
    const own = this.#byOrigin.get(originOf(address)) ?? 0;
    for (let before = Number.POSITIVE_INFINITY; this.#bytes < before; ) {
      if (this.#bytes + more <= this.#limits.maxInterestBytesInAll) return true;
      before = this.#bytes;
      const [origin, most] = this.#largest();
      if (most > own + more) for (const giveWay of this.#giveWay) giveWay(origin);
    }
    return false;
  }

  #largest(): readonly [origin: string, bytes: number] {
    let largest: readonly [string, number] = ['', 0];
    for (const one of this.#byOrigin) if (one[1] > largest[1]) largest = one;
    return largest;
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
