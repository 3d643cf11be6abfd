import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { connect, type IncomingHttpHeaders } from 'node:http2';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { readSettings } from '../src/cli/settings.ts';
import { AddressSet, addressBytes } from '../src/wire/addresses.ts';
import { register, setEnabled, startServer } from './support/server.ts';

/** What can be said of examples/ without the programs they are for; `conformance/balancers.test.ts` drives those. */

const ROOT = join(import.meta.dirname, '..');
const FILES = readdirSync(join(ROOT, 'examples'), { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map(({ parentPath, name }) => join(parentPath, name).slice(ROOT.length + 1))
  .sort();
const read = (file: string) => readFileSync(join(ROOT, file), 'utf8');

const PAGES = ['README.md', ...readdirSync(join(ROOT, 'docs')).map((name) => `docs/${name}`)].filter((name) =>
  name.endsWith('.md'),
);

it.each(FILES)('a page points at %s', (file) => {
  expect(PAGES.map(read).some((page) => page.includes(`](${file})`) || page.includes(`](../${file})`))).toBe(true);
});

it.each(FILES.filter((file) => !file.endsWith('.json')))('%s says first what it is', (file) => {
  expect(read(file)).toMatch(/^(# |\/\/ )\w/);
});

it.each(FILES.filter((file) => file.endsWith('.yaml')))('%s is YAML', (file) => {
  const documents = parseAllDocuments(read(file));
  expect(documents.flatMap((document) => ('errors' in document ? [...document.errors, ...document.warnings] : []))).toEqual([]);
  for (const document of documents) expect(document.toJSON()).toBeInstanceOf(Object);
});

it.each(FILES.filter((file) => file.endsWith('.json')))('%s is JSON', (file) => {
  expect(JSON.parse(read(file))).toBeInstanceOf(Object);
});

it('no check of HAProxy is content with what NOT_SERVING says as well', () => {
  const expected = [...read('examples/haproxy.cfg').matchAll(/^\s*(?:http|tcp)-check expect (.*)$/gm)].map(([, rule]) => rule);
  const status = 'rstring "\\"status\\": ?\\"SERVING\\""';
  expect(expected).toEqual([status, status, 'rbinary 0000000002080[1-3]', 'min-recv 1 binary 00000000020801']);
});

it('no liveness in Kubernetes hangs on the beats of somebody else', () => {
  const containers = parseAllDocuments(read('examples/kubernetes.yaml'))
    .map((document) => document.toJSON()?.spec?.template?.spec)
    .flatMap((pod) => [...(pod?.containers ?? []), ...(pod?.initContainers ?? [])]);
  expect(containers).toHaveLength(4);
  const liveness = containers.map(({ livenessProbe }) => livenessProbe).filter((probe) => probe !== undefined);
  expect(liveness).toMatchObject([{ httpGet: { port: 20000, path: '/livez' } }]);
});

it('the bridge for all in Kubernetes says who may register, and the one in the pod need not', () => {
  const [all] = parseAllDocuments(read('examples/kubernetes.yaml')).map((document) => document.toJSON());
  const env = all.spec.template.spec.containers[0].env.map(({ name, value }: { name: string; value: string }) => [name, value]);
  const { options } = readSettings({}, Object.fromEntries(env));
  expect(options).toMatchObject({ trust: 'private', openWrites: false });
});

it('the preStop hook in Kubernetes may drain its own pod, with nothing but the environment that the bridge has there', async () => {
  const [all, , , , orders] = parseAllDocuments(read('examples/kubernetes.yaml')).map((document) => document.toJSON());
  const env = all.spec.template.spec.containers[0].env.map(({ name, value }: { name: string; value: string }) => [name, value]);
  const { options } = readSettings({}, Object.fromEntries(env));
  const [command = ''] = orders.spec.template.spec.containers[0].lifecycle.preStop.exec.command.slice(-1);
  const [, method, path = ''] = /curl -sf -X (\w+) "http:\/\/beatbridge:8848([^"]*)"/.exec(command) ?? [];
  // Whoever is on this machine may operate anyway: of a pod it hangs on these two.
  const isTrusted = (address: string) => AddressSet.parse(options.trust)?.has(addressBytes(address) ?? new Uint8Array(16));
  expect([isTrusted('10.244.1.7'), isTrusted('8.8.8.8'), options.trustOperate]).toEqual([true, false, true]);
  await using server = await startServer({ trust: options.trust, trustOperate: options.trustOperate });
  await register(server, 'orders', { ip: '10.244.1.7', port: '8080' });
  const { status } = await fetch(`http://${server.listeners.main}${path.replace('$POD_IP', '10.244.1.7')}`, {
    method: method ?? '',
  });
  expect(status).toBe(200);
});

describe('aws-alb.tf', () => {
  const checks = [...read('examples/aws-alb.tf').matchAll(/path\s+= "(.*)"\s+matcher\s+= "(\d+)"/g)].map(
    ([, path = '', matcher]) => ({ path, matcher: Number(matcher) }),
  );

  it('has three checks, each of which tells the available from the rest by the status alone', async () => {
    await using server = await startServer({ defaultService: 'orders' });
    const passes = () =>
      Promise.all(
        checks.map(async ({ path, matcher }) => {
          if (matcher === 200) return (await fetch(`http://${server.listeners.health}${path}`)).status === matcher;
          return (await grpcStatusOf(server.listeners.health, path)) === matcher;
        }),
      );
    expect(await passes()).toEqual([false, false, false]);
    await register(server, 'orders');
    expect(await passes()).toEqual([true, true, true]);
    await setEnabled(server, 'orders', false);
    expect(await passes()).toEqual([false, false, false]);
  });

  it('finds 12 at the default path of a bridge that has no default service', async () => {
    await using server = await startServer();
    expect(await grpcStatusOf(server.listeners.health, '/AWS.ALB/healthcheck')).toBe(12);
  });
});

/** On a connection of its own and without a body; whether the status comes in trailers or at once is all the same. */
async function grpcStatusOf(address: string, path: string): Promise<number> {
  const session = connect(`http://${address}`);
  const stream = session.request({ ':method': 'POST', ':path': path, 'content-type': 'application/grpc', te: 'trailers' });
  let status: unknown;
  const look = (headers: IncomingHttpHeaders) => {
    status ??= headers['grpc-status'];
  };
  stream.on('response', look).on('trailers', look).resume().end();
  await once(stream, 'close');
  session.close();
  return Number(status);
}
