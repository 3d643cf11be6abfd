import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { Proof } from '../rights/admission.ts';
import type { Randomness } from './passwords.ts';

import { Recent } from './recent.ts';
import type { User } from './users.ts';

/**
 * What a login gives, and what calls bring along in its place: a JWT of one single form, `{"alg":"HS256"}` over `{sub, iat, exp, gen}`.
 *
 * Made and read here, on node:crypto, and not by a library: `jose` takes HS512 for a 32-byte key unless it is told otherwise and a token
 * without `exp` unless it is told otherwise, and its promises and WebCrypto cost 53 us a call where this costs 2. Nothing in the header
 * is ever obeyed: it must be the very bytes that are written here.
 *
 * `gen` is the generation of the user under the key that signs, so that a password that is changed, or a user who is deleted, ends all
 * tokens; it tells nothing to who does not have the key. Several keys may verify and the first one signs: tokens outlive a change of it.
 */
export class Tokens {
  readonly #options: TokensOptions;
  readonly #keys: readonly Key[];
  /** By the digest of the token, so that none lies in memory, and nothing can be learnt from how long a comparison takes. */
  readonly #known = new Recent<string, Known>(MOST_KNOWN);

  constructor(options: TokensOptions) {
    const [first] = options.secrets;
    if (first === undefined) throw new RangeError('tokens need a secret, got none');
    this.#options = options;
    const retiresAt = options.now() + (MOST_TTL_SECONDS + GRACE_SECONDS) * 1_000;
    this.#keys = options.secrets.map((secret, i) => ({ secret, until: i === 0 ? Number.POSITIVE_INFINITY : retiresAt }));
  }

  /** A token of this user, and for how many seconds it is good. */
  issue({ name, generation }: User): { readonly token: string; readonly ttlSeconds: number } {
    const { now, ttlSeconds } = this.#options;
    // There is a first one: the constructor has looked.
    const key = this.#keys[0] as Key;
    const exp = Math.floor(now() / 1_000) + ttlSeconds;
    const payload = { sub: name, iat: now() / 1_000, exp, gen: generationTag(key, name, generation) };
    const signed = `${HEADER}.${Buffer.from(JSON.stringify(payload)).toString('base64url')}`;
    return { token: `${signed}.${signatureOf(key, signed).toString('base64url')}`, ttlSeconds };
  }

  /** Whose it is, as long as it holds; asked anew at each request. */
  check(token: string): Shown | TokenFault {
    if (token.length > MOST_TOKEN_BYTES) return 'invalid';
    if (token.startsWith(LASTING)) return this.#lasting(tokenDigest(token));
    const digest = createHash('sha256').update(token).digest('base64');
    const known = this.#known.get(digest);
    const said = known ?? this.#read(token);
    if (said === undefined) return 'invalid';
    const { name, key } = said;
    if (this.#options.now() > key.until) return 'invalid';
    if (this.#isOver(said)) return 'expired';
    const user = this.#options.find(name);
    if (user === undefined || user.isDisabled || said.issuedAt <= this.#options.endedAt(name)) return 'invalid';
    if (known !== undefined) return known.generation === user.generation ? { user, proof: known.proof } : 'invalid';
    if (generationTag(key, name, user.generation) !== said.tag) return 'invalid';
    const proof: Proof = { until: this.#endOf(said), standing: () => (this.#isOver(said) ? 'over' : 'holds') };
    this.#known.set(digest, { ...said, generation: user.generation, proof });
    return { user, proof };
  }

  #lasting(digest: string): Shown | TokenFault {
    const { findByToken } = this.#options;
    const user = findByToken(digest);
    if (user === undefined) return 'invalid';
    const standing = () => (findByToken(digest)?.name === user.name ? 'holds' : 'withdrawn');
    return { user, proof: { until: Number.POSITIVE_INFINITY, standing } };
  }

  #isOver(said: Said): boolean {
    return this.#options.now() > this.#endOf(said);
  }

  #endOf({ exp, key }: Said): number {
    return Math.min((exp + GRACE_SECONDS) * 1_000, key.until);
  }

  /** What a token says that one of the keys has signed. */
  #read(token: string): Said | undefined {
    const [header, payload = '', signature = '', ...more] = token.split('.');
    if (header !== HEADER || more.length > 0) return undefined;
    const said = canonicalBytes(payload);
    const signed = canonicalBytes(signature);
    if (said === undefined || signed?.length !== SIGNATURE_BYTES) return undefined;
    const key = this.#keys.find((one) => timingSafeEqual(signatureOf(one, `${header}.${payload}`), signed));
    const claims = key && claimsIn(said);
    if (key === undefined || claims === undefined) return undefined;
    // Nobody here signs for longer: it was made with a key that has got out, or by another clock.
    const isTooLong = claims.exp * 1_000 > this.#options.now() + (MOST_TTL_SECONDS + GRACE_SECONDS) * 1_000;
    if (isTooLong) return undefined;
    // Until there was `iat` none was made for longer.
    const issuedAt = Math.round((claims.iat ?? claims.exp - MOST_TTL_SECONDS) * 1_000);
    return { name: claims.sub, tag: claims.gen, exp: claims.exp, issuedAt, key };
  }
}

export interface TokensOptions {
  /** The first one signs, all verify: the others for as long as a token can still be good that they have signed. */
  readonly secrets: readonly Uint8Array[];
  readonly ttlSeconds: number;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly find: (name: string) => User | undefined;
  /** No token of that name is good that was given by then: milliseconds since 1970. */
  readonly endedAt: (name: string) => number;
  /** Whose lasting token it is, by its digest. */
  readonly findByToken: (digest: string) => User | undefined;
}

/** So that whoever looks for secrets in a repository finds one. */
const LASTING = 'bb_';

/** A token that never ends, for who cannot log in; only its digest is kept. */
export function lastingToken(randomness: Randomness): string {
  return LASTING + Buffer.from(randomness(32)).toString('base64url');
}

/** As it is kept: looked up, and never compared. */
export function tokenDigest(token: string): string {
  return `sha256:${createHash('sha256').update(token).digest('hex')}`;
}

/** Whose a token is, and what becomes of it; who that is by then is not asked. */
export interface Shown {
  readonly user: User;
  readonly proof: Proof;
}

export type TokenFault = 'invalid' | 'expired';

/** Java looks every 5 s, PHP's clients log in anew for each request below a minute, Python renews 10 s before the end. */
export const LEAST_TTL_SECONDS = 300;
export const MOST_TTL_SECONDS = 18_000;
/** Clients of C++ renew when it is over, and clocks differ. */
const GRACE_SECONDS = 60;
const MOST_TOKEN_BYTES = 4_096;
const MOST_KNOWN = 10_000;
const SIGNATURE_BYTES = 32;

const HEADER = Buffer.from('{"alg":"HS256"}').toString('base64url');

interface Key {
  readonly secret: Uint8Array;
  /** In milliseconds since 1970. */
  readonly until: number;
}

interface Said {
  readonly name: string;
  /** Of the generation, under the key. */
  readonly tag: string;
  readonly exp: number;
  /** In milliseconds since 1970. */
  readonly issuedAt: number;
  readonly key: Key;
}

/** What has been read and found good. */
interface Known extends Said {
  /** Of the user, when it was. */
  readonly generation: string;
  readonly proof: Proof;
}

function signatureOf({ secret }: Key, text: string): Buffer {
  return createHmac('sha256', secret).update(text).digest();
}

function generationTag({ secret }: Key, name: string, generation: string): string {
  return createHmac('sha256', secret).update(`gen\0${name}\0${generation}`).digest('base64url').slice(0, 22);
}

/** Undefined unless it is written in the one way in which it would be written here: no padding, no blank, no stray bit. */
function canonicalBytes(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64url');
  return bytes.toString('base64url') === text ? bytes : undefined;
}

interface Claims {
  readonly sub: string;
  /** Undefined of those from before it was said. */
  readonly iat: number | undefined;
  readonly exp: number;
  readonly gen: string;
}

function claimsIn(payload: Buffer): Claims | undefined {
  let said: unknown;
  try {
    said = JSON.parse(payload.toString());
  } catch {
    return undefined;
  }
  if (typeof said !== 'object' || said === null) return undefined;
  const { sub, iat, exp, gen } = said as { readonly [claim: string]: unknown };
  if (typeof sub !== 'string' || typeof gen !== 'string' || typeof exp !== 'number' || !Number.isSafeInteger(exp))
    return undefined;
  if (iat !== undefined && typeof iat !== 'number') return undefined;
  return { sub, iat, exp, gen };
}
