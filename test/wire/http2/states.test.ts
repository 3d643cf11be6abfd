import { describe, expect, it } from 'vitest';
import {
  block,
  CODE,
  data,
  type Field,
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
import { Wire } from '../../support/http2-room.ts';

/** What each frame does in each state of its stream (RFC 9113 section 5.1), with the code that it ends in. */

const OPEN_FOR_NOW = FLAG.endHeaders;

/** A connection whose peer has said what it must. */
function greeted(): Wire {
  const wire = new Wire();
  expect(wire.say(hello(), settingsAck)).toEqual(['SETTINGS', 'WINDOW_UPDATE 0 983041', 'SETTINGS ACK']);
  return wire;
}

/** It is as good as new: another request is answered. */
function isUsable(wire: Wire, id = 101): void {
  expect(wire.say(headers(id, request('GET', '/')))).toEqual([`HEADERS ${id}`, `DATA ${id} 12 END`]);
}

/** Nothing is said any more, and nothing is kept. */
function hasEnded(wire: Wire): void {
  expect(wire.writableEnded).toBe(true);
  expect(wire.say(headers(103, request('GET', '/')))).toEqual([]);
  expect(wire.application.closedPeers).toBe(1);
  wire.scheduler.advance(500);
  expect(wire.destroyed).toBe(true);
}

const STATES = {
  idle: [],
  open: [headers(1, request('POST', '/hold'), OPEN_FOR_NOW)],
  'open, for a prepared answer': [headers(1, request('POST', '/'), OPEN_FOR_NOW)],
  'half-closed (remote)': [headers(1, request('POST', '/hold'))],
  'half-closed (remote), the answer a number': [headers(1, request('POST', '/grpc.health.v1.Health/Watch'))],
  'closed, both have ended': [headers(1, request('GET', '/'))],
  'closed, reset by us': [headers(1, request('POST', '/early'), OPEN_FOR_NOW)],
  'closed, reset by the peer': [headers(1, request('POST', '/hold'), OPEN_FOR_NOW), resetFrame(1, CODE.cancel)],
} as const;

const FRAMES = {
  'HEADERS that end it': headers(1, [['x-trailer', '1']]),
  'HEADERS that do not': headers(1, [['x-trailer', '1']], OPEN_FOR_NOW),
  'DATA that end it': data(1, 'abc'),
  'DATA that do not': data(1, 'abc', 0),
  RST_STREAM: resetFrame(1, CODE.cancel),
  WINDOW_UPDATE: windowUpdate(1, 100),
  PRIORITY: frame(TYPE.priority, 0, 1, Buffer.from([0, 0, 0, 3, 7])),
  CONTINUATION: frame(TYPE.continuation, FLAG.endHeaders, 1, block([['x-trailer', '1']])),
} as const;

type Expected = Record<keyof typeof FRAMES, readonly string[]>;

const C_PROTOCOL = ['GOAWAY 1 PROTOCOL_ERROR'];
const C_CLOSED = ['GOAWAY 1 STREAM_CLOSED'];
const S_PROTOCOL = ['RST_STREAM 1 PROTOCOL_ERROR'];
const S_CLOSED = ['RST_STREAM 1 STREAM_CLOSED'];
const ON_IDLE = ['GOAWAY 0 PROTOCOL_ERROR'];
/** Nothing to be said. */
const FINE: readonly string[] = [];
const ANYWHERE = { PRIORITY: FINE, CONTINUATION: C_PROTOCOL };
const LATE = { RST_STREAM: FINE, WINDOW_UPDATE: FINE, ...ANYWHERE };

const TABLE: Record<keyof typeof STATES, Expected> = {
  idle: {
    // A request without a method.
    'HEADERS that end it': S_PROTOCOL,
    'HEADERS that do not': S_PROTOCOL,
    'DATA that end it': ON_IDLE,
    'DATA that do not': ON_IDLE,
    RST_STREAM: ON_IDLE,
    WINDOW_UPDATE: ON_IDLE,
    PRIORITY: FINE,
    CONTINUATION: ON_IDLE,
  },
  open: {
    'HEADERS that end it': FINE,
    'HEADERS that do not': S_PROTOCOL,
    'DATA that end it': FINE,
    'DATA that do not': FINE,
    ...LATE,
  },
  'open, for a prepared answer': {
    'HEADERS that end it': ['HEADERS 1', 'DATA 1 12 END'],
    'HEADERS that do not': S_PROTOCOL,
    'DATA that end it': ['HEADERS 1', 'DATA 1 12 END'],
    'DATA that do not': FINE,
    ...LATE,
  },
  'half-closed (remote)': {
    'HEADERS that end it': S_CLOSED,
    'HEADERS that do not': S_CLOSED,
    'DATA that end it': S_CLOSED,
    'DATA that do not': S_CLOSED,
    ...LATE,
  },
  'half-closed (remote), the answer a number': {
    'HEADERS that end it': S_CLOSED,
    'HEADERS that do not': S_CLOSED,
    'DATA that end it': S_CLOSED,
    'DATA that do not': S_CLOSED,
    ...LATE,
  },
  'closed, both have ended': {
    'HEADERS that end it': C_CLOSED,
    'HEADERS that do not': C_CLOSED,
    'DATA that end it': C_CLOSED,
    'DATA that do not': C_CLOSED,
    ...LATE,
  },
  'closed, reset by us': {
    'HEADERS that end it': FINE,
    'HEADERS that do not': FINE,
    'DATA that end it': FINE,
    'DATA that do not': FINE,
    ...LATE,
  },
  'closed, reset by the peer': {
    'HEADERS that end it': C_CLOSED,
    'HEADERS that do not': C_CLOSED,
    'DATA that end it': S_CLOSED,
    'DATA that do not': S_CLOSED,
    ...LATE,
  },
};

// The keys of the tables above.
describe.each(Object.keys(TABLE) as (keyof typeof TABLE)[])('on a stream that is %s', (state) => {
  it.each(Object.keys(FRAMES) as (keyof typeof FRAMES)[])('%s', (name) => {
    using wire = greeted();
    wire.send(...STATES[state]);
    const expected = TABLE[state][name];
    expect(wire.say(FRAMES[name])).toEqual(expected);
    if (expected[0]?.startsWith('GOAWAY')) hasEnded(wire);
    else isUsable(wire);
    expect(wire.application.bugs).toEqual([]);
  });
});

it.each(['/', '/hold', '/grpc.health.v1.Health/Watch'])(
  'the window of a stream of %s that becomes too large ends the stream',
  (path) => {
    using wire = greeted();
    wire.send(headers(1, request('POST', path), path === '/' ? OPEN_FOR_NOW : FLAG.endHeaders | FLAG.endStream));
    expect(wire.say(windowUpdate(1, 2 ** 31 - 1))).toEqual(['RST_STREAM 1 FLOW_CONTROL_ERROR']);
    expect(wire.application.watchers).toEqual([]);
    isUsable(wire);
  },
);

it('a stream that was skipped is closed, and never was open', () => {
  using wire = greeted();
  wire.send(headers(5, request('GET', '/')));
  expect(wire.say(headers(3, request('GET', '/')))).toEqual(['GOAWAY 5 PROTOCOL_ERROR']);
  hasEnded(wire);
});

it('the first stream need not be number 1', () => {
  using wire = greeted();
  isUsable(wire, 3);
  isUsable(wire, 13);
});

const PRIORITY_ON_ITSELF = frame(TYPE.priority, 0, 1, Buffer.from([0, 0, 0, 1, 7]));
const prioritized = (id: number, dependency: number) =>
  frame(
    TYPE.headers,
    FLAG.endHeaders | FLAG.endStream | FLAG.priority,
    id,
    Buffer.concat([uint32(dependency), Buffer.from([15]), block(request('GET', '/'))]),
  );
const padded = (type: number, flags: number, pad: number, payload: Buffer, zeros = pad) =>
  frame(type, flags | FLAG.padded, 1, Buffer.concat([Buffer.from([pad]), payload, Buffer.alloc(zeros)]));
const HOLD = headers(1, request('POST', '/hold'), OPEN_FOR_NOW);
const WINDOW_ZERO = settingsFrame([4, 0]);

describe('a connection error', () => {
  it.each<readonly [string, readonly Buffer[], string]>([
    ['a frame that is too large', [frame(99, 0, 0, Buffer.alloc(16_385))], 'GOAWAY 0 FRAME_SIZE_ERROR'],
    ['another frame inside a header block', [headers(1, request('GET', '/'), 0), ping()], 'GOAWAY 0 PROTOCOL_ERROR'],
    ['an unknown frame inside a header block', [headers(1, request('GET', '/'), 0), frame(99, 0, 0)], 'GOAWAY 0 PROTOCOL_ERROR'],
    [
      'a continuation of another stream',
      [headers(1, request('GET', '/'), 0), frame(TYPE.continuation, FLAG.endHeaders, 3)],
      'GOAWAY 0 PROTOCOL_ERROR',
    ],
    [
      'CONTINUATION after a header that has ended',
      [HOLD, frame(TYPE.continuation, FLAG.endHeaders, 1)],
      'GOAWAY 1 PROTOCOL_ERROR',
    ],
    ['PUSH_PROMISE', [frame(TYPE.pushPromise, FLAG.endHeaders, 1, uint32(2))], 'GOAWAY 0 PROTOCOL_ERROR'],
    ['DATA on no stream', [data(0, 'x')], 'GOAWAY 0 PROTOCOL_ERROR'],
    ['DATA on an even stream', [HOLD, data(2, 'x')], 'GOAWAY 1 PROTOCOL_ERROR'],
    [
      'DATA of nothing but padding that is too long',
      [HOLD, padded(TYPE.data, 0, 4, Buffer.from('abc'), 0)],
      'GOAWAY 1 PROTOCOL_ERROR',
    ],
    ['DATA too short for their flags', [HOLD, frame(TYPE.data, FLAG.padded, 1)], 'GOAWAY 1 FRAME_SIZE_ERROR'],
    ['HEADERS on no stream', [headers(0, request('GET', '/'))], 'GOAWAY 0 PROTOCOL_ERROR'],
    ['HEADERS on an even stream', [headers(2, request('GET', '/'))], 'GOAWAY 0 PROTOCOL_ERROR'],
    ['HEADERS too short for their flags', [frame(TYPE.headers, 0x2c, 1, Buffer.alloc(5))], 'GOAWAY 0 FRAME_SIZE_ERROR'],
    ['HEADERS with too much padding', [padded(TYPE.headers, 5, 9, Buffer.from('abc'), 0)], 'GOAWAY 0 PROTOCOL_ERROR'],
    ['HEADERS of a stream that depends on itself', [prioritized(1, 1)], 'GOAWAY 0 PROTOCOL_ERROR'],
    ['PRIORITY on no stream', [frame(TYPE.priority, 0, 0, Buffer.alloc(5))], 'GOAWAY 0 PROTOCOL_ERROR'],
    ['PRIORITY of a wrong length', [frame(TYPE.priority, 0, 1, Buffer.alloc(4))], 'GOAWAY 0 FRAME_SIZE_ERROR'],
    ['PRIORITY of a stream that depends on itself', [PRIORITY_ON_ITSELF], 'GOAWAY 0 PROTOCOL_ERROR'],
    ['RST_STREAM on no stream', [resetFrame(0, 0)], 'GOAWAY 0 PROTOCOL_ERROR'],
    ['RST_STREAM of a wrong length', [HOLD, frame(TYPE.reset, 0, 1, Buffer.alloc(3))], 'GOAWAY 1 FRAME_SIZE_ERROR'],
    ['SETTINGS on a stream', [frame(TYPE.settings, 0, 1)], 'GOAWAY 0 PROTOCOL_ERROR'],
    ['SETTINGS of a wrong length', [frame(TYPE.settings, 0, 0, Buffer.alloc(5))], 'GOAWAY 0 FRAME_SIZE_ERROR'],
    ['an acknowledgement that says something', [frame(TYPE.settings, FLAG.ack, 0, Buffer.alloc(6))], 'GOAWAY 0 FRAME_SIZE_ERROR'],
    ['ENABLE_PUSH of 2', [settingsFrame([2, 2])], 'GOAWAY 0 PROTOCOL_ERROR'],
    ['INITIAL_WINDOW_SIZE of 2^31', [settingsFrame([4, 2 ** 31])], 'GOAWAY 0 FLOW_CONTROL_ERROR'],
    ['MAX_FRAME_SIZE of 16,383', [settingsFrame([5, 16_383])], 'GOAWAY 0 PROTOCOL_ERROR'],
    ['MAX_FRAME_SIZE of 2^24', [settingsFrame([5, 2 ** 24])], 'GOAWAY 0 PROTOCOL_ERROR'],
    [
      'more settings than there are',
      [settingsFrame(...Array.from({ length: 33 }, () => [9, 9] as const))],
      'GOAWAY 0 ENHANCE_YOUR_CALM',
    ],
    ['PING on a stream', [frame(TYPE.ping, 0, 1, Buffer.alloc(8))], 'GOAWAY 0 PROTOCOL_ERROR'],
    ['PING of a wrong length', [ping('1234567')], 'GOAWAY 0 FRAME_SIZE_ERROR'],
    ['GOAWAY on a stream', [frame(TYPE.goaway, 0, 1, Buffer.alloc(8))], 'GOAWAY 0 PROTOCOL_ERROR'],
    ['GOAWAY too short', [frame(TYPE.goaway, 0, 0, Buffer.alloc(7))], 'GOAWAY 0 FRAME_SIZE_ERROR'],
    ['WINDOW_UPDATE of a wrong length', [frame(TYPE.windowUpdate, 0, 0, Buffer.alloc(3))], 'GOAWAY 0 FRAME_SIZE_ERROR'],
    ['WINDOW_UPDATE of nothing', [windowUpdate(0, 0)], 'GOAWAY 0 PROTOCOL_ERROR'],
    ['WINDOW_UPDATE of nothing on a stream', [HOLD, windowUpdate(1, 0)], 'GOAWAY 1 PROTOCOL_ERROR'],
    ['a window of the connection that is too large', [windowUpdate(0, 2 ** 31 - 1)], 'GOAWAY 0 FLOW_CONTROL_ERROR'],
    [
      'a window of a stream that SETTINGS make too large',
      [WINDOW_ZERO, HOLD, windowUpdate(1, 2 ** 31 - 1), settingsFrame([4, 1])],
      'GOAWAY 1 FLOW_CONTROL_ERROR',
    ],
  ])('%s', (_, frames, expected) => {
    using wire = greeted();
    const said = wire.say(...frames).filter((word) => word !== 'SETTINGS ACK');
    expect(said).toEqual([expected]);
    hasEnded(wire);
  });
});

describe('before anything else', () => {
  it('what is not HTTP/2 is not answered at all', () => {
    using wire = new Wire();
    expect(wire.say(Buffer.from('PRI * HTTP/1'))).toEqual([]);
    expect(wire.writableEnded).toBe(true);
    expect(wire.application.failures).toEqual(['1 not HTTP/2']);
  });

  it.each<readonly [string, Buffer]>([
    ['a frame other than SETTINGS', ping()],
    ['an acknowledgement', settingsAck],
  ])('%s as the first frame is an error', (_, first) => {
    using wire = new Wire();
    expect(wire.say(PREFACE, first)).toEqual(['GOAWAY 0 PROTOCOL_ERROR']);
    hasEnded(wire);
  });
});

describe('what is no mistake', () => {
  it.each<readonly [string, readonly Buffer[], readonly string[]]>([
    ['unknown frames', [frame(99, 0xff, 7, Buffer.alloc(16_384))], []],
    ['unknown settings, and repeated ones', [settingsFrame([99, 1], [4, 1], [4, 65_535])], ['SETTINGS ACK']],
    ['flags and bits that mean nothing', [frame(TYPE.ping, 0xfe, 2 ** 31, Buffer.from('12345678'))], ['PING ACK 12345678']],
    ['an answer to a PING that was not sent', [ping('whatever', FLAG.ack)], []],
    ['a stream that depends on another', [prioritized(1, 99)], ['HEADERS 1', 'DATA 1 12 END']],
    ['padding of all kinds', [padded(TYPE.headers, 5, 200, block(request('GET', '/')))], ['HEADERS 1', 'DATA 1 12 END']],
    ['DATA of nothing but padding', [HOLD, padded(TYPE.data, 0, 200, Buffer.alloc(0))], []],
    [
      'a header in pieces, empty ones too',
      [
        headers(1, request('GET', '/').slice(0, 2), FLAG.endStream),
        frame(TYPE.continuation, 0, 1),
        frame(TYPE.continuation, FLAG.endHeaders, 1, block(request('GET', '/').slice(2))),
      ],
      ['HEADERS 1', 'DATA 1 12 END'],
    ],
  ])('%s', (_, frames, expected) => {
    using wire = greeted();
    expect(wire.say(...frames)).toEqual(expected);
    isUsable(wire);
  });
});

describe('a malformed request is a stream error', () => {
  const without = (name: string): Field[] => request('GET', '/').filter(([other]) => other !== name);
  it.each<readonly [string, readonly Field[]]>([
    ['a capital in a name', request('GET', '/', ['X-Test', '1'])],
    ['an empty name', request('GET', '/', ['', '1'])],
    ['a blank in a name', request('GET', '/', ['x test', '1'])],
    ['a line break in a value', request('GET', '/', ['x-test', '1\n2'])],
    ['a NUL in a value', request('GET', '/', ['x-test', '1\x002'])],
    ['a blank before a value', request('GET', '/', ['x-test', ' 1'])],
    ['a tab after a value', request('GET', '/', ['x-test', '1\t'])],
    ['no method', without(':method')],
    ['no scheme', without(':scheme')],
    ['no path', without(':path')],
    ['an empty path', request('GET', '')],
    ['a path from nowhere', request('GET', 'nowhere')],
    ['an asterisk without OPTIONS', request('GET', '*')],
    ['a method twice', request('GET', '/', [':method', 'GET'])],
    ['two methods in a row', [[':method', 'GET'], ...request('GET', '/')]],
    ['a path twice', [...without(':path'), [':path', '/'], [':path', '/']]],
    ['an authority twice', [[':authority', 'a'], ...request('GET', '/')]],
    ['a blank in the authority', [...without(':authority'), [':authority', 'a b']]],
    ['an authority without end', [...without(':authority'), [':authority', 'a'.repeat(513)]]],
    ['a pseudo field after others', [...without(':path'), ['x-test', '1'], [':path', '/']]],
    ['an unknown pseudo field', [[':what', '1'], ...request('GET', '/')]],
    ['a pseudo field of answers', [[':status', '200'], ...request('GET', '/')]],
    ['connection', request('GET', '/', ['connection', 'close'])],
    ['proxy-connection', request('GET', '/', ['proxy-connection', 'close'])],
    ['keep-alive', request('GET', '/', ['keep-alive', '1'])],
    ['transfer-encoding', request('GET', '/', ['transfer-encoding', 'chunked'])],
    ['upgrade', request('GET', '/', ['upgrade', 'h2c'])],
    ['te of something else', request('GET', '/', ['te', 'gzip'])],
    ['a content length and no content', request('GET', '/', ['content-length', '1'])],
    ['a content length that is no number', request('GET', '/', ['content-length', '+0'])],
    ['two content lengths', request('GET', '/', ['content-length', '0'], ['content-length', '1'])],
    ['CONNECT with a path', request('CONNECT', '/')],
  ])('%s', (_, fields) => {
    using wire = greeted();
    expect(wire.say(headers(1, fields))).toEqual(['RST_STREAM 1 PROTOCOL_ERROR']);
    expect(wire.application.streams).toEqual([]);
    isUsable(wire);
  });

  it.each<readonly [string, string, readonly Buffer[]]>([
    ['more content than was said', '3', [data(1, 'abcd')]],
    ['more content in parts', '3', [data(1, 'abc', 0), data(1, 'd', 0)]],
    ['less content', '3', [data(1, 'ab', 0), data(1, '')]],
    ['less content before trailers', '3', [data(1, 'ab', 0), headers(1, [['x-trailer', '1']])]],
  ])('%s', (_, length, frames) => {
    for (const path of ['/', '/hold']) {
      using wire = greeted();
      expect(wire.say(headers(1, request('POST', path, ['content-length', length]), OPEN_FOR_NOW), ...frames)).toEqual([
        'RST_STREAM 1 PROTOCOL_ERROR',
      ]);
      isUsable(wire);
    }
  });

  it.each<readonly [string, readonly Field[]]>([
    ['a pseudo field', [[':path', '/']]],
    ['a capital', [['X-Trailer', '1']]],
    ['a field of the connection', [['connection', 'close']]],
  ])('trailers with %s', (_, trailers) => {
    for (const path of ['/', '/hold']) {
      using wire = greeted();
      expect(wire.say(headers(1, request('POST', path), OPEN_FOR_NOW), headers(1, trailers))).toEqual([
        'RST_STREAM 1 PROTOCOL_ERROR',
      ]);
      isUsable(wire);
    }
  });
});

describe('a request that is sound', () => {
  it.each<readonly [string, readonly Field[]]>([
    [
      'the name of a cluster as its authority, as Envoy sends it',
      [...request('GET', '/').slice(0, 3), [':authority', 'outbound|80||orders.ns.svc']],
    ],
    ['no authority', request('GET', '/').slice(0, 3)],
    ['its pseudo fields in another order', [...request('GET', '/')].reverse()],
    ['te of trailers, however it is spelled', request('GET', '/', ['te', 'Trailers'])],
    ['the same content length twice', request('GET', '/', ['content-length', '0'], ['content-length', '0'])],
    ['bytes beyond ASCII in a value', request('GET', '/', ['x-test', '\xe4\xff'])],
    ['an empty value', request('GET', '/', ['x-test', ''])],
    ['two hundred fields', request('GET', '/', ...Array.from({ length: 196 }, (_, i) => [`x-${i}`, ''] as const))],
  ])('%s', (_, fields) => {
    using wire = greeted();
    expect(wire.say(headers(1, fields))).toEqual(['HEADERS 1', 'DATA 1 12 END']);
  });

  it('CONNECT is answered that there is none', () => {
    using wire = greeted();
    expect(
      wire.say(
        headers(1, [
          [':method', 'CONNECT'],
          [':authority', 'a:1'],
        ]),
      ),
    ).toEqual(['HEADERS 1 END']);
    expect(
      wire.say(
        headers(
          3,
          [
            [':method', 'CONNECT'],
            [':authority', 'a:1'],
          ],
          OPEN_FOR_NOW,
        ),
      ),
    ).toEqual(['HEADERS 3 END', 'RST_STREAM 3 NO_ERROR']);
    isUsable(wire);
  });

  it.each<readonly [string, readonly Field[]]>([
    ['too many fields', request('GET', '/', ...Array.from({ length: 197 }, (_, i) => [`x-${i}`, ''] as const))],
    ['too long a value', request('GET', '/', ['x-test', 'x'.repeat(16_200)])],
  ])('%s are answered 431, and the table stays right', (_, fields) => {
    using wire = new Wire({ maxHeaderBytes: 16_384 });
    wire.send(hello(), settingsAck);
    const [answer] = wire.send(headers(1, fields));
    expect(answer).toMatchObject({ type: TYPE.headers, flags: FLAG.endHeaders | FLAG.endStream });
    expect(answer?.payload.includes('431')).toBe(true);
    isUsable(wire);
  });

  it('one that was reset in the same breath never gets to a handler', () => {
    using wire = greeted();
    expect(wire.say(HOLD, resetFrame(1, CODE.cancel))).toEqual([]);
    expect(wire.application.streams).toEqual([]);
  });
});
