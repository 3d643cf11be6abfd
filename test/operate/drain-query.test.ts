import { describe, expect, it } from 'vitest';
import { readDrain, readTarget, readWanted } from '../../src/operate/drain-query.ts';
import { HOME } from '../support/instances.ts';

const drain = (query: string, address = '10.0.0.1:80') => readDrain(address, query, HOME);

describe('what is to be drained', () => {
  it.each([
    ['', 600_000, ''],
    ['for=1s', 1_000, ''],
    ['for=90s&reason=a%20release', 90_000, 'a release'],
    ['for=2h&reason=', 7_200_000, ''],
    ['for=7d', 604_800_000, ''],
    [`reason=${'x'.repeat(200)}`, 600_000, 'x'.repeat(200)],
    ['reason=%E5%8D%87%E7%BA%A7', 600_000, '升级'],
  ])('%s is for so long, and why', (query, forMs, reason) => {
    expect(drain(query)).toMatchObject({ address: '10.0.0.1:80', port: 80, forMs, reason, service: undefined });
  });

  it.each([
    ['service=orders', { namespace: 'public', group: 'DEFAULT_GROUP', name: 'orders' }],
    ['service=G1%40%40orders&namespace=dev', { namespace: 'dev', group: 'G1', name: 'orders' }],
    ['service=orders&namespace=', { namespace: 'public', group: 'DEFAULT_GROUP', name: 'orders' }],
    ['namespace=dev', undefined],
  ])('%s is one service, or a namespace', (query, service) => {
    expect(drain(query)).toMatchObject({ service });
  });

  it.each([
    ['for=10', 'for must be 1s..7d'],
    ['for=0s', 'for must be 1s..7d'],
    ['for=500ms', 'got "500ms"'],
    ['for=8d', 'for must be 1s..7d'],
    ['for=', 'for must be 1s..7d'],
    ['for=-1m', 'for must be 1s..7d'],
    [`reason=${'x'.repeat(201)}`, 'reason must have at most 200 characters, got 201'],
    ['reason=a%0Ab', 'reason must be one line'],
    ['reason=a%1B%5B31m', 'reason must be one line'],
    ['reason=%E2%80%AEa', 'reason must be one line'],
    ['service=%40%40', 'service must be NAME or GROUP@@NAME'],
    ['service=', 'service must be NAME or GROUP@@NAME'],
    ['fro=1m', '"fro" is not known: service, namespace, for, reason'],
    ['for=1m&for=2m', 'for is said more than once'],
  ])('%s is refused, with what would be right', (query, why) => {
    expect(drain(query)).toEqual(expect.stringContaining(why));
  });

  it.each([
    '',
    '10.0.0.1',
    ':80',
    '10.0.0.1:',
    '10.0.0.1:65536',
    '::1:80',
    '[::1]',
    '[::1:80',
    'a b:80',
    '%zz:80',
    `${'x'.repeat(254)}:80`,
  ])('an address is not %j', (address) => {
    const said = drain('', address);
    expect(said).toEqual(expect.stringContaining('the address must be IP:PORT'));
    expect(String(said).length).toBeLessThan(200);
  });

  it.each([
    ['10.0.0.1:80', '10.0.0.1', true],
    ['10.0.0.1:80', '::ffff:10.0.0.1', true],
    ['10.0.0.1:80', '10.0.0.11', false],
    ['[2001:db8::1]:80', '2001:0DB8:0:0:0:0:0:1', true],
    ['[2001:db8::1]:80', '[2001:db8::1]', true],
    ['[2001:db8::1]:80', '2001:db8::2', false],
    ['[fe80::1%eth0]:80', 'fe80::1%eth0', true],
    ['[fe80::1%eth0]:80', 'fe80::1%eth1', false],
    ['orders.example.com:80', 'orders.example.com', true],
  ])('%s and %s are the same place: %s', (address, ip, isSame) => {
    const target = readTarget(address, '', HOME);
    expect(typeof target === 'string' ? target : target.isRight(ip)).toBe(isSame);
  });

  it('a list is asked for by namespace and service alone', () => {
    expect(readWanted('namespace=dev', HOME)).toEqual({ namespace: 'dev', service: undefined });
    expect(readWanted('for=1m', HOME)).toBe('"for" is not known: service, namespace');
  });
});
