import { afterEach, describe, expect, it } from 'vitest';
import type { Server } from '../../src/index.ts';
import { InUseError } from '../../src/moving/from-directory.ts';
import { Importing } from '../../src/moving/importing.ts';
import { DEFAULT_CLUSTER, type Line } from '../../src/moving/lines.ts';
import { reach } from '../../src/moving/reach.ts';
import { linesOfFile } from '../../src/moving/reading.ts';
import { NASTY_TEXTS } from '../support/nasty-texts.ts';
import { nacos, register, startServer } from '../support/server.ts';
import { asFile, bytes, emptyDir, exported, exportedFrom, imported } from './registry.ts';

const dirs: Disposable[] = [];
afterEach(() => {
  for (const dir of dirs.splice(0)) dir[Symbol.dispose]();
});

function newDir(): string {
  const dir = emptyDir();
  dirs.push(dir);
  return dir.path;
}

async function ask(server: Server, method: string, path: string, params: Record<string, string | number>): Promise<void> {
  // A form, as some of these are long.
  const body = new URLSearchParams(Object.entries(params).map(([name, value]): [string, string] => [name, String(value)]));
  const response = await nacos(server, method, path, {}, { body });
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
}

const MYSQL = { type: 'MYSQL', user: 'u', pwd: 'secret', cmd: 'select 1' };

/** A registry with one of everything that an operator can say. */
async function fill(server: Server): Promise<void> {
  const cluster = { serviceName: 'G1@@made', checkPort: 81, useInstancePort4Check: 'false' };
  await ask(server, 'POST', '/nacos/v1/console/namespaces', {
    customNamespaceId: 'dev',
    namespaceName: 'Dev @x',
    namespaceDesc: 'd',
  });
  await ask(server, 'POST', '/service', {
    serviceName: 'G1@@made',
    protectThreshold: 0.25,
    metadata: '{"z":"1","a":"2","__proto__":"p","health.min-available":"2"}',
    selector: '{"type":"label","expression":"CONSUMER.label.A = PROVIDER.label.A"}',
  });
  await ask(server, 'PUT', '/cluster', { ...cluster, clusterName: 'C1', healthChecker: JSON.stringify(MYSQL), metadata: 'q=r' });
  const http = { type: 'HTTP', path: '/up?x=1', headers: 'A:b|C:d', expectedResponseCode: 204, tls: true, verify: false };
  await ask(server, 'PUT', '/cluster', { ...cluster, clusterName: 'C2', healthChecker: JSON.stringify(http) });
  await ask(server, 'PUT', '/cluster', {
    ...cluster,
    clusterName: 'C3',
    healthChecker: '{"type":"GRPC","service":"s","tls":true}',
  });
  await ask(server, 'PUT', '/cluster', { ...cluster, clusterName: 'C4', healthChecker: '{"type":"NONE"}' });
  await ask(server, 'POST', '/nacos/v3/admin/ns/service', { serviceName: 'empty', namespaceId: 'unnamed', ephemeral: 'true' });
  const said = { ip: '10.0.0.1', port: 80, clusterName: 'C4', ephemeral: 'false', weight: 2, enabled: 'false', healthy: 'false' };
  await register(server, 'G1@@made', { ...said, metadata: '{"x":"y","one":"1.0"}' });
  await register(server, 'G1@@made', { ...said, ip: '::1', port: 8080, clusterName: 'C9' });
  await register(server, 'by-its-instance', { ephemeral: 'false', namespaceId: 'other' });
  // Over a persistent one, over one that lives by beats, and over one that has gone.
  await ask(server, 'PUT', '/instance', {
    serviceName: 'G1@@made',
    ip: '10.0.0.1',
    port: 80,
    enabled: 'true',
    metadata: '{"n":"m"}',
  });
  await register(server, 'beating');
  await ask(server, 'PUT', '/instance', { serviceName: 'beating', ip: '10.0.0.1', port: 80, weight: 7 });
  await ask(server, 'PUT', '/nacos/v3/admin/ns/overlay', {
    serviceName: 'to-come',
    ip: '10.0.0.9',
    port: 1,
    edit: '{"enabled":false}',
  });
  await ask(server, 'POST', '/nacos/v1/cs/configs', {
    dataId: 'd:1',
    group: 'G',
    tenant: 'texts-only',
    type: 'yaml',
    content: 'a: 1\r\n\t"中"\n',
  });
  await ask(server, 'POST', '/nacos/v1/cs/configs', { dataId: 'd', group: 'G', type: 'json', content: ' {} ' });
  for (const [entry, value] of Object.entries(SWITCHES)) await ask(server, 'PUT', '/operator/switches', { entry, value });
}

const SWITCHES = {
  check: 'false',
  healthCheckTimes: '5',
  healthCheckWhiteList: 'orders,G1@@payments',
  limitedUrlMap: '/nacos/v9:418,/nacos/v8:404',
  masters: '10.0.0.1,10.0.0.2',
  distroThreshold: '0.9',
  pushVersion: 'go:2.0.0',
  overriddenServerStatus: 'DOWN',
};

const withoutPassword = (line: Line): Line =>
  line.kind === 'service' ? JSON.parse(JSON.stringify(line).replace('"pwd":"secret"', '"pwd":null')) : line;

describe('a beatbridge that was exported', () => {
  it('comes back whole in a fresh one: by HTTP all but passwords, and no second time', { timeout: 20_000 }, async () => {
    await using from = await startServer();
    await fill(from);
    const lines = await exported(from.listeners.main);
    expect(lines.map(({ kind }) => kind)).toEqual([
      'namespace',
      ...['instance', 'service', 'instance', 'instance', 'service'],
      ...['edit', 'edit', 'text', 'text'],
      ...Array.from(Object.keys(SWITCHES), () => 'switch'),
    ]);
    expect(await asFile(lines)).not.toContain('secret');

    await using to = await startServer();
    const first = await imported(to.listeners.main, lines);
    expect(first.refusals).toEqual([]);
    expect(first.counts).toEqual({
      namespace: { added: 1 },
      service: { added: 2 },
      instance: { added: 3 },
      edit: { added: 2 },
      text: { added: 2 },
      switch: { added: 8 },
    });
    expect(first.notes).toEqual([
      expect.stringMatching(
        /^line \d+: the file has no password for the MYSQL check of cluster C1 of service public##G1@@made: set it again$/,
      ),
    ]);
    expect(await exported(to.listeners.main)).toEqual(lines);

    const second = await imported(to.listeners.main, lines);
    expect(Object.values(second.counts).map((counts) => Object.keys(counts))).toEqual(
      Array.from({ length: 6 }, () => ['unchanged']),
    );
    expect(second.notes).toEqual([]);
    expect(await asFile(await exported(to.listeners.main))).toBe(await asFile(lines));
  });

  it('is the same read from its directory, passwords included, and survives its own restart so', {
    timeout: 20_000,
  }, async () => {
    const dir = newDir();
    const first = await startServer({ dataDir: dir });
    await fill(first);
    const told = await exported(first.listeners.main);
    await expect(exportedFrom(dir)).rejects.toThrow(InUseError);
    await first.close();
    const kept = await exportedFrom(dir);
    expect(JSON.stringify(kept)).toContain('"pwd":"secret"');
    expect(kept.map(withoutPassword)).toEqual(told);
    expect(await exportedFrom(dir, { namespace: 'unnamed' })).toEqual(
      told.filter((line) => 'namespace' in line && line.namespace === 'unnamed'),
    );

    // What was imported is on disk once that is answered.
    const other = newDir();
    const second = await startServer({ dataDir: other });
    expect((await imported(second.listeners.main, kept)).notes).toEqual([]);
    await second.close();
    expect(await exportedFrom(other)).toEqual(kept);
  });

  it('gives one namespace alone, and with ephemeral instances those too', async () => {
    await using server = await startServer();
    await fill(server);
    const lines = await exported(server.listeners.main, { ephemeral: true });
    expect(lines).toContainEqual(
      expect.objectContaining({ kind: 'instance', service: 'beating', ephemeral: true, weight: 1, edit: { weight: 7 } }),
    );
    expect(lines.filter(({ kind }) => kind === 'edit')).toHaveLength(1);
    const other = await exported(server.listeners.main, { namespace: 'other' });
    expect(other.map((line) => [line.kind, 'namespace' in line && line.namespace])).toEqual([['instance', 'other']]);
  });
});

describe('what is there already', () => {
  const text = (content: string): Line => ({ kind: 'text', namespace: 'public', group: 'G', dataId: 'd', type: 'text', content });
  const service = (threshold: number, clusters = {}): Line => ({
    ...{ kind: 'service', namespace: 'public', group: 'G', name: 's', protectThreshold: threshold, metadata: {} },
    selector: { type: 'none' },
    clusters,
  });
  const instance = (weight: number, edit = {}): Line => ({
    ...{ kind: 'instance', namespace: 'public', group: 'G', service: 's', ip: '10.0.0.1', port: 80, cluster: 'C' },
    ...{ ephemeral: false, enabled: true, healthy: true, metadata: {}, weight },
    ...edit,
  });
  const before = [{ kind: 'namespace', id: 'n', name: 'N', description: '' } as const, service(0.5), instance(1), text('a')];
  const after = [
    { kind: 'namespace', id: 'n', name: 'M', description: '' } as const,
    service(0.75),
    instance(2, { edit: { enabled: false } }),
    text('b'),
  ];

  it('stays where it differs, unless it is to be overwritten', async () => {
    await using server = await startServer();
    const { main } = server.listeners;
    await imported(main, before);
    const all = await exported(main);
    const kept = { namespace: { kept: 1 }, service: { kept: 1 }, instance: { kept: 1 }, text: { kept: 1 } };
    expect((await imported(main, after)).counts).toEqual(kept);
    expect(await exported(main)).toEqual(all);
    const replaced = { namespace: { replaced: 1 }, service: { replaced: 1 }, instance: { replaced: 1 }, text: { replaced: 1 } };
    expect((await imported(main, after, { overwrite: true, dryRun: true })).counts).toEqual(replaced);
    expect(await exported(main)).toEqual(all);
    expect((await imported(main, after, { overwrite: true })).counts).toEqual(replaced);
    expect(await exported(main)).toMatchObject(after);
  });

  it('loses its edit where the line has none', async () => {
    await using server = await startServer();
    const { main } = server.listeners;
    await imported(main, [instance(1, { edit: { enabled: false, metadata: { a: 'b' } } })]);
    expect((await imported(main, [instance(1)])).counts).toEqual({ instance: { kept: 1 } });
    expect((await imported(main, [instance(1)], { overwrite: true })).counts).toEqual({ instance: { replaced: 1 } });
    expect(await exported(main)).toEqual([instance(1)]);
    expect((await imported(main, [instance(1)], { overwrite: true })).counts).toEqual({ instance: { unchanged: 1 } });
  });

  it('has clusters as at the start where the line has none', async () => {
    await using server = await startServer();
    const { main } = server.listeners;
    const cluster = { healthChecker: { type: 'NONE' }, checkPort: 81, useInstancePort: false, metadata: { a: 'b' } };
    await imported(main, [service(0.5, { C: cluster, D: cluster })]);
    const line = service(0.5, { C: cluster });
    expect((await imported(main, [line], { overwrite: true })).counts).toEqual({ service: { replaced: 1 } });
    expect((await imported(main, [line], { overwrite: true })).counts).toEqual({ service: { unchanged: 1 } });
    const told = (await exported(main)).map((one) => (one.kind === 'service' ? one.clusters : {}));
    expect(told).toEqual([{ C: cluster, D: DEFAULT_CLUSTER }]);
  });

  it('is not touched by a dry run', async () => {
    await using server = await startServer();
    const { main } = server.listeners;
    const added = { namespace: { added: 1 }, service: { added: 1 }, instance: { added: 1 }, text: { added: 1 } };
    expect((await imported(main, after, { dryRun: true })).counts).toEqual(added);
    expect(await exported(main)).toEqual([]);
  });

  it('keeps its password where the file has none, and gets the one that the file has', async () => {
    const dir = newDir();
    const server = await startServer({ dataDir: dir });
    const { main } = server.listeners;
    const mysql = (pwd: string | null) => ({
      C: { healthChecker: { type: 'MYSQL', user: 'u', pwd, cmd: 'c' }, checkPort: 80, useInstancePort: true, metadata: {} },
    });
    await imported(main, [service(0.5, mysql('secret'))]);
    expect((await imported(main, [service(0.5, mysql(null))], { overwrite: true })).counts).toEqual({
      service: { unchanged: 1 },
    });
    expect((await imported(main, [service(0.5, mysql('other'))])).counts).toEqual({ service: { unchanged: 1 } });
    expect((await imported(main, [service(0.5, mysql('new'))], { overwrite: true })).counts).toEqual({
      service: { replaced: 1 },
    });
    await server.close();
    expect(JSON.stringify(await exportedFrom(dir))).toContain('"pwd":"new"');
  });

  it('goes on after a line that is refused, and says which', async () => {
    await using server = await startServer({ maxConfigBytes: 10 });
    const lines = [instance(20_000), text('x'.repeat(11)), { ...text('ok'), dataId: 'e' } as Line];
    const { counts, refusals } = await imported(server.listeners.main, lines);
    expect(counts).toEqual({ instance: { refused: 1 }, text: { added: 1, refused: 1 } });
    expect(refusals).toEqual([
      expect.stringMatching(/^line 2: instance 10\.0\.0\.1:80 of public##G@@s: 400 .*weight/),
      expect.stringMatching(/^line 3: text public G d: 400 content must not exceed 10 bytes, got 11 \(--max-config-bytes\)$/),
    ]);
  });
});

describe('an instance with an edit', () => {
  const said = { cluster: 'C', ephemeral: false, weight: 1, enabled: true, healthy: true, metadata: {} };
  const line = (port: number, rest = {}): Line => ({
    ...{ kind: 'instance', namespace: 'public', group: 'G', service: 's', ip: '10.0.0.1', port },
    ...said,
    ...rest,
  });

  /** What callers are given after every write. */
  async function seenWhile(server: Server, lines: readonly Line[], overwrite = false): Promise<string[]> {
    const seen: string[] = [];
    await using reached = await reach({ server: `http://${server.listeners.main}` });
    const looking =
      <A extends readonly unknown[]>(write: (...args: A) => Promise<void>) =>
      async (...args: A) => {
        await write(...args);
        const answer = await nacos(server, 'GET', '/instance/list', { serviceName: 'G@@s' });
        const { hosts } = JSON.parse(await answer.text());
        seen.push(hosts.map((host: { enabled: boolean; weight: number }) => `${host.enabled} ${host.weight}`).join());
      };
    const { peer } = reached;
    const putEdit = looking(peer.putEdit);
    const watched = { ...peer, putInstance: looking(peer.putInstance), putEdit, endEdit: looking(peer.endEdit) };
    const importing = new Importing(watched, { overwrite, dryRun: false });
    await importing.run(linesOfFile(bytes(await asFile(lines))));
    return seen;
  }

  it('is never seen without it', async () => {
    await using server = await startServer();
    const edited = line(80, { edit: { weight: 7 } });
    expect(new Set(await seenWhile(server, [edited]))).toEqual(new Set(['', 'true 7']));
    // The edit that is there goes only once the instance is what it is to be without.
    const seen = await seenWhile(server, [line(80, { weight: 3 })], true);
    expect(seen).toEqual(['true 7', 'true 3']);
  });

  it('has it too where none outlives its instance, and leaves none where it is refused', async () => {
    await using server = await startServer({ keepEditsMs: 0 });
    const { main } = server.listeners;
    const lines = [line(80, { edit: { weight: 7 } })];
    await imported(main, lines);
    expect(await exported(main)).toEqual(lines);
    await using other = await startServer();
    const { refusals } = await imported(other.listeners.main, [line(80, { weight: 20_000, edit: { enabled: false } })]);
    expect(refusals).toHaveLength(1);
    expect(await exported(other.listeners.main)).toEqual([]);
  });
});

it('nasty texts come through as they were', { timeout: 20_000 }, async () => {
  await using from = await startServer();
  const metadata = JSON.stringify(Object.fromEntries(NASTY_TEXTS.map((text, i) => [`${i} ${text.slice(0, 100)}`, text])));
  await ask(from, 'POST', '/service', { serviceName: 'nasty', metadata });
  await register(from, 'nasty', { ephemeral: 'false' });
  await ask(from, 'PUT', '/instance', { serviceName: 'nasty', ip: '10.0.0.1', port: 80, metadata });
  for (const [i, content] of NASTY_TEXTS.entries()) {
    if (content.trim() === '') continue;
    await ask(from, 'POST', '/nacos/v1/cs/configs', { dataId: `d${i}`, group: 'G', content });
    // As a name: what cannot be one is refused here already.
    await nacos(from, 'POST', '/service', { serviceName: content }).then((response) => response.text());
  }
  const lines = await exported(from.listeners.main);
  expect(lines.length).toBeGreaterThan(NASTY_TEXTS.length + 5);
  await using to = await startServer();
  expect((await imported(to.listeners.main, lines)).refusals).toEqual([]);
  expect(await exported(to.listeners.main)).toEqual(lines);
});

it('a server that goes away ends an import, with the line where it stopped', async () => {
  const server = await startServer();
  const { main } = server.listeners;
  await server.close();
  await expect(imported(main, [])).rejects.toThrow(`http://${main}/nacos cannot be asked: `);
});
