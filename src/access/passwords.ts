import { type ScryptOptions, scrypt, timingSafeEqual } from 'node:crypto';

/**
 * Passwords as they are kept: `$scrypt$ln=15,r=8,p=3$SALT$KEY`, salt and key in base64 without padding, the parameters in the text, so
 * that they can rise without anybody's password being lost. Which passwords are taken at all is said here too.
 */

/** How dear one guess is: 2 to the power of `ln` blocks of 128 times `r` bytes, `p` times over. */
export interface Cost {
  readonly ln: number;
  readonly r: number;
  readonly p: number;
}

/** 32 MiB and 200 ms of one core: what OWASP asks for, at a quarter of the memory of its first choice. */
export const COST: Cost = { ln: 15, r: 8, p: 3 };

const SALT_BYTES = 16;
const KEY_BYTES = 32;

/** A kept password, read. */
export interface PasswordHash {
  readonly cost: Cost;
  readonly salt: Uint8Array;
  readonly key: Uint8Array;
}

/** Makes a key out of a password: the one thing that is dear on purpose. */
export type Derive = (password: string, salt: Uint8Array, cost: Cost, keyBytes: number) => Promise<Uint8Array>;

/** Bytes nobody can guess. */
export type Randomness = (bytes: number) => Uint8Array;

/** Node's own, on the pool of threads that files and names need as well: never call it past `Kdf`. */
export const deriveByScrypt: Derive = (password, salt, { ln, r, p }, keyBytes) => {
  // Node's default of 32 MiB is a little less than what these parameters need.
  const options: ScryptOptions = { N: 2 ** ln, r, p, maxmem: memoryOf({ ln, r, p }) + 16 * 1024 * 1024 };
  return new Promise((resolve, reject) => {
    scrypt(Buffer.from(password), salt, keyBytes, options, (error, key) => (error === null ? resolve(key) : reject(error)));
  });
};

/** Undefined for anything else, and for parameters that would take the process down, or hold nobody up. */
export function readHash(text: string): PasswordHash | undefined {
  const found = /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2})\$([A-Za-z0-9+/]{16,86})\$([A-Za-z0-9+/]{22,86})$/.exec(text);
  if (found === null) return undefined;
  const [, ln, r, p, salt = '', key = ''] = found;
  const cost = { ln: Number(ln), r: Number(r), p: Number(p) };
  if (cost.r < 1 || cost.p < 1 || workOf(cost) > MOST_WORK || workOf(cost) < LEAST_WORK) return undefined;
  return { cost, salt: Buffer.from(salt, 'base64'), key: Buffer.from(key, 'base64') };
}

/** What 2^17/8/1 and 2^16/8/2 take; a third more than `COST`. With it goes a bound of 128 MiB. */
const MOST_WORK = 2 ** 20;
const LEAST_WORK = 2 ** 17;

function memoryOf({ ln, r }: Cost): number {
  return 128 * 2 ** ln * r;
}

function workOf({ ln, r, p }: Cost): number {
  return 2 ** ln * r * p;
}

export function writeHash({ cost, salt, key }: PasswordHash): string {
  return `$scrypt$ln=${cost.ln},r=${cost.r},p=${cost.p}$${unpadded(salt)}$${unpadded(key)}`;
}

function unpadded(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64').replace(/=+$/, '');
}

/** Whether it is kept at less than what is asked for now. */
export function isCheap({ cost }: PasswordHash): boolean {
  return workOf(cost) < workOf(COST);
}

/** A password to be kept, under a salt of its own. */
export async function hashed(password: string, derive: Derive, randomness: Randomness): Promise<string> {
  const salt = randomness(SALT_BYTES);
  return writeHash({ cost: COST, salt, key: await derive(password, salt, COST, KEY_BYTES) });
}

export async function isPasswordOf(hash: PasswordHash, password: string, derive: Derive): Promise<boolean> {
  const key = await derive(password, hash.salt, hash.cost, hash.key.length);
  // A cheaper one takes as long as any: else it could be told by that who there is.
  const missing = Math.round((workOf(COST) - workOf(hash.cost)) / LEAST_WORK);
  if (missing > 0) await derive('', hash.salt, { ln: 14, r: 8, p: missing }, KEY_BYTES);
  // Both have one length by construction: anything else would throw, and must.
  return timingSafeEqual(key, hash.key);
}

/** What is worked on for a user who does not exist: it takes as long, and fits nothing. */
export const NOBODYS_HASH: PasswordHash = { cost: COST, salt: new Uint8Array(SALT_BYTES), key: new Uint8Array(KEY_BYTES) };

const LEAST_BYTES = 8;
export const MOST_PASSWORD_BYTES = 1_024;

/** Why nobody may have this password; undefined when it is as good as we can tell. The password itself is never in the text. */
export function passwordFault(user: string, password: string): string | undefined {
  const bytes = Buffer.byteLength(password);
  if (bytes < LEAST_BYTES || bytes > MOST_PASSWORD_BYTES)
    return `a password must have ${LEAST_BYTES}..${MOST_PASSWORD_BYTES} bytes, got ${bytes}`;
  return isKnownPassword(user, password) ? 'this password is the first that anybody would try' : undefined;
}

/**
 * Whether it is one that scanners try: it never lets anybody in, however it came to be kept. Longer ones are the short ones said twice,
 * or with digits.
 */
export function isKnownPassword(user: string, password: string): boolean {
  const plain = password.toLowerCase();
  const stem = plain.replace(/[\d!@#._-]+$/, '');
  return [plain, stem].some((text) => KNOWN.has(text) || (text !== '' && isRepeated(text, user.toLowerCase())));
}

function isRepeated(text: string, user: string): boolean {
  return user !== '' && text.length % user.length === 0 && text === user.repeat(text.length / user.length);
}

const KNOWN = new Set([
  'nacos',
  'nacosnacos',
  'admin',
  'adminadmin',
  'administrator',
  'password',
  'passw0rd',
  'beatbridge',
  'changeme',
  '12345678',
  '123456789',
  '1234567890',
  '87654321',
  '11111111',
  '00000000',
  '88888888',
  'qwertyui',
  'qwerty123',
  'abc12345',
  'iloveyou',
]);
