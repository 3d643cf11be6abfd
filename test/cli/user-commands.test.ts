import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { deriveByScrypt, isPasswordOf, readHash } from '../../src/access/passwords.ts';
import { tokenDigest } from '../../src/access/tokens.ts';
import { readUserFile } from '../../src/access/user-file.ts';
import { hashPassword } from '../../src/cli/hash-password.ts';
import { OptionsError } from '../../src/options.ts';
import { CLI } from '../support/process.ts';

/** The command with that on its standard input. */
async function piped(input: string | Buffer, ...args: string[]) {
  const child = spawn(process.execPath, [CLI, ...args]);
  const said = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const)
    child[name].on('data', (chunk) => {
      said[name] += chunk;
    });
  // One that takes no more of it is no fault here.
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  const [code] = await once(child, 'close');
  return { code, ...said };
}

async function fits(line: string, password: string): Promise<boolean> {
  const hash = readHash(line.trimEnd());
  return hash !== undefined && isPasswordOf(hash, password, deriveByScrypt);
}

describe('beatbridge hash-password', () => {
  it('prints one line that the user file takes, of what is piped in without the end of its line', async () => {
    const { code, stdout, stderr } = await piped('  a good password \r\n', 'hash-password', '--user', 'ann');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^\$scrypt\$[^\n]+\n$/);
    expect(await fits(stdout, '  a good password ')).toBe(true);
    expect(await fits(stdout, 'a good password')).toBe(false);
    const file = readUserFile(`users: { ann: { password: "${stdout.trimEnd()}", roles: [admin] } }`);
    expect(file).not.toHaveProperty('faults');
  });

  it.each<readonly [what: string, input: string | Buffer, args: readonly string[], fault: string]>([
    ['nothing', '', [], 'a password must have 8..1024 bytes, got 0'],
    ['too little', 'short\n', [], 'a password must have 8..1024 bytes, got 5'],
    ['too much', 'x'.repeat(1_025), [], 'a password must have 8..1024 bytes, got 1025'],
    ['far too much', 'x'.repeat(1_000_000), [], 'a password must be one line, got more than 65536 bytes'],
    ['what everybody tries', 'nacos123', [], 'this password is the first that anybody would try'],
    ['the name of its user', 'annannann', ['--user', 'ann'], 'this password is the first'],
    ['two lines', 'a good password\nand more', [], 'a password must be one line without control characters'],
    ['no text', Buffer.from([0xff, 0xfe, 65, 0, 65, 0, 65, 0]), [], 'a password must be in UTF-8'],
    [
      'a user who cannot be',
      'a good password',
      ['--user', 'a:b'],
      '--user must have 1..64 letters, digits, and _ . @ -, got "a:b"',
    ],
  ])('refuses %s', async (_, input, args, fault) => {
    const { code, stdout, stderr } = await piped(input, 'hash-password', ...args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^beatbridge: [^\n]*\n$/);
    expect(stderr).toContain(fault);
  });

  it.each([[['hunter22']], [['--password', 'hunter22']], [['--password=hunter22']], [['--user', 'ann', '--', 'hunter22']]])(
    'takes none from its arguments, and does not repeat it: %j',
    async (args) => {
      const { code, stdout, stderr } = await piped('a good password', 'hash-password', ...args);
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
      expect(stderr).toContain('a password is never one');
      expect(stderr).not.toContain('hunter22');
    },
  );
});

describe('beatbridge hash-password at a terminal', () => {
  /** As if somebody typed that: keys as a terminal sends them while it shows nothing. */
  function typing(keys: string) {
    const modes: boolean[] = [];
    const said: string[] = [];
    let interrupts = 0;
    const input = Object.assign(new PassThrough(), { isTTY: true, setRawMode: (mode: boolean) => void modes.push(mode) });
    const hash = hashPassword({ input, say: (text) => void said.push(text), interrupt: () => void interrupts++ }, undefined);
    input.write(keys);
    return { hash, modes, said: () => said.join(''), interrupts: () => interrupts };
  }

  const faultOf = (hash: Promise<string>) =>
    hash.then(
      () => 'none',
      (error) => (error instanceof OptionsError ? error.message : error),
    );

  it('asks twice, takes what is corrected, and shows nothing of it', async () => {
    const terminal = typing('a good pasx\u007fsword\ra good password\r');
    expect(await fits(await terminal.hash, 'a good password')).toBe(true);
    expect(terminal.said()).toBe('password: \nonce more: \n');
    // Keys come as they are from the first one on, and as usual in the end.
    expect([terminal.modes[0], terminal.modes.at(-1)]).toEqual([true, false]);
  });

  it('refuses two that differ, and none', async () => {
    expect(await faultOf(typing('a good password\ra good passwort\r').hash)).toBe('these two were not the same');
    expect(await faultOf(typing('\u0004').hash)).toBe('no password was given');
  });

  it('is ended by Ctrl-C, and leaves the terminal as it was', async () => {
    const terminal = typing('a good\u0003');
    expect(await faultOf(terminal.hash)).toBe('no password was given');
    expect([terminal.interrupts(), terminal.modes.at(-1)]).toEqual([1, false]);
  });
});

describe('beatbridge new-token', () => {
  it('prints a token and what the user file has of it, each time another', async () => {
    const [one, other] = await Promise.all([piped('', 'new-token'), piped('', 'new-token')]);
    expect([one.code, one.stderr]).toEqual([0, '']);
    const [token = '', digest = '', ...rest] = one.stdout.split('\n');
    expect(token).toMatch(/^bb_[\w-]{43}$/);
    expect([digest, rest]).toEqual([tokenDigest(token), ['']]);
    expect(other.stdout.split('\n')[0]).not.toBe(token);
    const file = readUserFile(`users: { probe: { tokens: ["${digest}"], roles: [admin] } }`);
    expect(file).not.toHaveProperty('faults');
  });

  it('takes none that is given', async () => {
    const { code, stdout, stderr } = await piped('', 'new-token', 'bb_secret');
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).not.toContain('bb_secret');
  });
});
