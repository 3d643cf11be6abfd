import { once } from 'node:events';
import { connect } from 'node:http2';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ConnectionError } from '../../../src/wire/http2/codes.ts';
import { createStaticTable } from '../../../src/wire/http2/fields.ts';
import { HeaderDecoder } from '../../../src/wire/http2/header-decoder.ts';
import { HTTP2_LIMITS } from '../../../src/wire/http2/limits.ts';
import { encodeFields } from '../../../src/wire/http2/prepared.ts';
import { Request } from '../../../src/wire/http2/request.ts';
import { block, CODE, type Field, integer, string } from '../../support/http2-frames.ts';
import { Http2Room, TestApplication } from '../../support/http2-room.ts';
import { failOnLeaks } from '../../support/leaks.ts';
import { randomRuns } from '../../support/random.ts';

failOnLeaks();

const MARKS = () => 0;
const STATIC_TABLE = createStaticTable(MARKS);

/** A decoder, and what it makes of blocks that follow each other. */
class Reader {
  readonly decoder = new HeaderDecoder({ staticTable: STATIC_TABLE, mark: MARKS, scratch: Buffer.alloc(65_536) });

  read(bytes: Buffer | string): Field[] {
    const whole = typeof bytes === 'string' ? Buffer.from(bytes.replaceAll(' ', ''), 'hex') : bytes;
    const request = new Request(HTTP2_LIMITS);
    request.begin();
    this.decoder.decode(whole, 0, whole.length, request);
    return request.fields.slice(0, request.count).map(({ name, value }) => [name, value]);
  }
}

describe('the examples of RFC 7541 appendix C', () => {
  it.each<readonly [string, string, readonly Field[], number]>([
    ['C.2.1', '400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572', [['custom-key', 'custom-header']], 55],
    ['C.2.2', '040c 2f73 616d 706c 652f 7061 7468', [[':path', '/sample/path']], 0],
    ['C.2.3', '1008 7061 7373 776f 7264 0673 6563 7265 74', [['password', 'secret']], 0],
    ['C.2.4', '82', [[':method', 'GET']], 0],
  ])('%s', (_, hex, expected, size) => {
    const reader = new Reader();
    expect(reader.read(hex)).toEqual(expected);
    expect(reader.decoder.tableSize).toBe(size);
  });

  const REQUESTS: readonly (readonly Field[])[] = [
    [
      [':method', 'GET'],
      [':scheme', 'http'],
      [':path', '/'],
      [':authority', 'www.example.com'],
    ],
    [
      [':method', 'GET'],
      [':scheme', 'http'],
      [':path', '/'],
      [':authority', 'www.example.com'],
      ['cache-control', 'no-cache'],
    ],
    [
      [':method', 'GET'],
      [':scheme', 'https'],
      [':path', '/index.html'],
      [':authority', 'www.example.com'],
      ['custom-key', 'custom-value'],
    ],
  ];
  const REQUEST_SIZES = [57, 110, 164];
  const first = (status: string): Field[] => [
    [':status', status],
    ['cache-control', 'private'],
    ['date', 'Mon, 21 Oct 2013 20:13:21 GMT'],
    ['location', 'https://www.example.com'],
  ];
  const RESPONSES: readonly (readonly Field[])[] = [
    first('302'),
    first('307'),
    [
      [':status', '200'],
      ['cache-control', 'private'],
      ['date', 'Mon, 21 Oct 2013 20:13:22 GMT'],
      ['location', 'https://www.example.com'],
      ['content-encoding', 'gzip'],
      ['set-cookie', 'foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1'],
    ],
  ];
  const RESPONSE_SIZES = [222, 222, 215];
  /** A table of 256 bytes, as those examples have. */
  const TABLE_OF_256 = '3fe101';

  it.each<readonly [string, readonly string[], readonly (readonly Field[])[], readonly number[]]>([
    [
      'C.3',
      [
        '8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d',
        '8286 84be 5808 6e6f 2d63 6163 6865',
        '8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65',
      ],
      REQUESTS,
      REQUEST_SIZES,
    ],
    [
      'C.4',
      [
        '8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff',
        '8286 84be 5886 a8eb 1064 9cbf',
        '8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf',
      ],
      REQUESTS,
      REQUEST_SIZES,
    ],
    [
      'C.5',
      [
        `${TABLE_OF_256} 4803 3330 3258 0770 7269 7661 7465 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3120 474d 546e 1768
         7474 7073 3a2f 2f77 7777 2e65 7861 6d70 6c65 2e63 6f6d`.replaceAll('\n', ''),
        '4803 3330 37c1 c0bf',
        `88c1 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3220 474d 54c0 5a04 677a 6970 7738 666f 6f3d 4153 444a 4b48
         514b 425a 584f 5157 454f 5049 5541 5851 5745 4f49 553b 206d 6178 2d61 6765 3d33 3630 303b 2076 6572 7369 6f6e 3d31`.replaceAll(
          '\n',
          '',
        ),
      ],
      RESPONSES,
      RESPONSE_SIZES,
    ],
    [
      'C.6',
      [
        `${TABLE_OF_256} 4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e 919d 29ad 1718 63c7 8f0b
         97c8 e9ae 82ae 43d3`.replaceAll('\n', ''),
        '4883 640e ffc1 c0bf',
        `88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab 77ad 94e7 821d d7f2 e6c7 b335 dfdf cd5b 3960 d5af
         2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed 4ee5 b106 3d50 07`.replaceAll('\n', ''),
      ],
      RESPONSES,
      RESPONSE_SIZES,
    ],
  ])('%s', (_, blocks, expected, sizes) => {
    const reader = new Reader();
    for (const [i, hex] of blocks.entries()) {
      expect(reader.read(hex)).toEqual(expected[i]);
      expect(reader.decoder.tableSize).toBe(sizes[i]);
    }
  });
});

describe('what is no encoding', () => {
  it.each<readonly [string, string, string]>([
    ['index 0', '80', 'header index out of range'],
    ['an index beyond the static table, and nothing in the other', 'be', 'header index out of range'],
    ['a name with an index beyond both', '7f 00 0161', 'header index out of range'],
    ['an integer cut short', 'ff', 'header block cut short'],
    ['an integer cut short later', 'ff80', 'header block cut short'],
    ['an integer of five more bytes', 'ff80 8080 8001', 'integer too long'],
    ['a text cut short', '0004 6162', 'header block cut short'],
    ['a text without its length', '00', 'header block cut short'],
    ['a text as long as an integer can be', '007f ffff ff7f', 'header block cut short'],
    ['EOS inside a text', '0084 ffff ffff 0161', 'not a huffman code'],
    ['padding of eight ones', '0082 1fff 0161', 'not a huffman code'],
    ['padding that is not ones', '0081 18 0161', 'not a huffman code'],
    ['a table larger than allowed', '3fe2 1f', 'table size update beyond what was allowed'],
    ['a table that changes after a field', '8220', 'table size update inside a header block'],
  ])('%s', (_, hex, reason) => {
    const reader = new Reader();
    let thrown: unknown;
    try {
      reader.read(hex);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(ConnectionError);
    expect(thrown).toMatchObject({ code: CODE.compression, message: reason });
  });
});

describe('the table', () => {
  const inserted = (name: string, value: string) => Buffer.concat([Buffer.from([0x40]), string(name), string(value)]);
  const indexed = (index: number) => integer(0x80, 7, index);

  it('shrinks and grows again at the beginning of a block, and forgets what did not fit', () => {
    const reader = new Reader();
    reader.read(inserted('a', 'b'));
    expect(reader.read(Buffer.concat([integer(0x20, 5, 0), integer(0x20, 5, 4_096)]))).toEqual([]);
    expect(reader.decoder.tableSize).toBe(0);
    expect(() => reader.read(indexed(62))).toThrow(ConnectionError);
  });

  it('is emptied by an entry that is larger than itself, which is no error', () => {
    const reader = new Reader();
    reader.read(inserted('a', 'b'));
    const large = inserted('c', 'x'.repeat(4_096));
    expect(reader.read(large)).toEqual([['c', 'x'.repeat(4_096)]]);
    expect(reader.decoder.tableSize).toBe(0);
  });

  it('knows the name of an entry that the new one pushes out', () => {
    const reader = new Reader();
    reader.read(inserted('name', 'x'.repeat(4_000)));
    expect(reader.read(Buffer.concat([integer(0x40, 6, 62), string('y'.repeat(4_000))]))).toEqual([['name', 'y'.repeat(4_000)]]);
    expect(reader.read(indexed(62))).toEqual([['name', 'y'.repeat(4_000)]]);
    expect(() => reader.read(indexed(63))).toThrow(ConnectionError);
  });

  it('holds 128 entries without text, and is right after it has gone round', () => {
    const reader = new Reader();
    const short = (i: number) => inserted('', String.fromCharCode(97 + (i % 26)));
    for (let i = 0; i < 1_000; i++) reader.read(short(i));
    // 124 of 33 bytes.
    expect(reader.decoder.tableSize).toBe(124 * 33);
    expect(reader.read(indexed(62))).toEqual([['', String.fromCharCode(97 + (999 % 26))]]);
    expect(reader.read(indexed(62 + 123))).toEqual([['', String.fromCharCode(97 + (876 % 26))]]);
    expect(() => reader.read(indexed(62 + 124))).toThrow(ConnectionError);
    const empty = new Reader();
    for (let i = 0; i < 200; i++) empty.read(inserted('', ''));
    expect(empty.decoder.tableSize).toBe(4_096);
  });

  it('is the same for a plain model, whatever is inserted, referred to and resized', () => {
    const step = fc.oneof(
      { weight: 6, arbitrary: fc.record({ name: fc.integer({ min: 0, max: 200 }), length: fc.integer({ min: 0, max: 600 }) }) },
      { weight: 3, arbitrary: fc.record({ index: fc.integer({ min: 1, max: 200 }) }) },
      { weight: 1, arbitrary: fc.record({ size: fc.integer({ min: 0, max: 4_096 }) }) },
    );
    const { parameters } = randomRuns(300);
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const reader = new Reader();
        const table: Field[] = [];
        let limit = 4_096;
        const size = () => table.reduce((sum, [name, value]) => sum + name.length + value.length + 32, 0);
        for (const each of steps) {
          const at = (index: number): Field | undefined => {
            const fixed = STATIC_TABLE[index];
            return index <= 61 ? fixed && [fixed.name, fixed.value] : table[index - 62];
          };
          if ('size' in each) {
            limit = each.size;
            expect(reader.read(integer(0x20, 5, limit))).toEqual([]);
          } else if ('index' in each) {
            const expected = at(each.index);
            if (expected) expect(reader.read(indexed(each.index))).toEqual([expected]);
            else expect(() => reader.read(indexed(each.index))).toThrow(ConnectionError);
          } else {
            const name = each.name === 0 ? 'literal' : at(each.name)?.[0];
            if (name === undefined) continue;
            const value = 'v'.repeat(each.length);
            const head = integer(0x40, 6, each.name);
            const bytes = Buffer.concat(each.name === 0 ? [head, string(name), string(value)] : [head, string(value)]);
            expect(reader.read(bytes)).toEqual([[name, value]]);
            table.unshift([name, value]);
          }
          while (size() > limit) table.pop();
          expect(reader.decoder.tableSize).toBe(size());
        }
      }),
      parameters,
    );
  });
});

it('a text by the shortest codes, as long as a block may be, is read in full', () => {
  // Each "0" has five bits: 8 of them 5 bytes.
  const zeros = Buffer.concat(Array.from({ length: 3_270 * 2 }, () => Buffer.from('0000000000', 'hex')));
  const bytes = Buffer.concat([Buffer.from([0]), string('x'), integer(0x80, 7, zeros.length), zeros]);
  const reader = new HeaderDecoder({ staticTable: STATIC_TABLE, mark: MARKS, scratch: Buffer.alloc(65_536) });
  const target = new Request({ ...HTTP2_LIMITS, maxHeaderBytes: 100_000 });
  target.begin();
  reader.decode(bytes, 0, bytes.length, target);
  expect(target.fields[0]?.value).toBe('0'.repeat((zeros.length / 5) * 8));
});

describe('the encoder', () => {
  it('uses the static table, and keeps secrets out of others', () => {
    expect(encodeFields([[':status', '200']]).toString('hex')).toBe('88');
    expect(encodeFields([[':status', '201']]).toString('hex')).toBe('0803323031');
    expect(encodeFields([['content-type', 'a']]).toString('hex')).toBe('0f100161');
    expect(encodeFields([['authorization', 'a']]).toString('hex')).toBe('1f080161');
    expect(encodeFields([['set-cookie', 'a']]).toString('hex')).toBe('1f280161');
    expect(
      encodeFields([['x', 'y'.repeat(300)]])
        .subarray(0, 6)
        .toString('hex'),
    ).toBe('000178 7fad01'.replace(' ', ''));
  });

  it.each<readonly [string, string]>([
    ['X-Capital', '1'],
    ['', '1'],
    ['x y', '1'],
    [':path', '/'],
    ['x', 'a\r\nb'],
    ['x', 'a\0'],
    ['x', ' a'],
    ['x', 'a\t'],
    ['x', '汉'],
  ])('refuses %j: %j', (name, value) => {
    expect(() => encodeFields([[name, value]])).toThrow(RangeError);
  });
});

// Node's own HTTP/2 stands on nghttp2: another decoder and encoder for the same bytes.
const NAMES = [
  'x-a',
  'x-b',
  'x-long-name-of-a-field',
  'accept',
  'user-agent',
  'authorization',
  'cache-control',
  'grpc-timeout',
] as const;
const value = fc
  .array(fc.oneof({ weight: 5, arbitrary: fc.integer({ min: 0x21, max: 0x7e }) }, fc.integer({ min: 0x80, max: 0xff })), {
    maxLength: 60,
  })
  .map((codes) => String.fromCharCode(...codes));
const list = fc.array(fc.tuple(fc.constantFrom(...NAMES), value), { maxLength: 12 });

const { parameters, title, timeoutMs } = randomRuns(400);

it.each([0, 64, 4_096])(
  `random lists are read as node:http2 wrote them, and reads what is written, with tables of %i bytes ${title}`,
  { timeout: timeoutMs },
  async (headerTableSize) => {
    const mirror = new TestApplication((stream) => {
      const fields = stream.fields.map(({ name, value: text }) => [name, text] as const);
      stream.respond(
        200,
        fields.filter(([name]) => name.startsWith('x-') || NAMES.some((other) => other === name)),
        true,
      );
    });
    await using room = await Http2Room.open({}, mirror);
    const session = connect(`http://127.0.0.1:${room.port}`, {
      settings: { headerTableSize },
      maxDeflateDynamicTableSize: headerTableSize,
    } as object);
    for (const fields of fc.sample(list, { seed: parameters.seed, numRuns: parameters.numRuns / 4 })) {
      const raw = new Map<string, string[]>();
      for (const [name, text] of fields) raw.set(name, [...(raw.get(name) ?? []), text]);
      const single = [...raw].map(([name, texts]) => [name, texts[0] ?? ''] as const);
      const stream = session.request({ ':path': '/mirror', ...Object.fromEntries(single) });
      const [, , rawHeaders] = (await once(stream, 'response')) as [object, number, string[]];
      stream.resume();
      await once(stream, 'close');
      const sent = single.flat();
      const received = mirror.streams
        .at(-1)
        ?.fields.filter(({ name }) => !name.startsWith(':'))
        .flatMap((field) => [field.name, field.value]);
      expect(received).toEqual(sent);
      expect(rawHeaders.slice(2)).toEqual(sent);
    }
    session.close();
    await once(session, 'close');
    expect(mirror.bugs).toEqual([]);
  },
);

it('what we write is what we read', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.constantFrom(...NAMES, ':status'), value), { maxLength: 12 }), (fields) => {
      expect(new Reader().read(encodeFields(fields))).toEqual(fields);
      expect(new Reader().read(block(fields))).toEqual(fields);
    }),
    parameters,
  );
});
