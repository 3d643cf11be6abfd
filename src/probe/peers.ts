import { addressBytes } from '../wire/addresses.ts';
import type { Peer } from './probed.ts';

/** One record for each address that an instance has, however it is spelt. */
export class Peers {
  readonly #byKey = new Map<string, Peer>();

  /** For one more instance; `leave` ends that. */
  join(ip: string): Peer {
    const key = addressBytes(ip)?.join() ?? ip.toLowerCase();
    let peer = this.#byKey.get(key);
    if (peer === undefined) {
      peer = { key, instances: 0, underWay: 0, waiting: undefined };
      this.#byKey.set(key, peer);
    }
    peer.instances++;
    return peer;
  }

  get count(): number {
    return this.#byKey.size;
  }

  leave(peer: Peer): void {
    if (--peer.instances === 0) this.#byKey.delete(peer.key);
  }
}
