import type { Source } from '../registry/changes.ts';
import type { Drained, Located } from '../registry/draining.ts';
import { flat } from '../registry/flat.ts';
import type { Admission, Need, Permit, Refusal } from '../rights/admission.ts';
import { answer } from '../wire/answer.ts';
import { hasLeft, headerOf, ipOf, pathOf, queryOf, type Request, type Response, type Serve } from '../wire/exchange.ts';
import { type Home, readDrain, readTarget, readWanted } from './drain-query.ts';
import { Drains, type DrainsRoom } from './drains.ts';

/**
 * `/drains` on the wire: takes whoever is at an address out for a time, puts them back, and says who is out. For operators, and for what
 * stops a process: nothing of Nacos is needed.
 */
export interface DrainPathsOptions extends DrainsRoom {
  readonly home: Home;
  /** Undefined: nothing is kept. */
  readonly durability: Durability | undefined;
  /** Whether whoever asks may do what the route needs; and then, of each service, whether that too. */
  readonly admit: (need: Need, req: Request) => Admission | Promise<Admission>;
  /** Tells him why not. */
  readonly refuse: (req: Request, res: Response, refusal: Refusal) => void;
}

/** Who keeps what must survive a restart. */
interface Durability {
  /** Another number after an act says that the act must survive. */
  readonly owed: number;
  /** Resolves when all that is owed is on disk; rejects, with a line for an operator, when that cannot be now. */
  settled(): Promise<void>;
}

/** What there is, and what one must be allowed for it. A last `*` is `IP:PORT`. */
export const DRAIN_ROUTES = [
  { method: 'GET', path: '/drains', access: 'read' },
  { method: 'PUT', path: '/drains/*', access: 'operate' },
  { method: 'DELETE', path: '/drains/*', access: 'operate' },
] as const satisfies readonly { readonly method: string; readonly path: string; readonly access: Need }[];

type Method = (typeof DRAIN_ROUTES)[number]['method'];

/** Who answers on a path, if it is one of these. */
export function drainPaths(options: DrainPathsOptions): (path: string) => Serve | undefined {
  const { admit, refuse } = options;
  const calls = callsOf(options);
  const serve: Serve = async (req, res) => {
    req.resume();
    const path = pathOf(req);
    const method = req.method === 'HEAD' ? 'GET' : req.method;
    const routes = DRAIN_ROUTES.filter((route) => (path === ROOT) === (route.path === ROOT));
    const route = routes.find((one) => one.method === method);
    if (route === undefined) {
      const allowed = routes.flatMap((one) => (one.method === 'GET' ? ['GET', 'HEAD'] : [one.method])).join(', ');
      say(res, 405, { reason: `${path === ROOT ? ROOT : `${ROOT}/IP:PORT`} takes ${allowed}` }, { Allow: allowed });
      return;
    }
    const permit = await admit(route.access, req);
    if (permit.isRefusal) refuse(req, res, permit);
    else await calls[route.method]({ req, res, permit, address: unescaped(path.slice(ROOT.length + 1)) });
  };
  return (path) => (path === ROOT || path.startsWith(`${ROOT}/`) ? serve : undefined);
}

const ROOT = '/drains';

interface Asked {
  readonly req: Request;
  readonly res: Response;
  readonly permit: Permit;
  readonly address: string;
}

function callsOf({ durability, home, refuse, ...room }: DrainPathsOptions): Record<Method, (asked: Asked) => Promise<void>> {
  const drains = new Drains(room);
  return {
    async GET({ req, res, permit }) {
      const wanted = readWanted(queryOf(req), home);
      if (typeof wanted === 'string') say(res, 400, { reason: wanted });
      else say(res, 200, (await drains.list(wanted, permit)).slice(0, MOST_LISTED).map(drainedView));
    },
    async PUT({ req, res, permit, address }) {
      const asked = bodyFault(req) ?? readDrain(address, queryOf(req), home);
      if (typeof asked === 'string') return say(res, 400, { reason: asked });
      const refusal = asked.service && permit.refusalFor({ kind: 'naming', ...asked.service });
      if (refusal !== undefined) return refuse(req, res, refusal);
      const before = durability?.owed;
      const { until, ...done } = await drains.drain(asked, byOf(req, permit), permit);
      if (done.count === 0) return say(res, 404, { reason: `no instance${whereOf(permit)} is at ${asked.address}` });
      await answerKept(res, before, { address: asked.address, until: iso(until), reason: asked.reason, ...doneView(done) });
    },
    async DELETE({ req, res, permit, address }) {
      const asked = bodyFault(req) ?? readTarget(address, queryOf(req), home);
      if (typeof asked === 'string') return say(res, 400, { reason: asked });
      const refusal = asked.service && permit.refusalFor({ kind: 'naming', ...asked.service });
      if (refusal !== undefined) return refuse(req, res, refusal);
      const before = durability?.owed;
      const done = await drains.resume(asked, byOf(req, permit), permit);
      if (done.count === 0) return say(res, 404, { reason: `nothing${whereOf(permit)} is drained at ${asked.address}` });
      await answerKept(res, before, { address: asked.address, ...doneView(done) });
    },
  };

  /** Once it would survive a restart. */
  async function answerKept(res: Response, before: number | undefined, done: object): Promise<void> {
    if (durability !== undefined && durability.owed !== before) {
      const trouble = await durability.settled().then(
        () => undefined,
        (error: unknown) => (error instanceof Error ? error.message : String(error)),
      );
      if (trouble !== undefined)
        return say(res, 503, { ...done, reason: `it is in force, but would not survive a restart: ${trouble}` });
    }
    say(res, 200, done);
  }
}

/** Of more, those that are over first. */
const MOST_LISTED = 10_000;

/** Whoever may not operate everywhere is not told what there is elsewhere. */
function whereOf({ user }: Permit): string {
  return user === undefined ? '' : ` that ${user} may operate on`;
}

/** What is said in a body would go unheard. */
function bodyFault(req: Request): string | undefined {
  const hasForm = /^application\/x-www-form-urlencoded\b/i.test(headerOf(req, 'content-type'));
  const isLong = Number(headerOf(req, 'content-length') || 0) > 0;
  return isLong || hasForm ? 'parameters go into the query: nothing is read of a body' : undefined;
}

/** On whose word something is done. */
export function byOf(req: Request, { user }: Pick<Permit, 'user'>): Source {
  const [peer, agent] = [ipOf(req), flat(headerOf(req, 'user-agent').slice(0, MAX_AGENT_LENGTH))];
  return { ...(peer !== '' && { peer }), ...(agent !== '' && { agent }), ...(user !== undefined && { user }) };
}

/** What is kept with an event of a caller's name for itself. */
const MAX_AGENT_LENGTH = 256;

function doneView({ named, count }: { readonly named: readonly Located[]; readonly count: number }) {
  return { count, instances: named.map(placeView) };
}

function placeView({ service: { namespace, group, name }, ip, port }: Located) {
  return { namespace, group, service: name, ip, port };
}

function drainedView({ drain: { reason, since, until, by }, isAway, ...located }: Drained) {
  const times = { since: iso(since), until: iso(until) };
  return { ...placeView(located), reason, ...times, ...(by !== undefined && { by }), ...(isAway && { isAway }) };
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}

/** What is no percent-encoding is no address either. */
function unescaped(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function say(res: Response, status: number, value: object, headers: Readonly<Record<string, string>> = {}): void {
  if (hasLeft(res.req)) return;
  answer(res, status, 'application/json', `${JSON.stringify(value)}\n`, { 'Cache-Control': 'no-store', ...headers });
}
