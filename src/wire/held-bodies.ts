import { originOf } from './addresses.ts';
import type { Peer } from './exchange.ts';
import type { Refused } from './refused.ts';

/**
 * What has come of bodies and messages and is kept until they are whole: bounded for each connection, for each address, and in all.
 * Where it is too much one connection is refused what it holds, of the address in question: the one that has been at it longest among
 * those that hold no less than half of what they do on average. Whoever is quick has his body taken so, whatever others beside him
 * leave unfinished; and whoever brings little is never turned away for it.
 */
export class HeldBodies {
  readonly #limits: HeldLimits;
  readonly #refused: Refused | undefined;
  /** Those of which something is held, by address. */
  readonly #addresses = new Map<string, Address>();
  #bytes = 0;

  /** `refused`: where refusals are counted; nowhere when left out. */
  constructor(limits: HeldLimits, refused?: Refused) {
    this.#limits = limits;
    this.#refused = refused;
  }

  /** What all hold now. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * One more body of this peer. `refuse` is called when what is held of it may be held no longer, outside of `hold`: it is to be let go
   * of, and whoever sends it told. `most`: what its connection may hold, where that is less than others may.
   */
  of(peer: Peer, refuse: () => void, most = this.#limits.maxHeldBytes): HeldBody {
    return new HeldBody(this, { peer, refuse, most });
  }

  /** So much more is held of a body, or less. False: that would be too much, and nothing has changed; or nothing of it is held any more. */
  change(body: HeldBody, more: number): boolean {
    const { peer, most } = body.about;
    const origin = originOf(peer.ip);
    const address = this.#addresses.get(origin) ?? { ip: origin, bytes: 0, holders: new Map<object, Holder>() };
    const holder = address.holders.get(peer.connection) ?? { bytes: 0, bodies: new Set<HeldBody>() };
    // How long a single body may be is for others to say.
    if (more > 0 && holder.bytes > body.bytes && holder.bytes + more > most) {
      this.#refused?.count(COUNTED_AS);
      return false;
    }
    if (body.bytes + more > 0) holder.bodies.add(body);
    else holder.bodies.delete(body);
    this.#addresses.set(origin, address);
    address.holders.set(peer.connection, holder);
    this.#add(address, peer.connection, holder, more);
    return more <= 0 || this.#makeRoom(address, body);
  }

  #add(address: Address, connection: object, holder: Holder, bytes: number): void {
    holder.bytes += bytes;
    address.bytes += bytes;
    this.#bytes += bytes;
    if (holder.bytes === 0) address.holders.delete(connection);
    if (address.bytes === 0) this.#addresses.delete(address.ip);
  }

  /** Whether what is held of the body last still is. */
  #makeRoom(address: Address, last: HeldBody): boolean {
    const { maxHeldBytesInAll, maxHeldBytesPerPeer } = this.#limits;
    const dropped: HeldBody[] = [];
    // One may be as long as it likes: it could never be sent else.
    while (address.bytes > maxHeldBytesPerPeer && address.holders.size > 1) dropped.push(...this.#drop(address));
    while (this.#bytes > maxHeldBytesInAll) dropped.push(...this.#drop(this.#largest(address)));
    for (const body of dropped) if (body !== last) body.about.refuse();
    return !dropped.includes(last);
  }

  #largest(one: Address): Address {
    let largest = one;
    for (const address of this.#addresses.values()) if (address.bytes > largest.bytes) largest = address;
    return largest;
  }

  /** Nothing is held any more of one connection of the address. Answers its bodies. */
  #drop(address: Address): readonly HeldBody[] {
    const least = address.bytes / address.holders.size / 2;
    // In the order in which they have begun to hold. There is always one that holds the average at least.
    for (const [connection, holder] of address.holders) {
      if (holder.bytes < least) continue;
      this.#add(address, connection, holder, -holder.bytes);
      this.#refused?.count(COUNTED_AS);
      for (const body of holder.bodies) body.drop();
      return [...holder.bodies];
    }
    return [];
  }
}

const COUNTED_AS = 'bytes held';

export interface HeldLimits {
  /** Of one connection, when it is more than one body. */
  readonly maxHeldBytes: number;
  /** Of one address, when it is more than one connection. */
  readonly maxHeldBytesPerPeer: number;
  readonly maxHeldBytesInAll: number;
}

interface Address {
  readonly ip: string;
  bytes: number;
  /** By connection, the one first that has begun first. */
  readonly holders: Map<object, Holder>;
}

interface Holder {
  bytes: number;
  readonly bodies: Set<HeldBody>;
}

interface About {
  readonly peer: Peer;
  readonly refuse: () => void;
  readonly most: number;
}

/** What is held of one body. */
export class HeldBody {
  readonly about: About;
  readonly #all: HeldBodies;
  #bytes = 0;
  #isDropped = false;

  constructor(all: HeldBodies, about: About) {
    this.#all = all;
    this.about = about;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** So much of it is held from now on. False: that is too much, and it is held as before, or nothing of it any more. */
  hold(bytes: number): boolean {
    if (bytes === this.#bytes) return true;
    // It was refused and comes all the same.
    if (this.#isDropped) this.about.peer.cut();
    if (this.#isDropped || !this.#all.change(this, bytes - this.#bytes)) return false;
    this.#bytes = bytes;
    return true;
  }

  /** For whoever counts: nothing of it is held any more, nor ever again. */
  drop(): void {
    this.#bytes = 0;
    this.#isDropped = true;
  }
}

/**
 * Hands on what comes of a body, and holds it until its end, or as much of it as `held` says once a chunk has come. Throws what `refusal`
 * gives when that is too much, be it that nothing comes any more.
 */
export async function* heldThrough(
  bodies: HeldBodies,
  peer: Peer,
  body: AsyncIterable<Uint8Array>,
  { refusal, held = summed() }: { readonly refusal: () => Error; readonly held?: ((chunk: Uint8Array) => number) | undefined },
): AsyncGenerator<Uint8Array> {
  let isRefused = false;
  let wake = () => {};
  const own = bodies.of(peer, () => {
    isRefused = true;
    wake();
  });
  const chunks = body[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await new Promise<IteratorResult<Uint8Array>>((resolve, reject) => {
        wake = () => reject(refusal());
        chunks.next().then(resolve, reject);
      });
      if (next.done === true) return;
      if (!own.hold(held(next.value))) throw refusal();
      yield next.value;
      if (isRefused) throw refusal();
    }
  } finally {
    own.hold(0);
    // Not before what it was asked for last, which may never come.
    chunks.return?.().catch(() => {});
  }
}

function summed(): (chunk: Uint8Array) => number {
  let bytes = 0;
  return ({ length }) => {
    bytes += length;
    return bytes;
  };
}
