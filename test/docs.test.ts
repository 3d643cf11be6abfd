import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { parseConfig } from '../src/cli/config-file.ts';
import { CAUSES } from '../src/events/causes.ts';
import { requestTable } from '../src/nacos/grpc/table.ts';
import { nacosRoutes } from '../src/nacos/http/routes.ts';
import { DRAIN_ROUTES } from '../src/operate/drain-paths.ts';
import { OPTIONS } from '../src/options.ts';
import { emptyNacos } from './support/nacos-room.ts';

const ROOT = join(import.meta.dirname, '..');
const read = (file: string) => readFileSync(join(ROOT, file), 'utf8');

/** The rows of the table that follows the line, without its head. */
function tableAfter(file: string, line: string): string[][] {
  const [, rest = ''] = `\n${read(file)}`.split(`\n${line}\n`, 2);
  const rows = rest.slice(rest.indexOf('\n|')).split('\n\n', 2)[0]?.trim().split('\n') ?? [];
  return rows.slice(2).map((row) =>
    row
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

it.each([
  ['options', '# Options', false],
  ['limits', 'Limits keep one caller from taking what belongs to all; each is an option like the others:', true],
])('the table of %s is the one in options.ts', (_, line, limit) => {
  const options = Object.values(OPTIONS).filter((option) => option.limit === limit);
  expect(tableAfter('docs/options.md', line)).toEqual(
    options.map(({ flag, env, default: value, expected, help }) => [`\`${flag}\``, `\`${env}\``, `\`${value}\``, expected, help]),
  );
});

it('the example of a file of options is one', () => {
  const [, text = ''] = /^```yaml\n(# yaml-language-server: .*?)^```$/ms.exec(read('docs/options.md')) ?? [];
  const { said, faults } = parseConfig(text, 'docs/options.md');
  expect(faults).toEqual([]);
  expect(said.size).toBeGreaterThan(5);
});

it('the table of Nacos calls is the route table', () => {
  const routes = nacosRoutes(emptyNacos().rooms).map(({ method, path }) => `${method} ${path}`);
  expect(
    tableAfter('docs/nacos-api.md', 'The Nacos calls that are served, on the main and the gRPC port:').map(([call]) => call),
  ).toEqual(routes.filter((route) => !/\/v[12]\/ns\/ops\//.test(route)).map((route) => `\`${route}\``));
});

it('the table of what is asked over gRPC is the table of requests', () => {
  const [, rest = ''] = read('docs/nacos-api.md').split('\nWhat clients of 2.x and 3.x ask over gRPC', 2);
  const rows = [...rest.slice(0, rest.indexOf('\nA path below')).matchAll(/^\| `(\w+)`/gm)].map(([, name]) => name);
  expect(rows).toEqual([...requestTable(emptyNacos().rooms).keys()]);
});

it('the table of reasons has every reason why an instance is not as its check would have it, and no other', () => {
  const source = readFileSync(join(ROOT, 'src/registry/checks.ts'), 'utf8');
  const [, union = ''] = /export type TroubleReason =([^;]*);/.exec(source) ?? [];
  const reasons = [...union.matchAll(/'([^']+)'/g)].map(([, reason]) => `\`${reason}\``);
  expect(reasons.length).toBeGreaterThan(1);
  const [, rest = ''] = read('docs/checks.md').split('\n| reason | of |', 2);
  const rows = [...(rest.split('\n\n', 1)[0] ?? '').matchAll(/^\| (`[^`]+`) \|/gm)].map(([, reason]) => reason);
  expect(rows.sort()).toEqual(reasons.sort());
});

it('the map names every file of src', () => {
  const text = read('docs/architecture.md');
  const map = text.slice(text.indexOf('\nsrc/\n'), text.indexOf('\nbench/'));
  const named = [...map.matchAll(/^\s+([\w-]+\.ts)\s/gm)].map(([, name]) => name).sort();
  const files = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.startsWith('gen'))
    .map((name) => name.replace(/^.*[\\/]/, ''))
    .sort();
  expect(named).toEqual(files);
});

it('the versions of the npm clients are the ones that are tested', () => {
  const versionOf = (name: string): string =>
    JSON.parse(readFileSync(join(ROOT, 'node_modules', name, 'package.json'), 'utf8')).version;
  expect(read('docs/compatibility.md')).toContain(`| npm \`nacos\` | ${versionOf('nacos')} |`);
  expect(read('docs/compatibility.md')).toContain(`| \`@grpc/grpc-js\` | ${versionOf('@grpc/grpc-js').replace(/\.\d+$/, '')} |`);
  expect(read('docs/compatibility.md')).toContain(
    `| ${versionOf('@connectrpc/connect-node').replace(/\.\d+$/, '')} | every health case`,
  );
});

it('the versions of Spring Cloud Alibaba are the ones that are tested', () => {
  const pom = readFileSync(join(ROOT, 'test/conformance/clients/java-spring-cloud/pom.xml'), 'utf8');
  const of = (element: string) => [...pom.matchAll(new RegExp(`<${element}>([^<$]+)</${element}>`, 'g'))].map(([, text]) => text);
  const stacks = of('spring-cloud-alibaba.version');
  const clients = of('value');
  const boots = of('spring-boot.version').map((version) => version?.replace('.RELEASE', ''));
  const rows = tableAfter('docs/compatibility.md', '# Compatibility').filter(([client]) =>
    client?.startsWith('Spring Cloud Alibaba'),
  );
  expect(rows.map(([, version]) => version)).toEqual(
    stacks.map((stack, i) => `${stack}, with its \`nacos-client\` ${clients[i]}, on Spring Boot ${boots[i]}`),
  );
});

it('the versions of the clients of HTTP/2 are the ones that are tested', () => {
  const clients = join(ROOT, 'test/conformance/clients');
  const [, okHttp] =
    /<artifactId>okhttp-jvm<\/artifactId>\s*<version>([^<]+)/.exec(readFileSync(join(clients, 'java-http2/pom.xml'), 'utf8')) ??
    [];
  const python = new Map(
    readFileSync(join(clients, 'python-http2/requirements.txt'), 'utf8')
      .trim()
      .split('\n')
      // Each is pinned.
      .map((line) => line.split('==') as [string, string]),
  );
  const [, conformance] =
    /connectrpc\.com\/conformance v(\S+)/.exec(readFileSync(join(clients, 'connect-conformance/go.mod'), 'utf8')) ?? [];
  const versions = new Map(
    tableAfter('docs/compatibility.md', '# Compatibility').map(([client = '', version = '']) => [client, version]),
  );
  expect(versions.get('OkHttp')).toBe(okHttp);
  expect(versions.get('Python `httpx`')).toBe(python.get('httpx'));
  expect(versions.get('Python `h2`')).toBe(python.get('h2'));
  expect(versions.get("Connect's conformance suite")).toBe(conformance);
});

it('the table of causes has every cause, and no other', () => {
  const named = tableAfter('docs/events.md', '## Causes').flatMap(([causes = '']) => causes.match(/[\w-]+/g) ?? []);
  expect(named.sort()).toEqual(Object.keys(CAUSES).sort());
});

const PAGES = [
  'README.md',
  'README.zh-CN.md',
  'CHANGELOG.md',
  'CONTRIBUTING.md',
  'SECURITY.md',
  ...readdirSync(join(ROOT, 'docs')).flatMap((name) => (name.endsWith('.md') ? [`docs/${name}`] : [])),
];

/** As GitHub makes them. */
function anchorsOf(page: string): string[] {
  return [...read(page).matchAll(/^#+ (.*)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}_ -]/gu, '')
      .replaceAll(' ', '-'),
  );
}

it.each(PAGES)('%s points at nothing that is not there', (page) => {
  const links = [...read(page).matchAll(/\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)/g)];
  for (const [link, path = '', anchor] of links) {
    const file = path === '' ? page : join(page, '..', path);
    expect(existsSync(join(ROOT, file)), link).toBe(true);
    if (anchor !== undefined) expect(anchorsOf(file), link).toContain(anchor);
  }
});

it('README in Chinese shows and runs what the other one does', () => {
  const blocksOf = (page: string) => read(page).match(/^```[\s\S]*?^```/gm);
  expect(blocksOf('README.zh-CN.md')).toEqual(blocksOf('README.md'));
});

it.each(PAGES.filter((page) => page !== 'README.md'))('README points at %s', (page) => {
  expect(read('README.md')).toContain(`](${page})`);
});

it('the calls of drains.md are the ones that there are', () => {
  const told = tableAfter('docs/drains.md', '# Taking an instance out for a time').map(([call, needs]) => [call, needs]);
  expect(told).toEqual(DRAIN_ROUTES.map(({ method, path, access }) => [`\`${method} ${path.replace('*', 'IP:PORT')}\``, access]));
});
