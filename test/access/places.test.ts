import { describe, expect, it } from 'vitest';
import { Places, trustFaults, type Where } from '../../src/access/places.ts';
import type { Headers } from '../../src/wire/browser.ts';

function whereIs(ip: string, { trust = [], trustedProxies = [], headers = {} }: Said = {}): Where {
  return new Places({ trust, trustedProxies }).placeOf(ip, headers).where;
}

interface Said {
  readonly trust?: readonly string[];
  readonly trustedProxies?: readonly string[];
  readonly headers?: Headers;
}

describe('an address without a header', () => {
  it.each<readonly [ip: string, trust: string, where: Where]>([
    ['127.0.0.1', '', 'loopback'],
    ['::1', '', 'loopback'],
    ['::ffff:127.0.0.1', '', 'loopback'],
    ['::ffff:7f00:1', '', 'loopback'],
    ['0:0:0:0:0:0:0:1', '', 'loopback'],
    ['::1%lo', '', 'loopback'],
    ['127.0.0.2', '', 'remote'],
    ['127.0.0.6', '', 'remote'],
    ['127.0.0.6', '127.0.0.6', 'trusted'],
    ['127.0.0.2', 'loopback', 'remote'],
    ['::ffff:127.0.0.6', '', 'remote'],
    ['::127.0.0.1', '', 'remote'],
    ['64:ff9b::127.0.0.1', '', 'remote'],
    ['::2', '', 'remote'],
    ['::', '', 'remote'],
    ['0.0.0.0', '', 'remote'],
    ['', '', 'remote'],
    ['', 'private', 'remote'],
    ['localhost', '', 'remote'],
    ['2130706433', '', 'remote'],
    ['0x7f.0.0.1', '', 'remote'],
    ['127.1', '', 'remote'],
    ['10.1.2.3', '', 'remote'],
    ['10.1.2.3', '10.1.2.3', 'trusted'],
    ['::ffff:10.1.2.3', '10.1.2.3', 'trusted'],
    ['10.1.2.3', '::ffff:10.1.2.3', 'trusted'],
    ['10.1.2.4', '10.1.2.3', 'remote'],
    ['9.255.255.255', 'private', 'remote'],
    ['10.0.0.0', 'private', 'trusted'],
    ['10.255.255.255', 'private', 'trusted'],
    ['11.0.0.0', 'private', 'remote'],
    ['172.15.255.255', 'private', 'remote'],
    ['172.16.0.0', 'private', 'trusted'],
    ['172.31.255.255', 'private', 'trusted'],
    ['172.32.0.0', 'private', 'remote'],
    ['192.167.255.255', 'private', 'remote'],
    ['192.168.0.0', 'private', 'trusted'],
    ['192.168.255.255', 'private', 'trusted'],
    ['192.169.0.0', 'private', 'remote'],
    ['100.63.255.255', 'private', 'remote'],
    ['100.64.0.0', 'private', 'trusted'],
    ['100.127.255.255', 'private', 'trusted'],
    ['100.128.0.0', 'private', 'remote'],
    ['::ffff:10.0.0.0', 'private', 'trusted'],
    ['::ffff:11.0.0.0', 'private', 'remote'],
    ['fbff:ffff::', 'private', 'remote'],
    ['fc00::', 'private', 'trusted'],
    ['fdff:ffff::', 'private', 'trusted'],
    ['fe00::', 'private', 'remote'],
    ['fe80::1', 'private', 'remote'],
    ['169.254.1.1', 'private', 'remote'],
    ['169.253.255.255', 'link-local', 'remote'],
    ['169.254.0.0', 'link-local', 'trusted'],
    ['169.254.255.255', 'link-local', 'trusted'],
    ['169.255.0.0', 'link-local', 'remote'],
    ['fe80::1%eth0', 'link-local', 'trusted'],
    ['febf::', 'link-local', 'trusted'],
    ['fec0::', 'link-local', 'remote'],
    ['127.0.0.1', 'private', 'loopback'],
  ])('%s with --trust "%s" is %s', (ip, trust, where) => {
    expect(whereIs(ip, { trust: trust === '' ? [] : [trust] })).toBe(where);
  });
});

describe('a header that says that a request was handed on', () => {
  it.each([
    ['forwarded', 'for=127.0.0.1'],
    ['x-forwarded-for', '127.0.0.1'],
    ['x-forwarded-proto', 'http'],
    ['x-forwarded-host', 'localhost'],
    ['x-forwarded-client-cert', 'By=spiffe://a'],
    ['x-real-ip', '127.0.0.1'],
    ['via', '1.1 nginx'],
    ['x-envoy-external-address', '127.0.0.1'],
    ['x-envoy-internal', 'true'],
    ['cf-connecting-ip', '127.0.0.1'],
    ['true-client-ip', '127.0.0.1'],
    ['x-forwarded-for', ''],
  ])('%s: %s takes away what loopback would give, and gives nothing to anybody', (name, value) => {
    const headers = { host: 'localhost', [name]: value };
    expect(whereIs('127.0.0.1', { headers })).toBe('remote');
    expect(whereIs('::1', { headers })).toBe('remote');
    expect(whereIs('10.1.2.3', { headers })).toBe('remote');
    // A mesh adds such headers to what one pod asks of another: an operator is told of it instead.
    expect(whereIs('10.1.2.3', { headers, trust: ['private'] })).toBe('trusted');
  });

  it.each<readonly [headers: Headers, asksFor: string | undefined]>([
    [{ 'x-forwarded-for': '8.8.8.8' }, '8.8.8.8'],
    [{ 'x-forwarded-for': '10.9.9.9' }, undefined],
    [{ 'x-forwarded-for': '10.9.9.9, 10.8.8.8:80' }, undefined],
    [{ 'x-forwarded-for': '8.8.8.8, 10.8.8.8' }, '8.8.8.8'],
    [{ 'x-forwarded-for': ['10.8.8.8', '8.8.8.8'] }, '8.8.8.8'],
    [{ 'x-forwarded-for': '10.8.8.8, 192.0.2.9' }, undefined],
    [{ 'x-forwarded-for': 'unknown' }, 'somebody'],
    [{ 'x-real-ip': '8.8.8.8' }, '8.8.8.8'],
    [{ 'x-forwarded-for': '10.9.9.9', 'x-real-ip': '::ffff:8.8.8.8' }, '8.8.8.8'],
    [{ 'x-client-ip': '8.8.8.8' }, '8.8.8.8'],
    [{ 'cf-connecting-ip': '2001:db8::1' }, '2001:db8:0:0:0:0:0:1'],
    [{ 'true-client-ip': '8.8.8.8' }, '8.8.8.8'],
    [{ 'x-envoy-external-address': '8.8.8.8' }, '8.8.8.8'],
    [{ forwarded: 'for=10.9.9.9;proto=http, for="[2001:db8::1]:80"' }, '2001:db8:0:0:0:0:0:1'],
    [{ forwarded: 'proto=http;For=8.8.8.8' }, '8.8.8.8'],
    [{ forwarded: 'for=_hidden' }, 'somebody'],
    [{ forwarded: 'proto=https' }, undefined],
    [{ 'x-forwarded-proto': 'https', 'x-envoy-decorator-operation': '8.8.8.8', via: '1.1 8.8.8.8' }, undefined],
  ])('takes away what trust would give where it names somebody who is not trusted: %j', (headers, asksFor) => {
    const places = new Places({ trust: ['private'], trustedProxies: ['192.0.2.9'] });
    const place = places.placeOf('10.1.2.3', headers);
    expect([place.where, place.asksFor]).toEqual([asksFor === undefined ? 'trusted' : 'remote', asksFor]);
    // An address that a caller can choose is never the one that is told, or counted by.
    expect(place.address).toBe('10.1.2.3');
  });

  it.each(['host', 'user-agent', 'x-request-id', 'forwarder', 'viaduct', 'client-version', 'request-source'])(
    'is none of those that clients send: %s',
    (name) => expect(whereIs('127.0.0.1', { headers: { [name]: 'x' } })).toBe('loopback'),
  );

  const NAMED = { trust: ['10.9.0.0/16'], trustedProxies: ['10.0.0.5', '10.0.0.6', 'loopback'] };

  it.each<readonly [ip: string, headers: Headers, where: Where, address: string]>([
    ['10.0.0.5', { 'x-forwarded-for': '10.9.1.1' }, 'trusted', '10.9.1.1'],
    ['10.0.0.5', { 'x-forwarded-for': '::ffff:10.9.1.1' }, 'trusted', '10.9.1.1'],
    ['10.0.0.5', { 'x-forwarded-for': '10.9.1.1:5555' }, 'trusted', '10.9.1.1'],
    ['10.0.0.5', { 'x-forwarded-for': '[::1]:5555' }, 'remote', '10.0.0.5'],
    ['10.0.0.5', { 'x-forwarded-for': '10.9.1.1, 203.0.113.9' }, 'remote', '203.0.113.9'],
    ['10.0.0.5', { 'x-forwarded-for': '203.0.113.9, 10.9.1.1' }, 'trusted', '10.9.1.1'],
    ['10.0.0.5', { 'x-forwarded-for': '10.9.1.1, 10.0.0.6' }, 'trusted', '10.9.1.1'],
    ['10.0.0.5', { 'x-forwarded-for': '127.0.0.1, 203.0.113.9,10.0.0.6' }, 'remote', '203.0.113.9'],
    ['10.0.0.5', { 'x-forwarded-for': ['10.9.1.1', '203.0.113.9'] }, 'remote', '203.0.113.9'],
    // Nobody is on this machine by word of a header.
    ['10.0.0.5', { 'x-forwarded-for': '127.0.0.1' }, 'remote', '10.0.0.5'],
    ['10.0.0.5', { 'x-forwarded-for': '::1' }, 'remote', '10.0.0.5'],
    ['10.0.0.5', { 'x-forwarded-for': '10.0.0.6' }, 'remote', '10.0.0.5'],
    ['10.0.0.5', { 'x-forwarded-for': 'unknown' }, 'remote', '10.0.0.5'],
    ['10.0.0.5', { 'x-forwarded-for': '10.9.1.1, _hidden' }, 'remote', '10.0.0.5'],
    ['10.0.0.5', { 'x-forwarded-for': '' }, 'remote', '10.0.0.5'],
    ['10.0.0.5', { 'x-forwarded-for': '10.9.1.1', forwarded: 'for=10.9.1.1' }, 'remote', '10.0.0.5'],
    ['10.0.0.5', { forwarded: 'for=10.9.1.1' }, 'remote', '10.0.0.5'],
    ['10.0.0.5', { 'x-real-ip': '10.9.1.1' }, 'remote', '10.0.0.5'],
    ['127.0.0.1', { 'x-forwarded-for': '10.9.1.1' }, 'trusted', '10.9.1.1'],
    ['127.0.0.1', { 'x-forwarded-for': '127.0.0.1' }, 'remote', '127.0.0.1'],
    ['127.0.0.1', { via: '1.1 nginx' }, 'remote', '127.0.0.1'],
    // Whoever is no proxy of ours can say what he likes.
    ['10.9.1.1', { 'x-forwarded-for': '127.0.0.1' }, 'trusted', '10.9.1.1'],
    ['203.0.113.9', { 'x-forwarded-for': '10.9.1.1' }, 'remote', '203.0.113.9'],
    ['203.0.113.9', { 'x-forwarded-for': '127.0.0.1' }, 'remote', '203.0.113.9'],
  ])('from %s, %j, is believed of proxies that are named alone: %s', (ip, headers, where, address) => {
    const place = new Places(NAMED).placeOf(ip, headers);
    expect([place.where, place.address]).toEqual([where, address]);
  });

  it.each(['127.0.0.1', '::1', '::ffff:127.0.0.1'])('puts nobody on this machine: %s', (address) => {
    const headers = { 'x-forwarded-for': address };
    for (const trust of [[], ['private'], ['loopback'], ['127.0.0.1']])
      expect(whereIs('10.0.0.5', { trust, trustedProxies: ['10.0.0.5'], headers })).toBe('remote');
  });

  it('is not looked for without end', () => {
    const chain = Array.from({ length: 10_000 }, () => '10.0.0.6').join(',');
    expect(whereIs('10.0.0.5', { ...NAMED, headers: { 'x-forwarded-for': `10.9.1.1,${chain}` } })).toBe('remote');
  });
});

describe('what is said of trust', () => {
  it.each([
    'loopback',
    'private',
    'link-local',
    '10.0.0.0/8',
    '10.1.2.3',
    '::1',
    'fc00::/7',
    '2001:db8::/32',
    '::ffff:10.0.0.0/104',
  ])('%s can be in force', (part) => {
    expect(trustFaults([part])).toEqual([]);
    expect(() => whereIs('10.0.0.1', { trust: [part] })).not.toThrow();
  });

  it.each([
    '0.0.0.0/0',
    '0.0.0.0/1',
    '128.0.0.0/1',
    '10.0.0.0/7',
    '::/0',
    '::/1',
    '8000::/1',
    '2000::/3',
    '::/80',
    '::ffff:0:0/96',
  ])('%s is as good as everybody, and so it is not taken', (part) =>
    expect(trustFaults([part])).toEqual([expect.stringContaining('--open-writes')]),
  );

  it.each([
    '',
    'all',
    'any',
    '*',
    'Private',
    'host.example',
    '10.0.0.0/33',
    '::1/129',
    '10.0.0',
    '10.0.0.0/',
    '10.0.0.0/8/8',
    '[::1]',
    'fe80::1%eth0',
    ' 10.0.0.1',
  ])('"%s" is none', (part) => expect(trustFaults([part])).toEqual([expect.stringContaining('must be an address')]));
});
