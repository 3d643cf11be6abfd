import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterAll, describe, expect, it } from 'vitest';
import { checkOptions, type GivenOptions } from '../../src/options.ts';
import { openDoor } from '../../src/server/door.ts';
import { SETTLE_MS } from '../../src/wire/file-watch.ts';
import { failOnLeaks } from '../support/leaks.ts';
import { ManualScheduler } from '../support/scheduler.ts';

failOnLeaks();

const folder = mkdtempSync(join(tmpdir(), 'beatbridge-door-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function fileOf(name: string, text: string, mode = 0o600): string {
  const path = join(folder, name);
  writeFileSync(path, text, { mode });
  return path;
}

const SECRET = 'c2VjcmV0LW9mLXRlc3RzLXRoYXQtaXMtbG9uZy1lbm91Z2g';
const USERS = 'users: { ann: { password: "correct horse", roles: [admin] } }';

function door(given: GivenOptions) {
  const scheduler = new ManualScheduler();
  const lines: { readonly msg: string; readonly faults?: readonly string[] }[] = [];
  const log = pino({}, { write: (line: string) => void lines.push(JSON.parse(line)) });
  const { now } = scheduler;
  const open = openDoor({ options: checkOptions(given), scheduler, now, wallClock: now, log, hasTls: false });
  return { open, scheduler, lines };
}

const faultsOf = async (given: GivenOptions): Promise<readonly string[]> => {
  try {
    (await door(given).open).close();
    return [];
  } catch (error) {
    return (error as { readonly faults: readonly string[] }).faults;
  }
};

describe('a server does not start', () => {
  it('with logins and no secret that would outlive it', async () => {
    expect(await faultsOf({ auth: true })).toEqual([
      '--auth needs a secret that outlives a restart: --auth-secret-file, or a --data-dir to keep one in',
    ]);
  });

  it.each([
    ['short', 'short', 0o600, /it must have 32\.\.4096 bytes, got 5$/],
    ['readable', SECRET, 0o644, /others can read it \(mode 644\): chmod 600$/],
    ['published', `SecretKey012345678901234567890123456789`, 0o600, /published as a sample/],
  ])('with a secret that is %s', async (name, text, mode, fault) => {
    const authSecretFile = fileOf(name, text, mode);
    expect(await faultsOf({ auth: true, authSecretFile })).toEqual([expect.stringMatching(fault)]);
    expect((await faultsOf({ auth: true, authSecretFile })).join()).not.toContain(SECRET);
  });

  it('and says all that is wrong with secrets and users at once', async () => {
    const given = {
      auth: true,
      authSecretFile: join(folder, 'missing'),
      authSecretPreviousFile: fileOf('old', 'short'),
      userFile: fileOf('bad-users', 'users: { ann: { password: nacos } }'),
    };
    const faults = await faultsOf(given);
    expect(faults.map((fault) => fault.replace(/ .*/, ''))).toEqual([
      '--auth-secret-file',
      '--auth-secret-previous-file',
      '--user-file',
      '--user-file',
    ]);
    expect(faults.join()).toContain('nobody in it is admin');
  });
});

it('the start says who can write, where that may surprise', async () => {
  const noticeOf = async (given: GivenOptions) => {
    const opened = await door(given).open;
    opened.close();
    return opened.notices().join('\n');
  };
  expect(await noticeOf({ host: '127.0.0.1' })).toBe('');
  expect(await noticeOf({ host: 'localhost' })).toBe('');
  expect(await noticeOf({ host: '::', trust: 'private' })).toBe('');
  expect(await noticeOf({ host: '::' })).toContain('only this machine');
  expect(await noticeOf({ openWrites: true })).toContain('anyone');
  expect(await noticeOf({ auth: true, authSecretFile: fileOf('secret', SECRET) })).toContain('nobody can log in yet');
});

/** A door with that user file, open, and what it does when the file is another one. For `using`. */
async function followedDoor(name: string, text: string, mode = 0o600) {
  const userFile = fileOf(name, text, mode);
  const { open, scheduler, lines } = door({ auth: true, authSecretFile: fileOf('secret', SECRET), userFile });
  const opened = await open;
  /** Until so many lines have been logged: passwords are hashed before. */
  const logged = async (count: number) => {
    while (lines.length < count) {
      scheduler.advance(SETTLE_MS);
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  return {
    ...opened,
    userFile,
    lines,
    names: () => opened.users.all().map((user) => user.name),
    logged,
    async write(next: string, count: number) {
      writeFileSync(userFile, next);
      await logged(count);
    },
    [Symbol.dispose]: opened.close,
  };
}

it('another user file is in force soon, and one that is wrong never', async () => {
  using room = await followedDoor('users', USERS);
  const { lines, names } = room;
  expect(names()).toEqual(['ann']);
  await room.write(USERS.replace('ann:', 'bob: { password: "correct horse" }, ann:'), 1);
  expect([names(), lines.at(-1)?.msg]).toEqual([['ann', 'bob'], 'the user file was read anew']);
  await room.write('users: {}', 2);
  expect(names()).toEqual(['ann', 'bob']);
  expect(lines.at(-1)).toMatchObject({
    msg: 'the user file has changed and cannot be taken: users stay as they were',
    faults: [expect.stringContaining('nobody in it is admin')],
  });
  rmSync(room.userFile);
  await room.logged(3);
  expect(names()).toEqual(['ann', 'bob']);
});

describe('a user file', () => {
  const HASHED = `users: { ann: { tokens: ["sha256:${'0'.repeat(64)}"], roles: [admin] } }`;

  it.each<readonly [what: string, text: string, mode: number, warning: RegExp | undefined]>([
    ['with passwords, for its owner alone', USERS, 0o600, undefined],
    [
      'with passwords, that others can read',
      USERS,
      0o644,
      /others can read it \(mode 644\), and the passwords of ann are written out/,
    ],
    ['with passwords, that the group can read', USERS, 0o640, /others can read it \(mode 640\)/],
    ['without passwords, that others can read', HASHED, 0o644, undefined],
    ['that others can write', HASHED, 0o666, /others can write it \(mode 666\), and so be whoever they like: chmod 600$/],
    ['that the group can write', HASHED, 0o660, /others can write it \(mode 660\)/],
  ])('%s', async (what, text, mode, warning) => {
    const path = fileOf(what, text, mode);
    // What a file is made with passes through the mask of the process.
    chmodSync(path, mode);
    using room = await followedDoor(what, text, mode);
    expect(room.names()).toEqual(['ann']);
    expect(room.lines.map(({ msg }) => msg)).toEqual(warning === undefined ? [] : [expect.stringMatching(warning)]);
    expect(JSON.stringify(room.lines)).not.toContain('correct horse');
  });

  it('whose mode alone changes is looked at again', async () => {
    using room = await followedDoor('opened', USERS);
    chmodSync(room.userFile, 0o604);
    await room.logged(2);
    expect(room.lines.map(({ msg }) => msg)).toEqual([
      'the user file was read anew',
      expect.stringMatching(/others can read it \(mode 604\)/),
    ]);
  });

  it('that has users whom calls have made as well says so, and again when it leaves them out', async () => {
    const both = USERS.replace('ann:', 'bob: { password: "correct horse", roles: [auditor] }, ann:');
    const text = `${both}\nroles: { auditor: [{ resource: "*:*:*", action: r }] }`;
    using room = await followedDoor('both', text);
    const ann = room.users.find('ann');
    if (ann === undefined) throw new Error('no ann');
    room.users.durableUsers.restore([['bob', { ...ann, roles: ['writer'] }]]);
    room.users.durableRules.restore([['auditor', [{ resource: '*:*:*', action: 'rw' }]]]);
    expect(room.notices().join()).toMatch(/^in the user file, and made by calls as well: bob, role auditor; the file counts/);
    expect(room.users.find('bob')?.roles).toEqual(['auditor']);
    await room.write(`${text} `, 2);
    expect(room.lines.map(({ msg }) => msg)).toEqual([
      'the user file was read anew',
      expect.stringContaining('made by calls as well: bob, role auditor'),
    ]);
    await room.write(USERS, 5);
    expect(room.users.find('bob')?.roles).toEqual(['writer']);
    expect(room.lines.slice(2).map(({ msg }) => msg)).toEqual([
      'the user file was read anew',
      expect.stringContaining('it no longer has bob, whom calls have made as well: these count again'),
      expect.stringContaining('it no longer has the roles auditor: the permissions that calls gave them count again'),
    ]);
  });
});

it('what contradicts itself is told with all else that is wrong with the options', () => {
  const faults = (given: GivenOptions) => {
    try {
      checkOptions(given);
      return [];
    } catch (error) {
      return (error as { readonly faults: readonly string[] }).faults;
    }
  };
  expect(faults({ trust: '0.0.0.0/0' })).toEqual([
    expect.stringMatching(/^trust must be addresses, .*; for everybody there is --open-writes, got "0\.0\.0\.0\/0"$/),
  ]);
  expect(faults({ auth: true, openWrites: true, port: -1 })).toEqual([
    'port must be 0..65535, got -1',
    expect.stringContaining('--open-writes lets anyone write, which --auth is to prevent'),
  ]);
  expect(faults({ userFile: 'users.yaml' })).toEqual(['userFile says nothing without --auth']);
  expect(faults({ trustReads: true })).toEqual([expect.stringContaining('--trust-reads says nothing without --auth')]);
  expect(faults({ allowOrigin: 'https://a.example,*' })).toEqual([expect.stringContaining('allowOrigin must be origins')]);
});
