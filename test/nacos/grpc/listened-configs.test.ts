import { expect, it } from 'vitest';
import type { ConfigId } from '../../../src/nacos/configs.ts';
import { grpcRoom } from '../../support/grpc-room.ts';

const ID: ConfigId = { namespace: 'public', group: 'mapping', dataId: 'com.shop.Orders' };
const NOTHING = { tenant: '', md5: '' };

it('one notice waits for a connection, however often the text changes, and none once it listens no more', () => {
  const { configs, listenedConfigs, join } = grpcRoom();
  const [connection, other] = [join('a'), join('b')];
  listenedConfigs.listen(connection, ID, NOTHING);
  for (const content of ['x', 'y', 'z']) configs.publish(ID, content, 'text', '');
  expect(connection.outbox.take()?.type).toBe('ConfigChangeNotifyRequest');
  expect(connection.outbox.take()).toBeUndefined();
  configs.remove(ID);
  listenedConfigs.unlisten(connection, ID);
  expect(connection.outbox.take()).toBeUndefined();
  expect(other.outbox.take()).toBeUndefined();
});

it('a connection may not listen without end, and one that has ended listens to nothing', () => {
  const { connections, configs, listenedConfigs, join } = grpcRoom();
  const connection = join();
  const text = (i: number) => ({ ...ID, dataId: `d${i}` });
  for (let i = 0; i < 10_000; i++) listenedConfigs.listen(connection, text(i), NOTHING);
  expect(() => listenedConfigs.listen(connection, text(10_000), NOTHING)).toThrow('more than 10000 configs listened to');
  listenedConfigs.listen(connection, text(0), NOTHING);
  listenedConfigs.unlisten(connection, text(1));
  listenedConfigs.listen(connection, text(10_000), NOTHING);
  connections.end(connection, 'closed');
  expect(listenedConfigs.listen(connection, ID, { tenant: '', md5: 'other' })).toBe(false);
  configs.publish(ID, 'x', 'text', '');
  expect(connection.outbox.take()).toBeUndefined();
});
