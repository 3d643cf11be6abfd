import { describe, expect, it } from 'vitest';
import { exchanges } from '../../support/http2-exchanges.ts';
import {
  block,
  bordersIn,
  data,
  FLAG,
  frame,
  framesIn,
  headers,
  hello,
  inWords,
  PREFACE,
  ping,
  request,
  resetFrame,
  settingsAck,
  settingsFrame,
  TYPE,
  windowUpdate,
} from '../../support/http2-frames.ts';
import { Wire } from '../../support/http2-room.ts';

/** However an exchange is cut, it is the same exchange. */

const OPEN_FOR_NOW = FLAG.endHeaders;

/** One of our own, with a frame of every kind. */
const OURS = Buffer.concat([
  hello([4, 5], [1, 0]),
  settingsAck,
  headers(1, request('GET', '/').slice(0, 1), FLAG.endStream),
  frame(TYPE.continuation, 0, 1, block(request('GET', '/').slice(1, 3))),
  frame(TYPE.continuation, FLAG.endHeaders, 1, block(request('GET', '/').slice(3))),
  headers(3, request('POST', '/echo'), OPEN_FOR_NOW),
  headers(5, request('POST', '/'), OPEN_FOR_NOW),
  frame(TYPE.priority, 0, 7, Buffer.from([0, 0, 0, 3, 9])),
  data(3, 'abcdefgh', 0),
  frame(TYPE.data, FLAG.padded, 5, Buffer.concat([Buffer.from([3]), Buffer.from('body'), Buffer.alloc(3)])),
  data(5, 'more', 0),
  ping(),
  windowUpdate(1, 100),
  settingsFrame([4, 1_000]),
  data(3, 'ij', 0),
  headers(3, [['x-trailer', '1']]),
  headers(5, [['x-trailer', '2']]),
  frame(99, 0, 0, Buffer.from('unknown')),
  headers(9, request('POST', '/hold'), OPEN_FOR_NOW),
  resetFrame(9, 8),
  headers(11, request('POST', '/early'), OPEN_FOR_NOW),
  headers(13, request('POST', '/grpc.health.v1.Health/Watch')),
]);

const ALL = [...exchanges, { client: 'ourselves', what: 'a frame of every kind', bytes: OURS }];

/** What is said on each stream, in order; handlers may be faster or slower on others. */
async function answersTo(pieces: readonly Buffer[]): Promise<Record<number, string[]>> {
  using wire = new Wire();
  const said: Record<number, string[]> = {};
  const take = () => {
    for (const each of wire.frames()) {
      const words = said[each.id] ?? [];
      said[each.id] = words;
      words.push(each.id === 0 ? inWords(each) : `${inWords(each)} ${each.payload.toString('hex')}`);
    }
  };
  for (const piece of pieces) {
    wire.connection.receive(piece);
    take();
  }
  await wire.settle();
  take();
  expect(wire.application.bugs).toEqual([]);
  expect(wire.application.failures).toEqual([]);
  return said;
}

/** The streams that the client resets itself: whether they are answered before depends on how its bytes come. */
function givenUp(bytes: Buffer): string[] {
  return framesIn(bytes.subarray(PREFACE.length)).flatMap(({ type, id }) => (type === TYPE.reset ? [`${id}`] : []));
}

/** DATA may be cut elsewhere where a handler was given a body in other pieces. */
function joined(said: Record<number, string[]>, without: readonly string[]): unknown {
  return Object.fromEntries(
    Object.entries(said)
      .filter(([id]) => !without.includes(id))
      .map(([id, words]) => {
        const bodies = words.filter((word) => word.startsWith('DATA')).map((word) => word.split(' ').at(-1) ?? '');
        const others = words.filter((word) => !word.startsWith('DATA'));
        return [id, [...others, bodies.filter((hex) => /^[0-9a-f]+$/.test(hex) && hex !== 'END').join('')]];
      }),
  );
}

describe.each(ALL)('$client: $what', ({ bytes }) => {
  const without = givenUp(bytes);
  const answers = async (pieces: readonly Buffer[]) => joined(await answersTo(pieces), without);

  it('is answered the same when it is cut in two at any byte', async () => {
    const whole = await answers([bytes]);
    for (let at = 1; at < bytes.length; at++) {
      const cut = await answers([bytes.subarray(0, at), bytes.subarray(at)]);
      expect(cut, `cut at ${at}`).toEqual(whole);
    }
  });

  it('is answered the same byte by byte, and frame by frame', async () => {
    const whole = await answers([bytes]);
    expect(await answers(Array.from(bytes, (_, i) => bytes.subarray(i, i + 1)))).toEqual(whole);
    const frames = bytes.subarray(PREFACE.length);
    const borders = [...bordersIn(frames), frames.length].map((at) => at + PREFACE.length);
    expect(await answers([0, ...borders].map((at, i, all) => bytes.subarray(at, all[i + 1])))).toEqual(whole);
  });

  it('is no trouble when it breaks off at any byte', () => {
    for (let at = 0; at < bytes.length; at++) {
      const wire = new Wire();
      wire.send(bytes.subarray(0, at));
      wire.connection.destroy();
      expect(wire.application.bugs).toEqual([]);
      expect(wire.application.failures).toEqual([]);
      expect(wire.application.closedPeers).toBe(1);
      expect(wire.application.watchers).toEqual([]);
    }
  });
});
