import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { HealthCheckRequestSchema } from '../../src/gen/grpc/health/v1/health_pb.ts';
import { isEmptyFrame, MAX_REQUEST_BYTES, mayBecomeFrame, nameInFrame, nameInJson } from '../../src/health/requested.ts';
import { randomRuns } from '../support/random.ts';

const FEW = randomRuns(300);
const MANY = randomRuns(2_000);

function framed(message: Uint8Array): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

function asked(service: string): Buffer {
  return framed(toBinary(HealthCheckRequestSchema, create(HealthCheckRequestSchema, { service })));
}

const ascii = fc.string({ unit: 'grapheme-ascii', maxLength: 300 });

it(`a name of ASCII is found as protobuf writes it, and in no part of its frame ${FEW.title}`, () => {
  fc.assert(
    fc.property(ascii, fc.nat(), (name, cut) => {
      const body = asked(name);
      expect(nameInFrame(body)).toBe(name);
      const part = body.subarray(0, cut % body.length);
      if (part.length > 0) expect(nameInFrame(part)).toBeUndefined();
      expect(mayBecomeFrame(part)).toBe(true);
      expect(mayBecomeFrame(Buffer.concat([body, Buffer.alloc(1)]))).toBe(false);
    }),
    FEW.parameters,
  );
});

it('the longest name that is served fits, and one that is a little longer', () => {
  for (const length of [127, 128, 1_024, 1_050]) {
    const body = asked('x'.repeat(length));
    expect(body.length).toBeLessThanOrEqual(MAX_REQUEST_BYTES);
    expect(nameInFrame(body)).toBe('x'.repeat(length));
  }
});

it(`whatever bytes there are, the name that is found in them is the one that protobuf finds ${MANY.title}`, () => {
  /** Bytes that are nearly a request. */
  const nearly = fc.oneof(
    fc.uint8Array({ maxLength: 12 }),
    fc.tuple(ascii, fc.uint8Array({ maxLength: 3 }), fc.nat(), fc.nat(255)).map(([name, more, at, byte]) => {
      const bytes = Buffer.concat([asked(name).subarray(5), more]);
      if (bytes.length > 0) bytes[at % bytes.length] = byte;
      return bytes;
    }),
  );
  fc.assert(
    fc.property(nearly, (message) => {
      const name = nameInFrame(framed(message));
      if (name !== undefined) expect(fromBinary(HealthCheckRequestSchema, message).service).toBe(name);
      expect(isEmptyFrame(framed(message))).toBe(message.length === 0);
    }),
    MANY.parameters,
  );
});

it.each([
  [Buffer.alloc(0), true],
  [Buffer.alloc(5), true],
  [Buffer.alloc(4), false],
  [Buffer.alloc(6), false],
  [Buffer.from([1, 0, 0, 0, 0]), false],
  [Buffer.from([0, 0, 0, 0, 1]), false],
])('%j is empty: %s', (body, isEmpty) => {
  expect(isEmptyFrame(body)).toBe(isEmpty);
});

it(`whatever text there is, the name that is found in it is the one that JSON has, and there is no other key ${MANY.title}`, () => {
  const nearly = fc.oneof(
    ascii.map((service) => JSON.stringify({ service })),
    fc.json(),
    fc
      .tuple(ascii, fc.nat(), fc.constantFrom('"', '\\', '{', '}', ',', ':', ' ', '\n', '\u0000', 'é', ''))
      .map(([service, at, text]) => {
        const json = JSON.stringify({ service });
        const place = at % (json.length + 1);
        return json.slice(0, place) + text + json.slice(place);
      }),
  );
  fc.assert(
    fc.property(nearly, (text) => {
      const name = nameInJson(Buffer.from(text));
      if (name === undefined || text === '') return;
      expect({ service: '', ...JSON.parse(text) }).toEqual({ service: name });
    }),
    MANY.parameters,
  );
});
