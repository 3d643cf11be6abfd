import { createHash, createHmac, generateKeyPairSync, sign } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lastingToken, Tokens, tokenDigest } from '../../src/access/tokens.ts';
import type { User } from '../../src/access/users.ts';
import { randomRuns } from '../support/random.ts';
import { countedRandomness, SECRET } from './room.ts';

const OTHER_SECRET = createHash('sha256').update('another').digest();
const ANN: User = { name: 'ann', hash: '', generation: 'g1', roles: [], isDisabled: false };

function tokenRoom({ secrets = [SECRET], ttlSeconds = 18_000, startSeconds = 1_700_000_000 } = {}) {
  const clock = { seconds: startSeconds };
  const users = new Map([['ann', ANN]]);
  const lasting = new Map<string, User>();
  const ends = new Map<string, number>();
  const shown = new Tokens({
    secrets,
    ttlSeconds,
    now: () => clock.seconds * 1_000,
    find: (name) => users.get(name),
    endedAt: (name) => ends.get(name) ?? 0,
    findByToken: (digest) => lasting.get(digest),
  });
  /** Whose it is, or what is wrong with it. */
  const check = (token: string) => {
    const found = shown.check(token);
    return typeof found === 'string' ? found : found.user;
  };
  return { tokens: { issue: (user: User) => shown.issue(user), check }, shown, users, lasting, ends, clock };
}

const base64url = (text: string | Buffer) => Buffer.from(text).toString('base64url');
const HEADER = base64url('{"alg":"HS256"}');

function signed(payload: object | string, header = HEADER, secret: Uint8Array = SECRET, hash = 'sha256'): string {
  const text = `${header}.${base64url(typeof payload === 'string' ? payload : JSON.stringify(payload))}`;
  return `${text}.${base64url(createHmac(hash, secret).update(text).digest())}`;
}

function claimsOf(token: string): { sub: string; exp: number; gen: string } {
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
}

describe('a token', () => {
  it('is a JWT of subject, beginning, end and generation, as long as it says and a minute more', () => {
    const { tokens, clock } = tokenRoom();
    const { token, ttlSeconds } = tokens.issue(ANN);
    expect(ttlSeconds).toBe(18_000);
    expect(token.split('.')[0]).toBe(HEADER);
    expect(claimsOf(token)).toEqual({
      sub: 'ann',
      iat: clock.seconds,
      exp: clock.seconds + 18_000,
      gen: expect.stringMatching(/^[\w-]{22}$/),
    });
    expect(tokens.check(token)).toBe(ANN);
    clock.seconds += 18_060;
    expect(tokens.check(token)).toBe(ANN);
    clock.seconds += 1;
    expect(tokens.check(token)).toBe('expired');
  });

  it('outlives a restart', () => {
    const { token } = tokenRoom().tokens.issue(ANN);
    expect(tokenRoom().tokens.check(token)).toBe(ANN);
  });

  it('outlives a change of the key by as long as it is good, and the old key no longer', () => {
    const { token } = tokenRoom().tokens.issue(ANN);
    const { tokens, clock } = tokenRoom({ secrets: [OTHER_SECRET, SECRET], startSeconds: 1_700_010_000 });
    expect(tokens.check(token)).toBe(ANN);
    const { token: newer } = tokens.issue(ANN);
    expect(tokenRoom({ secrets: [OTHER_SECRET] }).tokens.check(newer)).toBe('invalid');
    expect(tokenRoom({ secrets: [OTHER_SECRET], startSeconds: 1_700_010_001 }).tokens.check(newer)).toBe(ANN);
    // Whoever has got hold of the old key may sign whatever he likes: from then on it is worth nothing.
    clock.seconds += 18_061;
    const { gen } = claimsOf(token);
    expect(tokens.check(signed({ sub: 'ann', exp: clock.seconds + 100, gen }))).toBe('invalid');
  });

  it('that was given before the logins of its user were ended stays ended, also one that does not say when it was given', () => {
    const { tokens, ends, clock } = tokenRoom();
    const { token } = tokens.issue(ANN);
    const { sub, exp, gen } = claimsOf(token);
    const older = signed({ sub, exp, gen });
    expect([tokens.check(token), tokens.check(older)]).toEqual([ANN, ANN]);
    ends.set('ann', clock.seconds * 1_000);
    expect([tokens.check(token), tokens.check(older)]).toEqual(['invalid', 'invalid']);
    clock.seconds += 1;
    expect([tokens.check(token), tokens.check(older)]).toEqual(['invalid', 'invalid']);
    expect(tokens.check(tokens.issue(ANN).token)).toBe(ANN);
  });

  it('ends with its user, its password, and while its user is disabled, though it was known before', () => {
    const { tokens, users } = tokenRoom();
    const { token } = tokens.issue(ANN);
    expect(tokens.check(token)).toBe(ANN);
    users.set('ann', { ...ANN, isDisabled: true });
    expect(tokens.check(token)).toBe('invalid');
    users.set('ann', ANN);
    expect(tokens.check(token)).toBe(ANN);
    users.set('ann', { ...ANN, generation: 'g2' });
    expect(tokens.check(token)).toBe('invalid');
    users.delete('ann');
    expect(tokens.check(token)).toBe('invalid');
  });

  it('stays good when roles change, or the hash at another cost: it is the user of now who is answered', () => {
    const { tokens, users } = tokenRoom();
    const { token } = tokens.issue(ANN);
    const changed = { ...ANN, roles: ['reader'], hash: 'dearer' };
    users.set('ann', changed);
    expect(tokens.check(token)).toBe(changed);
  });
});

describe('a token that was made up', () => {
  const { tokens, clock } = tokenRoom();
  const { token } = tokens.issue(ANN);
  const [header = '', payload = '', signature = ''] = token.split('.');
  const claims = claimsOf(token);
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2_048 });
  const rs256 = `${base64url('{"alg":"RS256"}')}.${payload}`;

  it('is told from a good one that is signed by hand', () => expect(tokens.check(signed(claims))).toBe(ANN));

  it.each<readonly [what: string, token: string]>([
    ['nothing', ''],
    ['one part', header],
    ['no signature', `${header}.${payload}`],
    ['an empty signature', `${header}.${payload}.`],
    ['four parts', `${token}.`],
    ['alg none', `${base64url('{"alg":"none"}')}.${payload}.`],
    ['alg none, with a signature', `${base64url('{"alg":"none"}')}.${payload}.${signature}`],
    ['alg none, signed', signed(claims, base64url('{"alg":"none"}'))],
    ['HS512', signed(claims, base64url('{"alg":"HS512"}'), SECRET, 'sha512')],
    ['HS512 under our header', signed(claims, HEADER, SECRET, 'sha512')],
    ['RS256', `${rs256}.${base64url(sign('sha256', Buffer.from(rs256), privateKey))}`],
    ['RS256 by the secret', signed(claims, base64url('{"alg":"RS256"}'))],
    ['a key id', signed(claims, base64url('{"alg":"HS256","kid":"../../dev/null"}'))],
    ['a key of its own', signed(claims, base64url('{"alg":"HS256","jwk":{"kty":"oct","k":"AA"}}'))],
    ['a key from elsewhere', signed(claims, base64url('{"alg":"HS256","jku":"http://evil.example/"}'))],
    ['a type', signed(claims, base64url('{"alg":"HS256","typ":"JWT"}'))],
    ['blanks in the header', signed(claims, base64url('{"alg": "HS256"}'))],
    ['no end', signed({ sub: claims.sub, gen: claims.gen })],
    ['no generation', signed({ sub: claims.sub, exp: claims.exp })],
    ['no subject', signed({ exp: claims.exp, gen: claims.gen })],
    ['an end that is text', signed({ ...claims, exp: String(claims.exp) })],
    ['an end that is no number', signed(`{"sub":"ann","exp":1e999,"gen":"${claims.gen}"}`)],
    ['an end in years', signed({ ...claims, exp: claims.exp + 61 })],
    ['an end half a second from it', signed({ ...claims, exp: claims.exp - 0.5 })],
    ['the generation in clear', signed({ ...claims, gen: 'g1' })],
    ['another user', signed({ ...claims, sub: 'bob' })],
    ['no object', signed('[]')],
    ['null', signed('null')],
    ['no JSON', signed('x')],
    ['padding', `${token}=`],
    ['padding within', `${header}.${payload}=.${signature}`],
    ['a blank before', ` ${token}`],
    ['a line end', `${token}\n`],
    ['standard base64', `${header}.${payload}.${Buffer.from(signature, 'base64url').toString('base64')}`],
    ['another secret', signed(claims, HEADER, OTHER_SECRET)],
    [
      'a secret of Nacos',
      signed(claims, HEADER, Buffer.from('SecretKey012345678901234567890123456789012345678901234567890123456789')),
    ],
    ['a secret of documents', signed(claims, HEADER, Buffer.from('ThisIsMyCustomSecretKey012345678'))],
    ['no secret', signed(claims, HEADER, Buffer.alloc(0))],
    ['5 KB, though it is signed', signed({ ...claims, more: 'x'.repeat(4_096) })],
    ['stray bits at the end', withStrayBits(token)],
  ])('of %s is refused', (_, made) => {
    expect(made).not.toBe(token);
    expect(tokens.check(made)).toBe('invalid');
    expect(tokens.check(token)).toBe(ANN);
  });

  it('and is over is said to be over', () => {
    expect(tokens.check(signed({ ...claims, exp: clock.seconds - 61 }))).toBe('expired');
  });

  const { parameters, title, timeoutMs } = randomRuns(500);
  it(`by changing one character is refused ${title}`, { timeout: timeoutMs }, () => {
    fc.assert(
      fc.property(fc.nat(token.length - 1), fc.string({ minLength: 1, maxLength: 1 }), (at, character) => {
        const changed = token.slice(0, at) + character + token.slice(at + 1);
        expect(tokens.check(changed)).toBe(changed === token ? ANN : 'invalid');
      }),
      parameters,
    );
  });
});

/** The last character of a signature has two bits that no byte has. */
function withStrayBits(token: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  const last = alphabet.indexOf(token.at(-1) ?? '');
  return token.slice(0, -1) + alphabet.charAt(last ^ 1);
}

it('a token that never ends is found by its digest, and by nothing else', () => {
  const { tokens, lasting, clock } = tokenRoom();
  const token = lastingToken(countedRandomness());
  expect(token).toMatch(/^bb_[\w-]{43}$/);
  expect(tokens.check(token)).toBe('invalid');
  lasting.set(tokenDigest(token), ANN);
  clock.seconds += 1e9;
  expect(tokens.check(token)).toBe(ANN);
  for (const other of ['bb_', `${token}=`, token.slice(3), tokenDigest(token), token.toUpperCase()])
    expect(tokens.check(other)).toBe('invalid');
  lasting.clear();
  expect(tokens.check(token)).toBe('invalid');
});

it('tokens cannot do without a secret', () => {
  expect(() => tokenRoom({ secrets: [] })).toThrow('tokens need a secret, got none');
});

describe('what somebody has shown by a token', () => {
  const proofIn = (shown: Tokens, token: string) => {
    const found = shown.check(token);
    if (typeof found === 'string') throw new Error(found);
    return found.proof;
  };

  it('holds for as long as the token does, and is over from then on', () => {
    const { shown, tokens, clock } = tokenRoom();
    const { token } = tokens.issue(ANN);
    // Found again, it is the same.
    const proofs = [proofIn(shown, token), proofIn(shown, token)];
    clock.seconds += 18_060;
    expect(proofs.map((proof) => proof.standing())).toEqual(['holds', 'holds']);
    clock.seconds += 1;
    expect(proofs.map((proof) => proof.standing())).toEqual(['over', 'over']);
  });

  it('is over with the key that has signed it', () => {
    const { token } = tokenRoom({ secrets: [OTHER_SECRET], startSeconds: 1_700_010_000 }).tokens.issue(ANN);
    const { shown, clock } = tokenRoom({ secrets: [SECRET, OTHER_SECRET] });
    clock.seconds += 10_000;
    const proof = proofIn(shown, token);
    clock.seconds += 8_060;
    expect(proof.standing()).toBe('holds');
    clock.seconds += 1;
    expect(proof.standing()).toBe('over');
  });

  it('holds, of one that never ends, until it is taken from its user', () => {
    const { shown, lasting } = tokenRoom();
    const token = lastingToken(countedRandomness());
    lasting.set(tokenDigest(token), ANN);
    const proof = proofIn(shown, token);
    expect(proof.standing()).toBe('holds');
    lasting.set(tokenDigest(token), { ...ANN, name: 'bob' });
    expect(proof.standing()).toBe('withdrawn');
    lasting.clear();
    expect(proof.standing()).toBe('withdrawn');
  });
});
