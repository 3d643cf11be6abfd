import { describe, expect, it } from 'vitest';
import { createServer, createTestClock } from '../../../src/index.ts';
import { lookAt } from '../../support/console-looks.ts';
import { ConsoleStream, type Told } from '../../support/console-streams.ts';
import { startGuarded } from '../../support/guarded.ts';
import { failOnLeaks } from '../../support/leaks.ts';
import { deregister, nacos, register, setEnabled, startServer } from '../../support/server.ts';

failOnLeaks();

const ORDERS = { namespace: 'public', group: 'DEFAULT_GROUP', service: 'orders' };
const ONE = { ip: '10.0.0.1', port: 80 };

async function stoodStill() {
  const clock = createTestClock();
  const ports = { host: '127.0.0.1', port: 0, grpcPort: 0, healthPort: 0 };
  const server = await createServer({ ...ports, probes: false, restartGraceMs: 0, clock });
  return { clock, server, startedAt: clock.wallClock(), [Symbol.asyncDispose]: () => server.close(200) };
}

describe('a service', () => {
  it('is asked for by all of its name', async () => {
    await using server = await startServer();
    await expect(lookAt(server, 'service', { service: 'orders' })).rejects.toThrow('namespace, group and service are needed');
  });

  it('that nobody knows is null, and says what happened last to it', async () => {
    await using server = await startServer();
    expect(await lookAt(server, 'service', ORDERS)).toMatchObject({ facts: { service: null, events: [] }, rows: [] });
    await register(server, 'orders');
    await deregister(server, 'orders');
    expect((await lookAt(server, 'service', ORDERS)).facts.service).toMatchObject({ status: 'NOT_SERVING', total: 0 });
    await nacos(server, 'DELETE', '/service', { serviceName: 'orders' });
    const { facts, rows } = await lookAt(server, 'service', ORDERS);
    expect([facts.service, facts.settings, rows]).toEqual([null, null, []]);
    expect(facts.events.map(({ kind, cause }) => [kind, cause]).slice(-2)).toEqual([
      ['service', 'deregistered'],
      ['service', 'dropped'],
    ]);
    expect(facts.events.at(0)).toMatchObject({ cause: 'registered', instances: [ONE] });
  });

  it('names who has fallen silent, since when, and who was heard last', async () => {
    await using room = await stoodStill();
    const { clock, server, startedAt } = room;
    await register(server, 'orders');
    await register(server, 'orders', { ip: '10.0.0.2', ephemeral: 'false' });
    const before = await lookAt(server, 'service', ORDERS);
    expect(before.rows).toMatchObject([
      { ...ONE, kind: 'beat', lastBeatAt: startedAt, unhealthyAt: startedAt + 15_000, removedAt: startedAt + 30_000 },
      { ip: '10.0.0.2', kind: 'persistent', healthy: true, available: true, heardFrom: '127.0.0.1' },
    ]);
    expect(before.rows[1]).not.toHaveProperty('lastBeatAt');
    expect(before.facts).toMatchObject({ because: null, failing: [], failingCount: 0, pending: null });
    await clock.advance(15_100);
    const { facts, rows } = await lookAt(server, 'service', ORDERS);
    expect(facts.service).toMatchObject({ status: 'SERVING', available: 1, total: 2 });
    expect(facts.failing).toMatchObject([{ ...ONE, cause: 'silent', lastBeatAt: new Date(startedAt).toISOString() }]);
    // It would tick: how long ago that was, whoever shows it says.
    expect(facts.failing[0]).not.toHaveProperty('reason');
    expect(rows[0]).toMatchObject({ ...ONE, healthy: false, cause: 'silent', since: startedAt + 15_000 });
    expect(rows[0]).not.toHaveProperty('unhealthyAt');
    await clock.advance(15_000);
    const after = await lookAt(server, 'service', ORDERS);
    expect(after.rows).toMatchObject([{ ip: '10.0.0.2' }]);
    expect(after.facts).toMatchObject({ failing: [{ ...ONE, cause: 'removed' }], failingCount: 1 });
  });

  it('says what it is about to be, and when', async () => {
    await using room = await stoodStill();
    const { clock, server, startedAt } = room;
    await register(server, 'orders');
    await nacos(server, 'PUT', '/service', { serviceName: 'orders', protectThreshold: 0.5, metadata: 'health.fall-after=5s' });
    await clock.advance(15_000);
    const { facts } = await lookAt(server, 'service', ORDERS);
    expect(facts).toMatchObject({
      service: { status: 'SERVING', available: 0 },
      pending: { status: 'NOT_SERVING', at: startedAt + 20_000 },
      settings: { protectThreshold: 0.5, metadata: { 'health.fall-after': '5s' } },
      isCreated: true,
    });
    await clock.advance(5_000);
    const after = await lookAt(server, 'service', ORDERS);
    expect(after.facts).toMatchObject({ service: { status: 'NOT_SERVING' }, because: 'none-available', pending: null });
  });

  it('shows what its client has said beside what an operator has made of it', async () => {
    await using server = await startServer();
    await register(server, 'orders', { metadata: JSON.stringify({ version: '1' }) });
    expect((await lookAt(server, 'service', ORDERS)).rows[0]).not.toHaveProperty('registered');
    await setEnabled(server, 'orders', false);
    const [row] = (await lookAt(server, 'service', ORDERS)).rows;
    expect(row).toMatchObject({ enabled: false, edit: { enabled: false }, cause: 'disabled', since: expect.any(Number) });
    expect(row).toMatchObject({ registered: { enabled: true, weight: 1, metadata: { version: '1' } } });
    await setEnabled(server, 'orders', true);
    await fetch(`http://${server.listeners.main}/drains/10.0.0.1:80?for=5m&reason=disk`, { method: 'PUT' });
    const drained = await lookAt(server, 'service', ORDERS);
    expect(drained.rows[0]).toMatchObject({ enabled: false, cause: 'drained', drain: { reason: 'disk' } });
  });

  it('of very many shows a hundred, those that cannot be called first', async () => {
    await using server = await startServer();
    const addresses = Array.from({ length: 250 }, (_, i) => ({ ip: `10.0.${i >> 8}.${i & 255}`, port: 80 }));
    for (const [i, one] of addresses.entries()) await server.registry.register('orders', { ...one, healthy: i % 2 === 0 });
    const pages = await Promise.all([1, 2, 3].map((page) => lookAt(server, 'service', { ...ORDERS, page })));
    expect(pages.map(({ rows }) => rows.length)).toEqual([100, 100, 50]);
    const rows = pages.flatMap((page) => page.rows);
    expect(rows.map(({ available }) => available)).toEqual(Array.from(rows, (_, i) => i >= 125));
    expect(new Set(rows.map(({ key }) => key)).size).toBe(250);
    expect(rows[0]).toMatchObject({ ip: '10.0.0.1', cause: 'registered-unhealthy' });
    expect(pages[0]?.facts).toMatchObject({ failingCount: 125, pages: 3, service: { total: 250, available: 125 } });
    expect(pages[0]?.facts.failing).toHaveLength(20);
    const found = await lookAt(server, 'service', { ...ORDERS, search: '10.0.0.24' });
    const [odd, even] = [
      [1, 3, 5, 7, 9],
      [0, 2, 4, 6, 8],
    ];
    expect(found.rows.map(({ ip }) => ip)).toEqual([
      ...odd.map((n) => `10.0.0.24${n}`),
      '10.0.0.24',
      ...even.map((n) => `10.0.0.24${n}`),
    ]);
    expect(found.facts).toMatchObject({ pages: 1, failingCount: 125 });
  });

  it('names who watches it, and who has subscribed to it', async () => {
    await using server = await startServer();
    await register(server, 'orders');
    const leave = new AbortController();
    const watch = `http://${server.listeners.health}/health/orders?watch&instance=10.0.0.1:80`;
    const watches = [await fetch(watch, leave), await fetch(watch, leave)];
    await Promise.all(watches.map(({ body }) => body?.getReader().read()));
    const headers = { 'user-agent': 'Nacos-Java-Client:v1.4.1' };
    await nacos(server, 'GET', '/instance/list', { serviceName: 'orders', udpPort: 50_000, app: 'shop' }, { headers });
    const { facts } = await lookAt(server, 'service', ORDERS);
    leave.abort();
    expect(facts.watchers).toEqual({ count: 2, first: [{ name: 'orders?instance=10.0.0.1:80', ip: '127.0.0.1', count: 2 }] });
    expect(facts.subscribers).toMatchObject({
      count: 1,
      first: [
        { service: 'orders', clientId: '127.0.0.1:50000#true', ip: '127.0.0.1', port: 50_000, app: 'shop', by: 'datagrams' },
      ],
    });
    expect(facts.service).toMatchObject({ watchers: 2, subscribers: 1 });
  });

  it('says by which name it is asked for, and where', async () => {
    await using server = await startServer();
    const { main, health } = server.listeners;
    const where = { main, health, tlsOnly: 'none', needsLogin: false };
    await register(server, 'orders');
    expect((await lookAt(server, 'service', ORDERS)).facts.asking).toEqual({ name: 'orders', ...where });
    await register(server, 'G1@@orders', { namespaceId: 'dev' });
    const other = await lookAt(server, 'service', { namespace: 'dev', group: 'G1', service: 'orders' });
    expect(other.facts.asking).toEqual({ name: 'G1@@orders?namespace=dev', ...where });
    expect((await fetch(`http://${health}/health/${other.facts.asking?.name}`)).status).toBe(200);
  });

  it('is told to nobody who may not see it, nor what happened to it', async () => {
    await using server = await startGuarded({ reader: 'reader@dev', operator: 'admin@dev' });
    await server.registry.register('orders', ONE);
    await server.registry.register({ namespace: 'dev', name: 'orders' }, ONE);
    const reader = await server.tokenOf('reader');
    const hidden = await lookAt(server, 'service', ORDERS, reader);
    expect(hidden).toMatchObject({ rows: [], facts: { service: null, events: [], asking: null, failingCount: 0 } });
    const mine = { ...ORDERS, namespace: 'dev' };
    expect((await lookAt(server, 'service', mine, reader)).facts).toMatchObject({ mayOperate: false, service: { total: 1 } });
    const operator = await server.tokenOf('operator');
    expect((await lookAt(server, 'service', mine, operator)).facts).toMatchObject({ mayOperate: true });
  });

  it('in which nothing happens is not told again, however much time passes', async () => {
    await using room = await stoodStill();
    const { clock, server } = room;
    await register(server, 'orders', { ephemeral: 'false' });
    await register(server, 'orders', { ip: '10.0.0.2' });
    using stream = await ConsoleStream.open(server.listeners.main, `view=service&${new URLSearchParams(ORDERS)}`);
    const isView = ({ event }: Told) => event === 'view';
    const first = await stream.heard(isView);
    expect(first.data).toMatchObject({ whole: true, rows: [ONE, { ip: '10.0.0.2' }], order: ['10.0.0.1:80', '10.0.0.2:80'] });
    for (let i = 0; i < 14; i++) await clock.advance(1_000);
    await setEnabled(server, 'orders', false);
    await clock.advance(1_000);
    // Whatever came next, it is of what has happened.
    const next = await stream.heard((told) => isView(told) && told !== first);
    expect(next.data.rows).toMatchObject([{ ...ONE, enabled: false }]);
  });
});
