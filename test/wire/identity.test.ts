import { describe, expect, it } from 'vitest';
import { certificatesIn, haveTls13, identityFaults, trustsLess, unknownCiphers } from '../../src/wire/identity.ts';
import { Authority } from '../support/certificates.ts';

const authority = new Authority();
const other = new Authority('another authority');
const below = new Authority('an authority below', authority);
const good = authority.issueForServer();
const next = authority.issueForServer();
const broken = good.cert.replace(/\n[^-]/, '\n*');

describe('an identity', () => {
  it.each([
    ['a pair', good],
    ['a pair in bytes', { cert: Buffer.from(good.cert), key: Buffer.from(good.key) }],
    ['a pair with its chain', { ...good, cert: good.cert + authority.cert }],
    ['a pair that has ended', authority.issueForServer({ until: new Date('2021-01-01T00:00:00Z') })],
    [
      'a pair, and those who vouch for clients',
      { ...good, clientCa: `Comments may stand before.\n${authority.cert}${other.cert}` },
    ],
    ['a pair, and those who vouch for clients, whom others there vouch for', { ...good, clientCa: below.cert + authority.cert }],
  ])('of %s can be used', (_, identity) => {
    expect(identityFaults(identity)).toEqual([]);
  });

  it.each([
    ['a certificate and the key of another', { cert: next.cert, key: good.key }, 'pair', /key values mismatch/],
    ['a key in place of the certificate', { cert: good.key, key: good.key }, 'cert', /^no certificate in it$/],
    ['a text that is neither', { cert: good.cert, key: 'x' }, 'key', /^no key in it$/],
    ['half a certificate', { ...good, cert: good.cert.slice(0, 300) }, 'cert', /./],
    ['half a key', { ...good, key: good.key.slice(0, 60) }, 'key', /./],
    ['an empty certificate', { ...good, cert: '' }, 'cert', /^no certificate in it$/],
    ['an empty key', { ...good, key: '' }, 'key', /^no key in it$/],
    ['a chain with something else in it', { ...good, cert: good.cert + broken }, 'cert', /./],
  ])('of %s cannot, and says of what, and why', (_, identity, part, reason) => {
    expect(identityFaults(identity)).toEqual([{ part, reason: expect.stringMatching(reason) }]);
  });

  // With each of these Node makes a context, which trusts nobody, or all whom Node trusts.
  it.each([
    ['nothing', '', /^no certificate in it$/],
    ['no PEM', 'x', /^no certificate in it$/],
    ['a key', good.key, /^no certificate in it$/],
    ['half a certificate', authority.cert.slice(0, 300), /./],
    [
      'one whom somebody vouches for who is not there',
      other.cert + below.cert,
      /^who vouches for CN=an authority below is not in it$/,
    ],
    ['a good one, and one that is none', authority.cert + broken, /./],
  ])('whose clients are vouched for by %s cannot', (_, clientCa, reason) => {
    expect(identityFaults({ ...good, clientCa })).toEqual([{ part: 'clientCa', reason: expect.stringMatching(reason) }]);
  });

  it('says all that is wrong with it', () => {
    expect(identityFaults({ cert: '', key: good.key, clientCa: '' }).map(({ part }) => part)).toEqual(['cert', 'clientCa']);
  });
});

it('certificates in a text are told in their order', () => {
  const subjects = certificatesIn(`${other.cert}\n-\n${authority.cert}`).map(({ subject }) => subject);
  expect(subjects).toEqual(['CN=another authority', 'CN=an authority of the tests']);
});

it.each([
  ['the same', authority.cert, authority.cert, false],
  ['one more', authority.cert, other.cert + authority.cert, false],
  ['in another order', authority.cert + other.cert, other.cert + authority.cert, false],
  ['one less', authority.cert + other.cert, authority.cert, true],
  ['another one', authority.cert, other.cert, true],
])('whether somebody vouches no more: %s', (_, before, after, isLess) => {
  expect(trustsLess({ ...good, clientCa: before }, { ...next, clientCa: after })).toBe(isLess);
});

it.each([
  ['', []],
  ['ECDHE-RSA-AES128-GCM-SHA256:TLS_AES_128_GCM_SHA256', []],
  ['ecdhe-rsa-aes128-gcm-sha256', []],
  // OpenSSL takes the list for the good one in it, and says nothing.
  ['ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES129-GCM-SHA256:rot13', ['ECDHE-RSA-AES129-GCM-SHA256', 'rot13']],
  ['HIGH', ['HIGH']],
  [
    'PSK-AES128-CBC-SHA:ECDHE-PSK-AES128-CBC-SHA:SRP-AES-128-CBC-SHA',
    ['PSK-AES128-CBC-SHA', 'ECDHE-PSK-AES128-CBC-SHA', 'SRP-AES-128-CBC-SHA'],
  ],
])('of the ciphers %j these are not known: %j', (ciphers, unknown) => {
  expect(unknownCiphers(ciphers)).toEqual(unknown);
});

it.each([
  ['', true],
  ['ECDHE-RSA-AES128-GCM-SHA256', false],
  ['ECDHE-RSA-AES128-GCM-SHA256:tls_aes_128_gcm_sha256', true],
])('whether TLS 1.3 can be spoken with the ciphers %j: %s', (ciphers, can) => {
  expect(haveTls13(ciphers)).toBe(can);
});
