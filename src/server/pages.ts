import { cors } from '@connectrpc/connect';
import type { Access } from '../access/access.ts';
import { headOf, type PageRules, pageHeaders } from '../access/browsers.ts';
import { type Refusal, refusalBody, refusalHeaders } from '../rights/admission.ts';
import { answer, answerGrpcStatus } from '../wire/answer.ts';
import { isOfBrowser } from '../wire/browser.ts';
import { headerOf, ipOf, isGrpc, pathOf, type Request, type Response } from '../wire/exchange.ts';

/** What pages in browsers are told on every port before anything else is looked at, and how whoever is refused is told so. */
export interface PagesOptions {
  readonly access: Access;
  readonly rules: PageRules;
  /** Milliseconds since 1970. */
  readonly wallClock: () => number;
}

/** Answers what no page may ask, and what a page asks beforehand; true: nothing remains to be done. */
export type Pages = (req: Request, res: Response) => boolean;

export function pagesFor({ access, rules, wallClock }: PagesOptions): Pages {
  return (req, res) => {
    if (!isOfBrowser(req.headers)) return false;
    const head = headOf(req);
    const refusal = access.page(head, {
      ip: ipOf(req),
      agent: headerOf(req, 'user-agent'),
      example: `${req.method} ${pathOf(req)}`,
    });
    if (refusal !== undefined) {
      answerRefusal(req, res, refusal, wallClock());
      return true;
    }
    const named = Object.entries(pageHeaders(head, rules, SPOKEN));
    for (const [name, value] of named) res.setHeader(name, value);
    if (req.method !== 'OPTIONS' || named.length === 0) return false;
    res.statusCode = 204;
    res.end();
    return true;
  };
}

/** In the caller's own form, of gRPC and of Connect; of anything else in Nacos's. */
export function answerRefusal(req: Request, res: Response, refusal: Refusal, now: number): void {
  if (isGrpc(req)) {
    req.resume();
    answerGrpcStatus(res, PERMISSION_DENIED, refusal.text);
    return;
  }
  if (isConnect(req)) {
    req.resume();
    const error = { code: refusal.status === 403 ? 'permission_denied' : 'resource_exhausted', message: refusal.text };
    answer(res, refusal.status, 'application/json', JSON.stringify(error), refusalHeaders(refusal));
    return;
  }
  const body = JSON.stringify(refusalBody(refusal, pathOf(req).slice(0, 200), now));
  answer(res, refusal.status, 'application/json', body, refusalHeaders(refusal));
}

/** Whether it is for a method of a service of protobuf, and in none of the dresses of gRPC. */
function isConnect(req: Request): boolean {
  return req.method === 'POST' ? METHOD.test(pathOf(req)) : /[?&]connect=v1(&|$)/.test(req.url ?? '') && METHOD.test(pathOf(req));
}

/** `/package.Service/Method`; nothing else that is served here has a dot in its first word. */
const METHOD = /^\/[\w.]+\.\w+\/\w+$/;

export const PERMISSION_DENIED = 7;

/** What pages that are let in may send and read of headers: those of Connect and gRPC-Web, and of Dubbo. */
const SPOKEN = {
  allowed: [...cors.allowedHeaders, 'Triple-Timeout-Ms', 'Triple-Protocol-Version', 'tri-service-timeout'],
  exposed: cors.exposedHeaders,
};
