import { describe, expect, it } from 'vitest';
import { credentialsIn, payloadHeaders } from '../../src/access/carriers.ts';
import type { Headers } from '../../src/wire/browser.ts';

type Params = readonly (readonly [string, string])[];

const basic = (text: string, encoding: BufferEncoding = 'base64') => `Basic ${Buffer.from(text).toString(encoding)}`;

describe('who somebody says to be', () => {
  it.each<readonly [params: Params, headers: Headers, token: string | undefined, pair: string | undefined]>([
    [[], {}, undefined, undefined],
    // Java 1, Go 1, PHP
    [[['accessToken', 't1']], {}, 't1', undefined],
    [[['ACCESSTOKEN', 't1']], {}, 't1', undefined],
    [[], { accesstoken: 't1' }, 't1', undefined],
    [[], { authorization: 'Bearer t1' }, 't1', undefined],
    [[], { authorization: 'bearer t1' }, 't1', undefined],
    [[], { authorization: 'BEARER   t1 ' }, 't1', undefined],
    // npm, Python before 3
    [
      [
        ['username', 'ann'],
        ['password', 'p w'],
      ],
      {},
      undefined,
      'ann/p w',
    ],
    [[], { username: 'ann', password: 'pw' }, undefined, 'ann/pw'],
    // curl -u, probes
    [[], { authorization: basic('ann:p:w') }, undefined, 'ann/p:w'],
    [[], { authorization: basic('ann:') }, undefined, 'ann/'],
    [[], { authorization: basic('ann:grün') }, undefined, 'ann/grün'],
    [[], { username: 'ann', password: 'grün' }, undefined, 'ann/grün'],
    // The same said twice is said once.
    [[['accessToken', 't1']], { accesstoken: 't1', authorization: 'Bearer t1' }, 't1', undefined],
    [
      [
        ['username', 'ann'],
        ['password', 'pw'],
      ],
      { authorization: basic('ann:pw') },
      undefined,
      'ann/pw',
    ],
    [
      [
        ['username', 'ann'],
        ['password', 'pw'],
      ],
      { accesstoken: 't1' },
      't1',
      'ann/pw',
    ],
    // As good as nothing.
    [[['accessToken', '']], {}, undefined, undefined],
    [[['username', 'ann']], {}, undefined, undefined],
    [[['password', 'pw']], {}, undefined, undefined],
    [
      [
        ['username', ''],
        ['password', ''],
      ],
      {},
      undefined,
      undefined,
    ],
    [[], { authorization: 't1' }, undefined, undefined],
    [[], { authorization: 'Bearer' }, undefined, undefined],
    [[], { authorization: 'Bearert1' }, undefined, undefined],
    [[], { authorization: 'Bearer t1 t2' }, undefined, undefined],
    [[], { authorization: 'Digest username=ann' }, undefined, undefined],
    [[], { authorization: basic('ann') }, undefined, undefined],
    [[], { authorization: basic(':pw') }, undefined, undefined],
    [[], { authorization: 'Basic !' }, undefined, undefined],
    [[], { serveridentity: 'security', nacos: 'nacos', 'user-agent': 'Nacos-Server' }, undefined, undefined],
  ])('in %j and %j', (params, headers, token, pair) => {
    const found = credentialsIn({ params, headers });
    if (found === 'disagree') throw new Error(found);
    expect([found.token, found.pair && `${found.pair.name}/${found.pair.password}`]).toEqual([token, pair]);
  });

  it.each<readonly [params: Params, headers: Headers]>([
    [
      [
        ['accessToken', 't1'],
        ['accessToken', 't2'],
      ],
      {},
    ],
    [
      [
        ['accessToken', 't1'],
        ['AccessToken', 't2'],
      ],
      {},
    ],
    [[['accessToken', 't1']], { accesstoken: 't2' }],
    [[['accessToken', 't1']], { authorization: 'Bearer t2' }],
    [[], { accesstoken: 't1', authorization: 'Bearer t2' }],
    [[], { authorization: ['Bearer t1', 'Bearer t2'] }],
    [
      [
        ['username', 'ann'],
        ['password', 'pw'],
        ['username', 'bob'],
      ],
      {},
    ],
    [
      [
        ['username', 'ann'],
        ['password', 'pw'],
        ['password', 'pw2'],
      ],
      {},
    ],
    [
      [
        ['username', 'ann'],
        ['password', 'pw'],
      ],
      { username: 'bob', password: 'pw' },
    ],
    [
      [
        ['username', 'ann'],
        ['password', 'pw'],
      ],
      { authorization: basic('ann:pw2') },
    ],
    [[], { username: 'ann', password: 'pw', authorization: basic('bob:pw') }],
  ])('twice and not the same is never resolved: %j and %j', (params, headers) =>
    expect(credentialsIn({ params, headers })).toBe('disagree'),
  );

  it('is not taken from a call about another user, but for a token and Basic', () => {
    const params: Params = [
      ['username', 'new'],
      ['password', 'pw'],
    ];
    expect(credentialsIn({ params, headers: { username: 'x', password: 'y' } }, true)).toEqual({
      token: undefined,
      pair: undefined,
      isSigned: false,
    });
    expect(credentialsIn({ params, headers: { authorization: basic('ann:pw') } }, true)).toMatchObject({ pair: { name: 'ann' } });
    expect(credentialsIn({ params: [...params, ['accessToken', 't1']], headers: {} }, true)).toMatchObject({ token: 't1' });
  });

  it.each<readonly [params: Params, headers: Headers]>([
    [[['ak', 'x']], {}],
    [[], { ak: 'x', data: 'y', signature: 'z' }],
    [[], { 'spas-accesskey': 'x' }],
    [[['Spas-Signature', 'x']], {}],
  ])('%j and %j is a signature that nobody looks at', (params, headers) =>
    expect(credentialsIn({ params, headers })).toMatchObject({ isSigned: true, token: undefined, pair: undefined }),
  );
});

describe('headers of a payload', () => {
  it('are read as clients write them', () => {
    const headers = payloadHeaders({ accessToken: 't1', app: 'unknown', 'Client-RequestTS': '1', Authorization: 'Bearer t1' });
    expect(credentialsIn({ params: [], headers })).toMatchObject({ token: 't1' });
  });

  it('that say two things do not agree', () => {
    expect(credentialsIn({ params: [], headers: payloadHeaders({ accessToken: 't1', AccessToken: 't2' }) })).toBe('disagree');
  });

  it('may be called like what every object has', () => {
    const headers = payloadHeaders(Object.fromEntries([['__proto__', 'x'] as const, ['constructor', 'y'] as const]));
    expect(credentialsIn({ params: [], headers })).toEqual({ token: undefined, pair: undefined, isSigned: false });
  });
});
