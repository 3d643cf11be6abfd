import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Authority } from '../../support/certificates.ts';
import { lookAt } from '../../support/console-looks.ts';
import { ConsoleStream } from '../../support/console-streams.ts';
import { startGuarded } from '../../support/guarded.ts';
import { failOnLeaks } from '../../support/leaks.ts';
import { deregister, nacos, register, setEnabled, startServer, unhealthyAfter } from '../../support/server.ts';

failOnLeaks();

const A_DAY_MS = 86_400_000;

describe('what is down now', () => {
  it('are the services that fail, the last one first, each with who fails in it and why', async () => {
    await using server = await startServer();
    await register(server, 'well');
    for (let port = 1; port <= 7; port++) await register(server, 'orders', { port, metadata: unhealthyAfter(200) });
    await expect.poll(async () => (await lookAt(server, 'now')).facts.failingCount, { timeout: 5_000 }).toBe(1);
    await register(server, 'shop');
    await setEnabled(server, 'shop', false);
    await expect.poll(async () => (await lookAt(server, 'now')).rows[1]?.failingCount, { timeout: 5_000 }).toBe(7);
    const { facts, rows } = await lookAt(server, 'now');
    expect(facts.tiles).toMatchObject({ serving: 1, notServing: 2, instances: 9, healthy: 2, clients1: 9, clients2: 0 });
    expect(facts).toMatchObject({ failingCount: 2, banners: [], recovered: [] });
    expect(rows).toMatchObject([
      { service: 'shop', status: 'NOT_SERVING', failingCount: 1, failing: [{ cause: 'disabled', by: { peer: '127.0.0.1' } }] },
      { service: 'orders', cause: 'silent', available: 0, total: 7, needed: 1, failingCount: 7 },
    ]);
    expect(rows[1]?.failing).toHaveLength(5);
    expect(rows[1]?.failing[0]).toMatchObject({ cause: 'silent', ip: '10.0.0.1', heardFrom: '127.0.0.1' });
  });

  it('names whoever has gone where nobody is left', async () => {
    await using server = await startServer();
    await register(server, 'orders');
    await deregister(server, 'orders');
    const { rows } = await lookAt(server, 'now');
    expect(rows).toMatchObject([
      { service: 'orders', total: 0, failingCount: 1, failing: [{ cause: 'deregistered', port: 80 }] },
    ]);
  });

  it('says what serves again, and since when it did not', async () => {
    await using server = await startServer();
    await register(server, 'orders');
    await register(server, 'new');
    await setEnabled(server, 'orders', false);
    expect((await lookAt(server, 'now')).facts.recovered).toEqual([]);
    await setEnabled(server, 'orders', true);
    const { recovered } = (await lookAt(server, 'now')).facts;
    expect(recovered).toMatchObject([{ service: 'orders', cause: 'edited' }]);
    expect(recovered[0]?.at).toBeGreaterThanOrEqual(recovered[0]?.since ?? Number.POSITIVE_INFINITY);
    await setEnabled(server, 'orders', false);
    expect((await lookAt(server, 'now')).facts.recovered).toEqual([]);
  });

  it('tells the last ten events once, and what happens from then on as it happens', async () => {
    await using server = await startServer();
    for (let i = 0; i < 12; i++) await register(server, `s${i}`);
    using stream = await ConsoleStream.open(server.listeners.main, 'view=now');
    const first = await stream.heard(({ event }) => event === 'view');
    expect(first.data.facts.latest).toHaveLength(10);
    expect(first.data.facts.latest.at(-1)).toMatchObject({ service: 's11' });
    await register(server, 'orders');
    await stream.heard(({ event, data }) => event === 'happened' && data.service === 'orders');
    await stream.heard(({ event, data }) => event === 'view' && data.facts?.tiles?.serving === 13);
    expect(stream.told.filter(({ event, data }) => event === 'view' && data.facts?.latest !== undefined)).toHaveLength(1);
  });

  it('warns of a certificate that ends soon, and of a limit that is nearly used up', async () => {
    const until = new Date(Math.floor((Date.now() + 3 * A_DAY_MS) / 1_000) * 1_000);
    const tls = new Authority().issue({ commonName: 'bridge', names: ['IP:127.0.0.1'], until });
    await using server = await startServer({ tls, maxServices: 1 });
    await register(server, 'orders');
    const { banners } = (await lookAt(server, 'now')).facts;
    expect(banners).toMatchObject([
      { kind: 'limit', level: 'error', what: 'services (--max-services)', used: 1, most: 1 },
      { kind: 'certificate', level: 'warn', until: until.getTime() },
    ]);
  });

  it('says who is only remembered from before a restart', async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'beatbridge-now-'));
    onTestFinished(() => rmSync(dataDir, { recursive: true, force: true }));
    const before = await startServer({ dataDir });
    await register(before, 'orders');
    await before.close();
    await using server = await startServer({ dataDir });
    expect((await lookAt(server, 'now')).facts.banners).toMatchObject([{ kind: 'remembered', level: 'info', count: 1 }]);
    await register(server, 'orders');
    expect((await lookAt(server, 'now')).facts.banners).toEqual([]);
  });
});

describe('how many services fail', () => {
  it.each(['services', 'server', 'events'])('is told to who looks at %s', async (view) => {
    await using server = await startServer();
    await register(server, 'orders');
    using stream = await ConsoleStream.open(server.listeners.main, `view=${view}`);
    expect((await stream.heard(({ event }) => event === 'view')).data.notServing).toBe(0);
    await setEnabled(server, 'orders', false);
    await stream.heard(({ event, data }) => event === 'view' && data.notServing === 1);
    await setEnabled(server, 'orders', true);
    await stream.heard(({ event, data }) => event === 'view' && data.notServing === 0 && data.whole === undefined);
  });
});

describe('a reader of a part', () => {
  it('knows of that part alone, and nothing of the process', async () => {
    await using server = await startGuarded({ reader: 'reader@team-a' }, { maxServices: 2 });
    const [root, token] = [await server.tokenOf('root'), await server.tokenOf('reader')];
    for (const namespaceId of ['team-a', 'team-b']) {
      const params = { serviceName: 'orders', ip: '10.0.0.1', port: 80, namespaceId, accessToken: root };
      await nacos(server, 'POST', '/instance', params);
      await nacos(server, 'DELETE', '/instance', params);
    }
    const his = await lookAt(server, 'now', {}, token);
    expect(his.facts).toMatchObject({ failingCount: 1, banners: [] });
    expect(his.facts.tiles).toEqual({ serving: 0, notServing: 1, instances: 0, healthy: 0, available: 0 });
    expect(JSON.stringify(his)).not.toContain('team-b');
    const all = await lookAt(server, 'now', {}, root);
    expect(all.facts).toMatchObject({ failingCount: 2, banners: [{ kind: 'limit' }] });
    using stream = await ConsoleStream.open(server.listeners.main, 'view=services', { authorization: `Bearer ${token}` });
    expect((await stream.heard(({ event }) => event === 'view')).data.notServing).toBe(1);
  });
});
