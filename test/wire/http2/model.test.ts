import { expect, it } from 'vitest';
import {
  block,
  data,
  type Field,
  FLAG,
  type Frame,
  frame,
  framesIn,
  headers,
  hello,
  inWords,
  ping,
  request,
  resetFrame,
  settingsAck,
  settingsFrame,
  TYPE,
  uint32,
  windowUpdate,
} from '../../support/http2-frames.ts';
import { Dice } from '../../support/http2-fuzz.ts';
import { Wire } from '../../support/http2-room.ts';
import { randomRuns } from '../../support/random.ts';

/**
 * Random frames, to the engine and to a plain model beside it that keeps everything it has seen: both must say the same, frame by frame.
 * The model has no fast way, no pools and no shared buffers; it answers four paths.
 */

type Kind = 'prepared' | 'held' | 'watch';

interface ModelStream {
  readonly kind: Kind;
  /** The peer has ended its side. */
  received: boolean;
  length: number | undefined;
  body: number;
  credit: number;
  /** Of the answer; undefined before there is one. */
  left: number | undefined;
}

const HELLO_BYTES = 12;
const FLIP_BYTES = 7;
const MAX = 2 ** 31 - 1;
const PATHS: Readonly<Record<string, Kind>> = { '/': 'prepared', '/hold': 'held', '/grpc.health.v1.Health/Watch': 'watch' };
const MAX_STREAMS = 6;

class ModelError extends Error {}

class Model {
  said: string[] = [];
  isOver = false;
  lastId = 0;
  initial = 65_535;
  window = 65_535;
  readonly streams = new Map<number, ModelStream>();
  /** How a stream ended that we did not reset. */
  readonly ended = new Map<number, 'whole' | 'reset'>();
  /** What we have reset, until its peer has ended it too. */
  readonly reset = new Set<number>();
  received = 0;

  take({ type, flags, id, payload }: Frame): string[] {
    this.said = [];
    if (this.isOver) return [];
    try {
      this.#frame(type, flags, id, payload);
    } catch (error) {
      if (!(error instanceof ModelError)) throw error;
      this.isOver = true;
      this.said.push(`GOAWAY ${this.lastId} ${error.message}`);
    }
    return this.said;
  }

  #frame(type: number, flags: number, id: number, payload: Buffer): void {
    const ends = (flags & FLAG.endStream) !== 0;
    if (type === TYPE.headers) this.#headers(id, ends, fieldsIn(payload));
    else if (type === TYPE.data) this.#data(id, ends, payload.length);
    else if (type === TYPE.reset) this.#reset(id);
    else if (type === TYPE.windowUpdate) this.#update(id, payload.readUInt32BE(0));
    else if (type === TYPE.settings && (flags & FLAG.ack) === 0) {
      this.initial = payload.readUInt32BE(2);
      if (this.initial > MAX || [...this.streams.values()].some(({ credit }) => credit + this.initial > MAX)) {
        throw new ModelError('FLOW_CONTROL_ERROR');
      }
      this.said.push('SETTINGS ACK');
      this.#send();
    } else if (type === TYPE.ping && (flags & FLAG.ack) === 0) this.said.push(`PING ACK ${payload.toString('latin1')}`);
  }

  #headers(id: number, ends: boolean, fields: readonly Field[]): void {
    if (id % 2 === 0) throw new ModelError('PROTOCOL_ERROR');
    const stream = this.streams.get(id);
    if (id > this.lastId) {
      this.#request(id, ends, new Map(fields));
    } else if (stream && !stream.received) {
      const isWhole = stream.length === undefined || stream.length === stream.body;
      if (!ends || fields.some(([name]) => name.startsWith(':')) || !isWhole) this.#fault(id, 'PROTOCOL_ERROR', ends);
      else this.#whole(id, stream);
    } else if (stream) {
      this.#fault(id, 'STREAM_CLOSED');
    } else if (!this.reset.has(id)) {
      throw new ModelError(this.ended.has(id) ? 'STREAM_CLOSED' : 'PROTOCOL_ERROR');
    } else if (ends) {
      this.reset.delete(id);
    }
  }

  #request(id: number, ends: boolean, fields: ReadonlyMap<string, string>): void {
    this.lastId = id;
    const kind = PATHS[fields.get(':path') ?? ''];
    const said = fields.get('content-length');
    const length = said === undefined ? undefined : Number(said);
    const stream: ModelStream = { kind: kind ?? 'held', received: false, length, body: 0, credit: 0, left: undefined };
    if (kind === undefined || (ends && (length ?? 0) > 0)) this.#fault(id, 'PROTOCOL_ERROR', ends);
    else if (this.streams.size >= MAX_STREAMS) this.#fault(id, 'REFUSED_STREAM', ends);
    else {
      this.streams.set(id, stream);
      if (ends) this.#whole(id, stream);
    }
  }

  #data(id: number, ends: boolean, bytes: number): void {
    if (id % 2 === 0 || id > this.lastId) throw new ModelError('PROTOCOL_ERROR');
    this.received += bytes;
    if (this.received >= 524_288) {
      this.said.push(`WINDOW_UPDATE 0 ${this.received}`);
      this.received = 0;
    }
    const stream = this.streams.get(id);
    if (stream && !stream.received) {
      stream.body += bytes;
      const isWrong = stream.length !== undefined && (ends ? stream.body !== stream.length : stream.body > stream.length);
      if (isWrong) this.#fault(id, 'PROTOCOL_ERROR', ends);
      else if (ends) this.#whole(id, stream);
    } else if (stream) this.#fault(id, 'STREAM_CLOSED');
    else if (this.reset.has(id)) {
      if (ends) this.reset.delete(id);
    } else if (this.ended.get(id) === 'whole') throw new ModelError('STREAM_CLOSED');
    else this.#fault(id, 'STREAM_CLOSED', ends);
  }

  #reset(id: number): void {
    if (id % 2 === 0 || id > this.lastId) throw new ModelError('PROTOCOL_ERROR');
    if (this.streams.delete(id)) this.ended.set(id, 'reset');
    else this.reset.delete(id);
  }

  #update(id: number, increment: number): void {
    if (id !== 0 && (id % 2 === 0 || id > this.lastId)) throw new ModelError('PROTOCOL_ERROR');
    if (increment === 0) throw new ModelError('PROTOCOL_ERROR');
    if (id === 0) {
      this.window += increment;
      if (this.window > MAX) throw new ModelError('FLOW_CONTROL_ERROR');
      this.#send();
      return;
    }
    const stream = this.streams.get(id);
    if (!stream) return;
    if (this.initial + stream.credit + increment > MAX) {
      this.#fault(id, 'FLOW_CONTROL_ERROR', stream.received);
      return;
    }
    stream.credit += increment;
    this.#sendOn(id, stream);
  }

  #whole(id: number, stream: ModelStream): void {
    stream.received = true;
    if (stream.kind === 'held') return;
    this.said.push(`HEADERS ${id}`);
    if (stream.kind === 'prepared') {
      stream.left = HELLO_BYTES;
      this.#sendOn(id, stream);
    } else if (Math.min(this.window, this.initial + stream.credit) >= FLIP_BYTES) {
      this.said.push(`DATA ${id} ${FLIP_BYTES}`);
      this.window -= FLIP_BYTES;
      stream.credit -= FLIP_BYTES;
    }
  }

  #send(): void {
    for (const [id, stream] of [...this.streams]) this.#sendOn(id, stream);
  }

  #sendOn(id: number, stream: ModelStream): void {
    if (stream.left === undefined) return;
    const bytes = Math.min(stream.left, this.window, this.initial + stream.credit);
    if (bytes <= 0) return;
    stream.left -= bytes;
    this.window -= bytes;
    stream.credit -= bytes;
    this.said.push(`DATA ${id} ${bytes}${stream.left === 0 ? ' END' : ''}`);
    if (stream.left > 0) return;
    this.streams.delete(id);
    this.ended.set(id, 'whole');
  }

  #fault(id: number, code: string, ends = true): void {
    this.said.push(`RST_STREAM ${id} ${code}`);
    this.streams.delete(id);
    if (!ends) this.reset.add(id);
  }
}

/** Of a block of literals, as `http2-frames.ts` writes them. */
function fieldsIn(bytes: Buffer): Field[] {
  const fields: Field[] = [];
  for (let at = 0; at < bytes.length; ) {
    const name = bytes.subarray(at + 2, at + 2 + bytes.readUInt8(at + 1)).toString('latin1');
    at += 2 + name.length;
    const value = bytes.subarray(at + 1, at + 1 + bytes.readUInt8(at)).toString('latin1');
    at += 1 + value.length;
    fields.push([name, value]);
  }
  return fields;
}

function randomFrame(dice: Dice, { lastId, streams }: Model): Buffer {
  const open = [...streams].flatMap(([id, { received }]) => (received ? [] : [id]));
  const next = lastId === 0 ? 1 : lastId + 2;
  if (open.length === 0 && dice.below(20) > 0) return headers(next, randomRequest(dice), FLAG.endHeaders | dice.below(2));
  // Mostly a stream that is open, else one of late, or the next; now and then one that cannot be.
  const late = dice.below(20) === 0 ? dice.of([2, 4, 99]) : Math.max(1, next - 2 * dice.below(7));
  const id = dice.below(30) === 0 ? late : (open[dice.below(open.length)] ?? next);
  const ends = dice.below(2);
  switch (dice.below(16)) {
    case 0:
    case 1:
    case 2:
    case 3:
      return headers(next, randomRequest(dice), FLAG.endHeaders | ends);
    case 4:
      return headers(
        id,
        dice.below(3) === 0 ? request('GET', '/') : [['x-trailer', '1']],
        FLAG.endHeaders | (FLAG.endStream * ends),
      );
    case 5:
    case 6:
    case 7:
    case 8:
      return data(id, Buffer.alloc(dice.of([0, 1, 2, 3, 500, 16_384])), ends);
    case 9:
    case 10:
      return windowUpdate(dice.below(2) === 0 ? 0 : id, dice.below(40) === 0 ? MAX : dice.of([1, 3, 7, 12, 100, 65_535]));
    case 11:
      return resetFrame(id, 8);
    case 12:
      return settingsFrame([4, dice.below(40) === 0 ? MAX : dice.of([0, 1, 5, 7, 12, 100, 65_535])]);
    case 13:
      return ping(`ping${1_000 + dice.below(9_000)}`);
    case 14:
      return frame(TYPE.priority, 0, id, Buffer.concat([uint32(id + 1), Buffer.from([0])]));
    default:
      return frame(77, dice.below(256), id, Buffer.alloc(dice.below(9)));
  }
}

function randomRequest(dice: Dice): Field[] {
  const more: Field[] = dice.below(4) === 0 ? [['content-length', `${dice.below(4)}`]] : [];
  // A path that is none makes it malformed.
  return request('POST', dice.of(['/', '/', '/hold', '/grpc.health.v1.Health/Watch', 'nowhere']), ...more);
}

const GENEROUS = {
  maxStreamsPerConnection: MAX_STREAMS,
  streamWindowBytes: 100_000_000,
  maxUnreadBytes: 100_000_000,
  maxHeaderBytesPerSecond: 1e9,
  maxSettingsPerSecond: 1e6,
  maxPingsPerSecond: 1e6,
  maxControlFramesPerSecond: 1e6,
  maxSmallFramesPerSecond: 1e6,
  maxEmptyFramesPerSecond: 1e6,
  maxUnknownFramesPerSecond: 1e6,
  maxResetsPerSecond: 1e6,
  maxErrorsPerMinute: 1e6,
} as const;

const STEPS = 100;
const { parameters, title, timeoutMs } = randomRuns(1_000);

it(`says what a plain model says, whatever frames come ${title}`, { timeout: timeoutMs }, () => {
  let ends = 0;
  let longest = 0;
  for (let run = 0; run < parameters.numRuns; run++) {
    const dice = new Dice(parameters.seed + run);
    using wire = new Wire(GENEROUS);
    const model = new Model();
    wire.send(hello(), settingsAck);
    const sent: string[] = [];
    for (let i = 0; i < STEPS && !model.isOver; i++) {
      const bytes = randomFrame(dice, model);
      // Ends of streams are remembered for a while only, and the model does not forget.
      if (model.lastId > 60) break;
      const [next] = framesIn(bytes);
      if (!next) throw new Error('a frame that is none');
      sent.push(inWords(next));
      const expected = model.take(next);
      const said = wire.say(bytes);
      expect(inOrder(said), `seed ${parameters.seed + run}: ${sent.join(', ')}`).toEqual(inOrder(expected));
      expect(wire.writableEnded).toBe(model.isOver);
      longest = Math.max(longest, i);
    }
    if (model.isOver) ends++;
    expect(wire.application.bugs).toEqual([]);
  }
  // Neither all nonsense nor all sound, or it would be no test.
  expect(longest).toBeGreaterThan(60);
  expect(ends / parameters.numRuns).toBeGreaterThan(0.2);
});

/** Streams that wait are served in turn; in which order is not for the model to say. */
function inOrder(words: readonly string[]): string[] {
  const bodies = words.filter((word) => word.startsWith('DATA'));
  const others = words.filter((word) => !word.startsWith('DATA'));
  return [...others, ...bodies.sort()];
}

it('reads blocks as it is given them', () => {
  expect(fieldsIn(block(request('GET', '/')))).toEqual(request('GET', '/'));
});
