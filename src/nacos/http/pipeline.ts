import type { Logger } from 'pino';
import { abandonBody, answer, atItsTurn } from '../../wire/answer.ts';
import {
  hasLeft,
  headerOf,
  localAddressOf,
  pathOf,
  peerOf,
  queryOf,
  type Request,
  type Response,
  type Serve,
} from '../../wire/exchange.ts';
import { writeJson } from '../doubles.ts';
import { type Durability, kept } from '../durability.ts';
import { REASONS, type Reason, RequestError } from '../errors.ts';
import type { ServerStatus, Switches } from '../switches.ts';
import { urlEncoded } from './multipart.ts';
import { type Params, readParams } from './params.ts';
import { Answer, type Asked, type Caller, type Data, type Route } from './route.ts';
import { RouteTable } from './routes.ts';

/**
 * Nacos's HTTP API for naming, versions 1, 2 and 3: finds the route of a request, reads its parameters, and is the one place that
 * encodes answers and errors. Success is 200, as no client accepts anything else. It holds no rule of any call.
 */
export interface PipelineOptions {
  readonly routes: readonly Route[];
  readonly switches: Switches;
  readonly limits: PipelineLimits;
  readonly durability: Durability;
  /** Milliseconds since 1970. */
  readonly wallClock: () => number;
  readonly log: Logger;
}

export interface PipelineLimits {
  readonly maxBodyBytes: number;
  /** The same where texts of the configuration service are sent. */
  readonly maxConfigBodyBytes: number;
}

/** Answers every request whose path starts with `/nacos/`. What a caller can be at fault for, or to leave in the middle of, never rejects. */
export function pipeline({ routes, switches, limits, durability, wallClock, log }: PipelineOptions): Serve {
  const table = new RouteTable(routes);
  return respond;

  async function respond(req: Request, res: Response): Promise<void> {
    const path = pathOf(req);
    const found = table.find(req.method ?? '', path);
    try {
      const closed = closedStatus(switches.values.limitedUrlMap, path);
      if (closed !== undefined) {
        send(res, closed, '');
        return;
      }
      checkServerStatus(switches.values.overriddenServerStatus, req.method ?? '', path);
      if (found === undefined) throw notServed(req.method ?? '', path, table);
      const { call, body, reply, takesJson = false } = found.route;
      const form = await readForm(req, body === 'texts' ? limits.maxConfigBodyBytes : limits.maxBodyBytes, takesJson);
      // Half a form may read like a whole one, of another instance.
      if (hasLeft(req)) return;
      const params = readParams(queryOf(req), form);
      const asked = askedIn(req, res, found.key === undefined ? params : { ...params, key: found.key });
      const said = kept(durability, () => call(asked));
      const answered = said instanceof Promise ? await said : said;
      const { data, headers, status } = answered instanceof Answer ? answered : new Answer(answered, {});
      send(res, status, reply === 'envelope' ? { code: 0, message: 'success', data } : data, headers);
    } catch (error) {
      if (error instanceof RequestError) {
        refuse(req, res, error, found?.route, wallClock);
      } else if (hasLeft(req)) {
        // The caller has gone in the middle of the request; there is nobody to answer.
      } else {
        log.error({ err: error, method: req.method, path: pathOf(req).slice(0, 200) }, 'nacos request failed');
        send(res, 500, 'caused: internal error;');
      }
    }
  }
}

function askedIn(req: Request, res: Response, params: Params): Asked {
  const agent = headerOf(req, 'user-agent') || headerOf(req, 'client-version');
  const { ip } = peerOf(req);
  const by = { ...(ip !== '' && { peer: ip }), agent: agent.slice(0, MAX_AGENT_LENGTH) };
  const caller: Caller = {
    ip,
    turn: () => new Promise((resolve) => atItsTurn(req, res, resolve)),
    onLeave(run) {
      if (res.closed || res.destroyed) run();
      else res.once('close', run);
    },
  };
  const header = (name: string) => (req.headers[name] === undefined ? undefined : headerOf(req, name));
  return { params, header, caller, agent, by, local: localAddressOf(req) };
}

/** What is kept with an event of a caller's name for itself. */
const MAX_AGENT_LENGTH = 256;

/** Left alone by what the switches do to others: whoever has turned one on must be able to turn it off. */
const SWITCHES = '/switches';

/** The bare status with which an operator has closed a part of the paths. */
function closedStatus(limited: Readonly<Record<string, number>>, path: string): number | undefined {
  return path.endsWith(SWITCHES) ? undefined : Object.entries(limited).find(([prefix]) => path.startsWith(prefix))?.[1];
}

/** An operator can make the server answer as one that is not there, for clients to go elsewhere. */
function checkServerStatus(status: ServerStatus | null, method: string, path: string): void {
  if (status === null || status === 'UP' || !path.startsWith('/nacos/v1/ns/') || path.endsWith(SWITCHES)) return;
  if (status === 'READ_ONLY' && method === 'GET') return;
  if (status === 'WRITE_ONLY' && method !== 'GET') return;
  // The missing blank is Nacos's.
  throw new RequestError('not-up', `server is ${status}now, please try again later!`);
}

/** Nacos has 501 below its naming of version 1, and what Spring says elsewhere. */
function notServed(method: string, rawPath: string, table: RouteTable): RequestError {
  const path = rawPath.slice(0, 200);
  if (path.startsWith('/nacos/v1/ns/')) return new RequestError('no-such-api', `no such api:${method}:${path}`);
  if (table.serves(rawPath)) return new RequestError('no-such-method', `Method '${method}' is not supported.`);
  return new RequestError('no-such-path', `No endpoint ${method} ${path}.`);
}

/** As Spring calls them. */
const NOT_SERVED: Partial<Record<Reason, string>> = {
  'no-such-api': 'Not Implemented',
  'no-such-path': 'Not Found',
  'no-such-method': 'Method Not Allowed',
};

function refuse(req: Request, res: Response, error: RequestError, route: Route | undefined, wallClock: () => number): void {
  const { http, v2, v3 = v2 } = REASONS[error.reason];
  const title = NOT_SERVED[error.reason];
  if (title !== undefined) {
    const timestamp = new Date(wallClock()).toISOString();
    send(res, http, { timestamp, status: http, error: title, message: error.message, path: pathOf(req).slice(0, 200) });
    return;
  }
  if (error.reason === 'too-large') abandonBody(req, res);
  if (route?.reply !== 'envelope') send(res, http, error.message);
  else send(res, http, { ...(route.path.startsWith('/nacos/v3/') ? v3 : v2), data: error.v2Message });
}

function send(res: Response, status: number, data: Data, headers: Answer['headers'] = {}): void {
  if (typeof data === 'string') answer(res, status, 'text/plain;charset=UTF-8', data, headers);
  else answer(res, status, 'application/json;charset=UTF-8', writeJson(data), headers);
}

/** The body as text. `Content-Encoding` is not believed: Java <= 1.3.2 says gzip over plain text on every request. */
async function readForm(req: Request, maxBytes: number, takesJson: boolean): Promise<string> {
  if (Number(headerOf(req, 'content-length')) > maxBytes) throw tooLarge(maxBytes);
  const chunks: Buffer[] = [];
  let bytes = 0;
  // Leaving the loop early must not destroy the request: the refusal goes out over the same socket.
  for await (const chunk of req.iterator({ destroyOnReturn: false })) {
    // Nobody has set an encoding on the request, so that it gives bytes.
    const piece = chunk as Buffer;
    bytes += piece.length;
    if (bytes > maxBytes) throw tooLarge(maxBytes);
    chunks.push(piece);
  }
  const said = headerOf(req, 'content-type');
  const type = said.toLowerCase();
  if (type.startsWith('multipart/form-data') && bytes > 0) return urlEncoded(Buffer.concat(chunks), said);
  if (takesJson && type.startsWith('application/json'))
    return new URLSearchParams({ body: Buffer.concat(chunks).toString() }).toString();
  // Other kinds of body carry no parameters.
  if (type !== '' && !type.startsWith('application/x-www-form-urlencoded')) return '';
  return chunks.length === 0 ? '' : Buffer.concat(chunks).toString();
}

function tooLarge(maxBytes: number): RequestError {
  return new RequestError('too-large', `the body must not exceed ${maxBytes} bytes`);
}
