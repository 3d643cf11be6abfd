import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import type { Server } from '../../src/index.ts';
import { startWithBearers } from '../support/bearers.ts';
import { ConsoleStream, type Told } from '../support/console-streams.ts';
import { failOnLeaks } from '../support/leaks.ts';
import { dial, exchange } from '../support/raw.ts';
import { deregister, nacos, register, startServer } from '../support/server.ts';

failOnLeaks();

const isView = ({ event }: Told) => event === 'view';
const happened = (cause: string) => (told: Told) => told.event === 'happened' && told.data.cause === cause;
const names = (rows: readonly { readonly service: string }[]) => rows.map(({ service }) => service);

async function snapshot({ listeners }: Server, query: string, headers: Readonly<Record<string, string>> = {}) {
  const answer = await fetch(`http://${listeners.main}/console/api/snapshot?${query}`, { headers });
  return { status: answer.status, body: (await answer.json()) as Readonly<Record<string, unknown>>, headers: answer.headers };
}

describe('a stream of the console', () => {
  it('begins with the whole view, and tells from then on what has changed', async () => {
    await using server = await startServer();
    await register(server, 'orders');
    using stream = await ConsoleStream.open(server.listeners.main, 'view=services');
    expect(stream.response.headers).toMatchObject({ 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    const whole = await stream.heard(isView);
    expect([whole.data.whole, names(whole.data.rows), whole.data.order.length]).toEqual([true, ['orders'], 1]);
    await register(server, 'shop');
    const { data } = await stream.heard((told) => isView(told) && told.data.order?.length === 2);
    expect([data.whole, names(data.rows), data.facts.all]).toEqual([undefined, ['shop'], 2]);
    await deregister(server, 'orders');
    const row = ({ data: { rows = [] } }: Told) => rows.find(({ service }: { service: string }) => service === 'orders');
    const down = await stream.heard((told) => isView(told) && row(told)?.status === 'NOT_SERVING');
    expect(row(down)).toMatchObject({ available: 0, cause: 'deregistered' });
  });

  it('tells what happens where the view shows it, and nothing of it twice to who comes back', async () => {
    await using server = await startServer();
    const { main } = server.listeners;
    using stream = await ConsoleStream.open(main, 'view=now');
    await stream.heard(isView);
    await register(server, 'orders');
    const { id = '' } = await stream.heard((told) => happened('registered')(told) && told.data.kind === 'service');
    stream[Symbol.dispose]();
    await register(server, 'shop');
    using again = await ConsoleStream.open(main, 'view=now', { 'last-event-id': id });
    await again.heard((told) => happened('registered')(told) && told.data.kind === 'service');
    const told = again.told.filter(({ event }) => event === 'happened').map(({ data }) => [data.seq > Number(id), data.service]);
    expect(told).toEqual([
      [true, 'shop'],
      [true, 'shop'],
    ]);
    expect(again.told.some(({ event }) => event === 'missed')).toBe(false);
  });

  it('loses nothing of what happened where it is cut behind the view', async () => {
    await using server = await startServer();
    const { main } = server.listeners;
    using stream = await ConsoleStream.open(main, 'view=now');
    const { id: first } = await stream.heard(isView);
    await register(server, 'orders');
    await stream.heard(happened('registered'));
    // As it came: a view that goes before what happened says no more than what had been told by then.
    let upTo = Number(first);
    for (const { event, id } of stream.told) {
      if (event === 'view') expect(Number(id)).toBe(upTo);
      else upTo = Number(id);
    }
  });

  it('says that something was missed to who comes from a life before', async () => {
    await using server = await startServer();
    using stream = await ConsoleStream.open(server.listeners.main, 'view=now', { 'last-event-id': '4711' });
    expect((await stream.heard(({ event }) => event === 'missed')).data).toEqual({});
  });

  it('says that it ends because the bridge does', async () => {
    const server = await startServer();
    using stream = await ConsoleStream.open(server.listeners.main, 'view=services');
    await stream.heard(isView);
    const closed = server.close();
    expect((await stream.heard(({ event }) => event === 'over')).data).toEqual({ reason: 'draining' });
    await stream.ended();
    await closed;
  });

  it('is of a view that there is, asked for as it can be', async () => {
    await using server = await startServer();
    for (const query of ['view=other', 'view=toString', 'view=services&sort=x', 'view=services&status=UP', 'view=now&search=x']) {
      for (const path of ['snapshot', 'stream']) {
        const answer = await fetch(`http://${server.listeners.main}/console/api/${path}?${query}`);
        expect([query, answer.status, await answer.json()]).toEqual([query, 400, { reason: expect.any(String) }]);
      }
    }
    const long = await snapshot(server, `view=services&search=${'x'.repeat(2_000)}`);
    expect([long.status, long.body]).toEqual([400, { reason: 'search is longer than 1024 characters' }]);
  });

  it('answers HEAD with what it would be, and opens none', async () => {
    await using server = await startServer({ maxEventStreams: 1 });
    for (let i = 0; i < 3; i++) {
      const answer = await fetch(`http://${server.listeners.main}/console/api/stream?view=now`, { method: 'HEAD' });
      expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'text/event-stream']);
    }
    using stream = await ConsoleStream.open(server.listeners.main, 'view=now');
    expect(stream.response.statusCode).toBe(200);
  });

  it('has a place among those of events, and leaves it', async () => {
    await using server = await startServer({ maxEventStreams: 2, maxEventStreamsPerPeer: 2 });
    const { main } = server.listeners;
    const open = [await ConsoleStream.open(main, 'view=now'), await ConsoleStream.open(main, 'view=services')];
    using refused = await ConsoleStream.open(main, 'view=now');
    expect([refused.response.statusCode, refused.response.headers['retry-after']]).toEqual([503, '1']);
    expect(await (await fetch(`http://${main}/readyz?verbose`)).text()).toMatch(
      /\bevent streams 2 of 2\b.*refused: event streams 1\b/,
    );
    for (const stream of open) stream[Symbol.dispose]();
    await expect
      .poll(async () => {
        using stream = await ConsoleStream.open(main, 'view=now');
        return stream.response.statusCode;
      })
      .toBe(200);
  });

  it('keeps no place where it has left before it could be answered', async () => {
    await using server = await startServer({ maxEventStreams: 1 });
    const socket = await dial(server.listeners.main);
    const ask = (view: string) => `GET /console/api/stream?view=${view} HTTP/1.1\r\nHost: localhost\r\n\r\n`;
    socket.write(ask('services') + ask('now').repeat(20));
    await once(socket, 'data');
    socket.destroy();
    await expect
      .poll(async () => {
        using stream = await ConsoleStream.open(server.listeners.main, 'view=now');
        return stream.response.statusCode;
      })
      .toBe(200);
  });
});

it('a snapshot is made for so many at once', async () => {
  await using server = await startServer();
  const one = 'GET /console/api/snapshot?view=services HTTP/1.1\r\nHost: localhost\r\n\r\n';
  const last = one.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n');
  const heard = await exchange(server.listeners.main, [one.repeat(40) + last]);
  const statuses = [...heard.matchAll(/^HTTP\/1\.1 (\d+) /gm)].map(([, status]) => status);
  expect([statuses.length, statuses.filter((status) => status === '200').length]).toEqual([41, 16]);
  expect((await snapshot(server, 'view=services')).status).toBe(200);
});

describe('where people log in', () => {
  const inNamespace = (namespace: string) => ({ namespaceId: namespace });
  async function guarded() {
    const server = await startWithBearers({ alice: 'reader@team-a', adam: 'reader@team-a', bob: 'reader@team-b' });
    const headers = server.bearer('root');
    for (const namespace of ['team-a', 'team-b', 'team-b2'])
      await nacos(
        server,
        'POST',
        '/instance',
        { serviceName: `orders-${namespace}`, ip: '10.0.0.1', port: 80, ...inNamespace(namespace) },
        { headers },
      );
    return server;
  }

  it('nobody looks without a login', async () => {
    await using server = await guarded();
    expect((await snapshot(server, 'view=services')).status).toBe(403);
    using stream = await ConsoleStream.open(server.listeners.main, 'view=services');
    expect(stream.response.statusCode).toBe(403);
  });

  it('a reader of one namespace sees nothing of another: no service, no count, no event', async () => {
    await using server = await guarded();
    const alice = server.bearer('alice');
    const { body } = await snapshot(server, 'view=services', alice);
    expect(body).toMatchObject({ facts: { all: 1, found: 1, serving: 1, notServing: 0, namespaces: ['team-a'] } });
    expect(JSON.stringify(body)).not.toContain('team-b');
    using hers = await ConsoleStream.open(server.listeners.main, 'view=now', alice);
    using all = await ConsoleStream.open(server.listeners.main, 'view=now', server.bearer('root'));
    await Promise.all([hers.heard(isView), all.heard(isView)]);
    const headers = server.bearer('root');
    await nacos(
      server,
      'DELETE',
      '/instance',
      { serviceName: 'orders-team-b', ip: '10.0.0.1', port: 80, ...inNamespace('team-b') },
      { headers },
    );
    await all.heard((told) => told.data.kind === 'service' && told.data.cause === 'deregistered');
    await nacos(
      server,
      'DELETE',
      '/instance',
      { serviceName: 'orders-team-a', ip: '10.0.0.1', port: 80, ...inNamespace('team-a') },
      { headers },
    );
    await hers.heard((told) => told.data.kind === 'service' && told.data.cause === 'deregistered');
    expect(JSON.stringify(hers.told)).not.toContain('team-b');
    expect(JSON.stringify(all.told)).toContain('team-b');
  });

  it('what is made for one is not shown to another who sees something else', async () => {
    await using server = await guarded();
    const seen = await Promise.all(
      ['alice', 'bob', 'root', 'adam'].map(
        async (name) => (await snapshot(server, 'view=services', server.bearer(name))).body.facts,
      ),
    );
    expect(seen).toMatchObject([
      { namespaces: ['team-a'] },
      { namespaces: ['team-b'] },
      { namespaces: ['team-a', 'team-b', 'team-b2'] },
      { namespaces: ['team-a'] },
    ]);
  });

  it('a login that has ended ends its stream, and that of another goes on', async () => {
    await using server = await guarded();
    const { main } = server.listeners;
    using hers = await ConsoleStream.open(main, 'view=services', server.bearer('alice'));
    using his = await ConsoleStream.open(main, 'view=services', server.bearer('adam'));
    await Promise.all([hers.heard(isView), his.heard(isView)]);
    server.write({ alice: 'disabled', adam: 'reader@team-a', bob: 'reader@team-b' });
    expect((await hers.heard(({ event }) => event === 'over')).data).toEqual({ reason: 'refused' });
    await hers.ended();
    await nacos(
      server,
      'POST',
      '/instance',
      { serviceName: 'shop', ip: '10.0.0.1', port: 80, ...inNamespace('team-a') },
      { headers: server.bearer('root') },
    );
    await his.heard((told) => isView(told) && told.data.order?.length === 2);
  });
});
