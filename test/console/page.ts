import { request } from 'node:http';
import type { Action, Done, EventLine, Session } from '../../src/console/api.ts';
import type { Server } from '../../src/index.ts';

/** Says to the console what its page says, and whatever else somebody may say. */

export type Fields = Readonly<Record<string, string>>;

export interface Said {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  // biome-ignore lint/suspicious/noExplicitAny: what a test reads of an answer, it says itself
  readonly body: any;
}

/** As it is: fetch leaves out what only browsers may say. */
export function say(
  server: Pick<Server, 'listeners'>,
  method: string,
  path: string,
  headers: Fields = {},
  body = '',
): Promise<Said> {
  const [host, port] = server.listeners.main.split(/:(?=\d+$)/);
  return new Promise((resolve, reject) => {
    const asked = request({ host, port, method, path, headers: { connection: 'close', ...headers } }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        const isJson = answer.headers['content-type']?.startsWith('application/json') === true;
        resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: isJson ? JSON.parse(text) : text });
      });
      answer.on('error', reject);
    });
    asked.on('error', reject);
    asked.end(body);
  });
}

/** A page that is open: who looks at it, it says with each request. */
export class Page {
  readonly #server: Pick<Server, 'listeners'>;
  readonly #headers: Fields;
  #token: string | undefined;

  constructor(server: Pick<Server, 'listeners'>, accessToken?: string) {
    const origin = `http://${server.listeners.main}`;
    const browser = { 'user-agent': 'Mozilla/5.0 (a page)', 'sec-fetch-site': 'same-origin', referer: `${origin}/` };
    this.#server = server;
    this.#headers = { ...browser, origin, ...(accessToken !== undefined && { authorization: `Bearer ${accessToken}` }) };
  }

  async session(): Promise<Session> {
    return (await say(this.#server, 'GET', '/console/api/session', this.#headers)).body;
  }

  /** `headers` win. */
  async post(path: string, value: unknown, headers: Fields = {}): Promise<Said> {
    this.#token ??= (await this.session()).token;
    const own = { ...this.#headers, 'content-type': 'application/json', 'x-console-token': this.#token };
    return say(this.#server, 'POST', `/console/api/${path}`, { ...own, ...headers }, JSON.stringify(value));
  }

  /** Does it, and answers what takes it back. Throws where that is refused. */
  async act(action: Action): Promise<Action | undefined> {
    const { status, body } = await this.post('act', action);
    if (status !== 200) throw new Error(`${status} ${JSON.stringify(body)}`);
    return (body as Done).undo;
  }

  /** The last event that there is. */
  async lastEvent(): Promise<EventLine | undefined> {
    const { body } = await say(this.#server, 'GET', '/events', { ...this.#headers, accept: 'application/json' });
    return (body as readonly EventLine[]).at(-1);
  }
}
