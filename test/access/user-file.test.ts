import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Derive, hashed, readHash } from '../../src/access/passwords.ts';
import { putUserFile, readUserFile, type UserFile } from '../../src/access/user-file.ts';
import { Users } from '../../src/access/users.ts';
import { accessRoom, countedRandomness, PASSWORD, quickly } from './room.ts';

const HASH = await hashed(PASSWORD, quickly, countedRandomness());

function read(text: string): UserFile {
  const file = readUserFile(text);
  if ('faults' in file) throw new Error(file.faults.join('\n'));
  return file;
}

function faultsOf(text: string): readonly string[] {
  const file = readUserFile(text);
  return 'faults' in file ? file.faults : [];
}

describe('a file of users', () => {
  it('says who there is, and what roles of its own mean', async () => {
    const users = new Users();
    const text = `
users:
  root: { password: "${HASH}", roles: [admin] }
  ann: { password: ${PASSWORD}, roles: ['writer@dev:G1', auditor], disabled: true }
  orders: { certificate: "spiffe://cluster/ns/shop/sa/orders", roles: [writer] }
roles:
  auditor:
    - { resource: "*:*:naming/*", action: r }
`;
    await putUserFile(users, read(text), quickly, countedRandomness());
    expect(users.all().map(({ name, roles, isDisabled, certificate }) => [name, roles, isDisabled, certificate])).toEqual([
      ['ann', ['writer@dev:G1', 'auditor'], true, undefined],
      ['orders', ['writer'], false, 'spiffe://cluster/ns/shop/sa/orders'],
      ['root', ['admin'], false, undefined],
    ]);
    expect(users.find('root')?.hash).toBe(HASH);
    expect(readHash(users.find('ann')?.hash ?? '')).toBeDefined();
    expect(readHash(users.find('orders')?.hash ?? '')).toBeUndefined();
    expect(users.allRules()).toEqual([{ role: 'auditor', resource: '*:*:naming/*', action: 'r' }]);
    expect(JSON.stringify(users.all())).not.toContain(PASSWORD);
  });

  it('can be JSON', () => {
    const text = JSON.stringify({ users: { root: { password: HASH, roles: ['admin'] } } });
    expect(read(text).users.map(({ name }) => name)).toEqual(['root']);
  });

  it('gives the same generations after a restart, and others with other passwords', async () => {
    const generationOf = async (password: string) => {
      const users = new Users();
      await putUserFile(
        users,
        read(`users: { root: { password: ${JSON.stringify(password)}, roles: [admin] } }`),
        quickly,
        countedRandomness(),
      );
      return users.find('root')?.generation;
    };
    expect(await generationOf(PASSWORD)).toBe(await generationOf(PASSWORD));
    expect(await generationOf(HASH)).toBe(await generationOf(HASH));
    expect(await generationOf(PASSWORD)).not.toBe(await generationOf('battery staple'));
  });

  it('that is read again takes the place of what it said, and hashes only what is new', async () => {
    const users = new Users();
    let count = 0;
    const derive: Derive = (...said) => {
      count++;
      return quickly(...said);
    };
    const randomness = countedRandomness();
    const root = `root: { password: ${PASSWORD}, roles: [admin] }`;
    await putUserFile(users, read(`users: { ${root}, ann: { password: ${PASSWORD} } }`), derive, randomness);
    expect(count).toBe(2);
    const { hash } = users.find('root') ?? {};
    await putUserFile(users, read(`users: { ${root}, bob: { password: battery staple } }`), derive, randomness);
    expect(count).toBe(3);
    expect(users.find('root')?.hash).toBe(hash);
    expect(users.find('ann')).toBeUndefined();
    expect(users.find('bob')).toBeDefined();
  });

  it('that can no longer be read, or is wrong, leaves everybody as he is', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'beatbridge-users-'));
    try {
      const path = join(dir, 'users.yaml');
      using room = accessRoom({ auth: true });
      const { users } = room;
      const load = () => room.loadUsers(path);
      expect(await load()).toEqual({ faults: ['it cannot be read: ENOENT'], warnings: [] });
      await writeFile(path, `users: { root: { password: ${PASSWORD}, roles: [admin] } }`);
      expect((await load())?.faults).toEqual([]);
      const before = users.find('root');
      for (const text of [
        '',
        'users: {}',
        'users: { root: { password: battery staple, roles: [admin] }, ann: {} }',
        '\u0000',
        '{',
      ]) {
        await writeFile(path, text);
        expect((await load())?.faults).not.toEqual([]);
        expect(await load()).toBeUndefined();
        expect(users.all()).toEqual([before]);
      }
      await rm(path);
      expect((await load())?.faults).toEqual(['it cannot be read: ENOENT']);
      expect(await load()).toBeUndefined();
      expect(users.find('root')).toBe(before);
    } finally {
      await rm(dir, { recursive: true });
    }
  });

  const admin = `root: { password: "${HASH}", roles: [admin] }`;
  it.each<readonly [text: string, fault: string]>([
    ['', 'the file: it must have keys and values'],
    ['[]', 'the file: it must have keys and values'],
    ['{}', 'nobody in it is admin: give one user the role admin'],
    ['users: {}', 'nobody in it is admin: give one user the role admin'],
    [`users: { root: { password: "${HASH}", roles: [admin@dev] } }`, 'nobody in it is admin'],
    [`users: { root: { password: "${HASH}", roles: [admin], disabled: true } }`, 'nobody in it is admin'],
    [`users: { ${admin} }\nuser: {}`, '"user" is not known here: it must be users or roles'],
    [`users: { ${admin}, ${admin} }`, 'line 1: duplicate key'],
    [`users: { ${admin}`, 'line 1: '],
    [`users: { ${admin}, ann: &a { password: longenough1 }, bob: *a }`, 'an alias cannot be used here'],
    [`users: { ${admin}, ann: }`, 'user "ann": it must have keys and values'],
    [`users: { ${admin}, ann: {} }`, 'user "ann": it must have a password, a certificate or tokens'],
    [`users: { ${admin}, ann: { password: 12345678 } }`, 'user "ann": password must be a text: put it in quotes'],
    [`users: { ${admin}, ann: { password: short } }`, 'user "ann": a password must have 8..1024 bytes, got 5'],
    [`users: { ${admin}, nacos: { password: nacos } }`, 'user "nacos": a password must have'],
    [`users: { ${admin}, ann: { password: nacosnacos } }`, 'user "ann": this password is the first'],
    [`users: { ${admin}, administrator: { password: administrator } }`, 'user "administrator": this password is the first'],
    [
      `users: { ${admin}, ann: { password: $2a$10$abcdefgh } }`,
      'user "ann": hashes of Nacos (bcrypt) cannot be read: set the password anew',
    ],
    [
      `users: { ${admin}, ann: { password: "$scrypt$ln=30,r=8,p=1$AA$AA" } }`,
      'user "ann": this $scrypt$ is not one that can be read',
    ],
    [`users: { ${admin}, "a:b": { password: longenough1 } }`, 'user "a:b": a name has'],
    [`users: { ${admin}, ann: { password: longenough1, role: reader } }`, 'user "ann": "role" is not known here'],
    [`users: { ${admin}, ann: { password: longenough1, roles: reader } }`, 'user "ann": roles must be a list'],
    [`users: { ${admin}, ann: { password: longenough1, roles: [readr] } }`, 'user "ann": there is no role "readr"'],
    [`users: { ${admin}, ann: { password: longenough1, disabled: "no" } }`, 'user "ann": disabled must be true or false'],
    [`users: { ${admin}, ann: { certificate: "orders" } }`, 'user "ann": certificate must be'],
    [`users: { ${admin}, ann: { certificate: "CN=a, CN=b" } }`, 'user "ann": certificate must be'],
    [`users: { ${admin}, ann: { tokens: [bb_in_clear] } }`, 'user "ann": tokens must be a list of sha256:'],
    [`users: { ${admin}, ann: { tokens: "sha256:x" } }`, 'user "ann": tokens must be a list of sha256:'],
    [`users: { ${admin} }\nroles: { writer: [] }`, 'role "writer": this name cannot be given'],
    [`users: { ${admin} }\nroles: { auditor: r }`, 'role "auditor": it must be a list of rules'],
    [
      `users: { ${admin} }\nroles: { auditor: [{ resource: "a", action: r }] }`,
      'role "auditor", rule 1: it must be NAMESPACE:GROUP',
    ],
    [`users: { ${admin} }\nroles: { auditor: [{ resource: "*:*:*" }] }`, 'role "auditor", rule 1: it must be NAMESPACE:GROUP'],
  ])('%s is not taken', (text, fault) => expect(faultsOf(text).join('\n')).toContain(fault));

  it('tells nothing of a hash that is not in quotes, but that it should be', () => {
    const text = faultsOf(`users: { ${admin}, ann: { password: ${HASH} } }`).join('\n');
    expect(text).toContain('user "ann": put a text with commas in quotes');
    for (const part of HASH.split(/[$,]/).filter((one) => one.length > 8)) expect(text).not.toContain(part);
  });

  it('tells all that is wrong at once, and no password', () => {
    const faults = faultsOf('users: { ann: { password: seven77, role: x }, "b:b": { password: nacosnacos } }');
    expect(faults).toHaveLength(5);
    expect(faults.join('\n')).not.toMatch(/seven77|nacosnacos/);
  });
});
