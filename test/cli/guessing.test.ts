import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { deriveByScrypt, writeHash } from '../../src/access/passwords.ts';
import { FREE_PORTS, startProcess } from '../support/process.ts';

/** A process with real scrypt, under real guesses: where there are more that wait than there are places. */

const folder = mkdtempSync(join(tmpdir(), 'beatbridge-guessing-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const PASSWORD = 'as in a sentence';
const HONEST = ['one', 'two'];
const GUESSERS = 16;
const AT_ONCE = 5;

/** As cheap as a hash may be: the processor has others to work for. */
async function cheapHash(password: string): Promise<string> {
  const cost = { ln: 14, r: 8, p: 1 };
  const salt = Buffer.alloc(16, password.length);
  return writeHash({ cost, salt, key: await deriveByScrypt(password, salt, cost, 32) });
}

async function userFile(): Promise<string> {
  const hash = await cheapHash(PASSWORD);
  const users = Object.fromEntries(['root', ...HONEST].map((name) => [name, { password: hash, roles: ['admin'] }]));
  const path = join(folder, 'users.json');
  writeFileSync(path, JSON.stringify({ users }), { mode: 0o600 });
  return path;
}

function login(address: string, from: string, username: string, password: string): Promise<number | undefined> {
  const [host = '', port] = address.split(':');
  const body = new URLSearchParams({ username, password }).toString();
  const headers = { 'content-type': 'application/x-www-form-urlencoded', 'content-length': body.length };
  const options = { host, port, path: '/nacos/v1/auth/login', method: 'POST', headers, localAddress: from, agent: false };
  return new Promise((resolve, reject) => {
    const req = request(options, (res) => {
      res.resume();
      res.on('close', () => resolve(res.statusCode));
    });
    req.on('error', reject).end(body);
  });
}

// Only on Linux has a machine all of 127.0.0.0/8, and so callers from many addresses.
describe.runIf(process.platform === 'linux')('while sixteen addresses guess', () => {
  it('whoever comes from another logs in at the first try, and whoever has before at once', async () => {
    const secret = join(folder, 'secret');
    writeFileSync(secret, 'c2VjcmV0LW9mLXRlc3RzLXRoYXQtaXMtbG9uZy1lbm91Z2g', { mode: 0o600 });
    const args = ['--auth', '--user-file', await userFile(), '--auth-secret-file', secret];
    await using bridge = await startProcess([...FREE_PORTS, ...args]);
    const { main } = bridge.listeners;
    expect(await login(main, '127.0.0.1', 'root', PASSWORD)).toBe(200);
    let isOver = false;
    let guesses = 0;
    const told = new Map<number | undefined, number>();
    const outside: (() => void)[] = [];
    const guesser = async (from: string) => {
      while (!isOver) {
        const status = await login(main, from, 'root', `guess number ${guesses++}`);
        told.set(status, (told.get(status) ?? 0) + 1);
        // Whoever has found no place comes again as soon as there is one.
        if (status === 429 && !isOver) await new Promise<void>((resolve) => void outside.push(resolve));
        else outside.shift()?.();
      }
    };
    const all = Promise.all(Array.from({ length: GUESSERS * AT_ONCE }, (_, i) => guesser(`127.0.1.${1 + (i % GUESSERS)}`)));
    // There are more than can wait.
    await expect.poll(() => told.get(429) ?? 0).toBeGreaterThan(0);
    const honest: (number | undefined)[] = [];
    for (const [i, name] of HONEST.entries()) honest.push(await login(main, `127.0.2.${1 + i}`, name, PASSWORD));
    const again = await login(main, '127.0.1.1', 'root', PASSWORD);
    isOver = true;
    for (const comeAgain of outside.splice(0)) comeAgain();
    await all;
    expect([honest, again]).toEqual([HONEST.map(() => 200), 200]);
    expect([...told.keys()].sort()).toEqual([403, 429]);
  });
});
