import { once } from 'node:events';
import { type ClientHttp2Session, type ClientHttp2Stream, constants } from 'node:http2';
import { gzipSync } from 'node:zlib';
import { create, toBinary } from '@bufbuild/protobuf';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PayloadSchema } from '../../../src/gen/nacos/payload_pb.ts';
import { orders, registration } from '../../support/instances.ts';
import { type Asked, noted, overHttp2, type Seen, seenOf, twoDoors } from '../../support/lanes.ts';
import { failOnLeaks } from '../../support/leaks.ts';

failOnLeaks();

/**
 * What a client sees is the same through the lane and the usual way: every case goes through both doors of one house, and each says
 * whether the lane is to have taken it.
 */
type Doors = Awaited<ReturnType<typeof twoDoors>>;
const IN_LANE = 0;
const USUAL = 1;
type Way = typeof IN_LANE | typeof USUAL;

const GRPC = { ':path': '/Request/request', 'content-type': 'application/grpc' };
const STREAM = { ':path': '/BiRequestStream/requestBiStream', 'content-type': 'application/grpc' };

/** A frame around the message. */
function framed(message: Uint8Array, flag = 0, length = message.length): Buffer {
  const head = Buffer.alloc(5, flag);
  head.writeUInt32BE(length, 1);
  return Buffer.concat([head, message]);
}

function payload(type: string, body: unknown, headers: Record<string, string> = {}, typeUrl = ''): Uint8Array {
  const value = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
  return toBinary(PayloadSchema, create(PayloadSchema, { metadata: { type, headers }, body: { typeUrl, value } }));
}

const asks = (type: string, body: unknown = {}) => framed(payload(type, body));
const SETUP = { clientVersion: 'Test:v1', labels: { module: 'naming' } };

/** What differs from one connection, or moment, to the next. */
function timeless(text: string): string {
  return text
    .replaceAll(/("connectionId":")\d+_127\.0\.0\.1_\d+"/g, '$1ID"')
    .replaceAll(/("lastRefTime":|"lastModified":)\d+/g, '$1TIME');
}

function withoutTime(seen: Seen): Seen {
  return seen.map(([what, ...facts]) => [what, ...facts.map((fact) => (typeof fact === 'string' ? timeless(fact) : fact))]);
}

let doors: Doors;
/** A connection to each door that nobody has set up. */
let strange: [ClientHttp2Session, ClientHttp2Session];
/** One that has been. */
let known: [ClientHttp2Session, ClientHttp2Session];

async function connected(address: string): Promise<ClientHttp2Session> {
  const session = await overHttp2(address);
  const stream = session.request({ ...STREAM, ':method': 'POST', te: 'trailers' });
  stream.on('error', () => {});
  stream.write(asks('ConnectionSetupRequest', { ...SETUP, abilityTable: {} }));
  await once(stream, 'data');
  return session;
}

beforeAll(async () => {
  doors = await twoDoors({ restartGraceMs: 0, maxNacosMessageBytes: 1 << 20 }, 'all');
  doors.registry.register(orders, registration());
  strange = [await overHttp2(doors.doors[0]), await overHttp2(doors.doors[1])];
  known = [await connected(doors.doors[0]), await connected(doors.doors[1])];
});
afterAll(async () => {
  for (const session of [...strange, ...known]) session.destroy();
  await doors.close(200);
});

/** Asks at both doors, and answers what both say. */
async function both(asked: Asked, way: Way, sessions = known): Promise<Seen> {
  const before = doors.usual.count;
  const inLane = await seenOf(sessions[0], asked);
  expect(doors.usual.count - before).toBe(way);
  const usual = await seenOf(sessions[1], asked);
  expect(withoutTime(inLane)).toEqual(withoutTime(usual));
  return usual;
}

describe('a question', () => {
  const named = { namespace: 'public', serviceName: 'orders', groupName: 'DEFAULT_GROUP' };
  const instance = { ip: '10.0.0.2', port: 80, metadata: { k: 'ü' } };
  const questions: readonly [type: string, body: unknown][] = [
    ['ServerCheckRequest', {}],
    ['HealthCheckRequest', {}],
    ['NoSuchRequest', {}],
    ['', {}],
    ['InstanceRequest', { ...named, serviceName: 'other', type: 'registerInstance', instance }],
    ['InstanceRequest', { ...named, serviceName: 'other', type: 'deregisterInstance', instance }],
    ['InstanceRequest', { ...named, type: 'no such', instance }],
    ['InstanceRequest', 'no JSON'],
    ['InstanceRequest', 'null'],
    ['BatchInstanceRequest', { ...named, serviceName: 'batch', type: 'batchRegisterInstance', instances: [instance] }],
    ['PersistentInstanceRequest', { ...named, serviceName: 'lasting', type: 'registerInstance', instance }],
    ['SubscribeServiceRequest', { ...named, subscribe: true, clusters: 'C1' }],
    ['SubscribeServiceRequest', { ...named, subscribe: false, clusters: 'C1' }],
    ['SubscribeServiceRequest', { ...named, serviceName: 'a b', subscribe: true }],
    ['ServiceQueryRequest', { ...named, cluster: '' }],
    ['ServiceQueryRequest', { ...named, healthyOnly: true }],
    ['ServiceQueryRequest', { ...named, serviceName: 'diensté' }],
    ['ServiceListRequest', { pageNo: 1, pageSize: 10 }],
    ['ConfigQueryRequest', { dataId: 'd', group: 'g' }],
    ['ConfigPublishRequest', { dataId: 'd', group: 'g', content: 'text' }],
    ['ConfigQueryRequest', { dataId: 'd', group: 'g' }],
    ['ConfigBatchListenRequest', { listen: true, configListenContexts: [{ dataId: 'd', group: 'g', md5: '' }] }],
    ['ConfigRemoveRequest', { dataId: 'd', group: 'g' }],
  ];
  it.each(questions)('%s %j of one that is set up', async (type, body) => {
    const seen = await both({ headers: GRPC, pieces: [asks(type, body)] }, IN_LANE);
    expect(seen.map(([what]) => what)).toEqual(['response', 'data', 'trailers', 'end', 'close']);
  });

  it.each(questions)('%s %j of one that is not', async (type, body) => {
    await both({ headers: GRPC, pieces: [asks(type, body)] }, IN_LANE, strange);
  });
});

describe('a request', () => {
  const health = payload('HealthCheckRequest', {});
  const type = (name: string) => Buffer.from([0x1a, name.length, ...Buffer.from(name)]);
  const metadata = (...fields: readonly Uint8Array[]) => {
    const bytes = Buffer.concat(fields);
    return Buffer.from([0x12, bytes.length, ...bytes]);
  };
  const body = Buffer.from([0x1a, 4, 0x12, 2, 0x7b, 0x7d]);
  const HEALTH_CHECK = type('HealthCheckRequest');

  it.each<[string, Way, readonly Uint8Array[]]>([
    ['no byte', USUAL, []],
    ['an empty frame of HTTP/2', USUAL, [Buffer.alloc(0)]],
    ['an empty message', USUAL, [framed(Buffer.alloc(0))]],
    ['a message in pieces', IN_LANE, [...framed(health)].map((byte) => Buffer.from([byte]))],
    ['two messages', USUAL, [framed(health), framed(health)]],
    ['two messages at once', USUAL, [Buffer.concat([framed(health), framed(health)])]],
    ['half a message', USUAL, [framed(health, 0, health.length + 1)]],
    ['half a frame', USUAL, [Buffer.from([0, 0, 0])]],
    ['a message and half a frame', USUAL, [Buffer.concat([framed(health), Buffer.from([0, 0])])]],
    ['a message of 4 GiB', USUAL, [framed(health, 0, 0xffff_ffff)]],
    ['a message that is too large', USUAL, [framed(Buffer.alloc(10), 0, (1 << 20) + 1)]],
    [
      'a message that is large',
      USUAL,
      [framed(payload('ServiceQueryRequest', `{"serviceName":"orders"}${' '.repeat(300_000)}`))],
    ],
    ['the flag of compression', USUAL, [framed(health, 1)]],
    ['gzip that nobody has named', USUAL, [framed(gzipSync(health), 1)]],
    ['another flag', USUAL, [framed(health, 2)]],
    ['no protobuf', USUAL, [framed(Buffer.from([0xff, 0xff, 0xff]))]],
    ['text', USUAL, [Buffer.from('{"type":"HealthCheckRequest"}')]],
    ['an unknown field', USUAL, [framed(Buffer.concat([health, Buffer.from([0x20, 1])]))]],
    ['an unknown field in the metadata', USUAL, [framed(Buffer.concat([metadata(HEALTH_CHECK, Buffer.from([0x28, 1])), body]))]],
    ['an unknown field first', USUAL, [framed(Buffer.concat([Buffer.from([0x0a, 1, 0x61]), health]))]],
    ['metadata twice', USUAL, [framed(Buffer.concat([metadata(type('x')), metadata(HEALTH_CHECK), body]))]],
    [
      'odd metadata and some more',
      USUAL,
      [framed(Buffer.concat([metadata(Buffer.from([0x28, 1])), metadata(HEALTH_CHECK), body]))],
    ],
    ['a body twice', USUAL, [framed(Buffer.concat([metadata(HEALTH_CHECK), body, body]))]],
    ['the type twice', IN_LANE, [framed(Buffer.concat([metadata(type('x'), HEALTH_CHECK), body]))]],
    ['the body first', IN_LANE, [framed(Buffer.concat([body, metadata(HEALTH_CHECK)]))]],
    ['no metadata', USUAL, [framed(body)]],
    ['empty metadata', IN_LANE, [framed(Buffer.concat([metadata(), body]))]],
    ['no body', USUAL, [framed(metadata(HEALTH_CHECK))]],
    ['no JSON, not even a byte of it', USUAL, [framed(payload('InstanceRequest', ''))]],
    ['an empty body', USUAL, [framed(Buffer.concat([metadata(HEALTH_CHECK), Buffer.from([0x1a, 0])]))]],
    ['an empty value', IN_LANE, [framed(Buffer.concat([metadata(HEALTH_CHECK), Buffer.from([0x1a, 2, 0x12, 0])]))]],
    ['another wire type', USUAL, [framed(Buffer.concat([Buffer.from([0x10, 1]), health]))]],
    ['a length that is too long', USUAL, [framed(Buffer.concat([metadata(HEALTH_CHECK), Buffer.from([0x1a, 9, 0x12, 0])]))]],
    ['a length in more bytes than it needs', IN_LANE, [framed(Buffer.from([0x12, 0x80, 0x00, ...body]))]],
    ['a length without an end', USUAL, [framed(Buffer.from([0x12, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80]))]],
    ['a tag alone', USUAL, [framed(Buffer.concat([health, Buffer.from([0x12])]))]],
    ['a type that is no UTF-8', USUAL, [framed(Buffer.concat([metadata(Buffer.from([0x1a, 2, 0xff, 0xfe])), body]))]],
    ['a type that is no ASCII', USUAL, [framed(payload('Prüfung', {}))]],
    ['headers', IN_LANE, [framed(payload('HealthCheckRequest', {}, { app: 'unknown', accessToken: 'x' }))]],
    ['headers that are no ASCII', USUAL, [framed(payload('HealthCheckRequest', {}, { app: 'ü' }))]],
    [
      'a header that is called __proto__',
      USUAL,
      [framed(Buffer.concat([metadata(HEALTH_CHECK, entry('__proto__', 'x')), body]))],
    ],
    ['a type URL', IN_LANE, [framed(payload('HealthCheckRequest', {}, {}, 'type.googleapis.com/x'))]],
    ['JSON with a mark of byte order', IN_LANE, [framed(payload('ServiceQueryRequest', '\ufeff{"serviceName":"orders"}'))]],
  ])('that is %s', async (_, way, pieces) => {
    await both({ headers: GRPC, pieces: pieces.map((piece) => Buffer.from(piece)) }, way);
  });

  it.each<[string, Way, Readonly<Record<string, string>>]>([
    ['the longer type', IN_LANE, { 'content-type': 'application/grpc+proto' }],
    ['a type in upper case', USUAL, { 'content-type': 'Application/GRPC' }],
    ['a type with a parameter', USUAL, { 'content-type': 'application/grpc;x=y' }],
    ['JSON over gRPC', USUAL, { 'content-type': 'application/grpc+json' }],
    ['gRPC-Web', USUAL, { 'content-type': 'application/grpc-web+proto' }],
    ['JSON', USUAL, { 'content-type': 'application/json' }],
    ['another type', USUAL, { 'content-type': 'application/x' }],
    ['GET', USUAL, { ':method': 'GET' }],
    ['PUT', USUAL, { ':method': 'PUT' }],
    ['a query', USUAL, { ':path': '/Request/request?x=y' }],
    ['a slash at its end', USUAL, { ':path': '/Request/request/' }],
    ['two slashes', USUAL, { ':path': '//Request/request' }],
    ['another path', USUAL, { ':path': '/Request/other' }],
    ['no compression', IN_LANE, { 'grpc-encoding': 'identity' }],
    ['gzip', USUAL, { 'grpc-encoding': 'gzip' }],
    ['a compression that nobody knows', USUAL, { 'grpc-encoding': 'zstd' }],
    ['what it takes: gzip', IN_LANE, { 'grpc-accept-encoding': 'gzip' }],
    ['what it takes, as C-core says it', IN_LANE, { 'grpc-accept-encoding': 'identity, deflate, gzip' }],
    ['what it takes, as grpc-js says it', IN_LANE, { 'grpc-accept-encoding': 'identity,deflate,gzip' }],
    ['what it takes: nothing that is known', IN_LANE, { 'grpc-accept-encoding': 'snappy,zstd' }],
    ['what it takes: what is not known', IN_LANE, { 'grpc-accept-encoding': 'unknown' }],
    ['what it takes: nothing', IN_LANE, { 'grpc-accept-encoding': '' }],
    ['a time', IN_LANE, { 'grpc-timeout': '3S' }],
    ['no time at all', IN_LANE, { 'grpc-timeout': '0n' }],
    ['all the time in the world', IN_LANE, { 'grpc-timeout': '99999999H' }],
    ['a time that is none', USUAL, { 'grpc-timeout': 'soon' }],
    ['a time that is too long', USUAL, { 'grpc-timeout': '123456789S' }],
    ["a time in Dubbo's words", IN_LANE, { 'tri-service-timeout': '1' }],
    ['an origin', USUAL, { origin: 'http://example.com' }],
    ['a wish to be asked for its body', USUAL, { expect: '100-continue' }],
    ['another authority', IN_LANE, { ':authority': 'orders.shop.svc' }],
    ['fields of its own', IN_LANE, { 'x-anything': 'y', 'user-agent': 'grpc-java-netty/1.50' }],
  ])('with %s', async (_, way, headers) => {
    await both({ headers: { ...GRPC, ...headers }, pieces: [framed(health)] }, way);
  });

  it('without te, and one that is nothing but a header', async () => {
    await both({ headers: { ...GRPC, te: 'trailers' }, isHeaderOnly: true }, USUAL);
  });

  it.each([0, 1, 10])('that is reset after %i of its pieces does nothing', async (count) => {
    const body = { serviceName: 'reset', type: 'registerInstance', instance: { ip: '10.0.0.1', port: 80 } };
    const pieces = [...asks('InstanceRequest', body)].map((byte) => Buffer.from([byte])).slice(0, count);
    for (const [door, session] of known.entries()) {
      await seenOf(session, { headers: GRPC, pieces, resets: true });
      // The answer to a ping comes after all that was sent before it has been read.
      await new Promise((resolve) => session.ping(resolve));
      expect([door, doors.registry.tally({ ...orders, name: 'reset' })]).toEqual([door, undefined]);
    }
  });
});

describe('a list that is too long to be made in one turn', () => {
  const MANY = { ...orders, name: 'many' };
  const asked = { headers: GRPC, pieces: [asks('ServiceQueryRequest', { serviceName: 'many' })] };
  beforeAll(() => {
    for (let port = 1; port <= 1_500; port++) doors.registry.register(MANY, registration({ port }));
  });
  afterAll(() => {
    for (let port = 1; port <= 1_500; port++) doors.registry.deregister(MANY, registration({ port }));
  });

  it('is answered when it is there', async () => {
    const seen = await both(asked, IN_LANE);
    expect(JSON.stringify(seen)).toContain('10.0.0.1#1500#');
  });

  it('is not answered to a caller who has gone meanwhile, and nobody is hurt', async () => {
    for (const session of known) {
      // Made anew each time.
      doors.registry.register(MANY, registration());
      await seenOf(session, { ...asked, resets: true });
      await both({ headers: GRPC, pieces: [asks('HealthCheckRequest')] }, IN_LANE);
    }
    await both(asked, IN_LANE);
    expect(doors.openAnswers.count).toBe(known.length);
    expect(doors.logged.filter((line) => line.includes('"level":50'))).toEqual([]);
  });
});

/** A stream of its own connection, and what comes over it. */
class Talk {
  readonly stream: ClientHttp2Stream;
  readonly seen: Seen;

  constructor(session: ClientHttp2Session, headers: Readonly<Record<string, string>> = {}, endStream = false) {
    this.stream = session.request({ ...STREAM, ':method': 'POST', te: 'trailers', ...headers }, { endStream });
    this.seen = noted(this.stream);
  }

  say(...pieces: readonly Uint8Array[]): void {
    for (const piece of pieces) this.stream.write(piece);
  }

  /** Waits until so much has come that it has that in it. */
  async heard(text: string): Promise<void> {
    const hears = () => this.seen.some(([what, data]) => what === 'data' && typeof data === 'string' && data.includes(text));
    while (!hears()) await once(this.stream, 'data');
  }

  async saw(what: string): Promise<void> {
    while (!this.seen.some(([each]) => each === what)) await once(this.stream, what);
  }
}

/** The same over both doors, each time over a connection of its own: what is seen of the stream, and whether the connection has ended. */
async function talked(
  way: Way,
  talk: (session: ClientHttp2Session, door: number) => Promise<Talk>,
  house = doors,
): Promise<Seen> {
  const before = house.usual.count;
  const seen: Seen[] = [];
  for (const [door, address] of house.doors.entries()) {
    const session = await overHttp2(address);
    const { stream, seen: events } = await talk(session, door);
    if (!stream.closed) await once(stream, 'close').catch(() => {});
    seen.push([...withoutTime(events), ['connection', session.destroyed || session.closed]]);
    session.destroy();
    if (door === 0) expect(house.usual.count - before).toBe(way);
  }
  expect(seen[0]).toEqual(seen[1]);
  return seen[0] ?? [];
}

const SETS_UP = asks('ConnectionSetupRequest', { ...SETUP, abilityTable: {} });

async function setUp(session: ClientHttp2Session): Promise<Talk> {
  const talk = new Talk(session);
  talk.say(SETS_UP);
  await talk.heard('SetupAckRequest');
  return talk;
}

describe('the stream of a connection', () => {
  const what = (seen: Seen) => seen.map(([each]) => each);

  it('is acknowledged, and when it ends so does the connection', async () => {
    const seen = await talked(IN_LANE, async (session) => {
      const talk = await setUp(session);
      talk.stream.end();
      return talk;
    });
    expect(what(seen).slice(0, 2)).toEqual(['response', 'data']);
    expect(seen.at(-1)).toEqual(['connection', true]);
  });

  it.each<[string, readonly Uint8Array[]]>([
    ['that is no protobuf', [framed(Buffer.from([0xff, 0xff]))]],
    ['that is too large', [framed(Buffer.alloc(10), 0, (1 << 20) + 1)]],
    ['that is compressed', [framed(gzipSync(payload('X', {})), 1)]],
  ])('breaks at a message %s, and with it the connection', async (_, pieces) => {
    const seen = await talked(IN_LANE, async (session) => {
      const talk = await setUp(session);
      talk.say(...pieces);
      return talk;
    });
    expect(seen.at(-1)).toEqual(['connection', true]);
  });

  it('is reset by its client, and with it the connection', async () => {
    await talked(IN_LANE, async (session) => {
      const talk = await setUp(session);
      talk.stream.close(constants.NGHTTP2_CANCEL);
      await once(session, 'close');
      return talk;
    });
  });

  it.each<[string, readonly Uint8Array[]]>([
    ['byte by byte', [...SETS_UP].map((byte) => Uint8Array.of(byte))],
    ['with what follows', [Buffer.concat([SETS_UP, asks('ClientDetectionResponse', { requestId: '7' }), asks('X', 'no JSON')])]],
    ['with half of what follows', [Buffer.concat([SETS_UP, asks('X').subarray(0, 3)]), asks('X').subarray(3)]],
    ['with a long message', [Buffer.concat([SETS_UP, asks('X', { x: 'x'.repeat(50_000) })]), SETS_UP]],
  ])('is set up %s', async (_, pieces) => {
    await talked(IN_LANE, async (session) => {
      const talk = new Talk(session);
      talk.say(...pieces);
      await talk.heard('SetupAckRequest');
      talk.stream.end();
      return talk;
    });
  });

  it('is pushed what it has subscribed to, each time under another id', async () => {
    const service = { ...orders, name: 'pushed' };
    const seen = await talked(IN_LANE, async (session, door) => {
      const talk = await setUp(session);
      const subscribes = { serviceName: 'pushed', subscribe: true, clusters: '' };
      await seenOf(session, { headers: GRPC, pieces: [asks('SubscribeServiceRequest', subscribes)] });
      await talk.heard('"requestId":"1"');
      for (const port of [1, 2]) {
        talk.say(asks('NotifySubscriberResponse', { requestId: String(port), resultCode: 200 }));
        doors.registry.register(service, registration({ port }));
        await talk.heard(`"requestId":"${port + 1}"`);
      }
      for (const port of [1, 2]) doors.registry.deregister(service, registration({ port }));
      if (door === 0) doors.registry.drop(service);
      talk.stream.end();
      return talk;
    });
    expect(JSON.stringify(seen)).toContain('10.0.0.1#2#DEFAULT#DEFAULT_GROUP@@pushed');
  });
});

describe('a stream that sets up no connection', () => {
  it.each<[string, readonly Uint8Array[]]>([
    ['and says nothing', []],
    ['and says something else', [asks('ClientDetectionResponse', { requestId: '1' })]],
    ['and says half of something', [asks('X').subarray(0, 7)]],
    ['and says half of a head', [Buffer.from([0, 0])]],
  ])('%s ends when its client has ended it', async (_, pieces) => {
    const seen = await talked(IN_LANE, async (session) => {
      const talk = new Talk(session);
      talk.say(...pieces);
      talk.stream.end();
      return talk;
    });
    expect(seen).toContainEqual(['trailers', ['grpc-status', '0']]);
    expect(seen.at(-1)).toEqual(['connection', false]);
  });

  it('ends at once when it is nothing but a header', async () => {
    await talked(IN_LANE, async (session) => new Talk(session, {}, true));
  });

  it.each<[string, readonly Uint8Array[]]>([
    ['no protobuf', [framed(Buffer.from([0xff, 0xff]))]],
    ['too large', [framed(Buffer.alloc(10), 0, (1 << 20) + 1)]],
    ['compressed', [framed(gzipSync(payload('X', {})), 1)]],
    ['a setup that is none', [asks('ConnectionSetupRequest', 'null')]],
  ])('ends at what is %s', async (_, pieces) => {
    await talked(IN_LANE, async (session) => {
      const talk = new Talk(session);
      talk.say(...pieces);
      await Promise.race([talk.saw('trailers'), talk.saw('close')]);
      talk.stream.end();
      return talk;
    });
  });

  it('because there is one already, ends alone', async () => {
    const seen = await talked(IN_LANE, async (session) => {
      await setUp(session);
      const second = new Talk(session);
      second.say(SETS_UP);
      second.stream.end();
      return second;
    });
    expect(seen.at(-1)).toEqual(['connection', false]);
  });

  it.each<[string, Way, Readonly<Record<string, string>>]>([
    ['with a deadline', USUAL, { 'grpc-timeout': '50m' }],
    ["with a deadline in Dubbo's words", USUAL, { 'tri-service-timeout': '50' }],
    ['with a deadline that is none', USUAL, { 'grpc-timeout': 'x' }],
  ])('%s ends in time', async (_, way, headers) => {
    await talked(way, async (session) => {
      const talk = new Talk(session, headers);
      await Promise.race([talk.saw('trailers'), talk.saw('close')]);
      talk.stream.end();
      return talk;
    });
  });

  it('is of another kind', async () => {
    await talked(USUAL, async (session) => new Talk(session, { 'content-type': 'application/grpc+json' }, true));
    await talked(USUAL, async (session) => new Talk(session, { ':method': 'GET' }, true));
  });
});

it('when the server goes, clients are sent elsewhere, and their streams end as unavailable', async () => {
  const house = await twoDoors({ restartGraceMs: 0 }, 'all');
  const sessions = await Promise.all(house.doors.map((address) => overHttp2(address)));
  const talks = await Promise.all(sessions.map(setUp));
  const others = sessions.map((session) => new Talk(session));
  await Promise.all(sessions.map((session) => new Promise((resolve) => session.ping(resolve))));
  const closed = house.close(2_000);
  await Promise.all([...talks, ...others].map((talk) => talk.saw('trailers')));
  await closed;
  for (const [one, other] of [talks, others]) {
    const upToTrailers = ({ seen }: Talk) => withoutTime(seen).slice(0, seen.findIndex(([what]) => what === 'trailers') + 1);
    if (one === undefined || other === undefined) throw new Error('there are two doors');
    expect(upToTrailers(one)).toEqual(upToTrailers(other));
    expect(one.seen).toContainEqual(['trailers', ['grpc-message', 'the%20bridge%20is%20shutting%20down', 'grpc-status', '14']]);
  }
  expect(JSON.stringify(talks[0]?.seen)).toContain('ConnectResetRequest');
  for (const session of sessions) session.destroy();
});

function entry(key: string, value: string): Buffer {
  const fields = Buffer.from([0x0a, key.length, ...Buffer.from(key), 0x12, value.length, ...Buffer.from(value)]);
  return Buffer.from([0x3a, fields.length, ...fields]);
}
