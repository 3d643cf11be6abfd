import type { Metadata } from './instance.ts';

/**
 * How much there is in the registry, in all and by the peer who has brought it: counted here, and never refused. An instance is counted
 * for whoever registered it last, a service for whoever made it known.
 */
export class Accounts {
  readonly #all: Account = { origin: '', services: 0, instances: 0, metadataSize: 0 };
  readonly #byOrigin = new Map<string, Account>();
  readonly #originOf: (peer: string) => string;

  /** `originOf`: under which name a peer's account is; that name has the same. */
  constructor(originOf: (peer: string) => string = (peer) => peer) {
    this.#originOf = originOf;
  }

  get all(): Usage {
    return this.#all;
  }

  /** Undefined: it has brought nothing that is still here. */
  of(peer: string): Usage | undefined {
    return this.#byOrigin.get(this.#originOf(peer));
  }

  /** Of how many peers there is something. */
  get peerCount(): number {
    return this.#byOrigin.size;
  }

  /** The account of a peer, for what it brings; "" is nobody of whom it is known, such as a store. */
  open(peer: string): Account {
    const origin = this.#originOf(peer);
    const known = this.#byOrigin.get(origin);
    if (known !== undefined) return known;
    const account: Account = { origin, services: 0, instances: 0, metadataSize: 0 };
    this.#byOrigin.set(origin, account);
    return account;
  }

  /** An instance is here. */
  came({ account, metadata }: Counted): void {
    this.add(account, { instances: 1, metadataSize: sizeOf(metadata) });
  }

  /** It has gone. */
  went({ account, metadata }: Counted): void {
    this.add(account, { instances: -1, metadataSize: -sizeOf(metadata) });
  }

  /** It says something else now, and somebody else may have said it; undefined: whoever has before. */
  says(row: Counted, metadata: Metadata, peer?: string): void {
    const before = row.account;
    this.went(row);
    row.metadata = metadata;
    // An account with nothing in it may be closed by now.
    if (peer !== undefined || before.instances === 0) row.account = this.open(peer ?? before.origin);
    this.came(row);
  }

  /** So many more, or less where they are below 0. An account with nothing in it is closed. */
  add(account: Account, { services = 0, instances = 0, metadataSize = 0 }: Partial<Usage>): void {
    for (const one of [this.#all, account]) {
      one.services += services;
      one.instances += instances;
      one.metadataSize += metadataSize;
    }
    if (account.instances === 0 && account.services === 0 && this.#byOrigin.get(account.origin) === account)
      this.#byOrigin.delete(account.origin);
  }
}

/** What is counted. */
export interface Usage {
  readonly services: number;
  readonly instances: number;
  /** Of metadata, as clients say them, and of what operators have said of services. */
  readonly metadataSize: number;
}

/** An instance, as it is counted. */
interface Counted {
  account: Account;
  metadata: Metadata;
}

/** Its owner adds to it by `Accounts.add` alone. */
export interface Account {
  readonly origin: string;
  services: number;
  instances: number;
  metadataSize: number;
}

/** What metadata count for: the characters of keys and values, and 32 for each pair, which takes as much however short it is. */
export function sizeOf(metadata: Metadata): number {
  let size = 0;
  for (const key in metadata) size += key.length + (metadata[key] ?? '').length + PER_PAIR;
  return size;
}

/** The same of plain JSON, however deep. */
export function sizeOfJson(value: unknown): number {
  if (typeof value === 'string') return value.length;
  if (typeof value !== 'object' || value === null) return 0;
  let size = 0;
  for (const [key, part] of Object.entries(value)) size += key.length + sizeOfJson(part) + PER_PAIR;
  return size;
}

const PER_PAIR = 32;
