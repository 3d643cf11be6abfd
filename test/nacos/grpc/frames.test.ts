import { fromBinary, toBinary } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PayloadSchema } from '../../../src/gen/nacos/payload_pb.ts';
import { FrameReader, frameOf, framesOf, plainSaid, readSaid, soleMessage } from '../../../src/nacos/grpc/frames.ts';
import { envelope, type Message, ServiceInfo, ServiceMessage, saidIn } from '../../../src/nacos/grpc/messages.ts';
import { NASTY_TEXTS } from '../../support/nasty-texts.ts';
import { randomRuns } from '../../support/random.ts';

const WRITTEN = randomRuns(2_000);
const READ = randomRuns(50_000);
const CUT = randomRuns(2_000);

/** As the library writes it. */
function usual(message: Message): Buffer {
  const bytes = toBinary(PayloadSchema, envelope(message));
  const head = Buffer.alloc(5);
  head.writeUInt32BE(bytes.length, 1);
  return Buffer.concat([head, bytes]);
}

const type = fc.stringMatching(/^[A-Za-z]{1,40}$/);
const text = fc.oneof(fc.string({ unit: 'binary', maxLength: 300 }), fc.constantFrom(...NASTY_TEXTS));
const body = fc.oneof(
  text,
  // Where a length takes one byte more.
  fc.constantFrom(100, 120, 127, 128, 16_000, 16_380, 16_384, 2_097_151, 2_097_152).map((length) => 'x'.repeat(length)),
);

it(
  `a message is written as the library writes it, in however many pieces ${WRITTEN.title}`,
  () => {
    fc.assert(
      fc.property(type, body, text, fc.boolean(), (name, json, start, isShared) => {
        const message = isShared
          ? new ServiceMessage(name, `{${start}}`, new ServiceInfo(json))
          : { type: name, body: `{${json}}` };
        const expected = usual(message);
        expect(Buffer.concat(framesOf(message)).equals(expected)).toBe(true);
        expect(frameOf(message).equals(expected)).toBe(true);
      }),
      WRITTEN.parameters,
    );
  },
  WRITTEN.timeoutMs,
);

it('what many messages have in common is not copied when it is long', () => {
  const service = new ServiceInfo(`{"hosts":"${'x'.repeat(10_000)}"}`);
  const pieces = ['a', 'b'].map((name) => framesOf(new ServiceMessage(name, '{}', service)).at(-1));
  expect(pieces.map((piece) => piece?.buffer === service.ending.buffer)).toEqual([true, true]);
  expect(framesOf(new ServiceMessage('a', '{}', new ServiceInfo('{}')))).toHaveLength(1);
});

describe('reading', () => {
  const sound = fc
    .record({ name: text, key: text, value: text, url: text, json: text })
    .map(({ name, key, value, url, json }) => {
      const payload = envelope({ type: name, body: json });
      if (payload.metadata !== undefined && key !== '__proto__') payload.metadata.headers = { [key]: value, app: 'unknown' };
      if (payload.body !== undefined) payload.body.typeUrl = url;
      return toBinary(PayloadSchema, payload);
    });
  /** With some bytes in the place of others, or gone, or more. */
  const damaged = fc
    .tuple(sound, fc.array(fc.tuple(fc.nat(400), fc.nat(255)), { maxLength: 3 }), fc.nat(3))
    .map(([bytes, marks, how]) => {
      const copy = Buffer.from(bytes);
      for (const [at, byte] of marks) if (at < copy.length) copy[at] = byte;
      if (how === 1) return copy.subarray(0, marks[0]?.[0]);
      if (how === 2) return Buffer.concat([copy, Buffer.from(marks.map(([, byte]) => byte))]);
      return copy;
    });

  it(
    `what is read by hand is what the library reads, or nothing is ${READ.title}`,
    () => {
      fc.assert(
        fc.property(fc.oneof(sound, damaged, fc.uint8Array({ maxLength: 60 })), (bytes) => {
          const message = Buffer.from(bytes);
          const plain = plainSaid(message);
          if (plain === undefined) return;
          const said = saidIn(fromBinary(PayloadSchema, message));
          expect({ ...plain, body: Buffer.from(plain.body).toString('hex') }).toEqual({
            ...said,
            body: Buffer.from(said.body).toString('hex'),
          });
        }),
        READ.parameters,
      );
    },
    READ.timeoutMs,
  );

  it('what nearly every client says is read by hand', () => {
    const payload = envelope({ type: 'InstanceRequest', body: '{"ip":"ü"}' });
    if (payload.metadata !== undefined)
      Object.assign(payload.metadata, { headers: { app: 'unknown', b: '' }, clientIp: '10.0.0.1' });
    const said = plainSaid(Buffer.from(toBinary(PayloadSchema, payload)));
    expect(said).toMatchObject({ type: 'InstanceRequest', headers: { app: 'unknown', b: '' } });
    expect(Buffer.from(said?.body ?? []).toString()).toBe('{"ip":"ü"}');
  });

  it('the rest is read all the same, but for what is no envelope', () => {
    expect(readSaid(Buffer.from([0x20, 1]))).toMatchObject({ type: '', headers: {} });
    expect(readSaid(Buffer.from([0xff, 0xff]))).toBeUndefined();
  });
});

describe('messages in their frames', () => {
  const framed = (message: Uint8Array) => {
    const head = Buffer.alloc(5);
    head.writeUInt32BE(message.length, 1);
    return Buffer.concat([head, message]);
  };
  const message = fc.oneof(
    fc.uint8Array({ maxLength: 40 }),
    fc.constantFrom(1_000, 70_000).map((length) => new Uint8Array(length)),
  );

  it(
    `come out whole, wherever they were cut ${CUT.title}`,
    () => {
      fc.assert(
        fc.property(fc.array(message, { maxLength: 6 }), fc.array(fc.nat(200), { maxLength: 40 }), (messages, lengths) => {
          const bytes = Buffer.concat(messages.map(framed));
          const reader = new FrameReader(100_000);
          const taken: string[] = [];
          const take = (each: Buffer) => taken.push(each.toString('latin1'));
          let at = 0;
          for (const length of lengths) {
            expect(reader.push(bytes.subarray(at, at + length), take)).toBe(true);
            at = Math.min(at + length, bytes.length);
          }
          expect(reader.push(bytes.subarray(at), take)).toBe(true);
          expect(taken).toEqual(messages.map((each) => Buffer.from(each).toString('latin1')));
          expect(reader.isHalfway).toBe(false);
        }),
        CUT.parameters,
      );
    },
    CUT.timeoutMs,
  );

  it('are read no more where one is too large or compressed, and one that is not whole is known as such', () => {
    const reader = () => new FrameReader(10);
    const taken: Buffer[] = [];
    const take = (each: Buffer) => taken.push(each);
    expect(reader().push(framed(Buffer.alloc(10)), take)).toBe(true);
    expect(reader().push(framed(Buffer.alloc(11)).subarray(0, 5), take)).toBe(false);
    expect(reader().push(Buffer.from([1, 0, 0, 0, 0]), take)).toBe(false);
    expect(taken).toHaveLength(1);
    const half = reader();
    expect(half.push(Buffer.from([0, 0]), take)).toBe(true);
    expect(half.isHalfway).toBe(true);
  });

  it('of a question are one, and nothing else', () => {
    const message = Buffer.from('abc');
    expect(soleMessage(framed(message))?.toString()).toBe('abc');
    const others = [Buffer.alloc(0), framed(message).subarray(1), Buffer.concat([framed(message), Buffer.alloc(1)])];
    for (const other of [...others, Buffer.from([1, 0, 0, 0, 0])]) expect(soleMessage(other)).toBeUndefined();
  });
});
