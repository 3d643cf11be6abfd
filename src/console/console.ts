import { answer, answerJson, answerText, atItsTurn } from '../wire/answer.ts';
import { ipOf, pathOf, queryOf, type Request, type Response, type Serve } from '../wire/exchange.ts';
import { SharedTurns } from '../wire/shared-turns.ts';
import { answerTooMany, refuserOfStreams } from '../wire/too-many.ts';
import { actPath } from './actions.ts';
import { snapshotOf } from './deltas.ts';
import { Files } from './files.ts';
import type { View } from './look.ts';
import { type Asked, Looks } from './looks.ts';
import { Pulse } from './pulse.ts';
import { loginPath, PageToken, sessionPath } from './session.ts';
import type { Sources } from './sources.ts';
import { streamView } from './stream.ts';
import { VIEWS } from './views/views.ts';

/**
 * The console: a page in a browser, and what it reads. The page is files; what it shows is one view at a time, as a whole or as a stream of
 * what changes. It decides nothing of its own, and while nobody looks it keeps nothing and runs nothing.
 */
export interface ConsoleOptions extends Sources {
  /** Where the page is: paths that end with `/`. */
  readonly roots: readonly string[];
}

/** Who answers on a path, if it is one of the console's. */
export function consolePaths(options: ConsoleOptions): (path: string) => Serve | undefined {
  const files = new Files();
  const api = apiOf(options);
  const bare = new Set(options.roots.map((root) => root.slice(0, -1)).filter((path) => path !== ''));
  return (path) => {
    if (bare.has(path)) return redirected;
    const root = options.roots.find((one) => path.startsWith(one));
    if (root === undefined) return undefined;
    const rest = path.slice(root.length);
    if (rest.startsWith(API)) return api.get(rest.slice(API.length));
    // Whatever else is there belongs to others.
    if (rest !== '' && !OF_PAGE.test(rest)) return undefined;
    return reading((req, res) => files.serve(req, res, rest));
  };
}

const API = 'console/api/';
const OF_PAGE = /^(assets\/[\w.-]{1,100}|index\.html|favicon[\w-]{0,30}\.svg)$/;

/** To the page in its place, by which it finds all else; seen from here, as a proxy may have it somewhere else. */
function redirected(req: Request, res: Response): void {
  req.resume();
  const query = queryOf(req);
  const name = pathOf(req).split('/').at(-1) ?? '';
  answer(res, 308, 'text/plain;charset=UTF-8', '', { Location: `./${name}/${query === '' ? '' : `?${query}`}` });
}

function apiOf(options: ConsoleOptions): ReadonlyMap<string, Serve> {
  const pulse = new Pulse(options);
  const turns = new SharedTurns(options);
  const looks = new Looks({ ...options, pulse }, turns, pulse.notServing);
  const refuse = refuserOfStreams(options.refused);
  let snapshots = 0;
  const asking = (
    run: (req: Request, res: Response, asked: Asked & { readonly view: View; readonly follow: Follow }) => Promise<void>,
  ) =>
    reading(async (req, res) => {
      const params = new URLSearchParams(queryOf(req));
      const name = params.get('view') ?? 'now';
      const view = Object.hasOwn(VIEWS, name) ? VIEWS[name as keyof typeof VIEWS] : undefined;
      if (view === undefined) return answerJson(res, 400, { reason: `view must be one of ${Object.keys(VIEWS).join(', ')}` });
      params.delete('view');
      const { admitted, follow } = options.readerOf(req, res);
      const reader = await admitted();
      if (reader !== undefined) await run(req, res, { name, params, reader, view, follow });
    });
  const page = new PageToken();
  return new Map<string, Serve>([
    ['session', sessionPath(options, page)],
    ['login', loginPath(options)],
    ['act', actPath(options, page)],
    [
      'snapshot',
      asking(async (req, res, { view, ...asked }) => {
        const joined = looks.join(view, asked);
        if (typeof joined === 'string') return answerJson(res, 400, { reason: joined });
        if (snapshots >= MOST_SNAPSHOTS) {
          joined.leave();
          options.refused.count('readers of the console', ipOf(req));
          return answerTooMany(res, `more than ${MOST_SNAPSHOTS} read the console at once: ask again later`);
        }
        snapshots++;
        try {
          const body = `${snapshotOf(await joined.look())}\n`;
          answer(res, 200, 'application/json', body, { 'Cache-Control': 'no-store' });
        } finally {
          snapshots--;
          joined.leave();
        }
      }),
    ],
    [
      'stream',
      asking(async (req, res, { view, follow, ...asked }) => {
        // Only then: whoever leaves before that would look for ever.
        await new Promise<void>((resolve) => atItsTurn(res, resolve));
        const joined = looks.join(view, asked);
        if (typeof joined === 'string') return answerJson(res, 400, { reason: joined });
        if (req.method === 'HEAD') {
          joined.leave();
          return answer(res, 200, 'text/event-stream', '', { 'Cache-Control': 'no-store' });
        }
        await streamView(req, res, { ...options, pulse, turns, joined, reader: asked.reader, follow, refuse });
      }),
    ],
  ]);
}

type Follow = ReturnType<Sources['readerOf']>['follow'];

/** For GET and HEAD alone. */
function reading(serve: (req: Request, res: Response) => void | Promise<void>): Serve {
  return (req, res) => {
    req.resume();
    if (req.method === 'GET' || req.method === 'HEAD') return serve(req, res);
    res.setHeader('Allow', 'GET, HEAD');
    answerText(res, 405, 'GET or HEAD\n');
  };
}

/** Whoever has a page open has a stream. */
const MOST_SNAPSHOTS = 16;
