import { readFileSync } from 'node:fs';
import { Agent, request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { join } from 'node:path';
import { requestTable } from '../../src/nacos/grpc/table.ts';
import type { Route } from '../../src/nacos/http/route.ts';
import { nacosRoutes } from '../../src/nacos/http/routes.ts';
import { DRAIN_ROUTES } from '../../src/operate/drain-paths.ts';
import type { Need } from '../../src/rights/admission.ts';
import { type Guarded, startGuarded } from './guarded.ts';
import { emptyNacos } from './nacos-room.ts';
import { answerOf, nacos, register } from './server.ts';

/** Everything that is served where everybody has to log in, and a way to ask for all of it: from the tables themselves. */

const FILES = join(import.meta.dirname, '../fixtures/tls');
const TLS = { cert: readFileSync(join(FILES, 'cert.pem')), key: readFileSync(join(FILES, 'key.pem')) };

const { rooms } = emptyNacos();
/** What is asked for of a route, in all tables. */
export type Served = Pick<Route, 'method' | 'path' | 'access' | 'isWhole'>;
/** What the page asks for, as a whole: its stream never ends, and what it sends is refused to all who are no page of this host before. */
const CONSOLE_ROUTES: readonly Served[] = [
  { method: 'GET', path: '/console/api/session', access: 'login' },
  { method: 'GET', path: '/console/api/snapshot', access: 'read' },
];
export const routes: readonly Served[] = [...nacosRoutes(rooms), ...DRAIN_ROUTES, ...CONSOLE_ROUTES];
export const messages = [...requestTable(rooms)];

/** Open to whoever has not logged in. The first administrator is there, so that nobody else becomes it. */
const OPEN: readonly (Need | undefined)[] = ['alive', 'probe', 'login', 'first-admin'];
export const open = routes.filter(({ access }) => OPEN.includes(access));
export const guarded = routes.filter(({ access }) => !OPEN.includes(access));

/** What every route finds something in; there is an instance and a text of these names. */
const PARAMS = {
  serviceName: 'well-hidden',
  groupName: 'DEFAULT_GROUP',
  ip: '10.0.0.1',
  port: '80',
  dataId: 'well-hidden',
  group: 'DEFAULT_GROUP',
  content: 'x',
  pageNo: '1',
  pageSize: '100',
  search: 'accurate',
  healthy: 'true',
  ephemeral: 'false',
  metadata: '{"a":"b"}',
  newPassword: 'short',
};

export interface Said {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface Ask {
  readonly method?: string;
  /** Goes out as it is. */
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** For `await using`. */
export class EverythingServed implements AsyncDisposable {
  readonly server: Guarded;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 4 });
  /** By which texts are removed in batches. */
  #textId = '';

  private constructor(server: Guarded) {
    this.server = server;
  }

  /** With a reader, a writer, a writer of another namespace (`foreign`) and an administrator (`root`). */
  static async open(): Promise<EverythingServed> {
    const users = { reader: 'reader', writer: 'writer', foreign: 'writer@elsewhere' };
    const served = new EverythingServed(await startGuarded(users, { tls: { ...TLS, port: 0 } }));
    await served.fill();
    return served;
  }

  /** What is to be hidden is there, whoever has removed it. */
  async fill(): Promise<void> {
    const token = { accessToken: await this.server.tokenOf('root') };
    await register(this.server, 'well-hidden', { ...token, ephemeral: 'false' });
    const text = { dataId: 'well-hidden', group: 'DEFAULT_GROUP' };
    const path = '/nacos/v1/cs/configs';
    await nacos(this.server, 'POST', path, { ...token, ...text, content: 'well-hidden text' });
    const page = await answerOf(
      nacos(this.server, 'GET', path, { ...token, ...text, search: 'accurate', pageNo: 1, pageSize: 1 }),
    );
    const [, id] = /"id":"?(\d+)/.exec(JSON.stringify(page.body)) ?? [];
    if (id === undefined) throw new Error(`there is no text: ${JSON.stringify(page)}`);
    this.#textId = id;
  }

  /** The route with everything that it may want to be told. */
  pathOf({ path }: Served, more: Readonly<Record<string, string>> = {}): string {
    if (path.startsWith('/drains')) return path.replace(/\*$/, '10.0.0.1:80?for=1s');
    if (path.startsWith('/console/')) return `${path}?view=services`;
    const key = encodeURIComponent(`${more.namespaceId ?? 'public'}##DEFAULT_GROUP@@well-hidden`);
    return `${path.replace(/\*$/, key)}?${new URLSearchParams({ ...PARAMS, ids: this.#textId, ...more })}`;
  }

  /** At the main port, unless told otherwise. */
  ask(
    route: Served,
    { method = methodOf(route), path = this.pathOf(route), headers = {} }: Ask = {},
    at = this.server.listeners.main,
  ) {
    const colon = at.lastIndexOf(':');
    const isSecure = at === this.server.listeners.tls;
    const how = { host: at.slice(0, colon), port: at.slice(colon + 1), path, headers, method };
    return new Promise<Said>((resolve, reject) => {
      const send = isSecure ? httpsRequest : httpRequest;
      const sent = send({ ...how, ...(isSecure ? { rejectUnauthorized: false } : { agent: this.#agent }) }, (res) => {
        let body = '';
        res.on('data', (chunk) => {
          body += chunk;
        });
        res.on('end', () => resolve({ status: res.statusCode ?? 0, headers: res.headers, body }));
      });
      sent.on('error', reject).end();
    });
  }

  /** What nobody may have changed. */
  async kept(): Promise<unknown> {
    const token = { accessToken: await this.server.tokenOf('root') };
    const get = async (path: string, params: Readonly<Record<string, string | number>> = {}) =>
      (await answerOf(nacos(this.server, 'GET', path, { ...token, ...params }))).body;
    return [
      await get('/service/list', { pageNo: 1, pageSize: 100 }),
      await get('/instance/list', { serviceName: 'well-hidden' }),
      await get('/operator/switches'),
      await get('/nacos/v1/cs/configs', { dataId: 'well-hidden', group: 'DEFAULT_GROUP' }),
      await get('/nacos/v1/console/namespaces'),
      await get('/nacos/v1/auth/users', { search: 'accurate', pageNo: 1, pageSize: 100 }),
    ].map((body) => JSON.stringify(body).replace(/"(lastRefTime|checksum|cacheMillis)":[^,}]*/g, ''));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#agent.destroy();
    await this.server[Symbol.asyncDispose]();
  }
}

export const methodOf = ({ method }: Pick<Served, 'method'>) => (method === 'ANY' ? 'GET' : method);

export const nameOf = ({ method, path }: Pick<Served, 'method' | 'path'>) => `${method} ${path}`;

/** Told in the one way in which it is told here, so that no other 403 is taken for it. */
export const isRefused = ({ status, body }: Said) =>
  status === 403 && /(user not found!|token (invalid|expired)!|authorization failed!)/.test(body);

/** Those of the routes that are answered as they should not be, and how. */
export async function wrongAmong(
  among: readonly Served[],
  ask: (route: Served) => Promise<Said>,
  isRight: (said: Said, route: Served) => boolean,
): Promise<readonly string[]> {
  const asked = among.map(async (route) => [route, await ask(route)] as const);
  const wrong = (await Promise.all(asked)).filter(([route, said]) => !isRight(said, route));
  return wrong.map(([route, { status, body }]) => `${nameOf(route)} ${status} ${body.slice(0, 90)}`);
}
