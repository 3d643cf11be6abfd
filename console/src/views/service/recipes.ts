import type { Asking, ServiceRef } from '../../../../src/console/api.ts';

/** What to paste where, so that this very service is asked about at this very bridge: as in the README and in examples/, where each is tried. */
export interface Recipe {
  readonly id: RecipeId;
  readonly title: string;
  readonly text: string;
}

export type RecipeId = (typeof IDS)[number];
const IDS = ['curl', 'beatbridge', 'probe', 'grpcurl', 'haproxy', 'envoy', 'kubernetes', 'spring', 'dubbo'] as const;

export interface Asked {
  readonly of: ServiceRef;
  readonly asking: Asking;
  /** Where the page has come from: an address for a bridge that listens on every one. */
  readonly hostname: string;
  /** The first instances, as `IP:PORT`. */
  readonly instances: readonly string[];
}

export function recipesOf(asked: Asked): readonly Recipe[] {
  const { asking, hostname } = asked;
  const { name, needsLogin, tlsOnly } = asking;
  const [health, main] = [reachable(asking.health, hostname), reachable(asking.main, hostname)];
  const isTls = tlsOnly === 'all';
  const path = `/health/${pathOf(name)}`;
  const base = `${isTls ? 'https' : 'http'}://${health}`;
  const bearer = needsLogin ? '-H "Authorization: Bearer $TOKEN" ' : '';
  const header = needsLogin ? ' -rpc-header "authorization: Bearer $TOKEN"' : '';
  const json = JSON.stringify({ service: name });
  const tls = isTls ? ' -tls' : '';
  const recipes: Readonly<Record<RecipeId, readonly [title: string, text: string]>> = {
    curl: [
      'curl',
      `curl -fsS ${bearer}${quoted(base + path)}
curl -sS ${bearer}-H 'Content-Type: application/json' -d ${quoted(json)} ${quoted(`${base}/grpc.health.v1.Health/Check`)}`,
    ],
    beatbridge: [
      'beatbridge',
      `npx beatbridge check -addr ${health}${tls}${header} -service ${quoted(name)}
npx beatbridge why ${quoted(name)} --addr ${tlsOnly === 'none' ? '' : 'https://'}${main}`,
    ],
    probe: ['grpc_health_probe', `grpc_health_probe -addr ${health}${tls}${header} -service ${quoted(name)}`],
    grpcurl: [
      'grpcurl',
      `grpcurl ${isTls ? '' : '-plaintext '}${bearer}-d ${quoted(json)} ${health} grpc.health.v1.Health/Check`,
    ],
    haproxy: ['HAProxy', haproxy(asked, health, path)],
    envoy: ['Envoy', envoy(asked, health, path)],
    kubernetes: ['Kubernetes', kubernetes(health, name, tls)],
    spring: ['Spring Cloud Alibaba', spring(asked, main)],
    dubbo: ['Dubbo', dubbo(asked, main, health, name)],
  };
  return IDS.map((id) => ({ id, title: recipes[id][0], text: recipes[id][1] }));
}

/** Each server by its own beats, under the address that it registered. */
function haproxy({ of, instances }: Asked, health: string, path: string): string {
  const [, host = '', port = ''] = /^(.*):(\d+)$/.exec(health) ?? [];
  const uri = `${path}${path.includes('?') ? '&' : '?'}instance=`;
  const servers = some(instances).map((one) => `    server ${one} ${one} check`);
  return [
    `backend ${of.service.replace(/[^\w.:-]/g, '_')}`,
    '    option httpchk',
    // What begins with % is filled in.
    `    http-check send meth GET uri-lf "${uri.replaceAll('%', '%%')}%[srv_name]"`,
    `    default-server inter 1s fall 5 rise 1 addr ${host.replace(/^\[|\]$/g, '')} port ${port}`,
    ...servers,
  ].join('\n');
}

function envoy({ of, instances }: Asked, health: string, path: string): string {
  const cluster = JSON.stringify(of.service);
  const endpoints = some(instances).map(
    (one) => `          - endpoint:
              address: { socket_address: ${socket(one)} }
              health_check_config:
                address: { socket_address: ${socket(health)} }`,
  );
  return `- name: ${cluster}
  common_lb_config: { healthy_panic_threshold: { value: 0 } }
  health_checks:
    - timeout: 1s
      interval: 1s
      no_traffic_interval: 1s
      unhealthy_threshold: 5
      healthy_threshold: 1
      http_health_check: { path: ${JSON.stringify(path)}, host: beatbridge }
  load_assignment:
    cluster_name: ${cluster}
    endpoints:
      - lb_endpoints:
${endpoints.join('\n')}`;
}

/** Of each pod its own instance. */
function kubernetes(health: string, name: string, tls: string): string {
  const own = `${name}${name.includes('?') ? '&' : '?'}instance=$POD_IP:8080`;
  const command = `grpc_health_probe -addr ${health}${tls} -service "${own}"`;
  return `env:
  - name: POD_IP
    valueFrom: { fieldRef: { fieldPath: status.podIP } }
readinessProbe:
  exec:
    command: [sh, -c, ${yaml(command)}]
  periodSeconds: 5
  timeoutSeconds: 3`;
}

function spring({ of: { namespace, group, service } }: Asked, main: string): string {
  return [
    `spring.application.name: ${yaml(service)}`,
    `spring.cloud.nacos.discovery.server-addr: ${main}`,
    ...(namespace === 'public' ? [] : [`spring.cloud.nacos.discovery.namespace: ${yaml(namespace)}`]),
    ...(group === 'DEFAULT_GROUP' ? [] : [`spring.cloud.nacos.discovery.group: ${yaml(group)}`]),
  ].join('\n');
}

function dubbo({ of: { namespace, group } }: Asked, main: string, health: string, name: string): string {
  const params = new URLSearchParams({
    ...(namespace !== 'public' && { namespace }),
    ...(group !== 'DEFAULT_GROUP' && { group }),
  }).toString();
  return `# a provider, or a consumer
dubbo.registry.address: nacos://${main}${params === '' ? '' : `?${params}`}

// dubbo-go asks for health
cli, err := client.NewClient(client.WithClientURL("tri://${health}"))
service, err := health.NewHealth(cli)
answer, err := service.Check(ctx, &health.HealthCheckRequest{Service: ${JSON.stringify(name)}})`;
}

const MOST_INSTANCES = 5;

/** Where there is none yet, one as it might be. */
function some(instances: readonly string[]): readonly string[] {
  return instances.length === 0 ? ['10.0.0.1:8080'] : instances.slice(0, MOST_INSTANCES);
}

/** The address by which a listener is reached: one of every address has none of its own. */
export function reachable(listener: string, hostname: string): string {
  return listener.replace(/^(\[::\]|0\.0\.0\.0)(?=:\d+$)/, hostname);
}

/** As it stands in a path; what follows the name is written as a query already. */
function pathOf(name: string): string {
  const [service = '', query] = name.split(/\?(.*)/s);
  const path = encodeURIComponent(service).replace(/%(40|3A|2F)/g, decodeURIComponent);
  return query === undefined ? path : `${path}?${query}`;
}

function socket(address: string): string {
  const [, host = '', port = ''] = /^(.*):(\d+)$/.exec(address) ?? [];
  return `{ address: "${host.replace(/^\[|\]$/g, '')}", port_value: ${port} }`;
}

/** One word of a shell, whatever is in it. */
function quoted(text: string): string {
  return /^[\w./:@-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

function yaml(text: string): string {
  return /^[a-z][\w.-]*$/i.test(text) ? text : JSON.stringify(text);
}
