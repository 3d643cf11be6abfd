import type { GrpcFacts } from '../rights/facts.ts';
import type { Headers } from '../wire/browser.ts';
import type { Peer } from '../wire/exchange.ts';
import type { Asked } from './access.ts';
import { type Carriers, payloadHeaders } from './carriers.ts';
import { type Certified, certified } from './certificates.ts';

/**
 * Who asks by a message of Nacos over gRPC: the headers in its payload alone say who that is, and those of the request only how it came.
 * No page in a browser can send one that gets here: what it may send is decided before.
 */
export class AskedOverGrpc implements Asked {
  readonly ownParams = false;
  readonly isScoped = true;
  readonly isBrowser = false;
  readonly #peer: Peer;
  readonly #call: GrpcFacts;

  constructor(peer: Peer, call: GrpcFacts) {
    this.#peer = peer;
    this.#call = call;
  }

  get ip(): string {
    return this.#peer.ip;
  }

  get headers(): Headers {
    return this.#call.headers;
  }

  get carriers(): Carriers {
    return { params: [], headers: payloadHeaders(this.#call.payload) };
  }

  get isEncrypted(): boolean {
    return this.#peer.isEncrypted === true;
  }

  get certificate(): Certified | undefined {
    const { certificate } = this.#peer;
    return certificate && certified(certificate);
  }

  get agent(): string {
    return this.#call.agent;
  }

  get example(): string {
    return this.#call.example;
  }
}
