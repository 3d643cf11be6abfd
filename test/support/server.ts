import { createServer, type Listeners, type Server, type ServerOptions } from '../../src/index.ts';

/** A server in this process or in one of its own. */
type Reachable = { readonly listeners: Listeners };

/** A beatbridge in this process, on free loopback ports, that looks for nobody unless it is told to. For `await using`. */
export function startServer(options: ServerOptions = {}): Promise<Server> {
  return createServer({ host: '127.0.0.1', port: 0, grpcPort: 0, healthPort: 0, probes: false, ...options });
}

type Form = Readonly<Record<string, string | number>>;

/** A Nacos call with its parameters in the query, as curl users and the Java client send them. A bare path is one of `/nacos/v1/ns`. */
export async function nacos(
  server: Reachable,
  method: string,
  path: string,
  params: Form,
  init: RequestInit = {},
): Promise<Response> {
  const query = new URLSearchParams(Object.entries(params).map(([name, value]): [string, string] => [name, String(value)]));
  const base = path.startsWith('/nacos/') ? '' : '/nacos/v1/ns';
  return fetch(`http://${server.listeners.main}${base}${path}?${query}`, { method, ...init });
}

/** The status, and the body as what it says it is: JSON or text. */
export async function answerOf(response: Promise<Response>): Promise<{ readonly status: number; readonly body: unknown }> {
  const { status, headers, text } = await response.then(async (r) => ({
    status: r.status,
    headers: r.headers,
    text: await r.text(),
  }));
  return { status, body: headers.get('content-type')?.startsWith('application/json') ? JSON.parse(text) : text };
}

/** Registers an instance of `service` on 10.0.0.1:80, unless told otherwise. */
export async function register(server: Reachable, service: string, params: Form = {}): Promise<void> {
  const response = await nacos(server, 'POST', '/instance', { serviceName: service, ip: '10.0.0.1', port: 80, ...params });
  if (!response.ok) throw new Error(`register: ${response.status} ${await response.text()}`);
}

export async function deregister(server: Reachable, service: string, params: Form = {}): Promise<void> {
  const response = await nacos(server, 'DELETE', '/instance', { serviceName: service, ip: '10.0.0.1', port: 80, ...params });
  if (!response.ok) throw new Error(`deregister: ${response.status} ${await response.text()}`);
}

/** Switches an instance off (or on) as an operator does. */
export async function setEnabled(server: Reachable, service: string, enabled: boolean): Promise<void> {
  const response = await nacos(server, 'PATCH', '/instance', {
    serviceName: service,
    ip: '10.0.0.1',
    port: 80,
    enabled: String(enabled),
  });
  if (!response.ok) throw new Error(`patch: ${response.status} ${await response.text()}`);
}

/** Metadata of an instance that is unhealthy after so many milliseconds of silence, and removed no sooner than others. */
export function unhealthyAfter(ms: number): string {
  return JSON.stringify({
    'preserved.heart.beat.interval': String(Math.floor(ms / 2)),
    'preserved.heart.beat.timeout': String(ms),
    'preserved.ip.delete.timeout': '30000',
  });
}

const NACOS_PROBES = [
  '/nacos/v1/console/health/liveness',
  '/nacos/v2/console/health/liveness',
  '/nacos/v3/admin/core/state/liveness',
  '/nacos/v1/console/health/readiness',
  '/nacos/v2/console/health/readiness',
  '/nacos/v3/admin/core/state/readiness',
  '/nacos/v3/admin/core/ops/readiness',
  '/nacos/actuator/health',
];

/** What they say when the server is to be asked, and when it is not: liveness first. */
export const NACOS_READY: readonly number[] = [200, 200, 200, 200, 200, 200, 200, 200];
export const NACOS_NOT_READY: readonly number[] = [200, 200, 200, 503, 500, 500, 500, 503];

/** The status of liveness and readiness in every version of Nacos. */
export function nacosProbes(server: Reachable): Promise<number[]> {
  return Promise.all(NACOS_PROBES.map((path) => nacos(server, 'GET', path, {}).then(({ status }) => status)));
}
