import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import type { Connection } from '../../../src/nacos/grpc/connection.ts';
import { type ServiceInfo, ServiceMessage } from '../../../src/nacos/grpc/messages.ts';
import { grpcRoom } from '../../support/grpc-room.ts';
import { orders, registration } from '../../support/instances.ts';

/** A list that is made at once. */
function read(service: ServiceInfo | Promise<ServiceInfo>) {
  if (service instanceof Promise) throw new Error('it takes several turns');
  return JSON.parse(service.toString());
}

const ALL = { clusters: [], clustersVerbatim: '' };

function setUp(graceMs = 0) {
  const room = grpcRoom({ graceMs });
  const { scheduler } = room;
  const flush = () => scheduler.advance(0);
  return {
    ...room,
    /** What has changed goes into the outboxes. */
    flush,
    /** What goes out over the connection now: the id of the push, and the ports in it. */
    taken(connection: Connection) {
      flush();
      const message = connection.outbox.take();
      if (message === undefined) return undefined;
      const { requestId, serviceInfo } = JSON.parse(message.body);
      const ports: number[] = serviceInfo.hosts.map(({ port }: { port: number }) => port);
      return { requestId, ports, lastRefTime: serviceInfo.lastRefTime };
    },
    pass: (ms: number) => scheduler.advance(ms),
  };
}

describe('a push', () => {
  it('says what is true when it leaves, however much has changed since it was due', () => {
    const { registry, subscribers, join, taken, flush } = setUp();
    const connection = join();
    subscribers.subscribe(connection, orders, ALL);
    flush();
    for (const port of [1, 2, 3]) {
      registry.register(orders, registration({ port }));
      flush();
    }
    expect(taken(connection)).toMatchObject({ ports: [1, 2, 3] });
    expect(taken(connection)).toBeUndefined();
  });

  it('waits until the one before is acknowledged, and then tells the latest', () => {
    const { registry, subscribers, join, taken } = setUp();
    const connection = join();
    subscribers.subscribe(connection, orders, ALL);
    const first = taken(connection);
    registry.register(orders, registration({ port: 1 }));
    registry.register(orders, registration({ port: 2 }));
    expect(taken(connection)).toBeUndefined();
    connection.answered('no such request', true);
    expect(taken(connection)).toBeUndefined();
    connection.answered(first?.requestId, true);
    const second = taken(connection);
    expect(second).toMatchObject({ ports: [1, 2] });
    expect(second?.lastRefTime).toBeGreaterThan(first?.lastRefTime);
    connection.answered(second?.requestId, true);
    expect(taken(connection)).toBeUndefined();
  });

  it('that is not acknowledged within 5 s, or refused, is repeated a second later for as long as the connection lives', () => {
    const { subscribers, connections, join, taken, pass } = setUp();
    const connection = join();
    subscribers.subscribe(connection, orders, ALL);
    expect(taken(connection)).toBeDefined();
    for (let i = 0; i < 5; i++) {
      connections.heard(connection.peer);
      pass(1_000);
      expect(taken(connection)).toBeUndefined();
      for (let second = 0; second < 4; second++) pass(1_000);
      expect(taken(connection)).toBeUndefined();
      pass(1_000);
      const again = taken(connection);
      expect(again).toBeDefined();
      if (i < 4) continue;
      connection.answered(again?.requestId, false);
      expect(taken(connection)).toBeUndefined();
      pass(1_000);
      const last = taken(connection);
      connection.answered(last?.requestId, true);
    }
    pass(1_000);
    expect(taken(connection)).toBeUndefined();
  });

  it('is not made for a subscription that has ended', () => {
    const { registry, subscribers, connections, join, taken, flush } = setUp();
    const [first, second] = [join(), join()];
    subscribers.subscribe(first, orders, ALL);
    subscribers.subscribe(second, orders, ALL);
    flush();
    subscribers.unsubscribe(first, orders, ALL);
    expect(taken(first)).toBeUndefined();
    connections.end(second, 'closed');
    registry.register(orders, registration());
    expect([taken(first), taken(second), [...subscribers.all()]]).toEqual([undefined, undefined, []]);
  });

  it('is the same text to all who ask in the same way', () => {
    const { registry, subscribers, join, taken } = setUp();
    const [first, second] = [join(), join()];
    registry.register(orders, registration());
    subscribers.subscribe(first, orders, ALL);
    subscribers.subscribe(second, orders, ALL);
    const told = [taken(first), taken(second)];
    expect(told[0]?.lastRefTime).toBe(told[1]?.lastRefTime);
    registry.register(orders, registration({ port: 2 }));
    expect(read(subscribers.query(orders, ALL, false)).lastRefTime).toBeGreaterThan(told[0]?.lastRefTime);
  });

  it('carries the very list that others are pushed and answered, made once after each change', () => {
    const { registry, subscribers, join, flush } = setUp();
    const connections = Array.from({ length: 3 }, (_, i) => join(`c${i}`));
    registry.register(orders, registration());
    const answers = connections.map((connection) => subscribers.subscribe(connection, orders, ALL));
    flush();
    const pushes = connections.map((connection) => {
      const message = connection.outbox.take();
      return message instanceof ServiceMessage ? message.service : undefined;
    });
    const first = subscribers.query(orders, ALL, false);
    expect(new Set([...answers, ...pushes])).toEqual(new Set([first]));
    expect(subscribers.query(orders, ALL, true)).not.toBe(first);
    expect(subscribers.query(orders, { clusters: ['C1'], clustersVerbatim: 'C1' }, false)).not.toBe(first);
    registry.register(orders, registration({ port: 2 }));
    const second = subscribers.query(orders, ALL, false);
    expect(read(second).hosts).toHaveLength(2);
    // Nobody else is left to whom it is of use.
    for (const connection of connections) subscribers.unsubscribe(connection, orders, ALL);
    expect(subscribers.query(orders, ALL, false)).not.toBe(subscribers.query(orders, ALL, false));
  });

  it('says for how long a list is good as operators have set it last', () => {
    const { switches, subscribers, join } = setUp();
    subscribers.subscribe(join(), orders, ALL);
    expect(read(subscribers.query(orders, ALL, false)).cacheMillis).toBe(10_000);
    switches.set('pushCacheMillis', '12000');
    expect(read(subscribers.query(orders, ALL, false)).cacheMillis).toBe(12_000);
  });

  it('is made up for when pushing is switched on again', () => {
    const { registry, switches, subscribers, join, taken } = setUp();
    const connection = join();
    switches.set('pushEnabled', 'false');
    subscribers.subscribe(connection, orders, ALL);
    registry.register(orders, registration({ port: 1 }));
    expect(taken(connection)).toBeUndefined();
    switches.set('pushEnabled', 'true');
    expect(taken(connection)).toMatchObject({ ports: [1] });
  });
});

describe('after a start', () => {
  it('emptiness that may be ignorance is no news to a client that knows better, and is not pushed', () => {
    const { registry, subscribers, join, taken, pass } = setUp(30_000);
    pass(1_000);
    const connection = join();
    expect(read(subscribers.subscribe(connection, orders, ALL))).toMatchObject({ hosts: [], lastRefTime: 0 });
    expect(read(subscribers.query(orders, ALL, false))).toMatchObject({ hosts: [], lastRefTime: 0 });
    expect(taken(connection)).toBeUndefined();
    registry.register(orders, registration({ port: 1 }));
    const told = taken(connection);
    expect(told).toMatchObject({ ports: [1] });
    // From now on its emptiness is known.
    connection.answered(told?.requestId, true);
    registry.deregister(orders, registration({ port: 1 }));
    expect(taken(connection)).toMatchObject({ ports: [] });
  });

  it('it is pushed when the grace is over: by then it is knowledge', () => {
    const { subscribers, connections, join, taken, pass } = setUp(30_000);
    const connection = join();
    subscribers.subscribe(connection, orders, ALL);
    for (let i = 0; i < 29; i++) {
      connections.heard(connection.peer);
      pass(1_000);
      expect(taken(connection)).toBeUndefined();
    }
    pass(1_000);
    const told = taken(connection);
    expect(told).toMatchObject({ ports: [] });
    expect(told?.lastRefTime).toBeGreaterThan(0);
  });
});

it('a connection may not have subscriptions without end', () => {
  const { subscribers, join } = setUp();
  const connection = join();
  for (let i = 0; i < 20_000; i++) subscribers.subscribe(connection, { ...orders, name: `s${i}` }, ALL);
  expect(() => subscribers.subscribe(connection, orders, ALL)).toThrow('more than 20000 services');
  const s0 = { ...orders, name: 's0' };
  for (let i = 1; i < 16; i++) subscribers.subscribe(connection, s0, { clusters: [], clustersVerbatim: ','.repeat(i) });
  subscribers.subscribe(connection, s0, ALL);
  const another = { clusters: [], clustersVerbatim: ', ' };
  expect(() => subscribers.subscribe(connection, s0, another)).toThrow('more than 16 sets of clusters');
  subscribers.unsubscribe(connection, s0, ALL);
  subscribers.subscribe(connection, s0, another);
});

describe('a list that is too long to be made in one turn', () => {
  async function setUpMany(count: number) {
    const room = setUp();
    for (let port = 1; port <= count; port++) room.registry.register(orders, registration({ port }));
    const connection = room.join();
    /** How many instances are in the next push, which is acknowledged. */
    const pushed = async () => {
      room.flush();
      // Whoever waits for a list that is there now hears of it in a turn of its own.
      await new Promise((resolve) => setImmediate(resolve));
      const push = room.taken(connection);
      if (push !== undefined) connection.answered(push.requestId, true);
      return push?.ports.length;
    };
    return { ...room, connection, pushed };
  }

  it('is answered and pushed when it is there', async () => {
    const { subscribers, connection, pushed, scheduler } = await setUpMany(1_500);
    const answer = subscribers.subscribe(connection, orders, ALL);
    expect(answer).toBeInstanceOf(Promise);
    scheduler.advance(0);
    const list = read(await answer);
    expect(list.hosts).toHaveLength(1_500);
    expect(await pushed()).toBe(1_500);
    expect(subscribers.query(orders, ALL, false)).not.toBeInstanceOf(Promise);
    expect(await pushed()).toBeUndefined();
  });

  it('goes out though there are always news, and these follow', async () => {
    const { registry, subscribers, connection, pushed, scheduler } = await setUpMany(1_500);
    void subscribers.subscribe(connection, orders, ALL);
    const counts: (number | undefined)[] = [];
    for (let port = 1_501; port <= 1_504; port++) {
      scheduler.advance(0);
      connection.outbox.take();
      registry.register(orders, registration({ port }));
      counts.push(await pushed());
    }
    counts.push(await pushed(), await pushed());
    const told = counts.filter((count) => count !== undefined);
    expect(told.length).toBeGreaterThan(1);
    expect(told).toEqual([...told].sort((a, b) => a - b));
    expect(told.at(-1)).toBe(1_504);
  });

  it('is not pushed to who has gone meanwhile', async () => {
    const { subscribers, connections, connection, pushed, scheduler } = await setUpMany(1_500);
    void subscribers.subscribe(connection, orders, ALL);
    scheduler.advance(0);
    connection.outbox.take();
    connections.end(connection, 'closed');
    expect(await pushed()).toBeUndefined();
    expect([...subscribers.all()]).toEqual([]);
  });
});

it('what is closed pushes nothing more, and leaves no timer', () => {
  const { registry, subscribers, connections, scheduler, join, taken } = setUp(30_000);
  const connection = join();
  subscribers.subscribe(connection, orders, ALL);
  subscribers.subscribe(connection, { ...orders, name: 'payments' }, ALL);
  expect(taken(connection)).toBeUndefined();
  registry.register(orders, registration());
  connections.freeze();
  connection.outbox.take();
  expect(scheduler.open).toBe(2);
  subscribers.close();
  expect(scheduler.open).toBe(0);
  expect(taken(connection)).toBeUndefined();
});

describe('a list that is larger than a client takes', () => {
  const metadata = { note: 'x'.repeat(150_000) };

  it('is not pushed to it, is said once in the log, and is pushed when it fits again', () => {
    const lines: Record<string, unknown>[] = [];
    const log = pino({}, { write: (line: string) => lines.push(JSON.parse(line)) });
    const { registry, subscribers, join, scheduler } = grpcRoom({ log });
    const connection = join();
    const pushed = () => {
      scheduler.advance(0);
      const message = connection.outbox.take();
      if (message !== undefined) connection.answered(JSON.parse(message.body).requestId, true);
      return message && JSON.parse(message.body).serviceInfo.hosts.length;
    };
    subscribers.subscribe(connection, orders, ALL);
    for (let port = 1; port <= 80; port++) registry.register(orders, registration({ port, metadata }));
    expect(pushed()).toBeUndefined();
    registry.register(orders, registration({ port: 81, metadata }));
    expect(pushed()).toBeUndefined();
    const facts = { service: 'DEFAULT_GROUP@@orders', clientVersion: 'Test:v1' };
    expect(lines).toMatchObject([{ msg: 'a list is larger than its subscribers take, not pushed', ...facts }]);
    expect(lines[0]?.bytes).toBeGreaterThan(10 << 20);
    for (let port = 1; port <= 40; port++) registry.deregister(orders, registration({ port }));
    expect(pushed()).toBe(41);
  });
});
