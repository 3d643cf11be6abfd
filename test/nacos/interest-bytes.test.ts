import { expect, it } from 'vitest';
import { TooMany } from '../../src/nacos/errors.ts';
import { configCalls } from '../../src/nacos/http/configs.ts';
import { Params } from '../../src/nacos/http/params.ts';
import { InterestBytes, sizeOfListening, sizeOfSubscription } from '../../src/nacos/interest-bytes.ts';
import { grpcRoom } from '../support/grpc-room.ts';
import { LIMITS } from '../support/limits.ts';
import { emptyNacos } from '../support/nacos-room.ts';

const ID = { namespace: 'public', group: 'G', dataId: 'd' };
const SERVICE = { namespace: 'public', group: 'G', name: 's' };

it('what is kept is bounded by address and in all, less is always taken, and nothing is left of who has none', () => {
  const bytes = new InterestBytes({ maxInterestBytesInAll: 100, maxInterestBytesPerPeer: 60 });
  bytes.take('a', 60);
  expect(() => bytes.take('a', 1)).toThrow(
    new TooMany(
      'bytes of names subscribed or listened to',
      'more than 60 bytes of names that are subscribed or listened to from one address',
    ),
  );
  bytes.take('b', 40);
  expect(() => bytes.take('b', 1)).toThrow(
    new TooMany('bytes of names subscribed or listened to', 'more than 100 bytes of names that are subscribed or listened to'),
  );
  bytes.take('a', -60);
  bytes.take('b', 20);
  expect(bytes.bytes).toBe(60);
});

it('where all is taken, whoever has most gives way to whoever has less, and to nobody else', () => {
  const bytes = new InterestBytes({ maxInterestBytesInAll: 100, maxInterestBytesPerPeer: 60 });
  const asked: string[] = [];
  bytes.onShort((origin) => {
    asked.push(origin);
    bytes.add(origin, -10);
  });
  bytes.take('a', 60);
  bytes.take('b', 40);
  bytes.take('c', 15);
  expect([asked, bytes.bytes]).toEqual([['a', 'a'], 95]);
  bytes.take('b', 5);
  expect(() => bytes.take('b', 1)).toThrow(TooMany);
  expect(asked).toEqual(['a', 'a']);
});

it('two addresses that have all there is of bytes leave a third its subscription, its text and its poll', async () => {
  const { rooms } = emptyNacos({ limits: { ...LIMITS, maxInterestBytesInAll: 120_000, maxInterestBytesPerPeer: 60_000 } });
  const text = { id: ID, dataId: 'd', group: 'G', tenant: '', md5: '' };
  const wait = (ip: string) => rooms.longPolls.wait([text], { ip, ms: 10_000, onLeave: () => {} });
  const open: Promise<unknown>[] = [];
  for (const ip of ['10.0.0.1', '10.0.0.2'])
    while (rooms.interestBytes.bytes < (ip === '10.0.0.1' ? 45_000 : 105_000)) open.push(wait(ip));
  const before = rooms.longPolls.count;
  open.push(wait('10.0.0.3'), wait('10.0.0.3'));
  expect(rooms.longPolls.count).toBeGreaterThanOrEqual(before);
  rooms.longPolls.close();
  expect((await Promise.allSettled(open)).filter(({ status }) => status === 'rejected')).toEqual([]);
  expect(rooms.interestBytes.bytes).toBe(0);
});

it('long names and many clusters count for more', () => {
  const usual = sizeOfSubscription(SERVICE, { clusters: [], clustersVerbatim: '' });
  const many = Array.from({ length: 505 }, () => 'c');
  expect(sizeOfSubscription(SERVICE, { clusters: many, clustersVerbatim: many.join() })).toBeGreaterThan(usual + 8_000);
  expect(sizeOfListening(ID, 1_000)).toBeGreaterThanOrEqual(sizeOfListening(ID, 0) + 1_000);
});

it('connections of 2.x count for what they listen to, once each, and for nothing when they have gone', () => {
  const { connections, listenedConfigs, subscribers, interestBytes, join } = grpcRoom();
  const connection = join();
  const query = { clusters: ['c'], clustersVerbatim: 'c' };
  for (let i = 0; i < 2; i++) {
    subscribers.subscribe(connection, SERVICE, query);
    listenedConfigs.listen(connection, ID, { tenant: '', md5: 'x'.repeat(i) });
  }
  expect(interestBytes.bytes).toBe(sizeOfSubscription(SERVICE, query) + sizeOfListening(ID, 1));
  subscribers.unsubscribe(connection, SERVICE, query);
  listenedConfigs.unlisten(connection, ID);
  expect(interestBytes.bytes).toBe(0);
  subscribers.subscribe(connection, SERVICE, query);
  listenedConfigs.listen(connection, ID, { tenant: '', md5: '' });
  connections.end(connection, 'closed');
  expect(interestBytes.bytes).toBe(0);
});

it('a long poll counts for as long as it waits, and is refused later where there is no room', async () => {
  const { rooms, scheduler } = emptyNacos({ limits: { ...LIMITS, maxInterestBytesPerPeer: 12_000 } });
  const text = { id: ID, dataId: 'd', group: 'G', tenant: '', md5: '' };
  const wait = () => rooms.longPolls.wait([text], { ip: 'a', ms: 10_000, onLeave: () => {} });
  const first = wait();
  const second = wait().catch((error: Error) => error.message);
  expect(rooms.interestBytes.bytes).toBeGreaterThan(8_192);
  scheduler.advance(2_000);
  expect(await second).toMatch(/^more than 12000 bytes of names .* from one address: ask again later$/);
  scheduler.advance(8_000);
  expect(await first).toEqual([]);
  expect(rooms.interestBytes.bytes).toBe(0);
});

it('a poll behind others over its connection does not wait', async () => {
  const { rooms } = emptyNacos();
  const said = await configCalls(rooms).listen({
    // Nobody looks at it.
    request: {} as never,
    params: Params.of({ 'Listening-Configs': 'd\u0002G\u0002\u0001' }),
    header: (name) => (name === 'long-pulling-timeout' ? '30000' : undefined),
    caller: { ip: '10.0.0.1', isNext: false, hasLeft: () => false, onLeave: () => {} },
    agent: '',
    by: {},
    local: '',
  });
  expect([said.data, rooms.longPolls.count]).toEqual(['', 0]);
});
