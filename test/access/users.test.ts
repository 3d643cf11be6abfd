import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readHash } from '../../src/access/passwords.ts';
import { type User, Users } from '../../src/access/users.ts';
import { randomRuns } from '../support/random.ts';
import { accessRoom, PASSWORD } from './room.ts';

const runs = randomRuns(200);
const ORDERS = { namespace: 'public', group: 'G1', kind: 'naming', name: 'orders' } as const;

describe('a user of calls', () => {
  it('comes back from where it was kept, with its roles and rules', async () => {
    using room = accessRoom({ auth: true });
    const kept = new Map<string, unknown>();
    const { durableUsers, durableRules } = room.users;
    for (const part of [durableUsers, durableRules])
      part.onChange((key) => {
        // What is kept is JSON, and undefined is nothing.
        const value = part.read(key);
        if (value === undefined) kept.delete(`${part.name} ${key}`);
        else kept.set(`${part.name} ${key}`, JSON.parse(JSON.stringify(value)));
      });
    const ann = await room.addUser('ann', PASSWORD, 'auditor');
    await room.addUser('bob', PASSWORD, 'reader');
    expect(room.userAdmin.permit('auditor', { resource: ':G1:naming/*', action: 'r' })).toBeUndefined();
    expect(room.userAdmin.drop('bob')).toBeUndefined();
    expect([...kept.keys()].sort()).toEqual(['role auditor', 'user ann']);

    const users = new Users();
    users.durableUsers.restore([['ann', kept.get('user ann')]]);
    users.durableRules.restore([['auditor', kept.get('role auditor')]]);
    expect(users.find('ann')).toEqual(ann);
    expect(users.allows(users.find('ann') ?? ann, 'read', ORDERS)).toBe(true);
    expect(users.allows(users.find('ann') ?? ann, 'write', ORDERS)).toBe(false);
  });

  it.each([null, 'x', {}, { name: 'ann', hash: 'x', generation: 'g', roles: 'admin', isDisabled: false }, { name: 'ann' }])(
    'that is kept as %j is nobody',
    (value) => {
      const users = new Users();
      users.durableUsers.restore([['ann', value]]);
      expect(users.find('ann')).toBeUndefined();
    },
  );

  it('is as the rules of its roles are now', async () => {
    using room = accessRoom({ auth: true });
    const ann = await room.addUser('ann', PASSWORD, 'auditor');
    expect(room.users.allows(ann, 'read', ORDERS)).toBe(false);
    const rule = { resource: ':G1:naming/*', action: 'r' };
    room.userAdmin.permit('auditor', rule);
    expect(room.users.allows(ann, 'read', ORDERS)).toBe(true);
    expect(room.users.allowsSomewhere(ann, 'write')).toBe(false);
    room.userAdmin.forbid('auditor', rule);
    expect(room.users.allows(ann, 'read', ORDERS)).toBe(false);
  });

  it('is found by a certificate that is its own alone', async () => {
    using room = accessRoom({ auth: true });
    const ann = await room.addUser('ann', PASSWORD);
    room.users.put({ ...ann, certificate: 'CN=orders' });
    expect(room.users.findByCertificate('CN=orders')).toMatchObject({ name: 'ann' });
    expect(room.users.findByCertificate('CN=order')).toBeUndefined();
    room.users.put({ ...ann, name: 'bob', certificate: 'CN=orders' });
    expect(room.users.findByCertificate('CN=orders')).toBeUndefined();
    room.users.put({ ...ann, name: 'bob' });
    room.users.put({ ...ann, certificate: 'CN=orders', isDisabled: true });
    expect(room.users.findByCertificate('CN=orders')).toBeUndefined();
  });

  it(`is found and counted as if all were looked at, whatever came before ${runs.title}`, () => {
    const names = fc.constantFrom('ann', 'bob', 'cid', 'dan');
    const user = fc.record({
      name: names,
      hash: fc.constant(''),
      generation: fc.constantFrom('1', '2'),
      roles: fc.subarray(['admin', 'reader', 'admin@dev']),
      isDisabled: fc.boolean(),
      certificate: fc.constantFrom('CN=a', 'CN=b', undefined),
    });
    const step = fc.oneof(
      fc.record({ put: user }),
      fc.record({ drop: names }),
      fc.record({ file: fc.uniqueArray(user, { selector: ({ name }) => name }) }),
      fc.record({ restore: user }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const users = new Users();
        for (const one of steps) {
          if ('put' in one) users.put(one.put as User);
          else if ('drop' in one) users.drop(one.drop);
          else if ('file' in one) users.replaceFile(one.file as User[]);
          else users.durableUsers.restore([[one.restore.name, one.restore]]);
          const all = ['ann', 'bob', 'cid', 'dan'].flatMap((name) => users.find(name) ?? []);
          expect(users.all()).toEqual(all);
          const admins = all.filter(({ isDisabled, roles }) => !isDisabled && roles.includes('admin'));
          expect(users.hasAdmin).toBe(admins.length > 0);
          for (const { name } of all) expect(users.isLastAdmin(name)).toBe(admins.length === 1 && admins[0]?.name === name);
          for (const certificate of ['CN=a', 'CN=b']) {
            const holders = all.filter((each) => each.certificate === certificate);
            const only = holders.length === 1 && holders[0]?.isDisabled === false ? holders[0] : undefined;
            expect(users.findByCertificate(certificate)).toBe(only);
          }
        }
      }),
      runs.parameters,
    );
  });
});

describe('an administrator', () => {
  it('is made first once, whoever else tries at the same time', async () => {
    using room = accessRoom({ auth: true });
    const { userAdmin, users } = room;
    const prepared = await Promise.all(
      ['nacos', 'root', 'boss'].map((name) => userAdmin.prepared(name, userAdmin.newPassword(), '10.0.0.1')),
    );
    const told = prepared.map((one, i) => ('why' in one ? one : userAdmin.createFirst(`admin${i}`, one)));
    expect(told).toEqual([
      undefined,
      { why: 'exists', text: 'have admin user cannot use it' },
      { why: 'exists', text: 'have admin user cannot use it' },
    ]);
    expect(users.all().map(({ name, roles }) => [name, roles])).toEqual([['admin0', ['admin']]]);
    expect(users.hasAdmin).toBe(true);
  });

  it('who is the last can neither go nor lose the role', async () => {
    using room = accessRoom({ auth: true });
    const { userAdmin } = room;
    await room.addUser('root', PASSWORD, 'admin');
    const last = { why: 'last-admin', text: 'cannot delete admin: root' };
    expect(userAdmin.drop('root')).toEqual(last);
    expect(userAdmin.revoke('admin', 'root')).toEqual(last);
    expect(userAdmin.revoke('admin')).toEqual(last);
    await room.addUser('boss', PASSWORD, 'admin@dev');
    expect(userAdmin.drop('root')).toEqual(last);
    userAdmin.grant('admin', 'boss');
    expect(userAdmin.revoke('admin', 'root')).toBeUndefined();
    expect(userAdmin.drop('root')).toBeUndefined();
    expect(userAdmin.drop('boss')).toMatchObject({ why: 'last-admin' });
  });

  it('gives and takes passwords, roles and rules', async () => {
    using room = accessRoom({ auth: true });
    const { userAdmin, users } = room;
    await room.addUser('root', PASSWORD, 'admin');
    const ann = await room.addUser('ann', PASSWORD);
    expect(userAdmin.grant('writer@dev:G1', 'ann')).toBeUndefined();
    expect(userAdmin.grant('auditor', 'ann')).toBeUndefined();
    expect(userAdmin.bindings()).toEqual([
      { role: 'writer@dev:G1', username: 'ann' },
      { role: 'auditor', username: 'ann' },
      { role: 'ROLE_ADMIN', username: 'root' },
    ]);
    const rule = { resource: ':G1:naming/*', action: 'r' };
    for (let i = 0; i < 2; i++) expect(userAdmin.permit('auditor', rule)).toBeUndefined();
    expect(users.allRules()).toEqual([{ role: 'auditor', ...rule }]);
    expect(userAdmin.revoke('auditor')).toBeUndefined();
    expect(users.allRules()).toEqual([]);
    expect(users.find('ann')?.roles).toEqual(['writer@dev:G1']);
    const prepared = await userAdmin.prepared('ann', 'battery staple', '10.0.0.1');
    if ('why' in prepared) throw new Error(prepared.text);
    expect(userAdmin.changePassword('ann', prepared)).toBeUndefined();
    expect(users.find('ann')?.generation).not.toBe(ann.generation);
    expect(readHash(users.find('ann')?.hash ?? '')).toBeDefined();
    expect(userAdmin.drop('nobody')).toBeUndefined();
  });

  it('is refused what would be a right that nobody has, or a user whom nobody finds', async () => {
    using room = accessRoom({ auth: true });
    const { userAdmin } = room;
    await room.addUser('ann', PASSWORD, 'auditor');
    const prepared = await userAdmin.prepared('bob', PASSWORD, '10.0.0.1');
    if ('why' in prepared) throw new Error(prepared.text);
    expect(userAdmin.create('ann', prepared)).toEqual({ why: 'exists', text: "user 'ann' already exist!" });
    for (const name of ['', 'a:b', 'a b', 'ann\n', '__proto__ ', 'ä', 'a'.repeat(65)])
      expect(userAdmin.create(name, prepared)).toMatchObject({ why: 'invalid' });
    expect(userAdmin.grant('ROLE_ADMIN', 'ann')).toMatchObject({ why: 'invalid' });
    expect(userAdmin.grant('Writer', 'ann')).toMatchObject({ why: 'invalid' });
    expect(userAdmin.grant('auditor', 'ann')).toMatchObject({ why: 'exists' });
    expect(userAdmin.grant('reader', 'nobody')).toMatchObject({ why: 'unknown' });
    expect(userAdmin.changePassword('nobody', prepared)).toMatchObject({ why: 'unknown' });
    expect(userAdmin.permit('nobodys', { resource: ':G1:naming/*', action: 'r' })).toEqual({
      why: 'unknown',
      text: 'role nobodys not found!',
    });
    expect(userAdmin.permit('reader', { resource: ':G1:naming/*', action: 'r' })).toMatchObject({ why: 'invalid' });
    expect(userAdmin.permit('auditor', { resource: '(a+)+$', action: 'r' })).toMatchObject({ why: 'invalid' });
    expect(userAdmin.permit('auditor', { resource: ':G1:naming/*', action: 'x' })).toMatchObject({ why: 'invalid' });
    expect(await userAdmin.prepared('ann', 'short', '10.0.0.1')).toMatchObject({ why: 'invalid' });
    expect(await userAdmin.prepared('nacos', 'nacos123', '10.0.0.1')).toMatchObject({ why: 'invalid' });
  });

  it('cannot change what is in the file', async () => {
    using room = accessRoom({ auth: true });
    const { userAdmin, users } = room;
    const root = await room.addUser('root', PASSWORD, 'admin');
    users.replaceFile(
      [{ ...root, name: 'ann', roles: ['auditor'] }],
      new Map([['auditor', [{ resource: '*:*:*', action: 'r' }]]]),
    );
    const prepared = await userAdmin.prepared('ann', PASSWORD, '10.0.0.1');
    if ('why' in prepared) throw new Error(prepared.text);
    for (const fault of [
      userAdmin.drop('ann'),
      userAdmin.changePassword('ann', prepared),
      userAdmin.grant('reader', 'ann'),
      userAdmin.revoke('auditor', 'ann'),
      userAdmin.revoke('auditor'),
      userAdmin.permit('auditor', { resource: ':G1:naming/*', action: 'r' }),
      userAdmin.forbid('auditor', { resource: '*:*:*', action: 'r' }),
    ])
      expect(fault).toMatchObject({ why: 'of-file' });
    expect(userAdmin.create('ann', prepared)).toMatchObject({ why: 'exists' });
    expect(users.find('ann')?.roles).toEqual(['auditor']);
  });

  it('deletes what calls have made of who is in the file, and nothing of the file', async () => {
    using room = accessRoom({ auth: true });
    const { userAdmin, users } = room;
    const root = await room.addUser('root', PASSWORD, 'admin');
    await room.addUser('ann', PASSWORD, 'writer');
    users.replaceFile([
      { ...root, name: 'boss' },
      { ...root, name: 'ann', roles: ['reader'] },
    ]);
    expect([users.hidden(), users.find('ann')?.roles]).toEqual([{ users: ['ann'], roles: [] }, ['reader']]);
    expect(userAdmin.drop('ann')).toBeUndefined();
    expect([users.hidden().users, users.find('ann')?.roles]).toEqual([[], ['reader']]);
    expect(userAdmin.drop('ann')).toMatchObject({ why: 'of-file' });
    expect(users.replaceFile([{ ...root, name: 'boss' }])).toEqual({ users: [], roles: [] });
    expect(users.find('ann')).toBeUndefined();
  });
});
