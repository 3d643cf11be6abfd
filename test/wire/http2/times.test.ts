import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { Engine } from '../../../src/wire/http2/engine.ts';
import {
  block,
  CODE,
  data,
  FLAG,
  frame,
  headers,
  hello,
  PREFACE,
  ping,
  request,
  resetFrame,
  settingsAck,
  settingsFrame,
  TYPE,
  uint32,
  windowUpdate,
} from '../../support/http2-frames.ts';
import { TestApplication, Wire } from '../../support/http2-room.ts';
import { ManualScheduler } from '../../support/scheduler.ts';

/** What a connection may take its time for, and how it ends. All times are moved by hand, and end with the second after them. */

const OPEN_FOR_NOW = FLAG.endHeaders;
const SECOND = 1_000;

function greeted(wire: Wire): Wire {
  wire.send(hello(), settingsAck);
  return wire;
}

/** Lets so many seconds pass, in which the peer answers every PING. */
function pass(wire: Wire, seconds: number): string[] {
  const said: string[] = [];
  for (let i = 0; i < seconds; i++) {
    wire.scheduler.advance(SECOND);
    const words = wire.words();
    if (words.includes('PING')) said.push(...wire.say(ping('alive?  ', FLAG.ack)));
    said.push(...words.filter((word) => word !== 'PING'));
  }
  return said;
}

describe('too slow', () => {
  it.each<readonly [string, Buffer]>([
    ['nothing', Buffer.alloc(0)],
    ['a byte', Buffer.from('P')],
    ['the preface and no SETTINGS', PREFACE],
    ['half of a SETTINGS frame', Buffer.concat([PREFACE, settingsFrame([1, 1]).subarray(0, 10)])],
  ])('%s, and the connection is closed after ten seconds', (_, sent) => {
    using wire = new Wire();
    wire.send(sent);
    wire.scheduler.advance(10 * SECOND);
    expect(wire.destroyed).toBe(false);
    wire.scheduler.advance(SECOND);
    expect(wire.destroyed).toBe(true);
  });

  it('is a beginning of a byte a second', () => {
    using wire = new Wire();
    for (let i = 0; i < 11; i++) {
      wire.send(PREFACE.subarray(i, i + 1));
      wire.scheduler.advance(SECOND);
    }
    expect(wire.destroyed).toBe(true);
  });

  it.each<readonly [string, Buffer]>([
    ['a header without its end', headers(1, request('GET', '/'), 0)],
    ['half of a frame', headers(1, request('GET', '/')).subarray(0, 20)],
  ])('is %s', (_, sent) => {
    using wire = greeted(new Wire({ pingIntervalMs: 1_000_000 }));
    wire.send(sent);
    expect(pass(wire, 10)).toEqual([]);
    // A byte, or a frame, now and then does not help.
    wire.send(sent.length === 20 ? Buffer.from([0]) : frame(TYPE.continuation, 0, 1));
    expect(pass(wire, 1)).toEqual(['GOAWAY 0 PROTOCOL_ERROR']);
  });

  it('is no frame that begins after a pause: its time counts from its own first byte', () => {
    using wire = greeted(new Wire());
    const whole = headers(1, request('GET', '/'));
    expect(pass(wire, 9)).toEqual([]);
    wire.send(whole.subarray(0, 20));
    expect(pass(wire, 9)).toEqual([]);
    expect(wire.say(whole.subarray(20))).toEqual(['HEADERS 1', 'DATA 1 12 END']);
  });

  it('is a body that has not come in thirty seconds, unless its handler gives it time', () => {
    const application = new TestApplication((stream) => {
      if (stream.path === '/conversation') stream.takeTime();
    });
    using wire = greeted(new Wire({}, application));
    for (const [id, path] of [
      [1, '/'],
      [3, '/hold'],
      [5, '/conversation'],
    ] as const)
      wire.send(headers(id, request('POST', path), OPEN_FOR_NOW));
    for (let i = 0; i < 30; i++) {
      wire.send(data(1, 'x', 0), data(3, 'x', 0));
      expect(pass(wire, 1)).toEqual([]);
    }
    expect(pass(wire, 1)).toEqual(['RST_STREAM 3 CANCEL', 'RST_STREAM 1 CANCEL']);
    expect(pass(wire, 100)).toEqual([]);
  });

  it('is a window that does not move, or by a byte now and then', () => {
    using wire = greeted(new Wire());
    wire.send(settingsFrame([4, 1]));
    wire.send(headers(1, request('GET', '/')));
    for (let i = 0; i < 5; i++) {
      expect(pass(wire, 5)).toEqual([]);
      wire.send(frame(TYPE.windowUpdate, 0, 1, uint32(1)));
    }
    expect(pass(wire, 6)).toEqual(['RST_STREAM 1 CANCEL']);
  });

  it('is no such window for a conversation, which waits for as long as its handler does', () => {
    const application = new TestApplication((stream) => {
      stream.takeTime();
      stream.respond(200, []);
      stream.write(Buffer.from('something to say'));
    });
    using wire = greeted(new Wire({}, application));
    wire.send(settingsFrame([4, 0]));
    wire.send(headers(1, request('POST', '/conversation'), OPEN_FOR_NOW));
    expect(pass(wire, 100)).toEqual([]);
    expect(wire.say(frame(TYPE.windowUpdate, 0, 1, uint32(100)))).toEqual(['DATA 1 16']);
  });

  it('is a peer that does not read', () => {
    using wire = greeted(new Wire({ pingIntervalMs: 1_000_000 }));
    wire.isStuck = true;
    wire.send(headers(1, request('GET', '/')));
    wire.scheduler.advance(30 * SECOND);
    expect(wire.destroyed).toBe(false);
    wire.scheduler.advance(SECOND);
    expect(wire.destroyed).toBe(true);
  });
});

describe('a peer that is not heard of', () => {
  it('is asked twice, and given up', () => {
    using wire = greeted(new Wire());
    wire.scheduler.advance(9 * SECOND);
    expect(wire.words()).toEqual([]);
    wire.scheduler.advance(SECOND);
    expect(wire.words()).toEqual(['PING']);
    wire.scheduler.advance(10 * SECOND);
    expect(wire.words()).toEqual(['PING']);
    wire.scheduler.advance(9 * SECOND);
    expect(wire.destroyed).toBe(false);
    wire.scheduler.advance(SECOND);
    expect(wire.destroyed).toBe(true);
  });

  it('but has much to read before it can answer, is given the time for it', () => {
    using wire = greeted(new Wire({ stallTimeoutMs: 1_000_000 }));
    wire.send(windowUpdate(0, 1_000_000), settingsFrame([4, 1_000_000]), headers(1, request('GET', '/big/655360')));
    wire.scheduler.advance(69 * SECOND);
    expect(wire.destroyed).toBe(false);
    wire.scheduler.advance(2 * SECOND);
    expect(wire.destroyed).toBe(true);
  });

  it('is one of very many, who are looked after a few at a time', () => {
    const scheduler = new ManualScheduler();
    const engine = new Engine(new TestApplication(), scheduler);
    const all = Array.from({ length: 700 }, () => new PassThrough());
    for (const one of all) engine.serve(one);
    const seen: number[] = [];
    // Has its turn between any two shares.
    const look = () => {
      seen.push(all.filter(({ destroyed }) => destroyed).length);
      if (seen.length < 4) scheduler.soon(look);
    };
    // None of them has said anything.
    scheduler.after(11 * SECOND, look);
    scheduler.advance(11 * SECOND);
    expect(seen).toEqual([256, 512, 700, 700]);
  });

  it('is kept for as long as it answers, until it has been idle for an hour', () => {
    using wire = greeted(new Wire());
    wire.send(headers(1, request('GET', '/')));
    expect(pass(wire, 3_600)).toEqual([]);
    expect(pass(wire, 1)).toEqual(['GOAWAY 2147483647 NO_ERROR']);
    expect(wire.say(ping('draining', FLAG.ack))).toEqual(['GOAWAY 1 NO_ERROR']);
    expect(wire.writableEnded).toBe(true);
  });

  it('is kept for as long as it watches', () => {
    using wire = greeted(new Wire());
    wire.send(headers(1, request('POST', '/grpc.health.v1.Health/Watch')));
    expect(pass(wire, 10_000)).toEqual([]);
    expect(wire.application.watchers).toHaveLength(1);
  });
});

describe('a graceful end', () => {
  it('serves what comes before the peer knows, finishes what is open, and nothing else', async () => {
    using wire = greeted(new Wire());
    wire.send(headers(1, request('POST', '/echo'), OPEN_FOR_NOW));
    await wire.settle();
    wire.frames();
    wire.engine.close();
    wire.engine.close();
    wire.scheduler.advance(0);
    expect(wire.words()).toEqual(['GOAWAY 2147483647 NO_ERROR', 'PING']);
    expect(wire.say(headers(3, request('GET', '/')))).toEqual(['HEADERS 3', 'DATA 3 12 END']);
    expect(wire.say(ping('draining', FLAG.ack))).toEqual(['GOAWAY 3 NO_ERROR']);
    // The block still counts: the table is one for all.
    const inserting = frame(
      TYPE.headers,
      FLAG.endHeaders | FLAG.endStream,
      5,
      Buffer.concat([block(request('GET', '/')), Buffer.from([0x40, 1, 97, 1, 98])]),
    );
    expect(wire.say(inserting, data(1, 'last'))).toEqual([]);
    await wire.settle();
    expect(wire.words()).toEqual(['DATA 1 4', 'HEADERS 1 END']);
    expect(wire.writableEnded).toBe(true);
    expect(wire.application.failures).toEqual([]);
  });

  it('never names a later stream than it has, not even in an error', () => {
    using wire = greeted(new Wire());
    wire.send(headers(1, request('POST', '/hold')));
    wire.engine.close();
    expect(wire.say(ping('draining', FLAG.ack))).toEqual(['GOAWAY 2147483647 NO_ERROR', 'PING', 'GOAWAY 1 NO_ERROR']);
    expect(wire.say(headers(3, request('GET', '/')), ping('short'))).toEqual(['GOAWAY 1 FRAME_SIZE_ERROR']);
  });

  it('does not wait for an answer to its PING for ever', () => {
    using wire = greeted(new Wire());
    wire.send(headers(1, request('POST', '/hold')));
    wire.engine.close();
    expect(pass(wire, 5)).toEqual(['GOAWAY 2147483647 NO_ERROR']);
    expect(pass(wire, 1)).toEqual(['GOAWAY 1 NO_ERROR']);
    expect(wire.say(resetFrame(1, CODE.cancel))).toEqual([]);
    expect(wire.writableEnded).toBe(true);
  });

  it('of a connection that has said nothing yet is its end', () => {
    using wire = new Wire();
    wire.engine.close();
    expect(wire.words()).toEqual([]);
    expect(wire.writableEnded).toBe(true);
  });

  it('follows the peer when it says GOAWAY', () => {
    using wire = greeted(new Wire());
    wire.send(headers(1, request('POST', '/hold')));
    const goaway = frame(TYPE.goaway, 0, 0, uint32(0, 0));
    expect(wire.say(goaway, goaway)).toEqual([]);
    expect(wire.say(headers(3, request('GET', '/')))).toEqual(['HEADERS 3', 'DATA 3 12 END']);
    // It knows.
    expect(wire.say(resetFrame(1, CODE.cancel))).toEqual([]);
    expect(wire.writableEnded).toBe(true);
  });

  it('comes in time: the numbers of streams end at 2^31', () => {
    using wire = greeted(new Wire());
    wire.send(headers(2 ** 30 + 1, request('GET', '/')));
    wire.scheduler.advance(0);
    expect(wire.words()).toEqual([]);
    expect(wire.say(ping('draining', FLAG.ack))).toEqual([`GOAWAY ${2 ** 30 + 1} NO_ERROR`]);
  });
});

describe('when it is over', () => {
  it('the peer may talk on for a moment, and nobody listens', () => {
    using wire = greeted(new Wire());
    wire.send(ping('short'));
    expect(wire.writableEnded).toBe(true);
    expect(wire.say(headers(1, request('GET', '/')))).toEqual([]);
    wire.scheduler.advance(499);
    expect(wire.destroyed).toBe(false);
    wire.scheduler.advance(1);
    expect(wire.destroyed).toBe(true);
  });

  it('what was answered still has the time for stalls to be taken, where nothing went wrong', async () => {
    using wire = greeted(new Wire());
    wire.isStuck = true;
    wire.say(headers(1, request('GET', '/')), frame(TYPE.goaway, 0, 0, uint32(0, 0)));
    expect(wire.writableEnded).toBe(true);
    const { totals } = wire.engine;
    expect(totals.unsentBytes).toBeGreaterThan(0);
    wire.scheduler.advance(29 * SECOND);
    expect(wire.destroyed).toBe(false);
    wire.unstick();
    await wire.settle();
    expect(totals.unsentBytes).toBe(0);
    wire.scheduler.advance(500);
    expect(wire.destroyed).toBe(true);

    using other = greeted(new Wire());
    other.isStuck = true;
    other.say(headers(1, request('GET', '/')), frame(TYPE.goaway, 0, 0, uint32(0, 0)));
    other.scheduler.advance(30 * SECOND);
    expect([other.destroyed, other.engine.totals.unsentBytes]).toEqual([true, 0]);
  });

  it('and is the first to go where all peers together take too little', () => {
    using wire = greeted(new Wire({ maxUnsentBytesInAll: 100_000 }));
    wire.isStuck = true;
    wire.say(
      headers(1, request('GET', '/big/90000')),
      frame(TYPE.goaway, 0, 0, uint32(0, 0)),
      windowUpdate(0, 90_000),
      windowUpdate(1, 90_000),
    );
    expect([wire.writableEnded, wire.destroyed]).toEqual([true, false]);
    using other = new Wire({}, wire.application, wire.engine);
    greeted(other).isStuck = true;
    other.say(headers(1, request('GET', '/big/60000')));
    expect([wire.destroyed, other.destroyed]).toEqual([true, false]);
  });

  it('but not for long', () => {
    using wire = greeted(new Wire());
    wire.send(ping('short'));
    wire.send(Buffer.alloc(300_000));
    expect(wire.destroyed).toBe(true);
  });

  it('handlers, watchers and whoever waits for a body are told, and no timer is left', async () => {
    const closed: number[] = [];
    const application = new TestApplication((stream) => {
      stream.onClose = (code) => closed.push(code);
    });
    using wire = greeted(new Wire({}, application));
    wire.send(
      headers(1, request('POST', '/hold')),
      headers(3, request('POST', '/grpc.health.v1.Health/Watch')),
      headers(5, request('POST', '/'), OPEN_FOR_NOW),
      headers(7, request('POST', '/'), OPEN_FOR_NOW),
    );
    expect(application.watchers).toHaveLength(1);
    wire.destroy();
    await wire.settle();
    expect(closed).toEqual([CODE.cancel]);
    expect(application.watchers).toEqual([]);
    expect(application.closedPeers).toBe(1);
    expect(wire.engine.connections.length).toBe(0);
    expect(wire.scheduler.open).toBe(0);
    // Nothing that is still done with them does anything.
    const [stream] = application.streams;
    stream?.respond(200, []);
    stream?.reset(CODE.cancel);
    expect(stream?.write(Buffer.from('x'))).toBe(false);
    expect(wire.bytes()).toEqual(Buffer.alloc(0));
  });

  it('also when all that is known is that something went wrong, as with TLS', async () => {
    using wire = greeted(new Wire());
    wire.emit('error', new Error('decryption failed or bad record mac'));
    await wire.settle();
    expect([wire.destroyed, wire.engine.connections.length]).toEqual([true, 0]);
  });

  it('also when the peer has just gone', async () => {
    using wire = greeted(new Wire());
    wire.send(headers(1, request('POST', '/hold')));
    wire.push(null);
    await wire.settle();
    expect(wire.application.closedPeers).toBe(1);
    wire.scheduler.advance(500);
    await wire.settle();
    expect(wire.engine.connections.length).toBe(0);
    expect(wire.scheduler.open).toBe(0);
  });
});
