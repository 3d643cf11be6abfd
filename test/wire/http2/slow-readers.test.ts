import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { Engine } from '../../../src/wire/http2/engine.ts';
import { CODE, headers, hello, inWords, request, settingsAck, settingsFrame, windowUpdate } from '../../support/http2-frames.ts';
import { Http2Room, TestApplication, Wire } from '../../support/http2-room.ts';
import { failOnLeaks } from '../../support/leaks.ts';

/** What peers leave unread is bounded for all of them together: whoever has left most goes first. */

failOnLeaks();

const LARGEST_WINDOW = 2 ** 31 - 1;
const GREEDY = Buffer.concat([hello([4, LARGEST_WINDOW]), settingsAck, windowUpdate(0, LARGEST_WINDOW - 65_535)]);
const TOO_MUCH = 'too much left unread by all';

const asks = (path: string, count: number) =>
  Buffer.concat(Array.from({ length: count }, (_, i) => headers(2 * i + 1, request('GET', path))));

describe('when more is left unread than all may leave', () => {
  it('whoever has left most is ended, and nobody else', () => {
    using some = new Wire({ maxUnsentBytesInAll: 1_000_000 });
    using most = new Wire({}, some.application, some.engine);
    for (const wire of [some, most]) {
      wire.send(GREEDY);
      wire.isStuck = true;
    }
    some.send(asks('/big/65536', 5));
    most.send(asks('/big/65536', 9));
    expect(some.engine.totals.unsentBytes).toBeGreaterThan(14 * 65_536);
    expect(some.application.failures).toEqual([]);
    some.send(headers(11, request('GET', '/big/65536')), headers(13, request('GET', '/big/65536')));
    expect(some.application.failures).toEqual([`${CODE.calm} ${TOO_MUCH}`]);
    expect(some.engine.totals.counts.get(TOO_MUCH)).toBe(1);
    // It would not have read the reason.
    expect([some.destroyed, most.destroyed]).toEqual([false, true]);
    expect(some.engine.totals.unsentBytes).toBeLessThan(8 * 65_536);
    expect(some.application.closedPeers).toBe(1);
  });

  it('it is whoever has left most on any of the engines that share their totals', () => {
    using some = new Wire({ maxUnsentBytesInAll: 190_000 });
    const { application, scheduler, engine } = some;
    using most = new Wire({}, application, new Engine(application, scheduler, engine.limits, engine.totals));
    for (const wire of [some, most]) wire.send(hello([4, 0]), settingsAck);
    most.send(asks('/big/65536', 2));
    expect(some.say(headers(1, request('GET', '/big/65536')))).toEqual(['HEADERS 1']);
    expect(most.words().at(-1)).toBe('GOAWAY 3 ENHANCE_YOUR_CALM');
    expect(engine.totals.unsentBytes).toBe(65_536 + 1_024);
  });

  it('it is told why, if it is by its windows that it takes nothing', () => {
    using wire = new Wire({ maxUnsentBytesInAll: 100_000 });
    wire.send(hello([4, 0]), settingsAck);
    expect(wire.send(headers(1, request('GET', '/big/65536'))).map(inWords)).toEqual(['HEADERS 1']);
    expect(wire.send(headers(3, request('GET', '/big/65536'))).map(inWords)).toEqual(['HEADERS 3', 'GOAWAY 3 ENHANCE_YOUR_CALM']);
    expect(wire.engine.totals.unsentBytes).toBe(0);
  });

  it('also by answers that are short: what waits takes more than it has to say', () => {
    using wire = new Wire({ maxUnsentBytesInAll: 100_000 });
    wire.send(hello([4, 0]), settingsAck);
    expect(wire.say(asks('/', 90)).at(-1)).toBe('HEADERS 179');
    expect(wire.say(...gets(181, 20)).at(-1)).toMatch(/^GOAWAY \d+ ENHANCE_YOUR_CALM$/);
    expect(wire.engine.totals.unsentBytes).toBe(0);
  });

  it('also by what a handler says when nothing has come', async () => {
    const application = new TestApplication((stream) => {
      stream.respond(200, []);
      setImmediate(() => stream.write(Buffer.alloc(80_000)));
    });
    using wire = new Wire({ maxUnsentBytesInAll: 100_000 }, application);
    wire.send(hello([4, 0]), settingsAck, headers(1, request('GET', '/late')));
    await wire.settle();
    expect(application.failures).toEqual([]);
    wire.send(headers(3, request('GET', '/late')));
    await wire.settle();
    expect(application.failures).toEqual([`${CODE.calm} ${TOO_MUCH}`]);
  });
});

function gets(from: number, count: number): Buffer[] {
  return Array.from({ length: count }, (_, i) => headers(from + 2 * i, request('GET', '/')));
}

it('what is read after all, or given up, is no longer counted', () => {
  using wire = new Wire();
  wire.send(hello([4, 0]), settingsAck, asks('/big/65536', 3));
  expect(wire.engine.totals.unsentBytes).toBe(3 * (65_536 + 1_024));
  wire.send(settingsFrame([4, 30_000]));
  expect(wire.engine.totals.unsentBytes).toBe(3 * (65_536 + 1_024) - 65_535);
});

const CAP = 16 << 20;
const ATTACKERS = 60;
/** Without a bound they would have left 60 x 30 x 64 KiB unread, 118 MB. */
const ASKED_EACH = 30;

it('an attack of many connections that read nothing holds no more than that, and others are served', async () => {
  await using room = await Http2Room.open({ maxUnsentBytesInAll: CAP });
  let most = 0;
  const watching = setInterval(() => {
    most = Math.max(most, room.engine.totals.unsentBytes);
  }, 1);
  const attackers: Socket[] = [];
  for (let i = 0; i < ATTACKERS; i++) {
    const socket = connect(room.port, '127.0.0.1').pause();
    socket.on('error', () => {});
    await once(socket, 'connect');
    // Every other one reads, and grants no window.
    const grants = i % 2 === 0;
    if (!grants) socket.resume();
    socket.write(grants ? GREEDY : Buffer.concat([hello([4, 0]), settingsAck]));
    socket.write(asks('/big/10000000', ASKED_EACH));
    attackers.push(socket);
  }
  await expect.poll(() => room.application.failures.length, { interval: 5 }).toBeGreaterThan(ATTACKERS / 2);
  expect(new Set(room.application.failures)).toEqual(new Set([`${CODE.calm} ${TOO_MUCH}`]));
  const reader = connect(room.port, '127.0.0.1');
  reader.write(Buffer.concat([hello(), settingsAck, headers(1, request('GET', '/'))]));
  let heard = '';
  for await (const chunk of reader) {
    heard += chunk.toString('latin1');
    if (heard.includes('hello world')) break;
  }
  expect(heard).toContain('hello world');
  clearInterval(watching);
  expect(most).toBeLessThanOrEqual(CAP);
  for (const socket of attackers) socket.destroy();
  await expect.poll(() => room.engine.connections.length, { interval: 5 }).toBe(0);
  expect(room.engine.totals.unsentBytes).toBe(0);
  expect(room.application.bugs).toEqual([]);
});
