import { MovingError, RefusedError } from './errors.ts';

/**
 * One Nacos or beatbridge by its HTTP API: addresses, logins, time limits, and what an answer means. It knows no call, and tries none
 * twice: whoever moves a registry starts again, which does no harm.
 */
export class Api {
  readonly #base: string;
  readonly #agent: Agent;
  readonly #request: Undici['request'];
  #token: string | undefined;

  private constructor(base: string, undici: Undici, token: string | undefined) {
    this.#base = base;
    this.#request = undici.request;
    this.#token = token;
    const times = { headersTimeout: ANSWER_WITHIN_MS, bodyTimeout: ANSWER_WITHIN_MS };
    this.#agent = new undici.Agent({ connect: { timeout: CONNECT_WITHIN_MS }, connections: MOST_CALLS, ...times });
  }

  /** Logs in, if there is somebody to log in. Rejects with `MovingError`. */
  static async open({ server, username, password, token }: ApiOptions): Promise<Api> {
    const api = new Api(baseOf(server), await import('undici'), token);
    try {
      if (username !== undefined) await api.#login(username, password ?? '');
      return api;
    } catch (error) {
      await api.close();
      throw error;
    }
  }

  /** The JSON or text of an answer. Rejects with `RefusedError` for this call, and with `MovingError` when no other would fare better. */
  async call(method: Method, path: string, params: Params = {}, where?: 'query'): Promise<unknown> {
    const { status, text } = await this.#ask(method, path, params, where);
    if (status === 401 || status === 403) throw new MovingError(`${this.#base} wants a login: ${reasonIn(text)}. ${LOGIN_HINT}`);
    if (status !== 200) throw new RefusedError(status, `${status} ${reasonIn(text)}`);
    return parsed(text);
  }

  /** As `call`, of one that answers in an envelope: what is in it. */
  async data(method: Method, path: string, params: Params = {}): Promise<unknown> {
    const answer = await this.call(method, path, params);
    if (!isObject(answer)) throw new RefusedError(200, `not the answer of a Nacos: ${inLine(JSON.stringify(answer) ?? '')}`);
    const { code, data } = answer;
    if (code !== 0 && code !== 200) throw new RefusedError(200, `${String(code)} ${reasonIn(JSON.stringify(answer))}`);
    return data;
  }

  async close(): Promise<void> {
    await this.#agent.destroy();
  }

  async #login(username: string, password: string): Promise<void> {
    const refusals: string[] = [];
    for (const path of ['/v1/auth/login', '/v3/auth/user/login']) {
      const { status, text } = await this.#ask('POST', path, { username, password });
      const answer = parsed(text);
      if (status === 200 && isObject(answer) && typeof answer.accessToken === 'string') {
        this.#token = answer.accessToken;
        return;
      }
      refusals.push(`${status} ${inLine(text)}`);
    }
    throw new MovingError(`${this.#base} does not let ${username} log in: ${refusals[0]}`);
  }

  async #ask(
    method: Method,
    path: string,
    params: Params,
    where?: 'query',
  ): Promise<{ readonly status: number; readonly text: string }> {
    const form = new URLSearchParams();
    for (const [name, value] of Object.entries(params)) if (value !== undefined) form.set(name, String(value));
    const inQuery = method === 'GET' || method === 'DELETE' || where === 'query';
    const query = inQuery && form.size > 0 ? `?${form}` : '';
    try {
      const { statusCode, body } = await this.#request(`${this.#base}${path}${query}`, {
        method,
        dispatcher: this.#agent,
        headers: {
          ...(this.#token !== undefined && { accessToken: this.#token }),
          ...(!inQuery && { 'content-type': 'application/x-www-form-urlencoded;charset=UTF-8' }),
        },
        body: inQuery ? null : form.toString(),
      });
      return { status: statusCode, text: await body.text() };
    } catch (cause) {
      throw new MovingError(`${this.#base} cannot be asked: ${causeIn(cause)}`, { cause });
    }
  }
}

export interface ApiOptions {
  /** `http://HOST:PORT`, and where Nacos is below it, if that is not `/nacos`. */
  readonly server: string;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  readonly token?: string | undefined;
}

export type Params = Readonly<Record<string, string | number | boolean | undefined>>;
type Method = 'GET' | 'POST' | 'PUT' | 'DELETE';
type Undici = typeof import('undici');
type Agent = InstanceType<Undici['Agent']>;

/** Calls that may be under way at once. */
export const MOST_CALLS = 8;
const CONNECT_WITHIN_MS = 5_000;
const ANSWER_WITHIN_MS = 30_000;
const LOGIN_HINT = 'Give --username and --password, or --token';

/** Neither null nor a list. */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The address below which the calls are. Undefined for what is none. */
export function serverUrl(text: string): URL | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isPlain = url !== undefined && url.search === '' && url.hash === '' && url.username === '' && url.password === '';
  return isPlain && (url.protocol === 'http:' || url.protocol === 'https:') ? url : undefined;
}

function baseOf(server: string): string {
  const url = serverUrl(server);
  if (url === undefined) throw new MovingError(`${server} is no address of a server`);
  const path = url.pathname.replace(/\/+$/, '');
  return `${url.origin}${path === '' ? '/nacos' : path}`;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** Nacos says why in one of several places, and Spring in another. */
function reasonIn(text: string): string {
  const answer = parsed(text);
  if (!isObject(answer)) return inLine(text);
  const said = [answer.data, answer.message, answer.error].find((part) => typeof part === 'string' && part !== '');
  return inLine(typeof said === 'string' ? said : text);
}

function inLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ').trim().slice(0, 300);
}

function causeIn(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // Both families refused: the reason stands in each of them.
  if (error instanceof AggregateError) return error.errors.map(causeIn).join(', ');
  return error.cause instanceof Error ? causeIn(error.cause) : inLine(error.message);
}
