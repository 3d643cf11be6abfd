import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { COST, type Derive, hashed, readHash } from '../../src/access/passwords.ts';
import { putUserFile, readUserFile, type UserFile } from '../../src/access/user-file.ts';
import { LOOK_AGAIN_MS, type Loaded } from '../../src/access/user-loads.ts';
import { Users } from '../../src/access/users.ts';
import { WrittenPasswords } from '../../src/access/written-passwords.ts';
import { accessRoom, asked, countedRandomness, PASSWORD, quickly } from './room.ts';

const HASH = await hashed(PASSWORD, quickly, countedRandomness());

const NOBODY = { hash: '', generation: '' };

/** A file that somebody writes, and that is read as often as the test likes. For `using`. */
function loadRoom(derive: Derive = quickly) {
  const folder = mkdtempSync(join(tmpdir(), 'beatbridge-users-'));
  const path = join(folder, 'users.yaml');
  const room = accessRoom({ auth: true }, derive);
  const load = () => room.loadUsers(path);
  /** As `load`, with another text, once that has rested for so many looks. */
  const looked = async (text: string | undefined, looks: number) => {
    if (text !== undefined) writeFileSync(path, text);
    let loaded = await load();
    for (let i = 0; i < looks && loaded === 'unsettled'; i++) {
      room.scheduler.advance(LOOK_AGAIN_MS);
      loaded = await load();
    }
    return loaded;
  };
  /** Until nothing can be half of anything. */
  const settled = (text?: string): Promise<Loaded | 'unsettled' | undefined> => looked(text, 5);
  const dispose = () => {
    room.refusedCallers.stop();
    rmSync(folder, { recursive: true });
  };
  return { ...room, path, load, looked, settled, [Symbol.dispose]: dispose };
}

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
    const written = new WrittenPasswords(countedRandomness());
    putUserFile(users, read(text), written, 0);
    await written.hashAll(quickly);
    expect(users.all().map(({ name, roles, isDisabled, certificate }) => [name, roles, isDisabled, certificate])).toEqual([
      ['ann', ['writer@dev:G1', 'auditor'], true, undefined],
      ['orders', ['writer'], false, 'spiffe://cluster/ns/shop/sa/orders'],
      ['root', ['admin'], false, undefined],
    ]);
    expect(users.find('root')?.hash).toBe(HASH);
    const kept = ['root', 'ann', 'orders'].map((name) => written.of(users.find(name) ?? NOBODY));
    expect(kept).toEqual([readHash(HASH), { cost: COST, salt: expect.anything(), key: expect.anything() }, undefined]);
    expect(users.allRules()).toEqual([{ role: 'auditor', resource: '*:*:naming/*', action: 'r' }]);
    expect(JSON.stringify(users.all())).not.toContain(PASSWORD);
  });

  it('can be JSON', () => {
    const text = JSON.stringify({ users: { root: { password: HASH, roles: ['admin'] } } });
    expect(read(text).users.map(({ name }) => name)).toEqual(['root']);
  });

  it('gives the same generations after a restart, and others with other passwords', () => {
    const generationOf = (password: string) => {
      const users = new Users();
      const file = read(`users: { root: { password: ${JSON.stringify(password)}, roles: [admin] } }`);
      putUserFile(users, file, new WrittenPasswords(countedRandomness()), 0);
      return users.find('root')?.generation;
    };
    expect(generationOf(PASSWORD)).toBe(generationOf(PASSWORD));
    expect(generationOf(HASH)).toBe(generationOf(HASH));
    expect(generationOf(PASSWORD)).not.toBe(generationOf('battery staple'));
  });

  it('that is read again takes the place of what it said, and hashes only what is new', async () => {
    const users = new Users();
    let count = 0;
    const derive: Derive = (...said) => {
      count++;
      return quickly(...said);
    };
    const written = new WrittenPasswords(countedRandomness());
    const root = `root: { password: ${PASSWORD}, roles: [admin] }`;
    putUserFile(users, read(`users: { ${root}, ann: { password: ${PASSWORD} } }`), written, 0);
    await written.hashAll(derive);
    expect(count).toBe(2);
    const kept = written.of(users.find('root') ?? NOBODY);
    putUserFile(users, read(`users: { ${root}, bob: { password: battery staple } }`), written, 0);
    await written.hashAll(derive);
    expect(count).toBe(3);
    expect(written.of(users.find('root') ?? NOBODY)).toBe(kept);
    expect(users.find('ann')).toBeUndefined();
    expect(users.find('bob')).toBeDefined();
  });

  it('that can no longer be read, or is wrong, leaves everybody as he is', async () => {
    using room = loadRoom();
    const { users } = room;
    expect(await room.load()).toEqual({ faults: ['it cannot be read: ENOENT'], warnings: [] });
    expect(await room.settled(`users: { root: { password: ${PASSWORD}, roles: [admin] } }`)).toMatchObject({ faults: [] });
    const before = users.find('root');
    for (const text of [
      '',
      'users: {}',
      'users: { root: { password: battery staple, roles: [admin] }, ann: {} }',
      '\u0000',
      '{',
    ]) {
      expect(await room.settled(text)).toMatchObject({ faults: expect.arrayContaining([expect.anything()]) });
      expect(await room.load()).toBeUndefined();
      expect(users.all()).toEqual([before]);
    }
    rmSync(room.path);
    expect(await room.settled()).toMatchObject({ faults: ['it cannot be read: ENOENT'] });
    expect(await room.load()).toBeUndefined();
    expect(users.find('root')).toBe(before);
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
    [`users: { ${admin}, 1: { password: longenough1 }, "1": { password: longenough2 } }`, 'line 1: duplicate key'],
    [`users: { ${admin}`, 'line 1: '],
    [`users: { ${admin}, ann: &a { password: longenough1 }, bob: *a }`, 'an alias cannot be used here'],
    [`users: { ${admin}, ann: }`, 'user "ann": it must have keys and values'],
    [`users: { ${admin}, ann: {} }`, 'user "ann": it must have a password, a certificate or tokens'],
    [`users: { ${admin}, ann: { password: 98761234 } }`, 'user "ann": password must be a text: put it in quotes'],
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
    [
      `users: { ${admin}, ann: { password: longenough1, role: reader } }`,
      'user "ann": "role" is not known here: it must be one of password, roles, tokens, certificate, disabled',
    ],
    [
      `users: { ${admin}, ann: { certificate: CN=orders }, bob: { certificate: CN=orders } }`,
      'user "bob": the certificate "CN=orders" is that of user "ann" already',
    ],
    [
      `users: { ${admin}, ann: { tokens: [sha256:${'a'.repeat(64)}] }, bob: { tokens: [sha256:${'a'.repeat(64)}] } }`,
      'user "bob": one of its tokens is that of user "ann" already',
    ],
    [`users: { ${admin}, ann: { password: longenough1, roles: reader } }`, 'user "ann": roles must be a list'],
    [`users: { ${admin}, ann: { password: longenough1, roles: [[reader]] } }`, 'user "ann": roles must be a list of texts'],
    [
      `users: { ${admin}, ann: { password: longenough1, roles: [{ toString: 1 }] } }`,
      'user "ann": roles must be a list of texts',
    ],
    [`users: { ${admin}, ann: { password: longenough1, tokens: [{ toString: 1 }] } }`, 'user "ann": tokens must be a list of'],
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
    [
      `users: { ${admin} }\nroles: { auditor: [{ resource: { toString: 1 }, action: r }] }`,
      'role "auditor", rule 1: it must be NAMESPACE:GROUP',
    ],
    [`users: { ${admin} }\nroles: { auditor: [{ resource: "*:*:*" }] }`, 'role "auditor", rule 1: it must be NAMESPACE:GROUP'],
  ])('%s is not taken', (text, fault) => expect(faultsOf(text).join('\n')).toContain(fault));

  it('tells nothing of a hash that is not in quotes, but that it should be', () => {
    const text = faultsOf(`users: { ${admin}, ann: { password: ${HASH} } }`).join('\n');
    expect(text).toContain('user "ann": put a text with commas in quotes');
    for (const part of HASH.split(/[$,]/).filter((one) => one.length > 8)) expect(text).not.toContain(part);
  });

  it('tells nothing of a password that is not in quotes, but that it should be', () => {
    const text = faultsOf(`users: { ${admin}, ann: { password: correct, horse, battery } }`).join('\n');
    expect(text).toContain('user "ann": put a text with commas in quotes');
    expect(text).not.toMatch(/correct|horse|battery/);
  });

  it('tells all that is wrong at once, and no password', () => {
    const faults = faultsOf('users: { ann: { password: seven77, role: x }, "b:b": { password: nacosnacos } }');
    expect(faults).toHaveLength(5);
    expect(faults.join('\n')).not.toMatch(/seven77|nacosnacos/);
  });
});

describe('a file that somebody writes in place', () => {
  const ROOT = `users:\n  root: { password: "${HASH}", roles: [admin] }\n`;
  const EVE = `  eve:\n    tokens: [sha256:${'0'.repeat(64)}]\n    roles:\n      - writer`;

  it('is in force once it has been the same for a second', async () => {
    using room = loadRoom();
    await room.settled(ROOT);
    const half = `${ROOT}${EVE}@dev:G1\n`;
    expect(await room.looked(half, 0)).toBe('unsettled');
    room.scheduler.advance(900);
    // The last line has come, and it counts from then.
    expect(await room.looked(`${half}    disabled: true\n`, 0)).toBe('unsettled');
    room.scheduler.advance(900);
    expect([await room.load(), room.users.find('eve')]).toEqual(['unsettled', undefined]);
    room.scheduler.advance(100);
    expect([await room.load(), room.users.find('eve')]).toMatchObject([{ faults: [] }, { isDisabled: true }]);
  });

  it.each([
    ['a last line without an end', EVE],
    ['something wrong in it', `${EVE}s\n`],
  ])('with %s is waited for as long as that takes to write', async (_, more) => {
    using room = loadRoom();
    await room.settled(ROOT);
    expect([await room.looked(ROOT + more, 4), room.users.find('eve')]).toEqual(['unsettled', undefined]);
    expect(await room.looked(`${ROOT}${EVE}@dev:G1\n`, 1)).toMatchObject({ faults: [] });
    expect(room.users.find('eve')?.roles).toEqual(['writer@dev:G1']);
  });

  it('and that is what it was before, in the end, is none that is new', async () => {
    using room = loadRoom();
    await room.settled(ROOT);
    expect(await room.looked(ROOT + EVE, 0)).toBe('unsettled');
    expect(await room.looked(ROOT, 0)).toBeUndefined();
  });
});

describe('a password that is written out', () => {
  const ROOT = `users:\n  root: { password: ${PASSWORD}, roles: [admin] }\n`;

  function heldRoom() {
    const held: (() => void)[] = [];
    let isHeld = true;
    const room = loadRoom(async (...said) => {
      if (isHeld) await new Promise<void>((resolve) => void held.push(resolve));
      return quickly(...said);
    });
    const release = () => {
      isHeld = false;
      for (const go of held.splice(0)) go();
    };
    return { ...room, release };
  }

  it('keeps nothing waiting: who is disabled is so at once, and who is new is there', async () => {
    using room = heldRoom();
    expect(await room.settled(`${ROOT}  eve: { password: battery staple }\n`)).toMatchObject({ faults: [] });
    const others = Array.from({ length: 60 }, (_, i) => `  new${i}: { password: battery staple }\n`).join('');
    await room.settled(`${ROOT}  eve: { password: battery staple, disabled: true }\n${others}`);
    expect([room.users.find('eve')?.isDisabled, room.users.all().length]).toEqual([true, 62]);
    room.release();
  });

  it('lets its user in before it has been hashed, in his own turn, and nobody with another', async () => {
    using room = heldRoom();
    await room.settled(ROOT);
    const right = room.access.login(asked(), { name: 'root', password: PASSWORD });
    const wrong = room.access.login(asked(), { name: 'root', password: 'battery staple' });
    room.release();
    expect(await Promise.all([right, wrong])).toMatchObject([{ username: 'root' }, { reason: 'wrong-login' }]);
    expect(await room.access.login(asked(), { name: 'root', password: 'battery horse' })).toMatchObject({
      reason: 'wrong-login',
    });
    expect(room.errors).toEqual([]);
  });
});

describe('whoever is let in no more', () => {
  const ROOT = `users:\n  root: { password: "${HASH}", roles: [admin] }\n`;
  const eve = (more = '') =>
    `${ROOT}  eve: { password: "${HASH}", roles: [reader], tokens: [sha256:${'0'.repeat(64)}]${more} }\n`;

  async function loggedIn(room: ReturnType<typeof loadRoom>) {
    const said = await room.access.login(asked(), { name: 'eve', password: PASSWORD });
    if (said.isRefusal) throw new Error(said.text);
    return asked({ params: { accessToken: said.accessToken } });
  }

  it.each([
    ['disabled', eve(', disabled: true')],
    ['left out', ROOT],
  ])('since he was %s does not come back with an old token when he is let in again', async (_, without) => {
    using room = loadRoom();
    await room.settled(eve());
    const old = await loggedIn(room);
    const permit = await room.access.admit('read', old);
    if (permit.isRefusal) throw new Error(permit.text);
    expect(permit.stillCovers({ namespace: 'public' })).toBe(true);
    await room.settled(without);
    expect(await room.access.admit('read', old)).toMatchObject({ reason: 'bad-token' });
    await room.settled(eve());
    expect(await room.access.admit('read', old)).toMatchObject({ reason: 'bad-token' });
    expect(permit.stillCovers({ namespace: 'public' })).toBe(false);
    room.scheduler.advance(1);
    expect(await room.access.admit('read', await loggedIn(room))).toMatchObject({ user: 'eve' });
  });

  it('does not after a restart either, where there is a store', async () => {
    using first = loadRoom();
    await first.settled(eve());
    const old = await loggedIn(first);
    await first.settled(ROOT);
    using second = loadRoom();
    second.users.durableEnds.restore([['eve', first.users.durableEnds.read('eve')]]);
    await second.settled(eve());
    expect(await second.access.admit('read', old)).toMatchObject({ reason: 'bad-token' });
  });

  it.each<readonly [what: string, text: string, holds: boolean]>([
    ['a token of his is taken away, by which he did not come', eve().replace(/, tokens.*\]/, ''), true],
    ['another password is given', eve().replace(/eve: \{ password: "[^"]*"/, 'eve: { password: another-sentence-of-hers'), false],
    ['a token is added', eve().replace('tokens: [', `tokens: [sha256:${'1'.repeat(64)}, `), true],
    ['the text is another', `${eve()}# more\n`, true],
  ])('%s: what he asked for once is told him no more, or still', async (_, text, holds) => {
    using room = loadRoom();
    await room.settled(eve());
    const permit = await room.access.admit('read', await loggedIn(room));
    if (permit.isRefusal) throw new Error(permit.text);
    await room.settled(text);
    expect(permit.stillCovers({ namespace: 'public' })).toBe(holds);
  });

  it('nor is he who comes by a certificate, when it is called after somebody else', async () => {
    using room = loadRoom();
    const certificate = { name: 'CN=eve', validUntil: Number.POSITIVE_INFINITY };
    const named = eve(', certificate: CN=eve');
    await room.settled(named);
    const permit = await room.access.admit('read', asked({ certificate }));
    if (permit.isRefusal) throw new Error(permit.text);
    await room.settled(named.replace('CN=eve', 'CN=bob'));
    expect(permit.stillCovers({ namespace: 'public' })).toBe(false);
  });
});
