import { BlockList, isIPv4, isIPv6 } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AddressSet, addressBytes, addressText, originOf } from '../../src/wire/addresses.ts';
import { randomRuns } from '../support/random.ts';

describe('an address', () => {
  it.each<readonly [text: string, canonical: string | undefined]>([
    ['127.0.0.1', '127.0.0.1'],
    ['255.255.255.255', '255.255.255.255'],
    ['::ffff:127.0.0.1', '127.0.0.1'],
    ['::FFFF:7F00:1', '127.0.0.1'],
    ['0:0:0:0:0:ffff:127.0.0.1', '127.0.0.1'],
    ['::', '0:0:0:0:0:0:0:0'],
    ['::1', '0:0:0:0:0:0:0:1'],
    ['[::1]', '0:0:0:0:0:0:0:1'],
    ['1::', '1:0:0:0:0:0:0:0'],
    ['::127.0.0.1', '0:0:0:0:0:0:7f00:1'],
    ['::ffff:0:127.0.0.1', '0:0:0:0:ffff:0:7f00:1'],
    ['64:ff9b::169.254.169.254', '64:ff9b:0:0:0:0:a9fe:a9fe'],
    ['2001:DB8:0:0:8::1', '2001:db8:0:0:8:0:0:1'],
    ['fe80::1%eth0', 'fe80:0:0:0:0:0:0:1'],
    ['[127.0.0.1]', undefined],
    ['0177.0.0.1', undefined],
    ['0x7f.0.0.1', undefined],
    ['2130706433', undefined],
    ['127.1', undefined],
    ['127.0.0.01', undefined],
    ['127.0.0.1.', undefined],
    ['127.0.0.256', undefined],
    [' 127.0.0.1', undefined],
    ['127.0.0.1%eth0', undefined],
    ['１２７.0.0.1', undefined],
    ['1:2:3:4:5:6:7', undefined],
    ['1::2::3', undefined],
    ['[::1', undefined],
    ['[[::1]]', undefined],
    [':::', undefined],
    ['localhost', undefined],
    ['', undefined],
  ])('"%s" is %s', (text, canonical) => {
    const bytes = addressBytes(text);
    expect(bytes && addressText(bytes)).toBe(canonical);
  });

  const { parameters, title, timeoutMs } = randomRuns(1_000);
  it(`written out is read as the same ${title}`, { timeout: timeoutMs }, () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (text) => {
        const bytes = addressBytes(text) ?? new Uint8Array();
        const again = addressText(bytes);
        expect(isIPv4(again) || isIPv6(again)).toBe(true);
        expect(addressBytes(again)).toEqual(bytes);
      }),
      parameters,
    );
  });
});

describe('a set of addresses', () => {
  const has = (set: string, address: string) => AddressSet.parse(set)?.has(addressBytes(address) ?? new Uint8Array());

  it.each<readonly [set: string, address: string, isIn: boolean | undefined]>([
    ['', '127.0.0.1', false],
    ['loopback', '127.9.9.9', true],
    ['loopback', '::1', true],
    ['loopback', '::ffff:127.0.0.1', true],
    ['loopback', '::2', false],
    ['loopback', '::127.0.0.1', false],
    ['private', '10.0.0.1', true],
    ['private', '172.31.255.255', true],
    ['private', '172.32.0.0', false],
    ['private', '100.64.0.1', true],
    ['private', 'fd00::1', true],
    ['link-local', '169.254.1.1', true],
    ['link-local', 'febf::1', true],
    ['link-local', 'fec0::1', false],
    ['10.1.2.3', '10.1.2.3', true],
    ['10.1.2.3', '10.1.2.4', false],
    ['10.1.2.3/31', '10.1.2.2', true],
    ['0.0.0.0/0', '8.8.8.8', true],
    ['0.0.0.0/0', '2001:db8::1', false],
    ['::/0', '8.8.8.8', true],
    ['::ffff:10.0.0.0/104', '10.9.9.9', true],
    ['10.0.0.0/8, loopback', '::1', true],
    ['10.0.0.0/33', '10.0.0.1', undefined],
    ['::1/129', '::1', undefined],
    ['fe80::1%eth0', 'fe80::1', undefined],
    ['10.0.0.0/', '10.0.0.1', undefined],
    ['10.0.0', '10.0.0.0', undefined],
    ['public', '8.8.8.8', undefined],
    ['localhost', '127.0.0.1', undefined],
  ])('"%s" has %s: %s', (set, address, isIn) => {
    expect(has(set, address)).toBe(isIn);
  });

  it('shows what is none of its parts', () => {
    expect(() => new AddressSet(['10.0.0.0/8', 'nowhere'])).toThrow(
      new RangeError('not an address, a CIDR or one of loopback, private, link-local: nowhere'),
    );
  });

  const { parameters, title, timeoutMs } = randomRuns(2_000);
  // Near one another, so that prefixes matter.
  const v4 = fc.tuple(...Array.from({ length: 4 }, () => fc.constantFrom(0, 1, 127, 128, 255))).map((bytes) => bytes.join('.'));
  const v6 = fc
    .tuple(...Array.from({ length: 8 }, () => fc.constantFrom('1', '8000', 'fffe', 'ffff')))
    .map((groups) => groups.join(':'));
  it(`has what node:net's BlockList has ${title}`, { timeout: timeoutMs }, () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.record({ kind: fc.constant('ipv4' as const), network: v4, bits: fc.nat(32), address: v4 }),
          fc.record({ kind: fc.constant('ipv6' as const), network: v6, bits: fc.nat(128), address: v6 }),
        ),
        ({ kind, network, bits, address }) => {
          const list = new BlockList();
          list.addSubnet(network, bits, kind);
          expect(has(`${network}/${bits}`, address)).toBe(list.check(address, kind));
        },
      ),
      parameters,
    );
  });
});

describe('the origin of', () => {
  it.each([
    ['10.1.2.3', '10.1.2.3'],
    ['::ffff:10.1.2.3', '10.1.2.3'],
    ['::FFFF:0a01:0203', '10.1.2.3'],
    ['0:0:0:0:0:ffff:a01:203', '10.1.2.3'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8:1:2::', '2001:db8:1:2::/64'],
    ['2001:0DB8:1:2::6', '2001:db8:1:2::/64'],
    ['2001:db8::6', '2001:db8:0:0::/64'],
    ['2001:db8::2:3:4:5:6', '2001:db8:0:2::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['::1', '::1'],
    ['0:0:0:0:0:0:0:1', '::1'],
    ['127.0.0.2', '127.0.0.2'],
    ['::2', '0:0:0:0::/64'],
    ['', ''],
    ['a:b', 'a:b'],
  ])('%j is %j, and its own', (address, origin) => {
    expect(originOf(address)).toBe(origin);
    expect(originOf(origin)).toBe(origin);
  });

  const { parameters, title, timeoutMs } = randomRuns(2_000);
  it(`any two of IPv6 is the same where their first 64 bits are ${title}`, { timeout: timeoutMs }, () => {
    const near = fc.tuple(...Array.from({ length: 8 }, () => fc.constantFrom(0, 0, 1, 0xffff)));
    // As the system writes it, where there are groups of 0.
    const written = (groups: readonly number[]) => new URL(`http://[${groups.map((g) => g.toString(16)).join(':')}]`).hostname;
    const isPlain = (groups: readonly number[]) => groups.slice(0, 4).some((group) => group !== 0);
    fc.assert(
      fc.property(near.filter(isPlain), near.filter(isPlain), (one, other) => {
        const [a, b] = [written(one).slice(1, -1), written(other).slice(1, -1)];
        expect(originOf(a) === originOf(b)).toBe(one.slice(0, 4).join() === other.slice(0, 4).join());
        expect(originOf(addressText(addressBytes(a) ?? new Uint8Array(16)))).toBe(originOf(a));
      }),
      parameters,
    );
  });
});
