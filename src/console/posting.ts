import { timingSafeEqual } from 'node:crypto';
import { type Refusal, refusalHeaders } from '../rights/admission.ts';
import { abandonBody, answer } from '../wire/answer.ts';
import { hasLeft, headerOf, type Request, type Response, type Serve } from '../wire/exchange.ts';
import type { HeldBodies } from '../wire/held-bodies.ts';
import { wholeBody } from '../wire/whole-body.ts';

/**
 * What the page sends. Any page can make a browser send something here, with whatever the browser knows of its user: so beside what holds of
 * all pages everywhere, only a page of this very host may, and only JSON, which no form can be. Nothing is read of it before that is sure.
 */
export interface PostingRoom {
  readonly bodies: HeldBodies;
}

/** Why something is not done, and how that is answered. */
export class Fault {
  readonly status: number;
  readonly reason: string;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, reason: string, headers: Readonly<Record<string, string>> = {}) {
    this.status = status;
    this.reason = reason;
    this.headers = headers;
  }
}

export function faultOf(refusal: Refusal): Fault {
  return new Fault(refusal.status, refusal.text, refusalHeaders(refusal));
}

/** `admit` is asked before anything is read of the body. */
export function posting<T>(
  { bodies }: PostingRoom,
  admit: (req: Request) => T | Fault | Promise<T | Fault>,
  serve: (req: Request, said: unknown, admitted: T) => Promise<object | Fault>,
): Serve {
  return async (req, res) => {
    const admitted = fitFault(req) ?? (await admit(req));
    if (admitted instanceof Fault) return refuse(req, res, admitted);
    const said = await jsonOf(req, bodies);
    // Half of it may read like a whole one.
    if (hasLeft(req)) return undefined;
    if (said instanceof Fault) return refuse(req, res, said);
    const done = await serve(req, said.value, admitted);
    if (done instanceof Fault) return refuse(req, res, done);
    return tell(res, 200, done);
  };
}

function fitFault(req: Request): Fault | undefined {
  if (req.method !== 'POST') return new Fault(405, 'it takes POST', { Allow: 'POST' });
  const site = headerOf(req, 'sec-fetch-site');
  if (!isOwnOrigin(req) || (site !== '' && site !== 'same-origin' && site !== 'none'))
    return new Fault(403, 'refused: only the page of this console may ask that, and no other');
  if (!/^application\/json\s*(;|$)/i.test(headerOf(req, 'content-type'))) return new Fault(415, 'it takes application/json');
  return undefined;
}

/**
 * By the host alone: whether it is spoken to over TLS, a proxy before it may know better, and the rules for pages have asked for the origin
 * in full by now.
 */
function isOwnOrigin(req: Request): boolean {
  const origin = headerOf(req, 'origin');
  if (origin === '') return true;
  const own = headerOf(req, 'host') || authorityOf(req);
  const [, scheme = 'http', host = ''] = /^(https?):\/\/(.+)$/i.exec(origin) ?? [];
  return host !== '' && hostOf(scheme, host) === hostOf(scheme, own);
}

/** What HTTP/2 has instead of a Host. */
function authorityOf({ rawHeaders }: Request): string {
  const i = rawHeaders.indexOf(':authority');
  return i < 0 ? '' : (rawHeaders[i + 1] ?? '');
}

/** As browsers spell it. */
function hostOf(scheme: string, host: string): string | undefined {
  const url = `${scheme}://${host}`;
  return URL.canParse(url) ? new URL(url).host : undefined;
}

/** In a time that says nothing of how much of it is right. */
export function isToken(said: string, token: string): boolean {
  const [one, other] = [Buffer.from(said), Buffer.from(token)];
  return one.length === other.length && timingSafeEqual(one, other);
}

class TooLarge extends Error {}
class TooMuch extends Error {}

async function jsonOf(req: Request, bodies: HeldBodies): Promise<{ readonly value: unknown } | Fault> {
  const refusals = { tooLarge: () => new TooLarge(), tooMuch: () => new TooMuch() };
  try {
    const body = await wholeBody(req, { maxBytes: MAX_BODY_BYTES, bodies, ...refusals });
    return { value: JSON.parse(body.toString()) };
  } catch (error) {
    if (error instanceof TooLarge) return new Fault(413, `the body must not exceed ${MAX_BODY_BYTES} bytes`);
    if (error instanceof TooMuch) return new Fault(429, 'too much is on its way that is not whole: send it again later');
    if (error instanceof SyntaxError || hasLeft(req)) return new Fault(400, 'the body must be JSON');
    throw error;
  }
}

const MAX_BODY_BYTES = 65_536;

function refuse(req: Request, res: Response, { status, reason, headers }: Fault): void {
  abandonBody(req, res);
  tell(res, status, { reason }, headers);
}

function tell(res: Response, status: number, value: object, headers: Readonly<Record<string, string>> = {}): void {
  answer(res, status, 'application/json', `${JSON.stringify(value)}\n`, { 'Cache-Control': 'no-store', ...headers });
}
