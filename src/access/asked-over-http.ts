import { TLSSocket } from 'node:tls';
import type { Facts } from '../rights/facts.ts';
import { type Headers, isOfBrowser } from '../wire/browser.ts';
import { headerOf, type Request } from '../wire/exchange.ts';
import type { Asked } from './access.ts';
import { isEncrypted } from './browsers.ts';
import { type Carriers, requestHeaders } from './carriers.ts';
import { type Certified, certificateOf } from './certificates.ts';

/** Who asks by a request, and what for: each read from it when it is needed, and most of it never. */
export class AskedOverHttp implements Asked {
  readonly ownParams: boolean;
  readonly isScoped: boolean;
  readonly isChange: boolean;
  readonly #req: Request;
  readonly #call: Call;

  constructor(req: Request, call: Call) {
    this.#req = req;
    this.#call = call;
    this.ownParams = call.ownParams ?? false;
    this.isScoped = call.isScoped ?? false;
    this.isChange = call.isChange ?? false;
  }

  get ip(): string {
    return this.#req.socket.remoteAddress ?? '';
  }

  get headers(): Headers {
    return this.#req.headers;
  }

  get carriers(): Carriers {
    return { params: this.#call.params ?? [], headers: requestHeaders(this.#req) };
  }

  get isBrowser(): boolean {
    return isOfBrowser(this.#req.headers);
  }

  get isEncrypted(): boolean {
    return isEncrypted(this.#req);
  }

  get certificate(): Certified | undefined {
    const { socket } = this.#req;
    return socket instanceof TLSSocket ? certificateOf(socket) : undefined;
  }

  get agent(): string {
    return headerOf(this.#req, 'user-agent') || headerOf(this.#req, 'client-version');
  }

  get example(): string {
    return this.#call.example;
  }
}

/** Whoever forgets to say that a call is scoped asks for a right to everything; what else is left out is not so, or not there. */
export type Call = Pick<Facts, 'example'> & Partial<Facts>;
