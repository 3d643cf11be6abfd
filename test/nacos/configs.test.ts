import { expect, it } from 'vitest';
import { type ConfigId, Configs } from '../../src/nacos/configs.ts';

const ID: ConfigId = { namespace: 'public', group: 'mapping', dataId: 'com.shop.Orders' };
const LIMITS = { maxConfigs: 2, maxConfigBytes: 4, maxConfigTotalBytes: 6 };

function setUp() {
  const configs = new Configs({ wallClock: () => 1_000, limits: LIMITS });
  const changed: string[] = [];
  configs.onChange(({ dataId }) => changed.push(`${dataId}=${configs.get({ ...ID, dataId })?.content ?? 'gone'}`));
  return { configs, changed };
}

it('a listener hears of each change, once the text is what it is then, and of nothing that changes nothing', () => {
  const { configs, changed } = setUp();
  configs.publish(ID, 'x', 'text', '');
  configs.publish(ID, 'x', 'json', '');
  configs.publish(ID, 'y', 'text', '');
  configs.publish(ID, 'z', 'text', 'not its md5');
  configs.remove(ID);
  configs.remove(ID);
  expect(changed).toEqual(['com.shop.Orders=x', 'com.shop.Orders=y', 'com.shop.Orders=gone']);
});

it('a text is kept with its md5, its type, its length in bytes, a number of its own and its times', () => {
  const { configs } = setUp();
  configs.publish(ID, 'ü', 'json', '');
  const md5 = 'c03410a5204b21cd8229ff754688d743';
  const times = { createdAt: 1_000, modifiedAt: 1_000 };
  expect(configs.get(ID)).toEqual({ id: ID, serial: 1, content: 'ü', type: 'json', bytes: 2, md5, ...times });
  expect([...configs.all()]).toHaveLength(1);
});

it('there is a bound on one text, on their number and on all of them, and what is removed makes room', () => {
  const { configs } = setUp();
  const put = (dataId: string, content: string) => () => configs.publish({ ...ID, dataId }, content, 'text', '');
  expect(put('a', 'üüx')).toThrow('content must not exceed 4 bytes, got 5 (--max-config-bytes)');
  put('a', 'xxxx')();
  expect(put('b', 'xxx')).toThrow('more than 2 configs, or 6 bytes in all');
  put('b', 'xx')();
  expect(put('c', '')).toThrow('more than 2 configs');
  put('a', 'x')();
  put('b', 'xxxx')();
  configs.remove({ ...ID, dataId: 'a' });
  put('c', 'xx')();
  expect(configs.get({ ...ID, dataId: 'c' })?.content).toBe('xx');
});

it('who keeps texts is told of each removal, and again when it is asked for again, by name or by number', () => {
  const { configs } = setUp();
  const told: string[] = [];
  configs.publish(ID, 'x', 'text', '');
  configs.durable.onChange((key) => told.push(key));
  const key = 'public mapping com.shop.Orders';
  configs.removeAll([' 1', '2']);
  expect(told).toEqual([key]);
  configs.removeAll(['1']);
  configs.remove(ID);
  expect(told).toEqual([key, key, key]);
  // Somebody has published another by that name: the number is not its own.
  configs.publish(ID, 'y', 'text', '');
  configs.removeAll(['1']);
  expect(told).toHaveLength(4);
  expect(configs.get(ID)?.content).toBe('y');
});
