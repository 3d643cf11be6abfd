import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { ENDS, FRAMES, grpcAnswersFor } from '../../src/health/lane-answers.ts';
import { LaneWatches } from '../../src/health/lane-watch.ts';
import { parseHealthName } from '../../src/health/names.ts';
import { Watches } from '../../src/health/watch.ts';
import { Registry } from '../../src/registry/registry.ts';
import { MethodCounts } from '../../src/wire/call-counts.ts';
import type { Answer, FrameStream, Reply, StreamListener, Trailers } from '../../src/wire/lanes.ts';
import { OpenAnswers } from '../../src/wire/open-answers.ts';
import { healthOf } from '../support/health.ts';
import { HOME, orders, registration } from '../support/instances.ts';
import { failOnLeaks } from '../support/leaks.ts';
import { LIMITS } from '../support/limits.ts';
import { ManualScheduler } from '../support/scheduler.ts';

failOnLeaks();

/** A stream that takes frames for as long as the test says so; as any HTTP/2 could hand it out. */
class PaperStream implements Reply, FrameStream {
  readonly frames: string[] = [];
  answer: Answer | undefined;
  ended: Trailers | undefined;
  listener: StreamListener | undefined;
  /** Whether there is room for a frame. */
  reads = true;

  readonly #ip: string;

  constructor(ip = '10.0.0.1') {
    this.#ip = ip;
  }

  peer() {
    return { ip: this.#ip, port: 1, connection: this, cut() {} };
  }

  send(answer: Answer): void {
    this.answer = answer;
  }

  sendLater(): void {
    throw new Error('a watch has nothing to wait for');
  }

  stream(_: unknown, listener: StreamListener): FrameStream {
    this.listener = listener;
    return this;
  }

  write(frame: Buffer): boolean {
    if (!this.reads) return false;
    const [status] = Object.entries(FRAMES).find(([, bytes]) => bytes === frame) ?? [''];
    this.frames.push(status);
    return true;
  }

  end(trailers: Trailers): void {
    this.ended = trailers;
  }

  close(): void {
    const { listener } = this;
    this.listener = undefined;
    listener?.closed();
  }
}

function setUp(limits = LIMITS) {
  const scheduler = new ManualScheduler();
  const registry = new Registry(scheduler.now);
  const health = healthOf(registry, { scheduler, now: scheduler.now });
  const watches = new Watches(health, limits);
  const openAnswers = new OpenAnswers();
  const shutdown = new AbortController();
  const counts = new MethodCounts('grpc.health.v1.Health', 'Watch', 'server_stream');
  const around = { shutdown: shutdown.signal, log: pino({ enabled: false }), counts, now: scheduler.now };
  const lane = new LaneWatches({ watches, openAnswers, scheduler, ...around });
  const watch = (text: string, withinMs = Number.POSITIVE_INFINITY, ip?: string) => {
    const [stream, name, answers] = [new PaperStream(ip), parseHealthName(text, HOME), grpcAnswersFor(undefined)];
    if (name === undefined || answers === undefined) throw new Error(`${text} is no health name`);
    lane.open(name, answers, withinMs, stream);
    return stream;
  };
  return { scheduler, registry, health, watches, openAnswers, shutdown, watch };
}

it('several changes before the event loop has come round are one', () => {
  const { scheduler, registry, watch } = setUp();
  const stream = watch('orders');
  expect(stream.frames).toEqual(['unknown']);
  registry.register(orders, registration());
  registry.deregister(orders, registration());
  registry.register(orders, registration());
  expect(stream.frames).toEqual(['unknown']);
  scheduler.advance(0);
  expect(stream.frames).toEqual(['unknown', 'serving']);
  registry.deregister(orders, registration());
  registry.register(orders, registration());
  scheduler.advance(0);
  expect(stream.frames).toEqual(['unknown', 'serving']);
});

it('a reader that is slow is told what is true once it reads again, and nothing that it knows', () => {
  const { scheduler, registry, watch } = setUp();
  const stream = watch('orders');
  stream.reads = false;
  for (let i = 0; i < 3; i++) {
    registry.register(orders, registration());
    scheduler.advance(0);
    registry.deregister(orders, registration());
    scheduler.advance(0);
  }
  expect(stream.frames).toEqual(['unknown']);
  stream.reads = true;
  stream.listener?.writable();
  expect(stream.frames).toEqual(['unknown', 'not-serving']);
  stream.reads = false;
  registry.register(orders, registration());
  scheduler.advance(0);
  registry.deregister(orders, registration());
  scheduler.advance(0);
  stream.reads = true;
  stream.listener?.writable();
  expect(stream.frames).toEqual(['unknown', 'not-serving']);
});

it('others have their turn while very many are told', () => {
  const { scheduler, registry, watch } = setUp();
  const streams = Array.from({ length: 2_500 }, () => watch('orders'));
  registry.register(orders, registration());
  const told = () => streams.filter(({ frames }) => frames.length === 2).length;
  const seen: number[] = [];
  // Asked for before each of the rounds, and so run between them.
  const look = () => {
    seen.push(told());
    if (seen.length < 4) scheduler.soon(look);
  };
  scheduler.soon(look);
  scheduler.advance(0);
  expect(seen).toEqual([1_000, 2_000, 2_500, 2_500]);
});

describe('a watch leaves nothing behind', () => {
  const left = ({ watches, openAnswers, scheduler }: ReturnType<typeof setUp>) => [
    watches.count,
    watches.keyCount,
    openAnswers.count,
    scheduler.open,
  ];

  it('whose stream is gone, also when it was to be told or had a deadline', () => {
    const room = setUp();
    const [first, second] = [room.watch('orders'), room.watch('orders', 5_000)];
    expect(left(room)).toEqual([2, 3, 2, 1]);
    room.registry.register(orders, registration());
    first.close();
    second.close();
    room.scheduler.advance(0);
    expect(left(room)).toEqual([0, 0, 0, 0]);
    expect(first.frames).toEqual(['unknown']);
  });

  it('whose deadline passes', () => {
    const room = setUp();
    const stream = room.watch('orders', 5_000);
    room.scheduler.advance(4_999);
    expect(stream.ended).toBeUndefined();
    room.scheduler.advance(1);
    expect(stream.ended).toEqual(ENDS.deadlineExceeded);
    room.registry.register(orders, registration());
    room.scheduler.advance(0);
    expect(stream.frames).toEqual(['unknown']);
    stream.close();
    expect(left(room)).toEqual([0, 0, 0, 0]);
  });

  it('that gives way to one of an address that has none, though it does not read', () => {
    const room = setUp({ ...LIMITS, maxWatches: 2 });
    const [first, second] = [room.watch('orders'), room.watch('')];
    second.reads = false;
    room.health.drain();
    room.scheduler.advance(0);
    const other = room.watch('orders', Number.POSITIVE_INFINITY, '10.0.0.2');
    expect([first.ended, second.ended, other.ended]).toEqual([undefined, ENDS.gaveWay, undefined]);
    for (const stream of [first, second, other]) stream.close();
    expect(left(room)).toEqual([0, 0, 0, 0]);
  });

  it('that is one too many', () => {
    const room = setUp({ ...LIMITS, maxWatches: 1 });
    const [first, second] = [room.watch('orders'), room.watch('orders')];
    expect(second.answer?.trailers).toEqual({ 'grpc-message': 'too%20many%20watches', 'grpc-status': '8' });
    first.close();
    expect(left(room)).toEqual([0, 0, 0, 0]);
  });
});

it('all end when the bridge does, and count as open until their streams are gone', async () => {
  const { openAnswers, shutdown, watch } = setUp();
  const streams = [watch('orders'), watch('')];
  shutdown.abort(new Error('the bridge is shutting down'));
  expect(streams.map(({ ended }) => ended)).toEqual(
    streams.map(() => ({ 'grpc-message': 'the%20bridge%20is%20shutting%20down', 'grpc-status': '14' })),
  );
  let isOver = false;
  void openAnswers.ended().then(() => {
    isOver = true;
  });
  streams[0]?.close();
  await Promise.resolve();
  expect(isOver).toBe(false);
  streams[1]?.close();
  await openAnswers.ended();
  expect(openAnswers.count).toBe(0);
});

it('whoever waits until the bridge has been told waits for a reader that is slow, and not for one that is gone', async () => {
  const { scheduler, health, watches, watch } = setUp();
  const [quick, slow] = [watch(''), watch('')];
  slow.reads = false;
  health.drain();
  let isTold = false;
  void watches.told('bridge').then(() => {
    isTold = true;
  });
  scheduler.advance(0);
  await new Promise((resolve) => setImmediate(resolve));
  expect([quick.frames, slow.frames, isTold]).toEqual([['serving', 'not-serving'], ['serving'], false]);
  slow.reads = true;
  slow.listener?.writable();
  expect(slow.frames).toEqual(['serving', 'not-serving']);
  await new Promise((resolve) => setImmediate(resolve));
  expect(isTold).toBe(true);
});
