import { Code, ConnectError } from '@connectrpc/connect';
import { expect, it } from 'vitest';
import { FrameReader, frameOf, readSaid } from '../../../src/nacos/grpc/frames.ts';
import { nacosLane } from '../../../src/nacos/grpc/lane.ts';
import { message } from '../../../src/nacos/grpc/messages.ts';
import { answerer } from '../../../src/nacos/grpc/protocol.ts';
import { requestTable } from '../../../src/nacos/grpc/table.ts';
import type { Peer } from '../../../src/wire/exchange.ts';
import { HeldBodies } from '../../../src/wire/held-bodies.ts';
import type { Call, Duplex, DuplexListener, DuplexRoute } from '../../../src/wire/lanes.ts';
import { markOf } from '../../../src/wire/marks.ts';
import { OpenAnswers } from '../../../src/wire/open-answers.ts';
import { grpcRoom } from '../../support/grpc-room.ts';
import { orders, registration } from '../../support/instances.ts';
import { LIMITS } from '../../support/limits.ts';

const CALL: Call = {
  path: '/BiRequestStream/requestBiStream',
  marks: markOf(':method', 'POST') | markOf('content-type', 'application/grpc'),
  note: undefined,
  field: () => undefined,
};
const ALL = { clusters: [], clustersVerbatim: '' };

/** Streams of the lane, with nothing under them that carries them: what is written leaves when the test says so. */
function setUp(limits: Partial<typeof LIMITS> = {}) {
  const room = grpcRoom();
  const shutdown = new AbortController();
  const openAnswers = new OpenAnswers();
  const answerTo = answerer(room, requestTable(room));
  const bodies = new HeldBodies({ ...LIMITS, ...limits });
  const calls = { ...LIMITS, bodies, answerTo, compressions: [], openAnswers, shutdown: shutdown.signal, now: () => 0 };
  const lane = nacosLane({ ...room, ...calls });
  const route = lane.routeOf(CALL);
  if (route === undefined || !('open' in route)) throw new Error('it is a stream of the lane');
  const open = (peer: Peer) => new Stream(route, peer);
  return { ...room, bodies, shutdown, openAnswers, open, join: (name: string) => open(room.peer(name)) };
}

class Stream implements Duplex {
  /** The bodies of each write. */
  // biome-ignore lint/suspicious/noExplicitAny: whatever JSON was written; the tests say what it has to be.
  readonly writes: any[][] = [];
  readonly ends: object[] = [];
  readonly listener: DuplexListener;
  readonly #peer: ReturnType<Duplex['peer']>;

  constructor(route: DuplexRoute, peer: ReturnType<Duplex['peer']>) {
    this.#peer = peer;
    this.listener = route.open(CALL, this);
    this.listener.read(frameOf(message('ConnectionSetupRequest', { clientVersion: 'Test:v1' })));
  }

  peer() {
    return this.#peer;
  }

  write(_: object, pieces: readonly Buffer[]): void {
    const bodies: object[] = [];
    const take = (bytes: Buffer) => bodies.push(JSON.parse(Buffer.from(readSaid(bytes)?.body ?? []).toString()));
    expect(new FrameReader(1 << 20).push(Buffer.concat(pieces), take)).toBe(true);
    this.writes.push(bodies);
  }

  end(_: object, trailers: object): void {
    this.ends.push(trailers);
  }
}

const named = (name: string) => ({ ...orders, name });
const namesIn = (bodies: readonly { serviceInfo: { name: string } }[] | undefined) =>
  bodies?.map(({ serviceInfo }) => serviceInfo.name);

it('all that a connection is told in one turn is one write, and the next one waits until that has left', () => {
  const { registry, subscribers, connections, scheduler, join } = setUp();
  const stream = join('a');
  const [connection] = connections.all();
  if (connection === undefined) throw new Error('it has been set up');
  for (const name of ['a', 'b', 'c']) subscribers.subscribe(connection, named(name), ALL);
  scheduler.advance(0);
  expect(stream.writes.map(namesIn)).toEqual([['a', 'b', 'c']]);
  for (const { requestId } of stream.writes[0] ?? []) connection.answered(requestId, true);
  for (const port of [1, 2]) {
    for (const name of ['c', 'a']) registry.register(named(name), registration({ port }));
    scheduler.advance(0);
  }
  expect(stream.writes).toHaveLength(1);
  stream.listener.written();
  scheduler.advance(0);
  expect(stream.writes.slice(1).map(namesIn)).toEqual([['c', 'a']]);
  // What is true when it leaves.
  expect(stream.writes[1]?.map(({ serviceInfo }) => serviceInfo.hosts.length)).toEqual([2, 2]);
});

it('very many are written to a few at a time, each once', () => {
  const { registry, subscribers, connections, scheduler, join } = setUp();
  const streams = Array.from({ length: 500 }, (_, i) => join(`c${i}`));
  for (const connection of connections.all()) subscribers.subscribe(connection, orders, ALL);
  registry.register(orders, registration());
  const counts: number[] = [];
  // Has its turn between any two rounds.
  const look = () => {
    counts.push(streams.filter(({ writes }) => writes.length > 0).length);
    if (counts.length < 50) scheduler.soon(look);
  };
  look();
  scheduler.advance(0);
  const inOneTurn = counts.map((count, i) => count - (counts[i - 1] ?? 0));
  expect(Math.max(...inOneTurn)).toBeGreaterThan(0);
  expect(Math.max(...inOneTurn)).toBeLessThanOrEqual(128);
  expect(streams.map(({ writes }) => writes.map((bodies) => bodies.length))).toEqual(streams.map(() => [1]));
});

it('what is too much for one write goes out in several', () => {
  const { registry, subscribers, connections, scheduler, join } = setUp();
  const stream = join('a');
  const [connection] = connections.all();
  if (connection === undefined) throw new Error('it has been set up');
  for (let i = 0; i < 10; i++) {
    registry.register(named(`s${i}`), registration({ metadata: { note: 'x'.repeat(15_000) } }));
    subscribers.subscribe(connection, named(`s${i}`), ALL);
  }
  scheduler.advance(0);
  expect(stream.writes.map((bodies) => bodies.length)).toEqual([5]);
  stream.listener.written();
  scheduler.advance(0);
  expect(stream.writes.map((bodies) => bodies.length)).toEqual([5, 5]);
});

it('when the server goes a stream says all that is meant for its client, and then that it is unavailable', async () => {
  const { connections, scheduler, shutdown, openAnswers, join } = setUp();
  const stream = join('a');
  scheduler.advance(0);
  connections.freeze();
  shutdown.abort(new ConnectError('it goes', Code.Unavailable));
  scheduler.advance(0);
  expect(stream.writes).toMatchObject([[{ connectionId: expect.any(String) }]]);
  expect(stream.ends).toEqual([]);
  stream.listener.written();
  scheduler.advance(0);
  expect(stream.ends).toEqual([{ 'grpc-message': 'it%20goes', 'grpc-status': '14' }]);
  const late = join('late');
  scheduler.advance(0);
  expect(late.ends).toHaveLength(1);
  const ended = openAnswers.ended();
  for (const { listener } of [stream, late]) listener.closed();
  await ended;
});

it('a stream that cannot be written is cut, and nothing else is hurt', () => {
  const { connections, scheduler, cut, join } = setUp();
  join('a');
  const other = join('b');
  const [first, second] = connections.all();
  first?.outbox.send(() => {
    throw new Error('a bug');
  });
  second?.outbox.ask('ClientDetectionRequest', {}, () => {});
  scheduler.advance(0);
  expect(cut).toEqual(['a']);
  expect(other.writes).toHaveLength(1);
});

it('messages that do not end hold little, over however many streams of a connection, and nothing when they are gone', () => {
  const { bodies, open, peer, scheduler } = setUp();
  const transport = peer('a');
  const half = Buffer.concat([Buffer.from([0, 0, 0, 0xf0, 0]), Buffer.alloc(0xe000)]);
  const streams = Array.from({ length: 20 }, () => open(transport));
  for (const { listener } of streams) listener.read(half);
  scheduler.advance(0);
  expect(bodies.bytes).toBeLessThanOrEqual(4 * LIMITS.maxStreamMessageBytes);
  expect(streams.map(({ ends }) => ends.length)).toEqual(streams.map((_, i) => (i < 4 ? 0 : 1)));
  expect(streams.at(-1)?.ends).toEqual([expect.objectContaining({ 'grpc-status': '8' })]);
  for (const { listener } of streams) listener.closed();
  expect(bodies.bytes).toBe(0);
});

it('a stream whose message does not end is ended as exhausted when its address holds too much, and its connection with it', () => {
  const { bodies, connections, peer, open, scheduler } = setUp({ maxHeldBytesPerPeer: 40_000 });
  const half = Buffer.concat([Buffer.from([0, 0, 0, 0xf0, 0]), Buffer.alloc(30_000)]);
  const [slow, next] = ['a', 'b'].map((name) => open(peer(name)));
  expect(connections.count).toBe(2);
  slow?.listener.read(half);
  next?.listener.read(half);
  scheduler.advance(0);
  expect(slow?.ends).toEqual([expect.objectContaining({ 'grpc-status': '8' })]);
  expect(next?.ends).toEqual([]);
  expect([connections.count, bodies.bytes < 40_000]).toEqual([1, true]);
  // What is still on its way is not looked at.
  slow?.listener.read(Buffer.alloc(30_000));
  expect(bodies.bytes < 40_000).toBe(true);
  for (const stream of [slow, next]) stream?.listener.closed();
  expect(bodies.bytes).toBe(0);
});
