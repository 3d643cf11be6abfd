import { describe, expect, it } from 'vitest';
import { grpcRoom, SETUP } from '../../support/grpc-room.ts';
import { orders, registration } from '../../support/instances.ts';
import { LIMITS } from '../../support/limits.ts';

function setUp() {
  const room = grpcRoom();
  return {
    ...room,
    wait: (seconds: number) => room.scheduler.advance(seconds * 1_000),
    /** Nobody could be heard meanwhile. */
    stall(seconds: number) {
      room.scheduler.stall(seconds * 1_000);
      room.scheduler.advance(0);
    },
  };
}

describe('a silent connection', () => {
  it('is asked for a sign of life after 20 s, once, and ended 5 s later', () => {
    const { join, wait, cut, registry } = setUp();
    const connection = join('a');
    connection.slots.put(orders, [registration()]);
    wait(19);
    expect(connection.outbox.take()).toBeUndefined();
    wait(1);
    expect(connection.outbox.take()).toEqual({
      type: 'ClientDetectionRequest',
      body: JSON.stringify({ headers: {}, requestId: '1', module: 'internal' }),
    });
    wait(4);
    expect(connection.outbox.take()).toBeUndefined();
    expect(registry.tally(orders)).toMatchObject({ available: 1 });
    wait(1);
    expect(cut).toEqual(['a']);
    expect(registry.tally(orders)).toMatchObject({ total: 0 });
  });

  it('that answers stays, whatever the answer says, and is asked again when it is silent again', () => {
    const { join, wait, cut } = setUp();
    const connection = join('a');
    for (let i = 0; i < 3; i++) {
      wait(20);
      const { body = '{}' } = connection.outbox.take() ?? {};
      connection.answered(JSON.parse(body).requestId, false);
    }
    wait(19);
    expect(cut).toEqual([]);
  });

  it('is not asked while it asks itself', () => {
    const { connections, join, wait } = setUp();
    const connection = join('a');
    for (let i = 0; i < 10; i++) {
      wait(5);
      connections.heard(connection.peer);
    }
    expect(connection.outbox.take()).toBeUndefined();
  });

  it('is not ended for what could not be heard while the process was stalled', () => {
    const { join, wait, stall, cut } = setUp();
    const connection = join('a');
    wait(20);
    connection.outbox.take();
    stall(600);
    expect(cut).toEqual([]);
    wait(3);
    expect(cut).toEqual([]);
    wait(2);
    expect(cut).toEqual(['a']);
  });
});

describe('a client that takes nothing of what is meant for it', () => {
  it('is ended after five minutes, though it asks all the while', () => {
    const { connections, join, wait, cut } = setUp();
    const [reading, other] = [join('reads'), join('does not read')];
    for (let i = 0; i < 299; i++) {
      reading.outbox.send(() => ({ type: 'x', body: '' }));
      other.outbox.send(() => ({ type: 'x', body: '' }));
      reading.outbox.take();
      wait(1);
      for (const { peer } of [reading, other]) connections.heard(peer);
    }
    expect(cut).toEqual([]);
    wait(1);
    expect(cut).toEqual(['does not read']);
  });

  it('is cut off when too much has come together', () => {
    const { join, cut } = setUp();
    const connection = join('a');
    for (let i = 0; i < 50_000; i++) connection.outbox.send(() => undefined);
    expect(cut).toEqual([]);
    connection.outbox.send(() => undefined);
    expect(cut).toEqual(['a']);
  });
});

describe('a transport', () => {
  it('that never sets up a connection is cut after 30 s', () => {
    const { connections, peer, wait, cut } = setUp();
    const stranger = peer('stranger');
    connections.heard(stranger);
    wait(29);
    connections.heard(stranger);
    expect(cut).toEqual([]);
    wait(1);
    expect(cut).toEqual(['stranger']);
  });

  it('is not cut for what could not be heard while the process was stalled', () => {
    const { connections, peer, wait, stall, cut } = setUp();
    connections.heard(peer('stranger'));
    wait(20);
    stall(600);
    wait(8);
    expect(cut).toEqual([]);
    wait(2);
    expect(cut).toEqual(['stranger']);
  });

  it('that has become a connection is no stranger', () => {
    const { connections, peer, wait, cut } = setUp();
    const one = peer('one');
    connections.heard(one);
    connections.setUp(one, SETUP, () => {});
    for (let i = 0; i < 40; i++) {
      wait(1);
      connections.heard(one);
    }
    expect(cut).toEqual([]);
  });

  it('is refused when its address has as many connections as it may', () => {
    const { connections, peer } = setUp();
    for (let i = 0; i < 10_000; i++) connections.setUp(peer(`c${i}`), SETUP, () => {});
    expect(connections.setUp(peer('one too many'), SETUP, () => {})).toBeUndefined();
    const elsewhere = connections.setUp(peer('from elsewhere', '127.0.0.2'), SETUP, () => {});
    expect(elsewhere).toBeDefined();
    expect([...connections.all()].length).toBe(10_001);
  });
});

describe('where there is no more of something for all, of the address that has most ends, for one that has less,', () => {
  const ID = { namespace: 'public', group: 'G', dataId: 'd' };
  const ALL = { clusters: [], clustersVerbatim: '' };

  it('a connection that has registered nothing, and no other', () => {
    const { connections, join, peer, cut } = grpcRoom({ limits: { ...LIMITS, maxConnections: 4 } });
    for (const name of ['a', 'b', 'c']) join(name).slots.put(orders, [registration({ port: name.charCodeAt(0) })]);
    join('d');
    join('e', '127.0.0.2');
    expect(cut).toEqual(['d']);
    expect(connections.setUp(peer('f', '127.0.0.3'), SETUP, () => {})).toBeUndefined();
    expect([cut, connections.count]).toEqual([['d'], 4]);
  });

  it('a connection that subscribes', () => {
    const { subscribers, join, cut } = grpcRoom({ limits: { ...LIMITS, maxSubscriptions: 4 } });
    const [one, idle] = [join('a'), join('idle')];
    for (let i = 0; i < 4; i++) subscribers.subscribe(one, { ...orders, name: `s${i}` }, ALL);
    expect(() => subscribers.subscribe(idle, orders, ALL)).toThrow('more than 4 subscriptions');
    subscribers.subscribe(join('b', '127.0.0.2'), orders, ALL);
    expect([cut, subscribers.count]).toEqual([['a'], 1]);
  });

  it('a connection that listens to texts', () => {
    const { listenedConfigs, join, cut } = grpcRoom({ limits: { ...LIMITS, maxListenedConfigsInAll: 4 } });
    const [one, idle] = [join('a'), join('idle')];
    const how = { tenant: '', md5: '' };
    for (let i = 0; i < 4; i++) listenedConfigs.listen(one, { ...ID, dataId: `d${i}` }, how);
    expect(() => listenedConfigs.listen(idle, ID, how)).toThrow('more than 4 configs listened to by all');
    listenedConfigs.listen(join('b', '127.0.0.2'), ID, how);
    expect([cut, listenedConfigs.count]).toEqual([['a'], 1]);
  });
});

it('ending a connection twice does no more than ending it once', () => {
  const { connections, join, registry, cut } = setUp();
  const connection = join('a');
  let heard = 0;
  connections.onEnd(() => heard++);
  connection.slots.put(orders, [registration()]);
  connections.end(connection, 'closed');
  connections.end(connection, 'closed');
  expect([heard, cut, [...connections.all()].length, registry.tally(orders)?.total]).toEqual([1, ['a'], 0, 0]);
  connection.slots.put(orders, [registration()]);
  expect(registry.tally(orders)?.total).toBe(0);
});

it('replacing an instance leaves no moment without one', () => {
  const { join, registry } = setUp();
  const connection = join('a');
  connection.slots.put(orders, [registration({ port: 1 })]);
  const seen: (number | undefined)[] = [];
  registry.onChange(() => seen.push(registry.tally(orders)?.available));
  connection.slots.put(orders, [registration({ port: 2 })]);
  expect(seen).not.toContain(0);
  expect(registry.instances(orders)?.map(({ port }) => port)).toEqual([2]);
});

it('once the server goes, ending connections takes nothing back', () => {
  const { connections, join, registry } = setUp();
  const connection = join('a');
  connection.slots.put(orders, [registration()]);
  connections.freeze();
  expect(JSON.parse(connection.outbox.take()?.body ?? '{}')).toMatchObject({
    module: 'internal',
    connectionId: '1000_127.0.0.1_1',
  });
  connections.end(connection, 'closed');
  expect(registry.tally(orders)).toMatchObject({ available: 1 });
});

it('nobody is left to be looked after, and no timer either', () => {
  const { connections, join, peer, wait, scheduler } = setUp();
  expect(scheduler.open).toBe(0);
  connections.heard(peer('stranger'));
  const connection = join('a');
  expect(scheduler.open).toBe(1);
  connections.end(connection, 'closed');
  wait(29);
  expect(scheduler.open).toBe(1);
  wait(1);
  expect(scheduler.open).toBe(0);
  join('b');
  connections.freeze();
  connections.heard(peer('another stranger'));
  expect(scheduler.open).toBe(0);
});

it('one of several is told to connect anew, and where', () => {
  const { connections, join } = setUp();
  const [first, second] = [join('a'), join('b')];
  connections.reset(first, { ip: '10.0.0.9', port: '8848' });
  const { type, body } = first.outbox.take() ?? { body: '{}' };
  expect([type, JSON.parse(body)]).toEqual([
    'ConnectResetRequest',
    { headers: {}, requestId: '1', module: 'internal', connectionId: first.id, serverIp: '10.0.0.9', serverPort: '8848' },
  ]);
  expect(second.outbox.take()).toBeUndefined();
});

it('why connections have ended is counted, and told of what they held: by us, where the stream broke off because of that', () => {
  const { connections, join, registry, wait } = setUp();
  const reasons: (string | undefined)[] = [];
  registry.onEvent(({ cause, by }) => void (cause === 'connection-ended' && reasons.push(by?.reason)));
  const [closed, broken, slow, silent] = ['closed', 'broken', 'slow', 'silent'].map((name, port) => {
    const connection = join(name);
    connection.slots.put(orders, [registration({ port })]);
    return connection;
  });
  if (closed === undefined || broken === undefined || slow === undefined || silent === undefined) throw new Error('none');
  connections.end(closed, 'closed');
  connections.end(broken, 'reset');
  for (let i = 0; i <= 50_000; i++) slow.outbox.send(() => undefined);
  connections.end(slow, 'reset');
  // It holds nothing: it is counted, and nobody is told.
  connections.end(join('nothing'), 'closed');
  wait(25);
  expect(reasons).toEqual(['closed', 'reset', 'too-slow', 'silent']);
  expect([...connections.endedBy]).toEqual([
    ['closed', 2],
    ['reset', 1],
    ['too-slow', 1],
    ['silent', 1],
  ]);
});
