import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { readSettings } from '../src/cli/settings.ts';
import { AddressSet, addressBytes } from '../src/wire/addresses.ts';

/** What can be said of the ways to deploy without the programs that do; `conformance/deploy.test.ts` drives those. */

const ROOT = join(import.meta.dirname, '..');
const CHART = 'deploy/helm/beatbridge';
const read = (file: string) => readFileSync(join(ROOT, file), 'utf8');
const { version } = JSON.parse(read('package.json'));

it('all that names the version names the one of the package', () => {
  const chart = parse(read(`${CHART}/Chart.yaml`));
  expect(chart).toMatchObject({ version, appVersion: version });
  const named = [
    'Dockerfile',
    'compose.yaml',
    `${CHART}/values.yaml`,
    'examples/kubernetes.yaml',
    'examples/beatbridge.service',
    'docs/deploy.md',
  ].flatMap((file) =>
    [...read(file).matchAll(/beatbridge[:-](\d+\.\d+\.\d+)|version="(\d[^"]*)"/g)].map(([, tag, label]) => [file, tag ?? label]),
  );
  expect(named.length).toBeGreaterThan(6);
  for (const [file, found] of named) expect([file, found]).toEqual([file, version]);
});

describe('the image', () => {
  const lines = read('Dockerfile').replaceAll('\\\n', '').split('\n');
  const valuesOf = (instruction: string) =>
    lines.filter((line) => line.startsWith(`${instruction} `)).map((line) => line.slice(instruction.length + 1));
  const copied = valuesOf('COPY')
    .filter((args) => !args.startsWith('--from'))
    .flatMap((args) => args.split(' ').slice(0, -1));

  it('is given all that it copies, and nothing else', () => {
    const given = read('.dockerignore')
      .split('\n')
      .filter((line) => line.startsWith('!'))
      .map((line) => line.slice(1));
    expect(new Set(given)).toEqual(new Set(copied));
    for (const name of copied) expect(existsSync(join(ROOT, name)), name).toBe(true);
  });

  it('has all that is packed to run, and takes what it needs to run as it is locked', () => {
    expect(valuesOf('COPY').join('\n')).toMatch(/dist dist[\s\S]*proto proto/);
    expect(valuesOf('RUN')[0]).toMatch(/^npm ci /);
  });

  it('runs as somebody who is known by a number, and is asked by the command that the program has', async () => {
    expect(valuesOf('USER')).toEqual(['1000:1000']);
    expect(valuesOf('STOPSIGNAL')).toEqual(['SIGTERM']);
    expect(read('Dockerfile')).toContain('CMD ["node", "/app/dist/cli/main.js", "check", "--addr", "127.0.0.1:20000"]');
    expect(valuesOf('ENTRYPOINT')).toEqual(['["node", "/app/dist/cli/main.js"]']);
  });

  it('opens the ports that the program has by default, and sets only variables that it knows', () => {
    const [environment = ''] = valuesOf('ENV');
    const { options } = readSettings(
      {},
      Object.fromEntries(environment.split(' ').map((pair) => pair.split('=') as [string, string])),
    );
    expect(options.dataDir).toBe('/data');
    expect(valuesOf('EXPOSE')).toEqual([`${options.port} ${options.grpcPort} ${options.healthPort}`]);
  });
});

describe('compose.yaml', () => {
  const compose = parse(read('compose.yaml'));
  const { beatbridge, orders } = compose.services;
  const [network] = compose.networks.registry.ipam.config;

  it('trusts the containers and not the gateway, from which all come that use a published port', () => {
    const { options } = readSettings({}, beatbridge.environment);
    const trusted = AddressSet.parse(options.trust);
    expect(options.trust).toBe(network.ip_range);
    const isTrusted = (address: string) => trusted?.has(addressBytes(address) ?? new Uint8Array());
    expect(isTrusted(orders.networks.registry.ipv4_address)).toBe(true);
    expect(isTrusted(network.gateway)).toBe(false);
  });

  it('publishes to this machine only', () => {
    expect(beatbridge.ports).toEqual([8848, 9848, 20000].map((port) => `127.0.0.1:${port}:${port}`));
    expect(orders.ports).toBeUndefined();
  });

  it.each(Object.entries<Record<string, unknown>>(compose.services))(
    '%s may no more than it needs, and has limits',
    (_, service) => {
      expect(service).toMatchObject({
        read_only: true,
        cap_drop: ['ALL'],
        security_opt: ['no-new-privileges:true'],
        mem_limit: expect.any(String),
        pids_limit: expect.any(Number),
      });
    },
  );
});

describe('the chart', () => {
  const values = parse(read(`${CHART}/values.yaml`));
  const isValid = new Ajv({ allowUnionTypes: true }).compile(JSON.parse(read(`${CHART}/values.schema.json`)));

  it('has a schema that knows every value, so that none can be misspelt', () => {
    expect(isValid(values), JSON.stringify(isValid.errors)).toBe(true);
    const known = (schema: { properties?: Record<string, object> }, path = ''): string[] =>
      Object.entries(schema.properties ?? {}).flatMap(([name, part]) => [`${path}${name}`, ...known(part, `${path}${name}.`)]);
    const given = (value: unknown, path = ''): string[] =>
      typeof value === 'object' && value !== null && !Array.isArray(value) && !/^(resources|options)/.test(path)
        ? Object.entries(value).flatMap(([name, part]) => [`${path}${name}`, ...given(part, `${path}${name}.`)])
        : [];
    const schema = JSON.parse(read(`${CHART}/values.schema.json`));
    expect(
      known(schema)
        .filter((name) => name !== 'global')
        .sort(),
    ).toEqual(given(values).sort());
  });

  it.each([
    ['a name that there is not', { acess: {} }],
    ['a kind of Service that there is not', { service: { type: 'ExternalName' } }],
    ['an address that is none', { access: { trust: ['everybody'] } }],
    ['an option within an option', { options: { port: { main: 1 } } }],
    ['a share of the memory that leaves nothing', { heapPercent: 100 }],
  ])('refuses %s', (_, given) => {
    expect(isValid(given)).toBe(false);
  });

  it('refuses ports that no client of Nacos 2.x finds, and scraping that nobody is let in for', () => {
    const refusals = read(`${CHART}/templates/refusals.yaml`);
    for (const start of [
      'service.nacosGrpc.port must be',
      'service.nacosGrpc.nodePort must be',
      'serviceMonitor with access.auth needs',
    ])
      expect(refusals).toContain(start);
  });

  it('serves at the ports that the program has by default', () => {
    const { service } = values;
    const { options } = readSettings({}, {});
    expect([service.nacos.port, service.nacosGrpc.port, service.health.port]).toEqual([
      options.port,
      options.grpcPort,
      options.healthPort,
    ]);
  });

  it('says in every template what belongs to it by the same labels', () => {
    const templates = readdirSync(join(ROOT, CHART, 'templates')).filter(
      (name) => name.endsWith('.yaml') && name !== 'refusals.yaml',
    );
    expect(templates.length).toBeGreaterThan(7);
    for (const name of templates) expect(read(`${CHART}/templates/${name}`), name).toContain('include "beatbridge.labels"');
  });

  it('has the rules of the example, to the letter', () => {
    expect(read(`${CHART}/files/rules.yaml`)).toBe(read('examples/prometheus/rules.yaml'));
  });
});

describe('examples/kubernetes.yaml', () => {
  const documents = parseAllDocuments(read('examples/kubernetes.yaml')).map((document) => document.toJSON());
  const bridges = documents
    .map(({ spec }) => spec?.template?.spec)
    .flatMap((pod) => [...(pod?.containers ?? []), ...(pod?.initContainers ?? [])])
    .filter(({ name }) => name === 'beatbridge');

  it('runs each bridge as nobody, with a root that nobody writes to and a limit of memory', () => {
    expect(bridges).toHaveLength(2);
    for (const bridge of bridges)
      expect(bridge).toMatchObject({
        securityContext: { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } },
        resources: { limits: { memory: expect.any(String) } },
        startupProbe: { grpc: { port: 20000 } },
      });
  });

  it('gives each somewhere to write, or has it keep nothing', () => {
    const [all, inPod] = bridges;
    expect(all.volumeMounts).toEqual([{ name: 'data', mountPath: '/data' }]);
    expect(inPod.args).toEqual(['serve', '--data-dir', 'none']);
  });

  it('lets a node be drained', () => {
    expect(documents.find(({ kind }) => kind === 'PodDisruptionBudget').spec.maxUnavailable).toBe(1);
  });
});
