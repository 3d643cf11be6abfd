import { describe, expect, it } from 'vitest';
import {
  CODE,
  data,
  FLAG,
  type Frame,
  frame,
  headers,
  hello,
  inWords,
  request,
  resetFrame,
  settingsAck,
  settingsFrame,
  TYPE,
  windowUpdate,
} from '../../support/http2-frames.ts';
import { GONE, TestApplication, Wire } from '../../support/http2-room.ts';

/** Flow control both ways (RFC 9113 sections 5.2 and 6.9). */

const OPEN_FOR_NOW = FLAG.endHeaders;
const WATCH = request('POST', '/grpc.health.v1.Health/Watch');
const CHECK = request('POST', '/grpc.health.v1.Health/Check');

function greeted(wire: Wire, ...settings: readonly (readonly [number, number])[]): Wire {
  wire.send(hello(...settings), settingsAck);
  return wire;
}

const dataIn = (frames: readonly Frame[]): number =>
  frames.reduce((sum, { type, payload }) => sum + (type === TYPE.data ? payload.length : 0), 0);

describe('what we send', () => {
  it('waits for the window of its stream, and its trailers wait behind it', () => {
    using wire = greeted(new Wire(), [4, 0]);
    expect(wire.say(headers(1, CHECK))).toEqual(['HEADERS 1']);
    expect(wire.say(windowUpdate(1, 5))).toEqual(['DATA 1 5']);
    expect(wire.say(windowUpdate(1, 100))).toEqual(['DATA 1 2', 'HEADERS 1 END']);
    expect(wire.say(headers(3, request('GET', '/nothing')))).toEqual(['HEADERS 3']);
    expect(wire.say(settingsFrame([4, 100]))).toEqual(['SETTINGS ACK', 'DATA 3 20 END']);
  });

  it('counts updates that came before the answer was there', () => {
    using wire = greeted(new Wire(), [4, 0]);
    expect(wire.say(headers(1, CHECK, OPEN_FOR_NOW), windowUpdate(1, 7), data(1, ''))).toEqual([
      'HEADERS 1',
      'DATA 1 7',
      'HEADERS 1 END',
    ]);
  });

  it('waits for the window of the connection, which SETTINGS do not touch', () => {
    using wire = greeted(new Wire(), [4, 1_000_000]);
    expect(dataIn(wire.send(headers(1, request('GET', '/big/60000'))))).toBe(60_000);
    expect(dataIn(wire.send(headers(3, request('GET', '/big/60000'))))).toBe(5_535);
    expect(wire.say(settingsFrame([4, 2_000_000]))).toEqual(['SETTINGS ACK']);
    expect(wire.say(headers(5, CHECK))).toEqual(['HEADERS 5']);
    expect(wire.say(windowUpdate(0, 10)).filter((word) => !word.startsWith('HEADERS'))).toEqual(['DATA 3 10']);
    expect(dataIn(wire.send(windowUpdate(0, 100_000)))).toBe(60_000 - 5_545 + 7);
  });

  it('waits out a window that SETTINGS have made negative', () => {
    using wire = greeted(new Wire(), [4, 40_000]);
    expect(dataIn(wire.send(headers(1, request('GET', '/big/60000'))))).toBe(40_000);
    expect(wire.say(settingsFrame([4, 10]))).toEqual(['SETTINGS ACK']);
    expect(wire.say(windowUpdate(1, 39_990))).toEqual([]);
    expect(wire.say(windowUpdate(1, 3))).toEqual(['DATA 1 3']);
    expect(dataIn(wire.send(settingsFrame([4, 40_000])))).toBe(60_000 - 40_003);
  });

  it('is said in turn when several wait', () => {
    using wire = greeted(new Wire(), [4, 0]);
    for (const id of [1, 3, 5]) wire.send(headers(id, request('GET', '/big/40000')));
    const said = wire.say(windowUpdate(0, 200_000), settingsFrame([4, 100_000])).filter((word) => word.startsWith('DATA'));
    expect(said.slice(0, 6)).toEqual([
      'DATA 1 16384',
      'DATA 3 16384',
      'DATA 5 16384',
      'DATA 1 16384',
      'DATA 3 16384',
      'DATA 5 16384',
    ]);
  });

  it('is forgotten when its stream is reset while it waits', () => {
    using wire = greeted(new Wire(), [4, 0]);
    wire.send(headers(1, CHECK));
    expect(wire.say(resetFrame(1, CODE.cancel), windowUpdate(0, 100), settingsFrame([4, 1_000]))).toEqual(['SETTINGS ACK']);
  });

  it('of a watch is not said at all while there is no window, and the latest when there is', () => {
    using wire = greeted(new Wire(), [4, 10]);
    expect(wire.say(headers(1, WATCH))).toEqual(['HEADERS 1', 'DATA 1 7']);
    expect(wire.application.flip()).toBe(1);
    wire.scheduler.advance(0);
    expect(wire.words()).toEqual([]);
    expect(wire.application.writables).toBe(0);
    wire.send(windowUpdate(1, 4));
    expect(wire.application.writables).toBe(1);
    expect(wire.application.flip()).toBe(0);
    wire.scheduler.advance(0);
    expect(wire.words()).toEqual(['DATA 1 7']);
  });

  it('waits for a socket that takes no more, but for what is short', () => {
    using wire = greeted(new Wire(), [4, 2 ** 31 - 1]);
    wire.send(windowUpdate(0, 1_000_000_000));
    wire.isStuck = true;
    wire.send(headers(1, request('GET', '/big/1000000')));
    expect(wire.writableLength).toBeLessThan(300_000);
    const before = wire.writableLength;
    wire.send(headers(3, request('POST', '/hold')), frame(TYPE.ping, 0, 0, Buffer.from('12345678')));
    expect(wire.writableLength).toBe(before + 17);
  });

  it('to a peer that reads nothing stops us from reading it', () => {
    using wire = greeted(new Wire({ maxUnsentBytes: 10_000 }));
    wire.isStuck = true;
    wire.send(...Array.from({ length: 60 }, () => frame(TYPE.ping, 0, 0, Buffer.from('12345678'))));
    expect(wire.isPaused()).toBe(false);
    for (let i = 0; i < 10; i++) wire.send(headers(2 * i + 1, request('GET', '/big/2000')));
    expect(wire.isPaused()).toBe(true);
  });
});

describe('what we are sent', () => {
  it('is given back for the connection when it is read, and for the stream when it is taken', async () => {
    const taken: number[] = [];
    const application = new TestApplication((stream) => {
      stream.onReadable = () => {
        taken.push(stream.unread.length);
      };
    });
    using wire = greeted(new Wire({ streamWindowBytes: 100_000, connectionWindowBytes: 200_000 }, application));
    wire.send(headers(1, request('POST', '/taken'), OPEN_FOR_NOW));
    const sixteen = data(1, Buffer.alloc(16_384), 0);
    expect(wire.say(...Array.from({ length: 6 }, () => sixteen))).toEqual([]);
    const [stream] = application.streams;
    expect(stream?.window).toBe(100_000 - 6 * 16_384);
    for (let i = 0; i < 4; i++) stream?.read();
    wire.scheduler.advance(0);
    expect(wire.words()).toEqual(['WINDOW_UPDATE 1 65536']);
    expect(wire.say(sixteen)).toEqual([`WINDOW_UPDATE 0 ${7 * 16_384}`]);
    expect(taken).not.toEqual([]);
  });

  it('ends a stream when it is more than its window, and the connection when it is more than that', () => {
    using wire = greeted(new Wire({ streamWindowBytes: 20_000, connectionWindowBytes: 1_000_000 }));
    wire.send(headers(1, request('POST', '/hold'), OPEN_FOR_NOW));
    const sixteen = data(1, Buffer.alloc(16_384), 0);
    expect(wire.say(sixteen, sixteen)).toEqual(['RST_STREAM 1 FLOW_CONTROL_ERROR']);
    using other = greeted(new Wire({ connectionWindowBytes: 65_535 }));
    other.send(headers(1, request('POST', '/hold'), OPEN_FOR_NOW));
    // Never more than half of it is owed.
    expect(other.say(sixteen, sixteen, sixteen)).toEqual(['WINDOW_UPDATE 0 32768']);
  });

  it('counts with its padding, which is given back', () => {
    using wire = greeted(new Wire({ streamWindowBytes: 10_000 }));
    wire.send(headers(1, request('POST', '/echo'), OPEN_FOR_NOW));
    const padding = Buffer.concat([Buffer.from([255, 1]), Buffer.alloc(255)]);
    const pad = frame(TYPE.data, FLAG.padded, 1, padding);
    const [stream] = wire.application.streams;
    const words = Array.from({ length: 30 }, () => wire.say(pad)).flat();
    // Nobody has taken anything yet: it is the padding of twenty, and the bytes that say how much.
    expect(words).toEqual([`WINDOW_UPDATE 1 ${20 * 256}`]);
    expect(stream?.window).toBe(10_000 - 30 * 257 + 20 * 256);
  });

  it('goes on counting for the connection after we have reset the stream', () => {
    using wire = greeted(new Wire({ connectionWindowBytes: 65_536 }));
    expect(wire.say(headers(1, request('POST', '/early'), OPEN_FOR_NOW))).toEqual([
      'HEADERS 1',
      'DATA 1 5',
      'DATA 1 0 END',
      'RST_STREAM 1 NO_ERROR',
    ]);
    const sixteen = data(1, Buffer.alloc(16_384), 0);
    expect(wire.say(sixteen, sixteen, sixteen, sixteen)).toEqual(['WINDOW_UPDATE 0 32768', 'WINDOW_UPDATE 0 32768']);
  });

  it('of a request for a prepared answer may come in parts, and be too long for that', async () => {
    using wire = greeted(new Wire());
    const part = data(1, 'x'.repeat(10_000), 0);
    wire.send(headers(1, request('POST', '/second-thoughts'), OPEN_FOR_NOW), part);
    expect(wire.application.streams).toHaveLength(0);
    wire.send(part, data(1, 'x'));
    expect(wire.application.streams).toHaveLength(1);
    await wire.settle();
    const frames = wire.frames();
    expect(dataIn(frames)).toBe(20_001);
    expect(frames.map(inWords).at(-1)).toBe('HEADERS 1 END');
  });

  it('of a request for a prepared answer goes to a handler in the middle, if its application will not wait', async () => {
    using wire = greeted(new Wire());
    wire.send(headers(1, request('POST', '/no-waiting'), OPEN_FOR_NOW));
    expect(wire.application.streams).toHaveLength(0);
    expect(wire.say(data(1, 'some', 0))).toEqual(['HEADERS 1']);
    expect(wire.application.streams).toHaveLength(1);
    wire.send(data(1, 'more'));
    await wire.settle();
    expect(dataIn(wire.frames())).toBe(8);
  });

  it('all together is bounded, whatever the windows of the streams', () => {
    using wire = greeted(new Wire({ maxUnreadBytes: 100_000 }));
    for (let id = 1; id <= 5; id += 2) wire.send(headers(id, request('POST', '/hold'), OPEN_FOR_NOW));
    const words: string[] = [];
    for (let i = 0; i < 9; i++) words.push(...wire.say(data(1 + 2 * (i % 3), Buffer.alloc(16_000), 0)));
    expect(words[0]).toBe('RST_STREAM 1 ENHANCE_YOUR_CALM');
  });

  it.each(['/', '/hold'])('on all connections together is bounded too: %s', (path) => {
    using wire = greeted(new Wire({ maxUnreadBytesInAll: 20_000 }));
    const { totals } = wire.engine;
    const words = wire.say(headers(1, request('POST', path), OPEN_FOR_NOW));
    const header = totals.unreadBytes;
    expect(header).toBeGreaterThan(0);
    words.push(...wire.say(data(1, Buffer.alloc(8_000), 0)));
    for (let id = 3; id <= 5; id += 2)
      words.push(...wire.say(headers(id, request('POST', path), OPEN_FOR_NOW), data(id, Buffer.alloc(8_000), 0)));
    expect(words).toEqual(['RST_STREAM 5 ENHANCE_YOUR_CALM']);
    expect(totals.unreadBytes).toBe(2 * (8_000 + header));
    wire.send(resetFrame(1, CODE.cancel));
    expect(totals.unreadBytes).toBe(8_000 + header);
    wire.connection.destroy();
    expect(totals.unreadBytes).toBe(0);
  });

  it('counts with its header, until it is answered', () => {
    using wire = greeted(new Wire({ maxUnreadBytes: 20_000 }));
    const large = (id: number, path: string) =>
      wire.say(headers(id, request('POST', path, ['x', 'y'.repeat(8_000)]), OPEN_FOR_NOW));
    expect([...large(1, '/'), ...large(3, '/hold')]).toEqual([]);
    expect(large(5, '/')).toEqual(['RST_STREAM 5 ENHANCE_YOUR_CALM']);
    expect(wire.say(data(1, ''))).toEqual(['HEADERS 1', 'DATA 1 12 END']);
    expect(large(7, '/hold')).toEqual([]);
    wire.send(resetFrame(3, CODE.cancel), resetFrame(7, CODE.cancel));
    expect(wire.engine.totals.unreadBytes).toBe(0);
  });

  it('in many short pieces is kept in few', () => {
    using wire = greeted(new Wire());
    wire.send(headers(1, request('POST', '/hold'), OPEN_FOR_NOW));
    const header = wire.engine.totals.unreadBytes;
    for (let i = 0; i < 1_000; i++) wire.send(data(1, String.fromCharCode(97 + (i % 26)), 0));
    const [stream] = wire.application.streams;
    expect(stream?.unread.length).toBeLessThanOrEqual(64);
    let body = '';
    for (let chunk = stream?.read(); chunk; chunk = stream?.read()) body += Buffer.from(chunk).toString();
    expect(body).toBe('abcdefghijklmnopqrstuvwxyz'.repeat(39).slice(0, 1_000));
    expect(wire.engine.totals.unreadBytes).toBe(header);
  });
});

describe('an answer', () => {
  it('that is whole before its request ends with NO_ERROR at once', () => {
    using wire = greeted(new Wire());
    expect(wire.say(headers(1, request('POST', '/early'), OPEN_FOR_NOW))).toEqual([
      'HEADERS 1',
      'DATA 1 5',
      'DATA 1 0 END',
      'RST_STREAM 1 NO_ERROR',
    ]);
    expect(wire.say(data(1, 'late', 0), data(1, 'later'))).toEqual([]);
  });

  it('tells a peer with a smaller header table that it is not used, once', () => {
    using wire = greeted(new Wire(), [1, 100]);
    const [first] = wire.send(headers(1, request('GET', '/')));
    expect(first?.payload[0]).toBe(0x20);
    const [second] = wire
      .send(settingsFrame([1, 0]), headers(3, request('GET', '/')))
      .filter(({ type }) => type === TYPE.headers);
    expect(second?.payload[0]).toBe(0x88);
  });

  it('that stays open tells it with its trailers, if those are what comes next', () => {
    using wire = greeted(new Wire());
    wire.send(headers(1, request('POST', '/grpc.health.v1.Health/Watch')), settingsFrame([1, 0]));
    const [[peer, id] = []] = wire.application.watchers;
    peer?.finish(id ?? 0, GONE);
    wire.scheduler.advance(0);
    const [trailers] = wire.frames();
    expect(trailers).toMatchObject({ type: TYPE.headers, flags: FLAG.endHeaders | FLAG.endStream, id: 1 });
    expect(trailers?.payload[0]).toBe(0x20);
  });

  it('to expect: 100-continue begins when the body is asked for', async () => {
    using wire = greeted(new Wire());
    const [only] = wire.send(headers(1, request('POST', '/echo', ['expect', '100-continue']), OPEN_FOR_NOW));
    // `echo` begins its answer before it reads: nothing is to be continued then.
    expect(only?.payload.includes('100')).toBe(false);
    const application = new TestApplication(async (stream) => {
      for await (const chunk of stream.body()) void chunk;
      stream.respond(204, [], true);
    });
    using other = greeted(new Wire({}, application));
    const [interim] = other.send(headers(1, request('POST', '/', ['expect', '100-continue']), OPEN_FOR_NOW));
    expect(interim).toMatchObject({ type: TYPE.headers, flags: FLAG.endHeaders });
    expect(interim?.payload.includes('100')).toBe(true);
    other.send(data(1, 'body'));
    await other.settle();
    expect(other.words()).toEqual(['HEADERS 1 END']);
  });

  it('with a long header goes out in several frames', () => {
    const application = new TestApplication((stream) => stream.respond(200, [['x-long', 'y'.repeat(40_000)]], true));
    using wire = greeted(new Wire({}, application));
    const frames = wire.send(headers(1, request('GET', '/long')));
    expect(frames.map(({ type, flags }) => [type, flags])).toEqual([
      [TYPE.headers, FLAG.endStream],
      [TYPE.continuation, 0],
      [TYPE.continuation, FLAG.endHeaders],
    ]);
  });

  it('that stays open is a number: pieces, and an end with trailers', () => {
    using wire = greeted(new Wire());
    wire.send(headers(1, WATCH), headers(3, WATCH));
    wire.application.flip();
    for (const [peer, id] of wire.application.watchers) peer.finish(id, GONE);
    expect(wire.words()).toEqual([]);
    wire.scheduler.advance(0);
    // One write.
    expect(wire.words()).toEqual(['DATA 1 7', 'DATA 3 7', 'HEADERS 1 END', 'HEADERS 3 END']);
    wire.application.flip();
    wire.scheduler.advance(0);
    expect(wire.words()).toEqual([]);
  });

  it('that throws ends its stream, and no other', async () => {
    const bug = new Error('a bug');
    const application = new TestApplication((stream) => {
      if (stream.path === '/throws') throw bug;
      return Promise.reject(bug);
    });
    using wire = greeted(new Wire({}, application));
    expect(wire.say(headers(1, request('GET', '/throws')))).toEqual(['RST_STREAM 1 INTERNAL_ERROR']);
    wire.send(headers(3, request('GET', '/rejects')));
    await wire.settle();
    expect(wire.words()).toEqual(['RST_STREAM 3 INTERNAL_ERROR']);
    expect(application.bugs).toEqual([bug, bug]);
    expect(wire.say(headers(5, request('GET', '/')))).toEqual(['HEADERS 5', 'DATA 5 12 END']);
  });
});

it('a body that is broken off is no body', async () => {
  const ends: string[] = [];
  const application = new TestApplication(async (stream) => {
    try {
      for await (const chunk of stream.body()) void chunk;
      ends.push('whole');
    } catch (error) {
      ends.push(String(error));
    }
  });
  using wire = greeted(new Wire({}, application));
  wire.send(headers(1, request('POST', '/body'), OPEN_FOR_NOW), data(1, 'abc', 0));
  await wire.settle();
  wire.send(resetFrame(1, CODE.cancel));
  wire.send(headers(3, request('POST', '/body'), OPEN_FOR_NOW), data(3, 'abc', 0));
  wire.connection.destroy();
  wire.send(headers(5, request('POST', '/body')));
  await wire.settle();
  expect(ends.map((end) => end.replace('Error: ', ''))).toEqual([
    'the stream was closed with code 8',
    'the stream was closed with code 8',
  ]);
});
