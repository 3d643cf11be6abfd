import { isAvailable } from '../registry/available.ts';
import type { Instance } from '../registry/instance.ts';
import type { Registry } from '../registry/registry.ts';
import { parseServiceName, type ServiceName } from '../registry/service-name.ts';
import { answerJson, answerText, atItsTurn, ConnectionClosed, written } from '../wire/answer.ts';
import { pathOf, queryOf, type Request, type Response, type Serve } from '../wire/exchange.ts';
import type { OpenAnswers } from '../wire/open-answers.ts';
import type { Scheduler } from '../wire/scheduler.ts';
import { wordOf } from './endpoints.ts';
import type { Health } from './health.ts';
import { type Home, selectAll } from './names.ts';

/**
 * `/services` and `/instances` on the wire: what services there are and what is told of each, and what instances one of them has; a line of
 * JSON each, in one answer, however many there are. It is written as fast as it is read, and nothing of it waits in memory.
 */
export interface ListPathsOptions {
  readonly registry: Registry;
  readonly health: Pick<Health, 'statusOf' | 'countsOf'>;
  readonly home: Home;
  /** When and by what a service became what it is, as far as that is remembered. */
  readonly history: { standingOf(service: ServiceName): { readonly at: number; readonly cause: string } | undefined };
  /** Who asks, and what he may see: once that is no, he has been answered. */
  readonly readerOf: (req: Request, res: Response) => { readonly admitted: () => Reader | Promise<Reader> };
  readonly openAnswers: OpenAnswers;
  readonly scheduler: Pick<Scheduler, 'soon'>;
  readonly wallClock: () => number;
}

type Reader =
  | { readonly isAnswered: true }
  | { readonly isAnswered: false; readonly mayHear: (of: { readonly service: ServiceName }) => boolean };

type MaySee = (service: ServiceName) => boolean;
/** Lines, or why there are none. Undefined is no line, but work. */
type Lines = Iterable<string | undefined> | { readonly status: 400 | 404; readonly reason: string };

/** Who answers on a path, if it is one of these. */
export function listPaths(options: ListPathsOptions): (path: string) => Serve | undefined {
  const serve: Serve = (req, res) => {
    req.resume();
    if (req.method !== 'GET' && req.method !== 'HEAD') {
      res.setHeader('Allow', 'GET, HEAD');
      answerText(res, 405, 'GET or HEAD\n');
      return;
    }
    const admitted = options.readerOf(req, res).admitted();
    const told = (reader: Reader): void | Promise<void> => {
      if (reader.isAnswered) return;
      const lines = linesOf(req, options, (service) => reader.mayHear({ service }));
      if ('reason' in lines) answerJson(res, lines.status, { reason: lines.reason });
      else return stream(req, res, lines, options);
    };
    return admitted instanceof Promise ? admitted.then(told) : told(admitted);
  };
  return (path) => (path === SERVICES || path === INSTANCES ? serve : undefined);
}

const SERVICES = '/services';
const INSTANCES = '/instances';

function linesOf(req: Request, options: ListPathsOptions, maySee: MaySee): Lines {
  const params = new URLSearchParams(queryOf(req));
  const known = pathOf(req) === SERVICES ? ['namespace', 'group', 'status'] : ['service', 'namespace', 'group'];
  const unknown = [...params.keys()].find((name) => !known.includes(name));
  if (unknown !== undefined)
    return { status: 400, reason: `${JSON.stringify(unknown.slice(0, 100))} is not known: ${known.join(', ')}` };
  return pathOf(req) === SERVICES ? serviceLines(params, options, maySee) : instanceLines(params, options, maySee);
}

function serviceLines(params: URLSearchParams, options: ListPathsOptions, maySee: MaySee): Lines {
  const statuses = params.get('status')?.split(',');
  const wrong = statuses?.find((word) => !STATUSES.includes(word));
  if (wrong !== undefined) return { status: 400, reason: `status must be of ${STATUSES.join(', ')}` };
  const [namespace, group] = [params.get('namespace') || undefined, params.get('group') || undefined];
  return lines();

  function* lines() {
    for (const one of namespace === undefined ? [...options.registry.namespaces()] : [namespace])
      for (const service of options.registry.services(one)) {
        const status = wordOf(options.health.statusOf(selectAll(service)));
        const isWanted =
          (group === undefined || service.group === group) && (statuses === undefined || statuses.includes(status));
        yield isWanted && maySee(service) ? serviceLine(service, status, options) : undefined;
      }
  }
}

const STATUSES: readonly string[] = (['serving', 'not-serving', 'unknown'] as const).map(wordOf);

function serviceLine(service: ServiceName, status: string, { registry, health, history }: ListPathsOptions): string {
  const { namespace, group, name } = service;
  const { healthy = 0 } = registry.tally(service) ?? {};
  const change = history.standingOf(service);
  const since = change && { since: new Date(change.at).toISOString(), cause: change.cause };
  return JSON.stringify({
    namespace,
    group,
    service: name,
    status,
    instances: { ...health.countsOf(service), healthy },
    ...since,
  });
}

function instanceLines(params: URLSearchParams, options: ListPathsOptions, maySee: MaySee): Lines {
  const { registry, home } = options;
  const group = params.get('group') || home.group;
  const service = parseServiceName(params.get('service') ?? '', params.get('namespace') || home.namespace, group);
  if (service === undefined) return { status: 400, reason: 'service must be NAME or GROUP@@NAME' };
  // Of what he may not see nobody learns whether it is there.
  const found = maySee(service) ? registry.walk(service) : undefined;
  if (found === undefined) return { status: 404, reason: 'unknown service' };
  return lines(service, found);

  function* lines(of: ServiceName, instances: Iterable<Instance>) {
    for (const instance of instances) yield instanceLine(of, instance, options);
  }
}

function instanceLine(service: ServiceName, instance: Instance, { registry, wallClock }: ListPathsOptions): string {
  const { ip, port, cluster, ephemeral, healthy, enabled, weight, metadata, edit, drain, trouble, remembered, silentMs } =
    instance;
  const isHeld = registry.holderOf(service, instance) !== undefined;
  const { peer, agent } = registry.heardOf(service, instance) ?? {};
  return JSON.stringify({
    ip,
    port,
    cluster,
    ephemeral,
    healthy,
    enabled,
    weight,
    available: isAvailable(instance),
    // Who is held by a connection does not beat, and neither does who is checked.
    ...(isHeld ? { held: true } : ephemeral && { lastBeatAt: new Date(wallClock() - silentMs).toISOString() }),
    // Who has spoken for it last.
    ...(peer !== undefined && { heardFrom: peer }),
    ...(agent !== undefined && { client: agent }),
    ...(remembered && { remembered }),
    ...(trouble !== undefined && { trouble }),
    ...(edit !== undefined && { edit }),
    ...(drain !== undefined && { drain: { reason: drain.reason, until: new Date(drain.until).toISOString() } }),
    metadata,
  });
}

/** What is written at once. */
const PIECE = 64 * 1024;
/** Looked at before others have their turn. */
const AT_ONCE = 500;

async function stream(
  req: Request,
  res: Response,
  lines: Iterable<string | undefined>,
  { openAnswers, scheduler }: ListPathsOptions,
): Promise<void> {
  await new Promise<void>((resolve) => atItsTurn(res, resolve));
  openAnswers.add(res);
  res.statusCode = 200;
  res.setHeader('Content-Type', 'application/x-ndjson');
  res.setHeader('Cache-Control', 'no-store');
  if (req.method === 'HEAD') {
    res.end();
    return;
  }
  let [text, looks] = ['', 0];
  try {
    for (const line of lines) {
      if (line !== undefined) text += `${line}\n`;
      if (text.length >= PIECE) {
        await written(res, text);
        text = '';
      }
      if (++looks % AT_ONCE === 0) await new Promise<void>((resolve) => scheduler.soon(resolve));
      if (res.destroyed) return;
    }
    res.end(text);
  } catch (error) {
    if (!(error instanceof ConnectionClosed)) throw error;
  }
}
