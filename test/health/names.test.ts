import { describe, expect, it } from 'vitest';
import { parseDubboKey } from '../../src/health/dubbo.ts';
import { formatHealthName, NAME_FORM, parseHealthName } from '../../src/health/names.ts';
import { HOME } from '../support/instances.ts';

const service = (group: string, name: string, namespace = 'public') => ({ namespace, group, name });

describe('a health name', () => {
  it.each([
    ['orders', service('DEFAULT_GROUP', 'orders')],
    ['greet.GreetService', service('DEFAULT_GROUP', 'greet.GreetService')],
    ['G1@@orders', service('G1', 'orders')],
    ['providers:com.shop.Orders:1.0.0:', service('DEFAULT_GROUP', 'providers:com.shop.Orders:1.0.0:')],
    ['é'.repeat(512), service('DEFAULT_GROUP', 'é'.repeat(512))],
  ])('%j names a service, and is its shortest name', (text, name) => {
    expect(parseHealthName(text, HOME)).toMatchObject({ service: name, cluster: undefined, instance: undefined });
    expect(formatHealthName(name, HOME)).toBe(text);
  });

  it('has one form, which every refusal repeats', () => {
    expect(NAME_FORM).toBe('NAME[?namespace=N&group=G&cluster=C&instance=IP:PORT]');
  });

  it('that says no namespace or group is one of its home', () => {
    const home = { namespace: 'dev', group: 'G1' };
    expect(parseHealthName('orders', home)).toMatchObject({ service: service('G1', 'orders', 'dev') });
    expect(formatHealthName(service('G1', 'orders', 'dev'), home)).toBe('orders');
    expect(formatHealthName(service('DEFAULT_GROUP', 'orders', 'dev'), home)).toBe('DEFAULT_GROUP@@orders');
  });

  it('that is empty names the bridge', () => {
    expect(parseHealthName('', HOME)).toBe('bridge');
  });

  it.each([
    ['DEFAULT_GROUP@@orders', { service: service('DEFAULT_GROUP', 'orders'), dubbo: undefined }],
    ['orders?namespace=dev', { service: service('DEFAULT_GROUP', 'orders', 'dev') }],
    ['orders?namespace=&group=', { service: service('DEFAULT_GROUP', 'orders') }],
    ['orders?group=G1', { service: service('G1', 'orders') }],
    ['G1@@orders?group=G1&namespace=dev', { service: service('G1', 'orders', 'dev') }],
    ['orders?cluster=C1', { cluster: 'C1' }],
    ['orders?instance=10.0.0.1:80', { instance: { ip: '10.0.0.1', port: 80 } }],
    ['orders?instance=[fd00::1]:80&cluster=C1', { instance: { ip: 'fd00::1', port: 80 }, cluster: 'C1' }],
    ['orders?instance=fd00%3A%3A1%3A80', { instance: { ip: 'fd00::1', port: 80 } }],
  ])('%j says what it means of a service', (text, expected) => {
    expect(parseHealthName(text, HOME)).toMatchObject(expected);
  });

  it.each([
    '@@orders',
    'G1@@',
    '@@',
    '?group=G1',
    'orders?zone=a',
    'orders?group=a&group=b',
    'G1@@orders?group=G2',
    'orders?instance=10.0.0.1',
    'orders?instance=10.0.0.1:x',
    'orders?instance=10.0.0.1:65536',
    'x'.repeat(1025),
    'é'.repeat(513),
  ])('%j is refused', (text) => {
    expect(parseHealthName(text, HOME)).toBeUndefined();
  });
});

describe('a Dubbo service key', () => {
  it.each([
    ['com.shop.Orders', { interface: 'com.shop.Orders', version: undefined, group: undefined }],
    ['com.shop.Orders:1.0.0', { interface: 'com.shop.Orders', version: '1.0.0', group: '' }],
    ['com.shop.Orders:0.0.0', { interface: 'com.shop.Orders', version: '', group: '' }],
    ['blue/com.shop.Orders', { interface: 'com.shop.Orders', version: '', group: 'blue' }],
    ['blue/com.shop.Orders:1.0.0', { interface: 'com.shop.Orders', version: '1.0.0', group: 'blue' }],
  ])('%s is read', (text, key) => {
    expect(parseDubboKey(text)).toEqual(key);
  });

  it.each(['', '/a', 'a/', 'a:', ':1', 'a/b/c', 'a:b:c', 'providers:a:1.0.0:'])('%j is none', (text) => {
    expect(parseDubboKey(text)).toBeUndefined();
  });
});
