import { Duplex } from 'node:stream';
import { Engine } from '../../src/wire/http2/engine.ts';
import { exchanges } from './http2-exchanges.ts';
import {
  bordersIn,
  frame,
  framesIn,
  headers,
  hello,
  integer,
  PREFACE,
  request,
  settingsAck,
  string,
  TYPE,
  uint32,
} from './http2-frames.ts';
import { TestApplication } from './http2-room.ts';
import { ManualScheduler } from './scheduler.ts';

/** Numbers from a seed, always the same: mulberry32, which is good enough to throw dice with. */
export class Dice {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** 0 to `n - 1`. */
  below(n: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % n;
  }

  of<T>(all: readonly [T, ...T[]]): T {
    return all[this.below(all.length)] ?? all[0];
  }
}

const BYTES = [0, 1, 2, 4, 5, 8, 0x1f, 0x20, 0x3f, 0x40, 0x7f, 0x80, 0xbe, 0xff] as const;
const LENGTHS = [0, 1, 4, 5, 6, 8, 9, 255, 256, 16_383, 16_384, 16_385, 0xff_ffff] as const;
const PATHS = [
  '/',
  '/echo',
  '/hold',
  '/early',
  '/second-thoughts',
  '/grpc.health.v1.Health/Watch',
  '/grpc.health.v1.Health/Check',
] as const;

/** A header block by the productions of RFC 7541 section 6: sound ones, and what is nearly sound. */
function randomBlock(dice: Dice): Buffer {
  const parts: Buffer[] = [];
  if (dice.below(8) === 0) parts.push(integer(0x20, 5, dice.of([0, 100, 4_096, 4_097])));
  if (dice.below(3) > 0) for (const [name, value] of request('POST', dice.of(PATHS))) parts.push(literal(dice, 0, name, value));
  for (let i = dice.below(6); i > 0; i--) {
    const index = dice.of([0, 1, 2, 15, 28, 61, 62, 63, 64, 70, 127, 300]);
    if (dice.below(2) === 0) parts.push(integer(0x80, 7, index));
    else
      parts.push(
        literal(
          dice,
          index,
          dice.of(['x', 'te', 'content-length', 'x-mark', '', 'X']),
          dice.of(['', '1', 'trailers', 'x'.repeat(200)]),
        ),
      );
  }
  return Buffer.concat(parts);
}

/** Any of the three kinds of literals; 0 is an index too, for a name of its own. */
function literal(dice: Dice, index: number, name: string, value: string): Buffer {
  const [first, bits] = dice.of<readonly [number, number]>([
    [0x40, 6],
    [0x00, 4],
    [0x10, 4],
  ]);
  const parts = [integer(first, bits, index), string(value)];
  if (index === 0) parts.splice(1, 0, string(name));
  // Now and then what is said to be by Huffman's code, and is not.
  const last = parts.at(-1);
  if (last && dice.below(10) === 0) last[0] = (last[0] ?? 0) | 0x80;
  return Buffer.concat(parts);
}

function randomFrame(dice: Dice): Buffer {
  const id = dice.of([0, 1, 3, 5, 7, 9, 11, 2, 101, 2 ** 31 - 1]);
  const flags = dice.of([0, 1, 4, 5, 8, 0x0d, 0x25, 0xff]);
  switch (dice.below(12)) {
    case 0:
    case 1:
    case 2:
      return frame(TYPE.headers, flags, id, randomBlock(dice));
    case 3:
      return frame(TYPE.continuation, flags, id, randomBlock(dice));
    case 4:
    case 5:
      return frame(TYPE.data, flags, id, Buffer.alloc(dice.of([0, 1, 5, 7, 300, 16_384]), dice.below(256)));
    case 6:
      return frame(TYPE.reset, flags, id, uint32(dice.below(16)));
    case 7:
      return frame(
        TYPE.settings,
        flags,
        0,
        Buffer.concat([Buffer.from([0, dice.below(8)]), uint32(dice.of([0, 1, 100, 16_384, 65_535, 2 ** 31 - 1, 2 ** 31]))]),
      );
    case 8:
      return frame(TYPE.windowUpdate, flags, id, uint32(dice.of([0, 1, 7, 65_535, 2 ** 31 - 1])));
    case 9:
      return frame(TYPE.ping, flags, 0, Buffer.alloc(8));
    case 10:
      return headers(dice.of([1, 3, 5, 7, 9, 11, 13]), request('GET', dice.of(PATHS)));
    default:
      return frame(dice.below(256), flags, id, Buffer.alloc(dice.below(20), dice.below(256)));
  }
}

/** From nothing but frames that were made up. */
function madeUp(dice: Dice): Buffer {
  const frames = Array.from({ length: 1 + dice.below(12) }, () => randomFrame(dice));
  return Buffer.concat([hello(), settingsAck, ...frames]);
}

/** What comes before the first request, and is mostly left alone: an input that ends there says little. */
const BEGINNING_BYTES = PREFACE.length + 9;

function changed(dice: Dice, bytes: Buffer): Buffer {
  const from = dice.below(20) > 0 ? Math.min(BEGINNING_BYTES, bytes.length - 1) : 0;
  const at = from + dice.below(bytes.length - from);
  const end = Math.min(bytes.length, at + 1 + dice.below(16));
  const copy = Buffer.from(bytes);
  switch (dice.below(6)) {
    case 0:
      copy[at] = (copy[at] ?? 0) ^ (1 << dice.below(8));
      return copy;
    case 1:
      copy[at] = dice.of(BYTES);
      return copy;
    case 2:
      return Buffer.concat([copy.subarray(0, at), copy.subarray(end)]);
    case 3:
      return Buffer.concat([copy.subarray(0, end), copy.subarray(at)]);
    default:
      return changedFrame(dice, copy);
  }
}

/** One of its frames gets another type, other flags, another stream or length; or is left out, sent twice, or followed by another. */
function changedFrame(dice: Dice, bytes: Buffer): Buffer {
  const frames = bytes.subarray(PREFACE.length);
  const borders = bordersIn(frames);
  const from = (borders[dice.below(borders.length)] ?? 0) + PREFACE.length;
  if (from + 9 > bytes.length) return bytes;
  const to = Math.min(bytes.length, from + 9 + bytes.readUIntBE(from, 3));
  switch (dice.below(8)) {
    case 0:
      bytes[from + 3] = dice.below(11);
      return bytes;
    case 1:
      bytes[from + 4] = dice.below(256);
      return bytes;
    case 2:
      bytes.writeUInt32BE(dice.of([0, 1, 2, 3, 5, 7, 9, 2 ** 31 - 1]), from + 5);
      return bytes;
    case 3:
      bytes.writeUIntBE(dice.of(LENGTHS), from, 3);
      return bytes;
    case 4:
      return Buffer.concat([bytes.subarray(0, from), bytes.subarray(to)]);
    case 5:
      return Buffer.concat([bytes.subarray(0, to), bytes.subarray(from)]);
    default:
      return Buffer.concat([bytes.subarray(0, to), randomFrame(dice), bytes.subarray(to)]);
  }
}

/** The input of that number of a seed. */
export function randomInput(dice: Dice): Buffer {
  const seeds = exchanges.map(({ bytes }) => bytes);
  let input = dice.below(3) === 0 ? madeUp(dice) : (seeds[dice.below(seeds.length)] ?? PREFACE);
  for (let i = dice.below(3); i >= 0 && input.length > 0; i--) input = changed(dice, input);
  return input;
}

class Sink extends Duplex {
  readonly said: Buffer[] = [];

  override _read(): void {}

  override _write(chunk: Buffer, _: BufferEncoding, done: () => void): void {
    this.said.push(Buffer.from(chunk));
    done();
  }
}

/** So many inputs share an engine, and are looked after together. */
const BATCH = 1_000;
/** An answer is longer than its request, but not by more than this. */
const MOST_BYTES_PER_BYTE = 64;
const MOST_BYTES = 100_000;

/** Feeds so many inputs to the engine, and throws at the first that does it harm, with the input. */
export async function fuzz(seed: number, count: number): Promise<{ readonly answered: number; readonly refused: number }> {
  const dice = new Dice(seed);
  let refused = 0;
  let answered = 0;
  for (let done = 0; done < count; done += BATCH) {
    const application = new TestApplication();
    const scheduler = new ManualScheduler();
    const engine = new Engine(application, scheduler);
    for (let i = 0; i < Math.min(BATCH, count - done); i++) {
      const input = randomInput(dice);
      const failures = application.failures.length;
      try {
        if (feed(engine, scheduler, dice, input)) answered++;
        expectSound(application, i + 1);
      } catch (error) {
        throw new Error(`input ${done + i} of seed ${seed}: ${input.toString('hex')}`, { cause: error });
      }
      if (application.failures.length > failures) refused++;
      application.streams.length = 0;
    }
    // Sockets say that they are closed, handlers hear of it, and what they do then changes nothing.
    for (let turn = 0; turn < 4; turn++) {
      await new Promise((resolve) => setImmediate(resolve));
      scheduler.advance(0);
    }
    expectSound(application, Math.min(BATCH, count - done));
    if (engine.connections.length !== 0)
      throw new Error(`${engine.connections.length} connections are left after input ${done} of seed ${seed}`);
    if (engine.totals.unreadBytes !== 0)
      throw new Error(`${engine.totals.unreadBytes} bytes are kept after input ${done} of seed ${seed}`);
    if (engine.totals.unsentBytes !== 0)
      throw new Error(`${engine.totals.unsentBytes} bytes are unsent after input ${done} of seed ${seed}`);
    if (scheduler.open !== 0) throw new Error(`${scheduler.open} timers are left after input ${done} of seed ${seed}`);
  }
  return { answered, refused };
}

/** In a few pieces, with time between some of them. True when there was an answer to a request. */
function feed(engine: Engine, scheduler: ManualScheduler, dice: Dice, input: Buffer): boolean {
  const sink = new Sink();
  const connection = engine.serve(sink);
  for (let at = 0; at < input.length; ) {
    const end = dice.below(3) === 0 ? at + 1 + dice.below(input.length - at) : input.length;
    connection.receive(input.subarray(at, end));
    if (dice.below(64) === 0) scheduler.advance(1_000 * dice.below(40));
    at = end;
  }
  const said = Buffer.concat(sink.said);
  const hasEnded = sink.writableEnded || sink.destroyed;
  connection.destroy();
  if (said.length > MOST_BYTES + MOST_BYTES_PER_BYTE * input.length)
    throw new Error(`${said.length} bytes in answer to ${input.length}`);
  const frames = framesIn(said);
  const bytes = frames.reduce((sum, { payload }) => sum + 9 + payload.length, 0);
  if (bytes !== said.length) throw new Error('an answer that is not made of frames');
  const last = frames.findIndex(({ type, payload }) => type === TYPE.goaway && payload.readUInt32BE(4) !== 0);
  if (last >= 0 && (last !== frames.length - 1 || !hasEnded)) throw new Error('GOAWAY was not the last word');
  return frames.some(({ type }) => type === TYPE.headers);
}

function expectSound(application: TestApplication, connections: number): void {
  if (application.bugs.length > 0) throw application.bugs[0];
  if (application.watchers.length > 0) throw new Error('a watch outlived its connection');
  if (application.closedPeers !== connections)
    throw new Error(`${application.closedPeers} of ${connections} connections were closed`);
}
