import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { asked } from '../support/asked.ts';
import { NacosGrpc } from '../support/nacos-grpc.ts';
import { fixedPorts, freePorts } from '../support/ports.ts';
import { type Process, startProcess } from '../support/process.ts';
import { deregister, nacos, register, unhealthyAfter } from '../support/server.ts';

/** `beatbridge why` of each state that a service can be in, asked of a server that runs. */

const SOON = { timeout: 20_000, interval: 20 };
/** `IP:PORT` of most of them. */
const AT = '10.0.0.1:80';
const TIME = String.raw`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ \((just now|\d+ (second|minute)s? ago)\)`;
/** Nobody beats, and nobody is to fall silent. */
const PATIENT = JSON.stringify({ 'preserved.heart.beat.timeout': '3600000', 'preserved.ip.delete.timeout': '7200000' });

const dataDir = mkdtempSync(join(tmpdir(), 'beatbridge-why-'));
let args: readonly string[];
let bridge: Process;

beforeAll(async () => {
  const ports = (await fixedPorts()).map((part) => (part === 'false' ? 'true' : part));
  args = [...ports, '--probe-allow', '127.0.0.1', '--data-dir', dataDir];
  bridge = await startProcess(args);
});
afterAll(async () => {
  await bridge.stop('SIGKILL');
  rmSync(dataDir, { recursive: true, force: true });
});

async function until(name: string, status: number) {
  await expect.poll(async () => (await fetch(`http://${bridge.listeners.main}/health/${name}`)).status, SOON).toBe(status);
}

/** What it says, once health says that, in the parts between empty lines. */
async function why(name: string, { status = 503, code = 4 } = {}) {
  await until(name, status);
  const said = await asked(['why', name], { BEATBRIDGE_ADDR: bridge.listeners.main });
  expect(said).toMatchObject({ code, stderr: '' });
  const parts = said.stdout.trimEnd().split('\n\n');
  const [head = '', who = ''] = parts;
  return { text: said.stdout, head: head.split('\n'), who: who.split('\n'), todo: parts.at(-1)?.split('\n') ?? [] };
}

const matching = (text: string) => expect.stringMatching(new RegExp(`^${text}$`));

describe('why', () => {
  it('of one that is silent: when its last beat was, from where, by which client and how often they were', async () => {
    const headers = { 'user-agent': 'Nacos-Java-Client:v1.4.2' };
    const instance = { serviceName: 'silent', ip: '10.0.0.1', port: 80, metadata: unhealthyAfter(200) };
    await nacos(bridge, 'POST', '/instance', instance, { headers });
    const { head, who, todo } = await why('silent');
    expect(head).toEqual([
      'silent is NOT_SERVING: 0 of 1 instances available, 1 needed',
      matching(`since ${TIME}, by silent \\(no beat for too long\\): ${AT}`),
    ]);
    expect(who).toEqual([
      'who fails:',
      matching(`  ${AT}  is silent, since ${TIME}: no beat for [\\d.]+ s`),
      matching(` {15}last beat ${TIME} from 127.0.0.1, by Nacos-Java-Client:v1.4.2, usually every 100ms`),
    ]);
    expect(todo).toEqual(['what to do:', expect.stringMatching(/^ {2}silent \(1\): its process does not beat/)]);
  });

  it('of one that fails its check: which, and by what', async () => {
    const [port] = await freePorts(1);
    await register(bridge, 'probed', { ip: '127.0.0.1', port: port ?? 1, ephemeral: 'false' });
    const { head, who, todo } = await why('probed');
    expect(head[0]).toBe('probed is NOT_SERVING: 0 of 1 instances available, 1 needed; 1 fails its check (tcp: refused)');
    expect(who[1]).toEqual(matching(`  127.0.0.1:${port}  fails its check, since ${TIME}: tcp: refused`));
    expect(todo[1]).toContain('probe (1): its check fails');
  });

  it('of one that is disabled or has no weight: whether an operator or its client has said so, and how it is undone', async () => {
    const [own, taken, zero] = ['disabled-own', 'disabled', 'zero'];
    await register(bridge, own, { metadata: PATIENT, enabled: 'false' });
    for (const serviceName of [taken, zero]) await register(bridge, serviceName, { metadata: PATIENT });
    const edit = (serviceName: string, change: object) =>
      nacos(bridge, 'PUT', '/instance', { serviceName, ip: '10.0.0.1', port: 80, ...change });
    await edit(taken, { enabled: 'false' });
    await edit(zero, { weight: 0 });
    const [first, second, third] = [await why(own), await why(taken), await why(zero)];
    expect(first.who[1]).toEqual(matching(`  ${AT}  is disabled, since ${TIME}: its client says so`));
    expect(first.who[2]).toMatch(/^ +last heard of from 127\.0\.0\.1, by node$/);
    expect(first.todo[1]).toBe('  disabled (1): its own client registers it with enabled=false: change that there');
    expect(second.head[1]).toEqual(matching(`since ${TIME}, by edited \\(by an operator\\): ${AT}, by 127.0.0.1 node`));
    expect(second.who[1]).toEqual(matching(`  ${AT}  is disabled, since ${TIME}: edited by an operator at 127.0.0.1`));
    expect(second.todo[1]).toContain(`beatbridge enable ${AT}`);
    expect(third.who[1]).toEqual(matching(`  ${AT}  has weight 0, since ${TIME}: edited by an operator at 127.0.0.1`));
    expect(third.todo[1]).toContain(`beatbridge weight ${AT} 1`);
  });

  it('of one that is drained: until when, by whom, why, and how it is back sooner', async () => {
    await register(bridge, 'drained', { metadata: PATIENT });
    const url = `http://${bridge.listeners.main}/drains/${AT}?service=drained&for=2h&reason=a%20release`;
    expect((await fetch(url, { method: 'PUT' })).status).toBe(200);
    const { who, todo } = await why('drained');
    const end = String.raw`\S+Z \(in \d+ \w+\)`;
    expect(who[1]).toEqual(matching(`  ${AT}  is drained until ${end}, by 127.0.0.1 node, since ${TIME}: a release`));
    expect(todo[1]).toEqual(matching(`  drained \\(1\\): it is back by itself at ${end}; sooner with: beatbridge resume ${AT}`));
    expect(todo).toHaveLength(2);
  });

  it('of one that needs half, with two of three silent: how many are missing', async () => {
    for (const host of [1, 2, 3])
      await register(bridge, 'half', { ip: `10.0.0.${host}`, metadata: host === 1 ? PATIENT : unhealthyAfter(200) });
    const metadata = JSON.stringify({ 'health.min-available': '50%' });
    expect((await nacos(bridge, 'PUT', '/service', { serviceName: 'half', protectThreshold: 0, metadata })).status).toBe(200);
    const { head, who, todo } = await why('half');
    expect(head[0]).toBe('half is NOT_SERVING: 1 of 3 instances available, 2 needed');
    expect(who.filter((line) => line.includes('is silent')).map((line) => line.slice(2, 13))).toEqual([
      '10.0.0.2:80',
      '10.0.0.3:80',
    ]);
    expect(todo.at(-1)).toBe('  2 of 3 must be available, and 1 is: 1 more will do, or ask for fewer (health.min-available)');
  });

  it('of one whose instances have gone: with their connection, or with a goodbye', async () => {
    const client = await NacosGrpc.connect(bridge.listeners.grpc, { clientVersion: 'Nacos-Java-Client:v2.5.1' });
    const instance = { ip: '10.0.0.1', port: 80 };
    await client.ask('InstanceRequest', { type: 'registerInstance', serviceName: 'held', instance });
    await until('held', 200);
    client[Symbol.dispose]();
    const held = await why('held');
    expect(held.head[1]).toEqual(
      matching(`since ${TIME}, by connection-ended .*: ${AT}, by 127.0.0.1 Nacos-Java-Client:v2.5.1 .*`),
    );
    expect(held.who[1], held.text).toEqual(matching(`  ${AT}  is gone, since ${TIME}: connection \\S+ ended: (reset|closed)`));
    expect(held.who[2]).toMatch(/^ +Nacos-Java-Client:v2\.5\.1$/);
    expect(held.todo[1]).toContain('connection-ended (1): the connection that held it has ended');
    await register(bridge, 'bye', { metadata: PATIENT });
    await deregister(bridge, 'bye');
    const bye = await why('bye');
    expect(bye.who[1]).toEqual(matching(`  ${AT}  is gone, since ${TIME}: said goodbye, from 127.0.0.1`));
    expect(bye.todo.at(-1)).toContain('it has no instance');
  });

  it('of one that serves, one that nobody knows, and the server itself', async () => {
    await register(bridge, 'serving', { metadata: PATIENT });
    const { head, text } = await why('serving', { status: 200, code: 0 });
    expect(head).toEqual([
      'serving is SERVING: 1 of 1 instances available, 1 needed',
      matching(`since ${TIME}, by registered: ${AT}, by 127.0.0.1 node`),
    ]);
    expect(text).not.toContain('what to do');
    expect((await why('nobody', { status: 404, code: 3 })).head[0]).toMatch(/^nobody is not known here/);
    const server = await asked(['why', ''], { BEATBRIDGE_ADDR: bridge.listeners.main });
    expect(server).toEqual({ code: 0, stderr: '', stdout: 'the server is SERVING\n' });
  });

  it('of a name with a namespace and a group, and of an interface that means several services', async () => {
    await register(bridge, 'billing', { metadata: PATIENT, enabled: 'false', namespaceId: 'dev', groupName: 'G1' });
    const { head, text } = await why('billing?namespace=dev&group=G1');
    expect(head[0]).toBe('billing?namespace=dev&group=G1 is NOT_SERVING: 0 of 1 instances available, 1 needed');
    expect(text).toContain('dev/G1@@billing');
    for (const [version, enabled] of ['true', 'false'].entries())
      await register(bridge, `providers:com.acme.Orders:${version}.0:`, { metadata: PATIENT, enabled });
    const many = await why('com.acme.Orders', { status: 200, code: 0 });
    expect(many.head).toEqual(['com.acme.Orders is SERVING: it means 2 services, of which 1 serves']);
    expect(many.text).toMatch(/\nproviders:com\.acme\.Orders:0\.0: is SERVING: 1 of 1 .*\nsince /);
    expect(many.text).toMatch(/\nproviders:com\.acme\.Orders:1\.0: is NOT_SERVING: 0 of 1 .*\nsince /);
    expect(many.text).toMatch(/is disabled, since .*: its client says so \(of providers:com\.acme\.Orders:1\.0:\)/);
  });

  it('of one that is not back since a restart', async () => {
    await register(bridge, 'restored', { metadata: unhealthyAfter(1_000) });
    await bridge.stop('SIGTERM');
    bridge = await startProcess(args);
    const { head, who, todo } = await why('restored');
    expect(head[0]).toBe('restored is NOT_SERVING: 0 of 1 instances available, 1 needed, 1 not heard of since a restart');
    expect(who[1]).toEqual(
      matching(`  ${AT}  is not back yet, since ${TIME}: as it was before the restart, and not heard of since`),
    );
    expect(todo[1]).toContain('restored (1): ');
  });

  it('tells who is drained, disabled or fails its check where a server names nobody else', async () => {
    const place = { ip: '10.0.0.1', port: 80 };
    const service = {
      service: 'DEFAULT_GROUP@@orders',
      status: 'NOT_SERVING',
      instances: { total: 3, healthy: 2, enabled: 1, available: 0, needed: 1 },
      drains: [{ ...place, reason: 'a release', until: new Date(Date.now() + 600_000).toISOString() }],
      edits: [
        { ...place, edit: { enabled: false } },
        { ...place, port: 81, edit: { enabled: false } },
      ],
      checks: [{ ...place, port: 82, check: 'http', verdict: 'failing', reason: 'status 500' }],
    };
    const answer = { status: 'NOT_SERVING', reason: 'orders: 0 of 3 instances available, 1 needed', services: [service] };
    const other = createServer((req, res) => {
      if (req.url?.startsWith('/health/') === true) res.writeHead(503).end(JSON.stringify(answer));
      else res.writeHead(404).end();
    }).listen(0, '127.0.0.1');
    await expect.poll(() => other.listening).toBe(true);
    const address = other.address();
    const addr = `127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
    const { stdout } = await asked(['why', 'orders', '--addr', addr]);
    other.close();
    expect(stdout).toMatch(/10\.0\.0\.1:80 {2}is drained until \S+Z \(in \d+ minutes\): a release\n/);
    expect(stdout).toMatch(/10\.0\.0\.1:81 {2}is disabled: edited by an operator\n/);
    expect(stdout).toMatch(/10\.0\.0\.1:82 {2}fails its check: http: status 500\n/);
    expect(stdout.match(/10\.0\.0\.1:80 {2}/g)).toHaveLength(1);
    expect(stdout).toMatch(/drained \(1\): it is back by itself at .* beatbridge resume 10\.0\.0\.1:80\n/);
  });
});
