import { once } from 'node:events';
import { gzipSync } from 'node:zlib';
import { create, toBinary } from '@bufbuild/protobuf';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PayloadSchema } from '../../src/gen/nacos/payload_pb.ts';
import { data, type Field, FLAG, headers, hello, request, settingsAck, windowUpdate } from '../support/http2-frames.ts';
import { NacosGrpc } from '../support/nacos-grpc.ts';
import { Attacked } from './attacked.ts';
import { Attacker, ask } from './attacker.ts';

/**
 * Requests of Nacos that cost much, done to a real process: whoever asks honestly meanwhile is answered, and nothing is left of them.
 */

const GRPC: Field = ['content-type', 'application/grpc'];
const GZIP: Field = ['grpc-encoding', 'gzip'];
const OPEN = FLAG.endHeaders;
const UNARY = '/Request/request';
const STREAM = '/BiRequestStream/requestBiStream';
const LIST = '/nacos/v1/ns/instance/list?serviceName=large';
const CONFIGS = '/nacos/v1/cs/configs';
/** Windows as wide as they can be. */
const GREEDY = Buffer.concat([hello([4, 2 ** 31 - 1]), settingsAck, windowUpdate(0, 2 ** 31 - 65_536)]);
/** They wait for half a minute else. */
const SHORTER = ['--stall-timeout', '4000'];
/** What all bounds of what is kept for callers allow together is a few times as much; none of these comes near to more than one. */
const MOST_MEBIBYTES = 300;

let room: Attacked;
beforeAll(async () => {
  room = await Attacked.start(SHORTER);
});
afterAll(() => room?.[Symbol.asyncDispose]());
const main = () => room.bridge.listeners.main;

/** As a client that has set up its connection. */
async function connected<T>(act: (client: NacosGrpc) => Promise<T>): Promise<T> {
  using client = await NacosGrpc.connect(room.bridge.listeners.grpc);
  return await act(client);
}

/** Addresses that no other batch has. */
function batch(serviceName: string, number: number, count: number, metadata: object) {
  const instances = Array.from({ length: count }, (_, i) => ({ ip: `10.${number}.${i >> 8}.${i & 255}`, port: 80, metadata }));
  return { namespace: 'public', serviceName, groupName: 'DEFAULT_GROUP', type: 'batchRegisterInstance', instances };
}

it('batches of ten thousand that replace each other', async () => {
  await room.bears(() =>
    connected(async (client) => {
      for (let i = 0; i < 5; i++)
        expect(await client.ask('BatchInstanceRequest', batch('batch', i, 10_000, { a: 'b' }))).toMatchObject({
          type: 'BatchInstanceResponse',
          body: { resultCode: 200 },
        });
    }),
  );
});

describe('messages that do not end', () => {
  /** The frame of a message of nearly 10 MiB, compressed or not. */
  const begun = (flag: number) => Buffer.from([flag, 0, 0x9f, 0xff, 0xff]);
  const STREAMS = 1_000;
  const PIECE = Buffer.alloc(16_000);
  const PIECES = 30_000;

  /** As much of each as it is let, in turn. Answers once it is ended, or nothing more is taken. */
  async function flooded(
    attacker: Attacker,
    first: number,
    path: string,
    flag: number,
    ...more: readonly Field[]
  ): Promise<void> {
    const idOf = (i: number) => 2 * (first + (i % STREAMS)) + 1;
    const opening = (i: number) =>
      Buffer.concat([headers(idOf(i), request('POST', path, GRPC, ...more), OPEN), data(idOf(i), begun(flag), 0)]);
    await attacker.flood(opening, STREAMS);
    await attacker.flood((i) => data(idOf(i), PIECE, 0), PIECES);
  }

  it.each([
    ['of a stranger, over streams', STREAM, 0, []],
    ['of a stranger, over streams that are compressed', STREAM, 1, [GZIP]],
    ['of a stranger, in questions', UNARY, 0, []],
    ['of a stranger, in questions that are compressed', UNARY, 1, [GZIP]],
    ['to the health service', '/grpc.health.v1.Health/Check', 0, []],
  ] as const)('%s', async (_, path, flag, more) => {
    const { mostMebibytes } = await room.bears(async () => {
      using attacker = await Attacker.greet(main());
      await flooded(attacker, 0, path, flag, ...more);
    });
    expect(mostMebibytes).toBeLessThan(MOST_MEBIBYTES);
  });

  it('of a client that has said who it is, in questions', async () => {
    const { mostMebibytes } = await room.bears(async () => {
      using attacker = await Attacker.greet(main());
      const said = { metadata: { type: 'ConnectionSetupRequest' }, body: { value: Buffer.from('{"clientVersion":"Test:v1"}') } };
      attacker.socket.write(headers(1, request('POST', STREAM, GRPC), OPEN));
      attacker.socket.write(data(1, framed(0, toBinary(PayloadSchema, create(PayloadSchema, said))), 0));
      await flooded(attacker, 1, UNARY, 0);
    });
    expect(mostMebibytes).toBeLessThan(MOST_MEBIBYTES);
  });

  it('of a hundred clients over HTTP/1.1', async () => {
    const { mostMebibytes } = await room.bears(async () => {
      const attackers = await Promise.all(Array.from({ length: 100 }, () => Attacker.dial(main())));
      const head = `POST ${CONFIGS} HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 4000000\r\n\r\n`;
      for (const { socket } of attackers) socket.write(head);
      await Promise.all(attackers.map((attacker) => attacker.flood(() => PIECE, 240)));
      for (const attacker of attackers) attacker[Symbol.dispose]();
    });
    expect(mostMebibytes).toBeLessThan(MOST_MEBIBYTES);
  });
});

describe('requests behind an answer that does not end', () => {
  const watch = 'GET /health/honest?watch HTTP/1.1\r\nHost: a\r\n\r\n';
  const form = 'Listening-Configs=a%02b%02%01';
  const poll = `POST ${CONFIGS}/listener HTTP/1.1\r\nHost: a\r\nLong-Pulling-Timeout: 60000\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: ${form.length}\r\n\r\n${form}`;

  it.each([
    ['streams of a status', watch],
    ['long polls', poll],
  ])('are not kept: %s, from a hundred connections', async (_, ask) => {
    const { mostMebibytes } = await room.bears(async () => {
      const attackers = await Promise.all(Array.from({ length: 100 }, () => Attacker.dial(main())));
      const many = Buffer.from(ask.repeat(500));
      await Promise.all(attackers.map((attacker) => attacker.flood(() => many, 100)));
      for (const attacker of attackers) attacker[Symbol.dispose]();
    });
    expect(mostMebibytes).toBeLessThan(MOST_MEBIBYTES);
  });
});

function framed(flag: number, message: Uint8Array): Buffer {
  const head = Buffer.from([flag, 0, 0, 0, 0]);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

describe('bombs of gzip, of 10 MB in 10 KB', () => {
  const BLANKS = { metadata: { type: 'InstanceRequest' }, body: { value: Buffer.alloc(10_000_000, ' ') } };
  const BOMB = framed(1, gzipSync(toBinary(PayloadSchema, create(PayloadSchema, BLANKS))));

  it.each([STREAM, UNARY, '/grpc.health.v1.Health/Check'])('from a stranger, to %s', async (path) => {
    const { mostMebibytes } = await room.bears(async () => {
      using attacker = await Attacker.greet(main());
      const asks = (i: number) => headers(2 * i + 1, request('POST', path, GRPC, GZIP), OPEN);
      for (let i = 0; i < 100; i++) attacker.socket.write(Buffer.concat([asks(i), data(2 * i + 1, BOMB)]));
      const refused = () => attacker.words.filter((word) => /^HEADERS \d+ END$|^RST_STREAM/.test(word)).length;
      await expect.poll(refused, { timeout: 10_000 }).toBeGreaterThanOrEqual(100);
    });
    expect(mostMebibytes).toBeLessThan(MOST_MEBIBYTES);
  });

  it('from a client that has said who it is', async () => {
    const { mostMebibytes } = await room.bears(async () => {
      using attacker = await Attacker.greet(main());
      const said = { metadata: { type: 'ConnectionSetupRequest' }, body: { value: Buffer.from('{"clientVersion":"Test:v1"}') } };
      attacker.socket.write(headers(1, request('POST', STREAM, GRPC), OPEN));
      attacker.socket.write(data(1, framed(0, toBinary(PayloadSchema, create(PayloadSchema, said))), 0));
      const asks = (i: number) => headers(2 * i + 1, request('POST', UNARY, GRPC, GZIP), OPEN);
      for (let i = 1; i <= 100; i++) attacker.socket.write(Buffer.concat([asks(i), data(2 * i + 1, BOMB)]));
      const refused = () => attacker.words.filter((word) => /^HEADERS \d+ END$/.test(word)).length;
      await expect.poll(refused, { timeout: 10_000 }).toBeGreaterThanOrEqual(100);
    });
    expect(mostMebibytes).toBeLessThan(MOST_MEBIBYTES);
  });
});

describe('a list of 24 MB', () => {
  const registrars: NacosGrpc[] = [];
  beforeAll(async () => {
    for (let i = 0; i < 4; i++) {
      const client = await NacosGrpc.connect(room.bridge.listeners.grpc);
      registrars.push(client);
      await client.ask('BatchInstanceRequest', batch('large', i, 2_500, { a: 'x'.repeat(2_100) }));
    }
    // Made once before, as it is kept for all who ask.
    expect((await ask(main(), 'GET', LIST)).body.length).toBeGreaterThan(23_000_000);
  });
  afterAll(() => {
    for (const client of registrars) client[Symbol.dispose]();
  });

  it('of which a hundred clients of HTTP/1.1 read nothing is made once, and they are ended', async () => {
    const { mostMebibytes } = await room.bears(async () => {
      const before = room.descriptors;
      const attackers = await Promise.all(Array.from({ length: 100 }, () => Attacker.dial(main(), false)));
      // What is behind the first is not answered any more, a watch without end neither.
      const asks = [LIST, LIST, '/health/honest?watch'].map((path) => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`);
      for (const { socket } of attackers) socket.write(asks.join(''));
      // Once the time is over in which they may take nothing, twice that at most.
      await room.untilDescriptors(before, 15_000);
      for (const attacker of attackers) attacker[Symbol.dispose]();
    });
    expect(mostMebibytes).toBeLessThan(MOST_MEBIBYTES);
  });

  it('of which a hundred clients of HTTP/2 read nothing is made once, and they are ended', async () => {
    const { mostMebibytes } = await room.bears(async () => {
      const before = room.descriptors;
      const attackers = await Promise.all(Array.from({ length: 100 }, () => Attacker.dial(main(), false)));
      const asks = Array.from({ length: 10 }, (_, i) => headers(2 * i + 1, request('GET', LIST)));
      for (const { socket } of attackers) socket.write(Buffer.concat([GREEDY, ...asks]));
      await room.untilDescriptors(before, 15_000);
      for (const attacker of attackers) attacker[Symbol.dispose]();
    });
    expect(mostMebibytes).toBeLessThan(MOST_MEBIBYTES + 256);
  });

  it('that twenty clients read at once keeps nobody waiting', async () => {
    await room.bears(async () => {
      const lists = await Promise.all(Array.from({ length: 20 }, () => ask(main(), 'GET', LIST)));
      expect(lists.map(({ status }) => status)).toEqual(lists.map(() => 200));
    });
  });
});

describe('JSON that is nested five thousand levels deep', () => {
  const LISTS = '['.repeat(5_000) + ']'.repeat(5_000);
  const OBJECTS = `${'{"a":'.repeat(5_000)}1${'}'.repeat(5_000)}`;
  const at = { serviceName: 'deep', ip: '10.0.0.1', port: 80 };

  it.each([
    ['a beat', 'PUT', '/instance/beat', { beat: `{"ip":"10.0.0.1","port":80,"x":${LISTS}}` }],
    ['the metadata of a beat', 'PUT', '/instance/beat', { beat: `{"ip":"10.0.0.1","port":80,"metadata":{"a":${OBJECTS}}}` }],
    ['metadata', 'POST', '/instance', { metadata: OBJECTS }],
    ['a batch', 'PUT', '/instance/metadata/batch', { metadata: '{}', instances: `[{"ip":"10.0.0.1","port":80,"x":${LISTS}}]` }],
    ['a selector', 'POST', '/service', { selector: `{"type":"label","expression":${OBJECTS}}` }],
    ['a selector with more in it', 'POST', '/service', { selector: `{"type":"none","contextType":${OBJECTS}}` }],
    ['a check', 'PUT', '/cluster', { clusterName: 'C1', checkPort: 80, healthChecker: `{"type":"TCP","x":${OBJECTS}}` }],
  ])('in %s is refused, and poisons nothing', async (_, method, path, params) => {
    await room.bears(async () => {
      const { status } = await ask(main(), method, `/nacos/v1/ns${path}`, { useInstancePort4Check: 'true', ...at, ...params });
      expect(status).toBe(400);
      for (const reading of ['/service/list', '/catalog/services'])
        expect((await ask(main(), 'GET', `/nacos/v1/ns${reading}?pageNo=1&pageSize=10`)).status).toBe(200);
    });
  });

  it('is refused over gRPC in the class of the answer', async () => {
    await connected(async (client) => {
      for (const deep of [LISTS, OBJECTS]) {
        const said = await client.ask('InstanceRequest', `{"serviceName":"deep","type":"registerInstance","x":${deep}}`);
        expect(said).toMatchObject({ type: 'InstanceResponse', body: { resultCode: 500, errorCode: 400 } });
      }
    });
  });
});

describe('what grows by being edited', () => {
  const at = { serviceName: 'grown', ip: '10.0.0.1', port: 80, ephemeral: 'false' };

  it('is the metadata of an instance, up to what may be said of one', async () => {
    await room.bears(async () => {
      await ask(main(), 'POST', '/nacos/v1/ns/instance', at);
      for (let i = 0; i < 40; i++) {
        const metadata = JSON.stringify({ [`k${i}${'x'.repeat(7_000)}`]: 'v'.repeat(7_000) });
        await ask(main(), 'PATCH', '/nacos/v1/ns/instance', { ...at, metadata });
        const instances = JSON.stringify([{ ip: at.ip, port: at.port, ephemeral: false }]);
        await ask(main(), 'PUT', '/nacos/v1/ns/instance/metadata/batch', { ...at, metadata, instances });
        await ask(main(), 'PUT', '/nacos/v1/ns/instance', { ...at, metadata });
      }
      const { body } = await ask(main(), 'GET', '/nacos/v1/ns/instance/list?serviceName=grown');
      expect(body.length).toBeLessThan(40_000);
    });
  });

  it('is the number of clusters, up to a bound in all', async () => {
    const cluster = {
      checkPort: 80,
      useInstancePort4Check: 'true',
      healthChecker: '{"type":"TCP"}',
      serviceName: at.serviceName,
    };
    await room.bears(async () => {
      const said: number[] = [];
      for (let i = 0; i < 100; i++) {
        const metadata = JSON.stringify({ a: 'x'.repeat(10_000) });
        said.push((await ask(main(), 'PUT', '/nacos/v1/ns/cluster', { ...cluster, clusterName: `C${i}`, metadata })).status);
      }
      expect(said.filter((status) => status === 200)).toHaveLength(26);
      expect((await ask(main(), 'GET', '/nacos/v1/ns/service?serviceName=grown')).body.length).toBeLessThan(400_000);
    });
  });
});

describe('what is said wrongly', () => {
  it('two Host headers are refused', async () => {
    using attacker = await Attacker.dial(main());
    attacker.socket.write('GET /health/honest HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n');
    await expect.poll(() => attacker.text).toMatch(/^HTTP\/1.1 400 /);
  });

  it('protobuf that is none is a mistake of whoever sends it', async () => {
    using attacker = await Attacker.dial(main());
    const head =
      'POST /grpc.health.v1.Health/Check HTTP/1.1\r\nHost: a\r\nContent-Type: application/proto\r\nContent-Length: 2\r\n\r\n';
    attacker.socket.write(Buffer.concat([Buffer.from(head), Buffer.from([0xff, 0x7f])]));
    await expect.poll(() => attacker.text).toMatch(/^HTTP\/1.1 400 [\s\S]*"invalid_argument"/);
  });

  it('no client is asked to beat every millisecond', async () => {
    const at = { serviceName: 'hurried', ip: '10.0.0.1', port: 80 };
    const metadata = JSON.stringify({ 'preserved.heart.beat.interval': '1' });
    await ask(main(), 'POST', '/nacos/v1/ns/instance', { ...at, metadata });
    const { body } = await ask(main(), 'PUT', '/nacos/v1/ns/instance/beat', at);
    expect(JSON.parse(body)).toMatchObject({ clientBeatInterval: 100 });
    const entry = { entry: 'clientBeatInterval', value: 1 };
    expect((await ask(main(), 'PUT', '/nacos/v1/ns/operator/switches', entry)).status).toBe(400);
  });
});

describe('texts of a mebibyte, in a heap of 256 MB', () => {
  let small: Attacked;
  beforeAll(async () => {
    small = await Attacked.start(SHORTER, '--max-old-space-size=256');
  });
  afterAll(() => small?.[Symbol.asyncDispose]());

  it('are refused before they end the process, and so are pages that nobody reads', async () => {
    const { main: address } = small.bridge.listeners;
    const content = 'x'.repeat(1_000_000);
    const at = (i: number) => ({ dataId: `d${i}`, group: 'g' });
    await small.bears(async () => {
      const published: number[] = [];
      for (let i = 0; i < 100; i++) published.push((await ask(address, 'POST', CONFIGS, { ...at(i), content })).status);
      expect(published.slice(0, 40)).toEqual(Array(40).fill(200));
      expect(published.slice(-5)).toEqual(Array(5).fill(429));
      const page = (size: number) => `${CONFIGS}?search=blur&dataId=&group=&pageNo=1&pageSize=${size}`;
      expect((await ask(address, 'GET', page(1_000))).status).toBe(400);
      const before = small.descriptors;
      const readers = await Promise.all(Array.from({ length: 50 }, () => Attacker.dial(address, false)));
      for (const { socket } of readers) socket.write(`GET ${page(10)} HTTP/1.1\r\nHost: a\r\n\r\n`);
      await Promise.race(readers.map(({ socket }) => once(socket, 'readable')));
      for (const reader of readers) reader[Symbol.dispose]();
      await small.untilDescriptors(before, 10_000);
      for (const [i, status] of published.entries()) if (status === 200) await ask(address, 'DELETE', CONFIGS, at(i));
    });
  });

  it('keep nothing of the long requests in which they came', async () => {
    const { main: address } = small.bridge.listeners;
    await small.bears(async () => {
      const junk = 'x'.repeat(250_000);
      for (let i = 0; i < 200; i++) {
        const text = { dataId: `text-of-a-name-${i}`, group: 'group-of-a-name', content: `content number ${i}`, junk };
        expect((await ask(address, 'POST', CONFIGS, text)).status).toBe(200);
      }
    });
  });

  it('keep nothing of long requests that wait, and of long names no more than they may', async () => {
    const { main: address, grpc } = small.bridge.listeners;
    const { mostMebibytes } = await small.bears(async () => {
      const body = `Listening-Configs=d%02g%02%01&x=${'a'.repeat(4_000_000)}`;
      const head = `POST ${CONFIGS}/listener HTTP/1.1\r\nHost: a\r\nLong-Pulling-Timeout: 100000\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: ${body.length}\r\n\r\n`;
      const pollers: Attacker[] = [];
      for (let i = 0; i < 60; i++) {
        const poller = await Attacker.dial(address);
        pollers.push(poller);
        poller.socket.write(head);
        await new Promise((resolve) => poller.socket.write(body, resolve));
      }
      using client = await NacosGrpc.connect(grpc);
      const letters = 'abcdefghijklmnopqrstuvwxyz';
      const codes = new Set<number>();
      for (let i = 0; i < 5_000; i++) {
        const clusters = Array.from({ length: 505 }, (_, j) => letters[(i + j) % letters.length]).join();
        const { body: said } = await client.ask('SubscribeServiceRequest', { serviceName: `s${i}`, subscribe: true, clusters });
        codes.add(said.resultCode === 200 ? 200 : said.errorCode);
      }
      expect([...codes]).toEqual([200, 503]);
      for (const poller of pollers) poller[Symbol.dispose]();
    });
    expect(mostMebibytes).toBeLessThan(MOST_MEBIBYTES);
  });
});
