import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import type { Logger } from 'pino';
import { isOfBrowser } from '../wire/browser.ts';
import type { MethodCounts } from '../wire/call-counts.ts';
import type { Serve } from '../wire/exchange.ts';
import type { Answer, Lanes } from '../wire/lanes.ts';
import { TURN } from '../wire/turn.ts';
import { type EndpointLimits, endpointOf } from './endpoints.ts';
import type { Checker } from './health.ts';
import { CHECK_CODES, type JsonAnswer } from './lane-answers.ts';
import type { Hearing } from './past.ts';
import { MAX_REQUEST_BYTES, nameInJson } from './requested.ts';
import type { Status } from './status.ts';

/** The lane of HTTP/1: Check in JSON, and `GET` and `HEAD` of `/health/NAME`. */
export interface HttpLaneOptions {
  readonly checker: Checker;
  readonly limits: EndpointLimits;
  readonly defaultService: string;
  /** What happened, and everybody may hear of it; 'asked': who may is asked of each request, and that is not for a lane. */
  readonly heard?: Hearing | 'asked' | undefined;
  readonly log: Logger;
}

export type JsonAnswers = Readonly<Record<Status | 'bad-name', JsonAnswer>>;

/** Where checks are counted. */
interface Counted {
  readonly counts: MethodCounts;
  /** Monotonic milliseconds. */
  readonly now: () => number;
}

export function createHttpLane(
  options: HttpLaneOptions & Counted,
  checkPaths: readonly string[],
  answers: JsonAnswers,
): NonNullable<Lanes['http1']> {
  const { checker, heard, log, counts, now } = options;
  const heads = headsOf(answers);

  const answerCheck = (res: ServerResponse, body: Buffer): boolean => {
    try {
      const began = now();
      const name = nameInJson(body);
      if (name === undefined) return false;
      const status = checker.statusOfText(name) ?? 'bad-name';
      res.writeHead(answers[status].status, heads[status]);
      TURN.end(res, answers[status].body, 'latin1');
      counts.answered(CHECK_CODES[status], now() - began);
      return true;
    } catch (err) {
      return failed(err, log);
    }
  };
  const answerPath = (res: ServerResponse, url: string): boolean => {
    try {
      const { http, json } = pathAnswer(url, options);
      const length = Buffer.byteLength(json);
      res.writeHead(http, ['Cache-Control', 'no-store', 'Content-Type', 'application/json', 'Content-Length', String(length)]);
      // A text of ASCII alone is copied, and not encoded, if it is said to be Latin 1.
      TURN.end(res, json, length === json.length ? 'latin1' : 'utf8');
      return true;
    } catch (err) {
      return failed(err, log);
    }
  };
  /** Once all of it has been read by Node: nearly always that is at once. */
  const whenWhole = (req: IncomingMessage, res: ServerResponse, usual: Serve) => {
    if (req.destroyed) return;
    if (!req.complete) {
      req.once('readable', () => whenWhole(req, res, usual));
      return;
    }
    const body = readAll(req);
    if (answerCheck(res, body)) return;
    if (body.length > 0) req.unshift(body);
    usual(req, res);
  };
  return (req, res, usual) => {
    const { method, url = '', headers } = req;
    if (req.httpVersionMinor !== 1 || isOfBrowser(headers) || headers[INSTANCE_HEADER] !== undefined) return false;
    if (method === 'POST') {
      if (!checkPaths.includes(url) || !isPlainJson(headers) || !isShort(headers)) return false;
      process.nextTick(whenWhole, req, res, usual);
      return true;
    }
    if ((method !== 'GET' && method !== 'HEAD') || heard === 'asked' || !isPlainPath(url) || hasBody(headers)) return false;
    return answerPath(res, url);
  };
}

/** All that waits to be read. Newer Nodes give it in the pieces in which it came. */
function readAll(req: IncomingMessage): Buffer {
  let body: Buffer = req.read() ?? NOTHING;
  for (let more: Buffer | null = req.read(); more !== null; more = req.read()) body = Buffer.concat([body, more]);
  return body;
}

/** What goes wrong inside is told once, and the usual way tries again. */
function failed(err: unknown, log: Logger): false {
  log.warn({ err }, 'the lane failed: the usual way is tried');
  return false;
}

/** What `/health/NAME` answers; the path is a plain one. */
export function pathAnswer(url: string, { checker, limits, defaultService, heard }: Omit<HttpLaneOptions, 'log'>) {
  const name = url.slice(ROOT.length + 1);
  return endpointOf(checker, name === '' ? defaultService : name, limits, heard === 'asked' ? undefined : heard);
}

/** A path of `/health/NAME` that is the name as it stands, and all of it. */
export function isPlainPath(url: string): boolean {
  if (!url.startsWith(ROOT)) return false;
  if (url.length > ROOT.length && url.charCodeAt(ROOT.length) !== SLASH) return false;
  return !url.includes('%') && !url.includes('?') && !url.includes('//');
}

/** The same answers for HTTP/2. */
export function jsonCalls(answers: JsonAnswers): Readonly<Record<Status | 'bad-name', Answer>> {
  const call = ({ status, body }: JsonAnswer): Answer => ({
    head: { ':status': status, 'content-length': String(Buffer.byteLength(body)), 'content-type': 'application/json' },
    body: Buffer.from(body),
    trailers: undefined,
  });
  return {
    serving: call(answers.serving),
    'not-serving': call(answers['not-serving']),
    unknown: call(answers.unknown),
    'bad-name': call(answers['bad-name']),
  };
}

/** JSON that is not compressed, with a deadline that is one if there is any; nobody wants a word before it is sent. */
function isPlainJson(headers: IncomingHttpHeaders): boolean {
  if (headers['content-encoding'] !== undefined || headers.expect !== undefined) return false;
  const timeout = headers['connect-timeout-ms'];
  return isJsonType(headers['content-type']) && (timeout === undefined || isConnectTimeout(timeout));
}

export function isJsonType(type: string | undefined): boolean {
  return type === 'application/json' || (type !== undefined && JSON_TYPE.test(type));
}

export function isConnectTimeout(timeout: string | string[] | undefined): boolean {
  return typeof timeout === 'string' && CONNECT_TIMEOUT.test(timeout);
}

/** Means what `instance` means in the query, and so is for the usual way. */
export const INSTANCE_HEADER = 'x-health-instance';
const JSON_TYPE = /^application\/json; ?charset=utf-?8$/i;
const CONNECT_TIMEOUT = /^\d{1,10}$/;
const NOTHING = Buffer.alloc(0);
const ROOT = '/health';

function isShort(headers: IncomingHttpHeaders): boolean {
  return headers['transfer-encoding'] === undefined && Number(headers['content-length'] ?? 0) <= MAX_REQUEST_BYTES;
}

function hasBody(headers: IncomingHttpHeaders): boolean {
  return headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined;
}

const SLASH = 0x2f;

/** As Connect writes them. */
function headsOf(answers: JsonAnswers): Readonly<Record<Status | 'bad-name', string[]>> {
  const head = ({ body }: JsonAnswer) => ['content-length', String(Buffer.byteLength(body)), 'content-type', 'application/json'];
  return {
    serving: head(answers.serving),
    'not-serving': head(answers['not-serving']),
    unknown: head(answers.unknown),
    'bad-name': head(answers['bad-name']),
  };
}
