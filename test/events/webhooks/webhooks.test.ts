import { createHmac } from 'node:crypto';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { History } from '../../../src/events/history.ts';
import { parseWebhooks } from '../../../src/events/webhooks/address.ts';
import { Webhooks } from '../../../src/events/webhooks/webhooks.ts';
import { Taps } from '../../../src/wire/taps.ts';
import { ORDERS } from '../../support/events-room.ts';
import { failOnLeaks } from '../../support/leaks.ts';
import { ManualScheduler } from '../../support/scheduler.ts';
import { type Answering, WebhookReceiver } from '../../support/webhook-receiver.ts';

failOnLeaks();

const START = Date.parse('2026-11-26T12:00:00Z');
const SECRET = 'a secret of some length';

interface Wanted {
  readonly maxEvents?: number;
  readonly secret?: string;
  readonly timeoutMs?: number;
  readonly wants?: () => boolean;
}

/** Webhooks of a history whose time is moved by hand, and receivers that are real. */
function room(urls: string, { maxEvents = 10_000, secret, timeoutMs = 10_000, wants = () => true }: Wanted = {}) {
  const scheduler = new ManualScheduler(START);
  const lines: string[] = [];
  const log = pino({}, { write: (line: string) => void lines.push(line) });
  const wallClock = scheduler.now;
  const history = new History({
    maxEvents,
    maxEventsOfService: 20,
    wallClock,
    onListenerError: (error) => expect(error).toBe('none'),
  });
  const taps = new Taps();
  const addresses = parseWebhooks(urls).filter((address) => address !== undefined);
  const webhooks = new Webhooks({
    webhooks: addresses.map((address) => ({ address, secret })),
    history,
    scheduler,
    wallClock,
    log,
    wants,
    taps,
    bridge: 'node-1',
    timeoutMs,
  });
  const add = (count: number) => {
    for (let i = 0; i < count; i++)
      history.add({ kind: 'service', cause: 'silent', service: ORDERS, from: 'serving', to: 'not-serving' });
  };
  const counted = (result: 'taken' | 'failed' | 'refused' | 'dropped' | 'missed', count: number) =>
    expect.poll(() => taps.webhooks.get(result) ?? 0).toBe(count);
  return {
    scheduler,
    history,
    webhooks,
    taps,
    add,
    counted,
    lines,
    /** The time that has to pass, to the millisecond, until something is sent again. */
    async passes(ms: number, result: 'taken' | 'failed' | 'refused', count: number) {
      await expect.poll(() => scheduler.open).toBe(1);
      scheduler.advance(ms - 1);
      expect(taps.webhooks.get(result) ?? 0).toBe(count - 1);
      expect(scheduler.open).toBe(1);
      scheduler.advance(1);
      await counted(result, count);
    },
    [Symbol.asyncDispose]: () => webhooks.finish(0),
  };
}

const seqs = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i);

describe('a webhook', () => {
  it('is told what happens, in order, at most a hundred events at a time, and signed', async () => {
    await using receiver = await WebhookReceiver.open();
    await using it = room(`${receiver.url}/hook?a=1`, { secret: SECRET });
    it.webhooks.start();
    it.add(250);
    await it.passes(1_000, 'taken', 1);
    for (const count of [2, 3]) {
      await expect.poll(() => it.scheduler.open).toBe(1);
      it.scheduler.advance(0);
      await it.counted('taken', count);
    }
    expect(WebhookReceiver.seqsOf(receiver.posted)).toEqual(seqs(1, 250));
    const [first] = receiver.posted;
    expect(first?.path).toBe('/hook?a=1');
    expect(JSON.parse(first?.body ?? '')).toMatchObject({ bridge: 'node-1', id: '1-100', missed: 0, events: { length: 100 } });
    const timestamp = first?.headers['x-beatbridge-timestamp'];
    expect(timestamp).toBe(String((START + 1_000) / 1_000));
    const signature = createHmac('sha256', SECRET).update(`${timestamp}.${first?.body}`).digest('hex');
    expect(first?.headers).toMatchObject({
      'content-type': 'application/json; charset=utf-8',
      'x-beatbridge-delivery': '1-100',
      'x-beatbridge-signature': `sha256=${signature}`,
    });
  });

  it('that is down is told everything once it is up, ever more seldom tried until then', async () => {
    const port = await (async () => {
      await using taken = await WebhookReceiver.open();
      return taken.port;
    })();
    await using it = room(`http://127.0.0.1:${port}/`);
    it.webhooks.start();
    it.add(3);
    await it.passes(1_000, 'failed', 1);
    it.add(3);
    await it.passes(1_000, 'failed', 2);
    await it.passes(2_000, 'failed', 3);
    await it.passes(4_000, 'failed', 4);
    await using receiver = await WebhookReceiver.open([200], port);
    await it.passes(8_000, 'taken', 1);
    expect(WebhookReceiver.seqsOf(receiver.posted)).toEqual(seqs(1, 6));
    // Once that it cannot be told, and once that it can.
    expect(it.lines.map((line) => JSON.parse(line))).toMatchObject([
      { level: 40, webhook: `json=http://127.0.0.1:${port}`, why: 'ECONNREFUSED' },
      { level: 30, tries: 4 },
    ]);
  });

  it('that never answers is given up for this time, and keeps no other from being told', async () => {
    await using silent = await WebhookReceiver.open([() => {}]);
    await using quick = await WebhookReceiver.open();
    await using it = room(`${silent.url}/a,${quick.url}/b`);
    it.webhooks.start();
    it.add(2);
    it.scheduler.advance(1_000);
    await silent.hears(1);
    await it.counted('taken', 1);
    for (const count of [2, 3]) {
      it.add(1);
      await expect.poll(() => it.scheduler.open).toBe(2);
      it.scheduler.advance(1_000);
      await it.counted('taken', count);
    }
    expect(WebhookReceiver.seqsOf(quick.posted)).toEqual([1, 2, 3, 4]);
    silent.answer(200);
    it.scheduler.advance(8_000);
    await it.counted('failed', 1);
    expect(it.lines.map((line) => JSON.parse(line).why)).toEqual(['no answer within 10000 ms']);
    await expect.poll(() => it.scheduler.open).toBe(1);
    it.scheduler.advance(1_000);
    await it.counted('taken', 4);
    expect(WebhookReceiver.seqsOf(silent.posted)).toEqual([1, 2, 1, 2, 3, 4]);
  });

  it('at an address where ten others hang is told at once, and holds no connection once there is nothing to tell', async () => {
    await using receiver = await WebhookReceiver.open([(res, { path }) => void (path === '/quick' && res.end())]);
    const hanging = Array.from({ length: 10 }, (_, i) => `${receiver.url}/hangs${i}`);
    await using it = room([...hanging, `${receiver.url}/quick`].join(','));
    it.webhooks.start();
    it.add(1);
    it.scheduler.advance(1_000);
    await it.counted('taken', 1);
    await receiver.hears(11);
    it.add(1);
    await expect.poll(() => it.scheduler.open).toBe(11);
    it.scheduler.advance(1_000);
    await it.counted('taken', 2);
    expect(WebhookReceiver.seqsOf(receiver.posted.filter(({ path }) => path === '/quick'))).toEqual([1, 2]);
    expect(receiver.connections).toBe(11);
    await expect.poll(() => receiver.connections, { timeout: 10_000 }).toBe(10);
    receiver.answer(200);
    it.scheduler.advance(10_000);
    await it.counted('failed', 10);
  });

  it.each([
    ['answers that go before one', 'HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n', 'more than 10 answers before the answer'],
    ['the same of another status', 'HTTP/1.1 102 Processing\r\n\r\n', 'more than 10 answers before the answer'],
  ])('that floods with %s is cut, and tried again', async (_, said, why) => {
    let sent = 0;
    let cuts = 0;
    const flood: Answering = ({ socket }) => {
      const more = () => {
        while (socket !== null && !socket.destroyed && socket.write(said.repeat(1_000))) sent += said.length * 1_000;
      };
      socket?.on('drain', more).on('close', () => cuts++);
      more();
    };
    await using receiver = await WebhookReceiver.open([flood, 200]);
    await using it = room(receiver.url);
    it.webhooks.start();
    it.add(1);
    await it.passes(1_000, 'failed', 1);
    await expect.poll(() => cuts).toBe(1);
    expect(sent).toBeLessThan(20 << 20);
    expect(it.lines.map((line) => JSON.parse(line).why)).toEqual([why]);
    await it.passes(1_000, 'taken', 1);
  });

  it('whose few words stand among very many others is listened to no longer', async () => {
    let cuts = 0;
    const chunk = `1;${'x'.repeat(10_000)}\r\na\r\n`.repeat(10);
    const endless: Answering = ({ socket }) => {
      socket?.write('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n');
      const more = () => {
        while (socket !== null && !socket.destroyed && socket.write(chunk));
      };
      socket?.on('drain', more).on('close', () => cuts++);
      more();
    };
    await using receiver = await WebhookReceiver.open([endless, 200]);
    await using it = room(receiver.url);
    it.webhooks.start();
    it.add(1);
    await it.passes(1_000, 'taken', 1);
    await expect.poll(() => cuts).toBe(1);
    it.add(1);
    await it.passes(1_000, 'taken', 2);
  });

  it.each([500, 502, 503, 408, 429, 401, 403, 404, 301])(
    'that answers %i is told the same again, until it takes it',
    async (status) => {
      await using receiver = await WebhookReceiver.open([status, status, 204]);
      await using it = room(receiver.url);
      it.webhooks.start();
      it.add(1);
      await it.passes(1_000, 'failed', 1);
      await it.passes(1_000, 'failed', 2);
      await it.passes(2_000, 'taken', 1);
      expect(WebhookReceiver.seqsOf(receiver.posted)).toEqual([1, 1, 1]);
    },
  );

  it.each([
    [429, '7', 7_000],
    [503, '7', 7_000],
    [503, 'Thu, 26 Nov 2026 12:01:01 GMT', 60_000],
    [429, '86400', 3_600_000],
    [429, 'soon', 1_000],
  ])('that answers %i and Retry-After: %s is not asked before', async (status, after, ms) => {
    await using receiver = await WebhookReceiver.open([(res) => void res.writeHead(status, { 'retry-after': after }).end(), 200]);
    await using it = room(receiver.url);
    it.webhooks.start();
    it.add(1);
    await it.passes(1_000, 'failed', 1);
    await it.passes(ms, 'taken', 1);
  });

  it('that cuts the connection is told the same again', async () => {
    await using receiver = await WebhookReceiver.open([(res) => void res.socket?.resetAndDestroy(), 200]);
    await using it = room(receiver.url);
    it.webhooks.start();
    it.add(1);
    await it.passes(1_000, 'failed', 1);
    await it.passes(1_000, 'taken', 1);
  });

  it('whose answer never ends has taken what it said it has, and is listened to no longer', async () => {
    await using receiver = await WebhookReceiver.open([
      (res) => {
        res.writeHead(200);
        const more = () => {
          while (!res.destroyed && res.write('x'.repeat(4_096)));
          if (!res.destroyed) res.once('drain', more);
        };
        more();
      },
      200,
    ]);
    await using it = room(receiver.url);
    it.webhooks.start();
    it.add(1);
    await it.passes(1_000, 'taken', 1);
  });

  it('that refuses one event is told all others, in order, and that one so often that somebody can put it right', async () => {
    await using receiver = await WebhookReceiver.open([
      (res, { body }) =>
        void res.writeHead(WebhookReceiver.seqsOf([{ path: '', headers: {}, body }]).includes(3) ? 400 : 200).end(),
    ]);
    await using it = room(receiver.url, { timeoutMs: 3_600_000 });
    it.webhooks.start();
    it.add(5);
    const answered = () => (it.taps.webhooks.get('taken') ?? 0) + (it.taps.webhooks.get('refused') ?? 0);
    const told = () => WebhookReceiver.seqsOf(receiver.posted.filter(({ body }) => !body.includes('"seq":3')));
    for (let tries = 1; told().length < 4; tries++) {
      // Whatever the delay is.
      it.scheduler.advance(300_000);
      await expect.poll(() => [answered(), it.scheduler.open]).toEqual([tries, 1]);
    }
    expect(told()).toEqual([1, 2, 4, 5]);
    await it.counted('dropped', 1);
    const alone = receiver.posted.filter(({ body }) => body.includes('"id":"3-3"'));
    expect(alone).toHaveLength(10);
    expect(it.lines.map((line) => JSON.parse(line)).filter(({ event }) => event !== undefined)).toMatchObject([
      { level: 40, event: 3, why: 'status 400' },
    ]);
  });

  it('is told how many it has missed of what is kept no more', async () => {
    await using receiver = await WebhookReceiver.open([500, 200]);
    await using it = room(receiver.url, { maxEvents: 5 });
    it.webhooks.start();
    it.add(2);
    await it.passes(1_000, 'failed', 1);
    it.add(10);
    await it.passes(1_000, 'taken', 1);
    expect(JSON.parse(receiver.posted.at(-1)?.body ?? '')).toMatchObject({ missed: 7 });
    expect(WebhookReceiver.seqsOf(receiver.posted.slice(1))).toEqual(seqs(8, 12));
    expect(it.taps.webhooks.get('missed')).toBe(7);
  });

  it('misses nothing of what it did not want', async () => {
    await using receiver = await WebhookReceiver.open();
    let isWanted = false;
    await using it = room(receiver.url, { maxEvents: 5, wants: () => isWanted });
    it.webhooks.start();
    it.add(50);
    isWanted = true;
    it.add(1);
    await it.passes(1_000, 'taken', 1);
    expect(JSON.parse(receiver.posted[0]?.body ?? '')).toMatchObject({ missed: 0, id: '51-51' });
  });

  it('goes on where it was after a restart', async () => {
    await using receiver = await WebhookReceiver.open([200, 500, 500, 200]);
    const before = room(receiver.url);
    const touched = new Set<string>();
    before.webhooks.onChange((key) => touched.add(key));
    before.webhooks.start();
    before.add(2);
    await before.passes(1_000, 'taken', 1);
    await expect.poll(() => before.scheduler.open).toBe(1);
    before.scheduler.advance(0);
    await expect.poll(() => before.scheduler.open).toBe(0);
    before.add(2);
    await before.passes(1_000, 'failed', 1);
    await before.webhooks.finish(0);
    const kept = [...touched].map((key): [string, unknown] => [key, before.webhooks.read(key)]);
    expect(kept).toEqual([[expect.stringMatching(/^[0-9a-f]{32}$/), { seq: 2 }]]);

    await using after = room(receiver.url);
    after.history.restore({ older: [], last: [...before.history.after(0)], lastSeq: before.history.lastSeq });
    after.webhooks.restore([...kept, ['of another', { seq: 1 }]]);
    const strays: string[] = [];
    after.webhooks.onChange((key) => strays.push(key));
    expect([strays, after.webhooks.read('of another')]).toEqual([['of another'], undefined]);
    after.webhooks.start();
    await after.passes(1_000, 'taken', 1);
    expect(WebhookReceiver.seqsOf(receiver.posted)).toEqual([1, 2, 3, 4, 3, 4, 3, 4]);
  });

  it('is told the rest when the bridge goes, if it takes it within the time that there is', async () => {
    await using receiver = await WebhookReceiver.open();
    await using silent = await WebhookReceiver.open([() => {}]);
    const it = room(`${receiver.url}/a,${silent.url}/b`);
    it.webhooks.start();
    it.add(120);
    const finished = it.webhooks.finish(2_000);
    await silent.hears(1);
    await it.counted('taken', 2);
    it.scheduler.advance(2_000);
    await finished;
    expect(WebhookReceiver.seqsOf(receiver.posted)).toEqual(seqs(1, 120));
    expect(it.webhooks.says()).toBe('2, 1 of them up to 120 events behind');
  });
});
