import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import type { Logger } from 'pino';
import { DEFAULT_SILENCE, type Instance } from '../registry/instance.ts';
import type { Registry } from '../registry/registry.ts';
import { groupedName, type ServiceName } from '../registry/service-name.ts';
import {
  type InstancePlace,
  type Params,
  type Reason,
  RequestError,
  readBeat,
  readClusters,
  readEphemeral,
  readFlag,
  readHealthy,
  readParams,
  readPartialEdit,
  readPlace,
  readRegistration,
  readService,
  readVerbatim,
} from './params.ts';
import { beatView, inClusters, instanceView, listView, unknownBeatView } from './views.ts';

/**
 * Nacos's HTTP API for naming. Handlers return data; `nacosHandler` finds them, reads their parameters and is the one place that
 * encodes answers and errors. Success is always 200, as no client accepts anything else.
 */
export type NacosRequest = IncomingMessage | Http2ServerRequest;
export type NacosResponse = ServerResponse | Http2ServerResponse;

export interface NacosOptions {
  readonly registry: Registry;
  /** Milliseconds since 1970, never going back. */
  readonly wallClock: () => number;
  readonly log: Logger;
}

/** What is asked, once the wire is out of the way. */
interface Call {
  readonly params: Params;
  readonly agent: string;
}

/** Text is answered as it is, anything else as JSON. */
type Handler = (call: Call) => string | object;

const OK = 'ok';

/** Larger forms are refused unread. Nacos itself stops at Tomcat's 2 MiB. */
const MAX_BODY_BYTES = 1 << 20;

/** Every call, by method and path. */
export function nacosRoutes({ registry, wallClock }: Omit<NacosOptions, 'log'>): ReadonlyMap<string, Handler> {
  return new Map<string, Handler>([
    ['POST /nacos/v1/ns/instance', register],
    ['DELETE /nacos/v1/ns/instance', deregister],
    ['PUT /nacos/v1/ns/instance', update],
    ['PATCH /nacos/v1/ns/instance', patch],
    ['GET /nacos/v1/ns/instance', getInstance],
    ['GET /nacos/v1/ns/instance/list', list],
    ['PUT /nacos/v1/ns/instance/beat', beat],
    ['GET /nacos/v1/ns/operator/metrics', metrics],
  ]);

  function register({ params }: Call) {
    registry.register(readService(params), readRegistration(params));
    return OK;
  }

  /** Absent is fine: clients deregister what has expired already. */
  function deregister({ params }: Call) {
    registry.deregister(readService(params), { ...readPlace(params), ephemeral: readEphemeral(params) ?? true });
    return OK;
  }

  /**
   * Replaces weight, enabled and metadata of an instance; what the request leaves out goes back to the default. The Java client
   * may only update what is there, all others make it.
   */
  function update({ params, agent }: Call) {
    const service = readService(params);
    const found = find(service, readPlace(params), readEphemeral(params));
    const registration = readRegistration(params);
    if (found !== undefined) {
      const { enabled, weight, metadata } = registration;
      registry.edit(service, found, { enabled, weight, metadata });
    } else if (isJavaClient(agent)) {
      throw new RequestError('invalid', `instance not exist: ${registration.ip}:${registration.port}`);
    } else {
      registry.register(service, registration);
    }
    return OK;
  }

  function patch({ params }: Call) {
    const service = readService(params);
    const place = readPlace(params);
    const edit = readPartialEdit(params);
    const healthy = readHealthy(params);
    const found = find(service, place) ?? notFound(service, place);
    registry.edit(service, found, edit);
    if (healthy !== undefined) registry.report(service, found, healthy);
    return OK;
  }

  function getInstance({ params }: Call) {
    const service = readService(params);
    const place = readPlace(params, false);
    return instanceView(service, find(service, place) ?? notFound(service, place));
  }

  function list({ params, agent }: Call) {
    const service = readService(params);
    const clusters = readClusters(params);
    const instances = registry.instances(service) ?? [];
    if (readFlag(params, 'isCheck') && inClusters(instances, clusters).length > 0) return {};
    return listView(service, instances, {
      clusters,
      clustersVerbatim: readVerbatim(params, 'clusters'),
      healthyOnly: readFlag(params, 'healthyOnly'),
      grouped: isJavaClient(agent),
      cacheMillis: CACHE_MILLIS,
      lastRefTime: wallClock(),
      env: readVerbatim(params, 'env'),
    });
  }

  /** A full beat of an unknown instance registers it; after a light one the client has to. */
  function beat({ params }: Call) {
    const { service, place, registration } = readBeat(params);
    const interval =
      registry.beat(service, { ...place, ephemeral: true }) ?? registry.beat(service, { ...place, ephemeral: false });
    if (interval !== undefined) return beatView(interval);
    if (registration === undefined) return unknownBeatView(DEFAULT_SILENCE.beatIntervalMs);
    registry.register(service, registration);
    return beatView(registry.beat(service, registration) ?? DEFAULT_SILENCE.beatIntervalMs);
  }

  function metrics() {
    return { status: 'UP', serviceCount: registry.serviceCount, instanceCount: registry.instanceCount };
  }

  /** Most requests do not say whether they mean an ephemeral or a persistent instance: the first is the usual one. */
  function find(service: ServiceName, place: InstancePlace, ephemeral?: boolean): Instance | undefined {
    const kinds = ephemeral === undefined ? [true, false] : [ephemeral];
    for (const kind of kinds) {
      const instance = registry.instance(service, { ...place, ephemeral: kind });
      if (instance !== undefined) return instance;
    }
    return undefined;
  }

  function notFound(service: ServiceName, { cluster }: InstancePlace): never {
    const empty = inClusters(registry.instances(service) ?? [], [cluster]).length === 0;
    throw new RequestError(
      'not-found',
      empty ? `no ips found for cluster ${cluster} in service ${groupedName(service)}` : 'no matched ip found!',
    );
  }
}

/** How long clients may go by what they have read before they ask again. */
const CACHE_MILLIS = 3_000;

/** Also npm's client, which calls itself `Nacos-Java-Client:v1.0.0`. */
function isJavaClient(agent: string): boolean {
  const version = /^Nacos-Java-Client:v(\d+)/.exec(agent)?.[1];
  return version !== undefined && Number(version) >= 1;
}

/** Answers every request whose path starts with `/nacos/`. */
export function nacosHandler(options: NacosOptions): (req: NacosRequest, res: NacosResponse) => Promise<void> {
  const routes = nacosRoutes(options);
  return async (req, res) => {
    try {
      send(res, 200, await answer(req));
    } catch (error) {
      if (error instanceof RequestError) {
        refuse(req, res, error, options.wallClock());
      } else if (req.errored || res.destroyed) {
        // The caller has gone in the middle of the request; there is nobody to answer.
      } else {
        options.log.error({ err: error, method: req.method, path: pathOf(req.url).slice(0, 200) }, 'nacos request failed');
        send(res, 500, 'caused: internal error;');
      }
    }
  };

  async function answer(req: NacosRequest): Promise<string | object> {
    const url = req.url ?? '';
    const path = pathOf(url);
    const method = req.method === 'HEAD' ? 'GET' : req.method;
    const handler = routes.get(`${method} ${path.endsWith('/') ? path.slice(0, -1) : path}`);
    if (handler === undefined) throw new RequestError('no-such-api', `no such api:${method}:${path.slice(0, 200)}`);
    const form = await readForm(req);
    const agent = req.headers['user-agent'] || headerText(req.headers['client-version']);
    return handler({ params: readParams(url.slice(path.length + 1), form), agent });
  }
}

const STATUS: Record<Reason, number> = { invalid: 400, 'not-found': 404, 'too-large': 413, 'no-such-api': 501 };

function refuse(req: NacosRequest, res: NacosResponse, { reason, message }: RequestError, nowMs: number): void {
  const status = STATUS[reason];
  if (reason === 'no-such-api') {
    const error = { timestamp: new Date(nowMs).toISOString(), status, error: 'Not Implemented', message };
    send(res, status, { ...error, path: pathOf(req.url).slice(0, 200) });
    return;
  }
  if (reason === 'too-large') abandonBody(req, res);
  send(res, status, message);
}

/** What is left of the body is not wanted: nothing else can come over this connection (HTTP/1) or stream (HTTP/2). */
function abandonBody(req: NacosRequest, res: NacosResponse): void {
  if ('stream' in req) {
    res.once('finish', () => req.stream.close());
  } else {
    (res as ServerResponse).setHeader('Connection', 'close');
    req.resume();
  }
}

function send(res: NacosResponse, status: number, answer: string | object): void {
  if (res.destroyed || res.headersSent) return;
  const text = typeof answer === 'string';
  const body = Buffer.from(text ? answer : JSON.stringify(answer));
  const headers = {
    'Content-Type': text ? 'text/plain;charset=UTF-8' : 'application/json;charset=UTF-8',
    'Content-Length': body.length,
  };
  // The two classes agree on these calls, though not in a signature that can be called on their union.
  (res as ServerResponse).writeHead(status, headers);
  (res as ServerResponse).end(body);
}

/** The body as text. `Content-Encoding` is not believed: Java <= 1.3.2 says gzip over plain text on every request. */
async function readForm(req: NacosRequest): Promise<string> {
  const tooLarge = new RequestError('too-large', `the body must not exceed ${MAX_BODY_BYTES} bytes`);
  if (Number(req.headers['content-length'] ?? 0) > MAX_BODY_BYTES) throw tooLarge;
  const chunks: Buffer[] = [];
  let bytes = 0;
  // Leaving the loop early must not destroy the request: the refusal goes out over the same socket.
  for await (const chunk of req.iterator({ destroyOnReturn: false })) {
    bytes += (chunk as Buffer).length;
    if (bytes > MAX_BODY_BYTES) throw tooLarge;
    chunks.push(chunk as Buffer);
  }
  const type = headerText(req.headers['content-type']).toLowerCase();
  // Other kinds of body carry no parameters.
  if (type !== '' && !type.startsWith('application/x-www-form-urlencoded')) return '';
  return chunks.length === 0 ? '' : Buffer.concat(chunks).toString();
}

function pathOf(url = ''): string {
  const end = url.indexOf('?');
  return end < 0 ? url : url.slice(0, end);
}

function headerText(header: string | string[] | undefined): string {
  return (Array.isArray(header) ? header[0] : header) ?? '';
}
