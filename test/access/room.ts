import { createHash } from 'node:crypto';
import type { Asked } from '../../src/access/access.ts';
import { type AccessSettings, createAccess } from '../../src/access/create-access.ts';
import type { Derive, Randomness } from '../../src/access/passwords.ts';
import { PROTECTED } from '../../src/access/policy.ts';
import type { Told } from '../../src/access/refused-callers.ts';
import type { User } from '../../src/access/users.ts';
import { ManualScheduler } from '../support/scheduler.ts';

/** As if by scrypt, in no time: nothing here tells passwords by how long they take, but by how many are looked at. */
export const quickly: Derive = (password, salt, cost, keyBytes) =>
  Promise.resolve(
    createHash('shake256', { outputLength: keyBytes })
      .update(JSON.stringify([password, Buffer.from(salt).toString('hex'), cost]))
      .digest(),
  );

/** The same bytes in each run, and never twice. */
export function countedRandomness(): Randomness {
  let count = 0;
  return (bytes) => createHash('shake256', { outputLength: bytes }).update(`${++count}`).digest();
}

export const SECRET = createHash('sha256').update('a secret of tests').digest();

export const SETTINGS: AccessSettings = {
  ...PROTECTED,
  trust: [],
  trustedProxies: [],
  pages: { hosts: [], origins: [] },
  secrets: [SECRET],
  tokenTtlSeconds: 18_000,
  passwordsNeedTls: false,
};

/** Access, a time that the test moves, and all that was said. Wall clock and scheduler agree. */
export function accessRoom(settings: Partial<AccessSettings> = {}, derive: Derive = quickly) {
  const scheduler = new ManualScheduler(1_700_000_000_000);
  const told: Told[] = [];
  const errors: unknown[] = [];
  const rooms = createAccess(
    { ...SETTINGS, ...settings },
    {
      derive,
      randomness: countedRandomness(),
      now: scheduler.now,
      wallClock: scheduler.now,
      scheduler,
      tell: (one) => void told.push(one),
      onError: (error) => void errors.push(error),
    },
  );
  const addUser = async (name: string, password: string, ...roles: string[]): Promise<User> => {
    const prepared = await rooms.userAdmin.prepared(name, password, '10.0.0.1');
    if ('why' in prepared) throw new Error(prepared.text);
    const fault = rooms.userAdmin.create(name, prepared, roles);
    const user = rooms.users.find(name);
    if (fault !== undefined || user === undefined) throw new Error(fault?.text);
    return user;
  };
  /** As a store may give one back: no call does it. */
  const setDisabled = (name: string, isDisabled: boolean): void => {
    const user = rooms.users.find(name);
    if (user === undefined) throw new Error(`there is no ${name}`);
    rooms.users.put({ ...user, isDisabled });
  };
  return { ...rooms, scheduler, told, errors, addUser, setDisabled, [Symbol.dispose]: () => rooms.refusedCallers.stop() };
}

export const PASSWORD = 'correct horse';

/** A call from elsewhere, by nobody. */
export function asked(more: Partial<Asked> & { readonly params?: Readonly<Record<string, string>> } = {}): Asked {
  const { params = {}, ...rest } = more;
  const headers = more.headers ?? {};
  return {
    ip: '10.2.3.4',
    headers,
    carriers: { params: Object.entries(params), headers },
    ownParams: false,
    isScoped: true,
    isBrowser: false,
    isEncrypted: false,
    agent: 'Nacos-Go-Client:v2.3.5',
    example: 'register orders',
    ...rest,
  };
}
