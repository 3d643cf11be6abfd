import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  block,
  CODE,
  data,
  type Field,
  FLAG,
  frame,
  headers,
  hello,
  integer,
  PREFACE,
  ping,
  request,
  resetFrame,
  settingsFrame,
  string,
  TYPE,
  windowUpdate,
} from '../support/http2-frames.ts';
import { Attacked } from './attacked.ts';
import { Attacker, type Setting } from './attacker.ts';

/**
 * What is known to hurt servers of HTTP, done to a real process: whoever asks honestly meanwhile is answered, whoever does it is ended, and
 * nothing is left. What it is ended with is said in `test/wire/http2/attacks.test.ts`.
 */

const CHECK = '/grpc.health.v1.Health/Check';
const WATCH = '/grpc.health.v1.Health/Watch';
const GRPC: Field = ['content-type', 'application/grpc'];
const OPEN = FLAG.endHeaders;
/** Asks for "". */
const QUESTION = Buffer.alloc(5);
const NO_WINDOW: Setting = [4, 0];

/** These wait for half a minute else, which is no other matter. */
const SHORTER = ['--body-timeout', '5000', '--stall-timeout', '4000'];
const ENDED_WITHIN_MS = 1_000;
const ATTACKERS = 4;

let room: Attacked;
beforeAll(async () => {
  room = await Attacked.start(SHORTER);
});
afterAll(() => room?.[Symbol.asyncDispose]());
const main = () => room.bridge.listeners.main;

const idOf = (i: number) => 2 * i + 1;
const asks = (i: number, path: string, ...more: readonly Field[]) => headers(idOf(i), request('POST', path, GRPC, ...more), OPEN);

interface Flood {
  readonly piece: (i: number) => Buffer;
  readonly first?: Buffer;
  readonly settings?: readonly Setting[];
  readonly unread?: true;
  /** Pieces, so that it does not take longer to make them than to find out. */
  readonly most?: number;
}

/** A header in frames of the size that everybody takes. */
function longHeader(id: number, fields: readonly Field[]): Buffer {
  const bytes = block(fields);
  const frames: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += 16_384) {
    const flags = (at === 0 ? FLAG.endStream : 0) | (at + 16_384 >= bytes.length ? FLAG.endHeaders : 0);
    frames.push(frame(at === 0 ? TYPE.headers : TYPE.continuation, flags, id, bytes.subarray(at, at + 16_384)));
  }
  return Buffer.concat(frames);
}

const LONG_FIELD: Field = ['x', 'y'.repeat(60_000)];
const TRAILERS = Array.from({ length: 100 }, (_, i): Field => [`x${i}`, 'y'.repeat(100)]);
const LARGE_ENTRY = Buffer.concat([Buffer.from([0x40]), string('a'), string('b'.repeat(4_000))]);
const NEWEST_ENTRY = integer(0x80, 7, 62);

const FLOODS: Readonly<Record<string, Flood>> = {
  'calls that are reset at once': { piece: (i) => Buffer.concat([asks(i, CHECK), resetFrame(idOf(i), CODE.cancel)]) },
  'requests that are whole, and reset at once': {
    piece: (i) =>
      Buffer.concat([headers(idOf(i), request('GET', '/nacos/v1/ns/service/list')), resetFrame(idOf(i), CODE.cancel)]),
  },
  'more DATA than was said, so that the server resets': {
    piece: (i) => Buffer.concat([asks(i, WATCH, ['content-length', '1']), data(idOf(i), 'xy', 0)]),
  },
  'windows that become too large, so that the server resets': {
    piece: (i) => Buffer.concat([asks(i, WATCH), windowUpdate(idOf(i), 2 ** 31 - 1)]),
  },
  'HEADERS after the end, so that the server resets': {
    piece: (i) => Buffer.concat([asks(i, WATCH), data(idOf(i), QUESTION), headers(idOf(i), [['x', 'y']])]),
  },
  'a header in endless pieces': {
    first: headers(1, request('GET', '/'), 0),
    piece: () => frame(TYPE.continuation, 0, 1, block([['x', 'y']])),
  },
  'PINGs, without reading': { unread: true, piece: () => ping() },
  'SETTINGS, without reading': { unread: true, piece: () => settingsFrame([4, 100]) },
  'empty DATA': { first: asks(0, '/nacos/v1/ns/instance'), piece: () => data(1, '', 0) },
  'ten thousand requests by half': { most: 10_000, piece: (i) => asks(i, CHECK) },
  'answers under a window of none': {
    settings: [NO_WINDOW],
    piece: (i) => headers(idOf(i), request('GET', '/health/honest')),
  },
  'Watches under a window of none': {
    settings: [NO_WINDOW],
    piece: (i) => Buffer.concat([asks(i, WATCH), data(idOf(i), QUESTION)]),
  },
  'one large entry of the table, a thousand times in each header': {
    first: frame(TYPE.headers, FLAG.endHeaders | FLAG.endStream, 1, Buffer.concat([block(request('GET', '/')), LARGE_ENTRY])),
    piece: (i) => {
      const bomb = Buffer.concat([block(request('GET', '/')), Buffer.alloc(1_000, NEWEST_ENTRY)]);
      return frame(TYPE.headers, FLAG.endHeaders | FLAG.endStream, idOf(i + 1), bomb);
    },
  },
  'headers of 60 KB': { most: 1_000, piece: (i) => longHeader(idOf(i), [...request('GET', '/health/honest'), LONG_FIELD]) },
  'long trailers': { piece: (i) => Buffer.concat([asks(i, CHECK), headers(idOf(i), TRAILERS)]) },
};
const MOST = 20_000;

describe('whoever sends', () => {
  it.each(Object.entries(FLOODS))('%s is ended within a second', async (_, flood) => {
    const { piece, first = Buffer.alloc(0), settings = [], unread, most = MOST } = flood;
    await room.bears(async () => {
      const before = room.descriptors;
      const greeting = Array.from({ length: ATTACKERS }, () => Attacker.greet(main(), unread === undefined, ...settings));
      const attackers = await Promise.all(greeting);
      const elapsed = room.stopwatch();
      for (const { socket } of attackers) socket.write(first);
      await Promise.all(attackers.map((attacker) => attacker.flood(piece, most)));
      await room.untilDescriptors(before, 10_000);
      expect(elapsed()).toBeLessThan(ENDED_WITHIN_MS);
      for (const attacker of attackers) attacker[Symbol.dispose]();
    });
  });
});

it('hundreds of connections that are ended for resets leave nothing behind', async () => {
  await room.bears(async () => {
    const flood = Buffer.concat(
      Array.from({ length: 300 }, (_, i) => FLOODS['calls that are reset at once']?.piece(i) ?? QUESTION),
    );
    for (let i = 0; i < 6; i++) {
      const attackers = await Promise.all(Array.from({ length: 50 }, () => Attacker.greet(main())));
      for (const { socket } of attackers) socket.write(flood);
      await Promise.all(attackers.map((attacker) => attacker.ended()));
    }
  });
});

it('calls that are given up between the request and its answer do no harm', async () => {
  const paths = [
    '/health/honest',
    '/nacos/v1/ns/service/list?pageNo=1&pageSize=10',
    '/nacos/v1/ns/catalog/services?withInstances=true',
  ];
  await room.bears(async () => {
    for (let i = 0; i < 60; i++) {
      using attacker = await Attacker.greet(main());
      const ids = paths.map((_, j) => idOf(j));
      const asked = paths.map((path, j) => headers(idOf(j), request('GET', path)));
      attacker.socket.write(Buffer.concat([...asked, ...ids.map((id) => resetFrame(id, CODE.cancel)), ping()]));
      await expect.poll(() => attacker.words, { interval: 2 }).toContain('PING ACK 12345678');
    }
  });
});

it('a protocol error of a peer that leaves at once holds no socket', async () => {
  await room.bears(async () => {
    const before = room.descriptors;
    for (let i = 0; i < 200; i++) {
      const { socket } = await Attacker.greet(main());
      socket.end(frame(TYPE.data, 0, 0, Buffer.from('x')), () => socket.destroy());
    }
    const elapsed = room.stopwatch();
    await room.untilDescriptors(before, 10_000);
    expect(elapsed()).toBeLessThan(ENDED_WITHIN_MS);
  });
});

it('a request that is answered before it is read is reset at once, and its connection goes on', async () => {
  await room.bears(async () => {
    for (const [path, length] of [
      ['/nacos/v1/ns/instance', '10000000'],
      ['/grpc.health.v1.Health/Nothing', '1000000'],
    ] as const) {
      using attacker = await Attacker.greet(main());
      const elapsed = room.stopwatch();
      attacker.socket.write(Buffer.concat([asks(0, path, ['content-length', length]), data(1, Buffer.alloc(10_000), 0)]));
      await expect.poll(() => attacker.words, { interval: 5, timeout: 10_000 }).toContain('RST_STREAM 1 NO_ERROR');
      expect(elapsed()).toBeLessThan(ENDED_WITHIN_MS);
      attacker.socket.write(headers(3, request('GET', '/livez')));
      await expect.poll(() => attacker.words, { interval: 5 }).toContain('HEADERS 3');
    }
  });
});

it('five thousand Watches that are told nothing, over connections that may have them, do no harm', async () => {
  await room.bears(async () => {
    const attackers = await Promise.all(Array.from({ length: 5 }, () => Attacker.greet(main(), true, NO_WINDOW)));
    const watches = Array.from({ length: 1_000 }, (_, i) => Buffer.concat([asks(i, WATCH), data(idOf(i), QUESTION)]));
    for (const { socket } of attackers) socket.write(Buffer.concat([...watches, ping()]));
    for (const attacker of attackers) await expect.poll(() => attacker.words, { timeout: 10_000 }).toContain('PING ACK 12345678');
    expect(attackers.map(({ isClosed }) => isClosed)).toEqual(attackers.map(() => false));
    for (const attacker of attackers) attacker[Symbol.dispose]();
  });
});

/** What they say, a byte a second, and how long it may be until they are ended: a look once a second is part of it. */
const SLOW: Readonly<Record<string, { readonly says: Buffer; readonly first?: Buffer; readonly withinMs: number }>> = {
  nothing: { says: Buffer.alloc(0), withinMs: 11_500 },
  'a preface': { says: PREFACE, withinMs: 11_500 },
  'SETTINGS, behind a preface': { first: PREFACE, says: settingsFrame([3, 100], [4, 70_000]), withinMs: 11_500 },
  'a header of HTTP/1.1': { says: Buffer.from(`GET / HTTP/1.1\r\nHost: a\r\nX: ${'y'.repeat(100)}`), withinMs: 12_500 },
  'a frame': { first: hello(), says: headers(1, request('GET', '/')), withinMs: 13_500 },
  'a body of HTTP/1.1': {
    first: Buffer.from('POST /nacos/v1/ns/instance HTTP/1.1\r\nHost: a\r\nContent-Length: 10000\r\n\r\n'),
    says: Buffer.alloc(1_000, 'x'),
    withinMs: 12_500,
  },
};

it('whoever says something a byte a second is ended in time, whatever it is', async () => {
  await room.bears(async () => {
    const ends = Object.entries(SLOW).map(async ([name, { first = Buffer.alloc(0), says, withinMs }]) => {
      using attacker = await Attacker.dial(main());
      const elapsed = room.stopwatch();
      attacker.socket.write(first);
      let at = 0;
      // What is too slow is told by a clock.
      const saying = setInterval(() => attacker.socket.write(says.subarray(at, ++at)), 1_000);
      await attacker.ended();
      clearInterval(saying);
      expect(elapsed(), name).toBeLessThan(withinMs);
    });
    await Promise.all([...ends, slowBody()]);
  });
});

/** Of HTTP/2 only the call ends. */
async function slowBody(): Promise<void> {
  using attacker = await Attacker.greet(main());
  const elapsed = room.stopwatch();
  attacker.socket.write(headers(1, request('POST', '/nacos/v1/ns/instance'), OPEN));
  const saying = setInterval(() => attacker.socket.write(data(1, 'x', 0)), 1_000);
  await expect.poll(() => attacker.words, { timeout: 20_000 }).toContain('RST_STREAM 1 CANCEL');
  clearInterval(saying);
  expect(elapsed()).toBeLessThan(8_500);
}
