import { answerJson, answerText } from '../wire/answer.ts';
import { headerOf, queryOf, type Request, type Response, type Serve } from '../wire/exchange.ts';

/**
 * `/livez` and `/readyz`, as Kubernetes has them of its own servers. The first says that the event loop turns, and is the one to restart
 * by; the second whether the bridge is to be asked, part by part if one wants to know. It asks each part when it is asked itself, and
 * keeps nothing.
 */

/** Something that the bridge is made of. */
export interface Part {
  readonly name: string;
  /** Whether the bridge is not ready without it. Where it can serve all the same, sending callers away would make it worse. */
  readonly isNeeded: boolean;
  readonly look: () => Look;
}

/** What a part is like now, in a few words. */
export interface Look {
  readonly ok: boolean;
  readonly says: string;
  /** Of what ends at a time that is known; below zero once it has. */
  readonly validForSeconds?: number;
}

/**
 * Who answers on a path, if it is one of these. `mayTell`: whether this caller may hear of the parts, which whoever asks whether the
 * bridge is ready need not know; everybody may when it is left out. It is not asked where the answer is the same for all.
 */
export function probePaths(
  parts: readonly Part[],
  mayTell: (req: Request) => boolean | Promise<boolean> = () => true,
): (path: string) => Serve | undefined {
  const ready: Serve = (req, res) => {
    // A password in it may take its time to be looked at, and this one is asked by who has little.
    if (!wantsParts(req) && isReady(lookAt(parts))) return answerText(res, 200, 'ok\n');
    const isTold = mayTell(req);
    const answered = (told: boolean) => answerReady(req, res, parts, told);
    return isTold instanceof Promise ? isTold.then(answered) : answered(isTold);
  };
  const paths = new Map<string, Serve>([
    ['/livez', reading(answerAlive)],
    ['/readyz', reading(ready)],
  ]);
  return (path) => paths.get(path);
}

function answerAlive(req: Request, res: Response): void {
  if (wantsJson(req)) answerJson(res, 200, { status: 'alive' });
  else answerText(res, 200, 'ok\n');
}

function answerReady(req: Request, res: Response, parts: readonly Part[], isTold: boolean): void {
  const seen = lookAt(parts);
  const passed = isReady(seen);
  const status = passed ? 200 : 503;
  if (!isTold) {
    answerText(res, status, passed ? 'ok\n' : 'not ready\n');
  } else if (wantsJson(req)) {
    answerJson(res, status, { status: passed ? 'ready' : 'not ready', parts: seen });
  } else if (passed && !isVerbose(req)) {
    answerText(res, status, 'ok\n');
  } else {
    // Whoever finds a failure wants to know why, as Kubernetes thinks too.
    const lines = seen.map(({ name, ok, says }) => `[${ok ? '+' : '-'}]${name} ${says}\n`);
    answerText(res, status, `${lines.join('')}readyz check ${passed ? 'passed' : 'failed'}\n`);
  }
}

/** A part as it is now; `isNeeded` as of `Part`. */
interface Seen extends Look {
  readonly name: string;
  readonly isNeeded: boolean;
}

function lookAt(parts: readonly Part[]): readonly Seen[] {
  return parts.map(({ name, isNeeded, look }) => ({ name, isNeeded, ...look() }));
}

function isReady(seen: readonly Seen[]): boolean {
  return seen.every(({ ok, isNeeded }) => ok || !isNeeded);
}

function wantsParts(req: Request): boolean {
  return isVerbose(req) || wantsJson(req);
}

/** For GET and HEAD alone, and never from a cache. */
function reading(serve: Serve): Serve {
  return (req, res) => {
    res.setHeader('Cache-Control', 'no-store');
    if (req.method === 'GET' || req.method === 'HEAD') {
      return serve(req, res);
    }
    req.resume();
    res.setHeader('Allow', 'GET, HEAD');
    answerText(res, 405, 'GET or HEAD\n');
  };
}

function isVerbose(req: Request): boolean {
  return queryOf(req)
    .split('&')
    .some((part) => part === 'verbose' || part.startsWith('verbose='));
}

function wantsJson(req: Request): boolean {
  return /\bapplication\/json\b/i.test(headerOf(req, 'accept'));
}
