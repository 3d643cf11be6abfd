import { describe, expect, it } from 'vitest';
import { MOST_AT_ONCE, MOST_WAITING, MOST_WAITING_OF_ONE } from '../../src/access/kdf.ts';
import { Logins, MOST_REMEMBERED, type Proof } from '../../src/access/logins.ts';
import { COST, type Cost, type Derive, isPasswordOf, readHash, writeHash } from '../../src/access/passwords.ts';
import { accessRoom, countedRandomness, PASSWORD, quickly } from './room.ts';

/** Logins in a room of their own, with every derivation counted, and held as long as the test likes. */
async function loginRoom() {
  const derived: { readonly password: string; readonly salt: string; readonly cost: Cost }[] = [];
  const held: (() => void)[] = [];
  const gate = { isHeld: false };
  const derive: Derive = async (password, salt, cost, keyBytes) => {
    derived.push({ password, salt: Buffer.from(salt).toString('hex'), cost });
    if (gate.isHeld) await new Promise<void>((resolve) => void held.push(resolve));
    return quickly(password, salt, cost, keyBytes);
  };
  const room = accessRoom({ auth: true }, derive);
  const ann = await room.addUser('ann', PASSWORD, 'writer');
  derived.length = 0;
  const { users, kdf, scheduler } = room;
  const errors: unknown[] = [];
  const logins = new Logins({
    users,
    kdf,
    randomness: countedRandomness(),
    now: scheduler.now,
    onError: (error) => void errors.push(error),
  });
  const release = async () => {
    gate.isHeld = false;
    while (held.length > 0) {
      held.shift()?.();
      await settled();
    }
  };
  return { ...room, logins, ann, derived, gate, release, errors };
}

/** All that can go on without anybody's doing has. */
async function settled(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

const FROM = '10.0.0.1';

describe('a password', () => {
  it('that is right is looked at once, and remembered', async () => {
    using room = await loginRoom();
    expect(await room.logins.prove('ann', PASSWORD, FROM)).toBe(room.ann);
    for (let i = 0; i < 1_000; i++) expect(room.logins.prove('ann', PASSWORD, `10.0.1.${i % 250}`)).toBe(room.ann);
    expect(room.derived).toHaveLength(1);
  });

  it('that is right is looked at again once it is another, and the old one is wrong', async () => {
    using room = await loginRoom();
    await room.logins.prove('ann', PASSWORD, FROM);
    const prepared = await room.userAdmin.prepared('ann', 'battery staple', '10.0.0.1');
    if ('why' in prepared) throw new Error(prepared.text);
    room.userAdmin.changePassword('ann', prepared);
    expect(await room.logins.prove('ann', PASSWORD, FROM)).toBe('wrong');
    expect(await room.logins.prove('ann', 'battery staple', FROM)).toMatchObject({ name: 'ann' });
    // One of them to keep it.
    expect(room.derived).toHaveLength(4);
  });

  it('is void at once when its user is disabled or deleted', async () => {
    using room = await loginRoom();
    await room.logins.prove('ann', PASSWORD, FROM);
    room.setDisabled('ann', true);
    expect(await room.logins.prove('ann', PASSWORD, FROM)).toBe('wrong');
    room.userAdmin.drop('ann');
    expect(await room.logins.prove('ann', PASSWORD, FROM)).toBe('wrong');
  });

  it('is looked at anew once its user is enabled again, whatever was told of it meanwhile', async () => {
    using room = await loginRoom();
    room.setDisabled('ann', true);
    expect(await room.logins.prove('ann', PASSWORD, FROM)).toBe('wrong');
    expect(room.logins.prove('ann', PASSWORD, FROM)).toBe('wrong');
    room.setDisabled('ann', false);
    expect(await room.logins.prove('ann', PASSWORD, FROM)).toMatchObject({ name: 'ann' });
  });

  it('is not remembered as wrong when its user is disabled while it is looked at', async () => {
    using room = await loginRoom();
    room.gate.isHeld = true;
    const asked = room.logins.prove('ann', PASSWORD, FROM);
    await settled();
    room.setDisabled('ann', true);
    await room.release();
    expect(await asked).toBe('wrong');
    room.setDisabled('ann', false);
    expect(await room.logins.prove('ann', PASSWORD, FROM)).toMatchObject({ name: 'ann' });
  });

  it('that changes while it is looked at is wrong, and not remembered', async () => {
    using room = await loginRoom();
    room.gate.isHeld = true;
    const asked = room.logins.prove('ann', PASSWORD, FROM);
    await settled();
    room.users.put({ ...room.ann, generation: 'another' });
    await room.release();
    expect(await asked).toBe('wrong');
    room.users.put(room.ann);
    expect(await room.logins.prove('ann', PASSWORD, FROM)).toBe(room.ann);
  });

  it('that is wrong is looked at once a minute', async () => {
    using room = await loginRoom();
    expect(await room.logins.prove('ann', 'wrong horse', FROM)).toBe('wrong');
    for (let i = 0; i < 200; i++) {
      room.scheduler.advance(299);
      expect(room.logins.prove('ann', 'wrong horse', FROM)).toBe('wrong');
    }
    expect(room.derived).toHaveLength(1);
    room.scheduler.advance(1_000);
    expect(await room.logins.prove('ann', 'wrong horse', FROM)).toBe('wrong');
    expect(room.derived).toHaveLength(2);
  });

  it('is looked at once for all who ask at the same time', async () => {
    using room = await loginRoom();
    room.gate.isHeld = true;
    const asked = Array.from({ length: 1_000 }, (_, i) => room.logins.prove('ann', PASSWORD, `10.1.${i % 4}.${i % 250}`));
    await settled();
    await room.release();
    expect(new Set(await Promise.all(asked))).toEqual(new Set([room.ann]));
    expect(room.derived).toHaveLength(1);
  });
});

describe('who there is, is not told', () => {
  it.each([
    ['a user with a wrong password', 'ann', 'wrong horse'],
    ['a user with no password', 'ann', ''],
    ['a user with a password of 2 KB', 'ann', 'x'.repeat(2_048)],
    ['a user with a password that everybody knows', 'ann', 'nacos'],
    ['nobody', 'nobody', PASSWORD],
    ['nobody, with no password', 'nobody', ''],
    ['nobody, by a name that could be none', 'a\0:b', PASSWORD],
    ['a name in other letters', 'ANN', PASSWORD],
    ['what every object has', '__proto__', PASSWORD],
    ['a disabled user', 'bob', PASSWORD],
    ['a disabled user with a wrong password', 'bob', 'wrong horse'],
    ['a user who has a certificate and no password', 'orders', PASSWORD],
    ['a user whose hash cannot be read', 'broken', PASSWORD],
  ])('%s: one derivation at the same cost, and the same answer', async (_, name, password) => {
    using room = await loginRoom();
    room.users.put({ ...room.ann, name: 'bob', isDisabled: true });
    room.users.put({ ...room.ann, name: 'orders', hash: '', certificate: 'CN=orders' });
    room.users.put({ ...room.ann, name: 'broken', hash: '$2a$10$abcdefgh' });
    expect(await room.logins.prove(name, password, FROM)).toBe('wrong');
    expect(room.derived.map(({ cost }) => cost)).toEqual([COST]);
    // And the second time nothing.
    expect(room.logins.prove(name, password, FROM)).toBe('wrong');
    expect(room.derived).toHaveLength(1);
  });

  it('a password that everybody knows lets nobody in, however it came to be kept', async () => {
    using room = await loginRoom();
    for (const [name, password] of [
      ['bob', 'nacos'],
      ['ann', 'annann'],
      ['nacos', 'nacos123'],
    ] as const) {
      const salt = Buffer.alloc(16, 7);
      const hash = writeHash({ cost: COST, salt, key: await quickly(password, salt, COST, 32) });
      room.users.put({ ...room.ann, name, hash });
      expect(await isPasswordOf(readHash(hash) ?? never(), password, quickly)).toBe(true);
      expect(await room.logins.prove(name, password, FROM)).toBe('wrong');
    }
  });
});

describe('guessing', () => {
  it('is slowed to one a second after twenty in a minute, by address, and nobody else is', async () => {
    using room = await loginRoom();
    for (let i = 0; i < 20; i++) expect(await room.logins.prove('ann', `guess number ${i}`, FROM)).toBe('wrong');
    const told: Proof[] = [];
    for (let i = 0; i < 100; i++) {
      told.push(await room.logins.prove('ann', `slow guess ${i}`, FROM));
      room.scheduler.advance(100);
    }
    expect(told.filter((proof) => proof === 'wrong')).toHaveLength(9);
    expect(told.filter((proof) => proof === 'busy')).toHaveLength(91);
    expect(await room.logins.prove('ann', 'another guess', '10.0.0.2')).toBe('wrong');
  });

  it('never keeps out who is remembered, nor who is right at the next second', async () => {
    using room = await loginRoom();
    const bob = await room.addUser('bob', PASSWORD);
    await room.logins.prove('ann', PASSWORD, FROM);
    for (let i = 0; i < 30; i++) await room.logins.prove('ann', `guess number ${i}`, FROM);
    expect(room.logins.prove('ann', PASSWORD, FROM)).toBe(room.ann);
    room.scheduler.advance(1_000);
    expect(await room.logins.prove('bob', PASSWORD, FROM)).toBe(bob);
  });

  it('is not what a fleet does that has one wrong password', async () => {
    using room = await loginRoom();
    for (let i = 0; i < 1_000; i++) await room.logins.prove('ann', 'the old password', FROM);
    expect(await room.logins.prove('ann', PASSWORD, FROM)).toBe(room.ann);
    expect(room.derived).toHaveLength(2);
  });

  it('is forgotten after a minute', async () => {
    using room = await loginRoom();
    for (let i = 0; i < 21; i++) await room.logins.prove('ann', `guess number ${i}`, FROM);
    expect(room.logins.prove('ann', 'one more', FROM)).toBe('busy');
    room.scheduler.advance(60_000);
    expect(await room.logins.prove('ann', 'one more', FROM)).toBe('wrong');
  });
});

describe('a flood of logins', () => {
  it('has two derivations at a time, so many that wait, and the rest is told to come again', async () => {
    using room = await loginRoom();
    room.gate.isHeld = true;
    const asked = Array.from({ length: 200 }, (_, i) => room.logins.prove('ann', `guess number ${i}`, `10.1.0.${i}`));
    await settled();
    expect(asked.filter((proof) => proof === 'busy')).toHaveLength(200 - MOST_AT_ONCE - MOST_WAITING);
    expect(room.derived).toHaveLength(MOST_AT_ONCE);
    expect(room.kdf.waiting).toBe(MOST_WAITING);
    expect(await room.userAdmin.prepared('bob', PASSWORD, FROM)).toMatchObject({ why: 'busy' });
    expect(room.logins.prove('ann', PASSWORD, '10.0.0.9')).toBe('busy');
    await room.release();
    expect((await Promise.all(asked)).filter((proof) => proof === 'wrong')).toHaveLength(MOST_AT_ONCE + MOST_WAITING);
    expect(room.kdf.waiting).toBe(0);
    expect(await room.logins.prove('ann', PASSWORD, FROM)).toBe(room.ann);
  });

  it('from one address leaves room for others', async () => {
    using room = await loginRoom();
    room.gate.isHeld = true;
    const asked = Array.from({ length: 100 }, (_, i) => room.logins.prove('ann', `guess number ${i}`, FROM));
    const right = room.logins.prove('ann', PASSWORD, '10.0.0.2');
    await settled();
    expect(asked.filter((proof) => proof instanceof Promise)).toHaveLength(MOST_AT_ONCE + MOST_WAITING_OF_ONE);
    await room.release();
    expect(await right).toBe(room.ann);
  });

  it('from some addresses does not keep anybody out who comes from another', async () => {
    using room = await loginRoom();
    room.gate.isHeld = true;
    const guesses = Array.from({ length: 96 }, (_, i) => room.logins.prove('ann', `guess number ${i}`, `10.1.0.${i % 16}`));
    const right = room.logins.prove('ann', PASSWORD, FROM);
    const also = room.logins.prove('ann', PASSWORD, '10.0.0.2');
    await settled();
    expect(room.kdf.waiting).toBe(MOST_WAITING);
    await room.release();
    expect([await right, await also]).toEqual([room.ann, room.ann]);
    const told = await Promise.all(guesses);
    expect([told.filter((proof) => proof === 'busy').length, room.derived.length]).toEqual([
      96 + 1 - MOST_AT_ONCE - MOST_WAITING,
      MOST_AT_ONCE + MOST_WAITING,
    ]);
  });

  it('does not keep anybody out who asks the same as one who has lost his place', async () => {
    using room = await loginRoom();
    room.gate.isHeld = true;
    const crowd = Array.from({ length: 65 }, (_, i) => room.logins.prove('ann', `guess number ${i}`, `10.1.0.${i % 5}`));
    const first = room.logins.prove('ann', PASSWORD, '10.1.0.4');
    const other = room.logins.prove('ann', PASSWORD, FROM);
    // All of these have fewer, and so the last of each of the others goes.
    const more = Array.from({ length: 30 }, (_, i) => room.logins.prove('ann', `and guess ${i}`, `10.2.0.${i % 15}`));
    await settled();
    await room.release();
    expect([await first, await other]).toEqual(['busy', room.ann]);
    await Promise.all([...crowd, ...more]);
    expect(room.kdf.waiting).toBe(0);
  });

  it('costs whoever is remembered no place', async () => {
    using room = await loginRoom();
    expect(await room.logins.prove('ann', PASSWORD, FROM)).toBe(room.ann);
    room.gate.isHeld = true;
    const guesses = Array.from({ length: 200 }, (_, i) => room.logins.prove('ann', `guess number ${i}`, `10.1.0.${i}`));
    await settled();
    expect(guesses.at(-1)).toBe('busy');
    expect(room.logins.prove('ann', PASSWORD, FROM)).toBe(room.ann);
    expect(room.logins.prove('ann', PASSWORD, '10.1.0.1')).toBe(room.ann);
    await room.release();
    await Promise.all(guesses);
  });

  it('leaves no more than so many in memory', async () => {
    using room = await loginRoom();
    for (let i = 0; i < MOST_REMEMBERED + 10; i++)
      await room.logins.prove('ann', `guess number ${i}`, `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`);
    const before = room.derived.length;
    // The first ones have been forgotten, the last ones not.
    await room.logins.prove('ann', `guess number ${MOST_REMEMBERED + 9}`, FROM);
    expect(room.derived).toHaveLength(before);
    await room.logins.prove('ann', 'guess number 0', FROM);
    expect(room.derived).toHaveLength(before + 1);
  });

  it('that cannot be worked on fails, and holds nobody up afterwards', async () => {
    using room = await loginRoom();
    let broken = true;
    const derive: Derive = (...said) => (broken ? Promise.reject(new Error('no thread')) : quickly(...said));
    using other = accessRoom({ auth: true }, derive);
    other.users.put(room.ann);
    const { users, kdf, scheduler } = other;
    const logins = new Logins({ users, kdf, randomness: countedRandomness(), now: scheduler.now, onError: () => {} });
    for (let i = 0; i < 5; i++) await expect(logins.prove('ann', PASSWORD, FROM)).rejects.toThrow('no thread');
    broken = false;
    expect(await logins.prove('ann', PASSWORD, FROM)).toBe(room.ann);
  });
});

describe('a hash at a lower cost', () => {
  const LOW: Cost = { ln: 14, r: 8, p: 1 };

  async function withCheapHash(room: Awaited<ReturnType<typeof loginRoom>>) {
    const salt = Buffer.alloc(16, 7);
    const user = { ...room.ann, hash: writeHash({ cost: LOW, salt, key: await quickly(PASSWORD, salt, LOW, 32) }) };
    room.users.put(user);
    return user;
  }

  it('is made dearer at the next login, and no token ends by that', async () => {
    using room = await loginRoom();
    const user = await withCheapHash(room);
    expect(await room.logins.prove('ann', PASSWORD, FROM)).toBe(user);
    await settled();
    expect(readHash(room.users.find('ann')?.hash ?? '')?.cost).toEqual(COST);
    expect(room.users.find('ann')?.generation).toBe(user.generation);
    expect(room.logins.prove('ann', PASSWORD, FROM)).toMatchObject({ name: 'ann' });
  });

  it('stays as it is when the password changes meanwhile', async () => {
    using room = await loginRoom();
    await withCheapHash(room);
    room.gate.isHeld = true;
    const asked = room.logins.prove('ann', PASSWORD, FROM);
    await settled();
    room.gate.isHeld = false;
    const changed = { ...room.ann, hash: 'changed', generation: 'another' };
    room.users.put(changed);
    await room.release();
    expect(await asked).toBe('wrong');
    expect(room.users.find('ann')).toBe(changed);
  });
});

function never(): never {
  throw new Error('this cannot be');
}
