import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Asked } from '../../src/access/access.ts';
import { payloadHeaders } from '../../src/access/carriers.ts';
import { accessFaults, startNotice } from '../../src/access/create-access.ts';
import {
  type Admission,
  NEEDS,
  type Need,
  type Permit,
  refusalBody,
  refusalHeaders,
  type Scope,
} from '../../src/rights/admission.ts';
import { randomRuns } from '../support/random.ts';
import { accessRoom, asked, PASSWORD, SECRET, SETTINGS } from './room.ts';

const ORDERS: Scope = { namespace: 'dev', group: 'G1', kind: 'naming', name: 'orders' };

const DISAGREES =
  'user not found! This request says twice who sends it, and not the same; send one token, or one name and password';

/** A room with users, whose tokens are had by name. */
async function roomWithUsers(settings: Parameters<typeof accessRoom>[0] = {}) {
  const room = accessRoom({ auth: true, ...settings });
  const tokens = new Map<string, string>();
  for (const [name, ...roles] of [
    ['reader', 'reader'],
    ['writer', 'writer'],
    ['admin', 'admin'],
    ['ann', 'writer@dev:G1'],
    ['dev-admin', 'admin@dev'],
    ['nothing'],
  ] as const) {
    await room.addUser(name, PASSWORD, ...roles);
    const given = await room.access.login(asked(), { name, password: PASSWORD });
    if (given.isRefusal) throw new Error(given.text);
    tokens.set(name, given.accessToken);
  }
  const as = (name: string, more: Parameters<typeof asked>[0] = {}): Asked =>
    asked({ ...more, params: { ...more.params, accessToken: tokens.get(name) ?? '' } });
  return { ...room, as, tokens };
}

function textOf(admission: Admission | undefined): string {
  return admission?.isRefusal === true ? admission.text : '-';
}

/** A certificate that has not ended. */
function shown(name: string, validUntil = Number.POSITIVE_INFINITY) {
  return { name, validUntil };
}

function permitIn(admission: Admission): Permit {
  if (admission.isRefusal) throw new Error(admission.text);
  return admission;
}

describe('by the head alone', () => {
  it('whoever may not, whatever comes, is refused, and told of as any other', () => {
    using room = accessRoom();
    expect(textOf(room.access.refusalByHead('write', asked(), true))).toMatch(/^not trusted: 10\.2\.3\.4 may not write here/);
    expect(room.told).toMatchObject([{ what: 'refused', reason: 'not-trusted' }]);
    expect(room.access.refusalByHead('read', asked(), true)).toBe(undefined);
    expect(room.access.refusalByHead('write', asked({ ip: '127.0.0.1' }), true)).toBe(undefined);
    expect(textOf(room.access.refusalByHead(undefined, asked({ ip: '127.0.0.1' }), true))).toContain('Nobody may');
  });

  it('what a body could mend is not refused', async () => {
    const room = await roomWithUsers();
    const by = (need: Need, one: Asked, mayBringLogin = true) => textOf(room.access.refusalByHead(need, one, mayBringLogin));
    expect(by('write', asked())).toBe('-');
    expect(by('write', asked(), false)).toMatch(/^user not found! Log in/);
    expect(by('write', asked({ params: { username: 'writer', password: 'wrong' } }), false)).toBe('-');
    expect(by('login', asked(), false)).toBe('-');
    expect(by('first-admin', asked(), false)).toContain('the first admin is made on the machine');
    expect(by('write', room.as('writer'))).toBe('-');
    expect(by('write', room.as('ann'))).toBe('-');
    expect(by('write', room.as('ann', { isScoped: false }))).toContain('user ann may not write all there is');
    expect(by('write', room.as('reader'))).toContain('user reader may not write');
    expect(by('admin', room.as('writer'))).toContain('user writer may not administer');
    expect(by('write', asked({ params: { accessToken: 'x' } }))).toBe('token invalid! Log in again');
    expect(by('write', room.as('writer', { headers: { accesstoken: 'x' } }))).toBe(DISAGREES);
    room.refusedCallers.stop();
  });

  it('nobody is refused who would be let in, whatever he brings', async () => {
    const room = await roomWithUsers();
    for (const need of NEEDS)
      for (const name of room.tokens.keys())
        for (const isScoped of [true, false]) {
          const one = room.as(name, { isScoped });
          const admission = await room.access.admit(need, one);
          if (!admission.isRefusal) expect(room.access.refusalByHead(need, one, false), `${need} ${name}`).toBe(undefined);
          else expect(textOf(room.access.refusalByHead(need, one, false)), `${need} ${name}`).toBe(admission.text);
        }
    room.refusedCallers.stop();
  });
});

describe('without users', () => {
  it.each<readonly [need: Need, more: Partial<Asked>, text: string]>([
    [
      'write',
      {},
      'not trusted: 10.2.3.4 may not write here. Start beatbridge with --trust 10.2.3.4/32 (or --trust private), or with --auth and log in; --open-writes lets anyone',
    ],
    [
      'write',
      { ip: '2001:db8::1' },
      'not trusted: 2001:db8:0:0:0:0:0:1 may not write here. Start beatbridge with --trust 2001:db8:0:0:0:0:0:1/128, or with --auth and log in; --open-writes lets anyone',
    ],
    [
      'write',
      { ip: '127.0.0.1', headers: { 'x-forwarded-for': '10.2.3.4' } },
      'not trusted: this came through a proxy (x-forwarded-for); name the proxy with --trusted-proxy and the callers with --trust, or log in',
    ],
    [
      'operate',
      {},
      'not trusted: 10.2.3.4 may not operate here. Start beatbridge with --trust 10.2.3.4/32 --trust-operate, or with --auth and log in',
    ],
    [
      'operate',
      { ip: '192.0.2.1' },
      'not trusted: 192.0.2.1 may not operate here. Do it on the machine of beatbridge, or start it with --trust-operate, or with --auth and log in',
    ],
    ['admin', { ip: '127.0.0.1' }, 'authorization failed! There are no users here; start beatbridge with --auth'],
    ['first-admin', { ip: '127.0.0.1' }, 'authorization failed! There are no users here; start beatbridge with --auth'],
    [
      'write',
      { ip: '' },
      'not trusted: this address may not write here. Start beatbridge with --trust ADDRESS, or with --auth and log in; --open-writes lets anyone',
    ],
    ['read', {}, '-'],
    ['write', { ip: '127.0.0.1' }, '-'],
    ['write', { ip: '::ffff:127.0.0.1' }, '-'],
    ['write', { ip: '192.0.2.1' }, '-'],
    ['operate', { ip: '::1' }, '-'],
  ])('%s, %j: %s', async (need, more, text) => {
    using room = accessRoom({ trust: ['192.0.2.0/24'] });
    expect(textOf(await room.access.admit(need, asked(more)))).toBe(text);
  });

  it('what a client says of itself is not looked at: a wrong login is as good as none', async () => {
    using room = accessRoom();
    const params = { username: 'nacos', password: 'nacos', accessToken: 'AUTH_DISABLED' };
    expect(permitIn(await room.access.admit('write', asked({ ip: '127.0.0.1', params }))).user).toBeUndefined();
    expect(textOf(await room.access.admit('write', asked({ params })))).toMatch(/^not trusted/);
    expect(room.kdf.count).toBe(0);
  });

  it('whoever may, may everything', async () => {
    using room = accessRoom({ openWrites: true });
    const permit = permitIn(await room.access.admit('write', asked()));
    expect(permit.refusalFor({})).toBeUndefined();
    expect(permit.covers({})).toBe(true);
    expect(permit.isAdmin).toBe(false);
    expect(permit.refusalForUser('ann')).toMatchObject({ status: 403 });
  });

  it('what a route does not say that it needs, nobody may', async () => {
    using room = accessRoom({ openWrites: true, trustOperate: true });
    expect(textOf(await room.access.admit(undefined, asked({ ip: '127.0.0.1' })))).toBe(
      'authorization failed! Nobody may do that here',
    );
  });
});

describe('with users', () => {
  const DEV: Scope = { namespace: 'dev' };
  const DEV_G1: Scope = { namespace: 'dev', group: 'G1' };
  const OTHER: Scope = { ...ORDERS, namespace: 'prod' };
  const G2: Scope = { ...ORDERS, group: 'G2' };

  /** What each may of the need, for scopes in the order: one service, its group, its namespace, another group, another namespace, all. */
  it.each<readonly [need: Need, user: string, may: string]>([
    ['read', 'reader', 'yyyyyy'],
    ['read', 'writer', 'yyyyyy'],
    ['read', 'admin', 'yyyyyy'],
    ['read', 'ann', 'yynnnn'],
    ['read', 'dev-admin', 'yyyynn'],
    ['read', 'nothing', 'nnnnnn'],
    ['write', 'reader', 'nnnnnn'],
    ['write', 'writer', 'yyyyyy'],
    ['write', 'admin', 'yyyyyy'],
    ['write', 'ann', 'yynnnn'],
    ['write', 'dev-admin', 'yyyynn'],
    ['write', 'nothing', 'nnnnnn'],
    ['operate', 'reader', 'nnnnnn'],
    ['operate', 'writer', 'nnnnnn'],
    ['operate', 'admin', 'yyyyyy'],
    ['operate', 'ann', 'nnnnnn'],
    ['operate', 'dev-admin', 'yyyynn'],
  ])('%s by %s', async (need, user, may) => {
    using room = await roomWithUsers();
    const told = await Promise.all(
      [ORDERS, DEV_G1, DEV, G2, OTHER, {}].map(async (scope) => {
        const admission = await room.access.admit(need, room.as(user));
        if (admission.isRefusal) return false;
        expect(admission.covers(scope)).toBe(admission.refusalFor(scope) === undefined);
        return admission.covers(scope);
      }),
    );
    expect(told.map((yes) => (yes ? 'y' : 'n')).join('')).toBe(may);
    // A call that asks for nothing in particular needs a right to everything.
    const whole = await room.access.admit(need, room.as(user, { isScoped: false }));
    expect(!whole.isRefusal).toBe(may.endsWith('y'));
  });

  it.each<readonly [need: Need, who: readonly string[]]>([
    ['alive', ['reader', 'writer', 'admin', 'ann', 'dev-admin', 'nothing', 'nobody']],
    ['login', ['reader', 'writer', 'admin', 'ann', 'dev-admin', 'nothing', 'nobody']],
    ['probe', ['reader', 'writer', 'admin', 'ann', 'dev-admin']],
    ['self', ['reader', 'writer', 'admin', 'ann', 'dev-admin', 'nothing']],
    ['admin', ['admin']],
    ['first-admin', ['admin']],
  ])('%s is for %j, where health is closed', async (need, who) => {
    using room = await roomWithUsers({ healthAuth: true });
    const may: string[] = [];
    for (const name of ['reader', 'writer', 'admin', 'ann', 'dev-admin', 'nothing', 'nobody'])
      if (!(await room.access.admit(need, name === 'nobody' ? asked() : room.as(name))).isRefusal) may.push(name);
    expect(may).toEqual(who);
  });

  it('one may change the own password, and an administrator that of anybody', async () => {
    using room = await roomWithUsers();
    const ann = permitIn(await room.access.admit('self', room.as('ann')));
    expect(ann.refusalForUser('ann')).toBeUndefined();
    expect(ann.refusalForUser('reader')).toMatchObject({
      status: 403,
      text: 'authorization failed! user ann may not administer all there is',
    });
    const devAdmin = permitIn(await room.access.admit('self', room.as('dev-admin')));
    expect(devAdmin.refusalForUser('ann')).toMatchObject({ status: 403 });
    const admin = permitIn(await room.access.admit('self', room.as('admin')));
    expect(admin.refusalForUser('ann')).toBeUndefined();
  });

  it('a call over several services needs all of them', async () => {
    using room = await roomWithUsers();
    const permit = permitIn(await room.access.admit('write', room.as('ann')));
    const batch = [ORDERS, { ...ORDERS, name: 'carts' }, { ...G2, name: 'orders' }];
    expect(batch.map((scope) => textOf(permit.refusalFor(scope)))).toEqual([
      '-',
      '-',
      'authorization failed! user ann may not write group G2 of namespace dev',
    ]);
    expect(batch.filter((scope) => permit.covers(scope))).toHaveLength(2);
  });

  it('nobody may from loopback either, but become the first administrator, over the socket and by no page', async () => {
    using room = accessRoom({ auth: true, trust: ['private'] });
    const local = { ip: '127.0.0.1' };
    for (const need of ['read', 'write', 'operate', 'self', 'admin'] as const)
      expect(textOf(await room.access.admit(need, asked(local)))).toMatch(/^user not found! Log in: POST/);
    expect(textOf(await room.access.admit('first-admin', asked(local)))).toBe('-');
    for (const more of [
      {},
      { ip: '10.2.3.4' },
      { ip: '127.0.0.6' },
      { ...local, isBrowser: true },
      { ...local, headers: { 'x-forwarded-for': '127.0.0.1' } },
      { ...local, headers: { forwarded: 'for=127.0.0.1' } },
    ])
      expect(textOf(await room.access.admit('first-admin', asked(more)))).toMatch(
        /^not trusted: the first admin is made on the machine/,
      );
  });

  it('those who come without a login, and are let in, are told of', async () => {
    using room = await roomWithUsers({ trust: ['private'], trustWrites: true });
    room.told.length = 0;
    expect(permitIn(await room.access.admit('write', asked())).user).toBeUndefined();
    expect(textOf(await room.access.admit('write', room.as('ann')))).toBe('-');
    // Whoever says a wrong one could as well have said nothing: the fleet goes on, and is told of.
    const wrong = asked({ params: { username: 'ann', password: 'wrong horse' }, agent: 'npm' });
    expect(textOf(await room.access.admit('write', wrong))).toBe('-');
    await new Promise((resolve) => setImmediate(resolve));
    expect(room.told.map(({ what, reason, client }) => [what, reason, client])).toEqual([
      ['let-in', 'no-login', 'Nacos-Go-Client:v2.3.5'],
      ['let-in', 'wrong-login', 'npm'],
    ]);
  });
});

describe('a login', () => {
  it('answers what clients read, each of its type', async () => {
    using room = await roomWithUsers();
    for (const [name, globalAdmin] of [
      ['admin', true],
      ['dev-admin', false],
      ['ann', false],
    ] as const)
      expect(await room.access.login(asked(), { name, password: PASSWORD })).toEqual({
        isRefusal: false,
        accessToken: expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]+$/),
        tokenTtl: 18_000,
        globalAdmin,
        username: name,
      });
  });

  it.each([
    ['an unknown user', 'nobody', PASSWORD],
    ['a name in other letters', 'ANN', PASSWORD],
    ['a wrong password', 'ann', 'wrong horse'],
    ['no password', 'ann', ''],
    ['a disabled user', 'reader', PASSWORD],
    ['a disabled user with a wrong password', 'reader', 'wrong horse'],
  ])('by %s is refused in the same words', async (_, name, password) => {
    using room = await roomWithUsers();
    room.setDisabled('reader', true);
    const before = room.kdf.count;
    const told = await room.access.login(asked(), { name, password });
    expect(told).toEqual({ isRefusal: true, reason: 'wrong-login', status: 403, text: 'user not found!' });
    expect(room.kdf.count).toBe(before + 1);
  });

  it('of a new user works at once', async () => {
    using room = await roomWithUsers();
    expect(await room.access.login(asked(), { name: 'new', password: PASSWORD })).toMatchObject({ isRefusal: true });
    await room.addUser('new', PASSWORD);
    expect(await room.access.login(asked(), { name: 'new', password: PASSWORD })).toMatchObject({ username: 'new' });
  });

  it('in clear, from elsewhere, is refused where there is TLS', async () => {
    using room = await roomWithUsers({ passwordsNeedTls: false });
    using strict = accessRoom({ auth: true, passwordsNeedTls: true });
    await strict.addUser('ann', PASSWORD);
    const pair = { name: 'ann', password: PASSWORD };
    expect(await strict.access.login(asked(), pair)).toMatchObject({ status: 403, text: expect.stringContaining('https') });
    expect(await strict.access.login(asked({ ip: '127.0.0.1' }), pair)).toMatchObject({ username: 'ann' });
    expect(await strict.access.login(asked({ isEncrypted: true }), pair)).toMatchObject({ username: 'ann' });
    expect(await room.access.login(asked(), pair)).toMatchObject({ username: 'ann' });
  });

  it("by way of a proxy that is named is the guess of whom it asks for, and else the proxy's", async () => {
    using room = await roomWithUsers({ trustedProxies: ['10.9.9.9'] });
    const guess = (ip: string, from: string, password: string) =>
      room.access.login(asked({ ip, headers: { 'x-forwarded-for': from } }), { name: 'ann', password });
    for (const ip of ['10.9.9.9', '10.8.8.8'])
      for (let i = 0; i < 20; i++) await guess(ip, '203.0.113.7', `guess number ${i} by ${ip}`);
    expect(await guess('10.9.9.9', '203.0.113.7', 'one more guess')).toMatchObject({ status: 429 });
    expect(await guess('10.9.9.9', '203.0.113.8', 'another guess')).toMatchObject({ status: 403 });
    expect(await guess('10.8.8.8', '203.0.113.9', 'a third guess')).toMatchObject({ status: 429 });
  });

  it('that there is no time for is 429, and says when to come again', async () => {
    using room = await roomWithUsers();
    for (let i = 0; i < 20; i++) await room.access.login(asked(), { name: 'ann', password: `guess number ${i}` });
    const told = await room.access.login(asked(), { name: 'ann', password: 'one more guess' });
    if (!told.isRefusal) throw new Error('it was let in');
    expect(told).toMatchObject({ status: 429, reason: 'busy' });
    expect(refusalHeaders(told)).toEqual({ 'Retry-After': '5' });
    // Every address of one network of IPv6 is one guesser.
    for (let i = 0; i < 20; i++)
      await room.access.login(asked({ ip: `2001:db8::${i}` }), { name: 'ann', password: `guess 2 number ${i}` });
    expect(await room.access.login(asked({ ip: '2001:db8::ffff' }), { name: 'ann', password: 'guess 3' })).toMatchObject({
      status: 429,
    });
    expect(await room.access.login(asked({ ip: '2001:db8:1::1' }), { name: 'ann', password: 'guess 3' })).toMatchObject({
      status: 403,
    });
  });
});

describe('who asks', () => {
  const basic = (name: string, password = PASSWORD) => `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`;

  it('is told in every form that clients use', async () => {
    using room = await roomWithUsers();
    const token = room.tokens.get('ann') ?? '';
    for (const more of [
      { params: { accessToken: token } },
      { params: { ACCESSTOKEN: token } },
      { headers: { accesstoken: token } },
      { headers: { authorization: `Bearer ${token}` } },
      { headers: { authorization: `bearer ${token}` } },
      { params: { username: 'ann', password: PASSWORD } },
      { headers: { username: 'ann', password: PASSWORD } },
      { headers: { authorization: basic('ann') } },
      { carriers: { params: [], headers: payloadHeaders({ accessToken: token, app: 'unknown' }) } },
      { params: { accessToken: token, username: 'ann', password: PASSWORD } },
      { params: { accessToken: token }, headers: { accesstoken: token, authorization: `Bearer ${token}` } },
    ]) {
      const admission = await room.access.admit('write', asked(more));
      expect(permitIn(admission).user).toBe('ann');
    }
  });

  it.each<readonly [what: string, more: (token: string, other: string) => Parameters<typeof asked>[0], text: string]>([
    [
      'nothing',
      () => ({}),
      'user not found! Log in: POST /nacos/v1/auth/login, or send username and password, or a Bearer token',
    ],
    [
      'a signature of Alibaba',
      () => ({ params: { ak: 'x', data: 'y', signature: 'z' } }),
      'user not found! Log in: POST /nacos/v1/auth/login, or send username and password, or a Bearer token (ak/sk signatures are not checked here)',
    ],
    ['a bad token', () => ({ params: { accessToken: 'x' } }), 'token invalid! Log in again'],
    [
      'a bad token and a good password',
      () => ({ params: { accessToken: 'x', username: 'ann', password: PASSWORD } }),
      'token invalid! Log in again',
    ],
    ['a wrong password', () => ({ params: { username: 'ann', password: 'wrong horse' } }), 'user not found!'],
    [
      'a token of one and the name of another',
      (token) => ({ params: { accessToken: token, username: 'admin', password: PASSWORD } }),
      DISAGREES,
    ],
    [
      'two tokens',
      (token, other) => ({ params: { accessToken: token }, headers: { authorization: `Bearer ${other}` } }),
      DISAGREES,
    ],
    [
      'two names',
      () => ({ params: { username: 'ann', password: PASSWORD }, headers: { authorization: basic('admin') } }),
      DISAGREES,
    ],
    ['the certificate of another', (token) => ({ params: { accessToken: token }, certificate: shown('CN=reader') }), DISAGREES],
    [
      'a password beside the certificate of another',
      () => ({ headers: { authorization: basic('ann') }, certificate: shown('CN=reader') }),
      DISAGREES,
    ],
    [
      'a certificate that nobody knows',
      () => ({ certificate: shown('CN=nobody') }),
      'user not found! Log in: POST /nacos/v1/auth/login, or send username and password, or a Bearer token',
    ],
    [
      'what makes a server of Nacos',
      () => ({
        agent: 'Nacos-Server:v2',
        headers: {
          'user-agent': 'Nacos-Server',
          serveridentity: 'security',
          nacos: 'nacos',
          'request-source': '127.0.0.1',
          'client-version': 'Nacos-Server',
        },
      }),
      'user not found! Log in: POST /nacos/v1/auth/login, or send username and password, or a Bearer token',
    ],
  ])('with %s is refused', async (_, more, text) => {
    using room = await roomWithUsers();
    const reader = room.users.find('reader');
    if (reader === undefined) throw new Error('no reader');
    room.users.put({ ...reader, certificate: 'CN=reader' });
    const said = asked(more(room.tokens.get('ann') ?? '', room.tokens.get('admin') ?? ''));
    expect(textOf(await room.access.admit('write', said))).toBe(text);
  });

  it('by a certificate is its user, beside a login of the same or without any', async () => {
    using room = await roomWithUsers();
    const writer = room.users.find('writer');
    if (writer === undefined) throw new Error('no writer');
    room.users.put({ ...writer, certificate: 'spiffe://td/writer' });
    const certificate = shown('spiffe://td/writer');
    expect(permitIn(await room.access.admit('write', asked({ certificate }))).user).toBe('writer');
    expect(permitIn(await room.access.admit('write', room.as('writer', { certificate }))).user).toBe('writer');
  });

  it('by a certificate that has ended is nobody, on a connection that began with it too', async () => {
    using room = await roomWithUsers();
    const writer = room.users.find('writer');
    if (writer === undefined) throw new Error('no writer');
    room.users.put({ ...writer, certificate: 'CN=writer' });
    const said = asked({ certificate: { name: 'CN=writer', validUntil: room.scheduler.now() + 60_000 } });
    room.scheduler.advance(59_999);
    expect(permitIn(await room.access.admit('write', said)).user).toBe('writer');
    room.scheduler.advance(1);
    expect(textOf(await room.access.admit('write', said))).toMatch(/^user not found! Log in/);
    expect(textOf(await room.access.admit('write', asked({ certificate: shown('CN=writer', Number.NaN) })))).toMatch(
      /^user not found! Log in/,
    );
    // Whoever has logged in as another is not nobody by that.
    expect(permitIn(await room.access.admit('read', room.as('reader', { certificate: said.certificate }))).user).toBe('reader');
  });

  it('to make a user is not the one who is made', async () => {
    using room = await roomWithUsers();
    const params = { username: 'admin', password: PASSWORD };
    expect(textOf(await room.access.admit('admin', asked({ params, ownParams: true })))).toMatch(/^user not found! Log in/);
    expect(
      textOf(
        await room.access.admit('admin', room.as('admin', { params: { username: 'new', password: PASSWORD }, ownParams: true })),
      ),
    ).toBe('-');
    const headers = { authorization: basic('admin') };
    expect(
      textOf(await room.access.admit('admin', asked({ params: { username: 'new', password: 'x' }, headers, ownParams: true }))),
    ).toBe('-');
  });

  it('is asked anew with each request: what has changed counts at once', async () => {
    using room = await roomWithUsers();
    const call = async () => textOf(await room.access.admit('write', room.as('ann')));
    expect(await call()).toBe('-');
    const ann = room.users.find('ann');
    if (ann === undefined) throw new Error('no ann');
    room.users.put({ ...ann, roles: ['reader'] });
    expect(await call()).toBe('authorization failed! user ann may not write all there is');
    room.users.put({ ...ann, isDisabled: true });
    expect(await call()).toBe('token invalid! Log in again');
    room.users.put(ann);
    expect(await call()).toBe('-');
    room.scheduler.advance(18_061_000);
    expect(await call()).toBe('token expired! Log in again');
  });

  it('with a password in every request costs one look at it', async () => {
    using room = await roomWithUsers();
    const before = room.kdf.count;
    for (let i = 0; i < 1_000; i++) {
      const admission = room.access.admit('write', asked({ params: { username: 'ann', password: PASSWORD } }));
      // The login of this room has been remembered: nobody waits.
      expect(admission instanceof Promise).toBe(false);
    }
    expect(room.kdf.count).toBe(before);
  });
});

describe('whatever a client says of itself', () => {
  const names = fc.constantFrom(
    ...['forwarded', 'x-forwarded-for', 'x-forwarded-host', 'x-real-ip', 'via', 'x-envoy-internal', 'serveridentity', 'nacos'],
    ...[
      'user-agent',
      'client-version',
      'request-source',
      'x-http-method-override',
      'host',
      'authorization',
      'accesstoken',
      'username',
    ],
  );
  const values = fc.oneof(
    fc.constantFrom('127.0.0.1', '::1', '10.0.0.9', 'for=127.0.0.1', 'security', 'Nacos-Server', 'Bearer x'),
    fc.string(),
  );
  const ips = fc.constantFrom('127.0.0.1', '::1', '127.0.0.6', '10.0.0.9', '203.0.113.9', '::ffff:127.0.0.1', '');
  const flags = fc.record({ auth: fc.boolean(), openWrites: fc.boolean(), trustReads: fc.boolean(), trustWrites: fc.boolean() });

  const { parameters, title, timeoutMs } = randomRuns(1_000);
  it(`lets nobody in who was not let in without it ${title}`, { timeout: timeoutMs }, async () => {
    const property = fc.asyncProperty(
      fc.dictionary(names, values),
      ips,
      flags,
      fc.constantFrom(...NEEDS),
      fc.boolean(),
      async (headers, ip, open, need, isBrowser) => {
        using room = accessRoom({ ...open, trust: ['10.0.0.0/8'] });
        const said = await room.access.admit(need, asked({ ip, headers, isBrowser }));
        const unsaid = await room.access.admit(need, asked({ ip, isBrowser: false }));
        if (unsaid.isRefusal) expect(said.isRefusal).toBe(true);
      },
    );
    await fc.assert(property, parameters);
  });
});

describe('a page', () => {
  it('of another site is refused before anything else, and told of', async () => {
    using room = accessRoom();
    const headers = { 'user-agent': 'Mozilla/5.0', origin: 'http://evil.example' };
    const head = { method: 'POST', headers, hosts: ['127.0.0.1:8848'], isEncrypted: false };
    const caller = { ip: '127.0.0.1', agent: 'Mozilla/5.0', example: 'POST /nacos/v1/ns/instance' };
    expect(room.access.page(head, caller)).toMatchObject({
      status: 403,
      text: 'refused: a web page on another site (Origin http://evil.example) may not write here',
    });
    expect(room.told).toMatchObject([{ what: 'refused', reason: 'page', address: '127.0.0.1', count: 1 }]);
    expect(room.access.page({ ...head, headers: { 'user-agent': 'curl/8' } }, caller)).toBeUndefined();
  });
});

it('a page changes nothing by a GET, wherever it is shown, and nobody else is hindered', async () => {
  using room = accessRoom({ openWrites: true });
  const change = { ip: '127.0.0.1', isChange: true };
  for (const need of ['write', 'operate'] as const) {
    expect(textOf(await room.access.admit(need, asked({ ...change, isBrowser: true })))).toMatch(/^refused: a web page/);
    expect(await room.access.admit(need, asked(change))).toMatchObject({ isRefusal: false });
    expect(await room.access.wouldAdmit(need, asked({ ...change, isBrowser: true }))).toBe(false);
  }
});

it('who would be let in is found out as for a call, and nobody hears of it', async () => {
  using room = await roomWithUsers();
  const whole = { isScoped: false };
  for (const name of ['reader', 'ann', 'nothing', 'admin'])
    for (const need of ['probe', 'read', 'write', 'operate', 'admin'] as const) {
      const admission = await room.access.admit(need, room.as(name, whole));
      expect(await room.access.wouldAdmit(need, room.as(name, whole)), `${name} ${need}`).toBe(!admission.isRefusal);
    }
  const [told, counts] = [room.told.length, JSON.stringify([...room.refusedCallers.counts])];
  expect(await room.access.wouldAdmit('read', asked())).toBe(false);
  expect(await room.access.wouldAdmit('read', room.as('nothing'))).toBe(false);
  expect([room.told.length, JSON.stringify([...room.refusedCallers.counts])]).toEqual([told, counts]);
  using open = accessRoom();
  expect(await open.access.wouldAdmit('read', asked())).toBe(true);
  expect(await open.access.wouldAdmit('write', asked())).toBe(false);
});

it('a permit that is kept says of later what is true by then', async () => {
  using room = await roomWithUsers();
  const admitted = async (name: string) => {
    const permit = await room.access.admit('read', room.as(name));
    if (permit.isRefusal) throw new Error(permit.text);
    return permit;
  };
  const [ann, reader, writer] = [await admitted('ann'), await admitted('reader'), await admitted('writer')];
  const stands = () => [ann, reader, writer].map((permit) => permit.stillCovers(ORDERS));
  expect(stands()).toEqual([true, true, true]);
  expect(ann.stillCovers({ ...ORDERS, group: 'G2' })).toBe(false);
  room.userAdmin.revoke('writer@dev:G1', 'ann');
  room.setDisabled('reader', true);
  const prepared = await room.userAdmin.prepared('writer', 'another horse', '10.0.0.1');
  if ('why' in prepared) throw new Error(prepared.text);
  room.userAdmin.changePassword('writer', prepared);
  expect(stands()).toEqual([false, false, false]);
  room.setDisabled('reader', false);
  expect(stands()).toEqual([false, true, false]);
  using open = accessRoom();
  expect(await open.access.admit('read', asked())).toMatchObject({ isRefusal: false });
  expect(((await open.access.admit('read', asked())) as Permit).stillCovers(ORDERS)).toBe(true);
});

describe('a refusal', () => {
  it('is one line of ASCII that no format reads, and of 300 characters at most', async () => {
    using room = await roomWithUsers();
    const permit = permitIn(await room.access.admit('write', room.as('ann')));
    const nasty = '%s"\'\\\n\r\u2028é'.repeat(100);
    const told = [permit.refusalFor({ namespace: nasty, group: nasty, name: nasty })];
    for (const need of [...NEEDS, undefined])
      for (const ip of ['10.2.3.4', nasty, 'fe80::1%eth0', ''])
        for (const settings of [{}, { auth: true }]) {
          using other = accessRoom(settings);
          const admission = await other.access.admit(
            need,
            asked({ ip, headers: { 'x-forwarded-for': nasty }, agent: nasty, example: nasty }),
          );
          if (admission.isRefusal) told.push(admission);
        }
    expect(told.length).toBeGreaterThan(20);
    for (const refusal of told) expect(refusal?.text).toMatch(/^[^%"'\\\x00-\x1f\x7f-\uffff]{1,300}$/);
  });

  it('has the body that Nacos gives it, in every version', async () => {
    using room = await roomWithUsers();
    const told = await room.access.admit('write', asked());
    if (!told.isRefusal) throw new Error('it was let in');
    expect(refusalBody(told, '/nacos/v3/client/ns/instance', Date.UTC(2026, 10, 25, 18, 58, 14, 876))).toEqual({
      timestamp: '2026-11-25T18:58:14.876+00:00',
      status: 403,
      error: 'Forbidden',
      message: told.text,
      path: '/nacos/v3/client/ns/instance',
    });
    expect(refusalHeaders(told)).toEqual({});
  });
});

describe('settings', () => {
  it('that are wrong are all told at once', () => {
    expect(accessFaults(SETTINGS)).toEqual([]);
    expect(accessFaults({ ...SETTINGS, auth: true, secrets: [SECRET, Buffer.from(SECRET).reverse()] })).toEqual([]);
    const faults = accessFaults({
      ...SETTINGS,
      auth: true,
      openWrites: true,
      trust: ['0.0.0.0/0', 'private', 'somewhere'],
      trustedProxies: ['::/0'],
      secrets: [],
      tokenTtlSeconds: 60,
      pages: { hosts: ['*.example', 'a:80'], origins: ['null', '*', 'https://a.example/', 'https://a.example'] },
    });
    expect(faults.map((fault) => fault.split(' ', 1)[0])).toEqual([
      '--open-writes',
      '--trust',
      '--trust',
      '--trusted-proxy',
      '--auth',
      '--allow-origin',
      '--allow-origin',
      '--allow-origin',
      '--allow-host',
      '--allow-host',
      '--token-ttl',
    ]);
    expect(accessFaults({ ...SETTINGS, auth: true, secrets: [Buffer.from('short')] })).toEqual([
      '--auth-secret-file: it must have 32..4096 bytes, got 5',
    ]);
  });

  it.each<
    readonly [more: Partial<typeof SETTINGS>, isBoundBeyondLoopback: boolean, hasAdmin: boolean, notice: string | undefined]
  >([
    [{}, true, false, 'only this machine may register'],
    [{ trust: ['loopback'] }, true, false, 'only this machine may register'],
    [{ trust: ['private'] }, true, false, undefined],
    [{}, false, false, undefined],
    [{ openWrites: true }, false, false, 'anyone may register'],
    [{ auth: true }, true, true, undefined],
    [{ auth: true }, true, false, 'nobody can log in yet'],
  ])(
    '%j say at the start, bound beyond loopback: %s, with an administrator: %s: %s',
    (more, isBoundBeyondLoopback, hasAdmin, notice) => {
      expect(startNotice({ ...SETTINGS, ...more }, { isBoundBeyondLoopback, hasAdmin })?.slice(0, notice?.length)).toBe(notice);
    },
  );
});
