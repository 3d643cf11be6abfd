import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import {
  block,
  CODE,
  data,
  FLAG,
  frame,
  framesIn,
  headers,
  hello,
  integer,
  inWords,
  ping,
  request,
  resetFrame,
  settingsAck,
  settingsFrame,
  string,
  TYPE,
  windowUpdate,
} from '../../support/http2-frames.ts';
import { Http2Room, Wire } from '../../support/http2-room.ts';
import { failOnLeaks } from '../../support/leaks.ts';

/** Floods: each ends with the code that says so, and leaves nothing. And the like that sound clients do, which must not. */

failOnLeaks();

const OPEN_FOR_NOW = FLAG.endHeaders;
const WATCH = request('POST', '/grpc.health.v1.Health/Watch');

type Piece = (i: number) => Buffer;

/** By what is sent again and again, after what is sent first. */
const FLOODS: Record<string, { readonly first?: Buffer; readonly piece: Piece; readonly reason: string }> = {
  'requests that are reset at once': {
    piece: (i) => Buffer.concat([headers(2 * i + 1, request('POST', '/hold')), resetFrame(2 * i + 1, CODE.cancel)]),
    reason: 'too many resets',
  },
  'requests that are reset before they are whole': {
    piece: (i) => Buffer.concat([headers(2 * i + 1, request('POST', '/'), OPEN_FOR_NOW), resetFrame(2 * i + 1, CODE.cancel)]),
    reason: 'too many resets',
  },
  'HEADERS after the end, so that we reset': {
    piece: (i) => Buffer.concat([headers(2 * i + 1, request('POST', '/hold')), headers(2 * i + 1, [['x', 'y']])]),
    reason: 'too many errors',
  },
  'DATA after the end': {
    piece: (i) => Buffer.concat([headers(2 * i + 1, request('POST', '/hold')), data(2 * i + 1, 'x')]),
    reason: 'too many errors',
  },
  'DATA beyond the content length': {
    piece: (i) =>
      Buffer.concat([
        headers(2 * i + 1, request('POST', '/hold', ['content-length', '1']), OPEN_FOR_NOW),
        data(2 * i + 1, 'xy', 0),
      ]),
    reason: 'too many errors',
  },
  'windows that become too large': {
    piece: (i) => Buffer.concat([headers(2 * i + 1, request('POST', '/hold')), windowUpdate(2 * i + 1, 2 ** 31 - 1)]),
    reason: 'too many errors',
  },
  'malformed requests': { piece: (i) => headers(2 * i + 1, request('GET', '/', ['connection', 'x'])), reason: 'too many errors' },
  'streams beyond the limit': {
    first: Buffer.concat(Array.from({ length: 1_000 }, (_, i) => headers(2 * i + 1, request('POST', '/hold'), OPEN_FOR_NOW))),
    piece: (i) => headers(2 * (i + 1_000) + 1, request('POST', '/hold'), OPEN_FOR_NOW),
    reason: 'too many resets',
  },
  'HEADERS on a stream that we have reset': {
    first: headers(1, request('POST', '/early'), OPEN_FOR_NOW),
    piece: () => headers(1, [['x', 'y']], OPEN_FOR_NOW),
    reason: 'too many errors',
  },
  'a header in endless pieces': {
    first: headers(1, request('GET', '/'), 0),
    piece: () => frame(TYPE.continuation, 0, 1, block([['x', 'y']])),
    reason: 'too many continuations',
  },
  'a header in endless empty pieces': {
    first: headers(1, request('GET', '/'), 0),
    piece: () => frame(TYPE.continuation, 0, 1),
    reason: 'too many continuations',
  },
  'a header in large pieces': {
    first: headers(1, request('GET', '/'), 0),
    piece: () => frame(TYPE.continuation, 0, 1, Buffer.alloc(16_000)),
    reason: 'header block too large',
  },
  'one large entry of the table, a thousand times': {
    first: frame(
      TYPE.headers,
      5,
      1,
      Buffer.concat([block(request('GET', '/')), Buffer.from([0x40]), string('a'), string('b'.repeat(4_000))]),
    ),
    piece: (i) =>
      frame(TYPE.headers, 5, 2 * i + 3, Buffer.concat([block(request('GET', '/')), Buffer.alloc(1_000, integer(0x80, 7, 62))])),
    reason: 'header list too large',
  },
  SETTINGS: { piece: () => settingsFrame([4, 100]), reason: 'too many settings' },
  'acknowledgements that nobody asked for': { piece: () => settingsAck, reason: 'too many errors' },
  'acknowledgements of PINGs that nobody sent': {
    piece: () => frame(TYPE.ping, FLAG.ack, 0, Buffer.alloc(8)),
    reason: 'too many errors',
  },
  PINGs: { piece: () => ping(), reason: 'too many pings' },
  PRIORITY: { piece: () => frame(TYPE.priority, 0, 9, Buffer.alloc(5)), reason: 'too many control frames' },
  WINDOW_UPDATEs: { piece: () => windowUpdate(0, 1), reason: 'too many control frames' },
  'RST_STREAM on what has ended': {
    first: headers(1, request('GET', '/')),
    piece: () => resetFrame(1, CODE.cancel),
    reason: 'too many control frames',
  },
  'unknown frames': { piece: () => frame(77, 0, 0, Buffer.alloc(100)), reason: 'too many unknown frames' },
  'empty DATA': {
    first: headers(1, request('POST', '/hold'), OPEN_FOR_NOW),
    piece: () => data(1, '', 0),
    reason: 'too many empty frames',
  },
  'DATA of nothing but padding': {
    first: headers(1, request('POST', '/hold'), OPEN_FOR_NOW),
    piece: () => frame(TYPE.data, FLAG.padded, 1, Buffer.from([0])),
    reason: 'too many empty frames',
  },
  'DATA of a byte': {
    first: headers(1, request('POST', '/hold'), OPEN_FOR_NOW),
    piece: () => data(1, 'x', 0),
    reason: 'too many small frames',
  },
};

const SOUND = { 'DATA of a byte before its end': 5_001, 'DATA of nothing before its end': 51 };

it.each(Object.entries(SOUND))('%s is no flood where a request comes with each', (name, times) => {
  using wire = new Wire();
  wire.send(FIRST_WORDS);
  const piece = name.includes('a byte') ? 'x' : '';
  for (let i = 0; i < times; i++) {
    const id = 2 * i + 1;
    wire.send(headers(id, request('POST', '/'), OPEN_FOR_NOW), data(id, piece, 0), data(id, ''));
  }
  expect([wire.writableEnded, wire.application.failures]).toEqual([false, []]);
  // After so many others have had their turn.
  wire.scheduler.advance(0);
});

it('WINDOW_UPDATEs of the connection have what waits looked at once for all that came with them', () => {
  using wire = new Wire();
  wire.send(hello([4, 0]), settingsAck, headers(1, request('GET', '/big/100')));
  const [stream] = wire.application.streams;
  if (stream === undefined) throw new Error('the request has no handler');
  let looks = 0;
  const unsent = new Proxy([...stream.unsent], {
    get(pieces, key) {
      if (key === '0') looks++;
      return Reflect.get(pieces, key);
    },
  });
  Object.defineProperty(stream, 'unsent', { value: unsent });
  wire.send(...Array.from({ length: 200 }, () => windowUpdate(0, 1)));
  expect(looks).toBe(1);
});

const FIRST_WORDS = Buffer.concat([hello(), settingsAck]);
const AT_MOST = 10_000;

describe.each(Object.entries(FLOODS))('a flood of %s', (_, { first = Buffer.alloc(0), piece, reason }) => {
  it('ends in ENHANCE_YOUR_CALM, and nothing is left', () => {
    using wire = new Wire();
    wire.send(FIRST_WORDS, first);
    let last: string | undefined;
    for (let i = 0; i < AT_MOST && !wire.writableEnded; i++) last = wire.say(piece(i)).at(-1) ?? last;
    expect(last).toMatch(/^GOAWAY \d+ ENHANCE_YOUR_CALM$/);
    expect(wire.application.failures).toEqual([`${CODE.calm} ${reason}`]);
    expect(wire.engine.totals.counts.get(reason)).toBe(1);
    expect(wire.application.closedPeers).toBe(1);
    wire.scheduler.advance(500);
    expect(wire.destroyed).toBe(true);
  });
});

it('every flood is ended within a second over sockets, whether the peer reads or not, and others are served', async () => {
  await using room = await Http2Room.open();
  for (const [name, { first = Buffer.alloc(0), piece, reason }] of Object.entries(FLOODS)) {
    for (const reads of [true, false]) {
      const socket = await dialed(room);
      if (reads) socket.resume();
      else socket.pause();
      const before = room.application.failures.length;
      socket.write(Buffer.concat([FIRST_WORDS, first]));
      const started = performance.now();
      socket.write(flood(piece));
      await expect.poll(() => room.application.failures.length, { interval: 5 }).toBe(before + 1);
      expect(performance.now() - started, name).toBeLessThan(ENDED_WITHIN_MS);
      expect(room.application.failures.at(-1), name).toBe(`${CODE.calm} ${reason}`);
      expect((await asked(room)).at(-1)).toBe('DATA 1 12 END');
      socket.destroy();
      await expect.poll(() => room.engine.connections.length, { interval: 5 }).toBe(0);
    }
  }
  expect(room.application.watchers).toEqual([]);
  expect(room.application.bugs).toEqual([]);
});

/** As many as it takes, and no more than can be held. */
function flood(piece: Piece): Buffer {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for (let i = 0; i < AT_MOST && bytes < 2_000_000; i++) {
    const next = piece(i);
    pieces.push(next);
    bytes += next.length;
  }
  return Buffer.concat(pieces);
}

/** A second is what is asked of a quiet machine; this one may be busy. */
const ENDED_WITHIN_MS = 5_000;

async function dialed(room: Http2Room): Promise<Socket> {
  const socket = connect(room.port, '127.0.0.1');
  socket.on('error', () => {});
  await once(socket, 'connect');
  return socket;
}

/** What another client is answered. */
async function asked(room: Http2Room): Promise<string[]> {
  const socket = await dialed(room);
  socket.write(Buffer.concat([FIRST_WORDS, headers(1, request('GET', '/'))]));
  let heard = Buffer.alloc(0);
  for await (const chunk of socket) {
    heard = Buffer.concat([heard, chunk]);
    const words = framesIn(heard).map(inWords);
    if (words.at(-1)?.endsWith('END')) return words;
  }
  return [];
}

it('a header in one piece is no larger than one in several may be', () => {
  using wire = new Wire({ maxHeaderBytes: 500 });
  wire.send(FIRST_WORDS);
  expect(wire.say(headers(1, request('GET', '/', ['x', 'y'.repeat(700)])))).toEqual(['HEADERS 1 END']);
  expect(wire.say(headers(3, request('GET', '/', ['x', 'y'.repeat(1_000)])))).toEqual(['GOAWAY 1 ENHANCE_YOUR_CALM']);
});

it.each([
  ['a thousand requests in a row', '/', 900, 200, 1],
  ['requests for a few handlers', '/nowhere', 10, 40, 2],
  ['requests for long answers', '/big/300000', 2, 40, 2],
])('a peer with %s gives way to others before the rest of what it has sent is read', (_, path, few, more, turns) => {
  using wire = new Wire();
  wire.begin(hello([4, 10_000_000]), settingsAck, windowUpdate(0, 10_000_000));
  const gets = (from: number, count: number) =>
    Buffer.concat(Array.from({ length: count }, (__, i) => headers(2 * (from + i) + 1, request('GET', path))));
  wire.begin(gets(0, few));
  expect(wire.isPaused()).toBe(false);
  const said = () => wire.words().filter((word) => word.startsWith('HEADERS')).length;
  let answered = said();
  expect(answered).toBe(few);
  wire.begin(gets(few, more));
  let others = 0;
  const haveTheirTurn = () => {
    if (!wire.isPaused()) return;
    others++;
    answered += said();
    expect(answered).toBeLessThan(few + more);
    wire.scheduler.soon(haveTheirTurn);
  };
  haveTheirTurn();
  wire.scheduler.advance(0);
  expect([wire.isPaused(), answered + said()]).toEqual([false, few + more]);
  expect(others).toBeGreaterThanOrEqual(turns);
});

it('a peer that takes nothing of what it asks for is not answered more', async () => {
  using wire = new Wire({ maxUnsentBytes: 100_000 });
  wire.begin(hello([4, 10_000_000]), settingsAck, windowUpdate(0, 10_000_000));
  wire.isStuck = true;
  wire.begin(...Array.from({ length: 50 }, (_, i) => headers(2 * i + 1, request('GET', '/big/20000'))));
  wire.scheduler.advance(0);
  expect(wire.application.streams.length).toBeLessThan(40);
  for (let second = 0; second < 25; second++) wire.scheduler.advance(1_000);
  expect(wire.writableEnded).toBe(false);
  wire.unstick();
  await wire.settle();
  expect(wire.application.streams).toHaveLength(50);
});

it('of a thousand calls that are ready at once for handlers of the usual way some are begun in a turn, and all in their order', () => {
  using wire = new Wire();
  wire.send(FIRST_WORDS);
  wire.begin(...Array.from({ length: 1_000 }, (_, i) => headers(2 * i + 1, request('GET', '/hold'))));
  const begun = () => wire.application.streams.map(({ id }) => id);
  expect(begun().length).toBeLessThan(64);
  wire.scheduler.advance(0);
  expect(begun()).toEqual(Array.from({ length: 1_000 }, (_, i) => 2 * i + 1));
});

it('ten thousand requests without a body hold no more than the limit', () => {
  using wire = new Wire({ maxResetsPerSecond: 25_000 });
  wire.send(FIRST_WORDS);
  const words: string[] = [];
  for (let i = 0; i < 10_000; i++) words.push(...wire.say(headers(2 * i + 1, request('POST', '/'), OPEN_FOR_NOW)));
  expect(words).toHaveLength(9_000);
  expect(new Set(words.map((word) => word.replace(/\d+/, 'N')))).toEqual(new Set(['RST_STREAM N REFUSED_STREAM']));
  wire.scheduler.advance(0);
});

it('a stream counts as open while its answer waits for a window', () => {
  using wire = new Wire({ maxStreamsPerConnection: 10 });
  wire.send(hello([4, 0]), settingsAck);
  const words: string[] = [];
  for (let i = 0; i < 11; i++) words.push(...wire.say(headers(2 * i + 1, request('GET', '/'))));
  expect(words.at(-1)).toBe('RST_STREAM 21 REFUSED_STREAM');
  // One that was refused can be asked again once there is room.
  expect(wire.say(windowUpdate(1, 100))).toEqual(['DATA 1 12 END']);
  expect(wire.say(headers(23, request('GET', '/')))).toEqual(['HEADERS 23']);
});

it('a stream counts as open while its handler works, though its peer has reset it', async () => {
  using wire = new Wire({ maxStreamsPerConnection: 10 });
  wire.send(hello(), settingsAck);
  for (let i = 0; i < 10; i++) {
    wire.send(headers(2 * i + 1, request('POST', '/echo'), OPEN_FOR_NOW));
    wire.send(resetFrame(2 * i + 1, CODE.cancel));
  }
  expect(wire.say(headers(21, request('POST', '/echo'), OPEN_FOR_NOW))).toEqual(['RST_STREAM 21 REFUSED_STREAM']);
  await wire.settle();
  expect(wire.say(headers(23, request('POST', '/echo'), OPEN_FOR_NOW))).toEqual(['HEADERS 23']);
});

describe('no flood is', () => {
  it('a client that gives up a thousand watches at once', () => {
    using wire = new Wire();
    wire.send(FIRST_WORDS);
    for (let i = 0; i < 1_000; i++) wire.send(headers(2 * i + 1, WATCH));
    expect(wire.application.watchers).toHaveLength(1_000);
    expect(wire.say(...Array.from({ length: 1_000 }, (_, i) => resetFrame(2 * i + 1, CODE.cancel)))).toEqual([]);
    expect(wire.application.watchers).toHaveLength(0);
  });

  it('a page that is loaded again while a hundred requests are under way', () => {
    using wire = new Wire();
    wire.send(FIRST_WORDS);
    for (let i = 0; i < 100; i++) wire.send(headers(2 * i + 1, request('GET', '/hold')));
    expect(wire.say(...Array.from({ length: 100 }, (_, i) => resetFrame(2 * i + 1, CODE.cancel)))).toEqual([]);
  });

  it.each<readonly [string, (id: number) => readonly Buffer[]]>([
    ['a PING and a WINDOW_UPDATE after every answer, as grpc-go sends', () => [windowUpdate(0, 12), ping()]],
    ['a WINDOW_UPDATE on a stream that has ended, as HAProxy sends', (id) => [windowUpdate(id, 12)]],
    ['RST_STREAM on a stream that has ended, as curl sends', (id) => [resetFrame(id, CODE.streamClosed), windowUpdate(0, 12)]],
    ['a WINDOW_UPDATE before the body, as C-core sends', (id) => [windowUpdate(id, 5), windowUpdate(0, 12)]],
  ])('%s', (_, more) => {
    using wire = new Wire();
    wire.send(FIRST_WORDS, windowUpdate(0, 2 ** 30));
    for (let i = 0; i < 5_000; i++) {
      const id = 2 * i + 1;
      const words = wire.say(headers(id, request('GET', '/')), ...more(id));
      expect(words[1]).toBe(`DATA ${id} 12 END`);
    }
    wire.scheduler.advance(0);
    expect(wire.application.failures).toEqual([]);
  });
});
