import { randomBytes, randomUUID } from 'node:crypto';
import { answer, answerText } from '../wire/answer.ts';
import { headerOf, type Request, type Serve } from '../wire/exchange.ts';
import type { Login, LoginAsked, Session } from './api.ts';
import { Fault, faultOf, isToken, posting } from './posting.ts';
import type { Sources } from './sources.ts';

/** Who has come to the console, how he says who he is, and the token by which the page shows that it is this console's. */

/** Made when somebody asks for it first. It tells nobody who he is: a page of another site cannot read it, and so it cannot send it. */
export class PageToken {
  #token: string | undefined;
  #bridge: string | undefined;

  get token(): string {
    this.#token ??= randomBytes(32).toString('base64url');
    return this.#token;
  }

  /** What tells this process from another. */
  get bridge(): string {
    this.#bridge ??= randomUUID();
    return this.#bridge;
  }

  /** Undefined: the request carries it. */
  faultOf(req: Request): Fault | undefined {
    if (isToken(headerOf(req, 'x-console-token'), this.token)) return undefined;
    return new Fault(403, 'refused: X-Console-Token is not the one of this process; console/api/session tells it');
  }
}

type SessionSources = Pick<Sources, 'reception' | 'wallClock' | 'bodies'>;

/** Whoever may reach the page is told, also that he may see nothing, and why: so that the page can ask him who he is. */
export function sessionPath({ reception, wallClock }: SessionSources, page: PageToken): Serve {
  return async (req, res) => {
    req.resume();
    if (req.method !== 'GET' && req.method !== 'HEAD') {
      res.setHeader('Allow', 'GET, HEAD');
      return answerText(res, 405, 'GET or HEAD\n');
    }
    const { version, startedAt, auth, whoComes } = reception;
    const comer = await whoComes(req);
    const { token, bridge } = page;
    const session: Session = { version, bridge, startedAt, now: wallClock(), auth, ...comer, token };
    answer(res, 200, 'application/json', `${JSON.stringify(session)}\n`, { 'Cache-Control': 'no-store' });
  };
}

/** As Nacos's login, with the same refusals. */
export function loginPath({ reception, bodies }: SessionSources): Serve {
  const admit = () => (reception.auth ? {} : new Fault(400, 'nobody logs in here: beatbridge was started without --auth'));
  return posting({ bodies }, admit, async (req, said) => {
    const asked = readLogin(said);
    if (typeof asked === 'string') return new Fault(400, asked);
    const loggedIn = await reception.login(req, { name: asked.username, password: asked.password });
    if (loggedIn.isRefusal) return faultOf(loggedIn);
    const { accessToken, username, tokenTtl } = loggedIn;
    return { accessToken, user: username, ttl: tokenTtl } satisfies Login;
  });
}

function readLogin(said: unknown): LoginAsked | string {
  const { username, password, ...rest } = typeof said === 'object' && said !== null ? { ...NOBODY, ...said } : NOBODY;
  if (typeof username !== 'string' || username === '' || username.length > MAX_LENGTH) return 'username must be a text';
  if (typeof password !== 'string' || password === '' || password.length > MAX_LENGTH) return 'password must be a text';
  const [other] = Object.keys(rest);
  return other === undefined ? { username, password } : `${JSON.stringify(other.slice(0, 100))} is not known: username, password`;
}

const NOBODY: { readonly username: unknown; readonly password: unknown } = { username: undefined, password: undefined };
const MAX_LENGTH = 1_024;
