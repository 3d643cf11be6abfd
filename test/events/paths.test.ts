import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { describe, expect, it } from 'vitest';
import { failOnLeaks } from '../support/leaks.ts';
import { deregister, register, startServer } from '../support/server.ts';

failOnLeaks();

type Told = Readonly<Record<string, unknown>>;

async function lines(address: string, query = ''): Promise<readonly Told[]> {
  const answer = await fetch(`http://${address}/events${query}`);
  expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'application/x-ndjson']);
  return (await answer.text())
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Told);
}

const said = ({ kind, cause, service, from, to }: Told) => `${kind} ${cause} ${service} ${from} ${to}`;

/** What a stream has told, as it comes. */
async function streamed(address: string, headers: Record<string, string> = {}, query = '') {
  const options = { headers: { accept: 'text/event-stream', ...headers }, agent: false };
  const req = get(`http://${address}/events${query}`, options);
  const [res] = (await once(req, 'response')) as [IncomingMessage];
  let text = '';
  res.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  const events = () =>
    text
      .split('\n\n')
      .filter((one) => one.includes('data: '))
      .map((one) => ({ id: /^id: (\d+)$/m.exec(one)?.[1], data: JSON.parse(/^data: (.*)$/m.exec(one)?.[1] ?? '{}') as Told }));
  return { res, events, heard: () => text, [Symbol.dispose]: () => void req.destroy() };
}

describe('/events', () => {
  it('tells what happened, the oldest first, and what is asked for of it', async () => {
    await using server = await startServer();
    const { main } = server.listeners;
    await register(server, 'orders');
    await register(server, 'shop');
    await expect
      .poll(async () => (await lines(main)).map(said))
      .toEqual([
        'bridge started undefined undefined undefined',
        'instance registered orders undefined healthy',
        'service registered orders unknown serving',
        'instance registered shop undefined healthy',
        'service registered shop unknown serving',
      ]);
    await deregister(server, 'orders');
    await expect
      .poll(async () => (await lines(main, '?service=orders&limit=1')).map(said))
      .toEqual(['service deregistered orders serving not-serving']);
    expect((await lines(main, '?service=orders&cause=registered')).length).toBe(2);
    expect(await lines(main, '?since=1h&namespace=elsewhere')).toEqual([]);
    const [, first] = await lines(main);
    expect(first).toMatchObject({
      seq: 2,
      at: expect.stringMatching(/^\d{4}-.*Z$/),
      namespace: 'public',
      group: 'DEFAULT_GROUP',
      by: { peer: '127.0.0.1' },
      counts: { available: 1, total: 1, needed: 1 },
    });
  });

  it.each([
    ['?servic=a', 'is not known'],
    ['?cause=silent,silnt', 'cause must not be "silnt", did you mean silent?'],
    ['?service=@@', 'service must be'],
    ['?since=yesterday', 'since must be'],
    ['?limit=0', 'limit must be 1..10000'],
    ['?limit=1.5', 'limit must be 1..10000'],
    ['?limit=0x10', 'limit must be 1..10000'],
    ['?limit=', 'limit must be 1..10000'],
    ['?limit=10001', 'limit must be 1..10000'],
    ['?since=2026-02-31', 'since must be'],
    ['?since=2026-02-31T12:00:00Z', 'since must be'],
    ['?since=2026-01-31T25:00:00Z', 'since must be'],
    ['?since=2026-01-31 or so', 'since must be'],
    ['?cause=silnt', 'did you mean silent?'],
    ['?cause=silent,rainy', 'registered, re-registered'],
    ['?follow=perhaps', 'follow must be true, false'],
  ])('refuses %s, and says what would be right', async (query, reason) => {
    await using server = await startServer();
    const answer = await fetch(`http://${server.listeners.main}/events${query}`);
    expect([answer.status, await answer.json()]).toEqual([400, { reason: expect.stringContaining(reason) }]);
  });

  it.each([
    ['?namespace=', 3],
    ['?namespace=&service=orders', 2],
    ['?since=2026-01-31', 3],
    ['?since=2026-01-31T12:00:00%2B01:00', 3],
    ['?since=2026-01-31T12:00:00+01:00', 3],
    ['?since=2026-01-31T12:00', 3],
    ['?since=2999-01-31T12:00:00.5Z', 0],
    ['?cause=started', 1],
    ['?cause=started,registered&limit=0002', 2],
  ])('understands %s', async (query, count) => {
    await using server = await startServer();
    await register(server, 'orders');
    await expect.poll(async () => (await lines(server.listeners.main)).length).toBe(3);
    expect((await lines(server.listeners.main, query)).length).toBe(count);
  });

  it('is a stream that goes on where its reader was', async () => {
    await using server = await startServer();
    const { main } = server.listeners;
    let last: string | undefined;
    {
      using stream = await streamed(main);
      await expect.poll(() => stream.heard()).toContain(':');
      await register(server, 'orders');
      await expect
        .poll(() => stream.events().map(({ data }) => said(data)))
        .toEqual(['instance registered orders undefined healthy', 'service registered orders unknown serving']);
      last = stream.events().at(-1)?.id;
    }
    await register(server, 'shop');
    using again = await streamed(main, { 'last-event-id': last ?? '' });
    await expect.poll(() => again.events().map(({ data }) => data.service)).toEqual(['shop', 'shop']);
    await register(server, 'users');
    await expect.poll(() => again.events().map(({ data }) => data.service)).toEqual(['shop', 'shop', 'users', 'users']);
  });

  it('tells a reader how much it has missed of what is kept no more', async () => {
    await using server = await startServer({ maxEvents: 4 });
    const { main } = server.listeners;
    for (const name of ['a', 'b', 'c', 'd']) await register(server, name);
    await expect.poll(async () => (await lines(main)).map(({ seq }) => seq)).toEqual([6, 7, 8, 9]);
    using stream = await streamed(main, { 'last-event-id': '2' });
    await expect.poll(() => stream.heard()).toContain('event: missed\ndata: {"count":3}\n\n');
    await expect.poll(() => stream.events().map(({ id }) => id)).toEqual([undefined, '6', '7', '8', '9']);
  });

  it('is not there on the health port, and takes nothing but GET', async () => {
    await using server = await startServer();
    expect((await fetch(`http://${server.listeners.health}/events`)).status).toBe(404);
    expect((await fetch(`http://${server.listeners.main}/events`, { method: 'POST' })).status).toBe(405);
  });

  it('ends when the bridge goes', async () => {
    await using server = await startServer();
    using stream = await streamed(server.listeners.main);
    const ended = once(stream.res, 'end');
    await server.close();
    await ended;
  });
});
