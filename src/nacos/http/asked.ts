import type { Source } from '../../registry/changes.ts';
import { hasTurn } from '../../wire/answer.ts';
import { headerOf, ipOf, isHttp2, localAddressOf, type Request, type Response } from '../../wire/exchange.ts';
import type { Walker } from '../walks.ts';
import type { Params } from './params.ts';
import type { Asked, Caller } from './route.ts';

/** What a request asks. There is one for every beat, so that nothing of it is made before somebody wants it. */
export class AskedOverHttp implements Asked {
  readonly params: Params;
  readonly #req: Request;
  readonly #res: Response;

  constructor(req: Request, res: Response, params: Params) {
    this.params = params;
    this.#req = req;
    this.#res = res;
  }

  get request(): Request {
    return this.#req;
  }

  get agent(): string {
    return headerOf(this.#req, 'user-agent') || headerOf(this.#req, 'client-version');
  }

  get by(): Source {
    const agent = this.agent.slice(0, MAX_AGENT_LENGTH);
    const peer = ipOf(this.#req);
    const user = this.params.permit?.user;
    if (user !== undefined) return peer === '' ? { agent, user } : { peer, agent, user };
    return peer === '' ? { agent } : { peer, agent };
  }

  get local(): string {
    return localAddressOf(this.#req);
  }

  get header(): Asked['header'] {
    return (name) => (this.#req.headers[name] === undefined ? undefined : headerOf(this.#req, name));
  }

  get caller(): Caller {
    const res = this.#res;
    return {
      ...walkerOf(res),
      isNext: hasTurn(res),
      onLeave(run) {
        if (res.closed || res.destroyed) run();
        else res.once('close', run);
      },
    };
  }
}

/** Who is answered. */
export function walkerOf(res: Response): Walker {
  const { req } = res;
  // An answer that waits behind others has no socket yet.
  return { ip: ipOf(req), hasLeft: () => res.closed || res.destroyed || (!isHttp2(req) && req.socket.destroyed) };
}

/** What is kept with an event of a caller's name for itself. */
const MAX_AGENT_LENGTH = 256;
