import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  COST,
  deriveByScrypt,
  hashed,
  isCheap,
  isKnownPassword,
  isPasswordOf,
  NOBODYS_HASH,
  passwordFault,
  readHash,
  writeHash,
} from '../../src/access/passwords.ts';
import { countedRandomness, PASSWORD, quickly } from './room.ts';

describe('a password', () => {
  it('is kept by scrypt at a cost that is written beside it, and known again', async () => {
    const text = await hashed(PASSWORD, deriveByScrypt, randomBytes);
    expect(text).toMatch(/^\$scrypt\$ln=15,r=8,p=3\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/);
    const hash = readHash(text) ?? NOBODYS_HASH;
    expect(await isPasswordOf(hash, PASSWORD, deriveByScrypt)).toBe(true);
    expect(text).not.toContain(PASSWORD);
  });

  it('of RFC 7914 is what it is there', async () => {
    const salt = Buffer.from('SodiumChloride');
    const key = await deriveByScrypt('pleaseletmein', salt, { ln: 14, r: 8, p: 1 }, 64);
    expect(Buffer.from(key).toString('hex')).toMatch(/^7023bdcb3afd7348461c06cd81fd38eb/);
  });

  it('is kept under another salt each time', async () => {
    const randomness = countedRandomness();
    expect(await hashed(PASSWORD, quickly, randomness)).not.toBe(await hashed(PASSWORD, quickly, randomness));
  });

  it('is bytes: no blank is cut, and letters are not folded', async () => {
    const hash = readHash(await hashed('Grün &x', quickly, countedRandomness())) ?? NOBODYS_HASH;
    for (const other of ['grün &x', 'Grün &x ', ' Grün &x', 'Gru\u0308n &x', 'Grün '])
      expect(await isPasswordOf(hash, other, quickly)).toBe(false);
    expect(await isPasswordOf(hash, 'Grün &x', quickly)).toBe(true);
  });
});

describe('a hash', () => {
  const [salt, key] = [Buffer.alloc(16, 1), Buffer.alloc(32, 2)];
  const text = writeHash({ cost: COST, salt, key });

  it('is read as it was written', () => {
    expect(readHash(text)).toEqual({ cost: COST, salt, key });
    expect(isCheap(readHash(text) ?? NOBODYS_HASH)).toBe(false);
  });

  it.each([
    ['ln=14,r=8,p=1', true, true],
    ['ln=14,r=8,p=5', true, true],
    ['ln=15,r=8,p=3', true, false],
    ['ln=16,r=8,p=2', true, false],
    ['ln=17,r=8,p=1', true, false],
    // They would hold nobody up, or take all the memory or time there is.
    ['ln=13,r=8,p=1', false, false],
    ['ln=1,r=1,p=1', false, false],
    ['ln=18,r=8,p=1', false, false],
    ['ln=17,r=8,p=2', false, false],
    ['ln=20,r=1,p=2', false, false],
    ['ln=30,r=8,p=1', false, false],
    ['ln=15,r=99,p=1', false, false],
    ['ln=15,r=0,p=3', false, false],
    ['ln=15,r=8,p=0', false, false],
    ['ln=15,r=8,p=99', false, false],
    ['ln=99,r=99,p=99', false, false],
    ['ln=-1,r=8,p=3', false, false],
    ['r=8,ln=15,p=3', false, false],
  ])('of %s is one: %s, and a cheap one: %s', (cost, is, cheap) => {
    const hash = readHash(text.replace('ln=15,r=8,p=3', cost));
    expect(hash !== undefined).toBe(is);
    expect(hash !== undefined && isCheap(hash)).toBe(cheap);
  });

  it.each([
    '',
    PASSWORD,
    '$scrypt$',
    '$2a$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy',
    `${text} `,
    ` ${text}`,
    `${text}$`,
    text.slice(0, -30),
  ])('"%s" is none', (other) => expect(readHash(other)).toBeUndefined());
});

describe('which passwords are taken', () => {
  it.each<readonly [user: string, password: string, taken: boolean]>([
    ['ann', PASSWORD, true],
    ['ann', 'x'.repeat(8), true],
    ['ann', 'x'.repeat(1_024), true],
    ['ann', 'ääää', true],
    ['ann', 'annapurna', true],
    ['ann', '', false],
    ['ann', 'seven77', false],
    ['ann', 'x'.repeat(1_025), false],
    ['ann', 'ä'.repeat(513), false],
    ['nacos', 'nacos', false],
    ['ann', 'nacosnacos', false],
    ['ann', 'Nacos123', false],
    ['ann', 'nacos@2026!', false],
    ['ann', 'admin1234', false],
    ['ann', 'password', false],
    ['ann', '12345678', false],
    ['ann', '123456789', false],
    ['ann', '88888888', false],
    ['ann', 'Qwerty123', false],
    ['ann', '12345679', true],
    ['operator', 'operator', false],
    ['operator', 'Operator1', false],
    ['oper', 'operoper', false],
  ])('of %s: "%s": %s', (user, password, taken) => {
    const fault = passwordFault(user, password);
    expect(fault === undefined).toBe(taken);
    if (password.length > 8) expect(fault ?? '').not.toContain(password);
  });

  it('no name is repeated by nothing', () => expect(isKnownPassword('', '')).toBe(false));
});
