import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isReadByOthers, keptSecret, readSecret, secretFault } from '../../src/access/secrets.ts';
import { countedRandomness, SECRET } from './room.ts';

const PUBLISHED = [
  'SecretKey012345678901234567890123456789012345678901234567890123456789',
  'SecretKey01234567890123456789012345345678999987654901234567890123456789',
  'ThisIsMyCustomSecretKey012345678',
  'change-me-to-a-base64-string-at-least-32-chars',
  'your_nacos_auth_secret_token_0123456789',
  'base64-encoded-secret-key-min-256-bits',
];

describe('a secret', () => {
  it('is 32 bytes or more that nobody else has', () => {
    expect(secretFault(SECRET)).toBeUndefined();
    expect(secretFault(Buffer.from(SECRET.toString('base64url')))).toBeUndefined();
    expect(secretFault(Buffer.from('correct horse battery staple, twice over'))).toBeUndefined();
  });

  it.each<readonly [secret: string | Buffer, fault: string]>([
    ['', 'got 0'],
    ['x'.repeat(31), 'got 31'],
    [SECRET.subarray(1), 'got 31'],
    [Buffer.alloc(5_000, SECRET), 'got 5000'],
    [Buffer.alloc(32), 'repeats itself'],
    ['0123456701234567012345670123456701234567', 'repeats itself'],
    ['0123456789012345678901234567890123456789', 'repeats itself'],
    ['a few words and a blank '.repeat(3), 'repeats itself'],
    ...PUBLISHED.map((sample) => [sample, 'published'] as const),
    ...PUBLISHED.map((sample) => [Buffer.from(sample).toString('base64'), 'published'] as const),
    ...PUBLISHED.map((sample) => [Buffer.from(sample).toString('hex'), 'published'] as const),
    ...PUBLISHED.map((sample) => [` \t"${sample}"`, 'published'] as const),
    ...PUBLISHED.map((sample) => [`'${Buffer.from(sample).toString('base64')}'`, 'published'] as const),
  ])('is not %j', (secret, fault) => {
    const said = secretFault(Buffer.from(secret));
    expect(said).toContain(fault);
    if (secret.length > 0) expect(said).not.toContain(String(secret));
  });
});

describe('a file of a secret', () => {
  let dir = '';
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'beatbridge-secret-'));
  });
  afterAll(() => rm(dir, { recursive: true }));

  it('is made once, readable by its owner alone, and is the same ever after', async () => {
    const path = join(dir, 'made');
    const randomness = countedRandomness();
    const all = await Promise.all(Array.from({ length: 8 }, () => keptSecret(path, randomness)));
    const made = await readFile(path, 'utf8');
    expect(made).toMatch(/^[\w-]{43}\n$/);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    const secret = Buffer.from(made.trim());
    expect(await keptSecret(path, randomness)).toEqual({ secret });
    expect(all).toEqual(all.map(() => ({ secret })));
    expect(await readdir(dir)).toEqual(['made']);
  });

  it('is read without the end of its line, and with every blank', async () => {
    const path = join(dir, 'given');
    await writeFile(path, 'correct horse battery staple, twice over \r\n', { mode: 0o600 });
    expect(await readSecret(path)).toEqual({ secret: Buffer.from('correct horse battery staple, twice over ') });
  });

  it.each([0o640, 0o604, 0o660, 0o666, 0o601])('is not taken with the mode %o', async (mode) => {
    const path = join(dir, `mode-${mode}`);
    await writeFile(path, createHash('sha256').update('x').digest());
    await chmod(path, mode);
    expect(await readSecret(path)).toEqual({ fault: `others can read it (mode ${mode.toString(8)}): chmod 600` });
  });

  it.each<readonly [name: string, text: string | undefined, fault: string]>([
    ['absent', undefined, 'it cannot be read: ENOENT'],
    ['empty', '', 'it must have 32..4096 bytes, got 0'],
    ['short', 'short\n', 'it must have 32..4096 bytes, got 5'],
    ['long', 'x'.repeat(10_000), 'it must have 32..4096 bytes, got 10000'],
    ['sample', `${PUBLISHED[0]}\n`, 'it has been published as a sample, so that everybody knows it'],
  ])('is not taken when it is %s, and nothing is put in its place', async (name, text, fault) => {
    const path = join(dir, name);
    if (text !== undefined) await writeFile(path, text, { mode: 0o600 });
    expect(await readSecret(path)).toEqual({ fault });
    if (text === undefined) return;
    expect(await keptSecret(path, countedRandomness())).toEqual({ fault });
    expect(await readFile(path, 'utf8')).toBe(text);
  });

  it('is not waited for where it is a pipe that nobody writes to', async () => {
    const path = join(dir, 'pipe');
    execFileSync('mkfifo', ['-m', '600', path]);
    expect(await readSecret(path)).toEqual({ fault: 'it is not a file' });
    expect(await readSecret(dir)).toEqual({ fault: 'it is not a file' });
  });

  it('is not made where there is no folder', async () => {
    expect(await keptSecret(join(dir, 'no', 'folder'), countedRandomness())).toEqual({ fault: 'it cannot be made: ENOENT' });
  });
});

it.each([
  [0o400, 1000, 1000, false],
  [0o440, 1000, 1000, true],
  // As in a Secret of Kubernetes with an fsGroup.
  [0o440, 0, 1000, false],
  [0o444, 0, 1000, true],
  [0o460, 0, 1000, true],
  [0o600, 0, 0, false],
  [0o440, 0, 0, true],
  [0o440, 0, undefined, true],
])('a file with mode %o of user %s is read by others than %s: %s', (mode, uid, us, isRead) => {
  expect(isReadByOthers({ mode: 0o100_000 | mode, uid }, us)).toBe(isRead);
});
