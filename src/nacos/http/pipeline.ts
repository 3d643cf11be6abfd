import type { Logger } from 'pino';
import { type Admission, refusalBody, refusalHeaders } from '../../rights/admission.ts';
import { abandonBody } from '../../wire/answer.ts';
import { hasLeft, pathOf, peerOf, queryOf, type Request, type Response, type Serve } from '../../wire/exchange.ts';
import type { HeldBodies } from '../../wire/held-bodies.ts';
import type { Refused } from '../../wire/refused.ts';
import type { Scheduler } from '../../wire/scheduler.ts';
import { type Durability, kept } from '../durability.ts';
import { limitOf, REASONS, type Reason, RequestError, TooMany } from '../errors.ts';
import { type Gate, NotPermitted } from '../gate.ts';
import { NONE_LIMITED, type ServerStatus, type Switches } from '../switches.ts';
import type { Walks } from '../walks.ts';
import { AskedOverHttp } from './asked.ts';
import { formOf, mayBeLong, mayHaveForm } from './body.ts';
import type { LargeAnswers } from './large-answers.ts';
import { type Params, readParams } from './params.ts';
import { RequestFacts } from './request-facts.ts';
import type { Answer, Data, Route } from './route.ts';
import { type Found, RouteTable } from './routes.ts';
import { type SayingRoom, say, send } from './say.ts';

/**
 * Nacos's HTTP API for naming, versions 1, 2 and 3: finds the route of a request, reads its parameters, and turns errors into answers.
 * It holds no rule of any call.
 */
export interface PipelineOptions {
  readonly routes: readonly Route[];
  readonly switches: Switches;
  readonly gate?: Gate | undefined;
  readonly limits: PipelineLimits;
  readonly durability: Durability;
  readonly bodies: HeldBodies;
  readonly largeAnswers: LargeAnswers;
  readonly scheduler: Pick<Scheduler, 'soon'>;
  readonly walks: Pick<Walks, 'run'>;
  /** Milliseconds since 1970. */
  readonly wallClock: () => number;
  readonly log: Logger;
  /** Where refusals for a limit are counted; nowhere when left out. */
  readonly refused?: Refused | undefined;
}

export interface PipelineLimits {
  readonly maxBodyBytes: number;
  /** The same where texts of the configuration service are sent. */
  readonly maxConfigBodyBytes: number;
}

/** Answers every request whose path starts with `/nacos/`. What a caller can be at fault for, or to leave in the middle of, never rejects. */
export function pipeline(options: PipelineOptions): Serve {
  const { gate, routes, switches, limits, durability, bodies, largeAnswers, scheduler, walks } = options;
  const table = new RouteTable(routes);
  const saying = { scheduler, walks, largeAnswers };

  return (req, res) => {
    const path = pathOf(req);
    const found = table.find(req.method ?? '', path);
    try {
      // Most requests are answered before it returns: no promise is made for those.
      return begin(req, res, path, found)?.catch((error) => failed(options, { req, res, route: found?.route }, error));
    } catch (error) {
      failed(options, { req, res, route: found?.route }, error);
      return undefined;
    }
  };

  function begin(req: Request, res: Response, path: string, found: Found | undefined): Promise<void> | undefined {
    const { limitedUrlMap, overriddenServerStatus } = switches.values;
    const closed = closedStatus(limitedUrlMap, path);
    if (closed !== undefined) {
      send(res, closed, '');
      return undefined;
    }
    checkServerStatus(overriddenServerStatus, req.method ?? '', path);
    if (found === undefined) throw notServed(req.method ?? '', path, table);
    if (mayBeLong(req) && !hasLeft(req)) checkHead(gate, req, found.route);
    const { body, takesJson = false } = found.route;
    const form = formOf(req, body === 'texts' ? limits.maxConfigBodyBytes : limits.maxBodyBytes, takesJson, bodies);
    if (typeof form === 'string') return call(req, res, found, form);
    return form.then((text) => call(req, res, found, text));
  }

  function call(req: Request, res: Response, found: Found, form: string): Promise<void> | undefined {
    // Half a form may read like a whole one, of another instance.
    if (hasLeft(req)) return undefined;
    const params = readParams(queryOf(req), form);
    const admission = gate?.admit(found.route.access, req, new RequestFacts(req, params, found.route));
    if (admission instanceof Promise) return admission.then((later) => admitted(req, res, found, params, later));
    return admitted(req, res, found, params, admission);
  }

  function admitted(req: Request, res: Response, found: Found, params: Params, admission: Admission | undefined) {
    if (admission?.isRefusal) throw new NotPermitted(admission);
    params.permit = admission;
    const { route } = found;
    const asked = new AskedOverHttp(req, res, withWords(params, found));
    const said = kept(durability, () => route.call(asked));
    if (said instanceof Promise) return sayLater(res, route, said, saying);
    return say(res, route.reply, said, saying);
  }
}

/** Nothing is held of a body whose caller will be refused, whatever is in it. */
function checkHead(gate: Gate | undefined, req: Request, route: Route): void {
  const facts = new RequestFacts(req, readParams(queryOf(req), ''), route);
  const refusal = gate?.refusalByHead(route.access, req, facts, mayHaveForm(req));
  if (refusal !== undefined) throw new NotPermitted(refusal);
}

/** With what stands in the path. */
function withWords(params: Params, { key, within }: Found): Params {
  const keyed = key === undefined ? params : params.with('key', key);
  return within === undefined ? keyed : keyed.with('within', within);
}

/** By itself: what stands beside a function is kept for as long as that, and some wait for minutes. */
function sayLater(res: Response, { reply }: Route, said: Promise<Data | Answer>, saying: SayingRoom): Promise<void> {
  return said.then((data) => say(res, reply, data, saying));
}

/** Tells the caller what was wrong with the request, or with what answers it. */
function failed(
  { refused, wallClock, log }: PipelineOptions,
  { req, res, route }: { readonly req: Request; readonly res: Response; readonly route: Route | undefined },
  error: unknown,
): void {
  if (error instanceof RequestError) {
    const limit = limitOf(error);
    if (limit !== undefined) refused?.count(limit, peerOf(req).ip);
    refuse(req, res, error, route, wallClock);
  } else if (hasLeft(req)) {
    // The caller has gone in the middle of the request; there is nobody to answer.
  } else {
    log.error({ err: error, method: req.method, path: pathOf(req).slice(0, 200) }, 'nacos request failed');
    send(res, 500, 'caused: internal error;');
  }
}

/** Tells all callers, each as his version has it, that there are too many connections. */
export function turnedAway({ routes, wallClock }: Pick<PipelineOptions, 'routes' | 'wallClock'>): Serve {
  const table = new RouteTable(routes);
  const error = new TooMany('connections', 'too many connections: ask again later', 'too-many-connections');
  return (req, res) => refuse(req, res, error, table.find(req.method ?? '', pathOf(req))?.route, wallClock);
}

/** Left alone by what the switches do to others: whoever has turned one on must be able to turn it off. */
const SWITCHES = '/switches';

/** The bare status with which an operator has closed a part of the paths. */
function closedStatus(limited: Readonly<Record<string, number>>, path: string): number | undefined {
  if (limited === NONE_LIMITED || path.endsWith(SWITCHES)) return undefined;
  return Object.entries(limited).find(([prefix]) => path.startsWith(prefix))?.[1];
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

function isLogin(route: Route | undefined): boolean {
  return route?.path.endsWith('/login') === true;
}

/** For these it may be that not all of the request has been read. */
const UNREAD: ReadonlySet<Reason> = new Set(['forbidden', 'busy', 'too-large', 'too-many-bytes']);

function refuse(req: Request, res: Response, error: RequestError, route: Route | undefined, wallClock: () => number): void {
  if (UNREAD.has(error.reason)) abandonBody(req, res);
  if (error instanceof NotPermitted) {
    const { refusal } = error;
    const said = isLogin(route) ? refusal.text : refusalBody(refusal, pathOf(req).slice(0, 200), wallClock());
    send(res, refusal.status, said, refusalHeaders(refusal));
    return;
  }
  const { http, v2, v3 = v2 } = REASONS[error.reason];
  const title = NOT_SERVED[error.reason];
  if (title !== undefined) {
    const timestamp = new Date(wallClock()).toISOString();
    send(res, http, { timestamp, status: http, error: title, message: error.message, path: pathOf(req).slice(0, 200) });
    return;
  }
  if (route?.reply !== 'envelope') send(res, http, error.message);
  else send(res, http, { ...(route.path.startsWith('/nacos/v3/') ? v3 : v2), data: error.v2Message });
}
