import { once } from 'node:events';
import type { ClientHttp2Session } from 'node:http2';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TLS_CERT, TLS_KEY } from '../support/health-clients.ts';
import { orders, registration } from '../support/instances.ts';
import { type Asked, heardOver1, noted, overHttp2, type Seen, seenOf, twoDoors, WITHOUT } from '../support/lanes.ts';
import { failOnLeaks } from '../support/leaks.ts';

failOnLeaks();

/**
 * What a client sees is the same through the lane and the usual way: every case goes through both doors of one house, and each says
 * whether the lane is to have taken it.
 */
type Doors = Awaited<ReturnType<typeof twoDoors>>;

const HEALTH = '/grpc.health.v1.Health';
const GRPC = { ':path': `${HEALTH}/Check`, 'content-type': 'application/grpc' };
const JSON_TYPE = { ':path': `${HEALTH}/Check`, 'content-type': 'application/json' };
const IN_LANE = 0;
const USUAL = 1;
/** By Node itself, before it gets to either. */
const REFUSED = 0;
type Way = typeof IN_LANE | typeof USUAL;

function furnishHouse({ registry }: Doors): void {
  registry.register(orders, registration());
  const service = (name: string, group = 'DEFAULT_GROUP', namespace = 'public') => ({ namespace, group, name });
  registry.register(service('off'), registration({ enabled: false }));
  registry.register(service('refunds', 'G1'), registration({ cluster: 'C1' }));
  registry.register(service('elsewhere', 'DEFAULT_GROUP', 'dev'), registration());
  registry.register(service('providers:com.shop.Orders:1.0.0:blue'), registration());
  registry.register(service('42'), registration());
  registry.register(service('a b"c'), registration());
  registry.create(service('empty'));
}

/** A frame around the message. */
function framed(message: Buffer | string, flag = 0, length?: number): Buffer {
  const bytes = Buffer.from(message);
  const head = Buffer.alloc(5, flag);
  head.writeUInt32BE(length ?? bytes.length, 1);
  return Buffer.concat([head, bytes]);
}

/** The message for a name, which is written as protobuf does it. */
function named(name: string | Buffer): Buffer {
  const bytes = Buffer.from(name);
  const length = bytes.length < 0x80 ? [bytes.length] : [(bytes.length & 0x7f) | 0x80, bytes.length >> 7];
  return Buffer.concat([Buffer.from([0x0a, ...length]), bytes]);
}

const asks = (name: string | Buffer) => framed(named(name));

let doors: Doors;
let sessions: [ClientHttp2Session, ClientHttp2Session];

beforeAll(async () => {
  doors = await twoDoors({ restartGraceMs: 0, allowOrigin: 'https://console.example', allowHost: 'x' });
  furnishHouse(doors);
  sessions = [await overHttp2(doors.doors[0]), await overHttp2(doors.doors[1])];
});
afterAll(async () => {
  for (const session of sessions) session.destroy();
  await doors.close(200);
});

/** After what newer Nodes end a session for (a length that is not that of the body), another one. */
async function openSession(at: 0 | 1): Promise<ClientHttp2Session> {
  if (sessions[at].destroyed || sessions[at].closed) sessions[at] = await overHttp2(doors.doors[at]);
  return sessions[at];
}

/** Asks at both doors, and answers what both say. */
async function both(asked: Asked, way: Way | undefined, read = (seen: Seen): unknown => seen) {
  const before = doors.usual.count;
  const open = [await openSession(0), await openSession(1)] as const;
  const [inLane, usual] = await Promise.all([seenOf(open[0], asked), seenOf(open[1], asked)]);
  expect(read(inLane)).toEqual(read(usual));
  if (way !== undefined) expect(doors.usual.count - before).toBe(way);
  return usual;
}

describe('Check over gRPC', () => {
  it.each<[string, Way]>([
    ['', IN_LANE],
    ['orders', IN_LANE],
    ['off', IN_LANE],
    ['nobody', IN_LANE],
    ['DEFAULT_GROUP@@orders', IN_LANE],
    ['G1@@refunds', IN_LANE],
    ['refunds', IN_LANE],
    ['refunds?group=G1', IN_LANE],
    ['refunds?group=G1&cluster=C1', IN_LANE],
    ['refunds?group=G1&cluster=C2', IN_LANE],
    ['orders?instance=10.0.0.1:8080', IN_LANE],
    ['orders?instance=10.0.0.1:8081', IN_LANE],
    ['elsewhere', IN_LANE],
    ['elsewhere?namespace=dev', IN_LANE],
    ['com.shop.Orders', IN_LANE],
    ['com.shop.Orders:1.0.0', IN_LANE],
    ['blue/com.shop.Orders:1.0.0', IN_LANE],
    ['providers:com.shop.Orders:1.0.0:blue', IN_LANE],
    ['a b"c', IN_LANE],
    ['\0', IN_LANE],
    ['@@orders', IN_LANE],
    ['@@', IN_LANE],
    ['?', IN_LANE],
    ['orders?', IN_LANE],
    ['orders?color=red', IN_LANE],
    ['orders?group=G1&group=G1', IN_LANE],
    ['x'.repeat(127), IN_LANE],
    ['x'.repeat(128), IN_LANE],
    ['x'.repeat(341), IN_LANE],
    ['x'.repeat(342), IN_LANE],
    ['x'.repeat(1024), IN_LANE],
    ['x'.repeat(1025), IN_LANE],
    ['x'.repeat(2000), USUAL],
    ['dienst-grün', USUAL],
  ])('of %j', async (name, way) => {
    await both({ headers: GRPC, pieces: [asks(name)] }, way);
  });

  it.each<[string, Way, readonly Buffer[]]>([
    ['no byte', IN_LANE, []],
    ['an empty frame of HTTP/2', IN_LANE, [Buffer.alloc(0)]],
    ['an empty message', IN_LANE, [framed('')]],
    ['a name that is written though it is empty', IN_LANE, [asks('')]],
    ['a message in pieces', IN_LANE, [...asks('orders')].map((byte) => Buffer.from([byte]))],
    ['a message and an empty frame of HTTP/2', IN_LANE, [asks('orders'), Buffer.alloc(0)]],
    ['two messages', USUAL, [asks('orders'), asks('orders')]],
    ['two messages in one frame of HTTP/2', USUAL, [Buffer.concat([asks('orders'), asks('orders')])]],
    ['half a message', USUAL, [framed(named('orders'), 0, 20)]],
    ['half a frame', USUAL, [Buffer.from([0, 0, 0])]],
    ['a message and half a frame', USUAL, [Buffer.concat([asks('orders'), Buffer.from([0, 0])])]],
    ['a message of 4 GiB', USUAL, [framed('', 0, 0xffff_ffff)]],
    ['a message that is too large', USUAL, [asks('x'.repeat(16_000)), Buffer.alloc(90_000)]],
    ['the flag of compression', USUAL, [framed(named('orders'), 1)]],
    ['gzip that nobody has named', USUAL, [framed(gzipSync(named('orders')), 1)]],
    ['another flag', USUAL, [framed(named('orders'), 2)]],
    ['the flag of the end', USUAL, [framed(named('orders'), 0x80)]],
    ['a field that nobody knows', USUAL, [framed(Buffer.concat([named('orders'), Buffer.from([0x10, 1])]))]],
    ['a field that nobody knows, first', USUAL, [framed(Buffer.concat([Buffer.from([0x10, 1]), named('orders')]))]],
    ['the field twice', USUAL, [framed(Buffer.concat([named('off'), named('orders')]))]],
    ['another wire type', USUAL, [framed(Buffer.from([0x08, 1]))]],
    ['a length that is too long', USUAL, [framed(Buffer.from([0x0a, 9, 0x61]))]],
    ['a length that is too short', USUAL, [framed(Buffer.from([0x0a, 1, 0x61, 0x62]))]],
    ['a length in more bytes than it needs', IN_LANE, [framed(Buffer.from([0x0a, 0x81, 0x00, 0x61]))]],
    ['a length in three bytes', USUAL, [framed(Buffer.from([0x0a, 0x81, 0x80, 0x00, 0x61]))]],
    ['a tag alone', USUAL, [framed(Buffer.from([0x0a]))]],
    ['half a length', USUAL, [framed(Buffer.from([0x0a, 0x80]))]],
    ['bytes that are no UTF-8', USUAL, [asks(Buffer.from([0x6f, 0xff, 0xfe]))]],
    ['a mark of byte order', USUAL, [asks('\ufefforders')]],
    ['JSON', USUAL, [framed('{"service":"orders"}')]],
    ['JSON without a frame', USUAL, [Buffer.from('{"service":"orders"}')]],
  ])('of a body that is %s', async (_, way, pieces) => {
    await both({ headers: GRPC, pieces }, way);
  });

  it.each<[string, Way, Readonly<Record<string, string>>]>([
    ['of the other type', IN_LANE, { 'content-type': 'application/grpc+proto' }],
    ['of a type in upper case', USUAL, { 'content-type': 'Application/gRPC' }],
    ['of a type with a parameter', USUAL, { 'content-type': 'application/grpc; charset=utf-8' }],
    ['of another type', USUAL, { 'content-type': 'application/grpc+json' }],
    ['of gRPC-Web', USUAL, { 'content-type': 'application/grpc-web+proto' }],
    ['of no type at all', USUAL, { 'content-type': '' }],
    ['in the lower case of the method', IN_LANE, { ':path': `${HEALTH}/check` }],
    ['in the upper case of the method', USUAL, { ':path': `${HEALTH}/CHECK` }],
    ['with a slash at its end', USUAL, { ':path': `${HEALTH}/Check/` }],
    ['with two slashes', USUAL, { ':path': `/${HEALTH}/Check` }],
    ['with a query', USUAL, { ':path': `${HEALTH}/Check?x=1` }],
    ['with a host in its path', REFUSED, { ':path': `http://x${HEALTH}/Check` }],
    ['by another method', USUAL, { ':method': 'PUT' }],
    ['without te', IN_LANE, { te: WITHOUT }],
    ['with the encoding identity', IN_LANE, { 'grpc-encoding': 'identity' }],
    ['with an encoding that is empty', USUAL, { 'grpc-encoding': '' }],
    ['with the encoding gzip', USUAL, { 'grpc-encoding': 'gzip' }],
    ['with an encoding that nobody knows', USUAL, { 'grpc-encoding': 'snappy' }],
    ['as Go accepts encodings', IN_LANE, { 'grpc-accept-encoding': 'gzip' }],
    ['as grpc-js accepts encodings', IN_LANE, { 'grpc-accept-encoding': 'identity,deflate,gzip' }],
    ['as C++ accepts encodings', IN_LANE, { 'grpc-accept-encoding': 'identity, deflate, gzip' }],
    ['that accepts what nobody knows', IN_LANE, { 'grpc-accept-encoding': 'snappy' }],
    ['that accepts brotli', IN_LANE, { 'grpc-accept-encoding': 'zstd , br,gzip' }],
    ['that accepts nothing', IN_LANE, { 'grpc-accept-encoding': '' }],
    ['that accepts the unknown', USUAL, { 'grpc-accept-encoding': 'unknown,gzip' }],
    ['with a deadline', IN_LANE, { 'grpc-timeout': '5S' }],
    ['with a deadline of no time', IN_LANE, { 'grpc-timeout': '0n' }],
    ['with a deadline of a nanosecond', IN_LANE, { 'grpc-timeout': '1n' }],
    ['with a deadline beyond all timers', IN_LANE, { 'grpc-timeout': '99999999H' }],
    ['with a deadline without a unit', USUAL, { 'grpc-timeout': '5' }],
    ['with a deadline of too many digits', USUAL, { 'grpc-timeout': '123456789S' }],
    ['with a deadline that is none', USUAL, { 'grpc-timeout': 'soon' }],
    ['with a deadline that is empty', USUAL, { 'grpc-timeout': '' }],
    ['with a deadline of Dubbo', IN_LANE, { 'triple-timeout-ms': '3000' }],
    ['with a deadline of Java Dubbo', IN_LANE, { 'tri-service-timeout': '3000' }],
    ['with a deadline of Dubbo that is none', IN_LANE, { 'triple-timeout-ms': 'soon' }],
    ['with the attachments of dubbo-go', IN_LANE, { interface: 'grpc.health.v1.Health', timeout: '3s', retries: '', token: '' }],
    ['with a group and version of Dubbo', IN_LANE, { 'tri-service-group': 'blue', 'tri-service-version': '1.0.0' }],
    ['from a page', USUAL, { origin: 'https://console.example' }],
    ['that expects to be told to go on', USUAL, { expect: '100-continue' }],
    ['with a length', IN_LANE, { 'content-length': String(asks('orders').length) }],
    ['with an authority that is none', IN_LANE, { ':authority': '[' }],
    ['with metadata', IN_LANE, { 'x-token-bin': 'AAEC', authorization: 'Bearer x' }],
    ['as only browsers ask', USUAL, { cookie: 'a=b' }],
  ])('%s', async (_, way, headers) => {
    await both({ headers: { ...GRPC, ...headers }, pieces: [asks('orders')] }, way);
  });

  it('by GET, or HEAD, or with nothing but a header', async () => {
    await both({ headers: { ...GRPC, ':method': 'GET' }, isHeaderOnly: true }, USUAL);
    await both({ headers: { ...GRPC, ':method': 'HEAD' }, isHeaderOnly: true }, USUAL);
    await both({ headers: GRPC, isHeaderOnly: true }, IN_LANE);
  });

  it('that is reset on its way leaves nothing behind', async () => {
    // When it is reset, it may have gone on already.
    for (const pieces of [[], [Buffer.from([0, 0, 0, 0, 8])], [asks('orders')]])
      await both({ headers: GRPC, pieces, resets: true }, undefined);
    expect(await both({ headers: GRPC, pieces: [asks('orders')] }, IN_LANE)).toContainEqual(['trailers', ['grpc-status', '0']]);
  });

  it('that is wrong before it ends is refused before it ends', async () => {
    for (const pieces of [[asks('orders'), asks('orders')], [framed(named('orders'), 0, 2)], [framed('', 0, 0xffff_ffff)]]) {
      const streams = sessions.map((session) => {
        const stream = session.request({ ':method': 'POST', te: 'trailers', ...GRPC });
        for (const piece of pieces) stream.write(piece);
        return { seen: noted(stream), closed: once(stream, 'close') };
      });
      await Promise.all(streams.map(({ closed }) => closed));
      expect(streams[0]?.seen).toEqual(streams[1]?.seen);
      expect(streams[0]?.seen.map(([what]) => what)).toContain('trailers');
    }
  });

  it('with a length that is none of its own', async () => {
    for (const length of ['1', '20'])
      await both({ headers: { ...GRPC, 'content-length': length }, pieces: [asks('orders')] }, IN_LANE);
  });
});

describe('List over gRPC', () => {
  it.each<[string, Way, Readonly<Record<string, string>>, readonly Buffer[]]>([
    ['an empty message', IN_LANE, {}, [framed('')]],
    ['no byte', IN_LANE, {}, []],
    ['the lower case of the method', IN_LANE, { ':path': `${HEALTH}/list` }, [framed('')]],
    ['a deadline', IN_LANE, { 'grpc-timeout': '5S' }, [framed('')]],
    ['encodings that it accepts', USUAL, { 'grpc-accept-encoding': 'gzip' }, [framed('')]],
    ['a field that nobody knows', USUAL, {}, [framed(Buffer.from([0x10, 1]))]],
    ['two messages', USUAL, {}, [framed(''), framed('')]],
    ['the flag of compression', USUAL, {}, [framed('', 1)]],
  ])('of %s', async (_, way, headers, pieces) => {
    const seen = await both({ headers: { ...GRPC, ':path': `${HEALTH}/List`, ...headers }, pieces }, way);
    expect(seen.length).toBeGreaterThan(2);
  });
});

describe('Check in JSON over HTTP/2', () => {
  it.each<[string, Way]>([
    ['{"service":"orders"}', IN_LANE],
    ['{"service": "off"}', IN_LANE],
    ['{"service":"nobody"}', IN_LANE],
    ['{"service":"@@"}', IN_LANE],
    ['{}', IN_LANE],
    ['', IN_LANE],
    ['{"serviceName":"orders"}', USUAL],
    ['{"service":"\\u006frders"}', USUAL],
  ])('of %s', async (text, way) => {
    await both({ headers: JSON_TYPE, pieces: [Buffer.from(text)] }, way);
  });

  it.each<[string, Way, Readonly<Record<string, string>>]>([
    ['a type with a charset', IN_LANE, { 'content-type': 'application/json; charset=utf-8' }],
    ['a deadline', IN_LANE, { 'connect-timeout-ms': '100' }],
    ['encodings that are accepted', IN_LANE, { 'accept-encoding': 'gzip, br' }],
    ['a deadline that is none', USUAL, { 'connect-timeout-ms': 'soon' }],
    ['a compression', USUAL, { 'content-encoding': 'gzip' }],
    ['an origin', USUAL, { origin: 'https://console.example' }],
    ['the path of List', USUAL, { ':path': `${HEALTH}/List` }],
    ['the path of Watch', USUAL, { ':path': `${HEALTH}/Watch` }],
  ])('with %s', async (_, way, headers) => {
    await both({ headers: { ...JSON_TYPE, ...headers }, pieces: [Buffer.from('{}')] }, way);
  });
});

/** Says it at both doors, each in its own segment, and answers what both say. */
async function bothOver1(pieces: readonly (string | Buffer)[], way: Way, at = doors): Promise<string> {
  const before = at.usual.count;
  const [inLane, usual] = await Promise.all(at.doors.map((address) => heardOver1(address, pieces)));
  expect(ageless(inLane)).toBe(ageless(usual));
  expect(at.usual.count - before).toBe(way);
  return usual ?? '';
}

/** Without what differs a moment later: the ages of beats, and, as they have more figures some day, how long what has them is. */
function ageless(text = ''): string {
  const plain = text.replaceAll(/"timestamp":"[^"]*"/g, '"timestamp":""');
  if (!plain.includes('lastBeatAgeMs')) return plain;
  return plain.replaceAll(/(newest|oldest)(\\*"):\d+/g, '$1$2:0').replaceAll(/(content-length[^\d]{1,4})\d+/gi, '$1LENGTH');
}

describe('Check in JSON over HTTP/1.1', () => {
  const post = (body: string | Buffer, fields = '', path = `${HEALTH}/Check`) => {
    const length = /content-length|transfer-encoding/i.test(fields) ? '' : `Content-Length: ${Buffer.byteLength(body)}\r\n`;
    const head = `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n${length}${fields}\r\n`;
    return Buffer.concat([Buffer.from(head), Buffer.from(body)]);
  };

  it.each<[string, Way]>([
    ['{"service":"orders"}', IN_LANE],
    ['{"service": "orders"}', IN_LANE],
    [' \t\r\n{ "service" :\n"off" } ', IN_LANE],
    ['{"service":"nobody"}', IN_LANE],
    ['{"service":"refunds?group=G1"}', IN_LANE],
    ['{"service":"@@"}', IN_LANE],
    [`{"service":"${'x'.repeat(1024)}"}`, IN_LANE],
    [`{"service":"${'x'.repeat(1025)}"}`, IN_LANE],
    [`{"service":"${'x'.repeat(1100)}"}`, USUAL],
    [`{"service":"${'x'.repeat(100_000)}"}`, USUAL],
    ['{"service":""}', IN_LANE],
    ['{}', IN_LANE],
    ['', IN_LANE],
    [' ', USUAL],
    ['\ufeff{"service":"orders"}', USUAL],
    ['{"service":"dienst-grün"}', USUAL],
    ['{"service":"a b\\"c"}', USUAL],
    ['{"service":"a\tb"}', USUAL],
    ['{"service":"off","service":"orders"}', USUAL],
    ['{"service":"orders","x":1}', USUAL],
    ['{"serviceName":"orders"}', USUAL],
    ['{"service":7}', USUAL],
    ['{"service":null}', USUAL],
    ['{"service":["orders"]}', USUAL],
    ['{"service":"orders"', USUAL],
    ['{"service":"orders"}}', USUAL],
    ['{"service":"orders"},', USUAL],
    ['[]', USUAL],
    ['"orders"', USUAL],
    ['null', USUAL],
  ])('of %s', async (body, way) => {
    await bothOver1([post(body)], way);
  });

  it.each<[string, Way, Buffer]>([
    ['a field more', IN_LANE, post('{}', 'X-Y: z\r\n')],
    ['the lower case of the method', IN_LANE, post('{}', '', `${HEALTH}/check`)],
    ['a query', USUAL, post('{}', '', `${HEALTH}/Check?x`)],
    ['a slash at its end', USUAL, post('{}', '', `${HEALTH}/Check/`)],
    ['two slashes', USUAL, post('{}', '', `/${HEALTH}/Check`)],
    ['a host in its path', USUAL, post('{}', '', `http://x${HEALTH}/Check`)],
    ['an origin', USUAL, post('{}', 'Origin: https://console.example\r\n')],
    ['a deadline', IN_LANE, post('{}', 'Connect-Timeout-Ms: 100\r\n')],
    ['a deadline that is none', USUAL, post('{}', 'Connect-Timeout-Ms: soon\r\n')],
    ['a deadline of Dubbo', IN_LANE, post('{}', 'Triple-Timeout-Ms: 100\r\ntri-service-timeout: x\r\n')],
    ['a deadline of no time', IN_LANE, post('{}', 'Connect-Timeout-Ms: 0\r\n')],
    ['a protocol version', IN_LANE, post('{}', 'Connect-Protocol-Version: 1\r\n')],
    ['encodings that are accepted', IN_LANE, post('{}', 'Accept-Encoding: gzip, deflate, br\r\n')],
    ['gzip', USUAL, post(gzipSync('{}'), 'Content-Encoding: gzip\r\n')],
    ['gzip that is none', USUAL, post('{}', 'Content-Encoding: gzip\r\n')],
    ['the encoding identity', USUAL, post('{}', 'Content-Encoding: identity\r\n')],
    ['chunks', USUAL, post('2\r\n{}\r\n0\r\n\r\n', 'Transfer-Encoding: chunked\r\n')],
    ['an expectation', USUAL, post('{}', 'Expect: 100-continue\r\n')],
    ['another expectation', REFUSED, post('{}', 'Expect: nothing\r\n')],
    ['a wish to upgrade', IN_LANE, post('{}', 'Connection: Upgrade, close\r\nUpgrade: h2c\r\n')],
    ['a type more', IN_LANE, post('{}', 'Content-Type: text/plain\r\n')],
    ['a length twice', USUAL, post('{}', 'Content-Length: 2\r\nContent-Length: 2\r\n')],
    ['a length that is none', USUAL, post('{}', 'Content-Length: x\r\n')],
    ['a length that is too short', IN_LANE, post('{}XX', 'Content-Length: 2\r\n')],
  ])('with %s', async (_, way, request) => {
    const heard = await bothOver1([request], way).catch((error) => {
      // What Node refuses by itself, neither way gets to see.
      if (!/length (twice|that is none)/.test(_)) throw error;
      return '';
    });
    expect(heard.length).toBeGreaterThanOrEqual(0);
  });

  it.each(['application/json;charset=UTF-8', 'APPLICATION/JSON', 'application/json; charset=utf-8; v=1', 'text/json', ''])(
    'of the type %j',
    async (type) => {
      const body = '{"service":"orders"}';
      const request = `POST ${HEALTH}/Check HTTP/1.1\r\nHost: x\r\nContent-Type: ${type}\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
      await bothOver1([request], type === 'application/json;charset=UTF-8' ? IN_LANE : USUAL);
    },
  );

  it('that comes byte by byte, or several in one segment', async () => {
    await bothOver1(
      [...post('{"service":"orders"}')].map((byte) => Buffer.from([byte])),
      IN_LANE,
    );
    await bothOver1(
      [...post('{"service":"orders","x":1}')].map((byte) => Buffer.from([byte])),
      USUAL,
    );
    const several = [post('{"service":"orders"}'), post(''), post('{"service":"nobody"}'), post('{}')];
    await bothOver1([Buffer.concat(several)], IN_LANE);
    await bothOver1([Buffer.concat([post('{"service":"orders"}'), post('[]'), post('{"service":"off"}')])], USUAL);
  });

  it('in the words of HTTP/1.0, or without a host', async () => {
    for (const line of ['HTTP/1.0\r\n', 'HTTP/1.1\r\n'])
      await bothOver1([`POST ${HEALTH}/Check ${line}Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}`], USUAL).catch(
        () => {},
      );
  });
});

describe('/health/NAME over HTTP/1.1', () => {
  it.each<[string, Way]>([
    ['/health', IN_LANE],
    ['/health/', IN_LANE],
    ['/health/orders', IN_LANE],
    ['/health/off', IN_LANE],
    ['/health/empty', IN_LANE],
    ['/health/nobody', IN_LANE],
    ['/health/@@', IN_LANE],
    ['/health/G1@@refunds', IN_LANE],
    ['/health/com.shop.Orders', IN_LANE],
    ['/health/blue/com.shop.Orders:1.0.0', IN_LANE],
    [`/health/${'x'.repeat(1025)}`, IN_LANE],
    ['/health/%6frders', USUAL],
    ['/health/%zz', USUAL],
    ['/health//orders', USUAL],
    ['//health/orders', USUAL],
    ['http://x/health/orders', USUAL],
    ['/health/orders?', USUAL],
    ['/health/orders?instance=10.0.0.1:8080', USUAL],
    ['/health/refunds?group=G1&cluster=C1', USUAL],
    ['/healthy', USUAL],
    ['/healthx', USUAL],
  ])('%s by GET and by HEAD', async (path, way) => {
    for (const method of ['GET', 'HEAD']) {
      const heard = await bothOver1([`${method} ${path} HTTP/1.1\r\nHost: x\r\n\r\n`], way);
      expect(heard).toMatch(/^HTTP\/1.1 (200|503|400|404) /);
    }
  });

  it.each<[string, Way]>([
    ['Origin: https://console.example\r\n', USUAL],
    ['X-Health-Instance: 10.0.0.1:8080\r\n', USUAL],
    ['Accept: text/html\r\n', IN_LANE],
    ['Content-Length: 0\r\n', USUAL],
    ['Connection: close\r\n', IN_LANE],
    ['Connection: keep-alive\r\n', IN_LANE],
  ])('with %j', async (field, way) => {
    const request = `GET /health/orders HTTP/1.1\r\nHost: x\r\n${field}\r\n`;
    expect(await bothOver1([request], way)).toContain('SERVING');
  });

  it('by other methods', async () => {
    for (const method of ['POST', 'DELETE', 'OPTIONS'])
      await bothOver1([`${method} /health/orders HTTP/1.1\r\nHost: x\r\n\r\n`], USUAL);
  });
});

it.each<[string, Way]>([
  ['/health', IN_LANE],
  ['/health/orders', IN_LANE],
  ['/health/off', IN_LANE],
  ['/health/nobody', IN_LANE],
  ['/health/@@', IN_LANE],
  ['/health/%6frders', USUAL],
  ['/health/orders?instance=10.0.0.1:8080', USUAL],
  ['/healthy', USUAL],
])('%s over HTTP/2', async (path, way) => {
  const ask = (headers: Readonly<Record<string, string>>, as: Way) => {
    const asked = { headers: { ':method': 'GET', ':path': path, ...headers }, isHeaderOnly: true };
    return both(asked, as, (seen) => ageless(JSON.stringify(seen)));
  };
  await ask({}, way);
  await ask({ ':method': 'HEAD' }, USUAL);
  await ask({ origin: 'https://console.example' }, USUAL);
  await ask({ 'x-health-instance': '10.0.0.1:8080' }, USUAL);
});

it('what an operator puts in the way of health is in the way of the lane', async () => {
  await using other = await twoDoors({ contextPath: '/health', restartGraceMs: 0 }, 'all');
  other.registry.register(orders, registration());
  await bothOver1(['GET /health/orders HTTP/1.1\r\nHost: x\r\n\r\n'], USUAL, other);
});

it('a house with another default and other limits has a lane that knows them', async () => {
  await using other = await twoDoors({ defaultService: 'orders', maxListed: 1, restartGraceMs: 0 }, 'all');
  other.registry.register(orders, registration());
  await bothOver1(['GET /health HTTP/1.1\r\nHost: x\r\n\r\n'], IN_LANE, other);
  const [inLane, usual] = await Promise.all(other.doors.map((door) => overHttp2(door)));
  if (inLane === undefined || usual === undefined) throw new Error('there is no door');
  for (const asked of [
    { headers: GRPC, pieces: [asks('orders')] },
    { headers: { ...GRPC, ':path': `${HEALTH}/List` }, pieces: [framed('')] },
  ])
    expect(await seenOf(inLane, asked)).toEqual(await seenOf(usual, asked));
  inLane.destroy();
  usual.destroy();
});

it('within TLS it is the same', async () => {
  await using other = await twoDoors({ restartGraceMs: 0 }, 'all', { cert: TLS_CERT, key: TLS_KEY });
  other.registry.register(orders, registration());
  const [inLane, usual] = await Promise.all(other.doors.map((door) => overHttp2(door, TLS_CERT)));
  if (inLane === undefined || usual === undefined) throw new Error('there is no door');
  for (const pieces of [[asks('orders')], [asks('nobody')], [asks('orders'), asks('orders')]])
    expect(await seenOf(inLane, { headers: GRPC, pieces })).toEqual(await seenOf(usual, { headers: GRPC, pieces }));
  expect(other.usual.count).toBe(1);
  inLane.destroy();
  usual.destroy();
});

describe('Watch over gRPC', () => {
  const WATCH = { ...GRPC, ':path': `${HEALTH}/Watch` };
  const CLOSES = { 'grpc-timeout': '300m' };

  it.each<[string, Way, Readonly<Record<string, string>>, readonly Buffer[]]>([
    ['a name', IN_LANE, CLOSES, [asks('orders')]],
    ['a name that is down', IN_LANE, CLOSES, [asks('off')]],
    ['a name that nobody has heard of', IN_LANE, CLOSES, [asks('nobody')]],
    ['the bridge', IN_LANE, CLOSES, [framed('')]],
    ['the bridge, without a byte', IN_LANE, CLOSES, []],
    ['a name that is none', IN_LANE, {}, [asks('@@')]],
    ['a name that is too long', IN_LANE, {}, [asks('x'.repeat(1025))]],
    ['the lower case of the method', IN_LANE, { ':path': `${HEALTH}/watch`, ...CLOSES }, [asks('orders')]],
    ['encodings that it accepts', IN_LANE, { 'grpc-accept-encoding': 'gzip', ...CLOSES }, [asks('orders')]],
    ['a deadline of Dubbo', IN_LANE, { 'triple-timeout-ms': '300' }, [asks('orders')]],
    ['a deadline of Java Dubbo', IN_LANE, { 'tri-service-timeout': '300' }, [asks('orders')]],
    ['two deadlines', IN_LANE, { 'tri-service-timeout': '99999', ...CLOSES }, [asks('orders')]],
    ['a deadline of no time', USUAL, { 'grpc-timeout': '0n' }, [asks('orders')]],
    ['a deadline that is none', USUAL, { 'grpc-timeout': '5' }, [asks('orders')]],
    ['two messages', USUAL, CLOSES, [asks('orders'), asks('orders')]],
    ['half a message', USUAL, CLOSES, [framed(named('orders'), 0, 20)]],
    ['an origin', USUAL, { origin: 'https://console.example', ...CLOSES }, [asks('orders')]],
  ])('of %s', async (_, way, headers, pieces) => {
    const whole = pieces.length < 2 ? { pieces: [Buffer.concat(pieces)] } : { pieces };
    await both({ headers: { ...WATCH, ...headers }, ...whole }, way);
    await expect.poll(() => doors.watches.keyCount).toBe(0);
  });

  it('with a deadline counts from its header, and is late if its body comes later', async () => {
    const streams = sessions.map((session) => {
      const stream = session.request({ ':method': 'POST', te: 'trailers', ...WATCH, 'grpc-timeout': '50m' });
      stream.write(asks('orders'));
      return { stream, seen: noted(stream), closed: once(stream, 'close') };
    });
    const waits = sessions.map((session) =>
      seenOf(session, { headers: { ...WATCH, 'grpc-timeout': '60m' }, pieces: [asks('orders')] }),
    );
    await Promise.all(waits);
    const before = doors.usual.count;
    for (const { stream } of streams) stream.end();
    await Promise.all(streams.map(({ closed }) => closed));
    expect(streams[0]?.seen).toEqual(streams[1]?.seen);
    expect(streams[0]?.seen.map(([what]) => what)).toEqual(['response', 'trailers', 'end', 'close']);
    expect(doors.usual.count).toBe(before);
  });

  it('tells each change, and ends when the bridge does', async () => {
    await using other = await twoDoors({ restartGraceMs: 0 });
    const { registry } = other;
    const clients = await Promise.all(other.doors.map((door) => overHttp2(door)));
    const watched = clients.flatMap((session) =>
      ['orders', ''].map((name) => {
        const stream = session.request({ ':method': 'POST', te: 'trailers', ...WATCH });
        const seen = noted(stream);
        stream.end(asks(name));
        return { stream, seen, closed: once(stream, 'close') };
      }),
    );
    const told = async (count: number) => {
      const bytes = () => watched.filter((_, i) => i % 2 === 0).map(({ seen }) => String(seen[1]?.[1] ?? '').length);
      await expect.poll(bytes).toEqual([7 * count, 7 * count]);
    };
    await told(1);
    registry.register(orders, registration());
    await told(2);
    registry.register(orders, registration({ port: 81 }));
    registry.deregister(orders, registration());
    registry.deregister(orders, registration({ port: 81 }));
    await told(3);
    registry.drop(orders);
    await told(4);
    expect([other.openAnswers.count, other.watches.count]).toEqual([4, 4]);
    await other.close(2_000);
    await Promise.all(watched.map(({ closed }) => closed));
    const [inLane, bridge, ...usual] = watched.map(({ seen }) => seen);
    expect([inLane, bridge]).toEqual(usual);
    expect(inLane?.map(([what]) => what)).toEqual(['response', 'data', 'trailers', 'end', 'close']);
    expect(inLane?.[2]).toEqual(['trailers', ['grpc-message', 'the%20bridge%20is%20shutting%20down', 'grpc-status', '14']]);
    expect(bridge?.[1]?.[1]).toBe('\0\0\0\0\u0002\b\u0001\0\0\0\0\u0002\b\u0002');
    expect([other.openAnswers.count, other.usual.count, other.watches.keyCount]).toEqual([0, 0, 0]);
    for (const session of clients) session.destroy();
  });

  it('that is one too many is refused', async () => {
    await using other = await twoDoors({ maxWatchesPerConnection: 1 });
    for (const door of other.doors) {
      const session = await overHttp2(door);
      const first = session.request({ ':method': 'POST', te: 'trailers', ...WATCH });
      first.end(asks('orders'));
      await once(first, 'data');
      const seen = await seenOf(session, { headers: WATCH, pieces: [asks('orders')] });
      expect(seen.slice(1)).toEqual([
        ['trailers', ['grpc-message', 'too%20many%20watches', 'grpc-status', '8']],
        ['end'],
        ['close', 0],
      ]);
      session.destroy();
    }
    await expect.poll(() => other.watches.count).toBe(0);
  });
});
