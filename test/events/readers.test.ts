import { once } from 'node:events';
import { createServer, get, type IncomingMessage } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { History } from '../../src/events/history.ts';
import { eventPaths } from '../../src/events/paths.ts';
import type { Detail, EventRecord } from '../../src/events/record.ts';
import { RecordTexts } from '../../src/events/record-texts.ts';
import { OpenAnswers } from '../../src/wire/open-answers.ts';
import { Refused } from '../../src/wire/refused.ts';
import { systemScheduler } from '../../src/wire/scheduler.ts';
import { SharedTurns } from '../../src/wire/shared-turns.ts';
import { Shares } from '../../src/wire/shares.ts';
import { failOnLeaks } from '../support/leaks.ts';
import { ManualScheduler } from '../support/scheduler.ts';
import { startServer } from '../support/server.ts';

failOnLeaks();

const LONG = 'ä'.repeat(5_000);

/** `/events` of a history that is told by hand. */
async function room() {
  const history = new History({
    maxEvents: 10_000,
    maxEventsOfService: 20,
    wallClock: () => 1_000,
    onListenerError: (error) => {
      throw error;
    },
  });
  const scheduler = new ManualScheduler();
  const refused = new Refused();
  const streams = new Shares({ inAll: 100, ofOne: 100 });
  const shutdown = new AbortController();
  const serve = eventPaths({
    history,
    refused,
    streams,
    namespace: 'public',
    group: 'G',
    wallClock: () => 1_000,
    now: () => performance.now(),
    // SharedTurns are real, deadlines are moved by hand.
    scheduler: { soon: systemScheduler.soon, after: (ms, run) => scheduler.after(ms, run) },
    openAnswers: new OpenAnswers(),
    shutdown: shutdown.signal,
    listenerOf: () => ({ admitted: () => ({ isAnswered: false, mayHear: () => true }), follow: () => () => {} }),
  })('/events');
  const accepted: Socket[] = [];
  const server = createServer((req, res) => void serve?.(req, res)).on('connection', (socket) => accepted.push(socket));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  const sockets: Socket[] = [];
  return {
    history,
    refused,
    streams,
    scheduler,
    accepted,
    address: `http://127.0.0.1:${port}/events`,
    note: (detail: Detail) => history.add({ kind: 'bridge', cause: 'stalled', detail }),
    /** Somebody who asks, for one thing after the other, and takes nothing of the answers. */
    async deaf(...queries: readonly string[]): Promise<Socket> {
      const socket = connect(port, '127.0.0.1').on('error', () => {});
      sockets.push(socket);
      socket.pause().write(queries.map((query) => `GET /events${query} HTTP/1.1\r\nhost: localhost\r\n\r\n`).join(''));
      await once(socket, 'connect');
      return socket;
    },
    async [Symbol.asyncDispose]() {
      shutdown.abort();
      for (const socket of sockets) socket.destroy();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const isStuck = (socket: Socket) => socket.writableLength > 0;

/** As long as `enough` is not. */
async function heardOf(
  address: string,
  enough: (text: string) => boolean,
  headers: Record<string, string> = {},
): Promise<string> {
  const req = get(address, { headers, agent: false });
  const [res] = (await once(req, 'response')) as [IncomingMessage];
  let text = '';
  for await (const chunk of res.setEncoding('utf8')) {
    text += chunk;
    if (enough(text)) break;
  }
  req.destroy();
  return text;
}

describe('who reads what happened', () => {
  it('costs a piece of the answer while it takes nothing, however long the answer is', async () => {
    await using it = await room();
    for (let i = 0; i < 3_000; i++) it.note({ i, text: LONG });
    await it.deaf('?limit=10000');
    await expect.poll(() => it.accepted.filter(isStuck).length).toBe(1);
    expect(it.accepted[0]?.writableLength).toBeLessThan(200_000);
  });

  it('is refused where sixteen others do, and no more once one of them has taken nothing for too long', async () => {
    await using it = await room();
    for (let i = 0; i < 3_000; i++) it.note({ i, text: LONG });
    const deaf: Socket[] = [];
    for (let i = 0; i < 16; i++) deaf.push(await it.deaf('?limit=10000'));
    await expect.poll(() => it.accepted.filter(isStuck).length).toBe(16);
    const refused = await fetch(it.address);
    expect([refused.status, refused.headers.get('retry-after'), await refused.json()]).toEqual([
      503,
      '1',
      { reason: 'more than 16 read events at once: ask again later' },
    ]);
    expect([...it.refused.counts]).toEqual([['readers of events', 1]]);
    it.scheduler.advance(30_000);
    await expect.poll(async () => (await fetch(`${it.address}?limit=1`)).status).toBe(200);
  });

  it('keeps no place where it has left before it could be answered', async () => {
    await using it = await room();
    for (let i = 0; i < 3_000; i++) it.note({ i, text: LONG });
    for (const query of ['?limit=1', '?follow']) {
      const one = await it.deaf('?limit=10000', ...Array.from({ length: 20 }, () => query));
      await expect.poll(() => it.accepted.filter(isStuck).length).toBe(1);
      const closed = new Promise<void>((resolve) => void it.accepted.at(-1)?.once('close', () => resolve()));
      one.destroy();
      await closed;
    }
    // Beside another one, as whoever stood in front has always left.
    await it.deaf('?limit=10000');
    await expect.poll(() => it.accepted.filter(isStuck).length).toBe(1);
    await expect.poll(async () => (await fetch(`${it.address}?limit=1`)).status).toBe(200);
    expect(it.streams.count).toBe(0);
  });

  it.each(['lines', 'events'])('has a record that is longer than a piece whole, in %s', async (form) => {
    await using it = await room();
    const text = 'ä€😀'.repeat(50_000);
    it.note({ text });
    it.note({ text: 'short' });
    const isLine = form === 'lines';
    const heard = await heardOf(isLine ? it.address : `${it.address}?follow`, (all) => all.includes('"short"'), {
      ...(!isLine && { 'last-event-id': '0' }),
    });
    const records = heard.split('\n').filter((line) => /^(data: )?\{/.test(line));
    expect(records.map((line) => JSON.parse(line.replace('data: ', '')).detail.text)).toEqual([text, 'short']);
  });

  it('is told a record that has been made into a text once, however many follow', async () => {
    await using it = await room();
    const readers = Array.from({ length: 5 }, () => heardOf(`${it.address}?follow`, (text) => text.includes('data: ')));
    await expect.poll(() => it.streams.count).toBe(5);
    let made = 0;
    const detail = { toJSON: () => ({ made: ++made }) };
    // Any detail would do; this one counts.
    it.note(detail as unknown as Detail);
    expect(new Set((await Promise.all(readers)).map((text) => text.slice(text.indexOf('id: '))))).toEqual(
      new Set([
        'id: 1\ndata: {"seq":1,"at":"1970-01-01T00:00:01.000Z","kind":"bridge","cause":"stalled","detail":{"made":1}}\n\n',
      ]),
    );
    expect(made).toBe(1);
    await expect.poll(() => it.streams.count).toBe(0);
  });

  it('goes on from the oldest that is kept where its number is of a life before, and is told that it has missed some', async () => {
    await using it = await room();
    it.note({ what: 'first' });
    const heard = await heardOf(`${it.address}?follow`, (text) => text.includes('first'), { 'last-event-id': '4711' });
    expect(heard).toMatch(/event: missed\ndata: \{\}\n\nid: 1\n/);
  });

  it('hears as much of the past as it asks for, and then what happens', async () => {
    await using it = await room();
    for (let i = 1; i <= 9; i++) it.note({ i });
    const heard = heardOf(`${it.address}?follow&since=1h&limit=2`, (text) => text.includes('"i":10'));
    await expect.poll(() => it.streams.count).toBe(1);
    it.note({ i: 10 });
    expect([...(await heard).matchAll(/^id: (\d+)$/gm)].map(([, id]) => Number(id))).toEqual([8, 9, 10]);
  });

  it('does not follow where it says so', async () => {
    await using it = await room();
    it.note({ i: 1 });
    const answer = await fetch(`${it.address}?follow=false`, { headers: { accept: 'text/event-stream' } });
    expect([answer.headers.get('content-type'), (await answer.text()).split('\n').length]).toEqual(['application/x-ndjson', 2]);
  });
});

it('only so many follow what happens, in all and from one address, which is counted', async () => {
  await using server = await startServer({ maxEventStreams: 3, maxEventStreamsPerPeer: 2 });
  const { main } = server.listeners;
  const follow = async (localAddress: string) => {
    const req = get(`http://${main}/events?follow`, { agent: false, localAddress });
    const [res] = (await once(req, 'response')) as [IncomingMessage];
    return { req, res };
  };
  const open = [await follow('127.0.0.1'), await follow('127.0.0.1')];
  const ofOne = await fetch(`http://${main}/events?follow`);
  expect([ofOne.status, await ofOne.text()]).toEqual([503, expect.stringContaining('--max-event-streams-per-peer')]);
  open.push(await follow('127.0.0.2'));
  const inAll = await follow('127.0.0.3');
  expect([inAll.res.statusCode, inAll.res.resume().headers['retry-after']]).toEqual([503, '1']);
  expect(open.map(({ res }) => res.statusCode)).toEqual([200, 200, 200]);
  const ready = await (await fetch(`http://${main}/readyz?verbose`)).text();
  expect(ready).toMatch(/\bevent streams 3 of 3, .*refused: event streams 1, event streams of one address 1$/m);
  for (const { req } of open) req.destroy();
  await expect.poll(async () => (await follow('127.0.0.3')).res.statusCode).toBe(200);
});

describe('texts of records', () => {
  const record = (seq: number, text = ''): EventRecord => ({ seq, at: 0, kind: 'bridge', cause: 'started', detail: { text } });

  it('are the same for all as long as they are kept, which is for those used last', () => {
    const texts = new RecordTexts();
    const [first, second] = [record(1), record(2)];
    const [text, other] = [texts.of(first), texts.of(second)];
    for (let seq = 3; seq <= 201; seq++) {
      texts.of(record(seq));
      expect(texts.of(first)).toBe(text);
    }
    expect(texts.of(second)).not.toBe(other);
    expect(text.line.toString()).toBe(
      '{"seq":1,"at":"1970-01-01T00:00:00.000Z","kind":"bridge","cause":"started","detail":{"text":""}}\n',
    );
  });

  it('take a few megabytes at most', () => {
    const texts = new RecordTexts();
    for (let seq = 1; seq <= 20; seq++) {
      texts.of(record(seq, 'x'.repeat(1 << 20)));
      expect(texts.bytes).toBeLessThanOrEqual(4 << 20);
    }
    texts.of(record(21, 'x'.repeat(5 << 20)));
    expect(texts.bytes).toBe(0);
  });
});

it('readers have a little of each turn together, one after the other', async () => {
  let [now, soon] = [0, [] as (() => void)[]];
  const turns = new SharedTurns({ now: () => now, scheduler: { soon: (run) => void soon.push(run) } });
  const done: string[] = [];
  const parts = ['a', 'b', 'c', 'd', 'e'].map((name) =>
    turns.next(() => {
      now += 1;
      done.push(name);
    }),
  );
  const turn = () => {
    const due = soon;
    soon = [];
    for (const run of due) run();
    return done.splice(0).join('');
  };
  const failing = turns.next(() => {
    throw new Error('a part that fails');
  });
  const failed = expect(failing).rejects.toThrow('a part that fails');
  expect([turn(), turn(), turn(), turn()]).toEqual(['ab', 'cd', 'e', '']);
  await Promise.all(parts);
  await failed;
});
