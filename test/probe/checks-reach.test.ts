import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { createServer, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CheckKind } from '../../src/registry/checks.ts';
import { AddressSet } from '../../src/wire/addresses.ts';
import { failOnLeaks } from '../support/leaks.ts';
import { answering, listening, loopbackChecks, outcomeOf, patience, target } from './peers.ts';

failOnLeaks();

const TCP = { type: 'tcp' } as const;
const KINDS: readonly CheckKind[] = [
  TCP,
  { type: 'http', path: '/', headers: '', expectedResponseCode: 200, tls: false, verify: true },
  { type: 'http', path: '/', headers: '', expectedResponseCode: 200, tls: true, verify: false },
  { type: 'mysql', user: 'a', password: 'b', command: 'select 1' },
  { type: 'grpc', service: '', tls: false, verify: true },
];
const NOTHING = new AddressSet([]);
const EVERYTHING = new AddressSet(['0.0.0.0/0', '::/0']);

/** Every socket of this process that sets out to connect, by whatever library. */
let sockets: Socket[];
const onSocket = (message: unknown) => {
  // What this channel carries.
  sockets.push((message as { socket: Socket }).socket);
};
beforeEach(() => {
  sockets = [];
  subscribe('net.client.socket', onSocket);
});
afterEach(() => {
  unsubscribe('net.client.socket', onSocket);
});

it('what is watched here sees the sockets of every kind of check', async () => {
  await using peer = await listening(createServer((socket) => socket.destroy()));
  await using checks = loopbackChecks();
  for (const check of KINDS) await outcomeOf(checks.check(target(peer.port, check), patience()));
  expect(sockets).toHaveLength(KINDS.length);
});

/** By what each is. In each row the first is the plain form, where there is one. */
const REFUSED: Readonly<Record<string, readonly string[]>> = {
  loopback: [
    '127.0.0.1',
    '127.255.255.254',
    '::1',
    '[::1]',
    '::ffff:127.0.0.1',
    '::ffff:7f00:1',
    '::127.0.0.1',
    '64:ff9b::127.0.0.1',
  ],
  'link-local': ['169.254.1.1', 'fe80::1', 'febf::1', '[fe80::1]', '::ffff:169.254.1.1', '2002:a9fe:101::', '2002:a9fe:101::1'],
  'the metadata service of most': [
    ...['169.254.169.254', '::ffff:169.254.169.254', '::ffff:a9fe:a9fe', '[::ffff:a9fe:a9fe]', '::169.254.169.254'],
    ...['64:ff9b::a9fe:a9fe', '64:ff9b::169.254.169.254', '64:ff9b:1::a9fe:a9fe', '64:ff9b:1:a9fe:a9:fe00::'],
    ...['2002:a9fe:a9fe::1', '2001:0:a9fe:a9fe::1', '2001:0:808:808:0:0:5601:5601', '::ffff:0:a9fe:a9fe'],
    ...['2001:db8::5efe:a9fe:a9fe', '2001:db8::200:5efe:169.254.169.254'],
  ],
  'that of Alibaba': ['100.100.100.200', '::ffff:100.100.100.200', '64:ff9b::100.100.100.200', '2002:6464:64c8::'],
  'that of Azure': ['168.63.129.16', '::ffff:168.63.129.16', '64:ff9b::168.63.129.16'],
  'that of Oracle': ['192.0.0.192', '::ffff:192.0.0.192', 'fd00:c1::a9fe:a9fe'],
  'those with IPv6 alone': ['fd00:ec2::254', 'fd00:ec2::23', 'fd20:ce::254', 'fd00:42::42', 'fd00:a9fe:a9fe::1'],
  reserved: ['240.0.0.1', '255.255.255.255', '::ffff:255.255.255.255', '64:ff9b::240.0.0.1'],
};
const NEVER: Readonly<Record<string, readonly string[]>> = {
  unspecified: ['0.0.0.0', '0.1.2.3', '::', '[::]', '::ffff:0.0.0.0', '::ffff:0:0', '::0.0.0.2', '64:ff9b::', '2002::1'],
  multicast: [
    '224.0.0.1',
    '239.255.255.255',
    'ff02::1',
    '[ff05::2]',
    '::ffff:224.0.0.1',
    '::224.0.0.1',
    '64:ff9b::e000:1',
    '2002:e000:1::',
  ],
};

describe.each(Object.entries({ ...REFUSED, ...NEVER }))('%s is not dialled', (_what, addresses) => {
  it.each(addresses)('%s', async (ip) => {
    await using checks = loopbackChecks({ allow: NOTHING, resolveNames: true });
    for (const check of KINDS)
      expect(await outcomeOf(checks.check(target(80, check, ip), patience()))).toBe('address not allowed, impossible');
    expect(sockets).toEqual([]);
  });
});

describe.each(Object.entries(NEVER))('%s is not dialled, whatever is allowed', (_what, addresses) => {
  it.each(addresses)('%s', async (ip) => {
    await using checks = loopbackChecks({ allow: EVERYTHING });
    expect(await outcomeOf(checks.check(target(80, TCP, ip), patience()))).toBe('address not allowed, impossible');
    expect(sockets).toEqual([]);
  });
});

it('what is allowed is what is named, and not what leads there', async () => {
  await using checks = loopbackChecks();
  for (const ip of ['::127.0.0.1', '64:ff9b::127.0.0.1', '2002:7f00:1::1', '169.254.169.254'])
    expect(await outcomeOf(checks.check(target(80, TCP, ip), patience()))).toBe('address not allowed, impossible');
  expect(sockets).toEqual([]);
});

/** None of these is an address as we know it; some would be for a resolver. */
const ODD = [
  '0177.0.0.1',
  '0x7f.0.0.1',
  '2130706433',
  '127.1',
  '127.0.0.1.',
  '127.0.0.01',
  '::1%lo',
  'fe80::1%1',
  '[127.0.0.1]',
  '',
  ' 127.0.0.1',
  '127.0.0.1 ',
  '127.0.0.1\0',
  '[::1',
  '１２７.0.0.1',
  'localhost',
  'localhost.',
  '127.0.0.1:80',
  'user@127.0.0.1',
];

describe('what is not written as an address', () => {
  it.each(ODD)('"%s" is not dialled without names', async (ip) => {
    await using checks = loopbackChecks({ allow: EVERYTHING });
    expect(await outcomeOf(checks.check(target(80, TCP, ip), patience()))).toBe('host names are not resolved, impossible');
    expect(sockets).toEqual([]);
  });

  it.each(ODD)('"%s" is not dialled with them, unless what it means is allowed', async (ip) => {
    await using checks = loopbackChecks({ allow: NOTHING, resolveNames: true });
    // Which of them means anything differs from one resolver to another.
    expect([
      'address not allowed, impossible',
      'host name not found, impossible',
      'host name not found, counted',
      'host name not found, unheard',
    ]).toContain(await outcomeOf(checks.check(target(80, TCP, ip), patience())));
    expect(sockets).toEqual([]);
  });

  it('a metadata service in one number is not dialled', async () => {
    await using checks = loopbackChecks({ resolveNames: true });
    for (const ip of ['2852039166', '0xa9fea9fe', '0251.0376.0251.0376'])
      expect(await outcomeOf(checks.check(target(80, TCP, ip), patience()))).toMatch(/, (impossible|counted)$/);
    expect(sockets).toEqual([]);
  });
});

describe('a host name', () => {
  const resolving = (...addresses: string[]) => ({
    resolveNames: true,
    lookup: async () => addresses.map((address) => ({ address })),
  });

  it('is dialled at the first address that is allowed, and at no other', async () => {
    await using peer = await listening(createServer());
    await using checks = loopbackChecks(resolving('169.254.169.254', 'fe80::1%1', '127.0.0.1', '127.0.0.2'));
    expect(await outcomeOf(checks.check(target(peer.port, TCP, 'orders.example'), patience()))).toBe('passes');
    expect(sockets).toHaveLength(1);
    expect(peer.connections).toBe(1);
  });

  it.each([
    ['a metadata service', ['169.254.169.254']],
    ['that in a mapped form', ['::ffff:169.254.169.254']],
    ['everybody', ['0.0.0.0', '224.0.0.1', '::']],
    ['an address with a zone', ['fe80::1%1']],
    ['nothing', []],
    ['what is no address', ['orders.example']],
  ])('that resolves to %s is not dialled', async (_what, addresses) => {
    await using checks = loopbackChecks(resolving(...addresses));
    for (const check of KINDS)
      expect(await outcomeOf(checks.check(target(80, check, 'orders.example'), patience()))).toBe(
        'address not allowed, impossible',
      );
    expect(sockets).toEqual([]);
  });

  it('that resolves to another address each time is dialled at the one that was judged', async () => {
    await using peer = await listening(createServer());
    let asked = 0;
    await using checks = loopbackChecks({
      resolveNames: true,
      lookup: async () => [{ address: asked++ === 0 ? '127.0.0.1' : '169.254.169.254' }],
    });
    expect(await outcomeOf(checks.check(target(peer.port, TCP, 'orders.example'), patience()))).toBe('passes');
    expect([asked, sockets.length]).toEqual([1, 1]);
    expect(await outcomeOf(checks.check(target(peer.port, TCP, 'orders.example'), patience()))).toBe(
      'address not allowed, impossible',
    );
    expect([asked, sockets.length]).toEqual([2, 1]);
  });

  it.each([
    ['ENOTFOUND', 'host name not found, counted'],
    ['EAI_AGAIN', 'host name not found, unheard'],
  ])('that is not found by %s', async (code, outcome) => {
    await using checks = loopbackChecks({
      resolveNames: true,
      lookup: () => Promise.reject(Object.assign(new Error('orders.example'), { code })),
    });
    expect(await outcomeOf(checks.check(target(80, TCP, 'orders.example'), patience()))).toBe(outcome);
  });

  it('is waited for until the signal aborts, and two at a time are looked up', async () => {
    const asked: string[] = [];
    await using checks = loopbackChecks({
      resolveNames: true,
      lookup: (name) => {
        asked.push(name);
        return new Promise(() => {});
      },
    });
    const patienceEnds = new AbortController();
    const outcomes = ['a', 'b', 'c', 'd'].map((name) => outcomeOf(checks.check(target(80, TCP, name), patienceEnds.signal)));
    patienceEnds.abort();
    // Nobody has said anything of these names, which no instance is to fall by.
    expect(new Set(await Promise.all(outcomes))).toEqual(new Set(['host name not found, unheard']));
    expect(asked).toEqual(['a', 'b']);
  });

  it('is looked up when another has been', async () => {
    const ends: (() => void)[] = [];
    const asked: string[] = [];
    await using checks = loopbackChecks({
      resolveNames: true,
      lookup: (name) => {
        asked.push(name);
        return new Promise((resolve) => ends.push(() => resolve([])));
      },
    });
    const outcomes = ['a', 'b', 'c'].map((name) => outcomeOf(checks.check(target(80, TCP, name), patience())));
    // A turn of the event loop, in which whoever can begin has begun.
    await new Promise((resolve) => setImmediate(resolve));
    expect(asked).toEqual(['a', 'b']);
    ends[0]?.();
    await outcomes[0];
    expect(asked).toEqual(['a', 'b', 'c']);
    for (const end of ends) end();
    expect(new Set(await Promise.all(outcomes))).toEqual(new Set(['address not allowed, impossible']));
  });
});

it.each(['http://169.254.169.254/latest/', 'http://127.0.0.2/', '//[::ffff:a9fe:a9fe]/'])(
  'a redirect to %s is not followed',
  async (location) => {
    await using peer = await answering((socket) =>
      socket.end(`HTTP/1.1 302 Found\r\nLocation: ${location}\r\nRefresh: 0;url=${location}\r\n\r\n`),
    );
    await using checks = loopbackChecks({ allow: EVERYTHING });
    const check = { type: 'http', path: '/', headers: '', expectedResponseCode: 200, tls: false, verify: true } as const;
    expect(await outcomeOf(checks.check(target(peer.port, check), patience()))).toBe('redirected, slow');
    expect(sockets).toHaveLength(1);
  },
);

it('two hundred checks of every kind leave nothing behind', async () => {
  await using quiet = await listening(createServer((socket) => socket.resume()));
  await using rude = await listening(createServer((socket) => socket.destroy()));
  await using checks = loopbackChecks();
  const warnings: Error[] = [];
  const onWarning = (warning: Error) => warnings.push(warning);
  process.on('warning', onWarning);
  const before = process.getActiveResourcesInfo().filter((name) => name !== 'Immediate').length;
  const signals: AbortController[] = [];
  const outcomes = Array.from({ length: 200 }, (_, i) => {
    const check = KINDS[i % KINDS.length] ?? TCP;
    const patienceEnds = new AbortController();
    signals.push(patienceEnds);
    return outcomeOf(checks.check(target((i % 2 === 0 ? quiet : rude).port, check), patienceEnds.signal));
  });
  await Promise.all(outcomes.filter((_, i) => i % 2 === 1));
  for (const patienceEnds of signals) patienceEnds.abort();
  await Promise.all(outcomes);
  expect(sockets).toHaveLength(200);
  await Promise.all(sockets.map((socket) => socket.closed || new Promise((resolve) => socket.once('close', resolve))));
  expect(sockets.every((socket) => socket.destroyed)).toBe(true);
  // The other ends go a turn of the event loop later.
  await expect
    .poll(() => process.getActiveResourcesInfo().filter((name) => name !== 'Immediate').length)
    .toBeLessThanOrEqual(before + 1);
  process.off('warning', onWarning);
  expect(warnings).toEqual([]);
});
