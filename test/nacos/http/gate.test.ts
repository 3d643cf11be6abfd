import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Gate } from '../../../src/nacos/gate.ts';
import type { Route } from '../../../src/nacos/http/route.ts';
import { nacosRoutes } from '../../../src/nacos/http/routes.ts';
import type { Need, Permit, Scope } from '../../../src/rights/admission.ts';
import type { Facts } from '../../../src/rights/facts.ts';
import { failOnLeaks } from '../../support/leaks.ts';
import { emptyNacos } from '../../support/nacos-room.ts';

failOnLeaks();

/** What the surface asks of who may do what, each call of it: from the route table itself. */

const asked: { need: Need | undefined; facts: Facts; scopes: Scope[] }[] = [];

let coversAll = true;

const gate: Gate = {
  admit(need, _, facts) {
    const scopes: Scope[] = [];
    asked.push({ need, facts, scopes });
    const note = (scope: Scope) => void scopes.push(scope);
    const permit: Permit = {
      isRefusal: false,
      user: 'ann',
      isAdmin: false,
      refusalFor: (scope) => note(scope) as undefined,
      covers(scope) {
        note(scope);
        return coversAll;
      },
      stillCovers: () => true,
      standing: () => 'holds',
      until: Number.POSITIVE_INFINITY,
      isByCertificate: false,
      refusalForUser: (name) => note({ name }) as undefined,
    };
    return permit;
  },
  refusalByHead: () => undefined,
  wouldAdmit: () => true,
  admitOverGrpc: () => {
    throw new Error('nobody asks over gRPC');
  },
};

const made = emptyNacos({ gate });
const routes = nacosRoutes(made.rooms);
const server = createServer((req, res) => void made.http(req, res));

beforeAll(async () => {
  await once(server.listen(0, '127.0.0.1'), 'listening');
});
afterAll(() => {
  made.close();
  server.closeAllConnections();
  server.close();
});

/** Whatever any of them may want to know. */
const PARAMS = new URLSearchParams({
  namespaceId: 'hidden-ns',
  tenant: 'hidden-ns',
  customNamespaceId: 'hidden-ns',
  namespace: 'hidden-ns',
  namespaceName: 'n',
  namespaceShowName: 'n',
  groupName: 'G',
  group: 'G',
  serviceName: 'hidden-s',
  dom: 'hidden-s',
  key: 'hidden-ns##G@@hidden-s',
  clusterName: 'C',
  ip: '10.0.0.1',
  port: '80',
  healthy: 'true',
  metadata: '{"a":"b"}',
  protectThreshold: '0',
  edit: '{"weight":2}',
  checkPort: '80',
  useInstancePort4Check: 'true',
  healthChecker: '{"type":"TCP"}',
  clientId: '10.0.0.1:80#true',
  pageNo: '1',
  pageSize: '10',
  dataId: 'hidden-d',
  content: 'x',
  ids: '1',
  nid: '1',
  id: '1',
  'Listening-Configs': 'hidden-d\u0002G\u0002\u0002hidden-ns\u0001',
});

async function ask({
  method,
  path,
}: Pick<Route, 'method' | 'path'>): Promise<(typeof asked)[number] & { readonly text: string }> {
  const { port } = server.address() as AddressInfo;
  const from = asked.length;
  const named = path
    .replace('/namespaceId/*', '/namespaceId/hidden-ns')
    .replace('/service/*', '/service/hidden-s')
    .replace('*', 'hidden-ns%23%23G@@hidden-s');
  const url = `http://127.0.0.1:${port}${named}?${PARAMS}`;
  const text = await (await fetch(url, { method: method === 'ANY' ? 'GET' : method })).text();
  const [one, ...others] = asked.slice(from);
  if (one === undefined || others.length > 0) throw new Error(`${method} ${path} asked ${others.length} times more than once`);
  return { ...one, text };
}

/** Their answers are constants, whoever asks for whatever. */
const CONSTANT = [
  'GET /nacos/v1/ns/service/selector/types',
  'GET /nacos/v1/ns/health/checkers',
  'GET /nacos/v3/admin/ns/service/selector/types',
  'GET /nacos/v3/admin/ns/health/checkers',
  'GET /nacos/v1/cs/history',
  'GET /nacos/v1/cs/history/previous',
  'GET /nacos/v2/cs/history/list',
  'GET /nacos/v2/cs/history',
  'GET /nacos/v2/cs/history/previous',
  'GET /nacos/v3/admin/cs/history/list',
  'GET /nacos/v3/admin/cs/history',
  'GET /nacos/v3/admin/cs/history/previous',
];

/** Lists over several of these: what is not covered is left out of them. */
const FILTERED = [
  'ANY /nacos/v1/ns/service/names',
  'GET /nacos/v1/ns/api/allDomNames',
  'GET /nacos/v1/console/namespaces',
  'GET /nacos/v2/console/namespace/list',
  'GET /nacos/v3/admin/core/namespace/list',
  'GET /nacos/v3/admin/core/namespace/used',
  'GET /nacos/v3/admin/ns/overlay',
  'GET /nacos/v3/admin/ns/instance/everywhere',
  'GET /nacos/prometheus',
  'GET /nacos/prometheus/namespaceId/*',
  'GET /nacos/prometheus/namespaceId/*/service/*',
  'GET /nacos/v2/ns/client/publish/list',
  'GET /nacos/v3/admin/ns/client/publish/list',
  'GET /nacos/v1/cs/history/configs',
  'GET /nacos/v2/cs/history/configs',
  'GET /nacos/v2/cs/config/searchDetail',
  'GET /nacos/v3/admin/cs/config/list',
  'GET /nacos/v3/admin/cs/history/configs',
];
/** The same, where there is nobody in them here. */
const EMPTY = [
  'GET /nacos/v1/cs/listener',
  'GET /nacos/v3/admin/cs/listener',
  'GET /nacos/v2/ns/client/subscribe/list',
  'GET /nacos/v3/admin/ns/client/subscribe/list',
  // Of these numbers there is no text.
  'DELETE /nacos/v3/admin/cs/config/batch',
];

const scoped = routes.filter(({ access, isWhole }) => ['read', 'write', 'operate'].includes(access) && !isWhole);
const nameOf = ({ method, path }: Route) => `${method} ${path}`;

it('there are many routes that ask', () => {
  expect(scoped.length).toBeGreaterThan(80);
});

describe('what the record says is asked first', () => {
  it.each(routes.map((route) => [nameOf(route), route] as const))('of %s', async (_, route) => {
    const { need, facts } = await ask(route);
    expect(need).toBe(route.access);
    expect(facts.isScoped).toBe(route.isWhole !== true);
    expect(facts.ownParams).toBe(route.isAboutUsers === true);
    expect(facts.isChange).toBe(route.changesByGet === true && ['GET', 'ANY'].includes(route.method));
    expect(new Map(facts.params).get('serviceName')).toBe('hidden-s');
  });
});

describe('who needs a right to something asks whether what was named is covered', () => {
  it.each(
    scoped
      .filter((route) => ![...CONSTANT, ...FILTERED, ...EMPTY].includes(nameOf(route)))
      .map((route) => [nameOf(route), route] as const),
  )('%s', async (_, route) => {
    const { scopes } = await ask(route);
    expect(scopes).not.toEqual([]);
    for (const { namespace, group } of scopes) expect([namespace, group ?? 'G']).toEqual(['hidden-ns', 'G']);
  });
});

describe('what is not covered is left out of lists over several', () => {
  beforeAll(async () => {
    const put = [
      ['POST', '/nacos/v1/ns/instance'],
      ['PUT', '/nacos/v3/admin/ns/overlay'],
      ['POST', '/nacos/v1/cs/configs'],
      ['POST', '/nacos/v1/console/namespaces'],
    ] as const;
    for (const [method, path] of put) await ask({ method, path });
  });

  it.each(FILTERED)('%s', async (name) => {
    const route = scoped.find((one) => nameOf(one) === name);
    if (route === undefined) throw new Error('there is no such route');
    try {
      coversAll = true;
      expect((await ask(route)).text).toContain('hidden-');
      coversAll = false;
      expect((await ask(route)).text).not.toContain('hidden-');
    } finally {
      coversAll = true;
    }
  });
});
