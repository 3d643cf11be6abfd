import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import type { Logger } from 'pino';
import { clientCalls } from './clients.ts';
import { readConfigs } from './configs.ts';
import { consoleCalls } from './console.ts';
import { type Call, INSTANCE_NOT_FOUND, instanceCalls, type NacosRoom } from './instances.ts';
import { operatorCalls } from './operator.ts';
import { readParams } from './params.ts';
import { MissingParam, REASONS, RequestError } from './request-error.ts';
import { serviceCalls } from './services.ts';
import type { ServerStatus } from './switches.ts';

/**
 * Nacos's HTTP API for naming, versions 1, 2 and 3. Handlers return data; `nacosHandler` finds them, reads their parameters and is
 * the one place that encodes answers and errors. Success is always 200, as no client accepts anything else.
 */
export type NacosRequest = IncomingMessage | Http2ServerRequest;
export type NacosResponse = ServerResponse | Http2ServerResponse;

/** Text is answered as it is, anything else as JSON. */
type Handler = (call: Call) => string | object | boolean;

/**
 * How an answer is wrapped. `plain`: not at all, and errors are plain text. `envelope`: `{code, message, data}`, errors too. `bare`:
 * an answer of the second version that its makers forgot to wrap.
 */
type Wrapping = 'plain' | 'envelope' | 'bare';

export interface Route {
  readonly handler: Handler;
  readonly wrapping: Wrapping;
}

/** Larger forms are refused unread: no client sends a fraction of it. */
const MAX_BODY_BYTES = 256 << 10;

/** Every call by method and path. `ANY` is any method, a last `*` is the parameter `key`. */
export function nacosRoutes(room: NacosRoom): ReadonlyMap<string, Route> {
  const instance = instanceCalls(room);
  const service = serviceCalls(room);
  const client = clientCalls(room);
  const operator = operatorCalls(room);
  const console = consoleCalls(room);

  const plain: Record<string, Handler> = {
    'POST /nacos/v1/ns/instance': instance.register,
    'DELETE /nacos/v1/ns/instance': instance.deregister,
    'PUT /nacos/v1/ns/instance': instance.update,
    'PATCH /nacos/v1/ns/instance': instance.patch,
    'GET /nacos/v1/ns/instance': instance.get,
    'GET /nacos/v1/ns/instance/list': instance.list,
    'PUT /nacos/v1/ns/instance/beat': instance.beat,
    'PUT /nacos/v1/ns/instance/metadata/batch': instance.mergeMetadata,
    'DELETE /nacos/v1/ns/instance/metadata/batch': instance.removeMetadata,
    'ANY /nacos/v1/ns/instance/statuses': instance.statuses,

    'POST /nacos/v1/ns/service': service.create,
    'DELETE /nacos/v1/ns/service': service.drop,
    'PUT /nacos/v1/ns/service': service.update,
    'GET /nacos/v1/ns/service': service.get,
    'GET /nacos/v1/ns/service/list': service.list,
    'ANY /nacos/v1/ns/service/names': service.names,
    'GET /nacos/v1/ns/service/subscribers': service.subscribers,
    'PUT /nacos/v1/ns/service/checksum': service.checksum,
    'GET /nacos/v1/ns/service/selector/types': service.selectorTypes,
    'PUT /nacos/v1/ns/cluster': service.updateCluster,
    'PUT /nacos/v1/ns/health': service.setHealth,
    'PUT /nacos/v1/ns/health/instance': service.setHealth,
    'GET /nacos/v1/ns/health/server': operator.healthServer,
    'GET /nacos/v1/ns/health/checkers': service.checkers,
    'GET /nacos/v1/ns/catalog/services': service.catalogServices,
    'GET /nacos/v1/ns/catalog/service': service.catalogService,
    'GET /nacos/v1/ns/catalog/instances': service.catalogInstances,
    'GET /nacos/v1/ns/catalog/rt/service': service.catalogTimes,

    'GET /nacos/v1/ns/operator/metrics': operator.metrics,
    'GET /nacos/v1/ns/operator/switches': operator.switches,
    'PUT /nacos/v1/ns/operator/switches': operator.setSwitch,
    'GET /nacos/v1/ns/operator/servers': operator.servers,
    'GET /nacos/v1/ns/operator/push/state': operator.pushState,
    'PUT /nacos/v1/ns/operator/log': operator.setLog,
    'GET /nacos/v1/ns/operator/distro/server': operator.responsibleServer,
    'GET /nacos/v1/ns/operator/distro/status': operator.distroStatus,

    'GET /nacos/v1/ns/api/srvIPXT': instance.list,
    'ANY /nacos/v1/ns/api/clientBeat': instance.beat,
    'GET /nacos/v1/ns/api/allDomNames': operator.allDomNames,

    'POST /nacos/v1/auth/login': console.login,
    'POST /nacos/v1/auth/users/login': console.login,
    'POST /nacos/v3/auth/user/login': console.login,
    'GET /nacos/v1/console/namespaces': console.namespaces,
    'POST /nacos/v1/console/namespaces': console.createNamespace,
    'PUT /nacos/v1/console/namespaces': console.updateNamespace,
    'DELETE /nacos/v1/console/namespaces': console.dropNamespace,
    'GET /nacos/v1/console/health/liveness': console.liveness,
    'GET /nacos/v1/console/health/readiness': console.readiness,
    'GET /nacos/v1/console/server/state': console.state,
    'GET /nacos/actuator/health': console.actuatorHealth,
    'GET /nacos/v1/cs/configs': readConfigs(room.configs),
    'GET /nacos/serverlist': operator.serverList,
  };

  const envelope: Record<string, Handler> = {
    'POST /nacos/v2/ns/instance': instance.register,
    'DELETE /nacos/v2/ns/instance': instance.deregister,
    'PUT /nacos/v2/ns/instance': instance.update,
    'GET /nacos/v2/ns/instance': instance.getV2,
    'GET /nacos/v2/ns/instance/list': instance.listV2,
    'PUT /nacos/v2/ns/instance/metadata/batch': instance.mergeMetadata,
    'DELETE /nacos/v2/ns/instance/metadata/batch': instance.removeMetadata,
    'POST /nacos/v2/ns/service': service.create,
    'DELETE /nacos/v2/ns/service': service.drop,
    'PUT /nacos/v2/ns/service': service.update,
    'GET /nacos/v2/ns/service': service.getV2,
    'GET /nacos/v2/ns/service/list': service.listV2,
    'PUT /nacos/v2/ns/health': service.setHealth,
    'PUT /nacos/v2/ns/health/instance': service.setHealth,
    'GET /nacos/v2/ns/operator/switches': operator.switches,
    'PUT /nacos/v2/ns/operator/switches': operator.setSwitch,
    'GET /nacos/v2/ns/operator/metrics': operator.metricsV2,
    'GET /nacos/v2/ns/catalog/instances': service.catalogInstancesV2,
    'GET /nacos/v2/ns/client': client.get,
    'GET /nacos/v2/ns/client/list': client.list,
    'GET /nacos/v2/ns/client/publish/list': client.publishedServices,
    'GET /nacos/v2/ns/client/subscribe/list': client.subscribedServices,
    'GET /nacos/v2/ns/client/service/publisher/list': client.publishers,
    'GET /nacos/v2/ns/client/service/subscriber/list': client.subscribers,
    'GET /nacos/v2/console/namespace/list': console.namespacesV2,
    'GET /nacos/v2/console/namespace': console.namespaceV2,
    'POST /nacos/v2/console/namespace': console.createNamespaceV2,
    'PUT /nacos/v2/console/namespace': console.updateNamespaceV2,
    'DELETE /nacos/v2/console/namespace': console.dropNamespace,
    'GET /nacos/v2/console/health/liveness': console.ready,
    'GET /nacos/v2/console/health/readiness': console.ready,
    'GET /nacos/v3/admin/core/state/liveness': console.ready,

    'POST /nacos/v3/client/ns/instance': instance.registerOrBeatV3,
    'DELETE /nacos/v3/client/ns/instance': instance.deregister,
    'GET /nacos/v3/client/ns/instance/list': instance.listV3,
  };

  const bare: Record<string, Handler> = {
    'PUT /nacos/v2/ns/instance/beat': instance.beat,
    'PATCH /nacos/v2/ns/instance': instance.patch,
    'GET /nacos/v2/ns/instance/statuses/*': instance.statuses,
  };

  const routes = new Map<string, Route>();
  for (const [wrapping, handlers] of Object.entries({ plain, envelope, bare }) as [Wrapping, Record<string, Handler>][]) {
    for (const [key, handler] of Object.entries(handlers)) {
      routes.set(key, { handler, wrapping });
      // Nacos knows the operator's calls by two names.
      if (key.includes('/ns/operator/')) routes.set(key.replace('/ns/operator/', '/ns/ops/'), { handler, wrapping });
    }
  }
  return routes;
}

export interface NacosOptions extends NacosRoom {
  readonly log: Logger;
}

/** Answers every request whose path starts with `/nacos/`. */
export function nacosHandler(options: NacosOptions): (req: NacosRequest, res: NacosResponse) => Promise<void> {
  const routes = nacosRoutes(options);
  const { switches, log, wallClock } = options;

  return async (req, res) => {
    const path = pathOf(req.url);
    const found = find(req.method ?? '', path);
    try {
      const limited = limitOf(switches.values.limitedUrlMap, path);
      if (limited !== undefined) {
        send(res, limited, '');
        return;
      }
      checkServerStatus(switches.values.overriddenServerStatus, req.method ?? '', path);
      if (found === undefined) throw new RequestError('no-such-api', `no such api:${req.method}:${path.slice(0, 200)}`);
      const form = await readForm(req);
      const params = readParams((req.url ?? '').slice(path.length + 1), form);
      const answer = found.route.handler({
        params: found.key === undefined ? params : { ...params, key: found.key },
        agent: req.headers['user-agent'] || headerText(req.headers['client-version']),
        peer: plainAddress(req.socket.remoteAddress),
        local: `${plainAddress(req.socket.localAddress)}:${req.socket.localPort}`,
      });
      send(res, 200, found.route.wrapping === 'envelope' ? wrapped(answer) : answer);
    } catch (error) {
      if (error instanceof RequestError) {
        refuse(req, res, error, found?.route.wrapping ?? 'plain', wallClock());
      } else if (hasLeft(req)) {
        // The caller has gone in the middle of the request; there is nobody to answer.
      } else {
        log.error({ err: error, method: req.method, path: path.slice(0, 200) }, 'nacos request failed');
        send(res, 500, 'caused: internal error;');
      }
    }
  };

  function find(method: string, rawPath: string): { readonly route: Route; readonly key?: string } | undefined {
    const path = rawPath.endsWith('/') ? rawPath.slice(0, -1) : rawPath;
    const asked = method === 'HEAD' ? 'GET' : method;
    const route = routes.get(`${asked} ${path}`) ?? routes.get(`ANY ${path}`);
    if (route !== undefined) return { route };
    const last = path.lastIndexOf('/');
    const withKey = routes.get(`${asked} ${path.slice(0, last)}/*`);
    return withKey && { route: withKey, key: unescaped(path.slice(last + 1)) };
  }
}

/** Left alone by what the switches do to others: whoever has turned one on must be able to turn it off. */
const SWITCHES = '/switches';

/** The bare status with which an operator has closed a part of the paths. */
function limitOf(limited: Readonly<Record<string, number>>, path: string): number | undefined {
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

function hasLeft(req: NacosRequest): boolean {
  return 'stream' in req ? req.stream.destroyed : req.destroyed && !req.complete;
}

function wrapped(data: string | object | boolean): object {
  return data === INSTANCE_NOT_FOUND ? data : { code: 0, message: 'success', data };
}

function refuse(req: NacosRequest, res: NacosResponse, error: RequestError, wrapping: Wrapping, nowMs: number): void {
  const { status, code, message } = REASONS[error.reason];
  if (error.reason === 'no-such-api') {
    const timestamp = new Date(nowMs).toISOString();
    const path = pathOf(req.url).slice(0, 200);
    send(res, status, { timestamp, status, error: 'Not Implemented', message: error.message, path });
    return;
  }
  if (error.reason === 'too-large') abandonBody(req, res);
  const data = error instanceof MissingParam ? error.v2Message : error.message;
  send(res, status, wrapping === 'envelope' ? { code, message, data } : error.message);
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

function send(res: NacosResponse, status: number, answer: string | object | boolean): void {
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

function unescaped(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Without the prefix that an IPv4 peer has on a socket that speaks both. */
function plainAddress(address: string | undefined): string | undefined {
  return address?.replace(/^::ffff:/, '');
}

function headerText(header: string | string[] | undefined): string {
  return (Array.isArray(header) ? header[0] : header) ?? '';
}
