import type { Peer } from './exchange.ts';

/**
 * What has come of bodies and messages and is kept until they are whole: bounded for each connection, and in all. Where all together
 * hold too much, the connection that holds most is ended: whoever sends a little is never turned away for it.
 */
export class HeldBodies {
  readonly #limits: HeldLimits;
  /** By connection, those that hold something. */
  readonly #holders = new Map<object, Holder>();
  #bytes = 0;

  constructor(limits: HeldLimits) {
    this.#limits = limits;
  }

  /** What all hold now. */
  get bytes(): number {
    return this.#bytes;
  }

  /** One more body of this peer. `most`: what its connection may hold, where that is less than others may. */
  of(peer: Peer, most = this.#limits.maxHeldBytes): HeldBody {
    return new HeldBody(this, peer, most);
  }

  /** For a body that holds `own` bytes: so much more of it is held, or less. Undefined: that would be too much. */
  change(holder: Holder | undefined, peer: Peer, { own, bytes, most }: Change): Holder | undefined {
    const { connection } = peer;
    // Of one that was ended nothing counts any more.
    if (holder?.isEnded === true) return bytes > 0 ? undefined : holder;
    const held = holder ?? this.#holders.get(connection) ?? { bytes: 0, isEnded: false, cut: peer.cut };
    // How long a single body may be is for others to say.
    if (bytes > 0 && held.bytes > own && held.bytes + bytes > most) return undefined;
    held.bytes += bytes;
    this.#bytes += bytes;
    if (held.bytes > 0) this.#holders.set(connection, held);
    else this.#holders.delete(connection);
    while (this.#bytes > this.#limits.maxHeldBytesInAll) this.#endMost();
    return held.isEnded ? undefined : held;
  }

  #endMost(): void {
    let most: [object, Holder] | undefined;
    for (const entry of this.#holders) if (most === undefined || entry[1].bytes > most[1].bytes) most = entry;
    if (most === undefined) return;
    const [connection, holder] = most;
    this.#holders.delete(connection);
    this.#bytes -= holder.bytes;
    holder.isEnded = true;
    holder.cut();
  }
}

export interface HeldLimits {
  /** Of one connection, when it is more than one body. */
  readonly maxHeldBytes: number;
  readonly maxHeldBytesInAll: number;
}

interface Change {
  readonly own: number;
  readonly bytes: number;
  readonly most: number;
}

interface Holder {
  bytes: number;
  isEnded: boolean;
  readonly cut: () => void;
}

/** What is held of one body. */
export class HeldBody {
  readonly #all: HeldBodies;
  readonly #peer: Peer;
  readonly #most: number;
  #holder: Holder | undefined;
  #bytes = 0;

  constructor(all: HeldBodies, peer: Peer, most: number) {
    this.#all = all;
    this.#peer = peer;
    this.#most = most;
  }

  /** So much of it is held from now on. False: that is too much, and it is held as before. */
  hold(bytes: number): boolean {
    if (bytes === this.#bytes) return true;
    const change = { own: this.#bytes, bytes: bytes - this.#bytes, most: this.#most };
    const holder = this.#all.change(this.#holder, this.#peer, change);
    if (holder === undefined) return false;
    this.#bytes = bytes;
    this.#holder = bytes === 0 ? undefined : holder;
    return true;
  }

  /** Hands on what comes, and holds it until the end of the body. Throws what `refusal` gives when that is too much. */
  async *through(body: AsyncIterable<Uint8Array>, refusal: () => Error): AsyncGenerator<Uint8Array> {
    try {
      for await (const chunk of body) {
        if (!this.hold(this.#bytes + chunk.length)) throw refusal();
        yield chunk;
      }
    } finally {
      this.hold(0);
    }
  }
}
