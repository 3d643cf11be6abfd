import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, inject, it, onTestFinished } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { parseConfig } from '../../src/cli/config-file.ts';
import { CLI, FREE_PORTS, run as runBridge, startProcess } from '../support/process.ts';

/** The ways to deploy, as the programs see them that do: linted, rendered, read, packed, and run with no more rights than they are given. */

const ROOT = join(import.meta.dirname, '../..');
const CHART = join(ROOT, 'deploy/helm/beatbridge');
const tools = inject('tools');
// Without its program a test is skipped, and named by `tools.ts`; with INTEROP=all that fails the run.
const has = (...names: readonly (keyof typeof tools)[]) => names.every((name) => tools[name].path !== undefined);

interface Ended {
  readonly code: unknown;
  readonly stdout: string;
  readonly stderr: string;
}

function run(program: string, args: readonly string[], cwd = ROOT): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(program, args, { cwd, maxBuffer: 64 << 20 }, (error, stdout, stderr) =>
      resolve({ code: error?.code ?? 0, stdout, stderr }),
    );
  });
}

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'beatbridge-deploy-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

const AUTH = ['access.auth.enabled=true', 'access.auth.usersSecret=users', 'access.auth.signingSecret=signing'];
const TLS = ['tls.secret=cert', 'tls.clientCaSecret=ca', 'tls.requireClientCert=true', 'tls.only=all'];
const VALUES: Readonly<Record<string, readonly string[]>> = {
  'as it is': [],
  'with a login': AUTH,
  'with TLS alone': TLS,
  'published, with a login': [...AUTH, 'service.type=LoadBalancer', 'service.externalTrafficPolicy=Local'],
  'published to a network': [
    'service.type=NodePort',
    'access.trust={10.244.0.0/16}',
    'service.nacos.nodePort=30848',
    'service.nacosGrpc.nodePort=31848',
  ],
  'without a volume': ['persistence.enabled=false', 'resources.limits=null'],
  'with a claim that there is': ['persistence.existingClaim=mine', 'resources.limits.memory=1500M', 'networkPolicy.enabled=true'],
  'with options': ['options.maxInstances=2000000', 'options.logLevel=debug', 'options.minAvailable=50%', 'options.probes=false'],
  'under another name': ['fullnameOverride=registry', 'persistence.storageClass=-', 'podDisruptionBudget.maxUnavailable=0'],
  'watched by Prometheus': ['serviceMonitor.enabled=true', 'prometheusRule.enabled=true', 'serviceMonitor.labels.release=prom'],
};

// Without it skipped, and named by `tools.ts`; with INTEROP=all that fails the run.
describe.skipIf(!has('helm', 'kubernetesValidate'))('the chart', () => {
  const helm = (...args: readonly string[]) => run(tools.helm.path ?? '', args);
  const setting = (values: readonly string[]) => values.flatMap((value) => ['--set', value]);

  it.each(Object.entries(VALUES))('%s is without a fault, and what it makes is what Kubernetes takes', async (_, values) => {
    expect(await helm('lint', '--strict', CHART, ...setting(values))).toMatchObject({ code: 0 });
    const { code, stdout, stderr } = await helm('template', 'r', CHART, '--namespace', 'shop', ...setting(values));
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const made = join(folder(), 'made.yaml');
    writeFileSync(made, stdout);
    // The oldest that the chart takes, and the newest that there is.
    for (const version of ['1.27', '1.37'])
      expect(await run(tools.kubernetesValidate.path ?? '', ['--strict', '-k', version, made])).toMatchObject({ code: 0 });

    const documents = parseAllDocuments(stdout).map((document) => document.toJSON());
    const text = documents.find(({ kind }) => kind === 'ConfigMap').data['beatbridge.yaml'];
    // Of the files that it names none is here: whatever else is wrong would be a fault of the text.
    expect(parseConfig(text, 'beatbridge.yaml').faults).toEqual([]);
  });

  it('derives the heap from the limit of memory', async () => {
    const heapOf = async (limit: string) =>
      /--max-old-space-size=(\d+)/.exec(
        (await helm('template', 'r', CHART, '--set', `resources.limits.memory=${limit}`)).stdout,
      )?.[1];
    expect([await heapOf('1Gi'), await heapOf('1500M'), await heapOf('512Mi')]).toEqual(['614', '858', '307']);
  });

  it('leaves the templates of alerts to Prometheus', async () => {
    const { stdout } = await helm('template', 'r', CHART, '--set', 'prometheusRule.enabled=true');
    const [rule] = parseAllDocuments(stdout).flatMap((document) =>
      document.toJSON()?.kind === 'PrometheusRule' ? [document.toJSON()] : [],
    );
    const [example] = parseAllDocuments(readFileSync(join(ROOT, 'examples/prometheus/rules.yaml'), 'utf8'));
    expect(rule.spec.groups).toEqual(example?.toJSON().groups);
  });

  // Without it skipped, and named by `tools.ts`; with INTEROP=all that fails the run.
  it.skipIf(!has('prometheusOperator'))('tells the Prometheus operator nothing that it does not know', async () => {
    const watched = [...(VALUES['watched by Prometheus'] ?? []), 'serviceMonitor.tokenSecret=scrape', ...TLS];
    const tlsConfig = 'serviceMonitor.tlsConfig.serverName=registry';
    const { stdout } = await helm('template', 'r', CHART, ...setting([...watched, tlsConfig]));
    const read = (text: string) =>
      new Promise((resolve) => {
        const child = execFile(tools.prometheusOperator.path ?? '', (error, kinds) => resolve({ code: error?.code ?? 0, kinds }));
        child.stdin?.end(text);
      });
    expect(await read(stdout)).toEqual({ code: 0, kinds: 'PrometheusRule\nServiceMonitor\n' });
    expect(await read(stdout.replace('scrapeTimeout:', 'scrapeAfter:'))).toMatchObject({ code: 1 });
  });

  it('says, once installed, where it is and who may register', async () => {
    const install = (...args: readonly string[]) =>
      helm('install', 'r', CHART, '--dry-run=client', '--namespace', 'shop', ...args);
    expect((await install()).stdout).toMatch(/r-beatbridge\.shop:8848[\s\S]*without a login: private\.\nThat is every pod\./);
    expect((await install('--set', 'access.trust=null')).stdout).toContain('NOBODY MAY REGISTER YET');
  });

  it.each([
    [['replicas=2'], 'replicas must be 0 or 1, got 2'],
    [['service.type=NodePort'], 'access.trust must not have "private" with service.type NodePort'],
    [['tls.only=all'], 'need tls.secret'],
    [['access.auth.usersSecret=users'], 'need access.auth.enabled'],
    [['options.port=1'], 'options.port is made by the chart'],
    [['service.nacos.port=80'], 'service.nacosGrpc.port must be service.nacos.port + 1000, got 9848 and 80'],
    [['service.type=NodePort', 'access.trust=null', 'service.nacos.nodePort=30848'], 'service.nacosGrpc.nodePort must be'],
    [
      ['serviceMonitor.enabled=true', 'access.auth.enabled=true'],
      'serviceMonitor with access.auth needs serviceMonitor.tokenSecret',
    ],
    [['acess.trust=null'], "additional properties 'acess' not allowed"],
  ])('is not installed with %j', async (values, reason) => {
    const { code, stderr } = await helm('template', 'r', CHART, ...setting(values));
    expect(code).toBe(1);
    expect(stderr).toContain(reason);
  });
});

// Without it skipped, and named by `tools.ts`; with INTEROP=all that fails the run.
it.skipIf(!has('kubernetesValidate'))('the manifests are what Kubernetes takes, and a slip in them is not', async () => {
  const validate = (file: string, version: string) => run(tools.kubernetesValidate.path ?? '', ['--strict', '-k', version, file]);
  const manifests = join(ROOT, 'examples/kubernetes.yaml');
  // The oldest that runs a bridge in an application's pod, beside its containers, and the newest that there is.
  for (const version of ['1.29', '1.37']) expect(await validate(manifests, version)).toMatchObject({ code: 0 });
  const slip = join(folder(), 'slip.yaml');
  writeFileSync(slip, readFileSync(manifests, 'utf8').replace('periodSeconds', 'periodSecond'));
  expect((await validate(slip, '1.37')).code).not.toBe(0);
});

// Without it skipped, and named by `tools.ts`; with INTEROP=all that fails the run.
it.skipIf(!has('hadolint'))('the Dockerfile is without a fault', async () => {
  expect(await run(tools.hadolint.path ?? '', ['--failure-threshold', 'style', 'Dockerfile'])).toEqual({
    code: 0,
    stdout: '',
    stderr: '',
  });
});

// Without it skipped, and named by `tools.ts`; with INTEROP=all that fails the run.
it.skipIf(!has('composeGo'))('compose.yaml is read by Compose as it is meant', async () => {
  const { code, stdout, stderr } = await run(tools.composeGo.path ?? '', [join(ROOT, 'compose.yaml')]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const { beatbridge, orders } = JSON.parse(stdout).services;
  expect(beatbridge).toMatchObject({ read_only: true, stop_grace_period: '30s', healthcheck: { start_interval: '1s' } });
  expect(beatbridge.ports).toMatchObject([{ host_ip: '127.0.0.1', target: 8848 }, { target: 9848 }, { target: 20000 }]);
  expect(orders.depends_on.beatbridge.condition).toBe('service_healthy');
});

it('the service of compose.yaml beats for as long as it runs, and says goodbye', async () => {
  const { services } = parse(readFileSync(join(ROOT, 'compose.yaml'), 'utf8'));
  const command: readonly string[] = services.orders.command;
  await using bridge = await startProcess();
  const args = command.map((word) => (word === 'beatbridge:8848' ? bridge.listeners.main : word));
  expect(args).not.toEqual(command);
  const orders = spawn(process.execPath, [CLI, ...args], { stdio: 'ignore' });
  onTestFinished(() => void orders.kill('SIGKILL'));
  const ended = once(orders, 'exit');
  const health = async () => (await fetch(`http://${bridge.listeners.main}/health/orders`)).status;
  await expect.poll(health, { timeout: 20_000 }).toBe(200);
  orders.kill('SIGTERM');
  expect((await ended)[0]).toBe(0);
  expect(await health()).toBe(503);
});

// Without it skipped, and named by `tools.ts`; with INTEROP=all that fails the run.
it.skipIf(!has('systemdAnalyze'))('the unit is without a fault, and confined', async () => {
  const unit = join(ROOT, 'examples/beatbridge.service');
  // What is not installed here is no fault of the unit.
  const { code, stderr } = await run(tools.systemdAnalyze.path ?? '', ['verify', '--man=no', unit]);
  expect([code, stderr.split('\n').filter((line) => line !== '' && !line.includes('is not executable'))]).toEqual([0, []]);
  const { code: exposed } = await run(tools.systemdAnalyze.path ?? '', ['security', '--offline=true', '--threshold=40', unit]);
  expect(exposed).toBe(0);
});

// Without it skipped, and named by `tools.ts`; with INTEROP=all that fails the run.
describe.skipIf(!has('unshare'))('as in the image, without capabilities and with a root that nobody writes to', () => {
  const confinedTo = (data: string) => {
    const script = `mount --rbind / / && mount -o remount,ro,bind / && mount -t tmpfs none ${data} &&
      exec setpriv --no-new-privs --bounding-set=-all --inh-caps=-all "$0" "$@"`;
    return [tools.unshare.path ?? '', '--map-root-user', '--mount', 'sh', '-c', script];
  };

  it('the program serves, keeps what it is to keep, is asked by the command of the image, and ends', async () => {
    const data = folder();
    const args = [...FREE_PORTS, '--probes', 'false', '--data-dir', join(data, 'kept')];
    await using bridge = await startProcess(args, {}, confinedTo(data));
    const registered = await fetch(
      `http://${bridge.listeners.main}/nacos/v1/ns/instance?serviceName=orders&ip=10.0.0.1&port=80&ephemeral=false`,
      { method: 'POST' },
    );
    expect(await registered.text()).toBe('ok');
    const check = (...name: readonly string[]) => runBridge(['check', ...name, '--addr', bridge.listeners.health]);
    expect((await check()).code).toBe(0);
    expect((await check('orders')).code).toBe(0);
    expect((await check('payments')).code).toBe(3);
    expect(await bridge.stop('SIGTERM')).toBe(0);
    expect((await check()).code).toBe(2);
  });

  it('a data directory elsewhere is refused', async () => {
    const elsewhere = join(tmpdir(), 'beatbridge-elsewhere');
    const args = ['serve', ...FREE_PORTS, '--data-dir', elsewhere];
    const { code, stderr } = await runBridge(args, {}, confinedTo(folder()));
    expect([code, stderr]).toEqual([4, expect.stringContaining('the file system is read-only')]);
  });
});

// Without it skipped, and named by `tools.ts`; with INTEROP=all that fails the run.
it.skipIf(!has('npm'))('the package, packed and installed, is run by npx and has what its pages name', async () => {
  const into = folder();
  const npm = tools.npm.path ?? '';
  // What is built is built, and nothing but the packing is to be seen.
  const packed = await run(npm, ['pack', '--json', '--ignore-scripts', '--pack-destination', into]);
  const [{ filename, files }] = JSON.parse(packed.stdout);
  const names = new Set(files.map(({ path }: { path: string }) => path));
  const pages = ['README.md', 'docs/deploy.md'];
  const named = pages.flatMap((page) =>
    [...readFileSync(join(ROOT, page), 'utf8').matchAll(/\]\(((?!https?:)[^)#]+)/g)].map(([, path = '']) =>
      join(page, '..', path),
    ),
  );
  expect(named.length).toBeGreaterThan(20);
  expect(named.filter((name) => !names.has(name))).toEqual([]);

  writeFileSync(join(into, 'package.json'), '{"private":true}');
  expect(await run(npm, ['install', '--omit=dev', '--prefer-offline', '--no-audit', '--no-fund', filename], into)).toMatchObject({
    code: 0,
  });
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  expect(await run(npm, ['exec', '--offline', '--', 'beatbridge', '--version'], into)).toMatchObject({
    code: 0,
    stdout: `${version}\n`,
  });
});
