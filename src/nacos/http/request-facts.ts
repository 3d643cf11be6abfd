import type { Facts } from '../../rights/facts.ts';
import { pathOf, type Request } from '../../wire/exchange.ts';
import type { Params } from './params.ts';
import type { Route } from './route.ts';

/** Who asks, and what for. There is one for every beat, and of most of them nobody wants to know. */
export class RequestFacts implements Facts {
  readonly ownParams: boolean;
  readonly isScoped: boolean;
  readonly isChange: boolean;
  readonly #req: Request;
  readonly #params: Params;

  constructor(req: Request, params: Params, { isWhole = false, isAboutUsers = false, changesByGet = false }: Route) {
    this.#req = req;
    this.#params = params;
    this.ownParams = isAboutUsers;
    this.isScoped = !isWhole;
    this.isChange = changesByGet && (req.method === 'GET' || req.method === 'HEAD');
  }

  get params(): Facts['params'] {
    return this.#params.pairs();
  }

  get example(): string {
    return `${this.#req.method} ${pathOf(this.#req)}`;
  }
}
