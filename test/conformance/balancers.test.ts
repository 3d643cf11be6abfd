import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readlinkSync, symlinkSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, inject, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { HEALTH_CLIENTS } from '../support/health-clients.ts';
import { fixedPorts } from '../support/ports.ts';
import { type Process, startProcess } from '../support/process.ts';
import { answerOf, nacos, register, unhealthyAfter } from '../support/server.ts';
import { example, Folder, freeAddress, Program, portOf } from './program.ts';

/** The files of examples/ as real programs take them: only addresses are others. */

const tools = inject('tools');
/** What is not installed is skipped, and named at the start and at the end of the run; with INTEROP=all, as in CI, it fails the run. */
const without = (...names: readonly (keyof typeof tools)[]) => names.some((name) => tools[name].path === undefined);

/** Checks are a second apart, and it takes two to take a server out. */
const SOON = { timeout: 20_000, interval: 50 };

/** A provider of `orders` that answers everything, and beats when it is told to. */
class Provider implements AsyncDisposable {
  readonly #bridge: Process;
  readonly #http = createHttpServer((_, res) => res.end('from orders\n'));
  #beats: NodeJS.Timeout | undefined;
  address = '';

  readonly #service: string;

  private constructor(bridge: Process, service: string) {
    this.#bridge = bridge;
    this.#service = service;
  }

  static async start(bridge: Process, service = 'orders'): Promise<Provider> {
    const provider = new Provider(bridge, service);
    await once(provider.#http.listen(0, '127.0.0.1'), 'listening');
    // It listens on a port.
    provider.address = `127.0.0.1:${(provider.#http.address() as AddressInfo).port}`;
    return provider;
  }

  get #instance() {
    return { serviceName: this.#service, ip: '127.0.0.1', port: portOf(this.address) };
  }

  register(): Promise<void> {
    return register(this.#bridge, this.#service, { ...this.#instance, metadata: unhealthyAfter(2_000) });
  }

  /** Beats go on until they are stopped. */
  beat(): void {
    this.#beats = setInterval(() => void nacos(this.#bridge, 'PUT', '/instance/beat', this.#instance).catch(() => {}), 200);
  }

  fallSilent(): void {
    clearInterval(this.#beats);
  }

  async setEnabled(enabled: boolean): Promise<void> {
    await nacos(this.#bridge, 'PATCH', '/instance', { ...this.#instance, enabled: String(enabled) });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.fallSilent();
    this.#http.closeAllConnections();
    this.#http.close();
    await once(this.#http, 'close');
  }
}

/** What a balancer makes of the service in each turn of its life; `expectAll` waits for its verdict. */
async function liveAndDie(provider: Provider, expectAll: (up: boolean) => Promise<void>): Promise<void> {
  await expectAll(false);
  await provider.register();
  provider.beat();
  await expectAll(true);
  provider.fallSilent();
  await expectAll(false);
  provider.beat();
  await expectAll(true);
  await provider.setEnabled(false);
  await expectAll(false);
  await provider.setEnabled(true);
  await expectAll(true);
}

describe.skipIf(without('haproxy'))('HAProxy', () => {
  // What must not be in the example: a check that is content with the word.
  const NAIVE = `
backend naive
    option httpchk
    http-check send meth POST uri /grpc.health.v1.Health/Check ver HTTP/1.1 hdr Host beatbridge hdr Content-Type application/json body "{\\"service\\":\\"orders\\"}"
    http-check expect string SERVING
    server orders 10.0.0.1:80 check
`;

  it('takes a server out when its beats stop or it is switched off, and back in, by every check of haproxy.cfg', async () => {
    await using bridge = await startProcess();
    await using provider = await Provider.start(bridge);
    using folder = new Folder();
    const socket = join(folder.path, 'stats.sock');
    const front = await freeAddress();
    const replacements = {
      '/run/haproxy/beatbridge.sock': socket,
      '127.0.0.1:8080': front,
      'addr 127.0.0.1 port 20000': `addr 127.0.0.1 port ${portOf(bridge.listeners.health)}`,
      '10.0.0.1:80': provider.address,
    };
    const naive = NAIVE.replace('10.0.0.1:80', provider.address);
    const config = folder.write('haproxy.cfg', example('haproxy.cfg', replacements) + naive);
    await using haproxy = new Program(tools.haproxy.path, ['-db', '-f', config]);

    const word = (up: boolean) => (up ? 'UP' : 'DOWN');
    let known = false;
    await liveAndDie(provider, async (up) => {
      await expect
        .poll(() => serverStates(socket), { ...SOON, message: haproxy.log })
        .toEqual({
          [`orders_by_instance/${provider.address}`]: word(up),
          'orders_by_instance/10.0.0.2:80': 'DOWN',
          'orders_by_status/orders': word(up),
          'orders_by_json/orders': word(up),
          'orders_by_json_over_h2c/orders': word(up),
          'orders_by_grpc/orders': word(up),
          // The trap: NOT_SERVING has the word in it as well.
          'naive/orders': word(known || up),
        });
      known ||= up;
      await expect.poll(() => statusOf(`http://${front}/`), SOON).toBe(up ? 200 : 503);
    });
  });
});

/** What HAProxy has made of each server, from its stats socket. */
async function serverStates(path: string): Promise<Record<string, string>> {
  // "UP 1/2" and "DOWN 1/2" are on their way.
  const states = (await serverStats(path)).map(({ name, status }): [string, string] => [name, status.split(' ', 1)[0] ?? '']);
  return Object.fromEntries(states);
}

interface ServerStats {
  readonly name: string;
  readonly status: string;
  /** How often it was taken out. */
  readonly downs: number;
  /** How many of its checks have failed. */
  readonly failures: number;
}

async function serverStats(path: string): Promise<readonly ServerStats[]> {
  const socket = connect(path);
  socket.end('show stat -1 4 -1\n');
  const answer = await text(socket).catch(() => '');
  const [head = '', ...rows] = answer.replace(/^# /, '').trim().split('\n');
  const names = head.split(',');
  return rows.map((row) => {
    const cells = row.split(',');
    const cell = (name: string) => cells[names.indexOf(name)] ?? '';
    const counts = { downs: Number(cell('chkdown')), failures: Number(cell('chkfail')) };
    return { name: `${cell('pxname')}/${cell('svname')}`, status: cell('status'), ...counts };
  });
}

/** Ten services, each with a provider that beats, behind a bridge that keeps what it knows and comes back where it was. */
async function startTen(folder: Folder) {
  const args = [...(await fixedPorts()), '--data-dir', join(folder.path, 'data')];
  let bridge = await startProcess(args);
  const providers: Provider[] = [];
  for (const service of TEN) {
    const provider = await Provider.start(bridge, service);
    await provider.register();
    provider.beat();
    providers.push(provider);
  }
  return {
    providers,
    health: bridge.listeners.health,
    async restart(signal: NodeJS.Signals) {
      await bridge.stop(signal);
      bridge = await startProcess(args);
    },
    async [Symbol.asyncDispose]() {
      for (const provider of providers) await provider[Symbol.asyncDispose]();
      await bridge[Symbol.asyncDispose]();
    },
  };
}

const TEN = Array.from({ length: 10 }, (_, i) => `service-${i}`);

/** Long enough for each to be checked several times: that nothing happens no event tells of. */
const someChecks = () => new Promise((resolve) => setTimeout(resolve, 4_000));

describe('while beatbridge is restarted, orderly or not,', () => {
  // Not installed: skipped then, here and below, and named by `tools.ts`; with INTEROP=all that fails the run.
  it.skipIf(without('haproxy'))('HAProxy takes none of ten services out', async () => {
    using folder = new Folder();
    await using ten = await startTen(folder);
    const socket = join(folder.path, 'stats.sock');
    const [head = ''] = example('haproxy.cfg', {
      '/run/haproxy/beatbridge.sock': socket,
      '127.0.0.1:8080': await freeAddress(),
      'addr 127.0.0.1 port 20000': `addr 127.0.0.1 port ${portOf(ten.health)}`,
    }).split(/^frontend /m);
    const backends = ten.providers.map(
      ({ address }, i) => `
backend by_instance_${i}
    option httpchk
    http-check send meth GET uri-lf "/health/service-${i}?instance=%[srv_name]"
    server ${address} ${address} check
backend by_status_${i}
    option httpchk GET /health/service-${i}
    server it ${address} check
`,
    );
    await using haproxy = new Program(tools.haproxy.path, ['-db', '-f', folder.write('haproxy.cfg', head + backends.join(''))]);
    await expect.poll(async () => (await serverStats(socket)).length, { ...SOON, message: haproxy.log }).toBe(20);
    await someChecks();
    await ten.restart('SIGTERM');
    await someChecks();
    await ten.restart('SIGKILL');
    await someChecks();
    const stats = await serverStats(socket);
    expect(stats.filter(({ status, downs }) => status !== 'UP' || downs > 0)).toEqual([]);
    // It has been looking all the while: some checks found nobody.
    expect(stats.reduce((sum, { failures }) => sum + failures, 0)).toBeGreaterThan(0);
  });

  it.skipIf(without('envoy'))('Envoy takes none of ten services out', async () => {
    using folder = new Folder();
    await using ten = await startTen(folder);
    const admin = await freeAddress();
    await using envoy = new Program(tools.envoy.path, [
      ...['--use-dynamic-base-id', '--concurrency', '1'],
      ...['-c', folder.write('envoy.yaml', envoyOfTen(admin, ten.health, ten.providers))],
    ]);
    await listening(admin, envoy);
    const all = Object.fromEntries(
      TEN.flatMap((service) => [`${service}_by_grpc`, `${service}_by_status`]).map((name) => [name, true]),
    );
    await expect.poll(() => clusterStates(admin), { ...SOON, message: envoy.log }).toEqual(all);
    const looking = new AbortController();
    const taken: string[] = [];
    const watching = (async () => {
      while (!looking.signal.aborted) {
        for (const [name, up] of Object.entries(await clusterStates(admin))) if (!up) taken.push(name);
        // Envoy tells nobody of a change: it is asked, again and again.
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    })();
    await someChecks();
    await ten.restart('SIGTERM');
    await someChecks();
    await ten.restart('SIGKILL');
    await someChecks();
    looking.abort();
    await watching;
    expect(taken).toEqual([]);
  });
});

/** Both clusters of the example, for each of ten services. */
function envoyOfTen(admin: string, health: string, providers: readonly Provider[]): string {
  const text = example('envoy.yaml', { 'port_value: 20000': `port_value: ${portOf(health)}` });
  const own = text.slice(text.indexOf('    - name: orders_by_grpc'), text.indexOf('    - name: bridge'));
  const clusters = providers.map(({ address }, i) =>
    own
      .replaceAll('orders', `service-${i}`)
      .replaceAll(/([&*])(http2|bridge)\b/g, `$1$2_${i}`)
      .replaceAll('address: 10.0.0.1, port_value: 80 ', `address: 127.0.0.1, port_value: ${portOf(address)} `),
  );
  const at = `{ address: { socket_address: { address: 127.0.0.1, port_value: ${portOf(admin)} } } }`;
  return `admin: ${at}\nstatic_resources:\n  clusters:\n${clusters.join('')}`;
}

describe.skipIf(without('envoy'))('Envoy', () => {
  it('takes an endpoint out when its beats stop or it is switched off, and back in, by both checks of envoy.yaml', async () => {
    await using bridge = await startProcess();
    await using provider = await Provider.start(bridge);
    await using envoy = await startEnvoy(bridge, provider.address);

    await liveAndDie(provider, async (up) => {
      await expect
        .poll(() => clusterStates(envoy.admin), { ...SOON, message: envoy.program.log })
        .toEqual({ orders_by_grpc: up, orders_by_status: up, bridge: true });
      // Its workers hear of it a little later.
      await expect.poll(() => statusOf(`http://${envoy.front}/plain/`), SOON).toBe(up ? 200 : 503);
    });
  });
});

interface Front extends AsyncDisposable {
  readonly front: string;
}

async function startEnvoy(bridge: Process, provider: string): Promise<Front & { admin: string; program: Program }> {
  const folder = new Folder();
  const front = await freeAddress();
  const admin = await freeAddress();
  const config = example('envoy.yaml', {
    // So little patience that a Watch lives only where its route gives it more.
    'stat_prefix: main': `stat_prefix: main\n${' '.repeat(16)}stream_idle_timeout: 1s`,
    'port_value: 9901': `port_value: ${portOf(admin)}`,
    'port_value: 8080': `port_value: ${portOf(front)}`,
    'port_value: 20000': `port_value: ${portOf(bridge.listeners.health)}`,
    'address: 10.0.0.1, port_value: 80 ': `address: 127.0.0.1, port_value: ${portOf(provider)} `,
  });
  const args = ['--use-dynamic-base-id', '--concurrency', '1', '-c', folder.write('envoy.yaml', config)];
  const program = new Program(tools.envoy.path, args);
  await listening(front, program);
  return {
    front,
    admin,
    program,
    async [Symbol.asyncDispose]() {
      await program[Symbol.asyncDispose]();
      folder[Symbol.dispose]();
    },
  };
}

/** Whether the one endpoint of each cluster passes its check, from Envoy's admin port. */
async function clusterStates(admin: string): Promise<Record<string, boolean>> {
  interface Clusters {
    cluster_statuses: { name: string; host_statuses?: { health_status: Record<string, unknown> }[] }[];
  }
  const response = await fetch(`http://${admin}/clusters?format=json`).catch(() => undefined);
  const clusters = (await response?.json()) as Clusters | undefined;
  const failed = (health: Record<string, unknown> = {}) => health.failed_active_health_check === true;
  return Object.fromEntries(
    (clusters?.cluster_statuses ?? []).map(({ name, host_statuses }) => [name, !failed(host_statuses?.[0]?.health_status)]),
  );
}

async function startNginx(bridge: Process): Promise<Front & { plain: string; program: Program }> {
  const folder = new Folder();
  const front = await freeAddress();
  const plain = await freeAddress();
  const config = example('nginx.conf', {
    '127.0.0.1:20000': bridge.listeners.health,
    '127.0.0.1:8080': front,
    '127.0.0.1:8081': plain,
    '10.0.0.1:80': '127.0.0.1:1',
    // Nothing outside the folder, and so little patience that a Watch lives only where its location gives it more.
    'http {': `http {
    access_log off;
    client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
    grpc_read_timeout 1s;
    proxy_read_timeout 1s;`,
  });
  const globals = `daemon off; master_process off; pid ${join(folder.path, 'pid')};`;
  const args = ['-p', folder.path, '-e', 'stderr', '-c', folder.write('nginx.conf', config), '-g', globals];
  const program = new Program(tools.nginx.path, args);
  await listening(plain, program);
  return {
    front,
    plain,
    program,
    async [Symbol.asyncDispose]() {
      await program[Symbol.asyncDispose]();
      folder[Symbol.dispose]();
    },
  };
}

async function listening(address: string, program: Program): Promise<void> {
  const dial = () =>
    new Promise((resolve) => {
      const socket = connect(Number(portOf(address)), '127.0.0.1');
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
      socket.once('connect', () => socket.destroy());
    });
  await expect.poll(dial, { ...SOON, message: program.log }).toBe(true);
}

/** A provider that nothing has to keep alive: operators switch it. */
const PERSISTENT = { ephemeral: 'false' };
const enable = (bridge: Process, enabled: boolean) =>
  nacos(bridge, 'PATCH', '/instance', {
    serviceName: 'orders',
    ip: '10.0.0.1',
    port: 80,
    ephemeral: 'false',
    enabled: String(enabled),
  });

/**
 * Longer than the proxies wait here for a word, but where the example gives them patience. It is a wait by the clock because what is
 * shown is that nothing happens: no event tells of that, and the proxies keep real time.
 */
const silence = () => new Promise((resolve) => setTimeout(resolve, 1_500));

interface Setting {
  readonly needs: readonly (keyof typeof tools)[];
  readonly start: (bridge: Process) => Promise<Front>;
}

const FRONTS: Readonly<Record<string, Setting>> = {
  nginx: { needs: ['nginx'], start: startNginx },
  Envoy: { needs: ['envoy'], start: (bridge) => startEnvoy(bridge, '127.0.0.1:1') },
  'no proxy': { needs: [], start: async ({ listeners }) => ({ front: listeners.health, async [Symbol.asyncDispose]() {} }) },
};

describe.each(Object.entries(FRONTS))('behind %s', (_, { needs, start }) => {
  it.skipIf(without(...needs))('grpc-js checks, and watches through silence', async () => {
    await using bridge = await startProcess();
    await using proxy = await start(bridge);
    using client = HEALTH_CLIENTS['gRPC (grpc-js)'](proxy.front);
    const ended = new AbortController();
    const seen: string[] = [];

    await expect(client.check('orders')).rejects.toThrow('not_found: unknown service');
    for await (const status of client.watch('orders', ended.signal)) {
      seen.push(status);
      if (seen.length === 1) {
        await silence();
        await register(bridge, 'orders', PERSISTENT);
      } else if (seen.length === 2) {
        expect(await client.check('orders')).toBe('SERVING');
        await silence();
        await enable(bridge, false);
      } else {
        expect(await client.check('orders')).toBe('NOT_SERVING');
        break;
      }
    }
    expect(seen).toEqual(['SERVICE_UNKNOWN', 'SERVING', 'NOT_SERVING']);
  });

  it.skipIf(without('goHealth', ...needs))('grpc-go checks, and watches through silence', async () => {
    await using bridge = await startProcess();
    await using proxy = await start(bridge);
    await using watcher = new Program(tools.goHealth.path, ['watch', proxy.front, 'orders']);
    const seen = (count: number) => expect.poll(() => watcher.lines, SOON).toHaveLength(count);
    const check = async () => {
      await using asking = new Program(tools.goHealth.path, ['check', proxy.front, 'orders']);
      await expect.poll(() => asking.lines, SOON).toHaveLength(1);
      return asking.lines[0];
    };

    await seen(1);
    expect(await check()).toBe('{"error":"NOT_FOUND","message":"unknown service"}');
    await silence();
    await register(bridge, 'orders', PERSISTENT);
    await seen(2);
    expect(await check()).toBe('{"status":"SERVING"}');
    await silence();
    await enable(bridge, false);
    await seen(3);
    expect(await check()).toBe('{"status":"NOT_SERVING"}');
    expect(watcher.lines).toEqual(['{"status":"SERVICE_UNKNOWN"}', '{"status":"SERVING"}', '{"status":"NOT_SERVING"}']);
  });

  it.skipIf(without('goHealth', ...needs))(
    'a call of a health-checking grpc-go client fails while its service is down',
    async () => {
      await using bridge = await startProcess();
      await using proxy = await start(bridge);
      await register(bridge, 'orders', PERSISTENT);
      await using client = new Program(tools.goHealth.path, ['client', proxy.front, 'orders']);
      const said = () => client.lines.map((line): Record<string, unknown> => JSON.parse(line));
      const inState = (state: string) => expect.poll(() => said().findLast((line) => 'state' in line), SOON).toEqual({ state });
      const call = async () => {
        const answers = () => said().filter((line) => !('state' in line));
        const before = answers().length;
        client.say('call');
        await expect.poll(() => answers().length, SOON).toBe(before + 1);
        return answers().at(-1);
      };
      const refused = { error: 'UNAVAILABLE', message: expect.stringContaining('NOT_SERVING') };

      await inState('READY');
      expect(await call()).toEqual({ ok: true });
      await enable(bridge, false);
      await inState('TRANSIENT_FAILURE');
      expect(await call()).toEqual(refused);
      await enable(bridge, true);
      await inState('READY');
      expect(await call()).toEqual({ ok: true });
    },
  );

  it.skipIf(without('grpcClient', ...needs))('examples/grpc-client calls while its service is up, and only then', async () => {
    await using bridge = await startProcess();
    await using proxy = await start(bridge);
    await using client = new Program(tools.grpcClient.path, [proxy.front]);
    // A time and a result.
    const last = () => client.lines.at(-1)?.slice('00:00:00 '.length);

    await expect.poll(last, SOON).toMatch(/code = Unavailable .*status=SERVICE_UNKNOWN/);
    await register(bridge, 'orders', PERSISTENT);
    await expect.poll(last, SOON).toBe('<nil>');
    await enable(bridge, false);
    await expect.poll(last, SOON).toMatch(/code = Unavailable .*status=NOT_SERVING/);
    await enable(bridge, true);
    await expect.poll(last, SOON).toBe('<nil>');
  });
});

it.skipIf(without('nginx'))('nginx passes JSON, codes and events on over HTTP/1.1, and nothing but health', async () => {
  await using bridge = await startProcess();
  await using nginx = await startNginx(bridge);
  using json = HEALTH_CLIENTS['JSON POST, HTTP/1.1'](nginx.plain);
  using web = HEALTH_CLIENTS['gRPC-Web, HTTP/1.1'](nginx.plain);
  const code = () => statusOf(`http://${nginx.plain}/health/orders`);
  await using events = new Program(process.execPath, ['-e', READ_EVENTS, `http://${nginx.plain}/health/orders?watch`]);
  const heard = () => events.lines.findLast((line) => line.startsWith('data: '));
  const event = (status: string) => expect.poll(heard, SOON).toBe(`data: {"status":"${status}"}`);

  await expect(json.check('orders')).rejects.toThrow('not_found');
  expect(await code()).toBe(404);
  await event('SERVICE_UNKNOWN');
  await register(bridge, 'orders', PERSISTENT);
  expect(await json.check('orders')).toBe('SERVING');
  expect(await web.check('orders')).toBe('SERVING');
  expect(await code()).toBe(200);
  await event('SERVING');
  await silence();
  await enable(bridge, false);
  expect(await json.check('orders')).toBe('NOT_SERVING');
  expect(await code()).toBe(503);
  await event('NOT_SERVING');

  const list = '/nacos/v1/ns/service/list?pageNo=1&pageSize=1';
  expect(await answerOf(fetch(`http://${bridge.listeners.main}${list}`))).toMatchObject({ status: 200 });
  expect(await answerOf(fetch(`http://${nginx.plain}${list}`))).toMatchObject({ status: 404 });
});

/** A process of its own, so that nothing of the reading is left here when it ends. */
const READ_EVENTS = `
  const { body } = await fetch(process.argv[1]);
  for await (const chunk of body) process.stdout.write(chunk);
`;

describe.skipIf(without('grpcHealthProbe'))('the kubelet', () => {
  it('dials anew for each probe, and leaves nothing behind', async () => {
    await using bridge = await startProcess();
    await register(bridge, 'orders', PERSISTENT);
    const before = socketsOf(bridge);
    const args = [
      '-addr',
      bridge.listeners.health,
      '-connect-timeout',
      '1s',
      '-rpc-timeout',
      '1s',
      '-user-agent',
      'kube-probe/1.33',
    ];
    for (let probe = 0; probe < 50; probe++) {
      const service = probe % 2 === 0 ? '' : 'orders';
      expect(await exitCode(tools.grpcHealthProbe.path, [...args, '-service', service])).toBe(0);
    }
    await expect.poll(() => socketsOf(bridge), SOON).toEqual(before);
  });

  it('runs the commands of kubernetes.yaml, which follow one instance', async () => {
    await using bridge = await startProcess();
    using folder = new Folder();
    symlinkSync(tools.grpcHealthProbe.path ?? '', join(folder.path, 'grpc_health_probe'));
    const env = { ...process.env, PATH: `${folder.path}:${process.env.PATH}`, POD_IP: '10.0.0.1' };
    const documents = parseAllDocuments(example('kubernetes.yaml', { 'beatbridge:20000': bridge.listeners.health }));
    const [program, ...args]: string[] = documents
      .map((document) => document.getIn(['spec', 'template', 'spec', 'containers', 0, 'readinessProbe', 'exec', 'command']))
      .filter((command) => command !== undefined)
      .flatMap((command) => JSON.parse(JSON.stringify(command)));
    const probe = () => exitCode(program, args, env);

    expect(await probe()).toBe(3);
    await register(bridge, 'orders', { ...PERSISTENT, ip: '10.0.0.2', port: 8080 });
    expect(await probe()).not.toBe(0);
    await register(bridge, 'orders', { ...PERSISTENT, port: 8080 });
    expect(await probe()).toBe(0);
  });
});

async function statusOf(url: string): Promise<number> {
  const { status, body } = await fetch(url);
  await body?.cancel();
  return status;
}

/** How many sockets the process has open; nothing where the system does not say. */
function socketsOf({ child }: Process): number | undefined {
  const folder = `/proc/${child.pid}/fd`;
  if (!existsSync(folder)) return undefined;
  return readdirSync(folder).filter((fd) => {
    try {
      return readlinkSync(join(folder, fd)).startsWith('socket:');
    } catch {
      return false;
    }
  }).length;
}

function exitCode(path: string | undefined, args: readonly string[], env = process.env): Promise<unknown> {
  return new Promise((resolve) => {
    execFile(path ?? '', args, { env }, (error) => resolve(error?.code ?? 0));
  });
}
